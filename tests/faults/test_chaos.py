"""`make chaos` itself, in small: whatever is killed meanwhile, its count comes out even."""

import subprocess
import sys

import pytest

from tests.conftest import REPO

pytestmark = pytest.mark.xdist_group("faults")


def test_a_few_kills_lose_nothing_and_double_nothing() -> None:
    order = ["--deposits", "6", "--kills", "6", "--poisoned", "2", "--minutes", "3"]
    run = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *order],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "6 sur 6, 6 pris" in run.stdout
    assert [line.split()[-1] for line in run.stdout.splitlines() if "dont empois" in line] == ["2"]
