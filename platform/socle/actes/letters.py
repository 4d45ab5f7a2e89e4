"""Letters of the préfecture: kept, acknowledged where the norm wants it, told, and told again."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import mails, permissions, policies, queries, sending
from socle.actes.models import (
    ANSWERS,
    RECEIPTS,
    Answer,
    Kind,
    Letter,
    LetterFile,
    LetterState,
    Transaction,
    TransactionState,
)
from socle.actes.protocol import letters as norm
from socle.actes.protocol.codes import MessageType
from socle.actes.protocol.identifiers import parse_acte_id
from socle.actes.protocol.values import PrefectureLetter, ReplyAcknowledgement
from socle.actes.reception import PREFECTURE, Returned, journal, keep, move, prefecture
from socle.core import sweeps
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.delivery.handlers import Unmatched
from socle.directory import queries as directory
from socle.documents import actions as documents
from socle.notices.actions import tell

OURS: Final = frozenset({*ANSWERS, *RECEIPTS})
"""What we send about letters."""

_CALLS: Final = {
    Kind.LETTER: "Lisez-le : une réponse est possible depuis sa page.",
    Kind.PIECES_REQUEST: "Envoyez les pièces demandées, ou refusez, depuis sa page.",
    Kind.OBSERVATIONS: "Répondez-y, ou rejetez-les, depuis sa page.",
    Kind.COURT_REFERRAL: "Prévenez le maire sans attendre : la défense se présente au tribunal.",
}


def take_in(returned: Returned, message: PrefectureLetter, *, at: datetime) -> None:
    """Keep a letter with its papers, acknowledge it if it must be, tell who has to know.

    The same letter twice is one letter. Raises Unmatched when the act is none of ours.
    """
    about = queries.act_sent(message.acte, sent=returned.sent())
    if about is None or about.act is None:
        raise Unmatched(
            f"Un courrier du {message.dated:%d/%m/%Y} porte sur l’acte {message.acte}, qui n’a pas "
            "été transmis d’ici."
        )
    kind, digest = Kind(message.type.value), _digest(message, returned)
    known = Letter.objects.filter(act=about.act, kind=kind, dated=message.dated, digest=digest)
    if known.exists():
        return
    letter = _keep(returned, message, about, digest=digest, at=at)
    journal(
        about.act,
        "actes.letter_received",
        at=at,
        by=prefecture(about),
        what=letter.get_kind_display(),
        dated=f"{letter.dated:%d/%m/%Y}",
        sha256=letter.message.message.sha256,
    )
    missing = _keep_papers(letter, message, returned, at=at)
    if letter.state == LetterState.RECEIPT_DUE and not acknowledge(letter, at=at):
        journal(about.act, "actes.receipt_waits", at=at, by="Socle", what=str(letter))
    _announce(letter, missing, at=at)


def acknowledge(letter: Letter, *, at: datetime) -> bool:
    """Send the acknowledgement (3-2, 4-2) nobody has to ask for; False when nobody may for now.

    It goes in the name of whoever deposited the act, else of the first person who may transmit.
    """
    message = PrefectureLetter(
        MessageType(letter.kind), parse_acte_id(letter.act.identifier), letter.dated, "", ()
    )
    reply = norm.receipt_of(message)
    if reply is None or letter.receipt_id:
        return False
    for person in _senders(letter, at=at):
        try:
            letter.receipt = sending.send_reply(letter.act, reply, by=person, at=at)
        except Refusal:
            continue
        letter.save(update_fields=["receipt"])
        return True
    return False


@transaction.atomic
def acknowledge_due(*, at: datetime) -> int:
    """Try again the acknowledgements that could not leave; returns how many now did."""
    due = Letter.objects.select_for_update(of=("self",), skip_locked=True).filter(
        state=LetterState.RECEIPT_DUE, receipt=None
    )
    return sum(
        sweeps.each(
            f"Accusé d’un courrier de la préfecture à envoyer ({connection.schema_name})",
            due.select_related("act"),
            lambda letter: acknowledge(letter, at=at),
        )
    )


def remind(*, at: datetime) -> int:
    """Tell again about letters nobody has read for two days; returns how many there are.

    Each reminder is told once, at 2, 4, 8… days: this may run as often as one likes. The syndicat
    is told too from the fourth day, at once for a déféré, and whenever nobody is left to tell in
    the commune: to be run as the platform, a commune does not see who works at the syndicat.
    """
    late = Letter.objects.filter(read_at=None, received_at__lte=at - policies.REMIND_AFTER)
    found = list(late.select_related("act"))
    sweeps.each(
        f"Rappel d’un courrier de la préfecture ({connection.schema_name})",
        found,
        lambda letter: _remind(letter, at=at),
    )
    return len(found)


def _remind(letter: Letter, *, at: datetime) -> None:
    step = policies.reminder_step(letter.received_at, at)
    _tell(
        letter,
        f"actes.letter:{letter.pk}:{step}",
        f"Toujours pas lu : {_named(letter)}",
        f"Personne n’a encore lu ce courrier de la préfecture, reçu il y a {step} jours ou "
        f"plus, sur l’acte « {letter.act.objet} ». {_CALLS[Kind(letter.kind)]}",
        at=at,
    )
    if policies.must_escalate(letter.kind, step) or not _readers(letter, at=at):
        _escalate(letter, step, at=at)


def _readers(letter: Letter, *, at: datetime) -> list[Person]:
    return queries.people_to_tell(letter.act, on=legal_date(at))


def _escalate(letter: Letter, step: int, *, at: datetime) -> None:
    """Tell the syndicat that a commune does not read her letter, and whom to call there."""
    body = queries.organisation_here()
    names = ", ".join(
        f"{person} ({person.phone})" if person.phone else str(person)
        for person in _readers(letter, at=at)
    )
    call = f"Appelez {names}." if names else "Plus personne n’y a le droit de télétransmettre."
    tell(
        people=directory.people_who_may(
            directory.syndicat(), Capability.DELIVERY_READ, on=legal_date(at)
        ),
        organisation=directory.syndicat(),
        key=f"actes.letter_unread:{body.siren}:{letter.pk}:{step}",
        subject=f"Courrier de la préfecture non lu : {body}",
        body=f"{letter} sur l’acte {letter.act.number} : personne ne l’a lu à « {body} » depuis "
        f"{step} jours ou plus. {call}",
        at=at,
    )


def sent(ours: Transaction) -> None:
    """The operator holds what we sent about a letter. What came since is not undone."""
    if ours.kind in RECEIPTS:
        _step(Letter.objects.filter(receipt=ours), LetterState.RECEIPT_SENT)
    elif ours.kind in ANSWERS:
        _step(Letter.objects.filter(answers__message=ours), LetterState.ANSWER_SENT)


def not_taken(ours: Transaction, why: str, *, at: datetime) -> None:
    """The operator does not take what we sent; the syndicat may have it sent again."""
    letter = _letter_of(ours)
    journal(
        letter.act,
        "actes.reply_not_taken",
        at=at,
        by="Socle",
        what=ours.get_kind_display(),
        why=why,
    )
    if ours.kind in ANSWERS:
        _tell(
            letter,
            f"actes.reply_not_taken:{ours.pk}",
            f"Votre réponse n’est pas partie : {_named(letter)}",
            f"L’opérateur de transmission n’a pas pris votre réponse : {why} Votre syndicat le "
            "voit et peut relancer l’envoi.",
            at=at,
        )


def refused(ours: Transaction, why: str, *, at: datetime) -> None:
    """The préfecture refuses what we sent about a letter: the letter waits for another answer."""
    letter = _letter_of(ours)
    journal(
        letter.act,
        "actes.reply_refused",
        at=at,
        by=prefecture(ours),
        what=ours.get_kind_display(),
        why=why,
    )
    if ours.kind not in ANSWERS:
        return
    Answer.objects.filter(message=ours).update(dropped_at=at)
    rest(letter)
    _tell(
        letter,
        f"actes.reply_refused:{ours.pk}",
        f"Réponse refusée par la préfecture : {_named(letter)}",
        f"La préfecture n’a pas pu prendre votre réponse : {why} Préparez-en une autre depuis la "
        "page du courrier.",
        at=at,
    )


def answer_acknowledged(returned: Returned, message: ReplyAcknowledgement, *, at: datetime) -> None:
    """The State has our answer (3-5, 4-5): matched by act and date of the letter it answers."""
    answer = _answer_to(message, sent=returned.sent())
    if answer is None or answer.message is None:
        raise Unmatched(
            f"Aucune réponse partie d’ici ne répond au courrier du {message.dated:%d/%m/%Y} sur "
            f"l’acte {message.acte}."
        )
    ours, letter = answer.message, answer.letter
    facts = {"received_on": message.received_on, "answered_at": at}
    if not move(ours, TransactionState.ACKNOWLEDGED, **facts):
        return
    keep(returned, Kind(message.type.value), ours, at=at, received_on=message.received_on)
    if not letter.answers.filter(dropped_at=None).exclude(pk=answer.pk).exists():
        Answer.objects.filter(pk=answer.pk).update(dropped_at=None)
        _step(Letter.objects.filter(pk=letter.pk), LetterState.ANSWERED)
    journal(
        letter.act,
        "actes.reply_acknowledged",
        at=at,
        by=prefecture(ours),
        what=str(answer),
        received_on=f"{message.received_on:%d/%m/%Y}",
    )
    _tell(
        letter,
        f"actes.reply_acknowledged:{ours.pk}",
        f"La préfecture a votre réponse : {_named(letter)}",
        f"Elle l’a reçue le {message.received_on:%d/%m/%Y}, sur l’acte « {letter.act.objet} ».",
        at=at,
    )


def rest(letter: Letter) -> None:
    """Put a letter back where it stands while nobody answers it."""
    receipt = letter.receipt
    state = policies.resting_state(
        letter.kind, receipt_sent=bool(receipt and receipt.sent_at is not None)
    )
    _step(Letter.objects.filter(pk=letter.pk), state)


def _step(letters: QuerySet[Letter], to: LetterState) -> None:
    letters.filter(state__in=policies.letter_sources(to)).update(state=to)


def _digest(message: PrefectureLetter, returned: Returned) -> str:
    papers = [mails.named(returned.files, name) for name in message.documents]
    said = hashlib.sha256(message.text.encode())
    for paper in sorted(hashlib.sha256(content).hexdigest() for content in papers):
        said.update(paper.encode())
    return said.hexdigest()


def _keep(
    returned: Returned, message: PrefectureLetter, about: Transaction, *, digest: str, at: datetime
) -> Letter:
    kind = Kind(message.type.value)
    return Letter.objects.create(
        act=about.act,
        kind=kind,
        dated=message.dated,
        text=message.text,
        digest=digest,
        state=policies.resting_state(kind, receipt_sent=False),
        received_at=at,
        message=keep(returned, kind, about, at=at),
        mail=documents.store(
            content=returned.raw,
            name=returned.parcel,
            by=PREFECTURE,
            at=at,
            media_type=mails.media_type(returned.raw),
        ),
    )


def _keep_papers(
    letter: Letter, message: PrefectureLetter, returned: Returned, *, at: datetime
) -> list[str]:
    """Keep the papers that came; the names of those that did not."""
    missing = []
    for rank, name in enumerate(message.documents, 1):
        content = mails.named(returned.files, name)
        stored = (
            documents.store(content=content, name=name, by=PREFECTURE, at=at) if content else None
        )
        LetterFile.objects.create(letter=letter, rank=rank, name=name[:255], stored=stored)
        if stored is None:
            missing.append(name)
            journal(
                letter.act,
                "actes.letter_paper_missing",
                at=at,
                by="Socle",
                what=str(letter),
                file=name,
            )
    return missing


def _senders(letter: Letter, *, at: datetime) -> list[Person]:
    people = queries.people_to_tell(letter.act, on=legal_date(at))
    may = [
        person
        for person in people
        if permissions.can(
            person,
            Capability.ACTS_TRANSMIT,
            organisation=queries.organisation_here(),
            at=at,
        )
    ]
    return sorted(may, key=lambda person: person.pk != letter.act.deposited_by_id)


def _letter_of(ours: Transaction) -> Letter:
    letters = Letter.objects.select_related("act", "receipt")
    if ours.kind in RECEIPTS:
        return letters.get(receipt=ours)
    return letters.get(answers__message=ours)


def _answer_to(message: ReplyAcknowledgement, *, sent: QuerySet[Transaction]) -> Answer | None:
    kinds = [kind.value for kind, by in norm.ACKNOWLEDGED_BY.items() if by is message.type]
    found = Answer.objects.select_related("letter__act", "letter__receipt", "message").filter(
        kind__in=kinds,
        letter__dated=message.dated,
        message__identifier=str(message.acte),
        message__in=sent,
    )
    waiting = found.exclude(message__state=TransactionState.ACKNOWLEDGED)
    return waiting.filter(dropped_at=None).last() or waiting.last() or found.last()


def _announce(letter: Letter, missing: Iterable[str], *, at: datetime) -> None:
    lost = ", ".join(f"« {name} »" for name in missing)
    warning = f" Il manque un document annoncé : {lost}." if lost else ""
    _tell(
        letter,
        f"actes.letter:{letter.pk}",
        f"Courrier de la préfecture : {_named(letter)}",
        f"La préfecture écrit au sujet de l’acte « {letter.act.objet} ». "
        f"{_CALLS[Kind(letter.kind)]}{warning}",
        at=at,
    )


def _named(letter: Letter) -> str:
    return f"{letter.get_kind_display().lower()}, acte {letter.act.number}"


def _tell(letter: Letter, key: str, subject: str, body: str, *, at: datetime) -> None:
    tell(
        people=queries.people_to_tell(letter.act, on=legal_date(at)),
        organisation=queries.organisation_here(),
        key=key,
        subject=subject,
        body=body,
        at=at,
        url=queries.address("actes:letter", letter.pk),
    )
