"""Databases of their own: what becomes of a space is really committed, and really gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
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
from tests.isolation.canaries import CANARY, Gardener
from tests.people import person

CONTENT = b"%PDF-1.4 une deliberation " + bytes(range(256)) * 9000
"""More than one chunk of the vault."""


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


@pytest.fixture
def ground(django_db_setup: None, django_db_blocker: Any) -> Iterator[Ground]:
    """Celles-sur-Belle, planted with a row in every table, files and a sealed journal."""
    with own_database(django_db_blocker):
        yield plant()


class Planter(Gardener):
    """A gardener whose seal is a true one: the journal is verified here."""

    def _documents(self) -> None:
        super()._documents()
        self._rows["journal.Seal"] = journal.seal(at=timezone.now())


def plant() -> Ground:
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
    return Ground(
        tenant,
        person(Role.ADMINISTRATOR, at=syndicat, first_name="Odile"),
        person(Role.OFFICER, at=syndicat, first_name="Bruno"),
        agent,
    )


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
    path = folder / "espace.socle"
    with archives.vault().open(made.storage_key, "rb") as source:
        path.write_bytes(source.read())
    return Made(made, asked.passphrase, path)


def long_ago() -> datetime:
    """When a destruction whose wait is over was asked for."""
    return timezone.now() - timedelta(days=40)
