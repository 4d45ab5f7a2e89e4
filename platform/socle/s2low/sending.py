"""A file of ours becomes a question to S²LOW, asked once; and what became of it, asked again."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, BinaryIO, Final

from socle.core import apart
from socle.core.clock import legal_date
from socle.delivery.models import Outbound
from socle.directory.models import Protocol
from socle.s2low import actions, queries
from socle.s2low.client import S2lowClient
from socle.s2low.models import S2lowTransaction, What
from socle.s2low.policies import HELD
from socle.s2low.protocol import archive
from socle.s2low.protocol.answers import Listed
from socle.s2low.protocol.multipart import CHUNK, Upload
from socle.s2low.protocol.outcomes import Forbidden, Refused
from socle.s2low.protocol.statuses import ActeStatus, LetterType
from socle.s2low.protocol.xml import read_date

SEARCHED: Final = (
    ActeStatus.POSTED,
    ActeStatus.ACCEPTED,
    ActeStatus.TRANSMITTED,
    ActeStatus.ACKNOWLEDGED,
    ActeStatus.TO_CONFIRM,
    ActeStatus.TO_SIGN,
    ActeStatus.ERROR,
)
"""Where a transaction whose number is not known may be, the error last: it frees the number."""
_TYPES: Final = {What.ACTE: LetterType.ACTE, What.CANCELLATION: LetterType.CANCELLATION}
_SLACK: Final = timedelta(days=1)
_WINDOW: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Luggage:
    """What is handed over: its kind, what is remembered of it, and the value to send."""

    what: What | None
    """None: S²LOW sends it by itself, there is nothing to hand over."""
    message: archive.Message | Upload
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """Our number in the lists of S²LOW, or whether they show it taken by another act."""

    number: str = ""
    is_anothers: bool = False


@contextmanager
def unpacked(outbound: Outbound, content: BinaryIO) -> Iterator[Luggage]:
    """Open what the corridor gives. Raises Refused for an archive S²LOW cannot be given."""
    if outbound.protocol == Protocol.HELIOS:
        yield Luggage(What.FLOW, Upload(outbound.name, outbound.size, content))
        return
    try:
        with archive.opened(content) as parcel:
            _check_sender(outbound, parcel.message.siren)
            yield _luggage(parcel)
    except archive.UnusableArchive as fault:
        raise Refused(str(fault)) from fault


def hand_over(
    outbound: Outbound, luggage: Luggage, client: S2lowClient, *, at: datetime
) -> S2lowTransaction:
    """Give the file to S²LOW unless it is known to hold it; the row that remembers it.

    Raises Refused when S²LOW says no, NotAnAnswer when nothing is known.
    """
    row, unanswered = actions.ask(outbound, at=at, what=luggage.what, **luggage.facts)
    if row.state in HELD:
        return row
    if unanswered and luggage.what == What.REPLY:
        actions.refuse(row, _REPLY_IN_DOUBT)
        raise Refused(_REPLY_IN_DOUBT)
    try:
        actions.number(row, _post(row, luggage, client))
    except Refused as refusal:
        if luggage.what == What.CLASSIFICATION and refusal.is_recent_classification:
            actions.number(row, "")  # nothing to wait for: the one S²LOW holds is fetched
            return row
        if not (unanswered and refusal.is_duplicate and _is_our_own(row, client)):
            actions.refuse(row, str(refusal))
            raise
    return row


_REPLY_IN_DOUBT: Final = (
    "on ne sait pas si la réponse au courrier est arrivée, et rien ne permet de le demander : "
    "regardez-le sur S²LOW, puis relancez l’envoi si elle n’y est pas."
)


def _is_our_own(row: S2lowTransaction, client: S2lowClient) -> bool:
    """Whether the duplicate S²LOW speaks of is what an unanswered attempt left there.

    It is, unless the lists show the number on an act of another day.
    """
    if find(row, client) is None:
        if look_up(row, client).is_anothers:
            return False
        actions.leave_unnumbered(row)
    return True


def find(row: S2lowTransaction, client: S2lowClient) -> str | None:
    """The digest of the file if S²LOW holds it, or None. Writes down its number when it tells.

    A PES aller cannot be looked up; S²LOW refuses to take the same bytes twice.
    """
    if row.state in HELD:
        return row.sha256
    if row.what not in _TYPES:
        return None
    if number := look_up(row, client).number:
        actions.number(row, number)
        return row.sha256
    if row.what == What.ACTE and _is_known(row, client):
        actions.leave_unnumbered(row)
        return row.sha256
    return None


def look_up(row: S2lowTransaction, client: S2lowClient) -> Seen:
    """What the lists of S²LOW show of our transaction.

    An account that may not list leaves the question to S²LOW's own guard on numbers.
    """
    if row.what not in _TYPES:
        return Seen()
    try:
        listed = _namesakes(row, client)
    except (Refused, Forbidden):
        return Seen()
    ours = [one.id for one in listed if _is_same_day(one, row)]
    return Seen(ours[0] if ours else "", is_anothers=bool(listed) and not ours)


def _namesakes(row: S2lowTransaction, client: S2lowClient) -> list[Listed]:
    """What was submitted since we asked under this act's number, and is no other file's."""
    known = queries.known_numbers(row.operator, row.protocol)
    since = legal_date(row.asked_at) - _SLACK
    return [
        one
        for status in SEARCHED
        for one in client.listing(status, since=since, until=since + _WINDOW)
        if one.number == row.act_number
        and one.type == _TYPES[What(row.what)]
        and one.id not in known
    ]


def _is_same_day(listed: Listed, row: S2lowTransaction) -> bool:
    """A list that gives no date does not tell two acts apart: the number, unique, decides."""
    return not listed.date or row.decided_on is None or listed.date == row.decided_on.isoformat()


def _is_known(row: S2lowTransaction, client: S2lowClient) -> bool:
    """Whether S²LOW acknowledged an act under this IDActe; before that it does not know it."""
    try:
        return client.status_of(row.identifier).status != ActeStatus.ERROR
    except (Refused, Forbidden):
        return False


def _post(row: S2lowTransaction, luggage: Luggage, client: S2lowClient) -> str:
    match luggage.message:
        case archive.Acte() as acte:
            return client.create(acte)
        case archive.Cancellation(identifier=identifier):
            return client.cancel(_number_of(row, identifier))
        case archive.LetterReply() as reply:
            return client.reply(_letter_answered(row, reply, client), reply)
        case Upload() as flow:
            return client.import_flow(flow)
        case _:
            return client.request_classification()


def _letter_answered(row: S2lowTransaction, reply: archive.LetterReply, client: S2lowClient) -> str:
    """The number S²LOW gives the letter a reply is for: its type, and its date among several."""
    related = client.related(_number_of(row, reply.identifier))
    found = [one.id for one in related if one.type == reply.letter]
    if len(found) > 1:
        found = [one for one in found if _letter_date(client.letter(one)) == reply.dated]
    if len(found) != 1:
        raise Refused(
            f"S²LOW ne montre pas le courrier du {reply.dated:%d/%m/%Y} auquel répondre : répondez "
            "sur S²LOW, ou appelez son administrateur."
        )
    return found[0]


def _letter_date(content: bytes) -> date | None:
    """The date of a letter; None when it cannot be read."""
    said = _LETTERS.ask(io.BytesIO(content))
    return read_date(str(said.get("dated", "")))


_LETTERS: Final = apart.Reader("socle.s2low.protocol.letter_reader", memory=256 * 1024**2)


def _number_of(row: S2lowTransaction, identifier: str) -> str:
    original = queries.transmitted(row.operator, row.organisation, identifier)
    if original is None:
        raise Refused(
            f"l’acte {identifier} n’a pas été transmis par ce compte : faites-le par l’outil qui "
            "l’a transmis."
        )
    return original.number


def _check_sender(outbound: Outbound, siren: str) -> None:
    """S²LOW writes the envelope for the account's own body: it must be the one of the archive."""
    if siren != outbound.organisation.siren:
        raise Refused(f"l’enveloppe est au nom du SIREN {siren}, qui n’est pas celui du compte.")


