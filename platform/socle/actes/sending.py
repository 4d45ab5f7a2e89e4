"""From an accepted act to a file in the outbox: envelope, archive, transaction, corridor."""

import io
import tempfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, BinaryIO, Final

from django.db import connection, transaction

from socle.accounts.models import Person
from socle.actes import policies, queries
from socle.actes.ground import Ground
from socle.actes.models import (
    Act,
    ActFile,
    ActState,
    AnswerFile,
    EnvelopeDay,
    FileRole,
    Kind,
    Transaction,
    TransactionState,
)
from socle.actes.protocol.archive import write_archive
from socle.actes.protocol.budget import NotABudget, check_budget, read_budget
from socle.actes.protocol.build import FORCED_REQUEST, file_names
from socle.actes.protocol.classification import Classification, Typology, format_matiere
from socle.actes.protocol.identifiers import parse_acte_id
from socle.actes.protocol.letters import reply_names
from socle.actes.protocol.package import (
    Opener,
    Package,
    Sender,
    pack_acte,
    pack_cancellation,
    pack_classification_request,
    pack_reply,
)
from socle.actes.protocol.rules import accept, check_email
from socle.actes.protocol.text import transliterate
from socle.actes.protocol.values import Acte, Emitter, Operator, Referent, Reply
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.delivery import actions as delivery
from socle.delivery.models import TransmissionOperator
from socle.directory.models import Organisation, Protocol
from socle.documents import actions as documents
from socle.documents.actions import Prepared
from socle.documents.models import StoredFile
from socle.documents.sniff import Kind as ContentKind
from socle.journal.actions import Happening, record, record_all

ARCHIVE_TYPE = "application/gzip"
REAL, TEST = "EACT", "TACT"
BUDGET_LIMIT: Final = 50 * 1024 * 1024
"""Bytes of an XML budget read whole to check its seal; the largest real ones weigh a few MiB."""
_NEXT_SERIAL: Final = (
    f"INSERT INTO {EnvelopeDay._meta.db_table} AS counter (day, last) VALUES (%s, 1) "  # noqa: S608
    "ON CONFLICT (day) DO UPDATE SET last = counter.last + 1 RETURNING last"
)


def emitter_of(organisation: Organisation) -> Emitter:
    """The organisation as the norm identifies it."""
    return Emitter(
        siren=organisation.siren,
        departement=organisation.departement,
        arrondissement=organisation.arrondissement,
        nature=organisation.nature,
    )


def acceptable(act: Act, files: Sequence[ActFile], *, ground: Ground) -> Acte:
    """The act as the norm takes it, its objet written as it will be sent. Raises a Refusal."""
    if taken := queries.number_refusal(act):
        raise taken
    if not files or files[0].role != "main":
        raise policies.NoMainFile("Joignez le fichier de l’acte lui-même.", field="main")
    acte = accept(
        queries.draft_of(act, files),
        emitter=emitter_of(ground.organisation),
        classification=ground.classification,
        at=ground.at,
    )
    for refusal in policies.signer_refusals(act, files):
        raise refusal
    return acte


def check_budget_files(
    files: Sequence[ActFile], *, ground: Ground, fresh: Sequence[Prepared] = ()
) -> None:
    """Refuse an XML budget that is unsealed, altered or somebody else's, wherever it stands.

    The act itself, when it is XML, is a budget; an annexe may be another XML. Raises a Refusal.
    """
    for file, opener in zip(files, _openers(files, fresh), strict=True):
        if file.stored.media_type != ContentKind.XML:
            continue
        with opener() as content:
            try:
                document = read_budget(content.read(BUDGET_LIMIT))
            except NotABudget:
                if file.role == FileRole.MAIN:
                    raise
            else:
                check_budget(document, siren=ground.organisation.siren)


