"""Looks after an ordered list of services: starts them, revives them, stops them in reverse."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from socle.core.refusals import Refusal
from socle.stack.service import Process, Service, last_lines, stop_group
from socle.stack.state import open_log
from socle.stack.waiting import wait_until

FIRST_DELAY, LONGEST_DELAY = 1.0, 30.0  # seconds before a crashed service is started again
GOOD_HEALTH = 60.0  # seconds of life after which a crash is the first one again
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CommandFailed(Refusal):
    """A preparatory command ended with an error."""

    code = "stack.command_failed"


class Stopped(Exception):
    """Somebody asked to stop before everything was ready."""


def write_line(stream: TextIO, text: str = "") -> None:
    """Write one line at once, so that it keeps its place among the lines of our children."""
    stream.write(text + "\n")
    stream.flush()


class Progress:
    """Prints what happens, each line with the seconds since the beginning."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._start = time.monotonic()

    def __call__(self, text: str) -> None:
        elapsed = f"{time.monotonic() - self._start:.1f}".replace(".", ",")
        write_line(self._stream, f"{elapsed:>6} s  {text}")


class _Watched:
    """A service and the history of its crashes."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.delay = FIRST_DELAY
        self.started = time.monotonic()
        self.revive_at: float | None = None

    def plan_revival(self) -> float:
        """Decide when to start the service again; returns the delay in seconds."""
        if time.monotonic() - self.started > GOOD_HEALTH:
            self.delay = FIRST_DELAY
        delay, self.delay = self.delay, min(2 * self.delay, LONGEST_DELAY)
        self.revive_at = time.monotonic() + delay
        return delay


class Supervisor:
    """Inside `with supervisor.signals()`: `start(…)`, `watch()`, and `stop()` in any case."""

    def __init__(
        self, say: Callable[[str], None], *, on_change: Callable[[], None] = lambda: None
    ) -> None:
        """`say` receives French lines; `on_change` is called when a service has a new process."""
        self.say, self.on_change = say, on_change
        self.stop_wanted = False
        self._watched: list[_Watched] = []

    @property
    def services(self) -> list[Service]:
        """The services started so far, in order."""
        return [watched.service for watched in self._watched]

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Within this block SIGINT, SIGTERM and SIGHUP ask for a clean stop."""
        before = {number: signal.signal(number, self._want_stop) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _want_stop(self, *_: object) -> None:
        self.stop_wanted = True

    def _check_not_stopped(self) -> None:
        if self.stop_wanted:
            raise Stopped

    def start(self, *services: Service) -> None:
        """Start the services together, return when all are ready.

        Raises `DidNotStart` for the first that fails, `Stopped` when a signal came meanwhile.
        """
        for service in services:
            self._check_not_stopped()
            self._watched.append(_Watched(service))
            service.start()
        for service in services:
            service.wait_ready(lambda: self.stop_wanted)
            self._check_not_stopped()
            self.say(f"{service.label} : prêt")

    def run(
        self, label: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path
    ) -> None:
        """Run one command to its end, its output in `log`.

        Raises `CommandFailed` with the end of the log, `Stopped` when a signal came meanwhile.
        """
        self._check_not_stopped()
        self.say(f"{label}…")
        with open_log(log) as output:
            process = subprocess.Popen(  # noqa: S603  # our own commands, never a shell
                command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            while process.poll() is None and not self.stop_wanted:
                wait_until(lambda: process.poll() is not None, seconds=0.5)
        finally:
            stop_group(process, seconds=10)
        self._check_not_stopped()
        if process.returncode != 0:
            raise CommandFailed(
                f"« {label} » a échoué (code {process.returncode}) ; la fin du journal ({log}) "
                "dit :\n" + last_lines(log)
            )

    def watch(self) -> None:
        """Revive what crashes, until a signal asks to stop."""
        while not self.stop_wanted:
            for watched in self._watched:
                self._look_after(watched)
            wait_until(lambda: self.stop_wanted, seconds=0.5)

    def _look_after(self, watched: _Watched) -> None:
        if watched.service.alive() or self.stop_wanted:
            return
        if watched.revive_at is None:
            self._announce_crash(watched)
        elif time.monotonic() >= watched.revive_at:
            self._revive(watched)

    def _announce_crash(self, watched: _Watched) -> None:
        delay, service = watched.plan_revival(), watched.service
        code = service.exit_code() if isinstance(service, Process) else None
        detail = "" if code is None else f" (code {code})"
        self.say(f"{service.label} : arrêté{detail}, nouvel essai dans {delay:.0f} s")

    def _revive(self, watched: _Watched) -> None:
        watched.revive_at, watched.started = None, time.monotonic()
        try:
            watched.service.stop()  # clears what is left of its process group
            watched.service.start()
            watched.service.wait_ready(lambda: self.stop_wanted)
        except Refusal as refusal:
            self.say(str(refusal))
            return
        self.on_change()
        self.say(f"{watched.service.label} : de nouveau prêt")

    def stop(self) -> None:
        """Stop everything that was started, the last first."""
        while self._watched:
            service = self._watched.pop().service
            service.stop()
            self.say(f"{service.label} : arrêté")
