"""What people do to spaces: one function per event, in the syndicat's and the commune's journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from socle.accounts.models import Person
from socle.core import queue
from socle.directory import actions as directory
from socle.directory.models import Organisation
from socle.journal import tables as journal
from socle.journal.actions import record
from tenants.life import archives, policies
from tenants.life.models import (
    Archive,
    ArchiveState,
    Destruction,
    DestructionState,
    Download,
    Space,
    SpaceState,
)
from tenants.life.package.envelope import new_envelope, new_passphrase
from tenants.models import Tenant


def space_of(organisation: Organisation, *, at: datetime) -> Space:
    """The living space of an organisation, locked; noted now if nothing ever happened to it.

    Raises ForbiddenChange when it has none. To be called in a transaction.
    """
    tenant = Tenant.objects.filter(organisation=organisation).first()
    if tenant is None:
        raise policies.ForbiddenChange(
            f"« {organisation} » n’a pas d’espace sur cette installation : il n’y a rien à faire."
        )
    living = Space.objects.filter(organisation=organisation).exclude(state=SpaceState.DESTROYED)
    Space.objects.bulk_create(
        [
            Space(
                organisation=organisation,
                schema=tenant.schema_name,
                changed_at=tenant.created_at,
                changed_by_label="Socle",
            )
        ]
        if not living.exists()
        else [],
        ignore_conflicts=True,
    )
    return living.select_for_update(of=("self",)).select_related("organisation").get()


@transaction.atomic
def suspend(*, organisation: Organisation, reason: str, by: Person, at: datetime) -> Space:
    """Let a space stand still: its agents are told, nothing is sent for it, its tasks wait.

    What is queued stays queued, what comes back is kept. Suspending twice changes nothing. Raises
    NeedsReason, ForbiddenChange.
    """
    reason = policies.check_reason(reason)
    space = space_of(organisation, at=at)
    if space.state == SpaceState.SUSPENDED:
        return space
    policies.check_space(space.state, SpaceState.SUSPENDED)
    directory.stop_space(organisation=space.organisation, reason=reason, at=at)
    _move(space, SpaceState.SUSPENDED, reason=reason, by=by, at=at)
    _tell_both("life.suspended", space, by=by, at=at, detail={"reason": reason})
    return space


@transaction.atomic
def resume(*, organisation: Organisation, reason: str, by: Person, at: datetime) -> Space:
    """Let a suspended space work again, from where it stood; resuming twice changes nothing.

    Raises NeedsReason, ForbiddenChange, also while its destruction is asked for.
    """
    reason = policies.check_reason(reason)
    space = space_of(organisation, at=at)
    if space.state == SpaceState.OPEN:
        return space
    policies.check_space(space.state, SpaceState.OPEN)
    if open_destruction(space) is not None:
        raise policies.ForbiddenChange(
            f"La destruction de l’espace de « {organisation} » est demandée : annulez-la d’abord."
        )
    directory.start_space(organisation=space.organisation)
    _move(space, SpaceState.OPEN, reason="", by=by, at=at)
    _tell_both("life.resumed", space, by=by, at=at, detail={"reason": reason})
    queue.after_commit("delivery.wake")
    return space


@dataclass(frozen=True, slots=True)
class Asked:
    """An archive that was asked for, and the passphrase that will open it, shown once."""

    archive: Archive
    passphrase: str


@transaction.atomic
def ask_archive(*, organisation: Organisation, reason: str, by: Person, at: datetime) -> Asked:
    """Have the package of a whole space made in the background.

    The passphrase is kept nowhere: whoever loses it asks for another archive. Raises NeedsReason,
    ForbiddenChange.
    """
    reason = policies.check_reason(reason)
    space = space_of(organisation, at=at)
    if space.state not in (SpaceState.OPEN, SpaceState.SUSPENDED):
        raise policies.ForbiddenChange(
            f"L’espace de « {organisation} » est en cours de destruction : il ne s’archive plus."
        )
    unfinished = (ArchiveState.WAITING, ArchiveState.BUILDING)
    if space.archives.filter(state__in=unfinished).exists():
        raise policies.ForbiddenChange(
            f"Une archive de « {organisation} » est déjà en préparation : attendez sa fin."
        )
    passphrase = new_passphrase()
    envelope = new_envelope(passphrase, about=f"{organisation} (SIREN {organisation.siren})")
    archive = Archive.objects.create(
        space=space,
        reason=reason,
        asked_by=by,
        asked_at=at,
        preamble=envelope.preamble,
        sealed_secret=archives.sealed_secret(envelope),
    )
    detail = {"reason": reason, "archive": archive.pk}
    _tell_both("life.archive_asked", space, by=by, at=at, detail=detail)
    queue.after_commit("life.make_archive", archive_id=archive.pk)
    return Asked(archive, passphrase)


@transaction.atomic
def note_download(*, archive_id: int, by: Person, at: datetime) -> Archive:
    """Write that a person takes a package away, before its first byte leaves.

    In the syndicat's journal only: the commune's is in the package, and must not grow after it.
    Raises ForbiddenChange.
    """
    archive = (
        Archive.objects.select_for_update(of=("self",))
        .select_related("space__organisation")
        .get(pk=archive_id)
    )
    if archive.state != ArchiveState.READY:
        raise policies.ForbiddenChange(
            f"Cette archive est à l’état « {archive.get_state_display()} » : il n’y a rien à "
            "télécharger."
        )
    Download.objects.create(archive=archive, person=by, at=at)
    record(
        event="life.archive_downloaded",
        subject=archive.space.organisation,
        by=by,
        at=at,
        detail={"archive": archive.pk, "sha256": archive.sha256},
    )
    return archive


@transaction.atomic
def ask_destruction(
    *,
    organisation: Organisation,
    reason: str,
    visa: str,
    wait_days: int,
    by: Person,
    at: datetime,
    waiver: str = "",
) -> Destruction:
    """Ask for the destruction of a suspended space; a second person confirms, then a wait runs.

    Public archives are destroyed with the visa of the director of the Archives départementales
    only (Code du patrimoine, L212-2 and R212-14): `visa` is its reference, or why none is due.
    `waiver` is the reference of the commune's written waiver when no archive was taken away.
    Raises NeedsReason, ForbiddenChange, ArchiveMissing.
    """
    reason = policies.check_reason(reason)
    if not visa.strip():
        raise policies.NeedsReason(
            "Donnez la référence du visa des Archives départementales, ou dites pourquoi il n’est "
            "pas dû.",
            field="visa",
        )
    space = space_of(organisation, at=at)
    policies.check_space(space.state, SpaceState.CONDEMNED)
    if open_destruction(space) is not None:
        raise policies.ForbiddenChange(
            f"La destruction de l’espace de « {organisation} » est déjà demandée."
        )
    archive = None if waiver.strip() else usable_archive(space)
    days = policies.check_wait(wait_days)
    destruction = Destruction.objects.create(
        space=space,
        reason=reason,
        archive=archive,
        waiver=waiver.strip()[:300],
        visa=visa.strip()[:200],
        asked_by=by,
        asked_at=at,
        wait_days=days,
        not_before=at + timedelta(days=days),
    )
    detail = {"reason": reason, "visa": destruction.visa, "days": days}
    _tell("life.destruction_asked", space, by=by, at=at, detail=detail)
    return destruction


@transaction.atomic
def confirm_destruction(*, destruction_id: int, by: Person, at: datetime) -> Destruction:
    """The second person confirms. Raises OwnRequest, ForbiddenChange, ArchiveMissing."""
    destruction = _locked(destruction_id)
    policies.check_destruction(destruction.state, DestructionState.CONFIRMED)
    if destruction.asked_by_id == by.pk:
        raise policies.OwnRequest(
            "Vous avez demandé cette destruction : une autre personne doit la confirmer."
        )
    check_nothing_new(destruction)
    destruction.state = DestructionState.CONFIRMED
    destruction.confirmed_by, destruction.confirmed_at = by, at
    destruction.save(update_fields=["state", "confirmed_by", "confirmed_at"])
    _tell("life.destruction_confirmed", destruction.space, by=by, at=at)
    return destruction


@transaction.atomic
def cancel_destruction(
    *, destruction_id: int, reason: str, by: Person, at: datetime
) -> Destruction:
    """Stop a destruction that has not begun. Raises NeedsReason, ForbiddenChange."""
    reason = policies.check_reason(reason)
    destruction = _locked(destruction_id)
    policies.check_destruction(destruction.state, DestructionState.CANCELLED)
    destruction.state, destruction.message = DestructionState.CANCELLED, reason
    destruction.save(update_fields=["state", "message"])
    _tell("life.destruction_cancelled", destruction.space, by=by, at=at, detail={"reason": reason})
    return destruction


def open_destruction(space: Space) -> Destruction | None:
    """The destruction of a space that is asked for and not over."""
    over = (DestructionState.DONE, DestructionState.CANCELLED)
    return space.destructions.exclude(state__in=over).first()


def usable_archive(space: Space) -> Archive:
    """The last archive that was taken away and still says everything. Raises ArchiveMissing."""
    archive = (
        space.archives.filter(
            state__in=(ArchiveState.READY, ArchiveState.EXPIRED), downloads__isnull=False
        )
        .order_by("-pk")
        .first()
    )
    if archive is None:
        raise policies.ArchiveMissing(
            f"Aucune archive de « {space} » n’a été téléchargée : remettez-la d’abord à la "
            "collectivité, ou citez sa renonciation écrite."
        )
    _check_complete(archive)
    return archive


def check_nothing_new(destruction: Destruction) -> None:
    """Refuse when the commune's journal grew after the archive. Raises ArchiveMissing."""
    if destruction.archive is not None:
        _check_complete(destruction.archive)


