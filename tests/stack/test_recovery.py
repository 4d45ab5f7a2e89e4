"""What docs/operations/backup.md tells to do, done: base backup, archived WAL, one instant back.

The real `pg_basebackup`, `archive_command` and `recovery_target_name` of the embedded PostgreSQL;
the database is a whole Socle with three spaces. Only the safety of the disk is given up.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connections, transaction
from django.utils import timezone
from django_tenants.utils import tenant_context
from psycopg import sql

from socle.core.roles import COMMUNE, WEB
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.journal import actions as journal
from socle.journal import integrity
from socle.journal.models import Entry, Seal
from socle.stack import binaries, roles
from socle.stack.postgres import SUPERUSER, Postgres
from socle.stack.state import erase
from socle.stack.waiting import wait_until
from tenants.models import Tenant
from tests.conftest import SERVER, WORKER

DATABASE = "socle"
POINT = "avant_l_accident"


class Archiving(Postgres):
    """A server that archives its WAL, as production must."""

    archive: Path

    def _options(self) -> list[str]:
        command = f"test ! -f {self.archive}/%f && cp %p {self.archive}/%f"
        return [*super()._options(), "-c", "archive_mode=on", "-c", f"archive_command={command}"]

    def run(self, program: str, *words: str) -> None:
        """Run a program of PostgreSQL as the server's account."""
        found = binaries.postgres_bin()
        if self._account is not None:
            found = binaries.runnable_by_others(found)
        process = self._run_as_server([str(found / program), *words], stdout=subprocess.PIPE)
        said = process.communicate(timeout=60)[0]
        assert process.returncode == 0, said.decode()

    def give(self, *paths: Path) -> None:
        """Let the server's account own these."""
        self._give_to_server(*paths)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder the server's account can reach, whoever runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="socle-recovery-"))
    folder.chmod(0o755)
    yield folder
    erase(folder)


@pytest.fixture
def production(place: Path, django_db_setup: None, django_db_blocker: Any) -> Iterator[Archiving]:
    """A server of its own with a copy of this worker's database."""
    server = Archiving(place / "production", durable=False)
    server.archive = place / "wal"
    server.archive.mkdir()
    server.give(server.archive)
    before = dict(connections["default"].settings_dict)
    with django_db_blocker.unblock(), server:
        connections["default"].close()
        _fill(server, place / "socle.dump")
        _go_to(server)
        try:
            yield server
        finally:
            _come_back(before)


def _fill(server: Archiving, dump: Path) -> None:
    programs, here = binaries.postgres_bin(), urlsplit(SERVER)
    roles.ensure_roles(server)
    roles.ensure_database(server, DATABASE)
    with psycopg.connect(_address(SERVER, f"t_{WORKER}")) as source, server.connect() as target:
        communes = source.execute(
            "SELECT schema_name FROM tenants_tenant WHERE schema_name <> 'public'"
        ).fetchall()
        for name in (COMMUNE, *(schema for (schema,) in communes)):
            target.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
    for program, address, words, password in (
        ("pg_dump", _address(SERVER, f"t_{WORKER}"), ("-Fc", "-f", str(dump)), here.password),
        ("pg_restore", server.url(DATABASE), ("-j", "2", str(dump)), server.password),
    ):
        subprocess.run(
            [str(programs / program), "-d", _without_password(address), *words],
            env=os.environ | {"PGPASSWORD": password or ""},
            check=True,
            capture_output=True,
        )
    with server.connect(DATABASE) as target:
        for (schema,) in communes:
            target.execute("SELECT public.socle_fence(%s)", [schema])


def _address(url: str, database: str) -> str:
    return f"{url.rsplit('/', 1)[0]}/{database}"


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"postgresql://{parts.username}@{parts.hostname}:{parts.port}{parts.path}"


def _go_to(server: Postgres, role: str = WEB) -> None:
    connections["default"].close()
    place = {"NAME": DATABASE, "HOST": "127.0.0.1", "PORT": str(server.port)}
    place |= {"USER": role, "PASSWORD": server.password}
    for settings in (django_settings.DATABASES["default"], connections["default"].settings_dict):
        settings.update(place)
    connections["default"].set_schema_to_public()


