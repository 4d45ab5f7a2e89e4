"""Limits on logging in. No query, no clock, no HTTP."""

from datetime import timedelta
from typing import Final

from socle.core.refusals import Refusal

WINDOW: Final = timedelta(minutes=15)
WRONG_PASSWORDS_PER_PERSON: Final = 8
WRONG_PASSWORDS_PER_ADDRESS: Final = 40
TICKET_LIFE: Final = timedelta(seconds=30)
RECOVERY_CODES: Final = 10


class TooManyAttempts(Refusal):
    """Wrong passwords came too often."""

    code = "accounts.too_many_attempts"


class WrongCredentials(Refusal):
    """The address or the password is not right; which one is not said."""

    code = "accounts.wrong_credentials"


class WrongCode(Refusal):
    """The six digits or the recovery code are not right."""

    code = "accounts.wrong_code"


class TicketRefused(Refusal):
    """The pass between two hosts is unknown, used, too old or for another host."""

    code = "accounts.ticket_refused"


def check_attempts(*, by_person: int, by_address: int) -> None:
    """Refuse a new password attempt when too many failed within `WINDOW`."""
    if by_person >= WRONG_PASSWORDS_PER_PERSON or by_address >= WRONG_PASSWORDS_PER_ADDRESS:
        raise TooManyAttempts(
            "Trop d’essais avec un mauvais mot de passe : attendez un quart d’heure, "
            "ou demandez un nouveau mot de passe à votre syndicat."
        )
