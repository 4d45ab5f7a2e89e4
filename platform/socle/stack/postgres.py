"""A PostgreSQL server of our own in a directory: created, started, reused, stopped."""

import contextlib
import hashlib
import os
import pwd
import secrets
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql

from socle.core.refusals import Refusal
from socle.stack import binaries, ports, processes
from socle.stack.service import DidNotStart, Service, last_lines
from socle.stack.state import (
    Lock,
    erase,
    kept_secret,
    make_private,
    open_log,
    reachable_by_others,
)
from socle.stack.waiting import wait_until

SUPERUSER = "socle_admin"
# Where root keeps the data when the project lives where `nobody` cannot go (under /root, say).
ROOT_DATA = Path("/var/lib/socle")
CRASH_LIMIT = 10  # seconds during which the remains of a killed server may refuse a new one
RECOVERY_LIMIT = 120  # seconds for replaying the journal after a crash
STOP_LIMIT = 30

# What a starting server says while the one before it is not quite dead.
_REMAINS = ("postmaster.pid", "pre-existing shared memory block")
_PORT_TAKEN = "could not bind"
_CLEAN_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_SIZES = ("max_connections=120", "max_locks_per_transaction=512", "shared_buffers=128MB")
_CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class StrangeSocketDirectory(Refusal):
    """The directory of the socket belongs to somebody else."""

    code = "stack.strange_socket_directory"


