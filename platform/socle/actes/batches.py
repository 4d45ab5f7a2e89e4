"""Acts deposited together: one file, one draft; what one of them meets never stops the others."""

import logging
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import actions, numbers, policies, queries, zips
from socle.actes.actions import Facts, Upload
from socle.actes.ground import Ground
from socle.actes.models import Act, ActFile, ActState, Batch, BatchItem, NumberPattern
from socle.actes.protocol import rules
from socle.core import queue, sweeps
from socle.core.names import safe_name
from socle.core.refusals import Refusal
from socle.documents import actions as documents
from socle.documents import sniff
from socle.documents.antivirus import AntivirusAway
from socle.journal.actions import record

log = logging.getLogger(__name__)
_INCIDENT: Final = (
    "Un incident a empêché l’envoi de cet acte, qui reste en brouillon : transmettez-le de "
    "nouveau, et prévenez votre syndicat si cela recommence."
)
FORGOTTEN_AFTER: Final = timedelta(minutes=10)
"""A batch whose sending does not end after this has probably lost its worker."""


@dataclass(frozen=True, slots=True)
class Common:
    """What all the acts of a batch share until the table says otherwise."""

    nature: int | None = None
    matter: str = ""
    decided_on: date | None = None
    pattern: NumberPattern | None = None


@transaction.atomic
def begin(*, key: uuid.UUID, by: Person, at: datetime) -> Batch:
    """The batch of this form: the same form sent twice finds the first one. Raises NotAllowed."""
    Ground(by=by, at=at).check_may(Capability.ACTS_PREPARE)
    made = {"created_at": at, "created_by": by, "created_by_label": str(by)}
    batch, new = Batch.objects.get_or_create(key=key, defaults=made)
    if new:
        record(event="actes.batch_begun", subject=batch, by=by, at=at)
    return batch


def take_in(
    *, batch_id: int, uploads: Sequence[Upload], common: Common, by: Person, at: datetime
) -> None:
    """Make a draft of each file, of each file of a ZIP; what cannot be one is noted in its place.

    Each file has a transaction of its own: a request that is cut keeps what was done, and the same
    files given again add nothing. Raises NotAllowed, BatchLeaving or AntivirusAway.
    """
    ground = Ground(by=by, at=at)
    ground.check_may(Capability.ACTS_PREPARE)
    for upload in uploads:
        try:
            for one in _opened(upload):
                checked, why = _checked(one)
                _take(batch_id, checked, common, why=why, ground=ground)
        except (policies.BadZip, policies.TooManyFiles) as refusal:
            _note(batch_id, upload, str(refusal), ground=ground)


@transaction.atomic
def complete(
    *, batch_id: int, facts: Mapping[int, Facts], by: Person, at: datetime
) -> list[Refusal]:
    """Save what the table says of each draft (key of the act → its facts); what was refused.

    Raises NotAllowed or BatchLeaving.
    """
    ground = Ground(by=by, at=at)
    ground.check_may(Capability.ACTS_PREPARE)
    batch = _resting(batch_id)
    drafts = Act.objects.filter(batch_item__batch=batch, state=ActState.DRAFT, pk__in=facts)
    refused = []
    for act in drafts:
        if facts[act.pk] == _facts_of(act):
            continue
        try:
            actions.save_draft(act_id=act.pk, facts=facts[act.pk], by=by, at=at, ground=ground)
        except Refusal as refusal:
            refused.append(refusal)
    return refused


@transaction.atomic
def send(*, batch_id: int, by: Person, at: datetime) -> Batch:
    """Have the drafts of a batch sent in the background, in the name of `by`; once at a time.

    Asking again while they leave changes nothing. Raises NotAllowed, and what forbids every act:
    the convention, the certificate.
    """
    ground = Ground(by=by, at=at)
    ground.check_may(Capability.ACTS_TRANSMIT)
    ground.operator()
    batch = Batch.objects.select_for_update(of=("self",)).get(pk=batch_id)
    if batch.is_leaving:
        return batch
    batch.asked_at, batch.asked_by, batch.finished_at = at, by, None
    batch.save(update_fields=["asked_at", "asked_by", "finished_at"])
    drafts = batch.items.filter(act__state=ActState.DRAFT)
    detail = {"count": str(drafts.count())}
    record(event="actes.batch_asked", subject=batch, by=by, at=at, detail=detail)
    queue.after_commit("actes.send_batch", batch_id=batch.pk)
    return batch


