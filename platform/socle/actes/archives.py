"""Acts given to an electronic archive (SAE): a SEDA package, and what the archive answers.

The package is made in the background and checked before anybody may take it. An act is in one
transfer at a time: the archive has to refuse it before it may be given again.
"""

import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import permissions, policies, queries, sae_package, working
from socle.actes.models import Act, ArchivedAct, SaeState, SaeTransfer
from socle.actes.policies import CannotArchive
from socle.actes.protocol import seda_check
from socle.actes.protocol.seda import Parties, Version, concerns_staff
from socle.actes.protocol.seda_reply import Answer, Reply, UnreadableReply, read_reply
from socle.core import queue
from socle.documents import actions as documents
from socle.documents import antivirus
from socle.documents.models import StoredFile
from socle.journal.actions import record

BY: Final = "Socle"
_STATES: Final = {
    Answer.RECEIVED: SaeState.DEPOSITED,
    Answer.ACCEPTED: SaeState.ACCEPTED,
    Answer.REFUSED: SaeState.REFUSED,
}


@transaction.atomic
def ask(
    *,
    acts: Sequence[int],
    version: Version,
    parties: Parties,
    by: Person,
    at: datetime,
    staff_producer: str = "",
) -> list[SaeTransfer]:
    """Have a package made of these acts (keys); those that may not be archived are left aside.

    When the service of staff has a producer of its own (`staff_producer`), its acts go in a second
    transfer. Raises NotAllowed, and CannotArchive when not one act is left or there are too many.
    """
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_TRANSMIT, organisation=organisation, at=at)
    policies.check_archive_count(len(acts))
    found = list(Act.objects.select_for_update(of=("self",)).filter(pk__in=acts).order_by("pk"))
    kept = [act for act in found if _refusal(act) is None]
    if not kept:
        refusals = [refusal for act in found if (refusal := _refusal(act))]
        if len(refusals) == 1:
            raise refusals[0]
        raise CannotArchive(
            "Aucun de ces actes ne peut être versé : ils ne sont pas acquittés, ou sont déjà dans "
            "un versement."
        )
    staff = [act for act in kept if staff_producer and concerns_staff(act.nature or 0, act.matter)]
    others = [act for act in kept if act not in staff]
    groups = [(others, parties), (staff, replace(parties, originating_agency=staff_producer))]
    return [_ask(group, version, who, by=by, at=at) for group, who in groups if group]


def _refusal(act: Act) -> CannotArchive | None:
    try:
        policies.check_archivable(act.state)
    except CannotArchive as refusal:
        return refusal
    live = act.archivings.filter(released_at=None).select_related("transfer").first()
    if live is None:
        return None
    return CannotArchive(
        f"L’acte {act.number} est déjà dans le versement {live.transfer} : il ne se verse une "
        "seconde fois que si le service d’archives le refuse."
    )


def _ask(
    acts: Sequence[Act], version: Version, parties: Parties, *, by: Person, at: datetime
) -> SaeTransfer:
    organisation = queries.organisation_here()
    transfer = SaeTransfer.objects.create(
        version=version,
        archival_agency=parties.archival_agency,
        transferring_agency=parties.transferring_agency,
        agreement=parties.agreement,
        originating_agency=parties.originating_agency,
        profile=parties.profile,
        service_level=parties.service_level,
        identifier=f"{organisation.siren}-ACTES-{at:%Y%m%d%H%M%S}-{acts[0].pk}",
        asked_at=at,
        asked_by=by,
        asked_by_label=str(by),
    )
    ArchivedAct.objects.bulk_create(ArchivedAct(transfer=transfer, act=act) for act in acts)
    for act in acts:
        detail = {"number": act.number, "transfer": transfer.identifier}
        record(event="actes.archive_asked", subject=act, by=by, at=at, detail=detail)
    queue.after_commit("actes.make_archive", transfer_id=transfer.pk)
    return transfer


def make(*, transfer_id: int, at: datetime) -> bool:
    """Make the package. False when it exists already, or somebody is at work on it.

    A package the standard refuses leaves nobody's hands: the transfer fails with the reason and
    its acts are free again. Safe to call twice, and to be killed.
    """
    waiting = SaeTransfer.objects.filter(pk=transfer_id, state=SaeState.WAITING)
    if not working.claim(waiting, at=at):
        return False
    transfer = SaeTransfer.objects.get(pk=transfer_id)
    acts = [line.act_id for line in transfer.lines.order_by("pk")]

    def tell(done: int) -> None:
        """Say how far it is, and that somebody is at work."""
        SaeTransfer.objects.filter(pk=transfer_id).update(done=done, seen_at=timezone.now())

    with tempfile.TemporaryFile() as out:
        sae_package.write(transfer, acts, out, tell=tell)
        out.seek(0)
        try:
            with zipfile.ZipFile(out) as package:
                seda_check.check(package, Version(transfer.version))
        except seda_check.BrokenPackage as fault:
            return _fail(transfer, str(fault), at=at)
        out.seek(0)
        stored = documents.store(
            content=out,
            name=f"{transfer.identifier}.zip",
            by=BY,
            at=at,
            media_type="application/zip",
        )
    if waiting.update(state=SaeState.READY, content=stored):
        return True
    stored.delete()
    return False


