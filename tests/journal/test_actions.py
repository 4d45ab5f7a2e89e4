"""The journal in a real schema. `town` is Melle, entered, in a transaction that is rolled back."""

import io
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from socle.journal import actions, integrity, queries, tables, tasks, verify
from socle.journal.models import Entry, Seal
from tests.journal.samples import MONDAY, Memory


@dataclass(frozen=True)
class Secretary:
    pk: int | None = 7

    def __str__(self) -> str:
        return "Zoé Ferré"


def record(number: int = 1, **changes: Any) -> Entry:
    values: dict[str, Any] = {
        "event": "actes.deposited",
        "subject": ("actes.Act", number),
        "by": Secretary(),
        "at": MONDAY + timedelta(minutes=number),
        "detail": {"number": f"DE-{number:03d}", "tags": ["é", None, 3]},
    }
    return actions.record(**{**values, **changes})


def record_many(count: int) -> list[Entry]:
    return [record(number) for number in range(1, count + 1)]


@pytest.fixture
def empty(as_owner: None, town: Any) -> Any:
    """Melle with a journal that has nothing in it yet."""
    tamper("DELETE FROM journal_seal", "DELETE FROM journal_entry")
    return town


def tamper(*statements: str) -> None:
    """Do what only somebody who owns the tables could do."""
    tables_ = ("journal_entry", "journal_seal")
    with connection.cursor() as cursor:
        for table in tables_:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        for table in tables_:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


class TestRecording:
    def test_positions_follow_from_one(self, empty: Any) -> None:
        assert [entry.position for entry in record_many(3)] == [1, 2, 3]

    def test_what_is_read_back_is_what_was_hashed(self, empty: Any) -> None:
        record(detail={"n": 10**25, "text": "é\n", "in": {"b": 1, "a": [True, None]}})
        stored = Entry.objects.get()
        assert stored.line().leaf() == bytes(stored.leaf_hash)

    def test_the_entry_returned_is_the_one_stored(self, empty: Any) -> None:
        entry = record()
        stored = Entry.objects.get(pk=entry.pk)
        assert (stored.line(), bytes(stored.leaf_hash)) == (entry.line(), entry.leaf_hash)

    def test_a_person_is_named_and_numbered(self, empty: Any) -> None:
        assert (record().actor_id, record(2).actor_label) == (7, "Zoé Ferré")

    def test_a_machine_is_only_named(self, empty: Any) -> None:
        entry = record(by="worker")
        assert (entry.actor_id, entry.actor_label) == (None, "worker")

    def test_an_instance_is_named_by_its_model_and_its_key(self, empty: Any) -> None:
        entry = record(2, subject=record(1))
        assert (entry.subject_type, entry.subject_id) == ("journal.Entry", "1")

    def test_an_instance_without_key_is_refused(self, empty: Any) -> None:
        with pytest.raises(ValueError, match="no identifier yet"):
            record(subject=Entry())

    def test_another_schema_is_written_without_leaving_ones_own(self, empty: Any) -> None:
        before = tables.last_position("public")
        entry = record(schema="public")
        assert entry.position == before + 1 == tables.last_position("public")
        assert Entry.objects.count() == 0

    def test_what_is_rolled_back_leaves_no_gap(self, empty: Any) -> None:
        record(1)
        with transaction.atomic():
            record(2)
            transaction.set_rollback(True)
        assert record(3).position == 2

    def test_nobody_else_writes_until_the_transaction_ends(self, empty: Any) -> None:
        record()
        other = psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None})
        with other:
            key = tables.lock_key(empty.schema_name)
            row = other.execute("SELECT pg_try_advisory_xact_lock(%s)", [key]).fetchone()
        assert row == (False,)

    def test_a_malformed_entry_is_refused_before_the_lock(self, empty: Any) -> None:
        with pytest.raises(TypeError):
            record(detail={"rate": 0.5})
        assert Entry.objects.count() == 0


def test_recording_outside_a_transaction_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "connection", SimpleNamespace(in_atomic_block=False))
    with pytest.raises(RuntimeError, match="outside any transaction"):
        record()


class TestRefusing:
    def test_a_refusal_keeps_the_sentence_and_the_rule(self, empty: Any) -> None:
        entry = refuse()
        assert entry.outcome == "refused"
        assert entry.detail == {"sentence": "La convention est suspendue.", "code": "suspended"}
        assert Entry.objects.get().sentence == "Refusé : La convention est suspendue."

    def test_a_refusal_is_not_written_in_a_transaction_that_may_be_undone(self, empty: Any) -> None:
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            refuse()


