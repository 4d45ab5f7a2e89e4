"""French written forms of amounts, numbers, sizes and instants. Pure functions."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

PARIS: Final = ZoneInfo("Europe/Paris")
NBSP: Final = "\u00a0"
DAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS: Final = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
UNITS: Final = ((10**9, "Go"), (10**6, "Mo"), (10**3, "ko"))


def number(value: Decimal | int | float, decimals: int = 0) -> str:
    """Write a number the French way: 1234.5 with two decimals → « 1 234,50 »."""
    quantum = Decimal(1).scaleb(-decimals)
    exact = Decimal(str(value)).quantize(quantum, rounding=ROUND_HALF_UP)
    return f"{exact:,f}".replace(",", NBSP).replace(".", ",")


def euros(amount: Decimal | int | float) -> str:
    """Write an amount given in euros: 1234.5 → « 1 234,50 € »."""
    return f"{number(amount, 2)}{NBSP}€"


def identifier(digits: str) -> str:
    """Group a SIREN (9 digits) or SIRET (14 digits); anything else comes back unchanged."""
    compact = "".join(str(digits).split())
    if not compact.isdecimal() or len(compact) not in (9, 14):
        return str(digits)
    groups = [compact[:3], compact[3:6], compact[6:9], compact[9:]]
    return NBSP.join(group for group in groups if group)


def size(octets: int) -> str:
    """Write a size in decimal units (1 ko = 1 000 octets): 12400000 → « 12,4 Mo »."""
    for threshold, unit in UNITS:
        if octets >= threshold:
            scaled = number(Decimal(octets) / threshold, 1).removesuffix(",0")
            return f"{scaled}{NBSP}{unit}"
    return count(octets, "octet", "octets")


def count(quantity: int, singular: str, plural: str, none: str = "") -> str:
    """Agree a noun with its number; French puts 0 and 1 in the singular.

    `none`, when given, replaces the whole phrase for zero (« aucun acte »).
    """
    if quantity == 0 and none:
        return none
    noun = singular if abs(quantity) < 2 else plural
    return f"{number(quantity)}{NBSP}{noun}"


def in_paris(at: datetime) -> datetime:
    """Move an aware instant to the legal clock; a naive one proves no time: ValueError."""
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone")
    return at.astimezone(PARIS)


def day(when: date) -> str:
    """Write a day in full: « mardi 24 novembre 2026 »; an instant is read on the clock of Paris."""
    when = in_paris(when) if isinstance(when, datetime) else when
    ordinal = "1er" if when.day == 1 else str(when.day)
    return f"{DAYS[when.weekday()]} {ordinal} {MONTHS[when.month - 1]} {when.year}"


def instant(at: datetime) -> str:
    """Write an instant on the clock of Paris: « 24/11/2026 à 14 h 05 »."""
    legal = in_paris(at)
    return f"{legal:%d/%m/%Y}{NBSP}à{NBSP}{legal.hour}{NBSP}h{NBSP}{legal:%M}"
