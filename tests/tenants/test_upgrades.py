"""An upgrade is migrated once and replayed everywhere; a run that stopped goes on."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from socle.documents import actions as documents
from tenants import blueprints, upgrades
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