def refuse() -> Entry:
    return actions.record_refusal(
        event="actes.deposited",
        subject=("actes.Act", 1),
        by=Secretary(),
        at=MONDAY,
        sentence="La convention est suspendue.",
        code="suspended",
    )


class TestTheDatabase:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE journal_entry SET event = 'a.b'",
            "UPDATE journal_entry SET event = 'a.b' WHERE false",
            "DELETE FROM journal_entry",
            "TRUNCATE journal_entry",
            "UPDATE journal_seal SET journal = 'x'",
            "DELETE FROM journal_seal",
            "TRUNCATE journal_seal",
        ],
    )
    def test_it_refuses_to_change_the_past(self, empty: Any, statement: str) -> None:
        record()
        actions.seal(at=MONDAY)
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    @pytest.mark.parametrize("position", [1, 3, None])
    def test_it_refuses_a_position_that_does_not_follow(self, empty: Any, position: int) -> None:
        entry = record()
        entry.position = position
        with pytest.raises(IntegrityError, match="gap"), transaction.atomic():
            entry.save(force_insert=True)

    @pytest.mark.parametrize(
        ("field", "value", "constraint"),
        [
            ("event", "Deposited", "event_code"),
            ("outcome", "maybe", "outcome"),
            ("actor_label", "", "named"),
            ("leaf_hash", b"short", "leaf_hash"),
            ("detail", [], "detail_is_small"),
            ("detail", {"text": "x" * 20000}, "detail_is_small"),
        ],
    )
    def test_it_refuses_a_malformed_entry(
        self, empty: Any, field: str, value: object, constraint: str
    ) -> None:
        entry = record()
        entry.position = 2
        setattr(entry, field, value)
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            entry.save(force_insert=True)

    @pytest.mark.parametrize(
        ("field", "value", "error"),
        [("root", b"short", "hashes"), ("tree_size", 1, "something"), ("number", 3, "gap")],
    )
    def test_it_refuses_a_malformed_seal(
        self, empty: Any, field: str, value: object, error: str
    ) -> None:
        record()
        seal = actions.seal(at=MONDAY)
        assert seal
        seal.number, seal.tree_size = 2, 2
        seal.previous_hash, seal.seal_hash = seal.seal_hash, bytes(32)
        setattr(seal, field, value)
        with pytest.raises(IntegrityError, match=error), transaction.atomic():
            seal.save(force_insert=True)

    def test_its_functions_belong_to_the_schema_they_protect(self, empty: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT n.nspname FROM pg_trigger t "
                "JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace "
                "JOIN pg_class c ON c.oid = t.tgrelid "
                "JOIN pg_namespace o ON o.oid = c.relnamespace "
                "WHERE o.nspname = %s AND p.proname LIKE 'journal_%%'",
                [empty.schema_name],
            )
            assert cursor.fetchall() == [(empty.schema_name,)]


