"""What every test stands on: a real PostgreSQL, real communes, files in a folder that goes away.

The controller starts the embedded PostgreSQL; each xdist worker copies a template database that is
built once per set of migrations. A test works in a transaction that is rolled back.
"""

import atexit
import base64
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests import day

day.begin()  # before anything reads the clock

from socle.core.roles import OWNER, WEB  # noqa: E402
from socle.stack import roles  # noqa: E402
from socle.stack.postgres import Postgres  # noqa: E402
from socle.stack.state import AlreadyInUse  # noqa: E402

REPO = Path(__file__).resolve().parents[1]
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")


# A busy machine is no fault of the code: nothing here is timed.
hypothesis_settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("untimed")


def _start_postgres() -> str:
    state = Path(os.environ.get("SOCLE_TEST_STATE") or REPO / ".test")
    server = Postgres(state, durable=False)
    try:
        server.start()
    except AlreadyInUse:  # another run is at work in this checkout: stay out of its way
        elsewhere = tempfile.mkdtemp(prefix="socle-test-")
        atexit.register(shutil.rmtree, elsewhere, ignore_errors=True)
        server = Postgres(Path(elsewhere), durable=False)
        server.start()
        atexit.register(server.erase)
    atexit.register(server.stop)
    roles.ensure_roles(server)
    return server.url("postgres")


def _url(role: str, dbname: str = "postgres") -> str:
    """The address of a database for one of our roles, which have the superuser's password."""
    parts = urlsplit(SERVER)
    return f"{parts.scheme}://{role}:{parts.password}@{parts.hostname}:{parts.port}/{dbname}"


if "SOCLE_TEST_SERVER" not in os.environ:
    os.environ["SOCLE_TEST_SERVER"] = _start_postgres()
SERVER = os.environ["SOCLE_TEST_SERVER"]
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "socle.config.settings",
    "SOCLE_DATABASE_URL": _url(WEB),
    "SOCLE_BROKER_URL": "memory://",
    "SOCLE_SECRET_KEY": "only-for-tests-" * 4,
    "SOCLE_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
    "SOCLE_FILES_DIR": tempfile.mkdtemp(prefix="socle-files-"),
    "SOCLE_EXERCISE_URL": "http://127.0.0.1:9",
    "SOCLE_EXERCISE_TOKEN": "exercise",
}

import django  # noqa: E402
from django.conf import settings as django_settings  # noqa: E402

django.setup()  # now: the conftest of a sub-folder may import models


def _fingerprint() -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    digest.update(os.environ.get(day.DAY, "").encode())  # the world is as old as its day
    rooms = [REPO / "platform", *(REPO / name for name in django_settings.OUR_ROOMS)]
    for room in rooms:
        for path in sorted(room.rglob("*.py")):
            if "migrations" in path.parts or path.name in {
                "blueprints.py",
                "fences.py",
                "history.py",
                "provisioning.py",
            }:
                digest.update(str(path.relative_to(REPO)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


TEMPLATE = f"tpl_{_fingerprint()}"
"""The database every other one of the suite is a copy of."""


def _use_database(name: str, role: str = WEB) -> None:
    from django.db import connections

    connections["default"].close()
    for place in (django_settings.DATABASES["default"], connections["default"].settings_dict):
        place.update({"NAME": name, "USER": role})


def create_database(server: Any, name: str, *, template: str = "template0") -> None:
    """A database of the owner's, with its doors closed; `server` is the superuser's connection."""
    server.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template} STRATEGY file_copy")
    server.execute(roles.connect_script(name))
    with psycopg.connect(_url("socle_admin", name), autocommit=True) as inside:
        inside.execute(roles.CLOSE)
        if day.shift() and template != "template0":  # PostgreSQL is on the suite's day too
            inside.execute(day.sql())


def _build_template(name: str) -> None:
    from django.core.management import call_command
    from django.db import connections

    from tests.world import build

    with psycopg.connect(SERVER, autocommit=True) as server:
        create_database(server, f"{name}_draft")
    _use_database(f"{name}_draft", OWNER)
    call_command("migrate_all", verbosity=0)
    _use_database(f"{name}_draft")
    build()
    connections["default"].close()
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name}_draft RENAME TO {name}")