def _luggage(parcel: archive.Parcel) -> Luggage:
    names = {"envelope_name": parcel.envelope_name, "message_name": parcel.message_name}
    match parcel.message:
        case archive.Acte() as acte:
            return Luggage(What.ACTE, acte, names | _acte_facts(acte))
        case archive.Cancellation(identifier=identifier) as cancellation:
            facts = names | {"identifier": identifier, **_identified(identifier)}
            return Luggage(What.CANCELLATION, cancellation, facts)
        case archive.LetterReply(identifier=identifier) as reply:
            facts = names | {"identifier": identifier, **_identified(identifier)}
            return Luggage(What.REPLY, reply, facts)
        case archive.ClassificationRequest() as request:
            return Luggage(What.CLASSIFICATION, request, names)
        case receipt:
            return Luggage(None, receipt)


def _acte_facts(acte: archive.Acte) -> dict[str, Any]:
    return {
        "identifier": acte.identifier,
        "act_number": acte.number,
        "decided_on": acte.decided_on,
        "nature": acte.nature,
        "files": [
            {"name": piece.upload.name, "sha256": _digest(piece.upload)}
            for piece in (acte.document, *acte.annexes)
        ],
    }


def _identified(identifier: str) -> dict[str, Any]:
    """Number and date inside an IDActe; a foreign number may hold dashes."""
    parts = identifier.split("-")
    day = parts[2] if len(parts) >= 5 else ""
    iso = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    return {"act_number": "-".join(parts[3:-1]), "decided_on": read_date(iso)}


def _digest(upload: Upload) -> str:
    upload.content.seek(0)
    digest = hashlib.sha256()
    while chunk := upload.content.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
