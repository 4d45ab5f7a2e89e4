"""What a thousand communes cost: opening one more, upgrading them all, visiting them all."""
# ruff: noqa: S608 -- the names of our own schemas

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from socle.core import fences
from socle.core.postgres import base
from socle.core.roles import OWNER
from socle.stack import binaries
from tenants import blueprints, provisioning, upgrades
from tenants.history import tenant_labels
from tenants.models import Blueprint, Tenant
from tests import conftest
from tests.bench import ground, thousand
from tests.bench.clock import compare, line, seconds
from tests.bench.thousand import AT, FEW, MANY

NEXT: Final = {"documents": "tests.bench.next_documents"}
ROUNDS: Final = 15
SAMPLE: Final = 7
MEGABYTE: Final = 1024
"""In the unit of /proc."""


def provisioning_among_a_thousand() -> dict[str, Any]:
    """One more commune beside a thousand, against `psql -1` running the same DDL there."""
    thousand.fill(MANY)
    return against_psql("provisioning at 1000", limit=1.5)


def against_psql(name: str, *, limit: float) -> dict[str, Any]:
    """A commune's space, ready to use, against `psql -1` running the same DDL."""
    blueprint = Blueprint.objects.get(pk=blueprints.deployed())
    numbers = iter(range(MANY))

    def bound() -> None:
        script = blueprints.creation_script(blueprint, schema=f"raw_{next(numbers)}")
        psql = binaries.postgres_bin(None) / "psql"
        subprocess.run(
            [psql, "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", ground.url(), "-o", os.devnull],
            input=script.encode(),
            check=True,
        )

    try:
        return compare(
            name,
            _opening(),
            bound,
            limit=limit,
            rounds=ROUNDS,
            detail=f"one commune, {blueprint.ddl.count('CREATE TABLE')} tables",
        )
    finally:
        with _as_owner(), connection.cursor() as cursor:
            for number in range(ROUNDS + 1):
                cursor.execute(f"DROP SCHEMA IF EXISTS raw_{number} CASCADE")


def provisioning_against_thirty() -> dict[str, Any]:
    """One more commune beside a thousand, against one more beside thirty.

    The two moments are minutes apart: compared is the processor time of both sides, ours and
    PostgreSQL's, which a busy neighbour changes least; the wall time is told beside it.
    """
    standing = Tenant.objects.exclude(organisation=None).count()
    if standing > 2 * FEW:
        raise RuntimeError("this figure is taken first, before the database is filled")
    thousand.fill(FEW)
    few = _opened()
    thousand.fill(MANY)
    many = _opened()
    return line(
        "provisioning at 1000 / at 30",
        many["cpu"] / few["cpu"],
        limit=1.3,
        detail=f"processor {many['cpu'] * 1000:.0f} ms / {few['cpu'] * 1000:.0f} ms, "
        f"wall (median) {many['wall'] * 1000:.0f} ms / {few['wall'] * 1000:.0f} ms, "
        f"{ROUNDS} rounds",
    )


def upgrade_against_do_block() -> dict[str, Any]:
    """A column more in a thousand communes, against one DO block that holds all their locks."""
    thousand.fill(MANY)
    with _next_release() as target:
        _in_batches(target)
        _forget(target)
        pairs = []
        for _ in range(5):
            ours = seconds(lambda: _in_batches(target))
            _forget(target)
            pairs.append((ours, seconds(lambda: _by_do_block(target))))
            _forget(target)
        recording = _recording_time()
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    return line(
        "upgrade / DO block",
        mine / theirs,
        limit=3,
        detail=f"AddField, {_count()} communes in batches of {upgrades.BATCH}, SQL recorded, "
        f"progress and report included; {mine:.2f} s / {theirs:.2f} s, 5 rounds; "
        f"once per release before it, the blueprint of new communes: {recording:.2f} s",
    )


def upgrade_against_migrate_schemas() -> dict[str, Any]:
    """The same column, against `migrate_schemas` on a sample of communes.

    Stock asks the catalogue of all communes for each one, so that its whole cost grows with the
    square of their number. It is measured here, among a thousand, on a few of them, and taken times
    their number: no extrapolation over the size, only over the count.
    """
    thousand.fill(MANY)
    with _next_release() as target:
        sample = [schema for schema, _ in upgrades.communes()[: SAMPLE + 1]]
        stock = [seconds(partial(_by_migrate_schemas, schema)) for schema in sample][1:]
        _forget(target)
        ours = statistics.median(_timed_and_undone(target) for _ in range(5))
    each, count = statistics.median(stock), _count()
    return line(
        "upgrade / migrate_schemas",
        ours / (each * count),
        limit=1 / 300,
        detail=f"{count} communes: {ours:.2f} s / {each:.2f} s × {count} (median of {SAMPLE} "
        f"communes among them); {each * count / ours:.0f} times faster",
    )


def nothing_to_upgrade() -> dict[str, Any]:
    """How many questions an upgrade asks when every commune is up to date."""
    thousand.fill(MANY)
    with _as_owner():
        upgrades.upgrade()
        with CaptureQueriesContext(connection) as seen:
            took = seconds(upgrades.upgrade)
    asked = sum(" SET " not in f" {one['sql']}" for one in seen)
    return line(
        "upgrade, nothing to do",
        asked,
        limit=1,
        detail=f"queries, {_count()} communes, {took:.3f} s",
    )


