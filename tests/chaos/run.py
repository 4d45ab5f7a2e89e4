"""One run: the stack up, deposits and kills abreast of each other, quiet, the audit, the table."""

import json
import random
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg

from socle.core.clock import legal_date
from socle.stack.demo import REPOSITORY
from socle.stack.supervisor import Progress, write_line
from tests.chaos.deposits import Deposit, Software, planned
from tests.chaos.ground import Arena
from tests.chaos.kills import Reaper, Toll, parts_of

SOFTWARE: Final = 6
"""How many deposit at once."""
AHEAD: Final = 8
"""By how many deposits, or kills, one may be ahead of its share of the other."""
QUIET_WITHIN: Final = 900
"""Seconds after the last kill in which everything has to come to its end."""
LAST_WORD: Final = 120
FAULTS: Final = {"lost": "perdus", "doubled": "doublés", "stuck": "bloqués", "false": "faux"}
_OPEN: Final = """
SELECT (SELECT count(*) FROM delivery_outbound WHERE state IN ('due', 'sending')),
       (SELECT count(*) FROM delivery_inbound WHERE state = 'received'),
       (SELECT count(*) FROM delivery_inbound)
"""


@dataclass(frozen=True)
class Order:
    """What is asked for."""

    deposits: int
    kills: int
    poisoned: int
    seed: int
    minutes: float


