"""What a person does with an act: draft, transmit, publish, cancel, correct."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO

from django.db import IntegrityError, transaction
from django.db.models import Max

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import numbers, policies, proofs, queries, sending, signed
from socle.actes.ground import Ground
from socle.actes.models import Act, ActFile, ActState, FileRole, Kind, Transaction, TransactionState
from socle.actes.protocol.archive import SIZE_LIMIT
from socle.actes.protocol.codes import Nature
from socle.actes.protocol.values import Acte
from socle.core.clock import legal_date
from socle.documents import actions as documents
from socle.documents.actions import Prepared
from socle.documents.intake import Inspected, inspect
from socle.journal.actions import Happening, record, record_all


@dataclass(frozen=True, slots=True)
class Facts:
    """What a draft says about the act. Anything may be missing until it is transmitted.

    `number` is written as the norm does (`policies.tidy_number`), `nature` is 1 to 6, `matter` a
    code such as "7.10".
    """

    number: str = ""
    nature: int | None = None
    matter: str = ""
    decided_on: date | None = None
    objet: str = ""
    paper_complement: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """A file a person adds: what she calls it, its content, and its type of piece if she chose.

    Without `typology` the nature's usual type is given. `found` is what `check_upload` said of it,
    when it was asked already.
    """

    name: str
    content: bytes | BinaryIO
    typology: str = ""
    found: Inspected | None = None


def check_upload(upload: Upload) -> Inspected:
    """What the file is, once it is known to be one we may send: clean, whole, its signatures too.

    Raises EmptyFile, FileTooBig, Infected, NotScanned, AntivirusAway, WrongKind, UnreadablePdf,
    LockedPdf, TooManyPages, AlteredPdf, BrokenSignature or UncheckedSignature.
    """
    return upload.found or inspect(
        upload.content, name=upload.name, allowed=policies.FILE_KINDS, limit=SIZE_LIMIT
    )


@transaction.atomic
def save_draft(
    *,
    facts: Facts,
    by: Person,
    at: datetime,
    act_id: int | None = None,
    main: Upload | None = None,
    annexes: Sequence[Upload] = (),
    typologies: Mapping[int, str] | None = None,
    removed: Collection[int] = (),
    ground: Ground | None = None,
) -> Act:
    """Save a draft and its files. Facts may be missing; every file must be one we may send.

    A new `main` takes the place of the former one, `annexes` are added after those already there.
    `typologies` gives the type of kept annexes (file key → code), `removed` the keys of the files
    to drop. `ground` is what is known of the commune already, for several drafts in a row.
    Raises NotAllowed, NotADraft and what `check_upload` raises.
    """
    ground = ground or Ground(by=by, at=at)
    ground.check_may(Capability.ACTS_PREPARE)
    act = _draft(act_id) if act_id else Act(created_at=at, created_by=by)
    reset = act.nature != facts.nature
    _write(act, facts)
    act.save()
    types = _types_of(act.nature, ground)
    last = 1
    if act_id:
        _drop(act, removed)
        _retype(act, typologies or {}, types=types, reset=reset)
        if main is not None:
            _drop(act, act.files.filter(role=FileRole.MAIN).values_list("pk", flat=True))
        last = act.files.aggregate(last=Max("rank"))["last"] or 1
    files, fresh = _added(act, main, annexes, after=last, types=types, ground=ground)
    if files:
        documents.keep(fresh)
        ActFile.objects.bulk_create(files)
    if act_id is None:
        record_all([_drafted(act)], by=by, at=at)
    return act


@transaction.atomic
def discard(*, act_id: int, by: Person, at: datetime) -> None:
    """Throw a draft away with its files. Raises NotAllowed or NotADraft."""
    Ground(by=by, at=at).check_may(Capability.ACTS_PREPARE)
    act = _draft(act_id)
    record(event="actes.discarded", subject=act, by=by, at=at, detail=_named(act))
    _drop(act, act.files.values_list("pk", flat=True))
    act.delete()


@transaction.atomic
def transmit(*, act_id: int, by: Person, at: datetime, ground: Ground | None = None) -> Act:
    """Send a draft to the préfecture, in the name of `by`.

    A commune whose préfecture never sent its classification asks for it first: the act waits for
    the answer, then leaves by itself. `ground` is what is known of the commune already, for several
    acts in a row. Raises NotAllowed, NotADraft, NumberTaken, the refusals of `protocol.rules`, of
    the convention and of the certificate.
    """
    ground = ground or Ground(by=by, at=at)
    ground.check_may(Capability.ACTS_TRANSMIT)
    act = _draft(act_id)
    files = queries.files_of(act)
    signed.verify_again(files)
    acte = sending.acceptable(act, files, ground=ground)
    sending.check_budget_files(files, ground=ground)
    _leave(act, acte, files, ground=ground)
    return act


@transaction.atomic
def deposit(
    *,
    facts: Facts,
    main: Upload,
    by: Person,
    at: datetime,
    annexes: Sequence[Upload] = (),
    ground: Ground | None = None,
) -> Act:
    """Save an act and transmit it at once, or leave nothing. Raises as `save_draft`, `transmit`.

    The act is judged before anything is written: it is never a draft in the database.
    """
    ground = ground or Ground(by=by, at=at)
    ground.check_may(Capability.ACTS_PREPARE, Capability.ACTS_TRANSMIT)
    act = Act(created_at=at, created_by=by)
    _write(act, facts)
    types = _types_of(act.nature, ground)
    files, fresh = _added(act, main, annexes, after=1, types=types, ground=ground)
    acte = sending.acceptable(act, files, ground=ground)
    sending.check_budget_files(files, ground=ground, fresh=fresh)
    _leave(act, acte, files, ground=ground, fresh=fresh, before=[_drafted(act)])
    return act


def _leave(
    act: Act,
    acte: Acte,
    files: Sequence[ActFile],
    *,
    ground: Ground,
    fresh: Sequence[Prepared] = (),
    before: Sequence[Happening] = (),
) -> None:
    """Put an accepted act in the outbox, or let it wait for the commune's first classification."""
    act.deposited_by, act.deposited_by_label = ground.by, str(ground.by)
    act.deposited_at = ground.at
    with _holding_its_number(act):
        if ground.held is not None:
            sending.send_act(act, acte, files, ground=ground, fresh=fresh, before=before)
            return
        ground.operator(nature=str(acte.nature.value))
        act.state = ActState.WAITING
        documents.keep(fresh)
        sending.save(act, files)
        sending.ask_classification(ground=ground)
        waiting = Happening(event="actes.waiting", subject=act, detail=_named(act))
        record_all([*before, waiting], by=ground.by, at=ground.at)


