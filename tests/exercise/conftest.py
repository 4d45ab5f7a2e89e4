"""A real server on a free port, with a clock the test may move."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from socle.exercise.server import ExerciseServer
from tests.exercise.builders import AT
from tests.exercise.client import TOKEN, Client

OTHER_TOKEN = "other-account-token"


class Clock:
    """The time of the offices; it stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(tmp_path: Path, clock: Clock) -> Iterator[ExerciseServer]:
    accounts = {TOKEN: "socle", OTHER_TOKEN: "other"}
    with ExerciseServer(state=tmp_path, accounts=accounts, delay=0, clock=clock) as running:
        yield running


@pytest.fixture
def client(server: ExerciseServer) -> Client:
    return Client(server.url)


@pytest.fixture
def other(server: ExerciseServer) -> Client:
    return Client(server.url, OTHER_TOKEN)
