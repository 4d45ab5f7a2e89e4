"""The demo command, with a toy in place of the application."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from socle.stack import __main__ as command_line
from socle.stack import demo as module
from socle.stack import ports, processes
from socle.stack.demo import Demo, PortTaken, StillRunning, check_port
from socle.stack.postgres import Postgres
from socle.stack.runfile import Ports, RunFile
from socle.stack.service import Process
from socle.stack.state import NotOurs, make_private


@pytest.fixture(scope="module", autouse=True)
def toy() -> Iterator[None]:
    """Nothing to prepare, and one sleeping process for an application."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SETUP", ())
        patch.setattr(module, "manage", lambda *_: ("true",))
        patch.setattr(module, "Postgres", partial(Postgres, durable=False))
        patch.setattr(
            Demo,
            "_application",
            lambda self, env: [Process("web", ("sleep", "900"), log=self.state_dir / "web.log")],
        )
        yield


@pytest.fixture(scope="module")
def running(module_state: Path) -> Iterator[Demo]:
    demo = Demo(module_state, port=ports.free_port())
    with demo.running(lambda _: None):
        yield demo


@pytest.fixture
def beside_running(running: Demo, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """The demo runs in one window, and we type a command in another."""
    monkeypatch.setenv("SOCLE_STATE", str(running.state_dir))
    return running


def test_a_taken_port_is_refused_with_its_holder_and_the_way_out() -> None:
    with socket.socket() as listener:
        listener.bind((ports.LOOPBACK, 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken) as refused:
            check_port(port)
    assert f"Le port {port} est déjà pris par «" in str(refused.value)
    assert f"(processus {os.getpid()})" in str(refused.value)
    assert "make demo PORT=" in str(refused.value)


def test_secrets_are_closed_to_others_and_the_same_at_every_start(state: Path) -> None:
    first, second = Demo(state).environment(), Demo(state).environment()
    assert first["SOCLE_MASTER_KEY"] == second["SOCLE_MASTER_KEY"]
    assert len(base64.b64decode(first["SOCLE_MASTER_KEY"])) == 32
    for name in ("master.key", "secret.key", "exercise.token", "pg.password", "broker.password"):
        assert (state / name).stat().st_mode & 0o777 == 0o600


def test_a_command_is_run_with_the_environment_of_the_running_demo(
    beside_running: Demo, capfd: pytest.CaptureFixture[str]
) -> None:
    script = (
        "import os, psycopg; db = psycopg.connect(os.environ['SOCLE_DATABASE_URL'])\n"
        "print(*db.execute('SELECT current_user, rolcreaterole, rolsuper FROM pg_roles '\n"
        "                  'WHERE rolname = current_user').fetchone())"
    )
    assert command_line.main(["run", "--", sys.executable, "-c", script]) == 0
    assert capfd.readouterr().out == "socle_web False False\n"


def test_the_exit_code_of_the_command_is_ours(beside_running: Demo) -> None:
    assert command_line.main(["run", "--", "sh", "-c", "exit 7"]) == 7


def test_an_unknown_command_is_refused_with_a_sentence(
    beside_running: Demo, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["run", "--", "no-such-command"]) == 1
    assert "La commande « no-such-command » n'existe pas" in capfd.readouterr().err


def test_a_second_demo_shows_the_address_of_the_first(
    beside_running: Demo, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["demo"]) == 0
    assert f"déjà en marche : {beside_running.url}\n" in capfd.readouterr().out


def test_the_data_of_a_running_demo_are_not_erased(
    beside_running: Demo, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["demo", "--reset"]) == 1
    assert "arrêtez-la" in capfd.readouterr().err
    assert (beside_running.state_dir / "pg" / "PG_VERSION").exists()


def test_a_command_without_demo_has_one_started_and_stopped_for_it(
    state: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOCLE_STATE", str(state))
    assert command_line.main(["run", "--", "cat", str(state / "run.json")]) == 0
    said = capfd.readouterr()
    started = json.loads(said.out)["processes"]
    assert list(started) == ["postgres", "broker", "web"]
    assert not [pid for pid, start in started.values() if processes.started_at(pid) == start]
    assert said.err.splitlines()[-1].endswith("PostgreSQL : arrêté")
    assert RunFile.read(state) is None


def test_nothing_is_left_of_an_erased_demo(state: Path) -> None:
    for name in ("pg", "files", "broker"):
        (state / name).mkdir()
        (state / name / "data").touch()
    demo = Demo(state)
    demo.environment()
    demo.erase()
    assert {entry.name for entry in state.iterdir()} == {"lock"}


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        process.kill()


def note_about(name: str, pid: int, start: str) -> RunFile:
    return RunFile(Ports(1, 2, 3, 4), processes={name: (pid, start)})


def test_what_outlived_a_killed_supervisor_is_ended(
    state: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    note_about("web", sleeper.pid, processes.started_at(sleeper.pid)).write(state)
    note = RunFile.read(state)
    assert note is not None
    assert note.end_orphans() == ["web"]
    assert sleeper.wait(5) == -signal.SIGTERM


def test_a_stranger_with_the_number_of_an_orphan_is_spared(
    sleeper: "subprocess.Popen[bytes]",
) -> None:
    assert note_about("web", sleeper.pid, "12").end_orphans() == []
    assert sleeper.poll() is None


def test_an_abandoned_postgres_is_left_to_its_own_replacement(
    sleeper: "subprocess.Popen[bytes]",
) -> None:
    note = note_about("postgres", sleeper.pid, processes.started_at(sleeper.pid))
    assert note.end_orphans() == []
    assert sleeper.poll() is None


def test_a_spoilt_note_is_no_note(state: Path) -> None:
    (state / "run.json").write_text('{"ports": {}}')
    assert RunFile.read(state) is None


def test_a_demo_in_use_refuses_a_second_owner(state: Path) -> None:
    first, second = Demo(state), Demo(state)
    first.lock.acquire()
    try:
        with pytest.raises(StillRunning, match="est en marche sur"):
            second.erase()
    finally:
        first.lock.release()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_refused(state: Path) -> None:
    theirs = state / "theirs"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    with pytest.raises(NotOurs, match=r"appartient à un autre compte \(uid 65534\)"):
        make_private(theirs)
