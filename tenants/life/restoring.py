"""Bring a package back to life, on this deployment or another: all of it, or nothing.

The commune's tables come back with their keys, its journal with its proofs, its files sealed with a
key of this deployment. Shared rows keep their keys where they are free; what the deployment knows
already (the commune in the directory, a person, an operator) is recognised and not doubled. The
space comes back suspended: what it had queued must not leave before somebody looked.
"""
# ruff: noqa: S608 -- SQL made of the models' own names and of the catalogue's.

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model, UniqueConstraint
from django_tenants.utils import schema_context
from psycopg import sql

from socle.core.refusals import Refusal
from socle.directory import actions as directory
from socle.directory.models import Organisation
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.documents.vault import VaultError
from socle.journal import integrity
from socle.journal.actions import record
from tenants import blueprints, fences, upgrades
from tenants.life import rows
from tenants.life.models import Space, SpaceState
from tenants.life.package.container import BLOCK, Package
from tenants.models import Blueprint, Domain, Tenant
from tenants.provisioning import free_host

BY: Final = "restauration"
WHY: Final = "Espace restauré depuis une archive : à vérifier avant de le rouvrir."
NOT_RESTORED: Final = {
    "tenants.Tenant": "fait de nouveau ici",
    "tenants.Domain": "fait de nouveau ici",
    "billing.Invoice": "facture d’un syndicat, qui reste dans la suite de ses numéros",
    "billing.Line": "facture d’un syndicat, qui reste dans la suite de ses numéros",
    "billing.BillableItem": "facture d’un syndicat, qui reste dans la suite de ses numéros",
}
"""Tables of the package that are read there and not written here."""
RECOGNISED: Final = frozenset({"directory.Organisation", "directory.Membership"})
"""The commune's own rows that the directory may hold already."""


class CannotRestore(Refusal):
    """The package and this deployment do not go together."""

    code = "life.cannot_restore"


@dataclass
class Report:
    """What came back. `renumbered` counts shared rows whose key was taken, by model."""

    organisation: Organisation
    schema: str
    manifest_sha256: str
    rows: int = 0
    files: int = 0
    renumbered: dict[str, int] = field(default_factory=dict)
    upgraded: bool = False


def restore(package: Package, *, by: str, at: datetime) -> Report:
    """Restore the space of a package that was opened. Raises DamagedPackage, CannotRestore.

    To be run as the owner of the tables, outside any transaction. Every member is verified first;
    then one transaction writes everything, and the journal and its seals are verified before it is
    committed. An older schema is brought to this code afterwards.
    """
    check(package)
    package.check()
    written: list[str] = []
    try:
        with transaction.atomic():
            report = _Restoration(package, written, at=at).run(by=by)
    except BaseException as problem:
        documents.remove(written)
        if isinstance(problem, DatabaseError):
            raise CannotRestore(
                f"La base de données refuse une ligne du paquet : {str(problem).splitlines()[0]}"
            ) from problem
        raise
    if upgrades.behind(blueprints.fingerprint()):
        report.upgraded = bool(upgrades.upgrade(only=[report.schema]).upgraded)
    return report


def check(package: Package) -> None:
    """Refuse a package this deployment cannot take. Raises CannotRestore."""
    schema, siren = package.manifest["schema"], package.manifest["organisation"]["siren"]
    if schema != f"t_{siren}" or not siren.isdigit():
        raise CannotRestore("Le manifeste ne nomme pas l’espace d’une collectivité.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s) IS NOT NULL", [schema])
        (there,) = cursor.fetchone()
    if there or Tenant.objects.filter(schema_name=schema).exists():
        raise CannotRestore(
            f"L’espace de « {package.manifest['organisation']['name']} » existe déjà sur cette "
            "installation : il n’est pas remplacé."
        )
    known = MigrationLoader(None).disk_migrations.keys()
    unknown = [
        f"{app}.{name}"
        for app, name in package.manifest["version"]["migrations"]
        if (app, name) not in known
    ]
    if unknown:
        raise CannotRestore(
            f"Le paquet vient d’une version plus récente de Socle ({unknown[0]} est inconnue "
            "ici) : mettez d’abord cette installation à jour."
        )


