"""What is due goes out once; what comes back is kept before it is understood."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.delivery import actions, policies, queries
from socle.delivery.adapters import OperatorUnavailable, adapter_for
from socle.delivery.handlers import AlreadyAnswered, Unmatched
from socle.delivery.models import (
    Inbound,
    InboundState,
    Outbound,
    OutboundState,
    TransmissionOperator,
)
from socle.directory.models import TransmissionRight
from socle.documents.models import StoredFile
from socle.exercise.adapter import ExerciseAdapter
from socle.exercise.server import ExerciseServer
from socle.journal.models import Entry
from tests.delivery.conftest import Room
from tests.exercise.client import Client
from tests.people import on_portal, person


def _state(outbound: Outbound) -> Outbound:
    outbound.refresh_from_db()
    return outbound


def test_what_is_due_goes_out_and_is_recorded(
    outbound: Outbound, room: Room, counters: Client
) -> None:
    assert actions.send_due() == 1

    assert _state(outbound).state == OutboundState.SENT
    assert outbound.sent_at is not None
    assert room.sent == [outbound.subject_id]
    assert counters.deposited(outbound.name, "helios").json["sha256"] == outbound.sha256
    assert Entry.objects.filter(event="delivery.sent").count() == 1


def test_nothing_is_sent_twice(outbound: Outbound, counters: Client) -> None:
    actions.send_due()
    assert actions.send_due() == 0
    assert counters.counters()["deposits"] == 1
    assert counters.counters()["doubles"] == 0


def test_a_worker_that_died_after_the_bytes_left_sends_nothing_again(
    outbound: Outbound, room: Room, counters: Client, settings: Any
) -> None:
    taken = actions.claim(at=timezone.now())
    assert taken is not None
    actions._hand_over(taken, adapter_for(taken.operator))  # and the worker is gone

    assert actions.send_due() == 0  # its lease holds
    later = timezone.now() + timedelta(seconds=settings.DELIVERY_LEASE + 1)
    with time_machine.travel(later):
        assert actions.send_due() == 1

    assert _state(outbound).state == OutboundState.SENT
    assert room.sent == [1]
    assert counters.counters()["deposits"] == 1
    assert counters.counters()["doubles"] == 0


def _left_then_died(settings: Any) -> datetime:
    """A worker died with the bytes at the operator; the moment its lease has run out."""
    taken = actions.claim(at=timezone.now())
    assert taken is not None
    actions._hand_over(taken, adapter_for(taken.operator))
    return timezone.now() + timedelta(seconds=settings.DELIVERY_LEASE + 1)


def test_a_file_answered_before_its_outcome_was_stored_is_sent_not_held(
    outbound: Outbound, room: Room, counters: Client, settings: Any
) -> None:
    later = _left_then_died(settings)
    room.stops = AlreadyAnswered("Ce flux a déjà reçu sa réponse.")
    with time_machine.travel(later):
        assert actions.send_due() == 1
    assert _state(outbound).state == OutboundState.SENT
    assert room.sent == [1]
    assert counters.counters()["deposits"] == 1


def test_an_answer_is_proof_where_the_operator_cannot_be_asked(
    outbound: Outbound, room: Room, counters: Client, settings: Any, monkeypatch: Any
) -> None:
    later = _left_then_died(settings)
    room.stops = AlreadyAnswered("Ce flux a déjà reçu sa réponse.")
    monkeypatch.setattr(ExerciseAdapter, "find", lambda self, **where: None)
    with time_machine.travel(later):
        assert actions.send_due() == 1
    assert _state(outbound).state == OutboundState.SENT
    assert counters.counters()["deposits"] == 1
    assert counters.counters()["doubles"] == 0


def test_a_right_withdrawn_meanwhile_does_not_undo_what_is_there(
    outbound: Outbound, room: Room, settings: Any
) -> None:
    later = _left_then_died(settings)
    TransmissionRight.objects.update(
        suspended_on=timezone.now().date() - timedelta(days=1), suspension_reason="essai"
    )
    with time_machine.travel(later):
        assert actions.send_due() == 1
    assert _state(outbound).state == OutboundState.SENT


def test_an_answer_lost_on_the_way_is_asked_for_before_sending_again(
    outbound: Outbound, counters: Client
) -> None:
    counters.break_down("drop-after-store")
    assert actions.send_due() == 0
    assert _state(outbound).state == OutboundState.DUE
    assert outbound.maybe_received
    assert "ne répond pas" in outbound.last_error

    counters.break_down("ok")
    with time_machine.travel(outbound.due_at + timedelta(seconds=1)):
        assert actions.send_due() == 1
    assert counters.counters()["doubles"] == 0


@pytest.mark.parametrize("breakdown", ["500", "html-200", "drop-before-store"])
def test_an_operator_in_trouble_is_tried_again_later(
    outbound: Outbound, counters: Client, breakdown: str
) -> None:
    counters.break_down(breakdown)
    assert actions.send_due() == 0
    assert _state(outbound).state == OutboundState.DUE
    assert outbound.due_at > timezone.now()

    counters.break_down("ok")
    with time_machine.travel(outbound.due_at + timedelta(seconds=1)):
        assert actions.send_due() == 1
    assert counters.counters()["deposits"] == 1


def test_the_operator_that_is_not_there_is_no_loss(
    outbound: Outbound, server: ExerciseServer
) -> None:
    server.close()
    assert actions.send_due() == 0
    assert _state(outbound).state == OutboundState.DUE


def test_two_workers_never_take_the_same_file(outbound: Outbound) -> None:
    now = timezone.now()
    assert actions.claim(at=now) is not None
    assert actions.claim(at=now) is None


def test_an_outcome_of_a_lost_lease_is_not_written(outbound: Outbound, room: Room) -> None:
    first = actions.claim(at=timezone.now())
    assert first is not None
    Outbound.objects.filter(pk=first.pk).update(lease=uuid.uuid4())  # another worker took over
    assert actions.record_sent(first, at=timezone.now()) is False
    assert room.sent == []


def test_a_convention_suspended_meanwhile_holds_the_file(
    outbound: Outbound, counters: Client
) -> None:
    TransmissionRight.objects.update(
        suspended_on=timezone.localdate() - timedelta(days=1), suspension_reason="essai"
    )
    assert actions.send_due() == 0
    assert _state(outbound).state == OutboundState.HELD
    assert "est suspendue depuis" in outbound.last_error
    assert counters.counters()["deposits"] == 0


def test_a_certificate_revoked_meanwhile_holds_the_file(
    outbound: Outbound, counters: Client
) -> None:
    TransmissionOperator.objects.update(requires_certificate=True)
    assert actions.send_due() == 0
    assert _state(outbound).state == OutboundState.HELD
    assert "certificat" in outbound.last_error
    assert counters.counters()["deposits"] == 0


def test_a_name_the_operator_does_not_take_is_refused_and_told(
    outbound: Outbound, room: Room, counters: Client
) -> None:
    counters.deposit(outbound.name, b"other bytes under the same name", "helios")
    assert actions.send_due() == 0
    assert _state(outbound).state == OutboundState.REFUSED
    assert len(room.refused) == 1
    assert Entry.objects.get(event="delivery.refused").outcome == "refused"


def test_the_desk_shows_what_is_stuck_and_sends_it_again(
    outbound: Outbound, counters: Client, syndicat: Any
) -> None:
    TransmissionRight.objects.update(
        suspended_on=timezone.now().date() - timedelta(days=1), suspension_reason="essai"
    )
    actions.send_due()
    officer = on_portal(person(Role.OFFICER, at=syndicat))
    page = officer.get("/envois/").content.decode()
    assert outbound.name in page
    assert "est suspendue depuis" in page
    assert "Le syndicat" in page

    TransmissionRight.objects.update(suspended_on=None, suspension_reason="")
    assert (
        "repart maintenant"
        in officer.post(f"/envois/{outbound.pk}/relancer/", follow=True).content.decode()
    )
    assert actions.send_due() == 1

    again = officer.post(f"/envois/{outbound.pk}/relancer/", follow=True).content.decode()
    assert "il n’y a rien à relancer" in again


@pytest.mark.parametrize(
    ("state", "attempts", "who"),
    [
        (OutboundState.DUE, 3, "Personne : Socle réessaie de lui-même"),
        (OutboundState.REFUSED, 1, "Le syndicat"),
        (OutboundState.HELD, 1, "La collectivité ou le syndicat"),
    ],
)
def test_the_desk_says_who_can_act(
    outbound: Outbound, syndicat: Any, state: OutboundState, attempts: int, who: str
) -> None:
    Outbound.objects.update(state=state, attempts=attempts, last_error="Rien ne va.")
    officer = on_portal(person(Role.OFFICER, at=syndicat))
    assert who in officer.get("/envois/").content.decode()


def test_an_auditor_looks_at_the_desk_but_does_not_push(outbound: Outbound, syndicat: Any) -> None:
    auditor = on_portal(person(Role.AUDITOR, at=syndicat))
    assert auditor.get("/envois/").status_code == 200
    assert auditor.post(f"/envois/{outbound.pk}/relancer/").status_code == 403


def _collect(count: int, counters: Client) -> int:
    counters.wait_for_returns(count)
    connection.set_schema_to_public()
    return actions.collect(TransmissionOperator.objects.get())


def test_a_return_is_kept_raw_then_understood_then_acknowledged(
    outbound: Outbound, room: Room, counters: Client
) -> None:
    actions.send_due()
    assert _collect(1, counters) == 1

    inbound = Inbound.objects.get()
    assert inbound.state == InboundState.MATCHED
    assert inbound.organisation_id == outbound.organisation_id
    assert StoredFile.objects.get(pk=inbound.payload).sha256 == inbound.sha256
    assert counters.returns() == []


def test_a_return_nobody_knows_stays_on_the_desk_and_can_be_read_again(
    outbound: Outbound, room: Room, counters: Client, syndicat: Any
) -> None:
    room.refusal = Unmatched("Ce retour ne correspond à aucun envoi.")
    actions.send_due()
    _collect(1, counters)
    inbound = Inbound.objects.get()
    assert inbound.state == InboundState.UNMATCHED
    assert counters.returns() == []  # kept here: the operator may forget it
    assert Entry.objects.get(event="delivery.set_aside").outcome == "refused"

    officer = on_portal(person(Role.OFFICER, at=syndicat))
    assert "ne correspond à aucun envoi" in officer.get("/envois/").content.decode()
    room.refusal = None
    officer.post(f"/envois/retour/{inbound.pk}/relire/")
    inbound.refresh_from_db()
    assert inbound.state == InboundState.MATCHED


def test_the_same_return_twice_is_one(outbound: Outbound, room: Room, counters: Client) -> None:
    actions.send_due()
    _collect(1, counters)
    operator = TransmissionOperator.objects.get()
    inbound = Inbound.objects.get()
    raw = StoredFile.objects.get(pk=inbound.payload)
    from socle.delivery.adapters import Return
    from socle.documents import actions as documents

    again, created = actions.keep(
        operator, Return("999", "helios", "autre.xml"), documents.read(raw)
    )
    assert (again.pk, created) == (inbound.pk, False)


def test_collecting_from_an_operator_in_trouble_loses_nothing(
    outbound: Outbound, room: Room, counters: Client
) -> None:
    actions.send_due()
    counters.wait_for_returns(1)
    connection.set_schema_to_public()
    counters.break_down("html-200")
    with pytest.raises(OperatorUnavailable):
        actions.collect(TransmissionOperator.objects.get())
    counters.break_down("ok")
    assert actions.collect(TransmissionOperator.objects.get()) == 1


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 10), (2, 20), (3, 40), (9, 2560), (10, 3600), (500, 3600)]
)
def test_the_wait_doubles_up_to_an_hour(attempts: int, seconds: int) -> None:
    assert policies.wait_after(attempts) == timedelta(seconds=seconds)


def test_every_state_has_its_transitions() -> None:
    assert policies.TRANSITIONS.keys() == set(OutboundState)
    assert policies.INBOUND_TRANSITIONS.keys() == set(InboundState)


def test_the_desk_asks_for_few_queries(
    outbound: Outbound, syndicat: Any, django_assert_max_num_queries: Any
) -> None:
    officer = on_portal(person(Role.OFFICER, at=syndicat))
    officer.get("/envois/")
    with django_assert_max_num_queries(14):
        officer.get("/envois/")
    assert queries.stuck_outbound().count() == 0


def test_a_refusal_that_comes_after_the_file_was_taken_is_told(
    outbound: Outbound, room: Room, syndicat: Any
) -> None:
    actions.send_due()
    now = timezone.now()
    assert actions.refuse_late(outbound_id=outbound.pk, why="Enveloppe invalide", at=now)
    assert not actions.refuse_late(outbound_id=outbound.pk, why="Enveloppe invalide", at=now)

    assert _state(outbound).state == OutboundState.REFUSED
    assert room.refused == ["Enveloppe invalide"]
    officer = on_portal(person(Role.OFFICER, at=syndicat))
    assert "Enveloppe invalide" in officer.get("/envois/").content.decode()
