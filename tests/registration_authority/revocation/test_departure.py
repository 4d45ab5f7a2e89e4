"""A departure or a loss: everything that follows, in one gesture."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from registration_authority import actions as counter_actions
from registration_authority.models import (
    Certificate,
    CertificateFile,
    CertificateState,
    FileState,
)
from registration_authority.revocation import actions
from registration_authority.revocation.models import RevocationRequest
from registration_authority.slots import queries as slots
from registration_authority.slots.models import Appointment
from socle.accounts.capabilities import Role
from socle.accounts.models import Login
from socle.actes.models import Act, ActState
from socle.core.refusals import Refusal
from socle.directory.models import Grant
from socle.documents import actions as documents
from socle.helios.models import FlowState, PesFlow
from tests.people import in_town, on_portal, person
from tests.registration_authority.counter import NOON, Counter, open_counter
from tests.registration_authority.test_screens import text
from tests.registration_authority.test_slots import offered, taken


@pytest.fixture
def held(counter: Counter) -> Counter:
    """A certificate in use."""
    return counter.bring_to(FileState.HANDED_OVER)


@pytest.fixture
def successor(counter: Counter) -> Any:
    """A colleague in the same commune."""
    who = person(Role.TRANSMITTER, at=counter.organisation, last_name="Suite")
    who.grants.update(starts_on=date(2026, 1, 1))
    return who


def logged_in(neighbour: Any, who: Any) -> None:
    in_town(neighbour, who)
    Login.objects.filter(person=who).update(started_at=NOON - timedelta(hours=1))


def draft(neighbour: Any, by: Any) -> Act:
    connection.set_tenant(neighbour)
    made = Act.objects.create(
        nature=1,
        number="2026-01",
        objet="Un brouillon",
        decided_on=NOON.date(),
        created_by=by,
        created_at=NOON,
    )
    connection.set_schema_to_public()
    return made


def flow(neighbour: Any, by: Any, state: FlowState, name: str) -> PesFlow:
    connection.set_tenant(neighbour)
    stored = documents.store(content=name.encode(), name=f"{name}.xml", by=str(by), at=NOON)
    made = PesFlow.objects.create(
        stored=stored,
        sha256=stored.sha256,
        nom_fic=name,
        id_post="079012",
        id_coll="20008389700013",
        cod_col="123",
        cod_bud="00",
        state=state,
        deposited_at=NOON,
        deposited_by=by,
        deposited_by_label=str(by),
    )
    connection.set_schema_to_public()
    return made


def author(neighbour: Any, act: Act) -> int | None:
    connection.set_tenant(neighbour)
    found = Act.objects.get(pk=act.pk)
    assert found.state == ActState.DRAFT
    connection.set_schema_to_public()
    return found.created_by_id


def leave(held: Counter, successor: Any) -> actions.Protocol:
    return actions.declare_departure(
        person=held.holder,
        organisation=held.organisation,
        successor=successor,
        by=held.officer,
        at=NOON,
    )


def test_a_departure_ends_everything_and_hands_on(
    held: Counter, successor: Any, neighbour: Any
) -> None:
    logged_in(neighbour, held.holder)
    act = draft(neighbour, held.holder)
    done = leave(held, successor)
    assert Certificate.objects.get().state == CertificateState.REVOKED
    assert RevocationRequest.objects.get().reason == "affiliationChanged"
    held.holder.refresh_from_db()
    assert not held.holder.is_active
    assert not Login.objects.filter(person=held.holder, ended_at=None).exists()
    assert author(neighbour, act) == successor.pk
    assert done.replacement is not None
    assert done.replacement.holder == successor
    assert (done.revoked, done.reassigned, done.suspended) == (1, 1, True)


def test_a_departure_hands_on_the_flows_that_have_not_left(
    held: Counter, successor: Any, neighbour: Any
) -> None:
    connection.set_schema_to_public()
    waiting = flow(neighbour, held.holder, FlowState.READY, "PES_1")
    gone = flow(neighbour, held.holder, FlowState.WITHDRAWN, "PES_2")
    assert leave(held, successor).reassigned == 1
    connection.set_tenant(neighbour)
    owners = dict(PesFlow.objects.values_list("pk", "deposited_by"))
    assert owners == {waiting.pk: successor.pk, gone.pk: held.holder.pk}
    assert PesFlow.objects.get(pk=waiting.pk).deposited_by_label == str(held.holder)
    connection.set_schema_to_public()


def test_somebody_of_two_communes_keeps_the_other(held: Counter, town: Any, successor: Any) -> None:
    connection.set_schema_to_public()
    Grant.objects.create(
        person=held.holder,
        organisation=town.organisation,
        roles=[Role.TRANSMITTER.value],
        starts_on=date(2026, 1, 1),
    )
    done = leave(held, None)
    held.holder.refresh_from_db()
    assert held.holder.is_active
    assert (done.suspended, done.replacement) == (False, None)
    grant = Grant.objects.get(person=held.holder, organisation=held.organisation)
    assert not grant.is_current(NOON.date())


def test_a_loss_orders_the_next_one_and_keeps_the_rights(held: Counter, neighbour: Any) -> None:
    logged_in(neighbour, held.holder)
    done = actions.declare_loss(
        person=held.holder, organisation=held.organisation, by=held.officer, at=NOON
    )
    assert Certificate.objects.get().revocation_reason == "keyCompromise"
    assert done.replacement is not None
    assert done.replacement.state == FileState.DRAFT
    held.holder.refresh_from_db()
    assert held.holder.is_active
    assert not Login.objects.filter(person=held.holder, ended_at=None).exists()
    again = actions.declare_loss(
        person=held.holder, organisation=held.organisation, by=held.officer, at=NOON
    )
    assert (again.revoked, again.replacement) == (0, done.replacement)


def test_nobody_declares_her_own(held: Counter) -> None:
    with pytest.raises(Refusal, match="le vôtre"):
        actions.declare_loss(
            person=held.holder, organisation=held.organisation, by=held.holder, at=NOON
        )


def test_a_file_under_way_is_closed_with_the_departure(counter: Counter) -> None:
    counter.bring_to(FileState.PIECES_CHECKED)
    leave(counter, None)
    assert counter.state == FileState.CANCELLED


def test_the_screen_does_it_all(held: Counter, successor: Any) -> None:
    desk = on_portal(held.officer)
    page = f"/certificats/{held.file.pk}/depart-ou-perte/"
    assert str(successor) in text(desk.get(page))
    desk.post(page, {"event": "departure", "successor": successor.pk})
    opened = CertificateFile.objects.get(holder=successor)
    shown = text(desk.get(f"/certificats/{opened.pk}/"))
    assert "nouveau dossier ouvert" in shown


def test_a_departure_gives_the_appointment_back(counter: Counter, town: Any, syndicat: Any) -> None:
    connection.set_schema_to_public()
    counter.bring_to(FileState.PIECES_CHECKED)
    slot, *_ = offered(counter)
    taken(counter, slot)
    done = actions.declare_departure(
        person=counter.holder,
        organisation=counter.organisation,
        successor=None,
        by=counter.officer,
        at=NOON,
    )
    assert done.left_open == 0
    assert counter.state == FileState.CANCELLED
    assert not Appointment.objects.filter(cancelled_at=None).exists()
    assert slots.free_slots(_another(counter, town, syndicat), NOON)[0] == slot


def test_a_file_the_authority_works_on_stays_open_and_is_said(counter: Counter) -> None:
    connection.set_schema_to_public()
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    request = counter.ask()
    counter_actions.issue(request_id=request.pk, by=counter.officer, at=NOON)
    done = actions.declare_departure(
        person=counter.holder,
        organisation=counter.organisation,
        successor=None,
        by=counter.officer,
        at=NOON,
    )
    assert done.left_open == 1
    assert counter.state == FileState.FACE_TO_FACE_DONE


def _another(counter: Counter, town: Any, syndicat: Any) -> Any:
    other = open_counter(town.organisation, syndicat, first_name="Zoé", last_name="Autre")
    other.bring_to(FileState.PIECES_CHECKED)
    connection.set_schema_to_public()
    return other.file
