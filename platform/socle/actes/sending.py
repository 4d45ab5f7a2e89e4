"""From an accepted act to a file in the outbox: envelope, archive, transaction, corridor."""

import tempfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import BinaryIO

from django.db import transaction

from socle.accounts.models import Person
from socle.actes import policies, queries
from socle.actes.models import (
    Act,
    ActFile,
    ActState,
    AnswerFile,
    EnvelopeDay,
    Kind,
    Transaction,
    TransactionState,
)
from socle.actes.protocol.archive import write_archive
from socle.actes.protocol.build import FORCED_REQUEST, file_names
from socle.actes.protocol.classification import Classification, Typology, format_matiere
from socle.actes.protocol.identifiers import parse_acte_id
from socle.actes.protocol.letters import reply_names
from socle.actes.protocol.package import (
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
from socle.directory import policies as rights
from socle.directory import queries as directory
from socle.directory.models import Organisation, Protocol
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.journal.actions import record

ARCHIVE_TYPE = "application/gzip"
REAL, TEST = "EACT", "TACT"


def operator_for(
    *,
    organisation: Organisation,
    by: Person,
    at: datetime,
    nature: str = "",
    about: Act | None = None,
) -> TransmissionOperator:
    """The operator the convention names, once the convention and the person's certificate allow it.

    `nature` is the code of the act, or "" for a message without nature. What is `about` an act goes
    through the operator that carried it, whatever the convention says since: another does not know
    it. Raises the refusals of
    `directory.policies.check_right` and `delivery.actions.check_certificate`, and NoOperator.
    """
    right = directory.right(organisation.pk, Protocol.ACTES)
    rights.check_right(right, what="un acte", on=legal_date(at), nature=nature)
    code = right.operator_on(legal_date(at)) if right else ""
    if about is not None:
        code = about.transactions.filter(kind=Kind.ACTE).latest("pk").operator
    operator = TransmissionOperator.objects.filter(code=code).first()
    if operator is None:
        raise policies.NoOperator(
            "L’opérateur de transmission de votre convention n’est pas installé ici : prévenez "
            "votre syndicat."
        )
    delivery.check_certificate(person=by, organisation=organisation, operator=operator, at=at)
    return operator


def emitter_of(organisation: Organisation) -> Emitter:
    """The organisation as the norm identifies it."""
    return Emitter(
        siren=organisation.siren,
        departement=organisation.departement,
        arrondissement=organisation.arrondissement,
        nature=organisation.nature,
    )


def acceptable(
    act: Act,
    files: Sequence[ActFile],
    *,
    organisation: Organisation,
    classification: Classification,
    at: datetime,
) -> Acte:
    """The act as the norm takes it, its objet written as it will be sent. Raises a Refusal."""
    if taken := queries.number_refusal(act):
        raise taken
    if not files or files[0].role != "main":
        raise policies.NoMainFile("Joignez le fichier de l’acte lui-même.", field="main")
    return accept(
        queries.draft_of(act, files),
        emitter=emitter_of(organisation),
        classification=classification,
        at=at,
    )


@transaction.atomic
def send_act(
    act: Act, acte: Acte, files: Sequence[ActFile], *, classification: Classification, at: datetime
) -> Transaction:
    """Put an accepted act in the outbox, for the person who deposited it. Raises a Refusal."""
    organisation, by = queries.organisation_here(), act.deposited_by
    operator = operator_for(organisation=organisation, by=by, at=at, nature=str(acte.nature.value))
    openers = [partial(documents.open_file, file.stored) for file in files]
    _freeze(act, acte, files, classification)
    sent = _post(
        kind=Kind.ACTE,
        act=act,
        organisation=organisation,
        operator=operator,
        by=by,
        at=at,
        pack=lambda sender: pack_acte(acte, openers, sender=sender),
        nature=str(acte.nature.value),
    )
    act.state = ActState.QUEUED
    act.save(update_fields=["state"])
    record(
        event="actes.deposited",
        subject=act,
        by=by,
        at=at,
        detail={
            "number": act.number,
            "identifier": act.identifier,
            "archive": sent.archive.name,
            "files": [{"name": file.stored.name, "sha256": file.stored.sha256} for file in files],
        },
    )
    return sent


def send_cancellation(act: Act, *, by: Person, at: datetime) -> Transaction:
    """Put the cancellation of an acknowledged act in the outbox. Raises a Refusal."""
    organisation = queries.organisation_here()
    return _post(
        kind=Kind.CANCELLATION,
        act=act,
        organisation=organisation,
        operator=operator_for(organisation=organisation, by=by, at=at, about=act),
        by=by,
        at=at,
        pack=lambda sender: pack_cancellation(parse_acte_id(act.identifier), sender=sender),
    )


@transaction.atomic
def send_reply(
    act: Act, reply: Reply, files: Sequence[AnswerFile] = (), *, by: Person, at: datetime
) -> Transaction:
    """Put an answer to a letter, or its acknowledgement, in the outbox. Raises a Refusal."""
    organisation = queries.organisation_here()
    documents_sent = [queries.document_of(file) for file in files]
    openers = [partial(documents.open_file, file.stored) for file in files]
    names = reply_names(reply.acte, reply.type, documents_sent)
    for file, name in zip(files, names, strict=True):
        file.transmitted_name = name
        file.save(update_fields=["transmitted_name"])
    return _post(
        kind=Kind(reply.type.value),
        act=act,
        organisation=organisation,
        operator=operator_for(organisation=organisation, by=by, at=at, about=act),
        by=by,
        at=at,
        pack=lambda sender: pack_reply(reply, documents_sent, openers, sender=sender),
    )


@transaction.atomic
def ask_classification(*, by: Person, at: datetime) -> Transaction | None:
    """Ask the préfecture for its classification, in the name of `by`; once a day at most.

    None when an answer is already awaited, or was given today. Raises a Refusal.
    """
    if queries.pending_classification_request() or _asked_today(at):
        return None
    organisation, held = queries.organisation_here(), queries.held_classification()
    sent = _post(
        kind=Kind.CLASSIFICATION_REQUEST,
        act=None,
        organisation=organisation,
        operator=operator_for(organisation=organisation, by=by, at=at),
        by=by,
        at=at,
        pack=lambda sender: pack_classification_request(
            sender=sender, held=held.date if held else FORCED_REQUEST
        ),
    )
    record(
        event="actes.classification_asked",
        subject=sent,
        by=by,
        at=at,
        detail={"archive": sent.archive.name},
    )
    return sent


def next_serial(day: date) -> int:
    """The number of the next envelope of `day`, from 1. Its row stays locked until the commit.

    Two deposits at once therefore never share a number, and one that is undone leaves no hole.
    """
    EnvelopeDay.objects.get_or_create(day=day)
    counter = EnvelopeDay.objects.select_for_update().get(day=day)
    counter.last += 1
    counter.save(update_fields=["last"])
    return counter.last


def _asked_today(at: datetime) -> bool:
    asked = Transaction.objects.filter(kind=Kind.CLASSIFICATION_REQUEST).last()
    return (
        asked is not None
        and asked.state == TransactionState.ACKNOWLEDGED
        and legal_date(asked.created_at) == legal_date(at)
    )


def _freeze(act: Act, acte: Acte, files: Sequence[ActFile], classification: Classification) -> None:
    """Write down exactly what leaves: from here on, the act is what the préfecture received."""
    act.objet = acte.objet
    act.matter = format_matiere(acte.matiere)
    act.matter_label = " / ".join(classification.path(acte.matiere))
    act.classification_date = acte.classification_date
    act.identifier = str(acte.identifier)
    act.save()
    labels = {piece.code: piece for piece in classification.typologies(acte.nature)}
    for file, name in zip(files, file_names(acte), strict=True):
        file.transmitted_name = name
        file.typology_label = labels.get(file.typology, Typology(file.typology, "")).label
        file.save(update_fields=["transmitted_name", "typology_label"])


def _post(
    *,
    kind: Kind,
    act: Act | None,
    organisation: Organisation,
    operator: TransmissionOperator,
    by: Person,
    at: datetime,
    pack: Callable[[Sender], Package],
    nature: str = "",
) -> Transaction:
    package = pack(_sender(organisation, operator, by=by, at=at))
    sent = Transaction.objects.create(
        act=act,
        kind=kind,
        state=TransactionState.QUEUED,
        created_at=at,
        asked_by=by,
        envelope_name=package.envelope_name,
        message_name=package.message_name,
        archive=_keep_archive(package, by=by, at=at),
        operator=operator.code,
        exercise=operator.is_exercise,
        identifier=act.identifier if act else "",
    )
    delivery.enqueue(
        organisation=organisation,
        protocol=Protocol.ACTES,
        operator=operator,
        name=package.archive_name,
        payload=sent.archive,
        subject_id=sent.pk,
        by=by,
        at=at,
        nature=nature,
    )
    return sent


def _keep_archive(package: Package, *, by: Person, at: datetime) -> StoredFile:
    """Written to a temporary file, then sealed from it: 150 MiB never stand in memory."""
    with tempfile.TemporaryFile() as out:
        write_archive(package.entries, out, at=at)
        return documents.store(
            content=_seekable(out),
            name=package.archive_name,
            by=str(by),
            at=at,
            media_type=ARCHIVE_TYPE,
        )


def _seekable(out: BinaryIO) -> BinaryIO:
    out.seek(0)
    return out


def _sender(
    organisation: Organisation, operator: TransmissionOperator, *, by: Person, at: datetime
) -> Sender:
    day = legal_date(at)
    return Sender(
        emitter=emitter_of(organisation),
        operator=Operator(
            trigramme=operator.trigram,
            quadrigramme=TEST if operator.is_exercise else REAL,
            return_addresses=(operator.return_address,),
        ),
        day=day,
        serial=next_serial(day),
        referent=_referent(organisation, by),
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
