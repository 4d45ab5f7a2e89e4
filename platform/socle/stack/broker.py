"""A Valkey server of our own: the broker that wakes the workers up."""

import os
import secrets
import signal
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from socle.stack import binaries, ports, processes
from socle.stack.service import Process, Service
from socle.stack.state import Lock, kept_secret, make_private, write_private
from socle.stack.waiting import wait_until

# `appendonly`: a message queued just before a crash is still there afterwards (a second is the
# most that can be lost, and the outbox in PostgreSQL makes up for it).
_CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir "{directory}"
appendonly yes
appendfsync everysec
save ""
daemonize no
"""


class Broker(Service):
    """One Valkey on 127.0.0.1, with a password, its data in the state directory."""

    name = "broker"
    label = "file d'attente (Valkey)"

    def __init__(self, state_dir: Path, *, port: int | None = None) -> None:
        self.state_dir = state_dir.resolve()
        self.data = self.state_dir / "broker"
        self.port = port or 0
        self._wanted_port = port
        self._lock = Lock(self.state_dir / "broker.lock")
        self._process = Process(
            self.name, (), label=self.label, log=self.state_dir / "log" / "broker.log"
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def password(self) -> str:
        """The password, kept in a 0600 file of the state."""
        return kept_secret(self.state_dir / "broker.password", secrets.token_hex(24))

    @property
    def url(self) -> str:
        """Address for Celery and the cache, password included."""
        return f"redis://:{self.password}@{ports.LOOPBACK}:{self.port}/0"

    def start(self) -> None:
        """Start on the messages of the last run; ready on return.

        Raises `AlreadyInUse`, `ProgramMissing` or `DidNotStart`.
        """
        make_private(self.state_dir)
        self._lock.acquire()
        try:
            self._start_locked()
        except BaseException:
            self.stop()
            raise

    def _start_locked(self) -> None:
        make_private(self.data)
        self._stop_orphan()
        self.port = self._wanted_port or ports.remembered_port(self.state_dir / "broker.port")
        configuration = self.data / "valkey.conf"
        write_private(configuration, self._configuration())
        self._process.command = (str(binaries.broker_program()), str(configuration))
        self._process.ready = lambda _: self._answers()
        self._process.env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        self._process.start()
        self._process.wait_ready()

    def _stop_orphan(self) -> None:
        """Stop a server whose supervisor died: two on the same files would spoil them."""
        for pid in self._servers_at_work():
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not self._servers_at_work(), seconds=10)

    def _servers_at_work(self) -> set[int]:
        return processes.working_in(self.data, {"valkey-server", "redis-server"})

    def _configuration(self) -> str:
        return _CONFIGURATION.format(
            host=ports.LOOPBACK, port=self.port, password=self.password, directory=self.data
        )

    def _answers(self) -> bool:
        once = Retry(NoBackoff(), 0)
        with redis.Redis.from_url(self.url, socket_timeout=2, retry=once) as client:
            try:
                return bool(client.ping())
            except (
                redis.ConnectionError,
                redis.TimeoutError,
            ):  # not listening yet, or loading its data
                return False

    def alive(self) -> bool:
        return self._process.alive()

    def pid(self) -> int | None:
        return self._process.pid()

    def stop(self) -> None:
        """Stop; what was queued stays for the next start."""
        self._process.stop()
        self._lock.release()
