"""What comes back from a process we do not trust is what was announced, or nothing."""

from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum
from typing import Any

import pytest

from socle.core.plain import plain, rebuilt


class Colour(StrEnum):
    RED = "red"


class Rank(IntEnum):
    FIRST = 1


@dataclass(frozen=True)
class Inner:
    day: date | None
    children: tuple["Inner", ...] = ()


@dataclass(frozen=True)
class Outer:
    name: str
    colour: Colour
    rank: Rank
    inner: Inner | None
    code: tuple[int, ...]
    sure: bool


VALUE = Outer(
    "é\n", Colour.RED, Rank.FIRST, Inner(date(2026, 1, 2), (Inner(None),)), (1, 2), sure=True
)


def test_a_value_comes_back() -> None:
    assert rebuilt(Outer, plain(VALUE)) == VALUE
    assert rebuilt(Inner | Outer, plain(VALUE)) == VALUE
    assert rebuilt(tuple[tuple[str, Outer], ...], plain([("a", VALUE)])) == (("a", VALUE),)


def test_a_text_comes_back_legible() -> None:
    assert rebuilt(str, "a\0b\ud800c\u202ed\x1b") == "abcd"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Outer, None),
        (Outer, {"": "Inner"}),
        (Outer, plain(VALUE) | {"name": 3}),
        (Outer, plain(VALUE) | {"colour": "blue"}),
        (Outer, plain(VALUE) | {"code": "12"}),
        (Outer, plain(VALUE) | {"code": [True]}),
        (Inner | Outer, {"": "Popen"}),
        (tuple[str, int], ["a", 1, 2]),
        (date, "2026-02-30"),
        (int, 1.5),
        (object, {}),
    ],
)
def test_what_was_not_announced_is_refused(kind: Any, said: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- fromisoformat and enums have their own words
        rebuilt(kind, said)
