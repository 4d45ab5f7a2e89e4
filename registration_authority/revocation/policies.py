"""When a request to revoke is believed, how long it may take. No query, no clock."""

from datetime import datetime, timedelta
from typing import Final, Literal

from registration_authority.dossier.models import PolicyProfile
from registration_authority.revocation.models import (
    Asker,
    RevocationRequest,
    RevocationState,
)
from socle.core.refusals import Refusal

REVOCATION_TRANSITIONS: Final[dict[RevocationState, frozenset[RevocationState]]] = {
    RevocationState.RECEIVED: frozenset({RevocationState.ACCEPTED, RevocationState.REFUSED}),
    RevocationState.CALL_BACK: frozenset({RevocationState.ACCEPTED, RevocationState.REFUSED}),
    RevocationState.ACCEPTED: frozenset(),  # nothing leads out of a revocation
    RevocationState.REFUSED: frozenset(),
}


class NotAllowedToAsk(Refusal):
    """The policy of the authority does not let this person ask."""

    code = "ra.not_allowed_to_revoke"


class AlreadyDecided(Refusal):
    """Somebody decided already."""

    code = "ra.revocation_decided"


class SamePerson(Refusal):
    """Who asked cannot be the second pair of eyes."""

    code = "ra.separation_of_duties"


class WrongCode(Refusal):
    """The address and the code do not go together; which one is wrong is not said."""

    code = "ra.wrong_revocation_code"


class TooManyCodes(Refusal):
    """Wrong codes came too often."""

    code = "ra.too_many_codes"


class NothingToRevoke(Refusal):
    """There is no certificate in force there."""

    code = "ra.nothing_to_revoke"


def check_may_ask(asker: Asker, policy: PolicyProfile) -> None:
    """Refuse who the policy does not list. Raises NotAllowedToAsk."""
    if asker not in policy.may_ask:
        raise NotAllowedToAsk(
            f"La politique de l’autorité ne prévoit pas cette demande ({asker.label.lower()}) : "
            "appelez votre syndicat."
        )


def check_step(current: str, to: RevocationState) -> None:
    """Refuse to decide twice. Raises AlreadyDecided."""
    if to not in REVOCATION_TRANSITIONS[RevocationState(current)]:
        raise AlreadyDecided(
            f"Cette demande est déjà « {RevocationState(current).label.lower()} » : rechargez la "
            "page."
        )


def check_other_eyes(*, four_eyes: bool, asked_by: int | None, by: int) -> None:
    """Refuse to confirm one's own request where two are asked for. Raises SamePerson."""
    if four_eyes and asked_by == by:
        raise SamePerson(
            "Vous avez fait cette demande : une autre personne du guichet doit la confirmer."
        )


def check_attempts(*, by_person: int, by_address: int, policy: PolicyProfile) -> None:
    """Refuse another code when too many were wrong. Raises TooManyCodes."""
    if by_person >= policy.wrong_codes or by_address >= policy.wrong_codes_by_address:
        raise TooManyCodes(
            "Trop d’essais avec un code qui n’est pas le bon. Demandez à être rappelé, ci-dessous, "
            "ou téléphonez à votre syndicat : il peut révoquer sans le code."
        )


def overdue(request: RevocationRequest, *, at: datetime) -> bool:
    """Whether the authority should have published by `at` and was not seen doing it."""
    return request.published_at is None and at >= request.deadline


def to_warn(request: RevocationRequest, policy: PolicyProfile, *, at: datetime) -> bool:
    """Whether it is time to worry: not decided, or not published, after what the policy says."""
    if request.state == RevocationState.REFUSED or request.published_at is not None:
        return False
    hours = policy.revocation_identify_hours if request.is_pending else policy.revocation_warn_hours
    return at >= request.received_at + timedelta(hours=hours)


def urgency(
    request: RevocationRequest, policy: PolicyProfile, *, at: datetime
) -> Literal["success", "progress", "warning", "danger", "neutral"]:
    """The tone of a request."""
    if request.state == RevocationState.REFUSED:
        return "neutral"
    if request.published_at is not None:
        return "success" if request.published_at <= request.deadline else "danger"
    if overdue(request, at=at):
        return "danger"
    return "warning" if to_warn(request, policy, at=at) else "progress"
