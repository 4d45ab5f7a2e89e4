"""No migration breaks the release that serves while it runs; shown on made-up ones."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations import operations as done
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django_tenants.utils import schema_context

from socle.documents.models import StoredFile
from tenants import upgrades
from tenants.models import Tenant
from tests.guards.expansion import BASELINE, Contract, breaches, inspect

MODEL = done.CreateModel(
    "Letter",
    [
        ("id", models.BigAutoField(primary_key=True)),
        ("title", models.CharField(max_length=40)),
        ("note", models.CharField(max_length=40, null=True)),
        ("colour", models.CharField(max_length=9, db_default="blue")),
        ("pages", models.IntegerField()),
        ("price", models.DecimalField(max_digits=8, decimal_places=2)),
    ],
)
CHECK = models.CheckConstraint(condition=models.Q(pages__gt=0), name="some_pages")
REFUSED = {
    "RemoveField": done.RemoveField("letter", "title"),
    "DeleteModel": done.DeleteModel("letter"),
    "RenameField": done.RenameField("letter", "title", "name"),
    "RenameModel": done.RenameModel("letter", "paper"),
    "AlterModelTable": done.AlterModelTable("letter", "other"),
    "NOT NULL without db_default": done.AddField("letter", "x", models.IntegerField(default=1)),
    "NOT NULL": done.AddField(
        "letter", "twin", models.ForeignKey("rooms.Letter", models.CASCADE, default=1)
    ),
    "no longer NULL": done.AlterField("letter", "note", models.CharField(max_length=40)),
    "shorter": done.AlterField("letter", "title", models.CharField(max_length=20)),
    "unique now": done.AlterField("letter", "title", models.CharField(max_length=40, unique=True)),
    "CharField becomes IntegerField": done.AlterField("letter", "title", models.IntegerField()),
    "IntegerField becomes SmallIntegerField": done.AlterField(
        "letter", "pages", models.SmallIntegerField()
    ),
    "fewer digits": done.AlterField(
        "letter", "price", models.DecimalField(max_digits=8, decimal_places=3)
    ),
    "another column": done.AlterField(
        "letter", "pages", models.IntegerField(db_column="number_of_pages")
    ),
    "no default in the database": done.AlterField(
        "letter", "colour", models.CharField(max_length=9)
    ),
    "old code may write": done.AddConstraint("letter", CHECK),
    "AlterUniqueTogether": done.AlterUniqueTogether("letter", {("title", "pages")}),
    "only what adds": done.RunSQL("ALTER TABLE rooms_letter DROP COLUMN title"),
    "RunSQL 'DROP": done.RunSQL([("DROP TABLE rooms_letter", None)]),
    "RemoveField letter.title": done.SeparateDatabaseAndState(
        database_operations=[done.RemoveField("letter", "title")]
    ),
    "new code leaves out": done.SeparateDatabaseAndState(
        state_operations=[done.RemoveField("letter", "title")]
    ),
    "not known here": AddIndexConcurrently("letter", models.Index(fields=["title"], name="t")),
}
ACCEPTED = {
    "a new table": done.CreateModel("Other", [("id", models.BigAutoField(primary_key=True))]),
    "a column that may be empty": done.AddField("letter", "x", models.IntegerField(null=True)),
    "a column the database fills": done.AddField("letter", "x", models.IntegerField(db_default=1)),
    "a longer column": done.AlterField("letter", "title", models.CharField(max_length=80)),
    "a text": done.AlterField("letter", "title", models.TextField()),
    "larger numbers": done.AlterField("letter", "pages", models.BigIntegerField()),
    "NULL from now on": done.AlterField(
        "letter", "title", models.CharField(max_length=40, null=True)
    ),
    "a default from now on": done.AlterField("letter", "pages", models.IntegerField(db_default=1)),
    "an index": done.AddIndex("letter", models.Index(fields=["title"], name="by_title")),
    "words": done.AlterField("letter", "title", models.CharField("titre", max_length=40)),
    "rows": done.RunPython(done.RunPython.noop),
    "rows in SQL": done.RunSQL("UPDATE rooms_letter SET pages = 1"),
    "a function": done.RunSQL("CREATE OR REPLACE FUNCTION f() RETURNS int …"),
    "forgotten by the code, kept by the database": done.SeparateDatabaseAndState(
        state_operations=[done.RemoveField("letter", "note")]
    ),
}


def _migration(*operations: Any, name: str = "0002_made_up", **attributes: Any) -> Any:
    made = type("Migration", (migrations.Migration,), {"operations": operations, **attributes})
    return made(name, "rooms")


def _judged(*operations: Any, **attributes: Any) -> list[str]:
    state = ProjectState()
    MODEL.state_forwards("rooms", state)
    return inspect(_migration(*operations, **attributes), state)


@pytest.mark.parametrize("reason", REFUSED)
def test_what_would_break_the_release_that_serves_is_refused(reason: str) -> None:
    [said] = _judged(REFUSED[reason])
    assert reason in said


@pytest.mark.parametrize("what", ACCEPTED)
def test_what_old_code_need_not_know_is_accepted(what: str) -> None:
    assert _judged(ACCEPTED[what]) == []


def test_what_is_new_itself_may_change() -> None:
    column = done.AddField("letter", "x", models.IntegerField(null=True))
    table = done.CreateModel("Other", [("id", models.BigAutoField(primary_key=True))])
    assert (
        _judged(column, done.RenameField("letter", "x", "y"), done.RemoveField("letter", "y")) == []
    )
    assert _judged(table, done.RenameModel("other", "paper"), done.DeleteModel("paper")) == []


def test_a_migration_outside_any_transaction_is_refused() -> None:
    [said] = _judged(ACCEPTED["an index"], atomic=False)
    assert "atomic" in said


TAKEN = (done.RemoveField("storedfile", "name"),)


@pytest.mark.parametrize(
    ("contract", "problem"),
    [
        (None, "RemoveField"),
        (Contract("documents.0002_forget", "0.0.9"), ""),
        (Contract("documents.0002_forget", settings.SOCLE_VERSION), "waits for release"),
        (Contract("documents.0009_other", "0.0.9"), "does not exist"),
        (Contract("documents.0003_take_away", "0.0.9"), "is not before"),
    ],
)
def test_what_goes_away_names_the_release_that_prepared_it(
    contract: Contract | None, problem: str
) -> None:
    loader = MigrationLoader(None)
    _add(loader, "0002_forget", "0001_initial", ())
    _add(loader, "0003_take_away", "0002_forget", TAKEN, contract=contract)

    said = breaches(loader, version=settings.SOCLE_VERSION)

    assert [one for one in said if "0003_take_away" in one and problem in one] == said
    assert bool(said) is bool(problem)


def _add(loader: MigrationLoader, name: str, after: str, operations: Any, **more: Any) -> None:
    made = type(
        "Migration",
        (migrations.Migration,),
        {"operations": operations, "__module__": "tests.made_up", **more},
    )(name, "documents")
    loader.graph.add_node(("documents", name), made)
    loader.graph.add_dependency(made, ("documents", name), ("documents", after))


def test_no_migration_breaks_the_release_that_serves() -> None:
    assert breaches(MigrationLoader(None), version=settings.SOCLE_VERSION) == []


def test_the_baseline_names_rooms_that_exist() -> None:
    assert BASELINE.keys() <= {app for app, _ in MigrationLoader(None).graph.nodes}


@pytest.mark.usefixtures("as_owner")
@pytest.mark.parametrize(("release", "works"), [("expanded", True), ("breaking", False)])
def test_old_code_reads_and_writes_in_the_expanded_schema(
    as_owner: None, portal: Tenant, settings: Any, noon: Any, release: str, works: bool
) -> None:
    """The models of this process are the old code: they know nothing of the migration."""
    settings.MIGRATION_MODULES = {"documents": f"tests.guards.{release}_documents"}
    assert inspect(_next(), _today()) == [] if works else inspect(_next(), _today()) != []
    assert upgrades.upgrade().failed == {}
    settings.MIGRATION_MODULES = {}

    schema = Tenant.objects.exclude(organisation=None).earliest("pk").schema_name
    with schema_context(schema):
        if not works:
            with pytest.raises(Exception, match="violates not-null"):
                _write(noon)
            return
        stored = _write(noon)
        StoredFile.objects.filter(pk=stored.pk).update(name="délibération.pdf")
        assert StoredFile.objects.get(pk=stored.pk).name == "délibération.pdf"
        with connection.cursor() as cursor:
            cursor.execute("SELECT origin, rank FROM documents_storedfile")
            assert cursor.fetchall() == [("inconnue", None)]
        stored.delete()


def _write(at: Any) -> StoredFile:
    return StoredFile.objects.create(
        name="acte.pdf",
        media_type="application/pdf",
        size=1,
        sha256="a" * 64,
        storage_key="a" * 64,
        created_at=at,
        created_by_label="tests",
    )


def _next() -> Any:
    return MigrationLoader(None).graph.nodes["documents", "0002_more"]


def _today() -> ProjectState:
    return MigrationLoader(None).project_state(("documents", "0001_initial"))
