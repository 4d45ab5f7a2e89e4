"""Bar charts drawn on the server as SVG, without script and without fixed width.

Positions are percentages and text keeps its size, so that a bar chart is as readable on a phone
as on a wide screen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from socle.web import formats

STEP: Final = 46  # height of one bar with its label, in pixels
Number = int | float | Decimal


@dataclass(frozen=True)
class Bar:
    """One line of the chart; `width` is a percentage of the longest possible bar."""

    label: str
    written: str
    width: str
    text_y: int
    bar_y: int


@dataclass(frozen=True)
class Chart:
    """A drawn chart: its bars from top to bottom, its height in pixels and its spoken summary."""

    bars: tuple[Bar, ...]
    height: int
    description: str
    target: str


def draw(
    rows: Iterable[tuple[str, Number]],
    *,
    unit: str = "",
    decimals: int = 0,
    maximum: Number | None = None,
    target: Number | None = None,
) -> Chart:
    """Lay out (label, value) pairs, values being zero or more.

    `unit` follows each number, « dossier,dossiers » when it agrees with it; `maximum` is the value
    of a full bar (default: the largest one or the target); `target` adds a mark. A negative value
    raises ValueError.
    """
    pairs = [(label, Decimal(str(value))) for label, value in rows]
    if any(value < 0 for _, value in pairs):
        raise ValueError("a bar chart shows no negative value")
    goal = None if target is None else Decimal(str(target))
    full = _full(pairs, maximum, goal)
    bars = tuple(
        Bar(
            label=label,
            written=written(value, unit, decimals),
            width=_percent(value, full),
            text_y=position * STEP + 15,
            bar_y=position * STEP + 22,
        )
        for position, (label, value) in enumerate(pairs)
    )
    return Chart(
        bars=bars,
        height=max(len(bars), 1) * STEP,
        description=describe(bars),
        target="" if goal is None else _percent(goal, full),
    )


def describe(bars: Sequence[Bar]) -> str:
    """Say the chart in one sentence, for those who hear it."""
    if not bars:
        return "Aucune donnée."
    return " ; ".join(f"{bar.label} : {bar.written}" for bar in bars) + "."


def _full(
    pairs: list[tuple[str, Decimal]], maximum: Number | None, goal: Decimal | None
) -> Decimal:
    if maximum is not None:
        return Decimal(str(maximum))
    values = [value for _, value in pairs] + ([goal] if goal is not None else [])
    return max(values, default=Decimal(0)) or Decimal(1)


def _percent(value: Decimal, full: Decimal) -> str:
    return f"{min(value / full, Decimal(1)) * 100:.2f}%"


def written(value: Number, unit: str = "", decimals: int = 0) -> str:
    """A number with its unit, as the chart and its table write it."""
    singular, _, plural = unit.partition(",")
    noun = singular if value < 2 or not plural else plural  # French puts 0 and 1,5 in the singular
    return formats.number(value, decimals) + (f"{formats.NBSP}{noun}" if noun else "")
