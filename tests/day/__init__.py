"""The day of the suite: today, or the one `make test ON=…` names.

One figure, `SOCLE_TEST_SHIFT`, seconds between the real clock and the suite's, moves them all:
this process, its children (`sitecustomize` beside this file) and PostgreSQL's `socle_now()`.
What the operating system's clock still rules is TLS, the `openssl` command and the browser:
certificates made for them are good on both days (`earliest`, `latest`), and a test beside a peer
whose clock is not ours goes to its day (`of_the_system`).
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import time_machine

DAY: Final = "SOCLE_TEST_DAY"
SHIFT: Final = "SOCLE_TEST_SHIFT"
HERE: Final = Path(__file__).resolve().parent


def begin() -> None:
    """Move to the day of `SOCLE_TEST_DAY` (ISO 8601 date, or date and time, in Paris), once."""
    if SHIFT in os.environ or not (asked := os.environ.get(DAY)):
        return
    os.environ[SHIFT] = str(_shift_to(asked))
    others = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HERE), others)))
    sys.path.insert(0, str(HERE))
    import sitecustomize  # noqa: F401 -- this process too

    sys.path.remove(str(HERE))


def _shift_to(asked: str) -> float:
    now = datetime.now(ZoneInfo("Europe/Paris"))
    there = datetime.fromisoformat(asked)
    if "T" not in asked:  # the same time of the day
        there = datetime.combine(there, now.time())
    return there.replace(tzinfo=now.tzinfo).timestamp() - now.timestamp()


def environment(*sources: str) -> dict[str, str]:
    """What a process with an environment of its own needs: `sources` on its path, and our day."""
    path = os.pathsep.join((str(HERE), *sources))
    return {"PYTHONPATH": path, SHIFT: os.environ.get(SHIFT, "0")}


def shift() -> timedelta:
    """How far the suite's clock is from the real one."""
    return timedelta(seconds=float(os.environ.get(SHIFT, "0")))


def sql() -> str:
    """What `socle_now()` becomes in a database of tests."""
    return (
        "CREATE OR REPLACE FUNCTION public.socle_now() RETURNS timestamptz LANGUAGE sql STABLE "
        f"SET search_path = pg_catalog AS $$SELECT now() + interval '{shift().total_seconds()} s'$$"
    )


def of_system() -> datetime:
    """What the operating system's clock says, wherever this process travels."""
    hatch = time_machine.escape_hatch
    return datetime.fromtimestamp(hatch.time.time() if hatch.is_travelling() else time.time(), UTC)


def earliest() -> datetime:
    """The earlier of the two clocks that look at one certificate: the suite's and the system's."""
    return of_system() + min(shift(), timedelta())


def latest() -> datetime:
    """The later of the two."""
    return of_system() + max(shift(), timedelta())


@contextmanager
def of_the_system() -> Iterator[None]:
    """Live on the operating system's day, with a peer whose clock is not ours: OpenSSL's."""
    with time_machine.travel(of_system(), tick=True):
        yield