def send_act(
    act: Act,
    acte: Acte,
    files: Sequence[ActFile],
    *,
    ground: Ground,
    fresh: Sequence[Prepared] = (),
    before: Sequence[Happening] = (),
) -> Transaction:
    """Put an accepted act in the outbox, in the name of `ground.by`. Raises a Refusal.

    `files` are the rows of the act, main first; `fresh` the contents of those that are not kept
    yet, in the same order; `before` is written in the journal first. To be called in a transaction
    that is given up whole when this raises.
    """
    by, at, nature = ground.by, ground.at, str(acte.nature.value)
    operator = ground.operator(nature=nature)
    _freeze(act, acte, files, ground.classification)
    package = pack_acte(acte, _openers(files, fresh), sender=_sender(ground, operator))
    archive = _keep_archive(package, by=by, at=at, beside=fresh)
    act.state = ActState.QUEUED
    save(act, files)
    sent = _announce(Kind.ACTE, act, package, archive, ground=ground, operator=operator)
    kept = [{"name": file.stored.name, "sha256": file.stored.sha256} for file in files]
    deposited = Happening(
        event="actes.deposited",
        subject=act,
        detail={
            "number": act.number,
            "identifier": act.identifier,
            "archive": archive.name,
            "files": kept,
        },
    )
    record_all([*before, deposited], by=by, at=at)
    return sent


def _openers(files: Sequence[ActFile], fresh: Sequence[Prepared]) -> list[Opener]:
    """How to read each file again: from the vault, or from what was just uploaded."""
    if fresh:
        return [partial(_reopened, one.content) for one in fresh]
    return [partial(documents.open_file, file.stored) for file in files]


class _Kept(io.RawIOBase):
    """A stream read from its start, left open when its reader closes it."""

    def __init__(self, content: BinaryIO) -> None:
        content.seek(0)
        self._content = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._content.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


def _reopened(content: BinaryIO) -> BinaryIO:
    """An uploaded stream from its start; closing what is returned leaves the stream open."""
    return io.BufferedReader(_Kept(content), buffer_size=64 * 1024)


def save(act: Act, files: Sequence[ActFile]) -> None:
    """Write the row of the act and those of its files: the new ones, and those of a draft."""
    act.save()
    new = [file for file in files if file.pk is None]
    for file in new:
        file.act = act
    ActFile.objects.bulk_create(new)
    named = [file for file in files if file not in new]
    if named:
        ActFile.objects.bulk_update(named, ["transmitted_name", "typology_label"])


def send_cancellation(act: Act, *, ground: Ground) -> Transaction:
    """Put the cancellation of an acknowledged act in the outbox. Raises a Refusal."""
    return _post(
        kind=Kind.CANCELLATION,
        act=act,
        ground=ground,
        pack=lambda sender: pack_cancellation(parse_acte_id(act.identifier), sender=sender),
    )


@transaction.atomic
def send_reply(
    act: Act, reply: Reply, files: Sequence[AnswerFile] = (), *, by: Person, at: datetime
) -> Transaction:
    """Put an answer to a letter, or its acknowledgement, in the outbox. Raises a Refusal."""
    documents_sent = [queries.document_of(file) for file in files]
    openers = [partial(documents.open_file, file.stored) for file in files]
    names = reply_names(reply.acte, reply.type, documents_sent)
    for file, name in zip(files, names, strict=True):
        file.transmitted_name = name
        file.save(update_fields=["transmitted_name"])
    return _post(
        kind=Kind(reply.type.value),
        act=act,
        ground=Ground(by=by, at=at),
        pack=lambda sender: pack_reply(reply, documents_sent, openers, sender=sender),
    )


@transaction.atomic
def ask_classification(*, ground: Ground) -> Transaction | None:
    """Ask the préfecture for its classification, for `ground.by`; once a day at most.

    None when an answer is awaited since little time, or was given today. Raises a Refusal.
    """
    lately = ground.at - policies.REQUEST_ENDS
    waiting = queries.pending_classification_requests().filter(created_at__gt=lately)
    if waiting.exists() or _asked_today(ground.at):
        return None
    held = ground.held
    sent = _post(
        kind=Kind.CLASSIFICATION_REQUEST,
        act=None,
        ground=ground,
        pack=lambda sender: pack_classification_request(
            sender=sender, held=held.date if held else FORCED_REQUEST
        ),
    )
    record(
        event="actes.classification_asked",
        subject=sent,
        by=ground.by,
        at=ground.at,
        detail={"archive": sent.archive.name},
    )
    return sent