def work(*, batch_id: int, at: datetime) -> int:
    """Send what is still a draft in a batch that was asked to leave; how many left this time.

    Safe to call twice, also at once: an act is sent by whoever finds it a draft.
    """
    batch = Batch.objects.filter(pk=batch_id, asked_at__isnull=False, finished_at=None).first()
    if batch is None:
        return 0
    ground, gone = Ground(by=batch.asked_by, at=at), 0
    for item in batch.items.filter(act__state=ActState.DRAFT).order_by("rank"):
        gone += _send_one(item, ground=ground)
    Batch.objects.filter(pk=batch.pk, finished_at=None).update(finished_at=at)
    return gone


@transaction.atomic
def sweep(*, at: datetime) -> None:
    """Start again the batches that lost their worker."""
    lost = Batch.objects.filter(finished_at=None, asked_at__lt=at - FORGOTTEN_AFTER)
    for key in lost.values_list("pk", flat=True):
        queue.after_commit("actes.send_batch", batch_id=key)


@dataclass(frozen=True, slots=True)
class Row:
    """One file of a batch as its page shows it; `problems` is what a draft still wants."""

    item: BatchItem
    act: Act | None
    files: Sequence[ActFile]
    problems: tuple[str, ...]


def rows(batch: Batch, *, ground: Ground) -> list[Row]:
    """The files of a batch in their order, each judged in a fixed number of queries."""
    items = list(
        batch.items.select_related("act").prefetch_related("act__files__stored").order_by("rank")
    )
    acts = [item.act for item in items if item.act]
    taken = _taken(acts)
    return [_row(item, taken, ground) for item in items]


def _row(item: BatchItem, taken: Mapping[int, str], ground: Ground) -> Row:
    act = item.act
    if act is None:
        return Row(item, None, (), ())
    files = sorted(act.files.all(), key=lambda file: file.rank)
    if act.state != ActState.DRAFT:
        return Row(item, act, files, ())
    refusals = rules.refusals_of(
        queries.draft_of(act, files), classification=ground.classification, at=ground.at
    )
    mine = [taken[act.pk]] if act.pk in taken else []
    signers = policies.signer_refusals(act, files)
    return Row(item, act, files, (*mine, *map(str, refusals), *map(str, signers)))


def _taken(acts: Sequence[Act]) -> dict[int, str]:
    """Which acts bear a number that another act, or another draft of theirs, bears too."""
    wanted = {act.number for act in acts if act.number and act.state == ActState.DRAFT}
    others = (
        Act.objects.filter(number__in=wanted)
        .exclude(Q(state__in=policies.NUMBERLESS) & ~Q(pk__in=[act.pk for act in acts]))
        .values_list("pk", "number")
    )
    holders: dict[str, list[int]] = {}
    for key, number in others:
        holders.setdefault(number, []).append(key)
    return {
        act.pk: f"Le numéro {act.number} est déjà celui d’un autre acte : donnez-en un autre."
        for act in acts
        if act.state == ActState.DRAFT and set(holders.get(act.number, ())) - {act.pk}
    }


def _opened(upload: Upload) -> Iterator[Upload]:
    if sniff.sniff(upload.content) is not sniff.Kind.ZIP:
        yield upload
        return
    for name, content in zips.files_in(sniff.as_stream(upload.content), name=upload.name):
        yield Upload(name, content)


def _checked(upload: Upload) -> tuple[Upload, str]:
    """The upload with what was found of it, or why it cannot be sent; no lock is held meanwhile.

    Raises AntivirusAway, which says nothing of the file: the same one is to be given again.
    """
    try:
        return replace(upload, found=actions.check_upload(upload)), ""
    except AntivirusAway:
        raise
    except Refusal as refusal:
        return upload, str(refusal)


