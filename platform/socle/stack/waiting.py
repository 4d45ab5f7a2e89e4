"""Waiting for something to become true, within a limit."""

import time
from collections.abc import Callable


def wait_until(check: Callable[[], bool], *, seconds: float, pause: float = 0.02) -> bool:
    """Call `check` every `pause` seconds until it answers true; give up after `seconds`.

    Returns the last answer, so that `False` means that time ran out.
    """
    limit = time.monotonic() + seconds
    while not (answer := check()) and time.monotonic() < limit:
        time.sleep(pause)
    return answer