class Postgres(Service):
    """One server, one data directory, one owner.

    It listens on 127.0.0.1 and on a Unix socket, both with a password (SCRAM). Started by root, it
    runs as `nobody`. `durable=False` gives up safety against power cuts, for tests.
    """

    name = "postgres"
    label = "PostgreSQL"

    def __init__(self, state_dir: Path, *, port: int | None = None, durable: bool = True) -> None:
        self.state_dir = state_dir.resolve()
        self.data = self.state_dir / "pg"
        self.log = self.state_dir / "log" / "postgres.log"
        self.durable = durable
        self.port = port or 0
        self._wanted_port = port
        self._lock = Lock(self.state_dir / "pg.lock")
        self._process: subprocess.Popen[bytes] | None = None
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def password(self) -> str:
        """The password of every role this class creates, kept in a 0600 file of the state."""
        return kept_secret(self.state_dir / "pg.password", secrets.token_hex(24))

    @property
    def socket_dir(self) -> Path:
        """A short directory for the socket: its path may not exceed 107 bytes."""
        name = hashlib.sha256(os.fsencode(self.state_dir)).hexdigest()[:12]
        return Path("/tmp") / f"socle-{os.geteuid()}-{name}"  # noqa: S108  # owner checked before use

    def url(self, dbname: str = "postgres", user: str = SUPERUSER) -> str:
        """Address of the database `dbname` for the role `user`, password included."""
        return f"postgresql://{user}:{self.password}@{ports.LOOPBACK}:{self.port}/{dbname}"

    def connect(self, dbname: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """A superuser connection in autocommit mode; close it with `with`."""
        return psycopg.connect(self.url(dbname), autocommit=True)

    # Life

    def start(self) -> None:
        """Start the server on the data of the last run, or on new data.

        Raises `AlreadyInUse` when another supervisor holds this state directory, `ProgramMissing`
        without a suitable server program, `DidNotStart` with the end of the log for the rest.
        """
        make_private(self.state_dir)
        self._lock.acquire()
        try:
            self._start_locked()
        except BaseException:
            self.stop()
            raise

    def _start_locked(self) -> None:
        programs = binaries.postgres_bin(self._data_version())
        if self._account is not None:
            programs = binaries.runnable_by_others(programs)
        if self._data_version() is None:
            self._initialise(programs)
        self._clear_remains()
        self._prepare_socket_dir()
        self._start_with_retries(programs)

    def _start_with_retries(self, programs: Path) -> None:
        limit = time.monotonic() + CRASH_LIMIT
        while True:
            self.port = self._wanted_port or ports.remembered_port(self.state_dir / "pg.port")
            said = self._launch(programs)
            if said is None:
                return
            worth_retrying = any(word in said for word in _REMAINS) or (
                _PORT_TAKEN in said and self._wanted_port is None
            )
            if not worth_retrying or time.monotonic() > limit:
                raise DidNotStart(
                    f"PostgreSQL n'a pas démarré ; la fin de son journal ({self.log}) dit :\n"
                    + last_lines(self.log)
                )
            time.sleep(0.2)

    def _launch(self, programs: Path) -> str | None:
        """Start once; None when the server is ready, else what it said before it ended."""
        with open_log(self.log) as output:
            before = output.tell()
            self._process = self._run_as_server(
                [str(programs / "postgres"), *self._options()], stdout=output
            )
        process = self._process
        wait_until(
            lambda: process.poll() is not None or self._announces_ready(), seconds=RECOVERY_LIMIT
        )
        if self.alive() and self._announces_ready():
            return None
        self._end_process()
        return self.log.read_bytes()[before:].decode("utf-8", errors="replace")

    def _options(self) -> list[str]:
        settings = [*_SIZES, "unix_socket_permissions=0700", "log_timezone=UTC", "timezone=UTC"]
        if not self.durable:
            settings += _CARELESS
        where = ["-D", str(self.data.resolve()), "-h", ports.LOOPBACK, "-p", str(self.port)]
        where += ["-k", str(self.socket_dir)]
        return where + [word for setting in settings for word in ("-c", setting)]

    def _announces_ready(self) -> bool:
        """Whether the file the server keeps for `pg_ctl` says ready, and is this server's."""
        lines = self._pid_file_lines()
        mine = self._process is not None and lines[:1] == [str(self._process.pid)]
        return mine and len(lines) > 7 and lines[7].strip() == "ready"

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.alive() else None

    def stop(self) -> None:
        """End every session and stop ("fast"); the data stay for the next start."""
        self._end_process()
        with contextlib.suppress(OSError):  # not there, or a killed server left its socket inside
            self.socket_dir.rmdir()
        self._lock.release()

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for number, seconds in ((signal.SIGINT, STOP_LIMIT), (signal.SIGQUIT, 5)):
            if process.poll() is None:
                process.send_signal(number)
                wait_until(lambda: process.poll() is not None, seconds=seconds)
        if process.poll() is None:
            process.kill()
        process.wait()

    def erase(self) -> None:
        """Delete the data, the password and the socket; `AlreadyInUse` while a server runs."""
        make_private(self.state_dir)
        self._lock.acquire()
        try:
            if self.data.is_symlink():
                erase(self.data.resolve().parent)
            for leftover in (self.data, self.socket_dir):
                erase(leftover)
            for name in ("pg.password", "pg.port"):
                (self.state_dir / name).unlink(missing_ok=True)
        finally:
            self._lock.release()

    # Creation

    def _data_version(self) -> int | None:
        try:
            return int((self.data / "PG_VERSION").read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def _initialise(self, programs: Path) -> None:
        """Run `initdb` beside the final place: a half-made cluster is never taken for a whole."""
        erase(self.data)
        home = self._home_of_data()
        draft, password_file = home / "pg.new", home / "pg.new.password"
        erase(draft)
        draft.mkdir(mode=0o700)
        password_file.touch(mode=0o600)
        self._give_to_server(draft, password_file)
        password_file.write_text(self.password, encoding="ascii")
        try:
            self._run_initdb(programs, draft, password_file)
        finally:
            password_file.unlink()
        final = draft.rename(home / "pg")
        if final != self.data:
            self.data.symlink_to(final)

    def _home_of_data(self) -> Path:
        if self._account is None or reachable_by_others(self.data):
            return self.state_dir
        name = hashlib.sha256(os.fsencode(self.state_dir)).hexdigest()[:12]
        home = make_private(ROOT_DATA) / name
        erase(home)
        return make_private(home)

    def _run_initdb(self, programs: Path, draft: Path, password_file: Path) -> None:
        command = [str(programs / "initdb"), "-D", str(draft), "-U", SUPERUSER, "-E", "UTF8"]
        command += ["--locale=C.UTF-8", "-A", "scram-sha-256", f"--pwfile={password_file}"]
        if not self.durable:
            command.append("--no-sync")
        with open_log(self.log) as output:
            code = self._run_as_server(command, stdout=output).wait()
        if code != 0:
            raise DidNotStart(
                f"La base de données n'a pas pu être créée dans {self.data} ; la fin du journal "
                f"({self.log}) dit :\n" + last_lines(self.log)
            )

    def _run_as_server(self, command: Sequence[str], **streams: Any) -> subprocess.Popen[bytes]:
        """Run a server program in a session of its own, as `nobody` when we are root.

        It gets a bare environment: neither our secrets nor somebody's PG… variables.
        """
        demotion: dict[str, Any] = {}
        if self._account is not None:
            demotion = {"user": self._account.pw_uid, "group": self._account.pw_gid}
            demotion["extra_groups"] = []
        return subprocess.Popen(  # noqa: S603  # our own commands, never a shell
            command,
            env=_CLEAN_ENV,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **demotion,
            **streams,
        )

    def _give_to_server(self, *paths: Path) -> None:
        if self._account is not None:
            for path in paths:
                os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _prepare_socket_dir(self) -> None:
        directory = self.socket_dir
        try:
            directory.mkdir(mode=0o700)
            self._give_to_server(directory)
        except FileExistsError:
            ours = self._account.pw_uid if self._account is not None else os.geteuid()
            if directory.is_symlink() or directory.stat().st_uid != ours:
                raise StrangeSocketDirectory(
                    f"Le dossier {directory} appartient à quelqu'un d'autre : supprimez-le, "
                    "puis recommencez."
                ) from None

    # What an earlier server left behind

    def _clear_remains(self) -> None:
        """Stop a server whose supervisor died, and forget the number of one that is dead.

        We hold the lock, so nobody else looks after a server found here. The file may only go
        when no process works in the directory: its loss would disarm PostgreSQL's own guard.
        """
        lines = self._pid_file_lines()
        if not lines or not Path("/proc/self").exists():
            return
        if int(lines[0]) in self._servers_at_work():
            os.kill(int(lines[0]), signal.SIGINT)
        if wait_until(lambda: not self._servers_at_work(), seconds=CRASH_LIMIT):
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _servers_at_work(self) -> set[int]:
        """The server of this directory and its backends, whoever started them."""
        return processes.working_in(self.data, {"postgres"})

    # Roles and databases

    def ensure_role(self, role: str, *options: str) -> None:
        """Create or adjust a login role with the password of the stack.

        `options` are words of CREATE ROLE, such as `CREATEROLE`; never user input.
        """
        with self.connect() as db:
            known = db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            # The verifier is computed here, so the password never reaches the server or its log.
            verifier = db.pgconn.encrypt_password(
                self.password.encode(), role.encode(), b"scram-sha-256"
            )
            statement = sql.SQL("{} ROLE {} LOGIN {} PASSWORD {}").format(
                sql.SQL("ALTER" if known else "CREATE"),
                sql.Identifier(role),
                sql.SQL(" ").join(map(sql.SQL, options)),
                sql.Literal(verifier.decode()),
            )
            db.execute(statement)

    def ensure_database(self, dbname: str, *, owner: str = SUPERUSER) -> bool:
        """Create the database unless it exists; returns whether it was created."""
        with self.connect() as db:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if db.execute(query, [dbname]).fetchone():
                return False
            names = sql.Identifier(dbname), sql.Identifier(owner)
            db.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
            return True
