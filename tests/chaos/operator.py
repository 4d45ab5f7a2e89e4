"""The practice offices, hostile: beside the right answers to some deposits, they deliver poison.

`python -m tests.chaos.operator --poisoned 200 --deposits 1000 …` takes the other options of
`python -m socle.exercise`. Of 1,000 deposits, 200 are chosen, evenly.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from socle.exercise import cli, server
from socle.exercise.protocol.outcome import Outcome
from socle.exercise.store import Deposit, ListedReturn, Receipt, Store
from socle.exercise.worker import Clerk
from tests.chaos.poison import SURROGATE, poisoned

TOLD = "poison.sha256"
THINKING = 0.2
"""Seconds an answer takes: a kill often finds one on its way, the bytes kept already."""


class Ascii:
    """JSON that can say what UTF-8 cannot."""

    loads = staticmethod(json.loads)

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Every strange character escaped."""
        return json.dumps(value)


class HostileStore(Store):
    """Takes its time, and lists names no file may have."""

    def deposit(self, **given: Any) -> Receipt:
        """Keep, then think."""
        kept = super().deposit(**given)
        time.sleep(THINKING)
        return kept

    def listed(self, *, account: str, after: int, limit: int) -> list[ListedReturn]:
        """The returns to collect."""
        time.sleep(THINKING)
        found = super().listed(account=account, after=after, limit=limit)
        return [replace(one, name=one.name.replace(SURROGATE, "\udcff")) for one in found]


class HostileClerk(Clerk):
    """Adds one poisoned return to `poisoned` deposits of `deposits`, before or after the right."""

    poisoned: ClassVar[int] = 0
    deposits: ClassVar[int] = 1
    told: ClassVar[Path]
    """Where the digests of the poison are written down, for the audit."""

    def _decide(self, deposit: Deposit) -> Outcome:
        outcome = super()._decide(deposit)
        rank = deposit.id * self.poisoned // self.deposits
        if rank == (deposit.id - 1) * self.poisoned // self.deposits:
            return outcome
        bad = poisoned(deposit.kind, rank)
        with self.told.open("a") as told:
            told.write(f"{sha256(bad.content).hexdigest()}\n")
        both = (bad, *outcome.returns) if rank % 2 else (*outcome.returns, bad)
        return replace(outcome, returns=both)


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.operator")
    cli.add_arguments(parser)
    parser.add_argument("--poisoned", type=int, default=0)
    parser.add_argument("--deposits", type=int, default=1)
    asked = vars(parser.parse_args())
    HostileClerk.poisoned, HostileClerk.deposits = asked.pop("poisoned"), asked.pop("deposits")
    HostileClerk.told = asked["state"] / TOLD
    asked["state"].mkdir(parents=True, exist_ok=True)
    server.Store, server.Clerk = HostileStore, HostileClerk  # type: ignore[misc]
    server.json = Ascii  # type: ignore[assignment]
    cli.run(**asked, say=lambda line: print(line, flush=True))  # noqa: T201 -- a program of its own


if __name__ == "__main__":
    sys.exit(main())
