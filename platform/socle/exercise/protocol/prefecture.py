"""The practice préfecture: an archive comes in, mails go out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from socle.core.clock import legal_date
from socle.exercise.protocol import actes_xml as xml
from socle.exercise.protocol import answers, facts, letters, markers, names
from socle.exercise.protocol import classification as classifications
from socle.exercise.protocol.acts import Act, ActRefused, check_act, number_fact, read_act
from socle.exercise.protocol.archives import UnreadableArchive, read_archive
from socle.exercise.protocol.envelopes import (
    CONTENT_FAULT,
    NOBODY,
    EnvelopeRefused,
    Message,
    Sender,
    check_envelope,
    find_envelope,
    is_address,
    read_messages,
    read_sender,
)
from socle.exercise.protocol.mails import build_mail
from socle.exercise.protocol.outcome import Memory, Outcome, Return

_NOBODY: Final = "sans-adresse@exercice.test"


@dataclass(slots=True)
class _Desk:
    """What is at hand while one envelope is treated, and what has been decided so far."""

    at: datetime
    serial: int
    known: Memory
    classification: classifications.Classification
    files: Mapping[str, bytes] = field(default_factory=dict)
    sender: Sender = NOBODY
    returns: list[Return] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)

    @property
    def day(self) -> date:
        return legal_date(self.at)

    def knows(self, fact: str) -> bool:
        return fact in self.facts or self.known(fact)


def answer_archive(
    name: str,
    content: bytes,
    *,
    at: datetime,
    serial: int,
    known: Memory,
    classification: classifications.Classification = classifications.CURRENT,
) -> Outcome:
    """Decide about the archive `name` (tar.gz bytes) received `at` (aware).

    `serial` is the first number free for the mails of this answer; `known` tells what earlier
    deposits established. Every return is an RFC 822 message. Nothing is raised: faults are
    answered.
    """
    desk = _Desk(at=at, serial=serial, known=known, classification=classification)
    envelope: xml.Element | None = None
    try:
        desk.files = read_archive(content)
        envelope_name, envelope = find_envelope(desk.files, name)
        desk.sender = read_sender(envelope)
        check_envelope(envelope, envelope_name, desk.sender)
        messages = read_messages(envelope, desk.files, desk.sender)
        _check_batch(desk, envelope_name, messages)
    except UnreadableArchive as error:
        refused = EnvelopeRefused(str(error), nature=CONTENT_FAULT)
        return Outcome((_refuse_envelope(desk, name, refused, envelope),))
    except EnvelopeRefused as refused:
        return Outcome((_refuse_envelope(desk, name, refused, envelope),))
    for message in messages:
        _ANSWERS[message.name.code](desk, message)
    return Outcome(tuple(desk.returns), tuple(desk.facts))


def _check_batch(desk: _Desk, envelope_name: str, messages: tuple[Message, ...]) -> None:
    """What makes the whole envelope fail, seen on its messages. Raises `EnvelopeRefused`."""
    expected = {envelope_name, *(message.file_name for message in messages)}
    for message in messages:
        if message.name.code == "1-1":
            expected |= _check_announced_act(read_act(message))
        elif message.name.code == "6-1":
            _check_cancellation(desk, message)
        elif message.name.code in letters.ANSWERS:
            expected |= letters.check_answer(message, desk.files, known=desk.knows)
    strangers = sorted(desk.files.keys() - expected)
    if strangers:
        raise EnvelopeRefused(f"Le fichier {strangers[0]} n'est annoncé par aucun message.")


def _check_announced_act(act: Act) -> set[str]:
    if markers.carries(act.subject, markers.ENVELOPE_ANOMALY):
        raise EnvelopeRefused(
            f"Anomalie demandée par « {markers.ENVELOPE_ANOMALY} » dans l'objet d'un acte."
        )
    return set(act.documents)


def _check_cancellation(desk: _Desk, message: Message) -> None:
    act_id = xml.attribute(message.root, "IDActe")
    if act_id != message.name.act_id:
        raise EnvelopeRefused(
            f"Le nom {message.file_name} ne désigne pas l'acte à annuler {act_id}."
        )
    if not desk.knows(facts.act_received(act_id)):
        raise EnvelopeRefused(f"L'acte à annuler {act_id} n'a jamais été reçu.")
    if desk.knows(facts.act_cancelled(act_id)):
        raise EnvelopeRefused(f"L'acte {act_id} est déjà annulé.")


def _answer_act(desk: _Desk, message: Message) -> None:
    act = read_act(message)
    code, title, refusal = "1-2", "Accusé de réception d'un acte", ""
    try:
        check_act(
            act, desk.files, on=desk.day, classification=desk.classification, known=desk.knows
        )
        content = answers.acknowledgement(act, on=desk.day, classification=desk.classification)
        desk.facts += [facts.act_received(act.act_id), number_fact(act)]
    except ActRefused as refused:
        code, title, refusal = "1-3", "Anomalie sur un acte", answers.detail_of(refused)
        content = answers.anomaly(act, refused, on=desk.day, classification=desk.classification)
    if markers.carries(act.subject, markers.SILENCE):
        return
    lines = {"Numéro": act.number, "Objet": act.subject, "Identifiant de l'acte": act.act_id}
    lines |= {"Anomalie": refusal} if refusal else {}
    delay = markers.delay_of(act.subject)
    _reply(desk, message, code, title, lines, content, delay=delay)
    if not refusal:
        for kind in letters.wanted_by(act.subject):
            _write(desk, message, kind, act, delay=delay)


def _write(
    desk: _Desk, message: Message, kind: letters.Kind, act: Act, *, delay: timedelta
) -> None:
    """Send a letter about an act that has just been acknowledged."""
    on = desk.day
    papers = letters.paper_names(
        message.name.stem(kind.code), kind, desk.serial + len(desk.returns)
    )
    desk.facts.append(facts.letter_sent(act.act_id, kind.code, on.isoformat()))
    _reply(
        desk,
        message,
        kind.code,
        kind.title,
        {"Identifiant de l'acte": act.act_id, "Objet": act.subject},
        letters.letter(kind, act.act_id, papers, on=on),
        delay=delay,
        papers={name: letters.paper(kind, act.act_id, act.subject, on=on) for name in papers},
    )


def _answer_reply(desk: _Desk, message: Message) -> None:
    """Acknowledge an answer to a letter; a receipt and an answer to a 2-1 get nothing."""
    receipt = letters.acknowledgement(message, on=desk.day)
    if receipt:
        code, title, content = receipt
        _reply(desk, message, code, title, {"Acte": message.name.act_id}, content)


def _answer_cancellation(desk: _Desk, message: Message) -> None:
    act_id = message.name.act_id
    desk.facts.append(facts.act_cancelled(act_id))
    content = answers.cancellation_acknowledgement(act_id, on=desk.day)
    lines = {"Identifiant de l'acte": act_id}
    _reply(desk, message, "6-2", "Accusé de réception d'une annulation", lines, content)


def _answer_classification(desk: _Desk, message: Message) -> None:
    current = desk.classification
    lines = {"Classification en cours": current.day.isoformat()}
    if xml.text(message.root, "DateClassification") == current.day.isoformat():
        content = classifications.unchanged_return(current)
        _reply(desk, message, "7-3", "Classification inchangée", lines, content)
    else:
        content = classifications.full_return(current)
        _reply(desk, message, "7-2", "Nouvelle classification", lines, content)


_ANSWERS: Final = {
    "1-1": _answer_act,
    "6-1": _answer_cancellation,
    "7-1": _answer_classification,
    **dict.fromkeys(letters.ANSWERS, _answer_reply),
}


def _reply(
    desk: _Desk,
    message: Message,
    code: str,
    title: str,
    lines: Mapping[str, str],
    content: bytes,
    *,
    delay: timedelta = timedelta(0),
    papers: Mapping[str, bytes] | None = None,
) -> None:
    """Put a message of the office in its envelope, both in a mail, the mail among the returns."""
    serial = desk.serial + len(desk.returns)
    message_name = f"{message.name.stem(code)}_{serial}.xml"
    envelope_name = names.return_envelope(
        department=desk.sender.department,
        district=desk.sender.district,
        siren=desk.sender.siren,
        day=f"{desk.day:%Y%m%d}",
        serial=serial,
    )
    attachments = {
        envelope_name: answers.return_envelope(desk.sender, message_name),
        message_name: content,
        **(papers or {}),
    }
    mail = build_mail(
        addresses=desk.sender.addresses,
        title=title,
        lines=lines,
        attachments=attachments,
        at=desk.at,
        serial=serial,
    )
    desk.returns.append(Return(message_name.replace(".xml", ".eml"), mail, delay))


def _refuse_envelope(
    desk: _Desk, archive_name: str, refused: EnvelopeRefused, envelope: xml.Element | None
) -> Return:
    anomaly_name = names.envelope_anomaly(archive_name)
    content = answers.envelope_anomaly(refused, on=desk.day, received=envelope)
    mail = build_mail(
        addresses=tuple(filter(is_address, desk.sender.addresses)) or (_NOBODY,),
        title="Anomalie sur une enveloppe",
        lines={"Archive": archive_name, "Anomalie": answers.detail_of(refused)},
        attachments={anomaly_name: content},
        at=desk.at,
        serial=desk.serial,
    )
    return Return(anomaly_name.replace(".xml", ".eml"), mail)