class Run:
    """One run on one state directory."""

    def __init__(self, order: Order, state: Path) -> None:
        self.order, self.state = order, state
        self.arena = Arena(state, deposits=order.deposits, poisoned=order.poisoned)
        self.say, self.toll = Progress(sys.stdout), Toll()
        self.deposits: list[Deposit] = []
        self.begun = 0
        self.end = 0.0
        self.over = threading.Event()
        self._lock = threading.Lock()

    def whole(self) -> int:
        """Everything, to the exit code."""
        with self.arena.prepared(self.say) as places:
            self.plan(places)
            self.under_fire()
            took = self.quieten()
            self.ask_again()
            found = self.audit()
        self.figures(found, took)
        return self.verdict(found)

    def plan(self, places: list[dict[str, Any]]) -> None:
        """Make the files beforehand."""
        day = legal_date(datetime.now(UTC)) - timedelta(days=1)
        rng = random.Random(self.order.seed)  # noqa: S311 -- moments, not secrets
        self.deposits = planned(self.order.deposits, places, on=day, rng=rng)
        self.say(f"{len(self.deposits)} dépôts préparés pour {len(places)} communes")

    # Deposits and kills, abreast

    def under_fire(self) -> None:
        """Deposit while everything is killed, until both are done or time is over."""
        self.end = time.monotonic() + 60 * self.order.minutes
        reapers = [
            Reaper(part, self.toll, rng=self._rng(rank), wanted=self.may_kill)
            for rank, part in enumerate(parts_of(self.arena))
        ]
        for reaper in reapers:
            reaper.start()
        with ThreadPoolExecutor(SOFTWARE) as pool:
            crowd = [
                pool.submit(self._deposit_all, self._rng(100 + one)) for one in range(SOFTWARE)
            ]
            try:
                while not self._done():
                    self.over.wait(5)
                    self.say(self.progress())
                    self.arena.check_not_stopped()
            finally:
                self.over.set()
            for one in crowd:
                one.result()
        for reaper in reapers:
            reaper.close()

    def _rng(self, rank: int) -> random.Random:
        return random.Random(self.order.seed * 1000 + rank)  # noqa: S311 -- moments

    def _done(self) -> bool:
        killed = self.toll.total >= self.order.kills
        return time.monotonic() > self.end or (killed and self.taken == len(self.deposits))

    @property
    def taken(self) -> int:
        """How many were answered « taken »."""
        return sum(one.taken for one in self.deposits)

    def may_kill(self) -> bool:
        """Whether one kill more is due, given the deposits begun."""
        if self.over.is_set() or self.toll.total >= self.order.kills:
            return False
        share = (self.begun + AHEAD) * self.order.kills / max(self.order.deposits, 1)
        return self.toll.total < share or self.taken == len(self.deposits)

    def _next(self) -> Deposit | None:
        """The next deposit, once the kills have reached its share."""
        while not self.over.is_set():
            with self._lock:
                share = (self.toll.total + AHEAD) * self.order.deposits / max(self.order.kills, 1)
                if self.begun >= len(self.deposits):
                    return None
                if self.begun < share or self.toll.total >= self.order.kills:
                    self.begun += 1
                    return self.deposits[self.begun - 1]
            time.sleep(0.1)
        return None

    def _deposit_all(self, rng: random.Random) -> None:
        software = Software(self.arena.port, rng=rng)
        while (one := self._next()) is not None:
            software.deposit(one, seconds=max(self.end - time.monotonic(), 0) + LAST_WORD)

    def progress(self) -> str:
        """Where it stands."""
        waiting = self._corridor()
        at = "base arrêtée" if waiting is None else f"à envoyer {waiting[0]}, à lire {waiting[1]}"
        return (
            f"arrêts {self.toll.total}/{self.order.kills}, dépôts pris "
            f"{self.taken}/{len(self.deposits)}, {at}"
        )

    # Afterwards

    def _corridor(self) -> tuple[int, ...] | None:
        try:
            with self.arena.postgres.connect("socle") as db:
                return db.execute(_OPEN).fetchone()
        except psycopg.Error:
            return None

    def quieten(self) -> float:
        """Wait until nothing moves any more; the seconds it took, at most `QUIET_WITHIN`."""
        began, still = time.monotonic(), 0
        before: Any = None
        while time.monotonic() - began < QUIET_WITHIN and still < 4:
            time.sleep(3)
            self.arena.check_not_stopped()
            now = (self._corridor(), self._listed())
            calm = now == before and now[0] is not None and not any(now[0][:2]) and not now[1]
            still, before = (still + 1 if calm else 0), now
        self.say(f"calme : {self.progress()}, {before[1]} retour(s) chez l'opérateur")
        return time.monotonic() - began

    def _listed(self) -> int:
        """What the operator still has to answer or to give."""
        with closing(sqlite3.connect(f"file:{self.arena.office}?mode=ro", uri=True)) as db:
            question = (
                "SELECT (SELECT count(*) FROM deposits WHERE state = 'waiting')"
                " + (SELECT count(*) FROM returns WHERE acknowledged_at IS NULL)"
            )
            return int(db.execute(question).fetchone()[0])

    def ask_again(self) -> None:
        """Whatever once had no answer is asked again: the same answer, and nothing more."""
        software = Software(self.arena.port, rng=self._rng(99))
        for one in self.deposits:
            if one.unanswered:
                software.ask(one)

    def audit(self) -> dict[str, Any]:
        """Ask the database and the operator, in a process of its own."""
        ledger = self.state / "ledger.json"
        ledger.write_text(json.dumps([one.told() for one in self.deposits[: self.begun]]))
        run = subprocess.run(
            [sys.executable, "-m", "tests.chaos.audit", str(ledger), str(self.arena.office)],
            cwd=REPOSITORY, env=self.arena.environment(), stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(run.stdout)
        faults = found["faults"]
        faults.setdefault("stuck", []).extend(self.toll.faults)
        faults["stuck"] += [
            f"{one.kind} {one.name} : le logiciel n'a jamais eu de réponse"
            for one in self.deposits[: self.begun]
            if not one.taken
        ]
        return found

    def figures(self, found: dict[str, Any], quiet: float) -> None:
        """Print the table."""
        told = found["figures"]
        hurt = sum(one.unanswered > 0 for one in self.deposits)
        rows = [
            ("dépôts", f"{self.begun} sur {self.order.deposits}, {self.taken} pris"),
            ("dépôts restés une fois ou plus sans réponse", hurt),
            ("arrêts brutaux", f"{self.toll.total} sur {self.order.kills}"),
            *((f"  {what}", self._recovery(what)) for what in sorted(self.toll.kills)),
            *((f"  mort de lui-même : {what}", n) for what, n in self.toll.deaths.items()),
            ("retours donnés par l'opérateur", told["returns"]),
            ("  dont empoisonnés", told["poisoned"]),
            ("envois interrompus et repris", told["interrupted_sendings"]),
            ("réponses lues plus d'une fois, appliquées une", told["repeated_readings"]),
            ("réponses justes laissées au bureau, relues d'un clic", told["read_again"]),
            ("dépôt → pris par la plateforme, p50 / p95", _spread(self._patience())),
            ("dépôt → AR ou acquit, p50 / p95", _spread(told["waits"])),
            ("lignes sur le bureau", told["on_the_desk"]),
            ("incidents encore sur le bureau", len(told["stumbles"])),
            ("lignes de journal vérifiées", told["journal_lines"]),
            ("calme après le dernier arrêt", f"{quiet:.0f} s"),
            *((label, len(found["faults"].get(kind, ()))) for kind, label in FAULTS.items()),
        ]
        write_line(sys.stdout)
        for label, value in rows:
            write_line(sys.stdout, f"  {label:<54} {value}")

    def _recovery(self, what: str) -> str:
        return f"{self.toll.kills[what]}, de retour en {_spread(self.toll.recoveries[what])}"

    def _patience(self) -> list[float]:
        return [one.answered - one.began for one in self.deposits if one.taken]

    def verdict(self, found: dict[str, Any]) -> int:
        """Say every fault; the exit code."""
        for kind, label in FAULTS.items():
            for fault in found["faults"].get(kind, ()):
                write_line(sys.stdout, f"  {label} : {fault}")
        for stumble in found["figures"]["stumbles"]:
            write_line(sys.stdout, f"  (bureau) {stumble}")
        return int(any(found["faults"].values()))


def _spread(values: list[float]) -> str:
    if len(values) < 2:
        return " / ".join(f"{one:.1f} s" for one in values) or "—"
    cuts = statistics.quantiles(values, n=20)
    return f"{statistics.median(values):.1f} s / {cuts[-1]:.1f} s".replace(".", ",")
