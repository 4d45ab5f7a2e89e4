"""Breakdowns a tester can order from the server, one at a time."""

import re
from dataclasses import dataclass
from typing import Final, Self

from socle.core.refusals import Refusal

MODES: Final = (
    "ok",
    "500",
    "slow",
    "slow-answer",
    "drop-after-store",
    "drop-before-store",
    "html-200",
)
_WITH_SECONDS: Final = frozenset({"slow", "slow-answer"})
MAX_SLOWNESS: Final = 300.0
_SLOW: Final = re.compile(r"(slow|slow-answer):(\d{1,3}(?:\.\d{1,3})?)", re.ASCII)


class UnknownBreakdown(Refusal):
    """The mode asked for does not exist."""

    code = "unknown-breakdown"


@dataclass(frozen=True, slots=True)
class Breakdown:
    """`mode` is one of `MODES`; `seconds` is how long the slow ones wait.

    `slow` waits before it does anything, `slow-answer` stores a deposit first and answers late.
    """

    mode: str = "ok"
    seconds: float = 0.0

    @classmethod
    def read(cls, text: object) -> Self:
        """Read `ok`, `500`, `slow:<seconds>`, `slow-answer:<seconds>`, `drop-…` or `html-200`.

        Raises `UnknownBreakdown`.
        """
        slow = _SLOW.fullmatch(text) if isinstance(text, str) else None
        if slow and float(slow[2]) <= MAX_SLOWNESS:
            return cls(slow[1], float(slow[2]))
        if isinstance(text, str) and text in MODES and text not in _WITH_SECONDS:
            return cls(text)
        raise UnknownBreakdown(
            "Panne inconnue : choisissez ok, 500, slow:<secondes>, slow-answer:<secondes>, "
            "drop-after-store, drop-before-store ou html-200."
        )

    def __str__(self) -> str:
        return f"{self.mode}:{self.seconds:g}" if self.mode in _WITH_SECONDS else self.mode