def memory_of_a_thousand_visits() -> dict[str, Any]:
    """What a worker and its PostgreSQL session hold after a thousand communes."""
    thousand.fill(MANY)
    models = [model for model in apps.get_models() if model._meta.app_label in tenant_labels()]
    client, sizes, sessions = Client(), [], {}
    hosts = Tenant.objects.exclude(organisation=None).values_list("schema_name", "domains__domain")
    for schema, host in list(hosts)[:MANY]:
        assert client.get("/connexion/", HTTP_HOST=host).status_code in {200, 302, 404}
        with fences.inside(schema):
            for model in models:
                list(model.objects.all()[:1])
        sizes.append(_private(os.getpid()))
        backend = connection.connection.info.backend_pid
        sessions[backend] = max(sessions.get(backend, 0), _private(backend))
    peak = max(sessions.values()) / MEGABYTE
    grown = sizes[-1] / sizes[99]
    return line(
        "memory of 1000 visits",
        max(peak / 200, grown / 1.05),
        limit=1,
        detail=f"worker {sizes[99] / MEGABYTE:.0f} MB after 100 communes, "
        f"{sizes[-1] / MEGABYTE:.0f} MB after {len(sizes)} (limit: 5 % more); largest of "
        f"{len(sessions)} sessions {peak:.0f} MB (limit: 200), "
        f"{base.COMMUNES_PER_SESSION} communes each; {len(models)} tables read in each commune",
    )


def _opening() -> Callable[[], object]:
    waiting = iter(thousand.without_space())
    return lambda: provisioning.provision(organisation=next(waiting), by="bench", at=AT)


def _opened() -> dict[str, float]:
    opening = _opening()
    opening()
    before = _processor()
    walls = [seconds(opening) for _ in range(ROUNDS)]
    return {"wall": statistics.median(walls), "cpu": (_processor() - before) / ROUNDS}


def _processor() -> float:
    """Processor seconds of this process and of its session in PostgreSQL."""
    connection.ensure_connection()
    numbers = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text()
    user, system = map(int, numbers.rsplit(")", 1)[1].split()[11:13])
    return time.process_time() + (user + system) / os.sysconf("SC_CLK_TCK")


def _private(pid: int) -> int:
    """Kilobytes of memory a process shares with nobody."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0])


def _count() -> int:
    return Tenant.objects.exclude(organisation=None).count()


@contextmanager
def _as_owner() -> Iterator[None]:
    conftest._use_database(ground.NAME, OWNER)
    try:
        yield
    finally:
        conftest._use_database(ground.NAME)


@contextmanager
def _next_release() -> Iterator[Blueprint]:
    """The owner, with one migration more than the communes have."""
    with _as_owner():
        upgrades.upgrade()
        with override_settings(MIGRATION_MODULES=NEXT):
            target = blueprints.current()
            try:
                yield target
            finally:
                _forget(target)
                target.delete()


def _recording_time() -> float:
    wanted = blueprints.fingerprint()
    return seconds(lambda: blueprints.record(wanted))


def _in_batches(target: Blueprint) -> None:
    told: list[upgrades.Progress] = []
    report = upgrades.upgrade(say=told.append)
    assert (report.failed, report.target) == ({}, target.pk)
    assert told[-1].done == report.upgraded >= MANY


def _timed_and_undone(target: Blueprint) -> float:
    try:
        return seconds(lambda: _in_batches(target))
    finally:
        _forget(target)


def _by_do_block(target: Blueprint) -> None:
    _for_each_schema(
        "ALTER TABLE %1$I.documents_storedfile ADD COLUMN note varchar(40) DEFAULT '''' NOT NULL; "
        "INSERT INTO %1$I.django_migrations (app, name, applied) "
        "VALUES (''documents'', ''0002_note'', now()); "
        f"UPDATE tenants_tenant SET blueprint = ''{target.pk}'' WHERE schema_name = %1$L"
    )


def _by_migrate_schemas(schema: str) -> None:
    with schema_context(schema):
        call_command("migrate_schemas", schema_name=schema, verbosity=0, interactive=False)


def _forget(target: Blueprint) -> None:
    """Bring every commune back to before the next release, measured by nobody."""
    start = Blueprint.objects.exclude(pk=target.pk).latest("recorded_at").pk
    _for_each_schema(
        "ALTER TABLE %1$I.documents_storedfile DROP COLUMN IF EXISTS note; "
        "DELETE FROM %1$I.django_migrations WHERE app = ''documents'' AND name = ''0002_note''; "
        f"UPDATE tenants_tenant SET blueprint = ''{start}'' WHERE schema_name = %1$L"
    )


def _for_each_schema(script: str) -> None:
    blueprints.run(
        "DO $do$ DECLARE one text; BEGIN "
        "FOR one IN SELECT schema_name FROM tenants_tenant WHERE organisation_id IS NOT NULL LOOP "
        f"EXECUTE format('{script}', one); END LOOP; END $do$"
    )


ALL = (
    provisioning_against_thirty,
    provisioning_among_a_thousand,
    upgrade_against_do_block,
    upgrade_against_migrate_schemas,
    nothing_to_upgrade,
    memory_of_a_thousand_visits,
)
