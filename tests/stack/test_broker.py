"""The embedded broker: a password, and messages that outlive the server."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from socle.stack.broker import Broker
from socle.stack.state import AlreadyInUse


def client(broker: Broker) -> "redis.Redis":
    return redis.Redis.from_url(broker.url)


def test_without_the_password_it_says_nothing(state: Path) -> None:
    with Broker(state) as broker:
        stranger = redis.Redis(port=broker.port, retry=Retry(NoBackoff(), 0))
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


def test_the_password_is_in_a_closed_file_and_not_in_the_process_list(state: Path) -> None:
    with Broker(state) as broker:
        assert broker.password not in Path(f"/proc/{broker.pid()}/cmdline").read_text()
        assert (state / "broker" / "valkey.conf").stat().st_mode & 0o777 == 0o600


def test_it_listens_on_the_loopback_only(state: Path) -> None:
    with Broker(state) as broker, client(broker) as db:
        assert db.config_get("bind") == {"bind": "127.0.0.1"}


def test_a_message_survives_a_killed_server(state: Path) -> None:
    with Broker(state) as broker:
        with client(broker) as db:
            db.lpush("queue", "wake up")
            db.config_set("appendfsync", "always")
        os.kill(broker.pid() or 0, signal.SIGKILL)
        broker.stop()
        broker.start()
        with client(broker) as db:
            assert db.lrange("queue", 0, -1) == [b"wake up"]


def test_a_server_whose_supervisor_died_is_replaced(state: Path) -> None:
    abandon = (
        "import os, sys; from pathlib import Path; from socle.stack.broker import Broker\n"
        "broker = Broker(Path(sys.argv[1])); broker.start()\n"
        "print(broker.pid(), flush=True); os._exit(0)"
    )
    orphan = int(subprocess.check_output([sys.executable, "-c", abandon, str(state)], text=True))
    with Broker(state) as broker, client(broker) as db:
        assert db.info("server")["process_id"] == broker.pid() != orphan


def test_a_second_supervisor_is_refused(state: Path) -> None:
    with Broker(state), pytest.raises(AlreadyInUse):
        Broker(state).start()


def test_it_stops_quickly(state: Path) -> None:
    broker = Broker(state)
    broker.start()
    before = time.monotonic()
    broker.stop()
    assert time.monotonic() - before < 3
    assert not broker.alive()
