"""Answers as an S²LOW server writes them, and the numbers it knows its things by. Pure.

Only the façade uses this: the client reads the same answers with its own code (`answers`), so that
their agreement means something.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any, Final
from xml.sax.saxutils import escape

LATIN: Final = "iso-8859-1"
_DAYS: Final = (
    r"(?P<y>[0-9]{4})-(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})",
    r"(?P<d>[0-9]{1,2})/(?P<m>[0-9]{1,2})/(?P<y>[0-9]{4})",
)


class Thing(IntEnum):
    """What a number names: S²LOW has one series for all its transactions, we have tables."""

    FILE = 0
    ACT = 1
    LETTER = 2
    CANCELLATION = 6
    CLASSIFICATION = 7
    BUSINESS_XML = 9


class Status(IntEnum):
    """The states of a transaction (ACTES and HELIOS have these in common)."""

    ERROR = -1
    CANCELLED = 0
    POSTED = 1
    TRANSMITTED = 3
    ACKNOWLEDGED = 4
    REFUSED = 6
    RECEIVED = 7
    RECEIPT_SENT = 8
    WAITS_TO_BE_POSTED = 17
    RECEIVED_WITHOUT_RECEIPT = 21


ACTES_LABELS: Final[Mapping[Status, str]] = {
    Status.ERROR: "Erreur",
    Status.CANCELLED: "Annulé",
    Status.POSTED: "Posté",
    Status.TRANSMITTED: "Transmis",
    Status.ACKNOWLEDGED: "Acquittement reçu",
    Status.RECEIVED: "Document reçu",
    Status.RECEIPT_SENT: "Acquittement envoyé",
    Status.WAITS_TO_BE_POSTED: "En attente d'être postée",
    Status.RECEIVED_WITHOUT_RECEIPT: "Document reçu (pas d'AR)",
}


@dataclass(frozen=True, slots=True)
class Numbered:
    """One of our things, as a caller names it: one integer."""

    thing: Thing
    key: int

    def __int__(self) -> int:
        return self.key * 10 + self.thing

    @classmethod
    def read(cls, number: str) -> "Numbered | None":
        """What `number` names, None when no number of ours looks like it."""
        if not re.fullmatch(r"[0-9]{1,18}", number):
            return None
        key, thing = divmod(int(number), 10)
        return cls(Thing(thing), key) if thing in set(Thing) and key else None


def ok(value: object = "") -> bytes:
    """« OK », the value on its own line (ISO-8859-1)."""
    return _lines("OK", str(value))


def ko(message: str) -> bytes:
    """« KO », why on its own line, markup escaped (ISO-8859-1, what it lacks is transliterated)."""
    return _lines("KO", escape(" ".join(message.split())))


def status(number: Status, attached: bytes = b"") -> bytes:
    """The state of a transaction, then the raw bytes that came with it."""
    return _lines("OK", str(int(number))) + attached


def as_json(value: Any) -> bytes:
    """JSON in ASCII: it reads the same in every encoding."""
    return json.dumps(value, ensure_ascii=True).encode("ascii")


def imported(number: int, message: str, *, ok: bool) -> bytes:
    """The answer to a HELIOS deposit; ASCII, whatever the message holds."""
    facts = {"id": number or "", "resultat": "OK" if ok else "KO", "message": message}
    return _xml("import", facts.items())


def helios_status(number: str, state: int | None, message: str) -> bytes:
    """The state of a HELIOS transaction; without `state` it is a refusal."""
    facts: list[tuple[str, object]] = [("id", number)]
    facts += [("resultat", "KO" if state is None else "OK"), ("message", message)]
    if state is not None:
        facts.append(("status", state))
    return _xml("transaction", facts)


def retours(siren: str, found: Iterable[tuple[int, str, date]], *, on: date) -> bytes:
    """The PES_Retour nobody took yet: (number, name, day received)."""
    head = [("idColl", siren), ("resultat", ""), ("message", "liste réussi"), ("dateDemande", on)]
    rows = "".join(
        _element("pes_retour", [("id", number), ("nom", name), ("date", day)])
        for number, name, day in found
    )
    return _document(_element("liste", head, rows))


def retour_read(number: str, *, ok: bool, message: str) -> bytes:
    """The answer to « this retour is read »."""
    facts = [("idRetour", number), ("resultat", "OK" if ok else "KO"), ("message", message)]
    return _xml("transaction", facts)


def text_of(value: str) -> str:
    """A text field that was read as ISO-8859-1, as its writer meant it.

    Software that sends UTF-8 is understood too: bytes that are valid UTF-8 with accents are hardly
    ever meant as Latin-1.
    """
    try:
        return value.encode(LATIN).decode()
    except UnicodeError:
        return value


def day_of(written: str) -> date | None:
    """`2026-11-25`, `2026-1-5` or `25/11/2026`; None when it is no day."""
    for pattern in (
        r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})",
        r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})",
    ):
        if found := re.fullmatch(pattern, written.strip()):
            try:
                return date(int(found["y"]), int(found["m"]), int(found["d"]))
            except ValueError:
                return None
    return None


def matter_of(levels: Iterable[str]) -> str:
    """`classif1`…`classif5`, or one « 2-1-1-0-0 », as a code such as « 2.1.1 »."""
    given = [one.strip() for one in levels if one.strip()]
    if len(given) == 1:
        given = re.split(r"[-.]", given[0])
    while given and given[-1] in {"", "0"}:
        given.pop()
    return ".".join(given)


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode(LATIN, "xmlcharrefreplace")


def _xml(name: str, facts: Iterable[tuple[str, object]]) -> bytes:
    return _document(_element(name, facts))


def _document(root: str) -> bytes:
    head = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
    return (head + root).encode("ascii", "xmlcharrefreplace")


def _element(name: str, facts: Iterable[tuple[str, object]], more: str = "") -> str:
    inside = "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in facts)
    return f"<{name}>{inside}{more}</{name}>"
