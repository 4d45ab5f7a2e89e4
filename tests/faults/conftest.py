"""A database, a broker, an operator and workers of their own: what is killed here really dies."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest

from socle.config.health import ALIVE
from socle.core.roles import WEB
from socle.stack import ports
from socle.stack.broker import Broker
from socle.stack.waiting import wait_until
from tests.conftest import REPO, SERVER, TEMPLATE, WORKER, _url, create_database
from tests.exercise.client import Client
from tests.faults.town_hall import TownHall, copy, town_hall

TOKEN = "exercise"
LEASE = 3
T = TypeVar("T")


@dataclass
class Ground:
    """Everything around a worker, on real sockets."""

    database: str
    environment: dict[str, str]
    operator: Client
    log: Path
    folder: Path
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def python(self, code: str) -> str:
        """Run a script with Django ready and the commune's data committed; returns its output."""
        run = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{code}"],
            cwd=REPO,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    def start_worker(self) -> "subprocess.Popen[bytes]":
        """A real Celery worker, in a process group of its own."""
        return self._start("worker", "-P", "threads", "-c", "2")

    def start_web(self) -> tuple["subprocess.Popen[bytes]", int]:
        """gunicorn as the chart runs it, with one worker; its process and its port."""
        port = ports.free_port()
        process = self._run(
            "gunicorn",
            f"--bind=127.0.0.1:{port}",
            "--worker-class=gthread",
            "--workers=1",
            "--threads=4",
            "--graceful-timeout=30",
            "--no-control-socket",
            "socle.config.wsgi:application",
        )
        # The port is open before the code is loaded: wait until a page is really answered.
        self.wait(lambda: answers(port) and _is_alive(port))
        return process, port

    def start_beat(self) -> "subprocess.Popen[bytes]":
        """The clock that wakes workers up."""
        return self._start("beat", "-s", str(self.log.parent / f"schedule{len(self.processes)}"))

    def end(self, process: "subprocess.Popen[bytes]", *, seconds: float = 60) -> int:
        """SIGTERM, as Kubernetes does; what the process answers when it has ended by itself."""
        process.terminate()
        return process.wait(seconds)

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        return self._run("celery", "-A", "socle.config.celery", *words, "-l", "INFO")

    def _run(self, *words: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=REPO,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def kill(self, worker: "subprocess.Popen[bytes]") -> None:
        """kill -9, children included."""
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def query(self, question: str) -> list[tuple[Any, ...]]:
        """Ask the database directly."""
        with psycopg.connect(self.database) as db:
            return db.execute(question).fetchall()

    def wait(self, condition: Callable[[], bool], *, seconds: float = 60) -> None:
        """Wait for `condition`; the worker's log is shown when it never comes."""
        assert wait_until(condition, seconds=seconds), self._account()

    def _account(self) -> str:
        corridor = self.query("SELECT id, state, attempts, last_error FROM delivery_outbound")
        told = [f"operator: {self.operator.counters()}", *map(str, corridor)]
        return "\n".join([*told, self.log.read_text()[-4000:]])


def answers(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_alive(port: int) -> bool:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        client.request("GET", ALIVE)
        return client.getresponse().status == 200
    finally:
        client.close()


@pytest.fixture
def ground(django_db_setup: None, tmp_path: Path) -> Iterator[Ground]:
    """A copy of the template database, a broker, the exercise operator; workers die at the end."""
    name = f"faults_{WORKER}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        create_database(server, name, template=TEMPLATE)
    with Broker(tmp_path / "broker") as broker:
        yield from ground_on(_url(WEB, name), broker, tmp_path)
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def ground_on(
    database: str, broker: Broker, tmp_path: Path, told: dict[str, str] | None = None
) -> Iterator[Ground]:
    """The ground around `database`; `told` is what the processes are told besides."""
    environment = os.environ | {
        "SOCLE_DATABASE_URL": database,
        "SOCLE_BROKER_URL": broker.url,
        "SOCLE_FILES_DIR": str(tmp_path / "files"),
        "SOCLE_EXERCISE_TOKEN": TOKEN,
        "SOCLE_DELIVERY_LEASE": str(LEASE),
        "SOCLE_DEMO": "1",
        **(told or {}),
    }
    command = [sys.executable, "-m", "socle.exercise", "--port", "0", "--delay", "0"]
    operator = subprocess.Popen(
        [*command, "--state", str(tmp_path / "exercise")],
        cwd=REPO,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert operator.stdout is not None
    url = operator.stdout.readline().split()[-1]
    environment["SOCLE_EXERCISE_URL"] = url
    ground = Ground(database, environment, Client(url, TOKEN), tmp_path / "worker.log", tmp_path)
    try:
        yield ground
    finally:
        for process in ground.processes:
            ground.kill(process)
        operator.kill()
        operator.wait()
        operator.stdout.close()


@pytest.fixture(scope="session")
def world(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownHall]:
    """Six communes on a server of their own."""
    with town_hall(tmp_path_factory.mktemp("hall")) as hall:
        yield hall


@pytest.fixture
def hall(world: TownHall) -> Iterator[TownHall]:
    """They and their release of today, in a database of this test."""
    with copy(world, "one") as mine:
        yield mine
