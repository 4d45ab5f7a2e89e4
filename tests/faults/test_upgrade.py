"""Whatever happens to an upgrade, each commune is before or after a migration, and the next run
finishes. Real processes, a real PostgreSQL that is filled up and restarted."""
# ruff: noqa: S608 -- the names of our own schemas

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from socle.core.roles import OWNER, WEB
from socle.stack.waiting import wait_until
from tests.faults.town_hall import COMMUNES, PROVISION, TownHall

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
SEEDS = 20
DONE = {3}
BACK = """
ALTER TABLE {0}.documents_storedfile DROP COLUMN IF EXISTS note;
DROP TABLE IF EXISTS {0}.documents_label;
DELETE FROM {0}.django_migrations WHERE app = 'documents' AND name <> '0001_initial';
"""
SLOW = """
CREATE FUNCTION {0}.slow() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep({1}); RETURN NEW; END';
CREATE TRIGGER slow BEFORE UPDATE ON {0}.documents_storedfile
    FOR EACH ROW EXECUTE FUNCTION {0}.slow();
"""


def _where(hall: TownHall) -> set[int]:
    places = hall.places()
    assert len(places) == COMMUNES
    return set(places.values())


def _moved(hall: TownHall) -> int:
    """How many communes took a step already."""
    stands = "tenants_tenant JOIN tenants_blueprint ON fingerprint = blueprint"
    taken = f"SELECT count(*) FROM {stands} WHERE migrations::text LIKE '%0002_note%'"
    return int(hall.query(taken)[0][0])


def _bring_back(hall: TownHall, schemas: list[str], blueprint: str) -> None:
    """Every commune to the release of today again."""
    hall.execute(
        *(BACK.format(schema) for schema in schemas),
        f"UPDATE tenants_tenant SET blueprint = '{blueprint}' WHERE organisation_id IS NOT NULL",
    )


def test_killed_at_any_moment(hall: TownHall) -> None:
    schemas, [(today,)] = hall.schemas(), hall.query("SELECT max(blueprint) FROM tenants_tenant")
    recorded = f"DELETE FROM tenants_blueprint WHERE fingerprint <> '{today}'"
    whole = []
    for _ in range(2):  # the SQL is recorded the first time only
        _bring_back(hall, schemas, today)
        begun = time.monotonic()
        assert hall.upgrade() == 0, hall.forge.said()
        whole.append(time.monotonic() - begun)
    assert _where(hall) == DONE
    assert "contient du Python" in hall.forge.said()
    met: set[int] = set()

    for seed in range(SEEDS):
        _bring_back(hall, schemas, today)
        if first := seed % 5 == 0:
            hall.execute(recorded)
        run = hall.start_upgrade()
        moment = random.Random(seed).uniform(0, 1)  # noqa: S311 -- a moment, not a secret
        time.sleep(moment * whole[0 if first else 1])
        os.kill(run, signal.SIGKILL)
        hall.forge.wait(run)
        met |= _where(hall)

        assert hall.upgrade() == 0, hall.forge.said()
        assert _where(hall) == DONE

    assert len(met) > 1, "no kill ever fell inside an upgrade"
    with hall.connect(WEB) as db:  # the fence stands around the new table
        db.execute(f"SET ROLE {schemas[0]}")
        db.execute(f"INSERT INTO {schemas[0]}.documents_label (word) VALUES ('neuf')")


def test_a_statement_that_takes_too_long(hall: TownHall) -> None:
    slow = hall.schemas()[2]
    hall.execute(SLOW.format(slow, 30))

    code = hall.upgrade(environment={"PGOPTIONS": "-c statement_timeout=1500"})

    assert code == 3
    assert f"{slow} : canceling statement due to statement timeout" in hall.forge.said()
    assert "1 en échec" in hall.forge.said()
    assert (
        f"1 commune avant documents.0002_note, documents.0003_python, documents.0004_label : {slow}"
        in (hall.forge.said())
    )
    places = hall.places()
    assert places.pop(slow) == 0
    assert set(places.values()) == DONE

    hall.execute(f"DROP FUNCTION {slow}.slow() CASCADE")
    assert hall.upgrade() == 0
    assert _where(hall) == DONE


def test_a_commune_somebody_works_in_waits_for_its_turn(hall: TownHall) -> None:
    busy = hall.schemas()[3]
    with hall.connect() as db, db.transaction():
        db.execute(f"SELECT FROM {busy}.documents_storedfile")
        run = hall.start_upgrade()
        assert wait_until(lambda: _moved(hall) >= COMMUNES - 2, seconds=120), hall.forge.said()
    assert hall.forge.wait(run) == 0, hall.forge.said()
    assert _where(hall) == DONE


def test_the_server_restarts_in_the_middle(hall: TownHall) -> None:
    hall.execute(*(SLOW.format(schema, 0.2) for schema in hall.schemas()))
    run = hall.start_upgrade()
    assert wait_until(lambda: _moved(hall) > 0, seconds=120), hall.forge.said()

    hall.server.stop()
    time.sleep(1)
    hall.server.start()

    assert _where(hall) != DONE
    assert hall.forge.wait(run) == 0, hall.forge.said()
    assert _where(hall) == DONE


