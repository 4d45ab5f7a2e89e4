"""An upgrade is migrated once and replayed everywhere; a run that stopped goes on."""

from datetime import datetime
from typing import Any

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.migrations import Migration, operations
from django_tenants.utils import schema_context

from socle.directory.models import Organisation
from socle.documents import actions as documents
from tenants import blueprints, history, provisioning, upgrades
from tenants.models import Blueprint, Tenant
from tests.tenants.test_provisioning import _catalogue

pytestmark = pytest.mark.usefixtures("as_owner")
NEXT = {"documents": "tests.tenants.next_documents"}


@pytest.fixture
def next_release(as_owner: None, portal: Tenant, settings: Any) -> None:
    settings.MIGRATION_MODULES = NEXT


def _columns(schema: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = 'documents_storedfile'",
            [schema],
        )
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.usefixtures("next_release")
def test_every_commune_is_brought_to_the_next_release() -> None:
    before = set(Tenant.objects.values_list("blueprint", flat=True)) - {""}
    seen: list[upgrades.Progress] = []

    report = upgrades.upgrade(say=seen.append)

    assert (report.upgraded, report.failed) == (3, {})
    assert seen[-1].done == seen[-1].total == 3
    communes = Tenant.objects.exclude(organisation=None)
    assert set(communes.values_list("blueprint", flat=True)) == {blueprints.fingerprint()} != before
    for tenant in communes:
        assert "note" in _columns(tenant.schema_name)
        assert ["documents", "0002_note"] in blueprints.applied_in(tenant.schema_name)


@pytest.mark.usefixtures("next_release")
def test_an_upgraded_schema_equals_a_new_one() -> None:
    upgrades.upgrade()
    schema = Tenant.objects.exclude(organisation=None).earliest("pk").schema_name
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS t_fresh CASCADE")
    blueprints.replay(blueprints.current(), schema="t_fresh")
    assert _catalogue(schema) == _catalogue("t_fresh")


@pytest.mark.usefixtures("next_release")
def test_the_rows_of_a_commune_are_taken_along(town: Tenant, noon: datetime) -> None:
    documents.store(content=b"acte", name="acte.pdf", by="tests", at=noon)
    connection.set_schema_to_public()
    upgrades.upgrade()
    with schema_context(town.schema_name), connection.cursor() as cursor:
        cursor.execute("SELECT note FROM documents_storedfile")
        assert cursor.fetchall() == [("repris",)]


def test_nothing_to_do_is_one_question(portal: Tenant, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert upgrades.upgrade().upgraded == 0


@pytest.mark.usefixtures("next_release")
def test_a_canary_group_can_go_first() -> None:
    canary = Tenant.objects.exclude(organisation=None).earliest("pk").schema_name
    assert upgrades.upgrade(only=[canary]).upgraded == 1
    late = [schema for schema, _ in upgrades.behind(blueprints.fingerprint())]
    assert canary not in late
    assert len(late) == 2


@pytest.mark.usefixtures("next_release")
def test_one_commune_in_trouble_does_not_hold_the_others() -> None:
    troubled = Tenant.objects.exclude(organisation=None).earliest("pk").schema_name
    with schema_context(troubled), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE documents_storedfile ADD COLUMN note text")

    report = upgrades.upgrade()

    assert report.upgraded == 2
    assert list(report.failed) == [troubled]
    assert "note" in report.failed[troubled]
    assert "1 en échec" in str(report)

    with schema_context(troubled), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE documents_storedfile DROP COLUMN note")
    assert upgrades.upgrade().upgraded == 1


@pytest.mark.usefixtures("next_release")
def test_a_step_holds_only_what_is_new() -> None:
    start = Blueprint.objects.get(pk=Tenant.objects.exclude(blueprint="").first().blueprint)
    [step] = upgrades.steps(start, blueprints.current())
    assert step.migrations == [["documents", "0002_note"]]
    assert "CREATE TABLE" not in step.script
    assert "ADD COLUMN" in step.script
    assert not step.fenced


@pytest.mark.usefixtures("next_release")
def test_a_canary_in_trouble_stops_the_others() -> None:
    canary = Tenant.objects.exclude(organisation=None).earliest("pk").schema_name
    with schema_context(canary), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE documents_storedfile ADD COLUMN note text")

    report = upgrades.upgrade(first=[canary])

    assert (report.upgraded, list(report.failed)) == (0, [canary])
    assert "témoin" in report.stopped
    assert len(upgrades.behind(report.target)) == 3


@pytest.mark.usefixtures("next_release")
def test_older_code_leaves_newer_schemas_alone(settings: Any, noon: datetime) -> None:
    """After `helm rollback`: nothing goes back, and a new commune is as the others are."""
    upgrades.upgrade()
    newer = set(upgrades.communes())
    settings.MIGRATION_MODULES = {}

    report = upgrades.upgrade()

    assert (report.upgraded, report.failed, set(upgrades.communes())) == (0, {}, newer)
    [standing] = upgrades.whereabouts()
    assert standing.ahead
    assert "en avance" in str(standing)
    lezay = Organisation.objects.get(insee="79148")
    tenant = provisioning.provision(organisation=lezay, by="tests", at=noon)
    assert "note" in _columns(tenant.schema_name)


@pytest.mark.usefixtures("next_release")
def test_the_command_tells_where_everybody_is(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("migrate_tenants", where=True)
    assert "3 communes avant documents.0002_note" in capsys.readouterr().out
    call_command("migrate_tenants")
    assert "documents.0002_note : 3 sur 3" in capsys.readouterr().out
    call_command("migrate_tenants", where=True)
    assert "3 communes au gabarit" in capsys.readouterr().out
    with pytest.raises(CommandError, match="Aucune commune"):
        call_command("migrate_tenants", only=["t_nobody"])


@pytest.mark.usefixtures("next_release")
def test_a_migration_in_python_may_not_write_rows_a_replay_would_not(settings: Any) -> None:
    settings.MIGRATION_MODULES = {"documents": "tests.tenants.rows_documents"}
    with pytest.raises(blueprints.RowsByPython, match="0002_rows"):
        upgrades.upgrade()


@pytest.mark.parametrize(
    ("operation", "replayable"),
    [
        (operations.AddField("a", "b", models.TextField()), True),
        (operations.RunSQL("SELECT 1"), True),
        (AddIndexConcurrently("a", models.Index(fields=["b"], name="b")), True),
        (operations.RunPython(operations.RunPython.noop), False),
        (operations.SeparateDatabaseAndState([operations.RunPython(print)], []), False),
        (operations.SeparateDatabaseAndState([], [operations.RunPython(print)]), True),
        (type("Ours", (operations.RunSQL,), {})("SELECT 1"), False),
    ],
)
def test_what_can_be_replayed(operation: Any, replayable: bool) -> None:
    migration = Migration("0002_some", "documents")
    migration.operations = [operation]
    assert history.is_replayable(migration) is replayable