@transaction.atomic
def take(*, transfer_id: int, by: Person, at: datetime) -> StoredFile:
    """The package, for a person who carries it to the archive. Raises NotAllowed, CannotArchive."""
    transfer = _locked(transfer_id, by=by, at=at)
    if transfer.content is None:
        raise CannotArchive("Le paquet de ce versement n’est pas prêt.")
    if transfer.taken_at is None:
        transfer.taken_at = at
        transfer.save(update_fields=["taken_at"])
    detail = {"transfer": transfer.identifier}
    record(event="actes.archive_taken", subject=transfer, by=by, at=at, detail=detail)
    return transfer.content


@transaction.atomic
def drop(*, transfer_id: int, by: Person, at: datetime) -> SaeTransfer:
    """Give up a transfer nobody carried away: its acts are free again.

    Raises NotAllowed and CannotArchive.
    """
    transfer = _locked(transfer_id, by=by, at=at)
    policies.check_droppable(transfer.state, taken=transfer.taken_at is not None)
    _to(transfer, SaeState.DROPPED)
    transfer.lines.update(released_at=at)
    _tell_acts(transfer, "actes.archive_dropped", by=by, at=at)
    return transfer


@transaction.atomic
def answer(*, content: bytes, name: str, by: Person, at: datetime) -> SaeTransfer:
    """Write down what the archive answered: it names the transfer itself.

    The same answer twice changes nothing, and an answer never undoes a final one. Raises
    NotAllowed, what `antivirus.check` raises, UnreadableReply, and CannotArchive for a transfer
    that is none of ours or was never carried away.
    """
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_TRANSMIT, organisation=organisation, at=at)
    antivirus.check(content, name=name)
    reply = read_reply(content)
    found = SaeTransfer.objects.select_for_update(of=("self",)).filter(identifier=reply.about)
    transfer = found.select_related("reply").first()
    if transfer is None:
        raise UnreadableReply(
            f"Cette réponse porte sur le versement « {reply.about} », qui n’est pas un versement "
            "de votre commune : vérifiez le fichier."
        )
    if transfer.state == _STATES[reply.answer]:
        return transfer
    policies.check_answerable(transfer.state, _STATES[reply.answer])
    _keep_answer(transfer, reply, content, name, by=by, at=at)
    return transfer


def sweep(*, at: datetime) -> None:
    """Start again the packages that lost their worker."""
    asked = SaeTransfer.objects.filter(state=SaeState.WAITING, asked_at__lt=at - working.SILENT)
    with transaction.atomic():
        for key in working.abandoned(asked, at=at).values_list("pk", flat=True):
            queue.after_commit("actes.make_archive", transfer_id=key)


@transaction.atomic
def _fail(transfer: SaeTransfer, why: str, *, at: datetime) -> bool:
    transfer.words = why
    _to(transfer, SaeState.FAILED)
    transfer.lines.update(released_at=at)
    _tell_acts(transfer, "actes.archive_failed", by=BY, at=at, why=why)
    return False


def _keep_answer(
    transfer: SaeTransfer, reply: Reply, content: bytes, name: str, *, by: Person, at: datetime
) -> None:
    transfer.reply = documents.store(
        content=content, name=name, by=str(by), at=at, media_type="application/xml"
    )
    transfer.reply_code, transfer.words = reply.code[:40], reply.words
    transfer.answered_at = reply.at or at
    _to(transfer, _STATES[reply.answer])
    if reply.answer is Answer.REFUSED:
        transfer.lines.update(released_at=at)
    _tell_acts(
        transfer,
        f"actes.archive_{transfer.state}",
        by=by,
        at=at,
        why=reply.words or reply.code,
        sha256=transfer.reply.sha256,
    )


def _locked(transfer_id: int, *, by: Person, at: datetime) -> SaeTransfer:
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_TRANSMIT, organisation=organisation, at=at)
    return SaeTransfer.objects.select_for_update(of=("self",)).get(pk=transfer_id)


def _to(transfer: SaeTransfer, state: SaeState) -> None:
    policies.check_transfer(transfer.state, state)
    transfer.state = state
    transfer.save()


def _tell_acts(
    transfer: SaeTransfer, event: str, *, by: Person | str, at: datetime, **detail: str
) -> None:
    for line in transfer.lines.select_related("act"):
        said = {"number": line.act.number, "transfer": transfer.identifier, **detail}
        record(event=event, subject=line.act, by=by, at=at, detail=said)
