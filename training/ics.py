"""Calendar invitations: iCalendar (RFC 5545) carrying iTIP requests and cancellations (RFC 5546).

Pure: no Django. A calendar program follows one meeting by its UID; a higher SEQUENCE replaces what
it knew, and METHOD says whether the meeting stands (REQUEST) or not (CANCEL).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from socle.core.clock import PARIS

PRODUCT: Final = "-//Socle//Formation//FR"
LINE_OCTETS: Final = 75
"""RFC 5545 §3.1: a line has at most 75 octets, its end excluded."""

# RFC 5545 §3.6.5: a DTSTART with a TZID needs the rules of that zone in the same calendar.
_ZONE: Final = (
    "BEGIN:VTIMEZONE",
    "TZID:Europe/Paris",
    "BEGIN:DAYLIGHT",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "TZNAME:CEST",
    "DTSTART:19960331T020000",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "END:DAYLIGHT",
    "BEGIN:STANDARD",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "TZNAME:CET",
    "DTSTART:19961027T030000",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "END:STANDARD",
    "END:VTIMEZONE",
)


class Method(StrEnum):
    """What the receiver's calendar has to do."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


_STATUS: Final = {Method.REQUEST: "CONFIRMED", Method.CANCEL: "CANCELLED"}


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody named in an invitation, with an address."""

    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One meeting; both instants are aware. `uid` never changes, `sequence` only grows."""

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    summary: str
    organizer: Party
    attendee: Party
    location: str = ""
    description: str = ""
    url: str = ""


def calendar(method: Method, events: Sequence[Event], *, at: datetime) -> bytes:
    """The text/calendar file (UTF-8, CRLF) of `events`, stamped `at` (aware)."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        f"METHOD:{method}",
        *_ZONE,
    ]
    for event in events:
        lines += _event(method, event, at)
    lines.append("END:VCALENDAR")
    return b"".join(fold(line) for line in lines)


def media_type(content: bytes) -> str:
    """The media type of a `calendar`, with the method its readers look for (RFC 5545 §8.1)."""
    method = next(one for one in Method if f"\r\nMETHOD:{one}\r\n".encode() in content)
    return f"text/calendar; charset=utf-8; method={method}"


def fold(line: str) -> bytes:
    """`line` in UTF-8 with its CRLF, cut after 75 octets at most, never inside a character."""
    parts, part = [], b""
    for character in line:
        encoded = character.encode()
        # A continuation begins with a space, which counts in its 75 octets.
        limit = LINE_OCTETS if not parts else LINE_OCTETS - 1
        if len(part) + len(encoded) > limit:
            parts.append(part)
            part = b""
        part += encoded
    return b"\r\n ".join([*parts, part]) + b"\r\n"


def escape(text: str) -> str:
    """`text` as a TEXT value (RFC 5545 §3.3.11); line feeds are kept, other controls dropped."""
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,")):
        text = text.replace(plain, written)
    text = text.replace("\r\n", "\n").replace("\n", "\\n")
    return "".join(character for character in text if character.isprintable() or character == "\t")


def _event(method: Method, event: Event, at: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{escape(event.uid)}"
    yield f"DTSTAMP:{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield f"SEQUENCE:{event.sequence}"
    yield f"STATUS:{_STATUS[method]}"
    yield f"DTSTART;TZID=Europe/Paris:{event.starts_at.astimezone(PARIS):%Y%m%dT%H%M%S}"
    yield f"DTEND;TZID=Europe/Paris:{event.ends_at.astimezone(PARIS):%Y%m%dT%H%M%S}"
    yield f"SUMMARY:{escape(event.summary)}"
    for name, value in (("LOCATION", event.location), ("DESCRIPTION", event.description)):
        if value:
            yield f"{name}:{escape(value)}"
    if event.url:
        yield f"URL:{_uri(event.url)}"
    yield f"ORGANIZER;CN={_quoted(event.organizer.name)}:mailto:{_uri(event.organizer.email)}"
    answer = "TRUE" if method is Method.REQUEST else "FALSE"
    yield (
        f"ATTENDEE;CN={_quoted(event.attendee.name)};ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;"
        f"RSVP={answer}:mailto:{_uri(event.attendee.email)}"
    )
    yield "END:VEVENT"


def _uri(text: str) -> str:
    return "".join(character for character in text if character.isprintable() and character != " ")


def _quoted(text: str) -> str:
    """A parameter value; it cannot hold a double quote (RFC 5545 §3.2)."""
    clean = "".join(character for character in text if character.isprintable())
    return '"' + clean.replace('"', "'") + '"'