class TestSealing:
    def test_nothing_new_is_not_sealed(self, empty: Any) -> None:
        record()
        assert actions.seal(at=MONDAY) is not None
        assert actions.seal(at=MONDAY) is None

    def test_seals_follow_one_another(self, empty: Any) -> None:
        record_many(3)
        first = actions.seal(at=MONDAY)
        record(4)
        second = actions.seal(at=MONDAY)
        assert first
        assert second
        assert (second.number, second.tree_size) == (2, 4)
        assert second.previous_hash == first.seal_hash
        assert Seal.objects.get(number=2).line().digest() == second.seal_hash

    def test_only_the_new_entries_are_read(
        self, empty: Any, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record_many(20)
        actions.seal(at=MONDAY)
        record(21)
        monkeypatch.setattr(tables, "BATCH", 2)
        with django_assert_max_num_queries(8):  # 11 batches if it read again what is sealed
            assert actions.seal(at=MONDAY)

    def test_nothing_is_built_on_an_altered_seal(self, empty: Any) -> None:
        record()
        actions.seal(at=MONDAY)
        record(2)
        tamper("UPDATE journal_seal SET sealed_at = now()")
        with pytest.raises(actions.DamagedJournal, match="scellement n° 1"):
            actions.seal(at=MONDAY)

    def test_nothing_is_built_on_peaks_that_lost_their_root(self, empty: Any) -> None:
        record()
        actions.seal(at=MONDAY)
        tamper("UPDATE journal_seal SET peaks = leaf_hash || leaf_hash FROM journal_entry")
        with pytest.raises(actions.DamagedJournal):
            actions.seal(at=MONDAY)

    def test_the_task_seals_the_schema_it_is_given(self, empty: Any) -> None:
        record()
        for _ in range(2):
            tasks.seal(schema=empty.schema_name)
        connection.set_tenant(empty)
        assert Seal.objects.get().journal == empty.schema_name


class TestExporting:
    def test_an_export_is_verified_by_what_it_contains(self, empty: Any) -> None:
        content = b"%PDF"
        digest = sha256(content).hexdigest()
        record_many(3)
        actions.seal(at=MONDAY)
        record(4, detail={"sha256": digest})
        findings, _ = delivered(files=[("DE-004.pdf", digest, [content])])
        assert findings.faults == []
        assert (findings.entries, findings.seals, findings.quoted) == (5, 2, 1)
        assert findings.journal == empty.schema_name

    def test_an_export_is_itself_in_the_journal_and_in_the_parcel(self, empty: Any) -> None:
        _, source = delivered(reason="Contrôle de la chambre")
        assert Entry.objects.get().sentence == "Journal exporté. Motif : Contrôle de la chambre"
        assert "Contrôle de la chambre" in source.files["journal.jsonl"].decode()

    def test_an_export_reads_the_journal_batch_by_batch(
        self, empty: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tables, "BATCH", 2)
        record_many(5)
        findings, _ = delivered()
        assert (findings.entries, findings.faults) == (6, [])

    def test_a_row_altered_by_the_owner_of_the_tables_is_named(self, empty: Any) -> None:
        record_many(3)
        actions.seal(at=MONDAY)
        tamper("UPDATE journal_entry SET actor_label = 'Nul' WHERE position = 2")
        findings, _ = delivered()
        assert findings.faults == [
            "journal.jsonl, ligne 2 (écriture 2, du 2026-03-02T08:32:00.000000Z, "
            "« actes.deposited ») : modifiée : son empreinte n'est pas celle qui a été scellée."
        ]

    def test_a_seal_altered_by_the_owner_of_the_tables_is_named(self, empty: Any) -> None:
        record()
        actions.seal(at=MONDAY)
        record(2)
        actions.seal(at=MONDAY)
        tamper("UPDATE journal_seal SET sealed_at = now() WHERE number = 1")
        findings, _ = delivered()
        assert findings.faults[0].startswith("scellements.jsonl, ligne 1 (scellement 1) : modifié")


def delivered(**options: Any) -> tuple[verify.Findings, Memory]:
    out = io.BytesIO()
    schema = tables.current_schema()
    actions.export(**{"schema": schema, "out": out, "by": Secretary(), "at": MONDAY, **options})
    source = Memory(out.getvalue())
    return verify.check_source(source), source


class TestVerifyingInPlace:
    def test_a_sound_journal_is_sound(self, empty: Any) -> None:
        seal_twice()
        report = integrity.check(empty.schema_name)
        assert (report.entries, report.seals, report.faults) == (4, 2, [])

    @pytest.mark.parametrize(
        ("statement", "fault"),
        [
            (
                "UPDATE journal_entry SET detail = '{}' WHERE position = 2",
                "L'écriture 2 (2026-03-02T08:32:00+00:00, actes.deposited) a été modifiée.",
            ),
            (
                "UPDATE journal_seal SET sealed_at = now() WHERE number = 2",
                "Le scellement 2 (écritures 3 à 4) a été modifié.",
            ),
            (
                "DELETE FROM journal_seal WHERE number = 1",
                "Le scellement 2 (écritures 1 à 4) ne suit pas le scellement précédent.",
            ),
            (
                "DELETE FROM journal_entry WHERE position = 4",
                "Le scellement 2 porte sur 4 écritures, il n'en reste que 3 : la fin du journal a "
                "été retirée.",
            ),
        ],
    )
    def test_what_was_altered_is_named(self, empty: Any, statement: str, fault: str) -> None:
        seal_twice()
        tamper(statement)
        assert integrity.check(empty.schema_name).faults == [fault]

    def test_an_entry_altered_with_its_hash_accuses_its_seal_only(self, empty: Any) -> None:
        seal_twice()
        forged = Entry.objects.get(position=1)
        forged.actor_label = "Nul"
        leaf = forged.line().leaf().hex()
        tamper(
            "UPDATE journal_entry SET actor_label = 'Nul', leaf_hash = decode('LEAF', 'hex') "
            "WHERE position = 1".replace("LEAF", leaf)
        )
        assert integrity.check(empty.schema_name).faults == [
            "Le scellement 1 (écritures 1 à 2) ne correspond plus aux empreintes des écritures."
        ]

    def test_an_entry_taken_out_is_named_with_its_seal(self, empty: Any) -> None:
        seal_twice()
        tamper("DELETE FROM journal_entry WHERE position = 1")
        found = integrity.check(empty.schema_name).faults
        assert found[0].startswith("L'écriture 2 (")
        assert found[0].endswith("vient à la place de la 1 : une écriture a été retirée.")
        assert found[1].startswith("Le scellement 1 (écritures 1 à 2) ne correspond plus")
        assert len(found) == 2

    def test_a_disabled_trigger_is_named(self, empty: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE journal_entry DISABLE TRIGGER journal_entry_append_only")
        assert integrity.check(empty.schema_name).faults == [
            "Le déclencheur journal_entry_append_only manque ou est désactivé : le journal n'est "
            "plus protégé."
        ]

    def test_the_command_verifies_every_schema(self, empty: Any) -> None:
        seal_twice()
        out = io.StringIO()
        call_command("verify_journal", stdout=out)
        lines = out.getvalue().splitlines()
        assert f"{empty.schema_name} : OK — écritures : 4, scellements : 2" in lines
        assert any(line.startswith("public : OK") for line in lines)

    def test_the_command_fails_on_an_altered_journal(self, empty: Any) -> None:
        seal_twice()
        tamper("UPDATE journal_entry SET actor_label = 'Nul' WHERE position = 2")
        out = io.StringIO()
        with pytest.raises(CommandError, match=f"Journal altéré : {empty.schema_name}"):
            call_command("verify_journal", schema=empty.schema_name, stdout=out)
        assert "L'écriture 2" in out.getvalue()

    def test_the_command_refuses_a_schema_without_journal(self, empty: Any) -> None:
        with pytest.raises(CommandError, match="Aucun journal"):
            call_command("verify_journal", schema="nowhere")


def seal_twice() -> None:
    for number in range(1, 5):
        record(number)
        if number % 2 == 0:
            actions.seal(at=MONDAY)


class TestReading:
    def test_pages_go_from_the_newest_to_the_oldest(self, empty: Any) -> None:
        record_many(5)
        first = queries.page(size=3)
        second = queries.page(size=3, before=first.older)
        assert [entry.position for entry in first.entries] == [5, 4, 3]
        assert ([entry.position for entry in second.entries], second.older) == ([2, 1], None)

    @pytest.mark.parametrize(
        ("filters", "positions"),
        [
            ({"subject": ("actes.Act", 2)}, [2]),
            ({"event": "helios."}, [3]),
            ({"event": "helios%"}, []),
            ({"since": MONDAY + timedelta(minutes=2)}, [3, 2]),
            ({"until": MONDAY + timedelta(minutes=2)}, [1]),
        ],
    )
    def test_pages_are_filtered(
        self, empty: Any, filters: dict[str, Any], positions: list[int]
    ) -> None:
        record_many(2)
        record(3, event="helios.deposited")
        assert [entry.position for entry in queries.page(**filters).entries] == positions

    def test_a_subject_has_its_history_from_the_start(self, empty: Any) -> None:
        act = record(1, subject=("actes.Act", "x"))
        record(2, subject=("actes.Other", "x"))
        record(3, subject=("actes.Act", "x"), event="actes.received")
        assert [entry.event for entry in queries.history(("actes.Act", "x"))] == [
            act.event,
            "actes.received",
        ]


def test_the_neighbour_has_a_journal_of_its_own(empty: Any, neighbour: Any) -> None:
    before = tables.last_position(neighbour.schema_name)
    record_many(3)
    assert tables.last_position(neighbour.schema_name) == before
    assert tables.lock_key(neighbour.schema_name) != tables.lock_key(empty.schema_name)


def test_the_name_of_a_schema_is_never_read_as_sql(empty: Any) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        record(schema='nowhere"; DROP TABLE journal_entry; --')
    assert tables.last_position(empty.schema_name) == 0