def test_two_upgrades_at_once_share_the_work(hall: TownHall) -> None:
    runs = [hall.start_upgrade(log=str(hall.forge.place / name)) for name in ("a", "b")]
    assert [hall.forge.wait(run) for run in runs] == [0, 0], [
        (hall.forge.place / name).read_text() for name in ("a", "b")
    ]
    assert _where(hall) == DONE


@pytest.fixture
def tiny(hall: TownHall, tmp_path: Path) -> Iterator[Path]:
    """A disk of a few pages, where the tables of this database go from now on."""
    place = hall.server.socket_dir.with_name(hall.server.socket_dir.name + "-tiny")
    place.mkdir()
    options = f"size=64k,mode=0700,uid={hall.server.data.stat().st_uid}"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        place.rmdir()
        pytest.skip("only root can mount the little disk that is filled up")
    try:
        hall.execute(
            f"CREATE TABLESPACE tiny LOCATION '{place}'",
            f"GRANT CREATE ON TABLESPACE tiny TO {OWNER}, {WEB}",
            f"ALTER DATABASE {hall.database} SET default_tablespace = tiny",
        )
        yield place
    finally:
        hall.execute(f"ALTER DATABASE {hall.database} RESET default_tablespace")
        with hall.connect() as db:
            spread = (
                "SELECT oid::regclass FROM pg_class WHERE reltablespace = "
                "(SELECT oid FROM pg_tablespace WHERE spcname = 'tiny') AND relkind = 'r'"
            )
            for (table,) in db.execute(spread).fetchall():
                db.execute(f"DROP TABLE {table} CASCADE")
            db.execute("DROP TABLESPACE tiny")
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


def _grow(place: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=16m", str(place)], check=True)


def test_the_disk_is_full_before_an_upgrade(hall: TownHall, tiny: Path) -> None:
    assert hall.upgrade() == 3
    assert "No space left on device" in hall.forge.said()
    assert _where(hall) == {0}

    _grow(tiny)
    assert hall.upgrade() == 0, hall.forge.said()
    assert _where(hall) == DONE


def test_the_disk_fills_up_in_the_middle(hall: TownHall, tiny: Path) -> None:
    _grow(tiny)
    hall.execute(*(SLOW.format(schema, 0.2) for schema in hall.schemas()))
    run = hall.start_upgrade()
    assert wait_until(lambda: _moved(hall) > 0, seconds=120), hall.forge.said()
    ballast = tiny / "ballast"
    free = os.statvfs(tiny)
    ballast.write_bytes(bytes(free.f_bavail * free.f_bsize - 48 * 1024))

    assert hall.forge.wait(run) == 3
    assert "No space left on device" in hall.forge.said()
    assert 2 in _where(hall) <= {2, 3}

    ballast.unlink()
    assert hall.upgrade() == 0, hall.forge.said()
    assert _where(hall) == DONE


def test_a_provision_on_a_full_disk_leaves_nothing(hall: TownHall, tiny: Path) -> None:
    before = hall.schemas(), hall.query("SELECT count(*) FROM pg_namespace")
    open_one = {"code": PROVISION.format(1), "database": hall.database, "user": WEB}

    assert hall.forge.wait(hall.forge.start(**open_one)) == 1
    assert "No space left on device" in hall.forge.said()
    assert (hall.schemas(), hall.query("SELECT count(*) FROM pg_namespace")) == before

    _grow(tiny)
    assert hall.forge.wait(hall.forge.start(**open_one)) == 0, hall.forge.said()
    assert len(hall.schemas()) == COMMUNES + 1


def test_two_provisions_of_one_commune_at_once(hall: TownHall) -> None:
    hall.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_sleep(0.7); RETURN NEW; END'",
        "CREATE TRIGGER slow AFTER INSERT ON tenants_tenant FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    logs = [hall.forge.place / name for name in ("a", "b")]
    open_one = {"code": PROVISION.format(1), "database": hall.database, "user": WEB}
    runs = [hall.forge.start(**open_one, log=str(log)) for log in logs]

    assert [hall.forge.wait(run) for run in runs] == [0, 0], [log.read_text() for log in logs]
    said = sorted(log.read_text().split()[0] for log in logs)
    assert said == ["ouvert", "refusé"]
    assert "tenants.already_provisioned" in "".join(log.read_text() for log in logs)
    assert len(hall.schemas()) == COMMUNES + 1


def test_a_commune_of_no_known_blueprint_is_read_and_brought_along(hall: TownHall) -> None:
    """A restored schema, say: what it misses is executed in it, migration by migration."""
    strange = hall.schemas()[1]
    hall.execute(f"UPDATE tenants_tenant SET blueprint = '?' WHERE schema_name = '{strange}'")
    assert hall.upgrade() == 0, hall.forge.said()
    assert _where(hall) == DONE