@transaction.atomic
def _take(batch_id: int, upload: Upload, common: Common, *, why: str, ground: Ground) -> None:
    """Make a draft of a file, or note `why` there is none."""
    batch = _resting(batch_id)
    digest = _digest(upload, ground)
    if batch.items.filter(sha256=digest).exists():
        return
    rank = batch.items.count() + 1
    if rank > policies.BATCH_LIMIT:
        raise policies.TooManyFiles(
            f"Un lot compte {policies.BATCH_LIMIT} fichiers au plus : faites-en un autre avec ceux "
            "qui restent."
        )
    numbers.lock()
    said = policies.guess(upload.name)
    facts = Facts(
        number=said.number or numbers.next_number(common.pattern, at=ground.at),
        nature=said.nature or common.nature,
        matter=common.matter,
        decided_on=common.decided_on,
        objet=said.objet,
    )
    act, refusal = None, why
    try:
        if not why:
            act = actions.save_draft(
                facts=facts, main=upload, by=ground.by, at=ground.at, ground=ground
            )
    except Refusal as refused:
        refusal = str(refused)
    _item(batch, upload, rank=rank, digest=digest, act=act, refusal=refusal, ground=ground)


@transaction.atomic
def _note(batch_id: int, upload: Upload, why: str, *, ground: Ground) -> None:
    """Write down a file of which nothing could be made."""
    batch = _resting(batch_id)
    digest = _digest(upload, ground)
    if not batch.items.filter(sha256=digest).exists():
        rank = batch.items.count() + 1
        _item(batch, upload, rank=rank, digest=digest, act=None, refusal=why, ground=ground)


def _item(
    batch: Batch,
    upload: Upload,
    *,
    rank: int,
    digest: str,
    act: Act | None,
    refusal: str,
    ground: Ground,
) -> None:
    item = BatchItem.objects.create(
        batch=batch,
        rank=rank,
        name=safe_name(upload.name),
        sha256=digest,
        act=act,
        refusal=refusal,
    )
    if refusal:
        detail = {"file": item.name, "why": refusal}
        record(
            event="actes.batch_file_refused",
            subject=batch,
            by=ground.by,
            at=ground.at,
            detail=detail,
            outcome="refused",
        )


def _digest(upload: Upload, ground: Ground) -> str:
    return documents.prepare(
        content=upload.content, name=upload.name, by=str(ground.by), at=ground.at
    ).stored.sha256


def _resting(batch_id: int) -> Batch:
    batch = Batch.objects.select_for_update(of=("self",)).get(pk=batch_id)
    if batch.is_leaving:
        raise policies.BatchLeaving(
            "Les actes de ce lot sont en train de partir : attendez le résultat de chacun."
        )
    return batch


def _send_one(item: BatchItem, *, ground: Ground) -> bool:
    try:
        actions.transmit(act_id=item.act_id, by=ground.by, at=ground.at, ground=ground)
    except policies.NotADraft:
        return False
    except Refusal as refusal:
        _failed(item, str(refusal), ground=ground)
        return False
    except sweeps.PASSING:
        raise
    except Exception:
        log.exception("act %s of batch %s could not be sent", item.act_id, item.batch_id)
        _failed(item, _INCIDENT, ground=ground)
        return False
    BatchItem.objects.filter(pk=item.pk).update(refusal="")
    return True


@transaction.atomic
def _failed(item: BatchItem, why: str, *, ground: Ground) -> None:
    BatchItem.objects.filter(pk=item.pk).update(refusal=why)
    record(
        event="actes.batch_act_refused",
        subject=item.act,
        by=ground.by,
        at=ground.at,
        detail={"number": item.act.number, "why": why},
        outcome="refused",
    )


def _facts_of(act: Act) -> Facts:
    return Facts(
        number=act.number,
        nature=act.nature,
        matter=act.matter,
        decided_on=act.decided_on,
        objet=act.objet,
        paper_complement=act.paper_complement,
    )


def unfinished() -> Iterable[Batch]:
    """The batches with drafts still to send, newest first."""
    return Batch.objects.filter(items__act__state=ActState.DRAFT).distinct().order_by("-pk")