def _check_complete(archive: Archive) -> None:
    if journal.last_position(archive.space.schema) != archive.journal_position:
        raise policies.ArchiveMissing(
            f"Il s’est passé quelque chose dans l’espace de « {archive.space} » depuis l’archive "
            f"du {archive.asked_at:%d/%m/%Y}, un retour par exemple : faites-en une nouvelle."
        )


def _locked(destruction_id: int) -> Destruction:
    return (
        Destruction.objects.select_for_update(of=("self",))
        .select_related("space__organisation", "archive__space")
        .get(pk=destruction_id)
    )


def _move(space: Space, to: SpaceState, *, reason: str, by: Any, at: datetime) -> None:
    space.state, space.reason = to, reason
    space.changed_at, space.changed_by_label = at, str(by)
    space.save(update_fields=["state", "reason", "changed_at", "changed_by_label"])


def _tell(
    event: str, space: Space, *, by: Any, at: datetime, detail: Mapping[str, Any] | None = None
) -> None:
    """In the syndicat's journal."""
    record(event=event, subject=space.organisation, by=by, at=at, detail=detail, schema="public")


def _tell_both(
    event: str, space: Space, *, by: Any, at: datetime, detail: Mapping[str, Any] | None = None
) -> None:
    """In the syndicat's journal, and in the commune's, under the same words."""
    _tell(event, space, by=by, at=at, detail=detail)
    record(
        event=event,
        subject=space.organisation,
        by=by,
        at=at,
        detail=detail,
        schema=space.schema,
    )
