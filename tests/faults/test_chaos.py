"""`make chaos` itself, in small: whatever is killed meanwhile, its count comes out even."""

import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from socle.actes.models import Act
from socle.delivery.models import Outbound
from tests.actes import conftest as acts
from tests.chaos.audit import Audit
from tests.conftest import REPO

pytestmark = pytest.mark.xdist_group("faults")
right, classification, ready = acts.right, acts.classification, acts.ready
secretary, deposit = acts.secretary, acts.deposit


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


def _faults(told: dict[str, Any], deposits: dict[tuple[str, str], Any]) -> set[str]:
    whole = {"kind": "actes", "taken": True, "number": "", "refusals": [], "began": 0.0} | told
    audit = Audit([], SimpleNamespace(deposits=deposits, poison=set()))  # type: ignore[arg-type]
    audit.look_at(connection.schema_name, whole)
    return set(audit.faults)


@pytest.mark.usefixtures("ready")
def test_the_count_sees_what_is_lost_doubled_or_stuck(deposit: Callable[..., Act]) -> None:
    act = deposit()
    sent = Outbound.objects.get()
    there = {("actes", sent.name): (sent.sha256, 1, "answered")}
    Outbound.objects.update(state="sent", sent_at=timezone.now())
    assert _faults({"name": "ABSENT"}, there) == {"lost"}
    assert _faults({"name": "ABSENT", "taken": False}, there) == set()
    assert _faults({"name": act.number}, there) == {"stuck"}  # no answer came
    assert _faults({"name": act.number}, {}) == {"stuck", "lost"}
    twice = {("actes", sent.name): (sent.sha256, 2, "answered")}
    assert _faults({"name": act.number}, twice) == {"stuck", "doubled"}
    assert _faults({"name": act.number, "number": "7"}, there) == {"stuck", "false"}
