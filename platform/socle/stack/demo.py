"""The demo: the whole of Socle on one machine, on the embedded PostgreSQL and broker."""

import base64
import http.client
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from socle.core.refusals import Refusal
from socle.core.roles import OWNER, WEB
from socle.stack import ports, roles, runfile
from socle.stack.broker import Broker
from socle.stack.postgres import Postgres
from socle.stack.runfile import Ports, RunFile
from socle.stack.service import Process
from socle.stack.state import AlreadyInUse, Lock, erase, kept_secret, make_private
from socle.stack.supervisor import Progress, Supervisor

REPOSITORY = Path(__file__).resolve().parents[3]
DATABASE = "socle"
DEFAULT_PORT = 8000
READY_PAGE = "/sante/pret"  # answered by the web process itself, before any routing

# What prepares the database, in this order; every command may be run again without harm.
SETUP: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("mise à jour de la base de données", ("migrate_all",)),
    ("chargement du territoire de démonstration", ("load_demo",)),
)
MIGRATE = "migrate_all"  # the one command that is told who owns the database
LOGINS = ("demo_logins",)


class PortTaken(Refusal):
    """Somebody listens where the demo should."""

    code = "stack.port_taken"


class StillRunning(Refusal):
    """The demo runs, and what was asked needs it stopped."""

    code = "stack.still_running"


def state_directory() -> Path:
    """$SOCLE_STATE, else `.demo` at the root of the repository."""
    return Path(os.environ.get("SOCLE_STATE") or REPOSITORY / ".demo").resolve()


def manage(*words: str) -> tuple[str, ...]:
    """The command line of a management command."""
    return (sys.executable, str(REPOSITORY / "platform" / "manage.py"), *words)


def check_port(port: int) -> None:
    """Refuse a port that is taken, with the command that chooses another."""
    if ports.is_free(port):
        return
    holder = ports.holder_of(port)
    by = f" par « {holder.command} » (processus {holder.pid})" if holder else ""
    raise PortTaken(
        f"Le port {port} est déjà pris{by} : choisissez-en un autre, "
        f"par exemple avec la commande : make demo PORT={_next_free(port)}"
    )


def _next_free(port: int) -> int:
    candidates = range(port + 10, min(port + 200, 65536), 10)
    return next(filter(ports.is_free, candidates), ports.free_port())


