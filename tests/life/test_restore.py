"""On another deployment, with other keys: the same rows, the same files, the same proofs."""
# ruff: noqa: S608 -- SQL made of the schema's name.

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone
from django_tenants.utils import schema_context

from socle.accounts.models import Person
from socle.core.roles import OWNER, WEB
from socle.directory.models import SpaceStop
from socle.documents import actions as documents
from socle.documents.keys.models import DataKey
from socle.documents.models import StoredFile
from socle.documents.vault import MasterKey
from socle.journal import actions as journal
from socle.journal import integrity
from socle.journal.models import Entry
from tenants import blueprints
from tenants.life import restoring, rows
from tenants.life.models import Space, SpaceState
from tenants.life.package.container import MANIFEST, Package
from tenants.life.package.envelope import DamagedPackage, WrongPassphrase, open_envelope
from tenants.models import Blueprint, Tenant
from tests.conftest import SERVER, WORKER, create_database
from tests.life.conftest import Ground, Made
from tests.tenants.test_upgrades import NEXT

OTHER_KEY = bytes(range(100, 132))


@dataclass
class Picture:
    """What a deployment holds of the commune, as text."""

    own: dict[str, list[str]] = field(default_factory=dict)
    shared: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    proofs: bytes = b""


def picture(schema: str, noon: Any) -> Picture:
    """Read everything, then export the journal as an auditor would."""
    seen = Picture()
    tenant = Tenant.objects.get(schema_name=schema)
    with rows.Snapshot(tenant) as snapshot:
        for table in snapshot.tables(schema):
            seen.own[table.name] = list(snapshot.lines(table))
        for model, keys in snapshot.own_keys().items():
            table = snapshot.table("public", model._meta.db_table)
            seen.shared[model._meta.label] = list(snapshot.lines(table, keys=keys))
    with schema_context(schema):
        for stored in StoredFile.objects.all():
            seen.files[str(stored.pk)] = documents.read(stored)
    out = io.BytesIO()
    journal.export(schema=schema, out=out, by="auditeur", at=noon, reason="Comparer")
    seen.proofs = out.getvalue()
    return seen


@contextmanager
def elsewhere(schema: str, folder: Path, settings: Any) -> Iterator[None]:
    """Another deployment, which never served the commune: its database, its key, its files."""
    name, here = f"elsewhere_{WORKER}", dict(connections["default"].settings_dict)
    before = settings.MASTER_KEY, settings.STORAGES
    connections["default"].close()
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        create_database(server, name, template=f"t_{WORKER}")
        _use(name, OWNER)
        settings.MASTER_KEY = OTHER_KEY
        backend = "socle.documents.storage.AtomicFileSystemStorage"
        stored = {"BACKEND": backend, "OPTIONS": {"location": str(folder)}}
        settings.STORAGES = {**settings.STORAGES, "vault": stored, "default": stored}
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP SCHEMA {schema} CASCADE")
                cursor.execute(
                    "DELETE FROM tenants_domain WHERE tenant_id IN "
                    "(SELECT id FROM tenants_tenant WHERE schema_name = %s)",
                    [schema],
                )
                cursor.execute("DELETE FROM tenants_tenant WHERE schema_name = %s", [schema])
            yield
        finally:
            _use(here["NAME"], WEB)
            settings.MASTER_KEY, settings.STORAGES = before
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _use(name: str, role: str) -> None:
    connections["default"].close()
    for place in (django_settings.DATABASES["default"], connections["default"].settings_dict):
        place.update({"NAME": name, "USER": role})
    connections["default"].set_schema_to_public()


def _open(made: Made) -> Package:
    return Package.opened(io.BytesIO(made.path.read_bytes()), made.passphrase)


def _clear(made: Made) -> bytes:
    return open_envelope(io.BytesIO(made.path.read_bytes()), made.passphrase).read()


def _command(made: Made, monkeypatch: pytest.MonkeyPatch, passphrase: str = "") -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{passphrase or made.passphrase}\n"))
    said = io.StringIO()
    call_command("restore_tenant", str(made.path), stdout=said)
    return said.getvalue()


