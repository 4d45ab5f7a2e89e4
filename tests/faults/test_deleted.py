"""A commune deleted while its task runs: a clear error, nothing half-written, nobody else hurt."""
# ruff: noqa: S608 -- the names of our own schemas

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from socle.core.roles import OWNER, WEB
from socle.stack.waiting import wait_until
from tests.faults.town_hall import TownHall

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
GONE = "t_200081511"
TASK = """
import os, time
from celery import shared_task
from django.db import transaction
from django.utils import timezone
from socle.core.queue import in_tenant
from socle.journal.actions import record

def write():
    record(event="tenants.provisioned", subject=("test", 1), by="tests", at=timezone.now())

def wait():
    open("{step}", "w").close()
    while not os.path.exists("{go}"):
        time.sleep(0.02)

@shared_task(name="tests.between")
@in_tenant
def between():
    with transaction.atomic():
        write()
    wait()
    with transaction.atomic():
        write()

@shared_task(name="tests.inside")
@in_tenant
def inside():
    with transaction.atomic():
        write()
        wait()
        write()

{task}(schema="{schema}")
"""


def _delete(hall: TownHall) -> None:
    """What deleting a commune does to the database, as the role that owns it."""
    tenant = f"SELECT id FROM tenants_tenant WHERE schema_name = '{GONE}'"
    with hall.connect(OWNER) as db, db.transaction():
        db.execute(f"DELETE FROM tenants_domain WHERE tenant_id IN ({tenant})")
        db.execute(f"DELETE FROM tenants_tenant WHERE schema_name = '{GONE}'")
        db.execute(f"DROP SCHEMA {GONE} CASCADE")


def _start(hall: TownHall, task: str, place: Path) -> int:
    code = TASK.format(task=task, schema=GONE, step=place / "step", go=place / "go")
    run = hall.forge.start(code, hall.database, user=WEB)
    assert wait_until((place / "step").exists, seconds=60), hall.forge.said()
    return run


def _entries(hall: TownHall) -> dict[str, int]:
    return {
        schema: hall.query(f"SELECT count(*) FROM {schema}.journal_entry")[0][0]
        for schema in hall.schemas()
    }


def test_deleted_between_two_transactions_of_its_task(hall: TownHall, tmp_path: Path) -> None:
    before = _entries(hall)
    run = _start(hall, "between", tmp_path)
    _delete(hall)
    (tmp_path / "go").touch()

    assert hall.forge.wait(run) == 1
    assert f"SpaceGone: L’espace « {GONE} » n’existe plus" in hall.forge.said()
    del before[GONE]
    assert _entries(hall) == before


def test_deleted_inside_a_transaction_of_its_task(hall: TownHall, tmp_path: Path) -> None:
    """The deletion waits for the transaction, the task ends as if nothing was."""
    before = _entries(hall)
    run = _start(hall, "inside", tmp_path)
    with ThreadPoolExecutor(1) as beside:
        deletion = beside.submit(_delete, hall)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        assert wait_until(lambda: hall.query(waiting)[0][0] > 0, seconds=60)
        (tmp_path / "go").touch()
        deletion.result(timeout=60)

    assert hall.forge.wait(run) == 0, hall.forge.said()
    del before[GONE]
    assert _entries(hall) == before


def test_a_task_of_a_commune_deleted_long_ago(hall: TownHall, tmp_path: Path) -> None:
    _delete(hall)
    code = TASK.format(task="between", schema=GONE, step=tmp_path / "step", go=tmp_path / "go")
    assert hall.forge.wait(hall.forge.start(code, hall.database, user=WEB)) == 1
    assert "SpaceGone" in hall.forge.said()


def test_an_upgrade_does_not_stop_at_a_deleted_commune(hall: TownHall) -> None:
    count = len(hall.schemas())
    with hall.connect(OWNER) as db, db.transaction():
        db.execute(f"LOCK TABLE {GONE}.documents_storedfile")
        run = hall.start_upgrade()
        others = f"SELECT count(*) FROM tenants_tenant WHERE blueprint IN ({AFTER})"
        assert wait_until(lambda: hall.query(others)[0][0] >= count - 2, seconds=120)
        db.execute("DELETE FROM tenants_domain")
        db.execute(f"DELETE FROM tenants_tenant WHERE schema_name = '{GONE}'")
        db.execute(f"DROP SCHEMA {GONE} CASCADE")

    assert hall.forge.wait(run) == 0, hall.forge.said()
    assert set(hall.places().values()) == {3}
    assert len(hall.schemas()) == count - 1


AFTER = "SELECT fingerprint FROM tenants_blueprint WHERE migrations::text LIKE '%0002_note%'"
