"""The legal clock: Europe/Paris, and the working days of metropolitan France."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

PARIS: Final = ZoneInfo("Europe/Paris")


def legal_date(at: datetime) -> date:
    """Return the day it was in Paris at an instant; raise `ValueError` for a naive datetime."""
    if at.tzinfo is None:
        raise ValueError("a legal date needs an aware datetime")
    return at.astimezone(PARIS).date()


def easter_sunday(year: int) -> date:
    """Return Easter Sunday of a Gregorian year (the anonymous computus, Meeus 1991)."""
    golden, (century, rest) = year % 19, divmod(year, 100)
    leap_centuries, century_rest = divmod(century, 4)
    moon_shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - moon_shift + 15) % 30
    leap_years, year_rest = divmod(rest, 4)
    weekday = (32 + 2 * century_rest + 2 * leap_years - epact - year_rest) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


@cache
def public_holidays(year: int) -> Mapping[date, str]:
    """Return the eleven public holidays of metropolitan France, article L. 3133-1 code du travail.

    Alsace-Moselle has two more (Good Friday, 26 December) and each overseas département one:
    they are not counted here.
    """
    easter = easter_sunday(year)
    return MappingProxyType(
        {
            date(year, 1, 1): "Jour de l'An",
            easter + timedelta(days=1): "Lundi de Pâques",
            date(year, 5, 1): "Fête du Travail",
            date(year, 5, 8): "Victoire de 1945",
            easter + timedelta(days=39): "Ascension",
            easter + timedelta(days=50): "Lundi de Pentecôte",
            date(year, 7, 14): "Fête nationale",
            date(year, 8, 15): "Assomption",
            date(year, 11, 1): "Toussaint",
            date(year, 11, 11): "Armistice de 1918",
            date(year, 12, 25): "Noël",
        }
    )


def is_working_day(day: date) -> bool:
    """Say whether a day is a *jour ouvré*: Monday to Friday, public holidays excepted."""
    return day.weekday() < 5 and day not in public_holidays(day.year)


def add_working_days(day: date, count: int) -> date:
    """Return the `count`-th working day after `day`, or before it when `count` is negative.

    `day` itself is never counted, whether worked or not; a count of zero returns it unchanged.
    """
    step = timedelta(days=1 if count > 0 else -1)
    left = abs(count)
    while left:
        day += step
        left -= is_working_day(day)
    return day