def _nothing_is_there(schema: str, folder: Path) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s)", [schema])
        schema_is_absent = cursor.fetchone() == (None,)
    return (
        schema_is_absent
        and not Tenant.objects.filter(schema_name=schema).exists()
        and not DataKey.objects.filter(scope=schema).exists()
        and not [one for one in folder.rglob("*") if one.is_file()]
    )


def test_everything_comes_back_with_its_keys_and_its_proofs(
    left: Ground,
    made: Made,
    tmp_path: Path,
    settings: Any,
    noon: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = picture(left.schema, noon)
    host = left.tenant.get_primary_domain().domain
    key = DataKey.objects.get(scope=left.schema)

    with elsewhere(left.schema, tmp_path / "elsewhere", settings):
        said = _command(made, monkeypatch)
        assert "journal et scellements vérifiés" in said
        assert "renumérotées" not in said
        here = picture(left.schema, noon)

        assert here.own.keys() == there.own.keys()
        for table, lines in there.own.items():
            assert here.own[table] == lines, table
        for label, lines in there.shared.items():
            if label not in restoring.NOT_RESTORED:
                assert here.shared[label] == lines, label
        assert here.files == there.files
        assert here.proofs == there.proofs
        assert integrity.check(left.schema).faults == []

        other = DataKey.objects.get(scope=left.schema)
        assert other.key_id != key.key_id
        assert other.master_id == MasterKey(OTHER_KEY).master_id != key.master_id
        tenant = Tenant.objects.get(schema_name=left.schema)
        assert tenant.get_primary_domain().domain == host
        assert tenant.blueprint == blueprints.fingerprint()
        assert Space.objects.get().state == SpaceState.SUSPENDED
        assert SpaceStop.objects.get().organisation_id == tenant.organisation_id
        assert Entry.objects.get(event="life.restored").detail["manifest"] == (
            made.archive.manifest_sha256
        )
        with connection.cursor() as cursor:  # the next key is a new one
            cursor.execute(f'SELECT last_value FROM "{left.schema}".actes_act_id_seq')
            assert cursor.fetchone()[0] >= 1
        with pytest.raises(CommandError, match="existe déjà"):
            _command(made, monkeypatch)


def test_keys_that_are_taken_are_given_anew_and_followed(
    left: Ground, made: Made, tmp_path: Path, settings: Any
) -> None:
    with elsewhere(left.schema, tmp_path / "elsewhere", settings):
        Person.objects.create(
            pk=left.agent.pk, email="autre@exemple.fr", first_name="Une", last_name="Autre"
        )
        report = restoring.restore(_open(made), by="tests", at=timezone.now())
        assert report.renumbered.keys() == {"accounts.Person"}
        agent = Person.objects.get(email=left.agent.email)
        assert agent.pk != left.agent.pk
        assert agent.grants.get().organisation.siren == left.organisation.siren
        assert not Person.objects.get(pk=left.agent.pk).grants.exists()
        assert integrity.check(left.schema).faults == []


def test_an_older_schema_is_restored_then_upgraded(
    left: Ground, made: Made, tmp_path: Path, settings: Any
) -> None:
    with elsewhere(left.schema, tmp_path / "elsewhere", settings):
        settings.MIGRATION_MODULES = NEXT
        Blueprint.objects.all().delete()  # a deployment that never stood at the older one
        report = restoring.restore(_open(made), by="tests", at=timezone.now())
        assert report.upgraded
        assert ["documents", "0002_note"] in blueprints.applied_in(left.schema)
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT DISTINCT note FROM "{left.schema}".documents_storedfile')
            assert cursor.fetchall() == [("repris",)]
        settings.MIGRATION_MODULES = {}


def test_a_newer_schema_is_refused(left: Ground, made: Made, tmp_path: Path, settings: Any) -> None:
    with elsewhere(left.schema, tmp_path / "elsewhere", settings):
        package = _open(made)
        package.manifest["version"]["migrations"].append(["actes", "0099_demain"])
        with pytest.raises(restoring.CannotRestore, match="plus récente"):
            restoring.restore(package, by="tests", at=timezone.now())
        assert _nothing_is_there(left.schema, tmp_path / "elsewhere")


def test_a_wrong_passphrase_or_a_bit_changed_is_refused(
    left: Ground, made: Made, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made.path.read_bytes()
    with elsewhere(left.schema, tmp_path / "elsewhere", settings):
        with pytest.raises(CommandError, match="n’ouvre pas"):
            _command(made, monkeypatch, passphrase="une-autre-phrase")
        places = (1500, 16390, len(whole) // 2, len(whole) - 1)
        for place in places:
            made.path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(CommandError):
                _command(made, monkeypatch)
        cuts = (10, 16384 + 64 + 1048592, len(whole) - 1)
        for cut in cuts:
            made.path.write_bytes(whole[:cut])
            with pytest.raises(CommandError):
                _command(made, monkeypatch)
        assert _nothing_is_there(left.schema, tmp_path / "elsewhere")


def test_each_member_changed_missing_or_added_is_named(
    left: Ground, made: Made, tmp_path: Path
) -> None:
    """By somebody who knows the passphrase: only the manifest stands against that one."""
    clear = _clear(made)
    names = [name for name in zipfile.ZipFile(io.BytesIO(clear)).namelist() if name != MANIFEST]
    assert len(names) > 40
    Package(io.BytesIO(clear)).check()
    for name in names:
        changed = Package(io.BytesIO(_with(clear, name, lambda raw: raw + b" ")))
        with pytest.raises(DamagedPackage, match=name.split("/")[-1]):
            changed.check()
    with pytest.raises(DamagedPackage, match="accordent"):
        Package(io.BytesIO(_with(clear, names[3], None))).check()
    added = io.BytesIO(clear)
    with zipfile.ZipFile(added, "a") as archive_:
        archive_.writestr("tables/commune/autre.jsonl", b"{}\n")
    with pytest.raises(DamagedPackage, match="accordent"):
        Package(added).check()
    assert issubclass(WrongPassphrase, DamagedPackage)


def test_a_forged_journal_is_refused_and_leaves_nothing(
    left: Ground, made: Made, tmp_path: Path, settings: Any
) -> None:
    """The manifest agrees, the journal does not: refused at the last step, all is undone."""
    clear = _clear(made)
    name = "tables/commune/journal_entry.jsonl"
    forged = _with(clear, name, lambda raw: raw.replace(b"actes.deposited", b"actes.destroyed"))
    with zipfile.ZipFile(io.BytesIO(forged)) as parts:
        raw = parts.read(name)
        manifest = json.loads(parts.read(MANIFEST))
        manifest["members"][name] = {"sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw)}
    forged = _with(forged, MANIFEST, lambda _: json.dumps(manifest).encode())
    with elsewhere(left.schema, tmp_path / "elsewhere", settings):
        people = Person.objects.count()
        with pytest.raises(restoring.CannotRestore, match="journal du paquet"):
            restoring.restore(Package(io.BytesIO(forged)), by="tests", at=timezone.now())
        assert _nothing_is_there(left.schema, tmp_path / "elsewhere")
        assert Person.objects.count() == people


def _with(clear: bytes, name: str, change: Any) -> bytes:
    """The same ZIP with one member changed, or without it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(clear)) as before, zipfile.ZipFile(out, "w") as after:
        for info in before.infolist():
            raw = before.read(info)
            if info.filename != name:
                after.writestr(info, raw)
            elif change is not None:
                after.writestr(info, change(raw))
    return out.getvalue()


def test_the_command_can_only_verify(
    left: Ground, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{made.passphrase}\n"))
    said = io.StringIO()
    call_command("restore_tenant", str(made.path), "--check", stdout=said)
    assert said.getvalue().startswith("OK : Celles-sur-Belle")
    assert made.archive.manifest_sha256 in said.getvalue()
