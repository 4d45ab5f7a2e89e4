"""The note a running demo leaves in its state directory: ports, and who is who."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from socle.stack import processes
from socle.stack.broker import Broker
from socle.stack.postgres import Postgres
from socle.stack.service import Service
from socle.stack.state import write_private

NAME = "run.json"
SELF_REPLACING = frozenset({Postgres.name, Broker.name})


@dataclass(frozen=True)
class Ports:
    """Where the parts of one running demo listen, on 127.0.0.1."""

    web: int
    postgres: int
    broker: int
    exercise: int


@dataclass(frozen=True)
class RunFile:
    """`processes` maps the name of a service to its number and its start, in kernel ticks."""

    ports: Ports
    supervisor: int = field(default_factory=os.getpid)
    processes: dict[str, tuple[int, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, ports: Ports, services: Iterable[Service]) -> Self:
        """The note for these services as they run now."""
        pids = {service.name: service.pid() for service in services}
        return cls(
            ports,
            processes={
                name: (pid, processes.started_at(pid))
                for name, pid in pids.items()
                if pid is not None
            },
        )

    @classmethod
    def read(cls, state_dir: Path) -> Self | None:
        """The note found in `state_dir`, None when there is none that makes sense."""
        try:
            found = json.loads((state_dir / NAME).read_text(encoding="utf-8"))
            who = {
                name: (int(pid), str(start)) for name, (pid, start) in found["processes"].items()
            }
            return cls(Ports(**found["ports"]), found["supervisor"], who)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def write(self, state_dir: Path) -> None:
        """Leave the note, replacing an earlier one."""
        write_private(state_dir / NAME, json.dumps(asdict(self), indent=2))

    def end_orphans(self) -> list[str]:
        """End the processes of this note that outlived their supervisor; returns their names.

        The last started goes first. PostgreSQL and the broker are left alone: they replace what is
        left of themselves, with more care. The start time tells an orphan from a stranger who was
        given the same number since.
        """
        ended = []
        for name, (pid, start) in reversed(self.processes.items()):
            if name not in SELF_REPLACING and processes.is_running(pid, start):
                processes.end_group(pid, start)
                ended.append(name)
        return ended


def forget(state_dir: Path) -> None:
    """Remove the note."""
    (state_dir / NAME).unlink(missing_ok=True)
