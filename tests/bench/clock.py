"""Two things timed in turn."""

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any


def seconds(action: Callable[[], object]) -> float:
    """How long `action` takes, the garbage collector kept out."""
    gc.collect()
    gc.disable()
    begun = time.perf_counter()
    try:
        action()
    finally:
        gc.enable()
    return time.perf_counter() - begun


def compare(
    name: str,
    ours: Callable[[], object],
    bound: Callable[[], object],
    *,
    limit: float,
    rounds: int,
    detail: str,
) -> dict[str, Any]:
    """Run `ours` and `bound` in turn and give the ratio of their medians."""
    ours()
    bound()  # both warm
    pairs = [(seconds(ours), seconds(bound)) for _ in range(rounds)]
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    return line(
        name,
        mine / theirs,
        limit=limit,
        detail=f"{detail}; {mine * 1000:.1f} ms / {theirs * 1000:.1f} ms, {rounds} rounds",
    )


def line(name: str, ratio: float, *, limit: float, detail: str) -> dict[str, Any]:
    """One figure as it is printed."""
    return {
        "name": name,
        "ratio": round(ratio, 3),
        "limit": limit,
        "ok": ratio <= limit,
        "detail": detail,
    }
