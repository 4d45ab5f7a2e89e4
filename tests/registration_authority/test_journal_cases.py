"""What the journal holds for the counter: no gap, no line lost in silence, no write without it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registration_authority.models import FileState, Piece, PieceKind
from socle.accounts.capabilities import Role
from socle.journal import actions as journal
from socle.journal import integrity
from socle.journal.models import Entry
from socle.notices.models import Notice
from tenants import tasks
from tests.people import on_portal, person
from tests.registration_authority.counter import NOON, PDF, Counter, open_counter

FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
END
$body$
"""


@pytest.fixture
def owned(as_owner: None, portal: Any, neighbour: Any, syndicat: Any) -> Iterator[Counter]:
    """The counter, on a database whose tables the test may damage as their owner."""
    yield open_counter(neighbour.organisation, syndicat)
    connection.set_schema_to_public()


def take_out(tenant: Any, position: int) -> None:
    """What only somebody who owns the tables can do: the triggers are put aside meanwhile."""
    connection.set_tenant(tenant)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE journal_entry DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM journal_entry WHERE position = %s", [position])
        cursor.execute("ALTER TABLE journal_entry ENABLE TRIGGER USER")
    connection.set_schema_to_public()


def test_case_c62_a_line_taken_out_by_sql_is_told_the_night_after(
    owned: Counter, neighbour: Any, syndicat: Any
) -> None:
    auditor = person(Role.AUDITOR, at=syndicat)
    schema = neighbour.schema_name
    owned.bring_to(FileState.HANDED_OVER)
    with transaction.atomic():
        journal.seal(at=NOON, schema=schema)
    assert tasks.verify_journals() == 0
    connection.set_tenant(neighbour)
    taken = Entry.objects.get(event="ra.issued").position
    connection.set_schema_to_public()
    take_out(neighbour, taken)
    assert tasks.verify_journals() == 1
    told = Entry.objects.get(event="journal.altered").detail
    assert told["journal"] == schema
    assert told["fault"].startswith(f"L'écriture {taken + 1} (")
    assert told["fault"].endswith(f"à la place de la {taken} : une écriture a été retirée.")
    assert any("Le scellement 1" in fault for fault in told["faults"])
    assert Notice.objects.filter(person=auditor, subject__contains="altéré").count() == 1


def test_case_c63_without_room_for_the_journal_nothing_is_written_and_503_is_said(
    owned: Counter, neighbour: Any
) -> None:
    desk = on_portal(owned.officer)
    desk.raise_request_exception = False
    page = f"/certificats/{owned.file.pk}/pieces/{PieceKind.TERMS}/"

    def deposit() -> Any:
        return desk.post(page, {"piece": SimpleUploadedFile("conditions.pdf", PDF)})

    entries = f'"{neighbour.schema_name}".journal_entry'
    with connection.cursor() as cursor:
        cursor.execute(FULL)
        cursor.execute(
            f"CREATE TRIGGER no_room BEFORE INSERT ON {entries} FOR EACH ROW "
            "EXECUTE FUNCTION no_room()"
        )
    answer = deposit()
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert not Piece.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER no_room ON {entries}")
    assert deposit().status_code == 302
    assert Piece.objects.get().kind == PieceKind.TERMS


@transaction.atomic
def deposit_then_fail(owned: Counter, kind: PieceKind, schema: str) -> None:
    """A piece is written, then the line of another gesture is not one: both are undone."""
    owned.deposit(kind)
    journal.record(event="pas un événement", subject=owned.file, by="x", at=NOON, schema=schema)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from(["done", "undone", "refused", "sealed"])),
        max_size=12,
    )
)
def test_invariant_i14_the_journal_is_contiguous_whatever_is_done_and_undone(
    owned: Counter, neighbour: Any, walk: list[tuple[int, str]]
) -> None:
    """Gestures of the counter, some of them undone: every write kept has its line, no line more."""
    schema = neighbour.schema_name

    def counted() -> tuple[int, list[int]]:
        connection.set_tenant(neighbour)
        lines = list(Entry.objects.order_by("position").values_list("position", flat=True))
        deposits = Entry.objects.filter(event="ra.piece_deposited").count()
        connection.set_schema_to_public()
        return deposits, lines

    kinds = [PieceKind.TERMS, PieceKind.MANDATE, PieceKind.FUNCTION]
    for number, how in walk:
        for kind in kinds[:number]:
            if how == "sealed":
                with transaction.atomic():
                    journal.seal(at=NOON, schema=schema)
            elif how == "refused":
                with pytest.raises(ValueError, match="pas un événement"):
                    deposit_then_fail(owned, kind, schema)
            else:
                with transaction.atomic():
                    owned.deposit(kind)
                    transaction.set_rollback(how == "undone")
    deposits, lines = counted()
    assert deposits == Piece.objects.filter(file=owned.file).count()
    assert lines == list(range(1, len(lines) + 1))
    assert integrity.check(schema).faults == []
