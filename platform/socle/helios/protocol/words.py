"""Dates, amounts and things of the PES in French words."""

from datetime import date
from decimal import Decimal
from typing import Final

_MONTHS: Final = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip


def day(when: date) -> str:
    """2026-03-01 → « 1er mars 2026 »."""
    return f"{'1er' if when.day == 1 else when.day} {_MONTHS[when.month - 1]} {when.year}"


def euros(amount: Decimal) -> str:
    """1234.5 → « 1 234,50 € », with the no-break spaces French wants."""
    return f"{amount:,.2f}".replace(",", "\u202f").replace(".", ",") + "\u00a0€"


def count(number: int, one: str, several: str) -> str:
    """« 1 mandat », « 2 mandats »; zero is singular in French."""
    return f"{number} {several if number > 1 else one}"


def bordereau_name(domain: str, number: str, exercice: str) -> str:
    """« Bordereau de dépense n° 5 de l’exercice 2019 », leaving out what is empty."""
    of = f" de {domain.lower()}" if domain else ""
    year = f" de l’exercice {exercice}" if exercice else ""
    return f"Bordereau{of} n° {number or '?'}{year}"
