"""The stack that is killed: durable PostgreSQL, Valkey, two workers, the clock, gunicorn, offices.

Each server keeps its port from one life to the next, below the range the kernel takes the ports of
outgoing connections from: whoever connects while the server is down never finds himself.
"""

import json
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from socle.stack import demo, ports
from socle.stack.broker import Broker
from socle.stack.postgres import Postgres
from socle.stack.service import Process
from socle.stack.supervisor import Progress, Stopped, Supervisor

LEASE = 10
ANSWER_AFTER = 1
_PORTS = range(20000, 32000)


class Arena(demo.Demo):
    """The demonstration with servers that are durable, and offices that poison."""

    def __init__(self, state_dir: Path, *, deposits: int, poisoned: int) -> None:
        super().__init__(state_dir, port=_port())
        self.postgres = Postgres(self.state_dir, port=_port())
        self.broker = Broker(self.state_dir, port=_port())
        self.deposits, self.poisoned = deposits, poisoned
        self.parts: dict[str, Process] = {}
        self.supervisor: Supervisor

    def environment(self) -> dict[str, str]:
        """The demonstration's: its clock sweeps every few seconds."""
        return super().environment() | {"SOCLE_DELIVERY_LEASE": str(LEASE)}

    @property
    def office(self) -> Path:
        """The memory of the operator."""
        return self.state_dir / "exercise" / "exercise.sqlite3"

    @contextmanager
    def prepared(self, say: Progress) -> Iterator[list[dict[str, Any]]]:
        """Everything started; the accesses of the communes' software."""
        demo.SETUP = (("schéma", ("migrate_all",)),)
        with self.running(say) as supervisor:
            self.supervisor = supervisor
            yield self._prepare(supervisor)

    def check_not_stopped(self) -> None:
        """Raises Stopped after Ctrl-C."""
        if self.supervisor.stop_wanted:
            raise Stopped

    def _prepare(self, supervisor: Supervisor) -> list[dict[str, Any]]:
        places = self.state_dir / "places.json"
        command = (sys.executable, "-m", "tests.chaos.prepare", str(places))
        supervisor.run(
            "communes, personnes, logiciels", command, env=self.environment(),
            cwd=demo.REPOSITORY, log=self.state_dir / "log" / "setup.log",
        )  # fmt: skip
        found: list[dict[str, Any]] = json.loads(places.read_text())
        return found

    def _application(self, env: dict[str, str]) -> list[Process]:
        services = super()._application(env)
        worker = next(one for one in services if one.name == "worker")
        second = self._process(
            "worker2", "travaux de fond (2)", env, (*worker.command, "-n", "deux@%h"),
            ready=lambda process: " ready." in process.output(),
        )  # fmt: skip
        worker.command += ("-n", "un@%h")
        services.insert(services.index(worker) + 1, second)
        self.parts = {one.name: one for one in services}
        self.parts["exercise"].command = (
            *(sys.executable, "-m", "tests.chaos.operator", "--port", str(self.exercise_port)),
            *("--delay", str(ANSWER_AFTER), "--state", str(self.office.parent)),
            *("--poisoned", str(self.poisoned), "--deposits", str(self.deposits)),
        )
        return services


def _port() -> int:
    choice = random.SystemRandom()
    return next(port for port in iter(lambda: choice.choice(_PORTS), 0) if ports.is_free(port))
