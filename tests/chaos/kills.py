"""kill -9, part by part, each started again as a supervisor would."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg

from socle.core.refusals import Refusal
from socle.stack import processes
from socle.stack.service import Process, Service
from socle.stack.waiting import wait_until
from tests.chaos.ground import Arena

RECOVERY = 180.0
"""Seconds a part may take to be back; beyond is a fault."""
Way = Callable[[], bool]
"""Kills; false when there was nothing left to kill."""


@dataclass
class Toll:
    """How often what was killed, how long it took to be back, and what died by itself."""

    kills: Counter[str] = field(default_factory=Counter)
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    deaths: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def total(self) -> int:
        """Kills so far."""
        return sum(self.kills.values())


class Part:
    """One part of the stack: how it may die, how it comes back."""

    def __init__(
        self, service: Service, ways: dict[str, Way], *, lives: tuple[float, float],
        is_back: Callable[[], bool],
    ) -> None:  # fmt: skip
        """`lives` is the shortest and the longest it is left alone between two kills, seconds."""
        self.service, self.ways, self.lives, self.is_back = service, ways, lives, is_back

    def revive(self) -> None:
        """Start it again when it is dead, until it serves. Raises Refusal."""
        end, why = time.monotonic() + RECOVERY, ""
        while time.monotonic() < end:
            try:
                if not self.service.alive():
                    self.service.stop()  # clears what is left of its process group
                    self.service.start()
                if wait_until(self.is_back, seconds=5, pause=0.1):
                    return
            except Refusal as refusal:
                why = str(refusal)
        raise Refusal(f"{self.service.label} : pas revenu en {RECOVERY:.0f} s. {why}")


class Reaper(threading.Thread):
    """Kills one part again and again while `wanted()`, and looks after it until `close`."""

    def __init__(
        self, part: Part, toll: Toll, *, rng: random.Random, wanted: Callable[[], bool]
    ) -> None:
        super().__init__(name=f"reaper-{part.service.name}", daemon=True)
        self.part, self.toll, self.rng, self.wanted = part, toll, rng, wanted
        self._closed = threading.Event()

    def run(self) -> None:
        """Live, kill, revive."""
        while not self._closed.is_set():
            self._closed.wait(self.rng.uniform(*self.part.lives))
            if not self._closed.is_set():
                self._round()

    def close(self) -> None:
        """Leave the part alone, alive."""
        self._closed.set()
        self.join()

    def _round(self) -> None:
        what = ""
        if not self.part.service.alive():
            self.toll.deaths[self.part.service.label] += 1
        elif (what := self._way()) and not self.part.ways[what]():
            with self.toll.lock:
                self.toll.kills[what] -= 1
            what = ""
        began = time.monotonic()
        try:
            self.part.revive()
        except Refusal as refusal:
            self.toll.faults.append(str(refusal))
        if what:
            self.toll.recoveries.setdefault(what, []).append(time.monotonic() - began)

    def _way(self) -> str:
        """How it dies now; empty when it is left alone."""
        with self.toll.lock:
            if not (self.part.ways and self.wanted()):
                return ""
            what = self.rng.choice(sorted(self.part.ways))
            self.toll.kills[what] += 1
            return what


def parts_of(arena: Arena) -> list[Part]:
    """The parts that are killed, and the clock, which is only looked after."""
    web, beat, postgres = arena.parts["web"], arena.parts["beat"], arena.postgres
    of_web: dict[str, Way] = {
        "un processus web": partial(_kill_child, web),
        "serveur web entier": partial(_kill_group, web),
    }
    of_broker: dict[str, Way] = {"file d'attente": partial(_kill_group, arena.broker)}
    of_postgres: dict[str, Way] = {
        "PostgreSQL entier": partial(_kill_cluster, arena),
        "une session de PostgreSQL": partial(_kill_session, arena),
    }
    workers = [
        Part(
            one,
            {"worker Celery entier": partial(_kill_group, one)},
            lives=(0.3, 5),
            is_back=partial(_is_ready, one),
        )
        for one in (arena.parts["worker"], arena.parts["worker2"])
    ]
    return [
        *workers,
        Part(web, of_web, lives=(0.5, 5), is_back=partial(_is_ready, web)),
        Part(arena.broker, of_broker, lives=(2, 9), is_back=arena.broker.alive),
        Part(postgres, of_postgres, lives=(4, 12), is_back=partial(_accepts, arena)),
        Part(beat, {}, lives=(1, 1), is_back=beat.alive),
    ]


def _is_ready(process: Process) -> bool:
    """What the supervisor asks of it: for the web server, a page that needs the database."""
    return process.alive() and process.ready is not None and process.ready(process)


def _accepts(arena: Arena) -> bool:
    try:
        with arena.postgres.connect("socle") as db:
            return bool(db.execute("SELECT true").fetchone())
    except psycopg.Error:
        return False


def _kill(pid: int | None, send: Callable[[int, int], None] = os.kill) -> bool:
    if pid is None:
        return False
    try:
        send(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _kill_group(service: Service) -> bool:
    if not _kill(service.pid(), os.killpg):
        return False
    return wait_until(lambda: not service.alive(), seconds=10)


def _kill_child(service: Service) -> bool:
    children = _children(service.pid() or -1)
    return _kill(random.choice(children) if children else None)  # noqa: S311 -- of two twins


def _kill_cluster(arena: Arena) -> bool:
    """The postmaster first: it has no time to clean up after the others."""
    done = _kill(arena.postgres.pid())
    for pid in _cluster(arena):
        _kill(pid)
    return wait_until(lambda: not (arena.postgres.alive() or _cluster(arena)), seconds=10) and done


def _kill_session(arena: Arena) -> bool:
    """Any process but the first: the postmaster ends all the others, and recovers."""
    others = sorted(_cluster(arena) - {arena.postgres.pid() or 0})
    return _kill(random.choice(others) if others else None)  # noqa: S311 -- any


def _cluster(arena: Arena) -> set[int]:
    return processes.working_in(arena.postgres.data, {"postgres"})


def _children(parent: int) -> list[int]:
    return [int(one.name) for one in Path("/proc").glob("[0-9]*") if _parent(one) == parent]


def _parent(process: Path) -> int:
    try:
        status = (process / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return int(status.rpartition(")")[2].split()[1])
