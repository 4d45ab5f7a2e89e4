"""Exports read from a real streaming replica: complete, read-only, under the same fences."""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections
from django.urls import reverse
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.actes.models import Act
from socle.core import fences, replica
from socle.journal import actions as journal
from socle.journal import verify
from tenants.models import Tenant
from tests import day
from tests.cells.clusters import NAME, Copy, running, world
from tests.conftest import SERVER
from tests.people import Browser, person

MELLE = "t_200081511"


@dataclass
class Pair:
    """A server, and the one that follows it."""

    primary: Copy
    follower: Copy

    def pause(self) -> None:
        """Let the follower receive, and show nothing new."""
        with self.follower.connect(NAME) as db:
            db.execute("SELECT pg_wal_replay_pause()")
            while db.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() != ("paused",):
                pass

    def resume(self) -> None:
        """Let it catch up."""
        with self.follower.connect(NAME) as db:
            db.execute("SELECT pg_wal_replay_resume()")


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    """How late a replica is, PostgreSQL says on the operating system's day."""
    with day.of_the_system():
        yield


@pytest.fixture(scope="module")
def two_following(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """Both servers, started; the second streams from the first."""
    world(SERVER)
    place = tmp_path_factory.mktemp("pair")
    primary = Copy(place / "primary", source=SERVER)
    with running(primary):
        follower = Copy(place / "follower", source=primary.url(), follows=True)
        with running(follower):
            yield Pair(primary, follower)


@pytest.fixture
def pair(
    two_following: Pair, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pair]:
    """The pair behind this process, as SOCLE_DATABASE_REPLICA_URL would say."""
    default = connections.settings["default"]
    before = dict(default)
    # These servers write behind (`synchronous_commit=off`): what was committed leaves a bit later.
    monkeypatch.setattr(replica, "PATIENCE", 1.5)
    with django_db_blocker.unblock():
        connection.close()
        default.update(two_following.primary.session())
        connections.settings["main_replica"] = default | two_following.follower.session(
            REPLICA=True
        )
        replica._silent_until.clear()
        try:
            yield two_following
        finally:
            two_following.resume()
            connections.close_all()
            del connections.settings["main_replica"]
            if hasattr(connections._connections, "main_replica"):
                del connections["main_replica"]
            default.update(before)
            default.pop("REPLICA", None)


@pytest.fixture
def agent(pair: Pair) -> Browser:
    """Somebody of Melle."""
    tenant = Tenant.objects.get(schema_name=MELLE)
    return Browser("melle.localhost", person(Role.TRANSMITTER, at=tenant.organisation))


def _where() -> tuple[bool, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery(), current_user::text")
        found: tuple[bool, str] = cursor.fetchone()
        return found


def _act(number: str) -> Act:
    return Act.objects.create(number=number, objet="Voirie", created_at=timezone.now())


def test_an_export_is_read_from_the_replica_and_holds_what_was_just_written(
    pair: Pair, agent: Browser
) -> None:
    with fences.inside(MELLE):
        _act("2026_901")
        with replica.reading() as as_of:
            assert _where() == (True, MELLE)
            assert Act.objects.filter(number="2026_901").exists()
        assert as_of.from_replica
        assert timezone.now() - as_of.until < timedelta(seconds=5)
        assert _where() == (False, MELLE)
    got = agent.get("/actes/export.csv")
    content = b"".join(got.streaming_content).decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(content), delimiter=";")
    assert "2026_901" in {row["Numéro"] for row in rows}


def test_nothing_can_be_written_while_reading(pair: Pair) -> None:
    with fences.inside(MELLE), replica.reading(), pytest.raises(DatabaseError, match="read-only"):
        _act("2026_902")
    with fences.inside(MELLE):
        assert not Act.objects.filter(number="2026_902").exists()


def test_the_fences_stand_on_the_replica(pair: Pair) -> None:
    with fences.inside(MELLE), replica.reading(), connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(schema_name) FROM public.tenants_tenant")
        assert cursor.fetchone() == ([MELLE],)
        with pytest.raises(DatabaseError, match="permission denied"):
            cursor.execute("SELECT 1 FROM t_200083897.actes_act")
        with pytest.raises(PermissionError):
            cursor.execute("RESET ROLE")


def test_a_late_replica_is_not_believed_by_an_export(pair: Pair) -> None:
    pair.pause()
    with fences.inside(MELLE):
        _act("2026_903")
        with replica.reading() as as_of:
            assert not as_of.from_replica
            assert Act.objects.filter(number="2026_903").exists()


def test_figures_may_be_a_little_late_and_say_until_when(
    pair: Pair, agent: Browser, settings: Any
) -> None:
    with fences.inside(MELLE):
        _act("2026_904")
        with replica.reading():
            pass
        pair.pause()
        _act("2026_905")
        with replica.reading(exact=False) as as_of:
            assert _where()[0]
            assert Act.objects.filter(number="2026_904").exists()
            assert not Act.objects.filter(number="2026_905").exists()
        assert as_of.from_replica
        assert as_of.until < timezone.now()

        settings.REPLICA_LAG = 0
        with replica.reading(exact=False) as as_of:
            assert not as_of.from_replica
            assert Act.objects.filter(number="2026_905").exists()
    page = agent.get(reverse("actes:statistics")).content.decode()
    assert "Chiffres arrêtés au" in page


def test_a_silent_replica_is_done_without(pair: Pair) -> None:
    pair.follower.stop()
    try:
        with fences.inside(MELLE), replica.reading() as as_of:
            assert _where() == (False, MELLE)
        assert not as_of.from_replica
    finally:
        pair.follower.start()
        connections.settings["main_replica"]["PORT"] = str(pair.follower.port)


def test_a_server_that_follows_nobody_is_no_replica(pair: Pair) -> None:
    connections.settings["main_replica"].update(pair.primary.session())
    with replica.reading() as as_of:
        assert not as_of.from_replica


def test_the_sealed_parcel_is_whole_though_its_last_entry_is_a_moment_old(pair: Pair) -> None:
    out = io.BytesIO()
    used = []
    original = journal.parcel.build

    def build(**given: Any) -> Any:
        used.append(_where()[0])
        return original(**given)

    journal.parcel.build = build
    try:
        with fences.lifted():
            journal.export(schema=MELLE, out=out, by="tests", at=timezone.now())
    finally:
        journal.parcel.build = original
    assert used == [True]
    with zipfile.ZipFile(out) as archive:
        lines = archive.read(verify.ENTRIES).decode().splitlines()
    assert "journal.exported" in lines[-1]
