"""Breakdowns a tester can order from the server, one at a time."""

import re
from dataclasses import dataclass
from typing import Final, Self

from socle.core.refusals import Refusal

MODES: Final = ("ok", "500", "slow", "drop-after-store", "drop-before-store", "html-200")
MAX_SLOWNESS: Final = 300.0
_SLOW: Final = re.compile(r"slow:(\d{1,3}(?:\.\d{1,3})?)", re.ASCII)


class UnknownBreakdown(Refusal):
    """The mode asked for does not exist."""

    code = "unknown-breakdown"


@dataclass(frozen=True, slots=True)
class Breakdown:
    """`mode` is one of `MODES`; `seconds` is the wait before each answer in mode `slow`."""

    mode: str = "ok"
    seconds: float = 0.0

    @classmethod
    def read(cls, text: object) -> Self:
        """Read `ok`, `500`, `slow:<seconds>`, `drop-…` or `html-200`. Raises `UnknownBreakdown`."""
        slow = _SLOW.fullmatch(text) if isinstance(text, str) else None
        if slow and float(slow[1]) <= MAX_SLOWNESS:
            return cls("slow", float(slow[1]))
        if isinstance(text, str) and text in MODES and text != "slow":
            return cls(text)
        raise UnknownBreakdown(
            "Panne inconnue : choisissez ok, 500, slow:<secondes>, drop-after-store, "
            "drop-before-store ou html-200."
        )

    def __str__(self) -> str:
        return f"slow:{self.seconds:g}" if self.mode == "slow" else self.mode
