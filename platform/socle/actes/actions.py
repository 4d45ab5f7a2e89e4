"""What a person does with an act: draft, transmit, publish, cancel, correct."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO, Final

from django.db import IntegrityError, transaction
from django.db.models import Max

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import permissions, policies, proofs, queries, sending
from socle.actes.models import Act, ActFile, ActState, FileRole, Kind, Transaction, TransactionState
from socle.actes.protocol.archive import SIZE_LIMIT
from socle.actes.protocol.budget import check_budget, read_budget
from socle.actes.protocol.codes import Nature
from socle.core.clock import legal_date
from socle.directory.models import Organisation
from socle.documents import actions as documents
from socle.documents.sniff import Kind as ContentKind
from socle.documents.sniff import check_file, inspect_pdf
from socle.journal.actions import record

BUDGET_LIMIT: Final = 50 * 1024 * 1024
"""Bytes of an XML budget read whole to check its seal; the largest real ones weigh a few MiB."""


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

    Without `typology` the nature's usual type is given.
    """

    name: str
    content: bytes | BinaryIO
    typology: str = ""


def check_upload(upload: Upload) -> bool:
    """Whether the file is an electronically signed PDF, once it is known to be one we may send.

    Raises EmptyFile, FileTooBig, WrongKind, UnreadablePdf, LockedPdf or TooManyPages.
    """
    kind = check_file(
        upload.content, name=upload.name, allowed=policies.FILE_KINDS, limit=SIZE_LIMIT
    )
    return kind is ContentKind.PDF and inspect_pdf(upload.content, name=upload.name).signed


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
) -> Act:
    """Save a draft and its files. Facts may be missing; every file must be one we may send.

    A new `main` takes the place of the former one, `annexes` are added after those already there.
    `typologies` gives the type of kept annexes (file key → code), `removed` the keys of the files
    to drop. Raises NotAllowed, NotADraft and what `check_upload` raises.
    """
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_PREPARE, organisation=organisation, at=at)
    act = _draft(act_id) if act_id else Act(created_at=at, created_by=by)
    reset = act.nature != facts.nature
    _write(act, facts)
    _drop(act, removed)
    types = _types_of(act.nature)
    _retype(act, typologies or {}, types=types, reset=reset)
    if main is not None:
        _drop(act, act.files.filter(role=FileRole.MAIN).values_list("pk", flat=True))
        _add(act, main, role=FileRole.MAIN, rank=1, types=types, by=by, at=at)
    last = act.files.aggregate(last=Max("rank"))["last"] or 1
    for rank, upload in enumerate(annexes, start=last + 1):
        _add(act, upload, role=FileRole.ANNEX, rank=rank, types=types, by=by, at=at)
    if act_id is None:
        record(event="actes.drafted", subject=act, by=by, at=at, detail=_named(act))
    return act


@transaction.atomic
def discard(*, act_id: int, by: Person, at: datetime) -> None:
    """Throw a draft away with its files. Raises NotAllowed or NotADraft."""
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_PREPARE, organisation=organisation, at=at)
    act = _draft(act_id)
    record(event="actes.discarded", subject=act, by=by, at=at, detail=_named(act))
    _drop(act, act.files.values_list("pk", flat=True))
    act.delete()


@transaction.atomic
def transmit(*, act_id: int, by: Person, at: datetime) -> Act:
    """Send a draft to the préfecture, in the name of `by`.

    A commune whose préfecture never sent its classification asks for it first: the act waits for
    the answer, then leaves by itself. Raises NotAllowed, NotADraft, NumberTaken, the refusals of
    `protocol.rules`, of the convention and of the certificate.
    """
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_TRANSMIT, organisation=organisation, at=at)
    act = _draft(act_id)
    files = queries.files_of(act)
    held, classification = queries.held_classification(), queries.classification()
    acte = sending.acceptable(
        act, files, organisation=organisation, classification=classification, at=at
    )
    _check_budget_files(files, organisation)
    act.deposited_by, act.deposited_by_label, act.deposited_at = by, str(by), at
    with _holding_its_number(act):
        if held is None:
            _wait(act, nature=acte.nature, organisation=organisation, by=by, at=at)
        else:
            sending.send_act(act, acte, files, classification=classification, at=at)
    return act


