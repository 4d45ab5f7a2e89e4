"""Databases of their own: what becomes of a space is really committed, and really gone."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import override_settings
from django.utils import timezone
from django_tenants.utils import tenant_context

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.directory import queries as directory
from socle.directory.models import Organisation
from socle.documents import actions as documents
from socle.journal import actions as journal
from socle.journal.actions import record
from tenants.life import actions, archives
from tenants.life.models import Archive
from tenants.models import Tenant
from tests.billing.databases import own_database
from tests.conftest import SERVER, WORKER
from tests.isolation.canaries import CANARY, Gardener
from tests.people import person

CONTENT = b"%PDF-1.4 une deliberation " + bytes(range(256)) * 9000
"""More than one chunk of the vault."""
PACKAGE = "espace.socle"


@dataclass
class Ground:
    """One commune with something in every table, in a database of its own."""

    tenant: Tenant
    administrator: Person
    officer: Person
    agent: Person

    @property
    def organisation(self) -> Organisation:
        return self.tenant.organisation

    @property
    def schema(self) -> str:
        return self.tenant.schema_name


@dataclass(frozen=True)
class Stage:
    """A database to copy, and the files that go with it."""

    database: str
    files: Path


@pytest.fixture(scope="session")
def planted(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any
) -> Iterator[Stage]:
    """Celles-sur-Belle, planted with a row in every table, files and a sealed journal."""
    stage = Stage(f"planted_{WORKER}", tmp_path_factory.mktemp("planted"))
    with _stage(stage, django_db_blocker), override_settings(STORAGES=_storages(stage.files)):
        plant()
        with _asleep():
            yield stage


@pytest.fixture(scope="session")
def archived(planted: Stage, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Stage]:
    """The same, suspended, archived, and its archive taken away."""
    stage = Stage(f"archived_{WORKER}", tmp_path_factory.mktemp("archived"))
    shutil.copytree(planted.files, stage.files, dirs_exist_ok=True)
    with (
        _stage(stage, django_db_blocker, template=planted.database),
        override_settings(STORAGES=_storages(stage.files)),
    ):
        made = archive(here(), stage.files)
        (stage.files / "phrase").write_text(made.passphrase)
        with _asleep():
            yield stage


@contextmanager
def _stage(stage: Stage, blocker: Any, *, template: str = "") -> Iterator[None]:
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {stage.database} WITH (FORCE)")
    with own_database(blocker, template=template, name=stage.database):
        yield


@contextmanager
def _asleep() -> Iterator[None]:
    """Let the other tests have the worker's database while a stage waits to be copied."""
    place, kept = connections["default"].settings_dict, settings.DATABASES["default"]
    mine = place["NAME"]
    connections["default"].close()
    place["NAME"] = kept["NAME"] = f"t_{WORKER}"
    yield
    place["NAME"] = kept["NAME"] = mine


def _storages(folder: Path) -> dict[str, Any]:
    backend = "socle.documents.storage.AtomicFileSystemStorage"
    stored = {"BACKEND": backend, "OPTIONS": {"location": str(folder)}}
    return {**settings.STORAGES, "vault": stored, "default": stored}


@pytest.fixture
def ground(planted: Stage, django_db_blocker: Any, vault: Path) -> Iterator[Ground]:
    """The planted commune, in a database of its own."""
    shutil.copytree(planted.files, vault)
    with own_database(django_db_blocker, template=planted.database):
        yield here()


@pytest.fixture
def left(archived: Stage, django_db_blocker: Any, vault: Path) -> Iterator[Ground]:
    """The archived commune, in a database of its own."""
    shutil.copytree(archived.files, vault)
    with own_database(django_db_blocker, template=archived.database):
        yield here()


@pytest.fixture
def made(archived: Stage, left: Ground, tmp_path: Path) -> "Made":
    """Its package, as it was taken away."""
    path = shutil.copy(archived.files / PACKAGE, tmp_path / PACKAGE)
    return Made(Archive.objects.get(), (archived.files / "phrase").read_text(), Path(path))


def here() -> Ground:
    """The commune and the people of the current database."""
    return Ground(
        Tenant.objects.select_related("organisation").get(organisation__insee="79061"),
        Person.objects.get(first_name="Odile"),
        Person.objects.get(first_name="Bruno"),
        Person.objects.get(grants__organisation__insee="79061"),
    )


class Planter(Gardener):
    """A gardener whose seal is a true one: the journal is verified here."""

    def _documents(self) -> None:
        super()._documents()
        self._rows["journal.Seal"] = journal.seal(at=timezone.now())


def plant() -> None:
    """Plant the commune of the current database."""
    tenant = Tenant.objects.select_related("organisation").get(organisation__insee="79061")
    syndicat = directory.syndicat()
    agent = person(Role.TRANSMITTER, at=tenant.organisation, first_name=CANARY)
    Planter(tenant, agent).plant_all()
    now = timezone.now()
    with tenant_context(tenant):
        documents.store(content=CONTENT, name="délibération.pdf", by=str(agent), at=now)
        with transaction.atomic():
            for number in range(5):
                record(event="actes.deposited", subject=("act", number), by=agent, at=now)
    connection.set_schema_to_public()
    person(Role.ADMINISTRATOR, at=syndicat, first_name="Odile")
    person(Role.OFFICER, at=syndicat, first_name="Bruno")


@dataclass
class Made:
    """An archive that was made: its row, its passphrase, its file."""

    archive: Archive
    passphrase: str
    path: Path


def archive(ground: Ground, folder: Path) -> Made:
    """Suspend and archive the commune; take the package away."""
    now = timezone.now()
    who = {"organisation": ground.organisation, "by": ground.administrator, "at": now}
    actions.suspend(reason="Retrait du syndicat", **who)
    asked = actions.ask_archive(reason="Retrait du syndicat", **who)
    assert archives.make(archive_id=asked.archive.pk, at=now)
    made = actions.note_download(archive_id=asked.archive.pk, by=ground.administrator, at=now)
    path = folder / PACKAGE
    with archives.vault().open(made.storage_key, "rb") as source:
        path.write_bytes(source.read())
    return Made(made, asked.passphrase, path)


def long_ago() -> datetime:
    """When a destruction whose wait is over was asked for."""
    return timezone.now() - timedelta(days=40)
