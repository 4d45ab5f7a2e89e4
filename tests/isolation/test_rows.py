"""Every table, asked under the role of a commune."""
# ruff: noqa: S608 -- hostile and generated SQL is what is tested here.

from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, ProgrammingError, connection, transaction

from socle.core import fences as work
from tenants import fences
from tests.isolation.canaries import Planted, own_models, tenant_models


def _count(table: str, column: str, keys: list[Any]) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {column} = ANY(%s)", [keys])
        return int(cursor.fetchone()[0])


def test_the_neighbours_rows_exist_for_the_neighbour_only(
    planted: Planted, melle: Any, neighbour: Any
) -> None:
    for model in own_models():
        keys = planted.keys[model._meta.label]
        where = (f"public.{model._meta.db_table}", model._meta.pk.column, keys)
        with work.inside(neighbour.schema_name):
            assert _count(*where) == len(keys) > 0, f"{model._meta.label}: nothing was planted"
        with work.inside(melle.schema_name):
            assert _count(*where) == 0, model._meta.label


def test_the_neighbours_rows_can_be_neither_changed_nor_deleted(
    planted: Planted, melle: Any
) -> None:
    for model in own_models():
        table, key = f"public.{model._meta.db_table}", model._meta.pk.column
        for statement in (f"UPDATE {table} SET {key} = {key}", f"DELETE FROM {table}"):
            with work.inside(melle.schema_name):
                assert (
                    _changed(f"{statement} WHERE {key} = ANY(%s)", planted.keys[model._meta.label])
                    == 0
                )


def _changed(statement: str, keys: list[Any]) -> int:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [keys])
            return int(cursor.rowcount)
    except ProgrammingError as refusal:
        if "permission denied" not in str(refusal):
            raise
        return 0


@pytest.mark.parametrize("verb", ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"])
def test_no_table_of_the_neighbours_schema_is_open(melle: Any, neighbour: Any, verb: str) -> None:
    open_ = [
        model._meta.db_table
        for model in tenant_models()
        if _may(melle.schema_name, f"{neighbour.schema_name}.{model._meta.db_table}", verb)
    ]
    assert open_ == []
    own = f"{melle.schema_name}.actes_act"
    assert _may(melle.schema_name, own, verb) is (verb != "TRUNCATE")


def test_the_journal_of_the_commune_only_grows(melle: Any) -> None:
    for table in ("journal_entry", "journal_seal"):
        allowed = {
            verb
            for verb in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
            if _may(melle.schema_name, f"{melle.schema_name}.{table}", verb)
        }
        assert allowed == {"SELECT", "INSERT"}


@pytest.mark.parametrize(
    "label", [label for label, share in fences.SHARES.items() if isinstance(share, fences.Secret)]
)
def test_secrets_are_closed_to_every_commune(melle: Any, label: str) -> None:
    table = apps.get_model(label)._meta.db_table if label.count(".") == 1 else ""
    with (
        work.inside(melle.schema_name),
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SELECT 1 FROM public.{table}")


def test_people_have_no_password_and_no_other_commune(
    planted: Planted, melle: Any, agent: Any
) -> None:
    from socle.accounts.models import Person

    with work.inside(melle.schema_name):
        found = {person.pk: person for person in Person.objects.all()}
    assert agent.pk in found
    assert {person.password for person in found.values()} == {""}
    assert not set(found) & set(
        Person.objects.filter(grants__organisation__insee="79061").values_list("pk", flat=True)
    )


def test_a_row_cannot_be_given_to_the_neighbour(melle: Any, neighbour: Any, agent: Any) -> None:
    from socle.notices.actions import tell
    from tests.isolation.canaries import AT

    told = {"people": [agent], "key": "k", "subject": "s", "body": "b", "at": AT}
    with work.inside(melle.schema_name):
        tell(organisation=melle.organisation, **told)
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            tell(organisation=neighbour.organisation, **told)


def _may(role: str, table: str, verb: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, %s, %s)", [role, table, verb])
        return bool(cursor.fetchone()[0])
