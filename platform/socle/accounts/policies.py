"""Limits on logging in. No query, no clock, no HTTP."""

from datetime import datetime, timedelta
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


class CertificateRefused(Refusal):
    """The certificate presented is not one this person may use now."""

    code = "accounts.certificate_refused"


PROBLEMS: Final = {
    "certificate has expired": "il a expiré : demandez le suivant à votre syndicat",
    "certificate is not yet valid": "il n’est pas encore valable : vérifiez l’heure du poste",
    "certificate revoked": "son autorité l’a révoqué : demandez-en un autre à votre syndicat",
    "unable to get local issuer certificate": "son autorité n’est pas de celles admises ici",
    "unable to verify the first certificate": "son autorité n’est pas de celles admises ici",
    "self-signed certificate": "personne ne l’a signé, il ne prouve rien",
    "self signed certificate": "personne ne l’a signé, il ne prouve rien",
    "unreadable": "il est illisible",
}
"""What the gateway found wrong (OpenSSL's words) → in French, with what to do."""


def refused_by_gateway(problem: str) -> CertificateRefused:
    """The refusal for what the gateway found wrong."""
    why = next((told for known, told in PROBLEMS.items() if known in problem), "il est refusé")
    return CertificateRefused(f"Le certificat présenté ne peut pas servir : {why}.")


def is_fresh(
    *, proved_at: datetime, factor: str, minutes: int, certificate_only: bool, at: datetime
) -> bool:
    """Whether a proof is recent enough, and of the kind asked for, to let something leave."""
    if certificate_only and factor != "certificate":
        return False
    return at < proved_at + timedelta(minutes=minutes)


def check_attempts(*, by_person: int, by_address: int) -> None:
    """Refuse a new password attempt when too many failed within `WINDOW`."""
    if by_person >= WRONG_PASSWORDS_PER_PERSON or by_address >= WRONG_PASSWORDS_PER_ADDRESS:
        raise TooManyAttempts(
            "Trop d’essais avec un mauvais mot de passe : attendez un quart d’heure, "
            "ou demandez un nouveau mot de passe à votre syndicat."
        )
