"""How many acts, of what nature, in which month, and how long the préfecture takes."""

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Final

from django.db.models import Count
from django.db.models.functions import ExtractMonth

from socle.actes.models import NATURES, Act, ActState, Kind, Transaction
from socle.core.clock import PARIS

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


@dataclass(frozen=True, slots=True)
class Year:
    """The acts transmitted in one year. `median` is from the deposit to its acknowledgement."""

    total: int
    refused: int
    median: timedelta | None
    by_nature: list[tuple[str, int]]
    by_month: list[tuple[str, int]]


def of_year(year: int) -> Year:
    """The figures of one year (Paris time): four queries."""
    sent = Act.objects.filter(deposited_at__year=year).exclude(
        state__in=(ActState.DRAFT, ActState.WAITING)
    )
    natures = dict(sent.values_list("nature").annotate(count=Count("pk")).order_by())
    months = dict(
        sent.annotate(month=ExtractMonth("deposited_at", tzinfo=PARIS))
        .values_list("month")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return Year(
        total=sum(natures.values()),
        refused=sent.filter(state=ActState.ANOMALY).count(),
        median=_median(year),
        by_nature=[(label, natures.get(code, 0)) for code, label in NATURES],
        by_month=[(name, months.get(rank, 0)) for rank, name in enumerate(MONTHS, 1)],
    )


def years() -> list[int]:
    """The years in which something was transmitted, newest first."""
    sent = Act.objects.exclude(deposited_at=None)
    return [at.year for at in sent.datetimes("deposited_at", "year", order="DESC", tzinfo=PARIS)]


def written(delay: timedelta) -> str:
    """A delay as people say it: « 2 jours 3 h », « 4 h 05 », « 7 min », « moins d’une minute »."""
    minutes = int(delay.total_seconds()) // 60
    if not minutes:
        return "moins d’une minute"
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} jour{'s' if days > 1 else ''} {hours} h"
    return f"{hours} h {minutes % 60:02d}" if hours else f"{minutes} min"


def _median(year: int) -> timedelta | None:
    answered = Transaction.objects.filter(
        kind=Kind.ACTE, state="acknowledged", act__deposited_at__year=year
    ).exclude(answered_at=None)
    times = answered.values_list("act__deposited_at", "answered_at")
    seconds = [(end - start).total_seconds() for start, end in times]
    return timedelta(seconds=median(seconds)) if seconds else None
