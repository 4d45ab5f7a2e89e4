"""One return, or one file, that raises anything: it alone is set aside, read back from the base."""

import errno
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.delivery import actions, policies, queries
from socle.delivery.adapters import Return
from socle.delivery.models import (
    Inbound,
    InboundState,
    Outbound,
    OutboundState,
    TransmissionOperator,
)
from socle.directory.models import Organisation
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from tests.delivery.conftest import Room
from tests.people import on_portal, person

ANYTHING = [
    ValueError("\0"),
    MemoryError(),
    RecursionError(),
    UnicodeError("surrogate"),
    LookupError("unknown encoding: undefined"),
    KeyError("helios"),
    AssertionError(),
    OSError("disk"),
]


def _named(bad: Any) -> str:
    return type(bad).__name__


def _break_the_transaction(name: str, raw: bytes, at: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    raise AssertionError


def _kept(*contents: bytes) -> list[Inbound]:
    connection.set_schema_to_public()
    operator = TransmissionOperator.objects.get()
    return [
        actions.keep(operator, Return(f"{n}", "helios", f"retour-{n}.xml"), content)[0]
        for n, content in enumerate(contents)
    ]


def _receiving(room: Room, monkeypatch: pytest.MonkeyPatch, bad: Any) -> None:
    """The room of HELIOS raises on the return called retour-0.xml, and takes the others."""
    from dataclasses import replace

    from socle.delivery import handlers

    def receive(name: str, raw: bytes, at: Any, origin: Any) -> int:
        if name == "retour-0.xml":
            if isinstance(bad, BaseException):
                raise bad
            return int(bad(name, raw, at))
        return room.receive(name, raw, at, origin)

    monkeypatch.setattr(handlers, "_rooms", {"helios": replace(room.as_room(), receive=receive)})


@pytest.mark.parametrize("bad", [*ANYTHING, _break_the_transaction], ids=_named)
def test_a_return_that_raises_anything_is_set_aside_alone(
    room: Room, monkeypatch: pytest.MonkeyPatch, bad: Any, syndicat: Organisation
) -> None:
    _receiving(room, monkeypatch, bad)
    poison, good = _kept(b"poison", b"good")

    actions.collect(TransmissionOperator.objects.get())

    poison, good = (Inbound.objects.get(pk=one.pk) for one in (poison, good))
    assert (poison.state, poison.attempts) == (InboundState.FAILED, 1)
    assert "La lecture de ce retour s’est arrêtée" in poison.message
    assert (good.state, good.message) == (InboundState.MATCHED, "")
    page = on_portal(person(Role.OFFICER, at=syndicat)).get("/envois/").content.decode()
    assert "La lecture de ce retour s’est arrêtée" in page


def test_a_return_that_kills_whoever_reads_it_is_read_five_times(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed writes nothing: the attempt was counted before."""
    _receiving(room, monkeypatch, SystemExit())
    (poison,) = _kept(b"poison")
    for _ in range(policies.READINGS):
        with pytest.raises(SystemExit):
            actions.collect(TransmissionOperator.objects.get())

    actions.collect(TransmissionOperator.objects.get())

    poison.refresh_from_db()
    assert poison.state == InboundState.FAILED
    assert "interrompue chaque fois" in poison.message


def test_a_return_that_is_settled_is_read_no_more(room: Room) -> None:
    (good,) = _kept(b"good")
    for _ in range(policies.READINGS + 1):  # as many workers, one after the other
        actions.understand(inbound_id=good.pk)

    good.refresh_from_db()
    assert (good.state, good.attempts) == (InboundState.MATCHED, 1)


def test_a_return_nothing_reads_is_on_the_desk(room: Room, syndicat: Organisation) -> None:
    (late,) = _kept(b"late")
    assert not queries.unread_inbound(at=timezone.now()).exists()

    at = timezone.now() + policies.READ_WITHIN + timedelta(seconds=1)
    assert list(queries.unread_inbound(at=at)) == [late]
    Inbound.objects.update(received_at=timezone.now() - timedelta(hours=1))
    page = on_portal(person(Role.OFFICER, at=syndicat)).get("/envois/").content.decode()
    assert "Pas encore lu" in page


def test_a_return_whose_stored_file_is_gone_is_said(room: Room, vault: Path) -> None:
    poison, good = _kept(b"poison", b"good")
    (vault / StoredFile.objects.get(pk=poison.payload).storage_key).unlink()

    actions.collect(TransmissionOperator.objects.get())

    poison.refresh_from_db()
    assert poison.state == InboundState.FAILED
    assert "Un fichier gardé manque" in poison.message
    assert Inbound.objects.get(pk=good.pk).state == InboundState.MATCHED


def test_a_name_no_column_holds_is_cleaned(room: Room) -> None:
    connection.set_schema_to_public()
    waiting = Return("1\0", "helios", "a\0\ud800\u202e" + "é" * 400 + ".xml")
    kept, _ = actions.keep(TransmissionOperator.objects.get(), waiting, b"<a/>")
    kept.refresh_from_db()
    assert kept.name.startswith("aé")
    assert len(kept.name.encode()) <= 255


class _Adapter:
    """An operator one of whose returns cannot be taken."""

    def returns(self) -> Iterator[Return]:
        for n in range(3):
            yield Return(str(n), "helios", f"r{n}.xml")

    def fetch(self, external_id: str) -> bytes:
        if external_id == "1":
            raise ValueError("no bytes")
        return external_id.encode()

    def acknowledge(self, external_id: str) -> None:
        """Told twice changes nothing."""


def test_a_return_that_cannot_be_taken_leaves_the_others(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.set_schema_to_public()
    monkeypatch.setattr(actions, "adapter_for", lambda operator: _Adapter())
    assert actions.collect(TransmissionOperator.objects.get()) == 2

    assert sorted(Inbound.objects.values_list("name", flat=True)) == ["r0.xml", "r2.xml"]
    (row,) = queries.stumbles()
    assert "r1.xml" in row.item
    assert "ValueError" in row.cause


MOMENT = [
    ConnectionResetError("storage"),
    TimeoutError("storage"),
    OSError(errno.EMFILE, "Too many open files"),
    OperationalError("deadlock detected"),
]
"""What says nothing of the item."""


@pytest.mark.parametrize("fault", MOMENT, ids=_named)
def test_what_is_away_sets_no_return_aside(
    room: Room, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    (waits,) = _kept(b"waits")
    with monkeypatch.context() as away:
        away.setattr(documents, "read", _raising(fault))
        for _ in range(policies.READINGS + 1):
            actions.collect(TransmissionOperator.objects.get())
        waits.refresh_from_db()
        assert waits.state == InboundState.RECEIVED
        assert list(queries.unread_inbound(at=timezone.now())) == [waits]
    actions.collect(TransmissionOperator.objects.get())
    waits.refresh_from_db()
    assert (waits.state, waits.message) == (InboundState.MATCHED, "")


def _raising(fault: Exception) -> Callable[..., Any]:
    def away(*_: Any, **__: Any) -> Any:
        raise fault

    return away


# Sending.


@pytest.mark.parametrize("fault", MOMENT, ids=_named)
def test_what_is_away_holds_no_file_for_a_person(
    outbound: Outbound, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    connection.set_schema_to_public()
    with monkeypatch.context() as away:
        away.setattr(documents, "open_file", _raising(fault))
        assert actions.send_due() == 0
    outbound.refresh_from_db()
    assert outbound.state == OutboundState.DUE
    assert outbound.last_error
    assert list(queries.stuck_outbound()) == [outbound]

    Outbound.objects.update(due_at=timezone.now())
    assert actions.send_due() == 1


def _another(outbound: Outbound) -> Outbound:
    """A second file of the same commune, due after the first."""
    connection.set_tenant(_tenant(outbound))
    stored = documents.store(content=b"<PES_Aller/>", name="deux.xml", by="x", at=timezone.now())
    return actions.enqueue(
        organisation=outbound.organisation,
        protocol="helios",
        operator=outbound.operator,
        name="PESALR2_20008151100019_261124_002.xml",
        payload=stored,
        subject_id=2,
        by=outbound.asked_by,
        at=timezone.now(),
    )


def _tenant(outbound: Outbound) -> Any:
    from tenants.models import Tenant

    return Tenant.objects.get(schema_name=outbound.schema)


def _blob(outbound: Outbound, vault: Path) -> Path:
    connection.set_tenant(_tenant(outbound))
    return vault / StoredFile.objects.get(pk=outbound.payload).storage_key


@pytest.mark.parametrize("harm", ["gone", "altered", "cut", "row"])
def test_a_stored_file_that_is_not_what_it_was_holds_its_sending_alone(
    outbound: Outbound, vault: Path, syndicat: Organisation, harm: str
) -> None:
    other = _another(outbound)
    blob = _blob(outbound, vault)
    if harm == "gone":
        blob.unlink()
    elif harm == "row":
        Outbound.objects.filter(pk=outbound.pk).update(payload="0" * 32)
    else:
        content = blob.read_bytes()
        blob.chmod(0o600)
        cut = content[:-10] if harm == "cut" else content[:-1] + bytes([content[-1] ^ 1])
        os.truncate(blob, 0)
        blob.write_bytes(cut)
    connection.set_schema_to_public()

    assert actions.send_due() == 1

    outbound.refresh_from_db()
    other.refresh_from_db()
    assert outbound.state == OutboundState.HELD
    assert outbound.last_error.startswith(policies.STOPPED)
    assert other.state == OutboundState.SENT
    page = on_portal(person(Role.OFFICER, at=syndicat)).get("/envois/").content.decode()
    assert "L’envoi s’est arrêté" in page


@pytest.mark.parametrize("bad", [*ANYTHING, DataError("x"), IntegrityError("x")], ids=_named)
def test_a_file_that_raises_anything_is_held_alone(
    outbound: Outbound, room: Room, bad: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = _another(outbound)
    connection.set_schema_to_public()
    check = room.check

    def checks(row: Outbound, at: Any) -> None:
        if row.pk == outbound.pk:
            raise bad
        check(row, at)

    monkeypatch.setattr(room, "check", checks)
    from socle.delivery import handlers

    monkeypatch.setattr(handlers, "_rooms", {"helios": room.as_room()})

    assert actions.send_due() == 1

    outbound.refresh_from_db()
    assert outbound.state == OutboundState.HELD
    assert "L’envoi s’est arrêté" in outbound.last_error
    assert Outbound.objects.get(pk=other.pk).state == OutboundState.SENT
