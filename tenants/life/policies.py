"""What may become of a space, its archives and its destruction. No query, no clock, no HTTP."""

from datetime import datetime, timedelta
from typing import Final

from socle.core.refusals import Refusal
from tenants.life.models import ArchiveState, DestructionState, SpaceState

TRANSITIONS: Final[dict[SpaceState, frozenset[SpaceState]]] = {
    SpaceState.OPEN: frozenset({SpaceState.SUSPENDED}),
    SpaceState.SUSPENDED: frozenset({SpaceState.OPEN, SpaceState.CONDEMNED}),
    SpaceState.CONDEMNED: frozenset({SpaceState.DESTROYED}),
    SpaceState.DESTROYED: frozenset(),
}
ARCHIVE_TRANSITIONS: Final[dict[ArchiveState, frozenset[ArchiveState]]] = {
    ArchiveState.WAITING: frozenset({ArchiveState.BUILDING}),
    ArchiveState.BUILDING: frozenset(  # again when its worker died
        {ArchiveState.BUILDING, ArchiveState.READY, ArchiveState.FAILED}
    ),
    ArchiveState.READY: frozenset({ArchiveState.EXPIRED}),
    ArchiveState.FAILED: frozenset(),
    ArchiveState.EXPIRED: frozenset(),
}
DESTRUCTION_TRANSITIONS: Final[dict[DestructionState, frozenset[DestructionState]]] = {
    DestructionState.ASKED: frozenset({DestructionState.CONFIRMED, DestructionState.CANCELLED}),
    DestructionState.CONFIRMED: frozenset({DestructionState.RUNNING, DestructionState.CANCELLED}),
    DestructionState.RUNNING: frozenset({DestructionState.DONE}),
    DestructionState.DONE: frozenset(),
    DestructionState.CANCELLED: frozenset(),
}
WAIT_DAYS: Final = 30
"""What is proposed between the request and the destruction."""
SHORTEST_WAIT: Final = 1
LONGEST_WAIT: Final = 3650
KEPT_FOR: Final = timedelta(days=60)
"""How long a package stays with the syndicat: a second copy of a commune is a second risk."""
LEASE: Final = timedelta(minutes=2)
"""A worker that says nothing for so long is dead; it speaks after each table and file."""
TRIES: Final = 5
ABANDONED: Final = timedelta(days=1)
"""A file nobody names and nobody wrote to since is what a dead worker left."""


KEPT: Final[dict[str, str]] = {
    "billing.Invoice": "pièces comptables, dix ans (Code de commerce, L123-22)",
    "billing.Line": "pièces comptables, dix ans (Code de commerce, L123-22)",
    "billing.BillableItem": "justificatifs des factures, dix ans",
    "registration_authority.CertificateFile": "registre de l’autorité d’enregistrement (RGS)",
    "registration_authority.Piece": "registre de l’autorité d’enregistrement (RGS)",
    "registration_authority.FaceToFace": "registre de l’autorité d’enregistrement (RGS)",
    "registration_authority.CertificateRequest": "registre de l’autorité d’enregistrement (RGS)",
    "registration_authority.Certificate": "registre de l’autorité d’enregistrement (RGS)",
    "registration_authority.HandOver": "registre de l’autorité d’enregistrement (RGS)",
    "registration_authority.Renewal": "registre de l’autorité d’enregistrement (RGS)",
    "training.Registration": "preuve des formations suivies",
    "training.Attendance": "preuve des formations suivies",
    "training.TrainingCertificate": "attestations remises aux agents",
    "onboarding.OnboardingCase": "conventions et contrats du syndicat, dix ans après leur fin",
    "onboarding.StepRecord": "conventions et contrats du syndicat, dix ans après leur fin",
    "onboarding.Deliberation": "conventions et contrats du syndicat, dix ans après leur fin",
    "onboarding.ProcurementRoute": "conventions et contrats du syndicat, dix ans après leur fin",
    "onboarding.ActesConvention": "conventions et contrats du syndicat, dix ans après leur fin",
    "onboarding.HeliosAdhesion": "conventions et contrats du syndicat, dix ans après leur fin",
    "directory.Organisation": "annuaire national des collectivités (données publiques)",
    "directory.Membership": "registre des adhésions au syndicat",
}
"""Rows that stay, and why. Everything else that is the commune's goes."""


class ForbiddenChange(Refusal):
    """The space, the archive or the destruction is not in a state that allows this."""

    code = "life.forbidden_change"


class NeedsReason(Refusal):
    """Nothing of this kind is done without a reason."""

    code = "life.needs_reason"
    field = "reason"


class OwnRequest(Refusal):
    """The second person is the first."""

    code = "life.own_request"


class ArchiveMissing(Refusal):
    """A space is destroyed after its archive was taken away, or a written waiver."""

    code = "life.archive_missing"


def check_space(state: str, to: SpaceState) -> None:
    """Refuse a change of a space that `TRANSITIONS` does not know. Raises ForbiddenChange."""
    now = SpaceState(state)
    if to not in TRANSITIONS[now]:
        raise ForbiddenChange(
            f"L’espace est à l’état « {now.label} » : il ne peut pas passer à « {to.label} »."
        )


def check_destruction(state: str, to: DestructionState) -> None:
    """The same for a destruction. Raises ForbiddenChange."""
    now = DestructionState(state)
    if to not in DESTRUCTION_TRANSITIONS[now]:
        raise ForbiddenChange(
            f"La destruction est à l’état « {now.label} » : elle ne peut pas passer à "
            f"« {to.label} »."
        )


def check_reason(reason: str) -> str:
    """The reason without spaces around it. Raises NeedsReason."""
    if not reason.strip():
        raise NeedsReason("Dites pourquoi : le motif est écrit dans les journaux.")
    return reason.strip()[:300]


def check_wait(days: int) -> int:
    """The number of days to wait. Raises ForbiddenChange."""
    if not SHORTEST_WAIT <= days <= LONGEST_WAIT:
        raise ForbiddenChange(
            f"Le délai va de {SHORTEST_WAIT} à {LONGEST_WAIT} jours : une erreur doit pouvoir "
            "être arrêtée."
        )
    return days


def is_lost(lease_until: datetime | None, *, at: datetime) -> bool:
    """Whether the worker of an archive is to be thought dead."""
    return lease_until is None or lease_until < at