class Demo:
    """One state directory and what runs on it."""

    def __init__(self, state_dir: Path, *, port: int = DEFAULT_PORT) -> None:
        self.state_dir = make_private(state_dir)
        self.port = port
        self.postgres = Postgres(self.state_dir)
        self.broker = Broker(self.state_dir)
        self.lock = Lock(self.state_dir / "lock")
        self.exercise_port = 0

    @property
    def url(self) -> str:
        """The address people type."""
        return f"http://localhost:{self.port}/"

    # What the children are told

    def environment(self) -> dict[str, str]:
        """Our environment plus everything the application reads; the only carrier of secrets."""
        return os.environ | {
            "DJANGO_SETTINGS_MODULE": "socle.config.settings",
            "PYTHONUNBUFFERED": "1",
            "SOCLE_BASE_HOST": "localhost",
            "SOCLE_BROKER_URL": self.broker.url,
            "SOCLE_DATABASE_URL": self.postgres.url(DATABASE, WEB),
            "SOCLE_DEMO": "1",
            "SOCLE_EXERCISE_TOKEN": self._kept("exercise.token", secrets.token_bytes(24)),
            "SOCLE_EXERCISE_URL": f"http://{ports.LOOPBACK}:{self.exercise_port}",
            "SOCLE_FILES_DIR": str(make_private(self.state_dir / "files")),
            "SOCLE_MASTER_KEY": self._kept("master.key", secrets.token_bytes(32)),
            "SOCLE_PORT": str(self.port),
            "SOCLE_SECRET_KEY": self._kept("secret.key", secrets.token_bytes(48)),
        }

    def owner_environment(self) -> dict[str, str]:
        """What commands that migrate are told besides; never a process that serves."""
        return {"SOCLE_DATABASE_OWNER_URL": self.postgres.url(DATABASE, OWNER)}

    def _kept(self, name: str, fresh: bytes) -> str:
        return kept_secret(self.state_dir / name, base64.b64encode(fresh).decode("ascii"))

    def attach(self) -> bool:
        """Speak to the demo that already runs here; false while it is not ready."""
        note = RunFile.read(self.state_dir)
        if note is None:
            return False
        self.port, self.exercise_port = note.ports.web, note.ports.exercise
        self.postgres.port, self.broker.port = note.ports.postgres, note.ports.broker
        return True

    # Life

    @contextmanager
    def running(self, say: Progress) -> Iterator[Supervisor]:
        """Everything started and ready; on leaving, everything stopped, PostgreSQL last.

        Raises `StillRunning` when another demo runs on this state directory, `PortTaken`,
        `DidNotStart`, `CommandFailed`, or `Stopped` when a signal came first.
        """
        self._acquire()
        supervisor = Supervisor(say, on_change=lambda: self._note(supervisor))
        try:
            with supervisor.signals():
                try:
                    self._start(supervisor)
                    yield supervisor
                finally:
                    supervisor.stop()
                    runfile.forget(self.state_dir)
        finally:
            self.lock.release()

    def _start(self, supervisor: Supervisor) -> None:
        self._end_orphans(supervisor)
        check_port(self.port)
        supervisor.start(self.postgres, self.broker)
        roles.ensure_roles(self.postgres)
        roles.ensure_database(self.postgres, DATABASE)
        self.exercise_port = ports.remembered_port(self.state_dir / "exercise.port")
        env, log = self.environment(), self.state_dir / "log" / "setup.log"
        for label, words in SETUP:
            told = env | (self.owner_environment() if words[0] == MIGRATE else {})
            supervisor.run(label, manage(*words), env=told, cwd=REPOSITORY, log=log)
        supervisor.start(*self._application(env))
        self._note(supervisor)

    def _end_orphans(self, supervisor: Supervisor) -> None:
        before = RunFile.read(self.state_dir)
        if before is not None and (ended := before.end_orphans()):
            supervisor.say(f"restes d'un arrêt brutal : {', '.join(ended)} — arrêtés")
        runfile.forget(self.state_dir)

    def _note(self, supervisor: Supervisor) -> None:
        listening = Ports(self.port, self.postgres.port, self.broker.port, self.exercise_port)
        RunFile.of(listening, supervisor.services).write(self.state_dir)

    def _application(self, env: dict[str, str]) -> list[Process]:
        celery = (sys.executable, "-m", "celery", "-A", "socle.config.celery")
        schedule = str(make_private(self.state_dir / "beat") / "schedule")
        return [
            self._process(
                "exercise", "opérateur d'exercice", env,
                manage("exercise", "--port", str(self.exercise_port)),
                ready=lambda _: _accepts_connections(self.exercise_port),
            ),
            self._process(
                "worker", "travaux de fond", env,
                (*celery, "worker", "-P", "threads", "-c", "4", "--loglevel", "INFO"),
                ready=lambda process: " ready." in process.output(),
            ),
            self._process(
                "beat", "horloge des travaux", env,
                (*celery, "beat", "--schedule", schedule, "--pidfile=", "--loglevel", "INFO"),
                ready=lambda process: "beat: Starting" in process.output(),
            ),
            self._process(
                "web", "serveur web", env,
                self._gunicorn(),
                ready=lambda _: _answers_http(self.port),
            ),
        ]  # fmt: skip

    def _gunicorn(self) -> tuple[str, ...]:
        return (
            *(sys.executable, "-m", "gunicorn", "--worker-class", "gthread"),
            *("--workers", "2", "--threads", "8", "--no-control-socket"),
            *("--bind", f"{ports.LOOPBACK}:{self.port}", "socle.config.wsgi:application"),
        )

    def _process(
        self,
        name: str,
        label: str,
        env: dict[str, str],
        command: Sequence[str],
        *,
        ready: Callable[[Process], bool],
    ) -> Process:
        log = self.state_dir / "log" / f"{name}.log"
        return Process(name, command, label=label, log=log, env=env, cwd=REPOSITORY, ready=ready)

    def print_logins(self) -> None:
        """Print the demo accounts; silent when the application cannot tell them."""
        subprocess.run(manage(*LOGINS), env=self.environment(), cwd=REPOSITORY, check=False)  # noqa: S603

    def erase(self) -> None:
        """Forget all data. Raises `StillRunning` while the demo runs."""
        self._acquire()
        try:
            self.postgres.erase()
            for entry in self.state_dir.iterdir():
                if entry != self.lock.path:
                    erase(entry) if entry.is_dir() else entry.unlink()
        finally:
            self.lock.release()

    def _acquire(self) -> None:
        try:
            self.lock.acquire()
        except AlreadyInUse:
            raise StillRunning(
                f"La démonstration est en marche sur {self.state_dir} : arrêtez-la (Ctrl-C dans "
                "sa fenêtre), puis recommencez."
            ) from None


def _accepts_connections(port: int) -> bool:
    try:
        with socket.create_connection((ports.LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False


def _answers_http(port: int) -> bool:
    connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=10)
    try:
        connection.request("GET", READY_PAGE, headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
