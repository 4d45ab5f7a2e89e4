"""Ports: who holds them, and which one we take."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from socle.stack import ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((ports.LOOPBACK, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_somebody_listens_on_is_not_free(taken: int) -> None:
    assert not ports.is_free(taken)


def test_the_holder_of_a_port_is_named(taken: int) -> None:
    holder = ports.holder_of(taken)
    assert holder is not None
    assert holder.pid == os.getpid()
    assert holder.command


def test_a_free_port_has_no_holder() -> None:
    assert ports.holder_of(ports.free_port()) is None


def test_the_same_port_is_taken_at_every_start(tmp_path: Path) -> None:
    file = tmp_path / "port"
    assert ports.remembered_port(file) == ports.remembered_port(file)


def test_another_port_is_taken_when_the_usual_one_is_not_free(tmp_path: Path, taken: int) -> None:
    file = tmp_path / "port"
    file.write_text(str(taken))
    chosen = ports.remembered_port(file)
    assert chosen != taken
    assert file.read_text() == str(chosen)
