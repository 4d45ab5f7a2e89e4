"""The supervisor, on toy processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from socle.stack import supervisor as module
from socle.stack.service import DidNotStart, Process
from socle.stack.supervisor import CommandFailed, Progress, Stopped, Supervisor
from socle.stack.waiting import wait_until

SLEEP = ("sleep", "60")
# Says that it has begun, then says that it was asked to end, and ends.
POLITE = (
    "import signal, sys, time\n"
    "def end(*_): print('asked to end', flush=True); sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, end); print('begun', flush=True); time.sleep(60)"
)
# Starts a child and ignores every request to end.
STUBBORN = (
    "import signal, subprocess, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(said.append)
    yield supervisor
    supervisor.stop()


def process(
    directory: Path, name: str, *command: str, waits_for: str = "", stop_limit: float = 5
) -> Process:
    return Process(
        name,
        command,
        log=directory / f"{name}.log",
        ready=(lambda this: waits_for in this.output()) if waits_for else None,
        start_limit=5,
        stop_limit=stop_limit,
    )


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_services_stop_in_reverse_order(
    tmp_path: Path, supervisor: Supervisor, said: list[str]
) -> None:
    supervisor.start(process(tmp_path, "database", *SLEEP))
    supervisor.start(process(tmp_path, "web", *SLEEP))
    supervisor.stop()
    assert said == ["database : prêt", "web : prêt", "web : arrêté", "database : arrêté"]


def test_start_returns_when_the_service_is_ready(tmp_path: Path, supervisor: Supervisor) -> None:
    service = process(tmp_path, "web", sys.executable, "-c", POLITE, waits_for="begun")
    supervisor.start(service)
    assert "begun" in service.output()


def test_a_service_is_asked_to_end_before_it_is_killed(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    service = process(tmp_path, "web", sys.executable, "-c", POLITE, waits_for="begun")
    supervisor.start(service)
    supervisor.stop()
    assert "asked to end" in service.output()
    assert service.exit_code() == 0


def test_a_stubborn_service_is_killed_with_its_children(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    service = process(
        tmp_path, "web", sys.executable, "-c", STUBBORN, waits_for="\n", stop_limit=0.3
    )
    supervisor.start(service)
    supervisor.stop()
    grandchild = int(service.output())
    assert service.exit_code() == -signal.SIGKILL
    assert wait_until(lambda: not running(grandchild), seconds=5)


def test_a_service_that_ends_at_once_is_reported_with_its_log(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    service = process(tmp_path, "web", "sh", "-c", "echo no such settings; exit 3", waits_for="up")
    with pytest.raises(DidNotStart, match=r"« web » n'a pas démarré.*\n    no such settings"):
        supervisor.start(service)


def test_a_crashed_service_is_started_again(
    tmp_path: Path, supervisor: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_DELAY", 0.01)
    service = process(tmp_path, "web", *SLEEP)
    supervisor.start(service)
    crashed = service.pid()
    os.kill(crashed or 0, signal.SIGKILL)

    def changed() -> None:
        supervisor.stop_wanted = True

    supervisor.on_change = changed
    supervisor.watch()

    assert service.pid() not in (None, crashed)
    assert said[1:] == ["web : arrêté (code -9), nouvel essai dans 0 s", "web : de nouveau prêt"]


def test_crashes_in_a_row_are_spaced_more_and_more(tmp_path: Path) -> None:
    watched = module._Watched(process(tmp_path, "web", *SLEEP))
    delays = [watched.plan_revival() for _ in range(7)]
    assert delays == [1, 2, 4, 8, 16, 30, 30]


def test_a_crash_after_a_long_life_is_the_first_one_again(tmp_path: Path) -> None:
    watched = module._Watched(process(tmp_path, "web", *SLEEP))
    watched.plan_revival()
    watched.started -= module.GOOD_HEALTH + 1
    assert watched.plan_revival() == module.FIRST_DELAY


def test_a_failed_preparation_shows_the_end_of_its_log(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    with pytest.raises(CommandFailed, match=r"« migration » a échoué \(code 2\).*\n    no table"):
        supervisor.run(
            "migration",
            ("sh", "-c", "echo no table; exit 2"),
            env=dict(os.environ), cwd=tmp_path, log=tmp_path / "setup.log",
        )  # fmt: skip


def test_nothing_is_started_once_a_stop_was_asked(tmp_path: Path, supervisor: Supervisor) -> None:
    supervisor.stop_wanted = True
    service = process(tmp_path, "web", *SLEEP)
    with pytest.raises(Stopped):
        supervisor.start(service)
    assert not service.alive()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from socle.stack.service import Process\n"
        "from socle.stack.supervisor import Progress, Supervisor\n"
        "supervisor = Supervisor(Progress(sys.stdout))\n"
        "log = Path(sys.argv[1])\n"
        "with supervisor.signals():\n"
        "    supervisor.start(Process('toy', sys.argv[2:], log=log,\n"
        "                             ready=lambda toy: 'begun' in toy.output()))\n"
        "    supervisor.watch()\n"
        "    supervisor.stop()\n"
    )
    log = tmp_path / "toy.log"
    command = [sys.executable, "-c", script, str(log), sys.executable, "-c", POLITE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert "toy : prêt" in run.stdout.readline()
        run.send_signal(number)
        assert "toy : arrêté" in run.stdout.readline()
        assert run.wait(timeout=5) == 0
    assert log.read_text().splitlines() == ["begun", "asked to end"]


def test_a_signal_during_a_preparation_ends_it(tmp_path: Path, supervisor: Supervisor) -> None:
    pid_file = tmp_path / "pid"

    def interrupt_once_begun(_: str) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.3)

    supervisor.say = interrupt_once_begun
    before = signal.signal(signal.SIGALRM, supervisor._want_stop)
    try:
        with pytest.raises(Stopped):
            supervisor.run(
                "migration",
                ("sh", "-c", f"echo $$ > {pid_file}; exec sleep 60"),
                env=dict(os.environ), cwd=tmp_path, log=tmp_path / "setup.log",
            )  # fmt: skip
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not running(int(pid_file.read_text()))


def test_a_line_shows_the_elapsed_time_the_french_way(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = Progress(sys.stdout)
    progress._start = time.monotonic() - 3.21
    progress("PostgreSQL : prêt")
    assert capsys.readouterr().out == "   3,2 s  PostgreSQL : prêt\n"


def test_a_log_that_grew_too_big_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socle.stack.state.LOG_LIMIT", 10)
    (tmp_path / "web.log").write_text("a long story\n")
    service = process(tmp_path, "web", "echo", "fresh")
    service.start()
    service.stop()
    assert (tmp_path / "web.log.1").read_text() == "a long story\n"
    assert (tmp_path / "web.log").stat().st_mode & 0o777 == 0o600


def test_output_begins_at_the_last_start(tmp_path: Path) -> None:
    service = process(tmp_path, "web", "echo", "once", waits_for="once")
    for _ in range(2):
        service.start()
        wait_until(lambda: not service.alive(), seconds=5)
    assert service.output() == "once\n"