class _Restoration:
    """One restoration, in the caller's transaction."""

    def __init__(self, package: Package, written: list[str], *, at: datetime) -> None:
        self.package, self.written, self.at = package, written, at
        self.manifest = package.manifest
        self.schema: str = self.manifest["schema"]
        self.keys: dict[str, dict[str, str]] = defaultdict(dict)
        """By model: the key a row had, and the one it has here, where they differ."""
        self.renumbered: dict[str, int] = defaultdict(int)
        self.rows = self.files = 0

    def run(self, *, by: str) -> Report:
        """Write everything."""
        blueprint = _blueprint_of(self.manifest["version"])
        blueprints.replay(blueprint, schema=self.schema)
        blueprints.run("SET CONSTRAINTS ALL DEFERRED")  # the recorded DDL made some immediate
        self._shared_rows()
        organisation = Organisation.objects.get(siren=self.manifest["organisation"]["siren"])
        tenant = Tenant.objects.create(
            schema_name=self.schema,
            organisation=organisation,
            blueprint=blueprint.pk,
            created_at=self.at,
        )
        Domain.objects.create(domain=self._host(organisation), tenant=tenant, is_primary=True)
        self._own_tables()
        blueprints.run(fences.fence_script(self.schema))
        self._write_files()
        self._verify()
        Space.objects.create(
            organisation=organisation,
            schema=self.schema,
            state=SpaceState.SUSPENDED,
            reason=WHY,
            changed_at=self.at,
            changed_by_label=by,
        )
        directory.stop_space(organisation=organisation, reason=WHY, at=self.at)
        record(
            event="life.restored",
            subject=organisation,
            by=by,
            at=self.at,
            detail={
                "manifest": self.package.manifest_sha256,
                "rows": self.rows,
                "files": self.files,
                "renumbered": sum(self.renumbered.values()),
            },
            schema="public",
        )
        return Report(
            organisation,
            self.schema,
            self.package.manifest_sha256,
            self.rows,
            self.files,
            dict(self.renumbered),
        )

    # The commune's schema

    def _own_tables(self) -> None:
        references = {
            model._meta.db_table: [
                (one.column, target._meta.label) for one, target in rows.references(model)
            ]
            for model in rows.tenant_models()
        }
        for listed in self._listed("commune"):
            self._load(listed)
            for column, target in references.get(listed["table"], ()):
                self._repoint(listed["table"], column, self.keys[target])
        with connection.cursor() as cursor:
            for name, last in self.manifest["sequences"].items():
                cursor.execute(
                    "SELECT pg_catalog.setval(format('%%I.%%I', %s::text, %s::text)::regclass, %s)",
                    [self.schema, name, last],
                )

    def _load(self, listed: dict[str, Any]) -> None:
        """Copy one table as it was; what the replay wrote in it (applied migrations) goes first."""
        table = sql.Identifier(self.schema, listed["table"])
        names = [column["name"] for column in listed["columns"]]
        copy = sql.SQL("COPY {} ({}) FROM STDIN").format(
            table, sql.SQL(", ").join(map(sql.Identifier, names))
        )
        with connection.cursor() as cursor:
            if listed["table"] == "django_migrations":
                cursor.execute(sql.SQL("DELETE FROM {}").format(table))
            with cursor.copy(copy) as target:
                for row in self.package.lines(listed["member"]):
                    target.write_row([row[name] for name in names])
                    self.rows += 1

    def _repoint(self, table: str, column: str, keys_here: dict[str, str]) -> None:
        if not keys_here:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{self.schema}".{table} SET {column} = known.here '
                "FROM unnest(%s::bigint[], %s::bigint[]) AS known(there, here) "
                f"WHERE {column} = known.there",
                [list(keys_here), list(keys_here.values())],
            )

    # The shared tables

    def _shared_rows(self) -> None:
        own = {one["model"]: one for one in self._listed("partagees")}
        referred = {one["model"]: one for one in self._listed("references")}
        self._shared_files()
        models = [apps.get_model(label) for label in own.keys() | referred.keys()]
        for model in rows.in_order(models):
            label = model._meta.label
            if label in NOT_RESTORED:
                continue
            if label in referred:
                self._take(model, referred[label], recognised=True)
            if label in own:
                self._take(model, own[label], recognised=label in RECOGNISED)
        self._set_sequences(models)

    def _take(self, model: type[Model], listed: dict[str, Any], *, recognised: bool) -> None:
        """Write rows of one shared table, or find those that are here already."""
        points = [
            (one.column, target._meta.label)
            for one, target in rows.references(model)
            if target is not model
        ]
        ourselves = [one.column for one, target in rows.references(model) if target is model]
        key = model._meta.pk.column
        for row in self.package.lines(listed["member"]):
            for column, target in points:
                row[column] = self._here(target, row[column])
            loops = {column: row[column] for column in ourselves if row[column]}
            row |= dict.fromkeys(loops)
            there = row[key] or ""
            here = self._find(model, row) if recognised else None
            if here is None:
                here = self._insert(model, row)
                for column, value in loops.items():
                    self._close_loop(model, here, column, self._here(model._meta.label, value))
            if here != there:
                self.keys[model._meta.label][there] = here

    def _here(self, model: str, key: str | None) -> str | None:
        return None if key is None else self.keys[model].get(key, key)

    def _find(self, model: type[Model], row: dict[str, str | None]) -> str | None:
        """The key of the row that is the same thing here, by what makes it unique."""
        table, key = model._meta.db_table, model._meta.pk.column
        for columns in _natural_keys(model):
            values = [row[column] for column in columns]
            if None in values:
                continue
            same = " AND ".join(f"{column}::text = %s" for column in columns)
            found = _ask(f"SELECT {key}::text FROM public.{table} WHERE {same}", values)
            return found[0][0] if found else None
        whole = " AND ".join(f"{column}::text IS NOT DISTINCT FROM %s" for column in row)
        found = _ask(f"SELECT {key}::text FROM public.{table} WHERE {whole}", list(row.values()))
        return found[0][0] if found else None

    def _insert(self, model: type[Model], row: dict[str, str | None]) -> str:
        """Write a row under its own key, or the next one when that is somebody else's."""
        table, key = f"public.{model._meta.db_table}", model._meta.pk.column
        if _ask(f"SELECT 1 FROM {table} WHERE {key}::text = %s", [row[key]]):
            (row[key],) = _ask(
                "SELECT pg_catalog.setval(found, greatest("
                f"(SELECT max({key}) FROM {table}) + 1, nextval(found)))::text "
                "FROM (SELECT pg_get_serial_sequence(%s, %s)::regclass AS found) AS s",
                [table, key],
            )[0]
            self.renumbered[model._meta.label] += 1
        columns = ", ".join(f'"{column}"' for column in row)
        places = ", ".join(["%s"] * len(row))
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", list(row.values()))
        self.rows += 1
        return row[key] or ""

    def _close_loop(self, model: type[Model], key: str, column: str, value: str | None) -> None:
        """Point a row at another of its table, if that one came along."""
        table, own = f"public.{model._meta.db_table}", model._meta.pk.column
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET {column} = %s WHERE {own}::text = %s "
                f"AND EXISTS (SELECT FROM {table} WHERE {own}::text = %s)",
                [value, key, value],
            )

    def _shared_files(self) -> None:
        """The syndicat's files that the rows name: identifiers are kept, they are unique."""
        for listed in self._listed("fichiers-partages"):
            for row in self.package.lines(listed["member"]):
                if not _ask("SELECT 1 FROM public.documents_storedfile WHERE id = %s", [row["id"]]):
                    self._insert(StoredFile, row)

    def _set_sequences(self, models: list[type[Model]]) -> None:
        for model in models:
            table, key = f"public.{model._meta.db_table}", model._meta.pk.column
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_catalog.setval(found, greatest("
                    f"(SELECT max({key}) FROM {table}), nextval(found))) "
                    "FROM (SELECT pg_get_serial_sequence(%s, %s)::regclass AS found) AS s "
                    "WHERE found IS NOT NULL",
                    [table, key],
                )

    # Files and proofs

    def _write_files(self) -> None:
        places = (("fichiers", self.schema), ("fichiers-partages", "public"))
        for folder, schema in places:
            prefix = f"{folder}/"
            with schema_context(schema):
                for name in self.package.members:
                    if name.startswith(prefix):
                        self._write_file(name, name.removeprefix(prefix))

    def _write_file(self, name: str, digest: str) -> None:
        """Write one blob; what a restoration that was killed left under its name is replaced."""
        stored = StoredFile.objects.filter(sha256=digest).first()
        if stored is None or _opens(stored):
            return
        with self.package.open(name) as content:
            self.written.append(documents.put_back(content=content, sha256=digest))
        self.files += 1

    def _verify(self) -> None:
        """The journal and its seals, before anything is committed."""
        report = integrity.check(self.schema)
        if report.faults:
            raise CannotRestore(f"Le journal du paquet ne se vérifie pas : {report.faults[0]}")

    def _host(self, organisation: Organisation) -> str:
        """The address it had, when it is below ours and nobody's; else a new one."""
        for host in self.manifest["hosts"]:
            ours = host.endswith(f".{settings.BASE_HOST}")
            if ours and not Domain.objects.filter(domain=host).exists():
                return str(host)
        return free_host(organisation)

    def _listed(self, scope: str) -> Iterator[dict[str, Any]]:
        return (one for one in self.manifest["tables"] if one["scope"] == scope)


def _blueprint_of(version: dict[str, Any]) -> Blueprint:
    """The blueprint of a package's schema: one that is known, or recorded now from our migrations.

    No SQL of a package is ever run: an older schema is made by our own migrations, up to the last
    one it had.
    """
    wanted = [list(pair) for pair in version["migrations"]]
    current = blueprints.current()
    if sorted(current.migrations) == sorted(wanted):
        return current
    known = Blueprint.objects.filter(pk=version["fingerprint"]).first()
    if known is not None and sorted(known.migrations) == sorted(wanted):
        return known
    found = blueprints.record(version["fingerprint"], upto={tuple(pair) for pair in wanted})
    if sorted(found.migrations) != sorted(wanted):
        raise CannotRestore("Le schéma du paquet ne peut pas être refait avec cette version.")
    return found


def _natural_keys(model: type[Model]) -> Iterator[list[str]]:
    """What makes a row of a shared table the same thing on two deployments: unique columns."""
    for one in model._meta.concrete_fields:
        if one.unique and not one.primary_key:
            yield [one.column]
    for constraint in model._meta.constraints:
        if (
            isinstance(constraint, UniqueConstraint)
            and constraint.fields
            and not constraint.condition
        ):
            yield [model._meta.get_field(name).column for name in constraint.fields]


def _opens(stored: StoredFile) -> bool:
    """Whether the blob of a row is there and whole: the deployment had the same file already."""
    try:
        with documents.open_file(stored) as content:
            while content.read(BLOCK):
                pass
    except (VaultError, FileNotFoundError):
        return False
    return True


def _ask(query: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()