@transaction.atomic
def deposit(
    *, facts: Facts, main: Upload, by: Person, at: datetime, annexes: Sequence[Upload] = ()
) -> Act:
    """Save an act and transmit it at once, or leave nothing. Raises as `save_draft`, `transmit`."""
    act = save_draft(facts=facts, main=main, annexes=annexes, by=by, at=at)
    return transmit(act_id=act.pk, by=by, at=at)


@transaction.atomic
def take_back(*, act_id: int, by: Person, at: datetime) -> Act:
    """Make a draft again of an act that waits to leave. Raises NotAllowed or NotWaiting."""
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_PREPARE, organisation=organisation, at=at)
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
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_TRANSMIT, organisation=organisation, at=at)
    act = _locked(act_id)
    policies.check_cancellable(act.state)
    sent = sending.send_cancellation(act, by=by, at=at)
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
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_PREPARE, organisation=organisation, at=at)
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
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_PREPARE, organisation=organisation, at=at)
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
        )
        for file in files
    )
    record(event="actes.drafted", subject=draft, by=by, at=at, detail=_named(draft))
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


def _named(act: Act) -> dict[str, str]:
    return {"number": act.number or "sans numéro", "objet": act.objet}


def _write(act: Act, facts: Facts) -> None:
    act.number, act.nature, act.matter = facts.number, facts.nature, facts.matter
    act.decided_on, act.objet = facts.decided_on, facts.objet
    act.paper_complement = facts.paper_complement
    act.save()


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
        if file.role == FileRole.MAIN or (reset and wanted not in types.allowed):
            wanted = types.usual
        if wanted != file.typology:
            file.typology = wanted
            file.save(update_fields=["typology"])


@dataclass(frozen=True, slots=True)
class _Types:
    """The types of piece a nature allows, and its usual one; nothing while it is not known."""

    allowed: frozenset[str] = frozenset()
    usual: str = ""


def _types_of(code: int | None) -> _Types:
    if code not in set(Nature):
        return _Types()
    classification, nature = queries.classification(), Nature(code)
    allowed = frozenset(piece.code for piece in classification.typologies(nature))
    return _Types(allowed, classification.default_typology(nature).code if allowed else "")


def _add(
    act: Act,
    upload: Upload,
    *,
    role: FileRole,
    rank: int,
    types: _Types,
    by: Person,
    at: datetime,
) -> None:
    signed = check_upload(upload)
    ActFile.objects.create(
        act=act,
        role=role,
        rank=rank,
        typology=types.usual if role == FileRole.MAIN else upload.typology or types.usual,
        stored=documents.store(content=upload.content, name=upload.name, by=str(by), at=at),
        signed=signed,
    )


def _check_budget_files(files: Sequence[ActFile], organisation: Organisation) -> None:
    """Refuse an XML budget that is unsealed, altered or somebody else's. Raises a Refusal."""
    main = files[0].stored
    if main.media_type == ContentKind.XML:
        with documents.open_file(main) as content:
            check_budget(read_budget(content.read(BUDGET_LIMIT)), siren=organisation.siren)


def _wait(
    act: Act, *, nature: Nature, organisation: Organisation, by: Person, at: datetime
) -> None:
    sending.operator_for(organisation=organisation, by=by, at=at, nature=str(nature.value))
    act.state = ActState.WAITING
    act.save()
    sending.ask_classification(by=by, at=at)
    record(event="actes.waiting", subject=act, by=by, at=at, detail=_named(act))


@contextmanager
def _holding_its_number(act: Act) -> Iterator[None]:
    """Two deposits of one number at once: the database keeps one, the other is told."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as fault:
        if "actes_number_once" not in str(fault):
            raise
        raise policies.NumberTaken(
            f"Le numéro {act.number} vient d’être pris par un autre acte : donnez-en un autre.",
            field="number",
        ) from fault