TOGETHER = ("tests/e2e/", "tests/faults/", "tests/cells/")
"""Rooms of whole stacks, killed processes and browsers: each in one worker, and left to
`make test ALL=1`, hence to CI."""

ASIDE = (
    *TOGETHER,
    "tests/directory/test_imports.py",
    "tests/exercise/test_command.py",
    "tests/guards/test_layout.py",
    "tests/helm/test_wheel.py",
    "tests/life/",
    "tests/stack/test_recovery.py",
    "tests/tenants/test_upgrades.py",
)
"""With these, which take seconds each, the everyday loop would take a quarter more."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the long rooms, so that `-m "not slow"` is the everyday loop."""
    for item in items:
        if item.nodeid.startswith(ASIDE):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests that share a real stack in one worker.

    xdist 3.8 writes its groups where pytest 9.2 no longer reads them: `xdist_group` has no effect.
    """
    from xdist.scheduler.loadscope import LoadScopeScheduling

    class ByStack(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((room for room in TOGETHER if nodeid.startswith(room)), nodeid)

    return ByStack(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """Give this worker its own copy of the template database."""
    mine = f"t_{WORKER}"
    with django_db_blocker.unblock(), psycopg.connect(SERVER, autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(20260101)")
        known = "SELECT 1 FROM pg_database WHERE datname = %s"
        if server.execute(known, [TEMPLATE]).fetchone() is None:
            server.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}_draft WITH (FORCE)")
            _build_template(TEMPLATE)
        server.execute(f"DROP DATABASE IF EXISTS {mine} WITH (FORCE)")
        create_database(server, mine, template=TEMPLATE)
        server.execute("SELECT pg_advisory_unlock(20260101)")
        _use_database(mine)
    yield
    with django_db_blocker.unblock():
        from django.db import connections

        connections["default"].close()


@pytest.fixture
def as_owner(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Work as the role that migrates. To be named before anything that opens the database."""
    from django.db import connections

    with django_db_blocker.unblock():
        name = connections["default"].settings_dict["NAME"]
        _use_database(name, OWNER)
        yield
        _use_database(name)


@pytest.fixture(autouse=True)
def vault(tmp_path: Path, settings: Any) -> Path:
    """The encrypted files of this test."""
    place = tmp_path / "vault"
    backend = "socle.documents.storage.AtomicFileSystemStorage"
    stored = {"BACKEND": backend, "OPTIONS": {"location": str(place)}}
    settings.STORAGES = {**settings.STORAGES, "vault": stored, "default": stored}
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    return place


@pytest.fixture(autouse=True)
def _fresh_hosts() -> Iterator[None]:
    """No test sees a host another test made known."""
    from tenants.middleware import forget_hosts

    yield
    forget_hosts()


@pytest.fixture
def portal(db: None) -> Any:
    """The public schema, and the tenant that stands for the portal."""
    from django.db import connection

    from tenants.models import Tenant

    connection.set_schema_to_public()
    return Tenant.objects.get(schema_name="public")


@pytest.fixture
def town(db: None) -> Iterator[Any]:
    """Melle: its tenant, with the connection inside its schema until the test ends."""
    yield from _inside("200081511")


@pytest.fixture
def neighbour(db: None) -> Any:
    """Celles-sur-Belle: another tenant, whose schema is not entered."""
    from tenants.models import Tenant

    return Tenant.objects.select_related("organisation").get(organisation__insee="79061")


def _inside(siren: str) -> Iterator[Any]:
    from django.db import connection

    from tenants.models import Tenant

    connection.set_schema_to_public()
    tenant = Tenant.objects.select_related("organisation").get(organisation__siren=siren)
    connection.set_tenant(tenant)
    yield tenant
    connection.set_schema_to_public()


@pytest.fixture
def syndicat(db: None) -> Any:
    """The syndicat's own organisation."""
    from socle.directory import queries

    return queries.syndicat()


@pytest.fixture
def noon() -> datetime:
    """A fixed instant: Tuesday 24 November 2026, 12:00 in Paris."""
    return datetime(2026, 11, 24, 11, tzinfo=UTC)