@transaction.atomic
def take_back(*, act_id: int, by: Person, at: datetime) -> Act:
    """Make a draft again of an act that waits to leave. Raises NotAllowed or NotWaiting."""
    Ground(by=by, at=at).check_may(Capability.ACTS_PREPARE)
    act = _locked(act_id)
    if act.state != ActState.WAITING:
        raise policies.NotWaiting("Cet acte est déjà parti : il ne peut plus être repris.")
    act.state = ActState.DRAFT
    act.save(update_fields=["state"])
    record(event="actes.taken_back", subject=act, by=by, at=at, detail=_named(act))
    return act


@transaction.atomic
def cancel(*, act_id: int, by: Person, at: datetime) -> Transaction:
    """Ask the préfecture to cancel an acknowledged act (6-1).

    Raises NotAllowed, CannotCancel, and the refusals of the convention and of the certificate.
    """
    ground = Ground(by=by, at=at)
    ground.check_may(Capability.ACTS_TRANSMIT)
    act = _locked(act_id)
    policies.check_cancellable(act.state)
    sent = sending.send_cancellation(act, ground=ground)
    act.state = policies.ACT_STATES[Kind.CANCELLATION, TransactionState.QUEUED]
    act.save(update_fields=["state"])
    record(
        event="actes.cancellation_asked",
        subject=act,
        by=by,
        at=at,
        detail={"number": act.number, "archive": sent.archive.name},
    )
    return sent


@transaction.atomic
def set_published(*, act_id: int, on: date | None, by: Person, at: datetime) -> Act:
    """Say when the act was published, or that it was not; its proofs are written anew.

    The date is not sent to the préfecture (CGCT R2131-1). Raises NotAllowed or CannotPublish.
    """
    Ground(by=by, at=at).check_may(Capability.ACTS_PREPARE)
    act = _locked(act_id)
    policies.check_publication(act.state, decided_on=act.decided_on, on=on, today=legal_date(at))
    act.published_on = on
    act.save(update_fields=["published_on"])
    record(
        event="actes.published" if on else "actes.unpublished",
        subject=act,
        by=by,
        at=at,
        detail={"number": act.number, "on": f"{on:%d/%m/%Y}" if on else ""},
    )
    if act.received_on:
        proofs.make(act, at=at)
    return act


@transaction.atomic
def correct(*, act_id: int, by: Person, at: datetime) -> Act:
    """Open a draft from an act the préfecture refused, with the same facts and files.

    It keeps its number, which is on the signed paper and which the refusal gave back, unless
    another act took it since. Raises NotAllowed or CannotCorrect.
    """
    Ground(by=by, at=at).check_may(Capability.ACTS_PREPARE)
    former = _locked(act_id)
    policies.check_correctable(former.state)
    if under_way := former.corrections.filter(state=ActState.DRAFT).first():
        return under_way
    files = queries.files_of(former)
    draft = _copy(former, number=_number_after(former, at), by=by, at=at)
    ActFile.objects.bulk_create(
        ActFile(
            act=draft,
            role=file.role,
            rank=file.rank,
            typology=file.typology,
            stored=file.stored,
            signed=file.signed,
            signatures=file.signatures,
        )
        for file in files
    )
    record(event="actes.drafted", subject=draft, by=by, at=at, detail=_named(draft))
    return draft