def _come_back(before: dict[str, Any]) -> None:
    connections["default"].close()
    kept = {key: before[key] for key in ("NAME", "HOST", "PORT", "USER", "PASSWORD")}
    for settings in (django_settings.DATABASES["default"], connections["default"].settings_dict):
        settings.update(kept)


def _deposit(tenant: Tenant, content: bytes, at: datetime) -> str:
    """One file and one entry of a commune, sealed; the hash of the seal, noted elsewhere."""
    with tenant_context(tenant), transaction.atomic():
        documents.store(content=content, name="acte.pdf", by="tests", at=at)
        journal.record(event="actes.deposited", subject=("act", 1), by="tests", at=at)
        made = journal.seal(at=at)
    assert made is not None
    return bytes(made.seal_hash).hex()


def _base_backup(server: Archiving, place: Path) -> Path:
    """`pg_basebackup`, with a password file: no secret among the arguments."""
    secret, base = place / "pgpass", place / "base"
    secret.touch(mode=0o600)
    secret.write_text(f"127.0.0.1:{server.port}:*:{SUPERUSER}:{server.password}\n")
    base.mkdir(mode=0o700)
    server.give(secret, base)
    where = f"host=127.0.0.1 port={server.port} user={SUPERUSER} passfile={secret}"
    server.run("pg_basebackup", "-d", where, "-D", str(base), "-c", "fast", "-X", "none")
    return base


def _recover(server: Archiving, base: Path, place: Path) -> Postgres:
    """A second server: the base backup, then the archived WAL up to the named point."""
    recovered = Postgres(place / "recovered", durable=False)
    (place / "recovered").mkdir(mode=0o711)
    (place / "recovered" / "pg.password").write_text(server.password)
    with (base / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"restore_command = 'cp {server.archive}/%f %p'\n")
        settings.write(f"recovery_target_name = '{POINT}'\n")
        settings.write("recovery_target_action = 'promote'\n")
    (base / "recovery.signal").touch()
    server.give(base / "recovery.signal")
    (place / "recovered" / "pg").symlink_to(base)
    return recovered


def _is_open(server: Postgres) -> bool:
    """Whether the recovery is over: until then the server only reads."""
    with server.connect() as db:
        return db.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)


def test_one_instant_before_the_accident(production: Archiving, place: Path, vault: Path) -> None:
    tenant = Tenant.objects.select_related("organisation").get(organisation__insee="79061")
    _deposit(tenant, b"avant la copie de base", timezone.now())
    base = _base_backup(production, place)
    noted = _deposit(tenant, b"entre la copie et l'accident", timezone.now())
    with production.connect(DATABASE) as db:
        db.execute("SELECT pg_create_restore_point(%s)", [POINT])
    late = _deposit(tenant, b"trop tard", timezone.now())
    with production.connect(DATABASE) as db:
        db.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(tenant.schema_name)))
        db.execute("DELETE FROM document_keys_datakey")
        (last,) = db.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone() or ("",)
    assert wait_until(lambda: (production.archive / last).exists(), seconds=20)
    connections["default"].close()
    production.stop()

    with _recover(production, base, place) as recovered:
        assert wait_until(lambda: _is_open(recovered), seconds=30)
        _go_to(recovered)
        for schema in integrity.schemas():
            assert integrity.check(schema).faults == [], schema
        with tenant_context(tenant):
            contents = {documents.read(stored) for stored in StoredFile.objects.all()}
            seals = {bytes(seal.seal_hash).hex() for seal in Seal.objects.all()}
            deposits = Entry.objects.filter(event="actes.deposited").count()
        assert contents >= {b"avant la copie de base", b"entre la copie et l'accident"}
        assert b"trop tard" not in contents
        assert noted in seals
        assert late not in seals
        assert deposits == 2
        _deposit(tenant, b"la vie reprend", timezone.now())
        connections["default"].close()
