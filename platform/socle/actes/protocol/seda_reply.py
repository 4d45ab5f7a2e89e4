"""What an archive answers to a transfer: `Acknowledgement`, then `ArchiveTransferReply`. Pure.

Read with leniency: any version of the namespace, with or without the SEDA's own list of codes.
VITAM says OK, WARNING or KO; as@lae and others keep the codes of the SEDA (000 to 002: taken).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from lxml import etree

from socle.core.refusals import Refusal

_NAMESPACE: Final = re.compile(
    r"fr:gouv:culture:archivesdefrance:seda:v[12]\.\d|org:afnor:medona:1\.0"
)
_TAKEN: Final = frozenset({"OK", "WARNING", "000", "001", "002"})
_LIMIT: Final = 64 * 1024 * 1024


class UnreadableReply(Refusal):
    """The file is no answer of an archive, or says not to what."""

    code = "actes.unreadable_reply"


class Answer(Enum):
    """What the archive says of the transfer."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `about` is the identifier of our transfer; `words` why, as the archive says."""

    answer: Answer
    about: str
    identifier: str
    code: str
    words: str
    at: datetime | None


def read_reply(data: bytes) -> Reply:
    """The answer in an XML file. Raises UnreadableReply with what to do."""
    root = _root(data)
    name = etree.QName(root)
    if not _NAMESPACE.fullmatch(name.namespace or ""):
        raise UnreadableReply(
            "Ce fichier n’est pas une réponse au format SEDA : prenez le fichier XML que le "
            "service d’archives vous a renvoyé (ATR)."
        )
    if name.localname == "Acknowledgement":
        answer, about = Answer.RECEIVED, _said(root, "MessageReceivedIdentifier")
    elif name.localname == "ArchiveTransferReply":
        answer, about = _answer(_said(root, "ReplyCode")), _said(root, "MessageRequestIdentifier")
    else:
        raise UnreadableReply(
            f"Ce fichier est un message « {name.localname} », pas la réponse du service "
            "d’archives à un versement."
        )
    if not about:
        raise UnreadableReply(
            "Cette réponse ne dit pas à quel versement elle répond : demandez-en une autre au "
            "service d’archives."
        )
    return Reply(
        answer=answer,
        about=about,
        identifier=_said(root, "MessageIdentifier"),
        code=_said(root, "ReplyCode"),
        words=_words(root),
        at=_instant(_said(root, "Date")),
    )


def _root(data: bytes) -> etree._Element:
    if len(data) > _LIMIT or re.search(rb"<!\s*(DOCTYPE|ENTITY)", data, re.IGNORECASE):
        raise UnreadableReply(
            "Ce fichier est trop volumineux, ou contient une DTD : il n’est pas lu."
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        raise UnreadableReply(
            "Ce fichier n’est pas du XML : prenez la réponse que le service d’archives vous a "
            "renvoyée (ATR)."
        ) from fault


def _answer(code: str) -> Answer:
    if not code:
        raise UnreadableReply("Cette réponse ne porte pas de code : ni acceptée, ni refusée.")
    return Answer.ACCEPTED if code.upper() in _TAKEN else Answer.REFUSED


def _said(root: etree._Element, name: str) -> str:
    """The text of a direct child, whatever its namespace."""
    found = next((one for one in root if etree.QName(one).localname == name), None)
    return (found.text or "").strip() if found is not None else ""


def _words(root: etree._Element) -> str:
    """Comments, then the events that are not simply right, without saying one thing twice."""
    lines = [(one.text or "").strip() for one in root if etree.QName(one).localname == "Comment"]
    for event in root.iter("{*}Event"):
        said = {etree.QName(one).localname: (one.text or "").strip() for one in event}
        if said.get("Outcome", "").upper() not in {"OK", ""}:
            lines.append(
                said.get("OutcomeDetailMessage") or said.get("EventDetail") or said["Outcome"]
            )
    return " ".join(dict.fromkeys(line for line in lines if line))[:2000]


def _instant(text: str) -> datetime | None:
    """An aware instant; VITAM writes the time of UTC without saying so."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