def next_serial(day: date) -> int:
    """The number of the next envelope of `day`, from 1. Its row stays locked until the commit.

    Two deposits at once therefore never share a number, and one that is undone leaves no hole.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_SERIAL, [day])
        return int(cursor.fetchone()[0])


def _asked_today(at: datetime) -> bool:
    asked = Transaction.objects.filter(kind=Kind.CLASSIFICATION_REQUEST).last()
    return (
        asked is not None
        and asked.state == TransactionState.ACKNOWLEDGED
        and legal_date(asked.created_at) == legal_date(at)
    )


def _freeze(act: Act, acte: Acte, files: Sequence[ActFile], classification: Classification) -> None:
    """Set down exactly what leaves: from here on, the act is what the préfecture received."""
    act.objet = acte.objet
    act.matter = format_matiere(acte.matiere)
    act.matter_label = " / ".join(classification.path(acte.matiere))
    act.classification_date = acte.classification_date
    act.identifier = str(acte.identifier)
    labels = {piece.code: piece for piece in classification.typologies(acte.nature)}
    for file, name in zip(files, file_names(acte), strict=True):
        file.transmitted_name = name
        file.typology_label = labels.get(file.typology, Typology(file.typology, "")).label


def _post(
    *, kind: Kind, act: Act | None, ground: Ground, pack: Callable[[Sender], Package]
) -> Transaction:
    operator = ground.operator(about=act)
    package = pack(_sender(ground, operator))
    archive = _keep_archive(package, by=ground.by, at=ground.at)
    return _announce(kind, act, package, archive, ground=ground, operator=operator)


def _announce(
    kind: Kind,
    act: Act | None,
    package: Package,
    archive: StoredFile,
    *,
    ground: Ground,
    operator: TransmissionOperator,
) -> Transaction:
    """Write the transaction and its row in the corridor."""
    sent = Transaction.objects.create(
        act=act,
        kind=kind,
        state=TransactionState.QUEUED,
        created_at=ground.at,
        asked_by=ground.by,
        envelope_name=package.envelope_name,
        message_name=package.message_name,
        archive=archive,
        operator=operator.code,
        exercise=operator.is_exercise,
        identifier=act.identifier if act else "",
    )
    delivery.enqueue(
        organisation=ground.organisation,
        protocol=Protocol.ACTES,
        operator=operator,
        name=package.archive_name,
        payload=archive,
        subject_id=sent.pk,
        by=ground.by,
        at=ground.at,
        nature=str(act.nature) if act and kind == Kind.ACTE else "",
    )
    return sent


def _keep_archive(
    package: Package, *, by: Person, at: datetime, beside: Sequence[Prepared] = ()
) -> StoredFile:
    """Write the archive to a temporary file, and seal it from there with the files `beside` it.

    150 MiB never stand in memory.
    """
    with tempfile.TemporaryFile() as out:
        write_archive(package.entries, out, at=at)
        archive = documents.prepare(
            content=out, name=package.archive_name, by=str(by), at=at, media_type=ARCHIVE_TYPE
        )
        return documents.keep([*beside, archive])[-1]


def _sender(ground: Ground, operator: TransmissionOperator) -> Sender:
    day = legal_date(ground.at)
    return Sender(
        emitter=emitter_of(ground.organisation),
        operator=Operator(
            trigramme=operator.trigram,
            quadrigramme=TEST if operator.is_exercise else REAL,
            return_addresses=(operator.return_address,),
        ),
        day=day,
        serial=next_serial(day),
        referent=_referent(ground.organisation, ground.by),
    )


def _referent(organisation: Organisation, by: Person) -> Referent:
    """Whom the préfecture may call; what the norm cannot carry is left out."""
    return Referent(
        name=_carried(str(by)),
        telephone=_carried(by.phone or organisation.phone),
        email=_accepted(by.email),
    )


def _carried(text: str) -> str:
    try:
        return transliterate(text).text
    except Refusal:
        return ""


def _accepted(address: str) -> str:
    try:
        return check_email(address)
    except Refusal:
        return ""
