"""What a person does with a letter of the préfecture: read it, prepare an answer, send it."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import letters, permissions, policies, queries, sending
from socle.actes.actions import Upload, check_upload
from socle.actes.models import Answer, AnswerFile, Letter, LetterState
from socle.actes.protocol import letters as norm
from socle.actes.protocol.codes import MessageType, Nature
from socle.actes.protocol.identifiers import parse_acte_id
from socle.actes.protocol.values import Reply
from socle.documents import actions as documents
from socle.journal.actions import record


@transaction.atomic
def mark_read(*, letter_id: int, by: Person, at: datetime) -> Letter:
    """Say that somebody knows what the letter says; a second time changes nothing.

    Raises NotAllowed.
    """
    letter = _locked(letter_id, Capability.ACTS_PREPARE, by=by, at=at)
    _read(letter, by=by, at=at)
    return letter


@transaction.atomic
def prepare(
    *, letter_id: int, kind: str, uploads: Sequence[Upload], by: Person, at: datetime
) -> Answer:
    """Prepare an answer of this kind with its documents, for a person who may transmit to send.

    `kind` is the norm's code (`2-2`, `3-3`, `3-4`, `4-3`, `4-4`). Raises NotAllowed, CannotAnswer,
    InvalidDocument for a wrong number of documents, and what `check_upload` raises.
    """
    letter = _locked(letter_id, Capability.ACTS_PREPARE, by=by, at=at)
    policies.check_answer(letter.kind, letter.state, kind)
    norm.check_count(MessageType(kind), len(uploads))
    for upload in uploads:
        found = check_upload(upload)
        policies.check_signers(upload.name, found.signatures, act=letter.act)
    _read(letter, by=by, at=at)
    answer = Answer.objects.create(
        letter=letter, kind=kind, prepared_at=at, prepared_by=by, prepared_by_label=str(by)
    )
    _keep(answer, uploads, by=by, at=at)
    _to(letter, LetterState.ANSWER_READY)
    _record(letter, "actes.reply_prepared", by=by, at=at, answer=str(answer))
    return answer


@transaction.atomic
def drop(*, letter_id: int, by: Person, at: datetime) -> Letter:
    """Give up a prepared answer; its files stay. Raises NotAllowed or NoAnswerReady."""
    letter = _locked(letter_id, Capability.ACTS_PREPARE, by=by, at=at)
    policies.check_answer_ready(letter.state)
    letter.answers.filter(dropped_at=None).update(dropped_at=at)
    letters.rest(letter)
    _record(letter, "actes.reply_dropped", by=by, at=at)
    return letter


@transaction.atomic
def send(*, letter_id: int, by: Person, at: datetime) -> Answer:
    """Send the prepared answer, with the date of the letter it answers.

    Raises NotAllowed, NoAnswerReady, and the refusals of the convention, of the certificate and of
    the norm.
    """
    letter = _locked(letter_id, Capability.ACTS_TRANSMIT, by=by, at=at)
    policies.check_answer_ready(letter.state)
    answer = letter.answers.get(dropped_at=None)
    reply = Reply(MessageType(answer.kind), parse_acte_id(letter.act.identifier), letter.dated, ())
    files = list(answer.files.select_related("stored"))
    answer.message = sending.send_reply(letter.act, reply, files, by=by, at=at)
    answer.save(update_fields=["message"])
    _to(letter, LetterState.ANSWER_LEAVING)
    _record(
        letter,
        "actes.reply_deposited",
        by=by,
        at=at,
        answer=str(answer),
        archive=answer.message.archive.name,
    )
    return answer


def _locked(letter_id: int, capability: Capability, *, by: Person, at: datetime) -> Letter:
    organisation = queries.organisation_here()
    permissions.check_may(by, capability, organisation=organisation, at=at)
    found = Letter.objects.select_for_update(of=("self",)).select_related("act", "receipt")
    return found.get(pk=letter_id)


def _read(letter: Letter, *, by: Person, at: datetime) -> None:
    if letter.read_at:
        return
    letter.read_at, letter.read_by, letter.read_by_label = at, by, str(by)
    letter.save(update_fields=["read_at", "read_by", "read_by_label"])
    _record(letter, "actes.letter_read", by=by, at=at)


def _keep(answer: Answer, uploads: Sequence[Upload], *, by: Person, at: datetime) -> None:
    """Typed like the pieces of the act: whether the norm wants it is not written, and harmless."""
    usual = queries.classification().default_typology(Nature(answer.letter.act.nature)).code
    AnswerFile.objects.bulk_create(
        AnswerFile(
            answer=answer,
            rank=rank,
            typology=upload.typology or usual,
            stored=documents.store(content=upload.content, name=upload.name, by=str(by), at=at),
        )
        for rank, upload in enumerate(uploads, 1)
    )


def _to(letter: Letter, state: LetterState) -> None:
    letter.state = state
    letter.save(update_fields=["state"])


def _record(letter: Letter, event: str, *, by: Person, at: datetime, **detail: str) -> None:
    said = {"number": letter.act.number, "what": str(letter), **detail}
    record(event=event, subject=letter.act, by=by, at=at, detail=said)
