"""State directories that a server started by root can reach, unlike pytest's own (0700)."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def module_state() -> Iterator[Path]:
    yield from _reachable_directory()


@pytest.fixture
def state() -> Iterator[Path]:
    yield from _reachable_directory()


def _reachable_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="socle-test-")).resolve()
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)