@transaction.atomic
def duplicate(*, act_id: int, by: Person, at: datetime) -> Act:
    """Open a draft that says what another act says, under the next number, without its files.

    The day of the decision is left to say. Raises NotAllowed.
    """
    Ground(by=by, at=at).check_may(Capability.ACTS_PREPARE)
    model = Act.objects.get(pk=act_id)
    numbers.lock()
    draft = Act.objects.create(
        number=numbers.number_like(model.number, at=at),
        nature=model.nature,
        matter=model.matter,
        objet=model.objet,
        paper_complement=model.paper_complement,
        created_at=at,
        created_by=by,
    )
    detail = {**_named(draft), "model": model.number or "sans numéro"}
    record(event="actes.duplicated", subject=draft, by=by, at=at, detail=detail)
    return draft


def _copy(former: Act, *, number: str, by: Person, at: datetime) -> Act:
    return Act.objects.create(
        number=number,
        nature=former.nature,
        matter=former.matter,
        decided_on=former.decided_on,
        objet=former.objet,
        paper_complement=former.paper_complement,
        created_at=at,
        created_by=by,
        replaces=former,
    )


def _number_after(former: Act, at: datetime) -> str:
    taken = queries.holder_of(former.number, but=former.pk)
    return queries.next_number(at) if taken else former.number


def _locked(act_id: int) -> Act:
    return Act.objects.select_for_update(of=("self",)).get(pk=act_id)


def _draft(act_id: int) -> Act:
    act = _locked(act_id)
    policies.check_draft(act.state)
    return act


def _drafted(act: Act) -> Happening:
    return Happening(event="actes.drafted", subject=act, detail=_named(act))


def _named(act: Act) -> dict[str, str]:
    return {"number": act.number or "sans numéro", "objet": act.objet}


def _write(act: Act, facts: Facts) -> None:
    act.number, act.nature, act.matter = facts.number, facts.nature, facts.matter
    act.decided_on, act.objet = facts.decided_on, facts.objet
    act.paper_complement = facts.paper_complement


def _drop(act: Act, keys: Collection[int]) -> None:
    """Forget files of a draft, and their content when no other act keeps it."""
    dropped = list(act.files.filter(pk__in=list(keys)).select_related("stored"))
    for file in dropped:
        file.delete()
        if not ActFile.objects.filter(stored=file.stored).exists():
            file.stored.delete()


def _retype(act: Act, chosen: Mapping[int, str], *, types: "_Types", reset: bool) -> None:
    """Give kept files their chosen type; one the new nature does not know becomes the usual one."""
    for file in act.files.all():
        wanted = chosen.get(file.pk, file.typology) or types.usual
        if reset and wanted not in types.allowed:
            wanted = types.usual
        if wanted != file.typology:
            file.typology = wanted
            file.save(update_fields=["typology"])


@dataclass(frozen=True, slots=True)
class _Types:
    """The types of piece a nature allows, and its usual one; nothing while it is not known."""

    allowed: frozenset[str] = frozenset()
    usual: str = ""


def _types_of(code: int | None, ground: Ground) -> _Types:
    if code not in set(Nature):
        return _Types()
    classification, nature = ground.classification, Nature(code)
    allowed = frozenset(piece.code for piece in classification.typologies(nature))
    return _Types(allowed, classification.default_typology(nature).code if allowed else "")


def _added(
    act: Act,
    main: Upload | None,
    annexes: Sequence[Upload],
    *,
    after: int,
    types: _Types,
    ground: Ground,
) -> tuple[list[ActFile], list[Prepared]]:
    """The rows and the contents of uploaded files, none of them written yet; main first.

    Annexes are ranked from `after` + 1. Raises what `check_upload` raises.
    """
    uploads = [(main, FileRole.MAIN, 1)] if main is not None else []
    uploads += [(one, FileRole.ANNEX, rank) for rank, one in enumerate(annexes, start=after + 1)]
    files, fresh = [], []
    for upload, role, rank in uploads:
        found = check_upload(upload)
        prepared = documents.prepare(
            content=upload.content, name=upload.name, by=str(ground.by), at=ground.at
        )
        files.append(
            ActFile(
                act=act,
                role=role,
                rank=rank,
                typology=upload.typology or types.usual,
                stored=prepared.stored,
                signed=found.signed,
                signatures=[one.kept() for one in found.signatures],
            )
        )
        fresh.append(prepared)
    return files, fresh


@contextmanager
def _holding_its_number(act: Act) -> Iterator[None]:
    """Two deposits of one number at once: the database keeps one, the other is told.

    The action is one transaction: all of it is undone, so that no savepoint is needed.
    """
    try:
        yield
    except IntegrityError as fault:
        if "actes_number_once" not in str(fault):
            raise
        raise policies.NumberTaken(
            f"Le numéro {act.number} vient d’être pris par un autre acte : donnez-en un autre.",
            field="number",
        ) from fault
