"""A new commune is ready at once, like a migrated one, or not at all."""

from datetime import datetime

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django_tenants.utils import schema_context

from socle.directory.models import Organisation
from socle.journal.models import Entry
from tenants import blueprints, fences, provisioning, upgrades
from tenants.models import Blueprint, Tenant

CATALOGUE = """
    SELECT 'column', c.relname::text, a.attname::text,
           format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
           pg_get_expr(d.adbin, d.adrelid), a.attidentity::text
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('r', 'S')
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '', ''
      FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace
    UNION ALL
    SELECT 'index', tablename, indexname, indexdef, '', '', ''
      FROM pg_indexes WHERE schemaname = %(schema)s
    UNION ALL
    SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(t.oid), '', '', ''
      FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
     WHERE c.relnamespace = %(schema)s::regnamespace AND NOT tgisinternal
    UNION ALL
    SELECT 'function', proname, pg_get_functiondef(oid), '', '', '', ''
      FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace
    UNION ALL
    SELECT 'comment', c.relname, description, '', '', '', ''
      FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
     WHERE c.relnamespace = %(schema)s::regnamespace
"""


def _catalogue(schema: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('search_path', %s, true)", [schema])
        cursor.execute(CATALOGUE, {"schema": schema})
        rows = [tuple(str(cell).replace(schema, "X") for cell in row) for row in cursor.fetchall()]
        cursor.execute(
            f"SELECT 'applied', app, name FROM {schema}.django_migrations"  # noqa: S608
        )
        rows += cursor.fetchall()
        cursor.execute("SELECT set_config('search_path', 'public', true)")
    return sorted(rows)


@pytest.fixture
def lezay(portal: Tenant) -> Organisation:
    return Organisation.objects.get(insee="79148")


@pytest.mark.usefixtures("as_owner")
@pytest.mark.slow
def test_a_replayed_schema_equals_a_migrated_one(lezay: Organisation, noon: datetime) -> None:
    tenant = provisioning.provision(organisation=lezay, by="tests", at=noon)
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA t_migrated")
    with schema_context("t_migrated"):
        call_command("migrate_schemas", schema_name="t_migrated", verbosity=0, interactive=False)

    replayed, migrated = _catalogue(tenant.schema_name), _catalogue("t_migrated")

    assert [row for row in replayed if row not in migrated] == []
    assert [row for row in migrated if row not in replayed] == []
    assert {row[0] for row in replayed} >= {"column", "constraint", "index", "trigger", "applied"}


@pytest.mark.slow
def test_the_new_commune_has_its_host_and_its_journal(lezay: Organisation, noon: datetime) -> None:
    tenant = provisioning.provision(organisation=lezay, by="tests", at=noon)

    assert tenant.get_primary_domain().domain == "lezay.localhost"
    with schema_context(tenant.schema_name):
        assert [entry.event for entry in Entry.objects.all()] == ["tenants.provisioned"]


def test_a_commune_is_provisioned_once(lezay: Organisation, noon: datetime) -> None:
    provisioning.provision(organisation=lezay, by="tests", at=noon)
    with pytest.raises(provisioning.AlreadyProvisioned, match="existe déjà"):
        provisioning.provision(organisation=lezay, by="tests", at=noon)


@pytest.mark.usefixtures("as_owner")
def test_a_failure_leaves_nothing_behind(lezay: Organisation, noon: datetime) -> None:
    Blueprint.objects.update(ddl="CREATE TABLE first (id int); CREATE TABLE first (id int);")
    with pytest.raises(Exception, match="already exists"):
        provisioning.provision(organisation=lezay, by="tests", at=noon)

    assert not Tenant.objects.filter(organisation=lezay).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE %s", ["t_%lezay%"])
        assert cursor.fetchone() == (0,)


def test_homonyms_get_hosts_of_their_own(lezay: Organisation, noon: datetime) -> None:
    provisioning.provision(organisation=lezay, by="tests", at=noon)
    twin = Organisation.objects.get(insee="79174")
    twin.name = "Lezay"
    assert provisioning.free_host(twin) == "lezay-79174.localhost"


def test_the_blueprint_is_recorded_once_per_set_of_migrations(portal: Tenant) -> None:
    before = blueprints.current()
    assert blueprints.current() == before
    assert before.pk == blueprints.fingerprint()


def test_a_tenant_cannot_be_entered_as_a_context_manager(town: Tenant) -> None:
    with pytest.raises(RuntimeError, match="tenant_context"), town:
        pass


@pytest.mark.usefixtures("as_owner")
@pytest.mark.parametrize("name", ['t_"x', "t_é", "t_x;", "T_X", "", "t_x'", "t_\u202ex", "t x"])
def test_a_schema_has_a_plain_name(as_owner: None, lezay: Organisation, name: str) -> None:
    tenant = Tenant(schema_name=name, organisation=lezay)
    with pytest.raises(ValidationError):
        tenant.full_clean()
    with pytest.raises(IntegrityError, match="plain"), transaction.atomic():
        Tenant.objects.bulk_create([tenant])
    with pytest.raises(DatabaseError, match="not the schema"), transaction.atomic():
        blueprints.run(fences.fence_script(name))
    with pytest.raises(upgrades.UnknownSchema):
        upgrades.upgrade(only=[name])
