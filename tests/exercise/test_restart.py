"""A server killed without warning loses nothing and repeats nothing."""

import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests import day
from tests.exercise.builders import Act, parcel_of
from tests.exercise.client import TOKEN, Client

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "platform")))


def environment(token: str = TOKEN) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SOCLE_")}
    return kept | day.environment(SOURCES) | ({"SOCLE_EXERCISE_TOKEN": token} if token else {})


def command(state: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "socle.exercise", "--port", "0", "--state", str(state), *more]


@contextmanager
def running(state: Path, *more: str, token: str = TOKEN) -> Iterator[tuple[Client, "Process"]]:
    process = subprocess.Popen(
        command(state, *more), env=environment(token), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield Client(process.stdout.readline().split()[-1]), process
    finally:
        process.kill()
        process.communicate()


Process = subprocess.Popen[str]


def kill(process: Process) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_deposit_acknowledged_before_a_kill_is_answered_after_the_restart(
    tmp_path: Path,
) -> None:
    parcel = parcel_of(Act(day="2025-02-03"))
    with running(tmp_path, "--delay", "0.5") as (client, process):
        assert client.deposit(parcel.name, parcel.archive()).status == 200
        kill(process)
    with running(tmp_path, "--delay", "0.5") as (client, _):
        assert client.deposited(parcel.name).json["count"] == 1
        [listed] = client.wait_for_returns(1)
        assert "-1-2_" in listed["name"]


def test_an_answer_given_before_a_kill_is_not_given_again(tmp_path: Path) -> None:
    parcel = parcel_of(Act(day="2025-02-03"))
    with running(tmp_path, "--delay", "0") as (client, process):
        client.deposit(parcel.name, parcel.archive())
        before = client.wait_for_returns(1)
        content = client.ask("GET", "/retours/1").content
        kill(process)
    with running(tmp_path, "--delay", "0") as (client, _):
        other = parcel_of(Act(day="2025-02-03", number="OTHER"), number=2)
        client.deposit(other.name, other.archive())
        assert client.wait_for_returns(2)[:1] == before
        assert client.ask("GET", "/retours/1").content == content


def test_deposits_under_way_during_a_kill_are_answered_once_if_they_were_stored(
    tmp_path: Path,
) -> None:
    parcels = [parcel_of(Act(day="2025-02-03", number=f"N{n}"), number=n) for n in range(1, 101)]
    told: list[str] = []
    with running(tmp_path, "--delay", "0") as (client, process):
        killer = threading.Timer(0.02, kill, (process,))
        with suppress(OSError, http.client.HTTPException):
            for parcel in parcels:
                assert client.deposit(parcel.name, parcel.archive()).status == 200
                told.append(parcel.name)
                if len(told) == 5:
                    killer.start()
        killer.join()
    assert 5 <= len(told) < len(parcels)
    with running(tmp_path, "--delay", "0") as (client, _):
        client.wait_until_treated()
        stored = [one.name for one in parcels if client.deposited(one.name).status == 200]
        names = [one["name"] for one in client.wait_for_returns(len(stored))]
    assert set(told) <= set(stored)
    assert sorted(one.split("-1-2_")[0] for one in names) == sorted(_act_ids(stored))


def _act_ids(archives: list[str]) -> list[str]:
    numbers = [name.removesuffix(".tar.gz").rpartition("-")[2] for name in archives]
    return [Act(day="2025-02-03", number=f"N{one}").act_id for one in numbers]


def test_a_server_asked_to_stop_stops_cleanly(tmp_path: Path) -> None:
    with running(tmp_path) as (_, process):
        process.terminate()
        assert process.wait(5) == 0


def test_a_server_without_a_token_refuses_to_start(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path), env=environment(""), capture_output=True, text=True, timeout=10
    )
    assert done.returncode == 1
    assert "SOCLE_EXERCISE_TOKEN" in done.stderr


def test_tokens_may_come_from_a_file(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"# comptes\nsocle {TOKEN}\n", encoding="utf-8")
    state = tmp_path / "state"
    with running(state, "--token-file", str(tokens), token="") as (client, _):
        assert client.counters()["deposits"] == 0


def test_a_server_says_when_its_folder_is_taken(tmp_path: Path) -> None:
    with running(tmp_path):
        done = subprocess.run(
            command(tmp_path), env=environment(), capture_output=True, text=True, timeout=10
        )
    assert done.returncode == 1
    assert "utilise déjà" in done.stderr
