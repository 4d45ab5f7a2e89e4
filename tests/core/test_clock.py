"""The legal clock: Paris dates, public holidays and working days."""

from datetime import UTC, date, datetime

import pytest

from socle.core import clock


def test_the_legal_day_begins_at_midnight_in_paris() -> None:
    assert clock.legal_date(datetime(2026, 6, 30, 21, 59, tzinfo=UTC)) == date(2026, 6, 30)
    assert clock.legal_date(datetime(2026, 6, 30, 22, 0, tzinfo=UTC)) == date(2026, 7, 1)


def test_the_legal_day_follows_winter_time() -> None:
    assert clock.legal_date(datetime(2026, 12, 31, 22, 59, tzinfo=UTC)) == date(2026, 12, 31)
    assert clock.legal_date(datetime(2026, 12, 31, 23, 0, tzinfo=UTC)) == date(2027, 1, 1)


def test_a_naive_moment_has_no_legal_date() -> None:
    with pytest.raises(ValueError, match="aware"):
        clock.legal_date(datetime(2026, 6, 30, 12, 0))  # noqa: DTZ001


@pytest.mark.parametrize(
    "easter",
    [
        date(1818, 3, 22),
        date(1943, 4, 25),
        date(2000, 4, 23),
        date(2024, 3, 31),
        date(2026, 4, 5),
        date(2038, 4, 25),
    ],
)
def test_easter_falls_when_the_church_says(easter: date) -> None:
    assert clock.easter_sunday(easter.year) == easter


def test_2026_has_the_eleven_holidays_of_the_labour_code() -> None:
    assert sorted(clock.public_holidays(2026)) == [
        date(2026, 1, 1),
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2026, 5, 8),
        date(2026, 5, 14),
        date(2026, 5, 25),
        date(2026, 7, 14),
        date(2026, 8, 15),
        date(2026, 11, 1),
        date(2026, 11, 11),
        date(2026, 12, 25),
    ]


def test_two_holidays_may_fall_on_one_day() -> None:
    assert len(clock.public_holidays(2008)) == 10


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 7, 13), True),
        (date(2026, 7, 14), False),
        (date(2026, 7, 18), False),
        (date(2026, 7, 19), False),
        (date(2026, 12, 26), False),
        (date(2025, 12, 26), True),
        (date(2026, 4, 3), True),
    ],
)
def test_working_days_exclude_weekends_and_holidays_only(day: date, worked: bool) -> None:
    assert clock.is_working_day(day) is worked


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (date(2026, 7, 13), 1, date(2026, 7, 15)),
        (date(2026, 7, 18), 1, date(2026, 7, 20)),
        (date(2025, 12, 24), 5, date(2026, 1, 2)),
        (date(2026, 5, 26), -1, date(2026, 5, 22)),
        (date(2026, 7, 14), 0, date(2026, 7, 14)),
    ],
)
def test_working_days_are_counted_from_the_next_day(start: date, count: int, end: date) -> None:
    assert clock.add_working_days(start, count) == end
