import json
from datetime import datetime, timedelta, timezone

import pytest

from socle.journal.canonical import NO_SEAL, SealLine, encode, stamp
from socle.journal.merkle import Frontier, leaf_hash
from tests.journal.samples import MONDAY, entry

PARIS_SUMMER = timezone(timedelta(hours=2))


def test_an_entry_is_one_sorted_line_without_space() -> None:
    assert entry(3).encode().decode() == (
        '{"actor_id":7,"actor_label":"Zoé Ferré","at":"2026-03-02T08:33:00.000000Z",'
        '"detail":{"number":"DE-003"},"event":"actes.deposited","outcome":"done","position":3,'
        '"subject_id":"3","subject_type":"actes.Act"}'
    )


def test_the_leaf_is_the_hash_of_that_line() -> None:
    assert entry(3).leaf() == leaf_hash(entry(3).encode())


def test_the_order_of_the_detail_does_not_matter() -> None:
    one, other = {"a": 1, "b": [True, None]}, {"b": [True, None], "a": 1}
    assert entry(1, detail=one).leaf() == entry(1, detail=other).leaf()


def test_the_same_instant_is_written_the_same_whatever_its_zone() -> None:
    local = datetime(2026, 7, 1, 14, 0, 0, 5, tzinfo=PARIS_SUMMER)
    assert stamp(local) == "2026-07-01T12:00:00.000005Z"


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        stamp(datetime(2026, 7, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    "event", ["deposited", "Actes.deposited", "actes.", "actes.déposé", "a b.c"]
)
def test_an_event_code_is_dotted_lower_case(event: str) -> None:
    with pytest.raises(ValueError, match="event code"):
        entry(1, event=event).check()


@pytest.mark.parametrize(
    "detail", [{"rate": 1.5}, {"at": MONDAY}, {3: "x"}, {"in": [{"raw": b""}]}]
)
def test_what_json_would_not_give_back_is_refused(detail: dict[object, object]) -> None:
    with pytest.raises(TypeError):
        entry(1, detail=detail).check()


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "maybe"},
        {"detail": {"a": "\x00"}},
        {"detail": {"a\x00": 1}},
        {"subject_id": "\x00"},
        {"detail": {"text": "\udc80"}},
        {"detail": {"text": "x" * 8200}},
    ],
)
def test_what_the_database_could_not_keep_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # UnicodeEncodeError is one
        entry(1, **changes).check()


def test_an_ordinary_entry_is_accepted() -> None:
    entry(1, detail={"n": 10**30, "tags": ["é", None, True], "in": {"deep": ""}}).check()


def test_a_seal_repeats_the_hash_of_the_seal_before_it() -> None:
    first = seal(1, Frontier().append(entry(1).leaf()), NO_SEAL)
    second = seal(2, Frontier().append(entry(1).leaf()), first.digest())
    assert json.loads(encode(second.statement()))["previous_hash"] == first.digest().hex()


@pytest.mark.parametrize("change", ["number", "journal", "previous_hash"])
def test_everything_a_seal_says_changes_its_hash(change: str) -> None:
    frontier = Frontier().append(entry(1).leaf())
    other = {"number": 2, "journal": "celles", "previous_hash": bytes([1] * 32)}[change]
    before = seal(1, frontier, NO_SEAL)
    assert SealLine(**{**vars(before), change: other}).digest() != before.digest()


def test_peaks_that_do_not_carry_the_root_are_refused() -> None:
    sound = seal(1, Frontier().extend([entry(1).leaf(), entry(2).leaf()]), NO_SEAL)
    with pytest.raises(ValueError, match="do not carry its root"):
        SealLine(**{**vars(sound), "root": bytes(32)}).frontier()


def seal(number: int, frontier: Frontier, previous: bytes) -> SealLine:
    return SealLine.over(
        frontier, number=number, journal="melle", previous_hash=previous, at=MONDAY
    )
