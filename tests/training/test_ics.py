"""Calendar files that calendars understand."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import ics

START = datetime(2026, 7, 1, 7, tzinfo=UTC)


def event(**changes: object) -> ics.Event:
    facts: dict[str, object] = {
        "uid": "place-1@socle.example",
        "sequence": 0,
        "starts_at": START,
        "ends_at": START + timedelta(hours=2),
        "summary": "Formation : actes, budgets; suite",
        "organizer": ics.Party("Syndicat", "formation@syndicat.example"),
        "attendee": ics.Party('Camille "Cam" Testard', "camille@melle.example"),
    }
    return ics.Event(**(facts | changes))  # type: ignore[arg-type]


def unfolded(content: bytes) -> list[str]:
    return content.decode().replace("\r\n ", "").split("\r\n")


@given(st.text())
def test_no_line_is_over_75_octets_and_unfolding_gives_the_line_back(text: str) -> None:
    line = ics.escape(text)
    folded = ics.fold(line)
    assert all(len(part) <= 75 for part in folded.removesuffix(b"\r\n").split(b"\r\n"))
    assert folded.removesuffix(b"\r\n").replace(b"\r\n ", b"").decode() == line


def test_a_line_of_75_octets_is_not_cut() -> None:
    assert ics.fold("x" * 75) == b"x" * 75 + b"\r\n"
    assert ics.fold("x" * 76) == b"x" * 75 + b"\r\n x\r\n"


def test_an_accented_letter_is_never_cut_in_two() -> None:
    first, rest = ics.fold("x" * 74 + "é").removesuffix(b"\r\n").split(b"\r\n ")
    assert (first.decode(), rest.decode()) == ("x" * 74, "é")


def test_text_values_are_escaped() -> None:
    assert ics.escape("a,b;c\\d\ne\r\nf\x07") == "a\\,b\\;c\\\\d\\ne\\nf"


def test_a_request_says_when_on_the_clock_of_paris_in_summer() -> None:
    lines = unfolded(ics.calendar(ics.Method.REQUEST, [event()], at=START))
    assert "METHOD:REQUEST" in lines
    assert "STATUS:CONFIRMED" in lines
    assert "DTSTART;TZID=Europe/Paris:20260701T090000" in lines
    assert "DTEND;TZID=Europe/Paris:20260701T110000" in lines
    assert "DTSTAMP:20260701T070000Z" in lines
    assert "TZID:Europe/Paris" in lines
    assert "SUMMARY:Formation : actes\\, budgets\\; suite" in lines


def test_a_cancellation_carries_the_same_uid_and_a_higher_sequence() -> None:
    lines = unfolded(ics.calendar(ics.Method.CANCEL, [event(sequence=3)], at=START))
    assert {"METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:3"} <= set(lines)
    assert "UID:place-1@socle.example" in lines


@pytest.mark.parametrize("method", ics.Method)
def test_the_media_type_says_the_method_and_nobody_has_answered_yet(method: ics.Method) -> None:
    content = ics.calendar(method, [event()], at=START)
    assert ics.media_type(content) == f"text/calendar; charset=utf-8; method={method}"
    assert b"NEEDS-ACTION" in content.replace(b"\r\n ", b"")
    assert b"PARTSTAT=ACCEPTED" not in content.replace(b"\r\n ", b"")


def test_a_quote_in_a_name_does_not_break_the_parameter() -> None:
    lines = unfolded(ics.calendar(ics.Method.REQUEST, [event()], at=START))
    attendee = next(line for line in lines if line.startswith("ATTENDEE"))
    assert attendee.startswith("ATTENDEE;CN=\"Camille 'Cam' Testard\";")
    assert attendee.endswith(":mailto:camille@melle.example")


def test_a_link_cannot_add_a_line() -> None:
    evil = event(url="https://a.example/\r\nATTENDEE:mailto:x@y", location="x\r\nURL:y")
    lines = unfolded(ics.calendar(ics.Method.REQUEST, [evil], at=START))
    assert sum(line.startswith("ATTENDEE") for line in lines) == 1
    assert sum(line.startswith("URL:") for line in lines) == 1


def test_every_line_ends_with_crlf() -> None:
    content = ics.calendar(ics.Method.REQUEST, [event()], at=START)
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert content.count(b"\n") == content.count(b"\r\n")
