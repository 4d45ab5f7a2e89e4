"""What the supervisor looks after: something that starts, lives, and stops."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from socle.core.refusals import Refusal
from socle.stack.state import open_log
from socle.stack.waiting import wait_until


class DidNotStart(Refusal):
    """A service ended, or stayed mute, before it was ready."""

    code = "stack.did_not_start"


def never() -> bool:
    """Nobody asked us to give up."""
    return False


class Service:
    """A long-lived part of the stack."""

    name: str  # of its log and its line in the run file
    label: str  # what people read

    def start(self) -> None:
        """Start it; `wait_ready` says when it can be used."""
        raise NotImplementedError

    def wait_ready(self, given_up: Callable[[], bool] = never) -> None:
        """Return when it can be used, or when `given_up()`; raise `DidNotStart` otherwise."""

    def alive(self) -> bool:
        """Whether it is still running."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop it and everything it started; harmless when it is not running."""
        raise NotImplementedError

    def pid(self) -> int | None:
        """The process identifier, when it is running."""
        raise NotImplementedError


class Process(Service):
    """A command run in a process group of its own, its output appended to a log file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        label: str = "",
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        ready: Callable[["Process"], bool] | None = None,
        start_limit: float = 60,
        stop_limit: float = 15,
    ) -> None:
        """`ready(process)` is asked repeatedly, for `start_limit` seconds at most."""
        self.name, self.label = name, label or name
        self.command, self.log = tuple(command), log
        self.env, self.cwd, self.ready = env, cwd, ready
        self.start_limit, self.stop_limit = start_limit, stop_limit
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> None:
        with open_log(self.log) as output:
            self._log_start = output.tell()
            self._process = self._spawn(output)

    def _spawn(self, output: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  # our own commands, never a shell
            self.command,
            env=self.env,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait_ready(self, given_up: Callable[[], bool] = never) -> None:
        is_ready = self.ready
        if is_ready is None:
            return
        wait_until(
            lambda: given_up() or not self.alive() or is_ready(self),
            seconds=self.start_limit,
            pause=0.05,
        )
        if not given_up() and not (self.alive() and is_ready(self)):
            raise DidNotStart(
                f"« {self.label} » n'a pas démarré ; la fin de son journal ({self.log}) dit :\n"
                + last_lines(self.log)
            )

    def output(self) -> str:
        """What it has written since its last start."""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            return file.read().decode("utf-8", errors="replace")

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.alive() else None

    def exit_code(self) -> int | None:
        """The code it ended with, negative for a signal; None while it runs."""
        return None if self._process is None else self._process.poll()

    def stop(self) -> None:
        if self._process is not None:
            stop_group(self._process, seconds=self.stop_limit)


def stop_group(process: subprocess.Popen[bytes], *, seconds: float) -> None:
    """Ask the group led by `process` to end, wait for `seconds`, then kill what is left of it."""
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        wait_until(lambda: process.poll() is not None, seconds=seconds)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # the latter: on macOS, only zombies are left
        return


def last_lines(log: Path, count: int = 15) -> str:
    """The last `count` lines of a log file, indented to be quoted under a sentence."""
    if not log.exists():
        return "    (journal vide)"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
    return "\n".join(f"    {line}" for line in lines) or "    (journal vide)"
