"""Appointments: offered, taken once, moved, given back."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from registration_authority.models import FileState
from registration_authority.slots import actions, queries
from registration_authority.slots.models import Appointment, Slot, SlotKind
from socle.core.clock import PARIS
from socle.notices.models import Notice
from tests.people import in_town, on_portal
from tests.registration_authority.counter import NOON, Counter, open_counter
from tests.registration_authority.policy import colleague, policy
from tests.registration_authority.test_accreditation import refused

PORTAL = "/certificats/"
DAY = date(2026, 12, 1)


def offered(counter: Counter, **changes: Any) -> list[Slot]:
    """Slots of half an hour between nine and eleven."""
    given = {
        "kind": SlotKind.ROOM,
        "organisation": None,
        "officer": counter.officer,
        "place": "Salle du rez-de-chaussée",
        "day": DAY,
        "first": time(9),
        "last": time(11),
        "minutes": 30,
        "by": counter.officer,
        "at": NOON,
    }
    return actions.open_slots(**(given | changes))


def taken(counter: Counter, slot: Slot, **changes: Any) -> Appointment:
    """Book it."""
    given = {"file_id": counter.file.pk, "slot_id": slot.pk, "by": counter.holder, "at": NOON}
    return actions.book(**(given | changes))


def test_slots_follow_each_other_on_the_clock_of_paris(counter: Counter) -> None:
    slots = offered(counter)
    starts = [slot.starts_at.astimezone(PARIS).time() for slot in slots]
    assert starts == [time(9), time(9, 30), time(10), time(10, 30)]
    assert slots[-1].ends_at == datetime(2026, 12, 1, 11, tzinfo=PARIS)


def test_an_officer_is_at_one_place_at_a_time(counter: Counter) -> None:
    offered(counter)
    with refused("ra.officer_busy"):
        offered(counter, first=time(10, 45), last=time(12), place="Ailleurs")
    assert offered(counter, first=time(11), last=time(12))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"day": date(2026, 11, 24), "first": time(8)}, "ra.wrong_moment"),
        ({"last": time(9)}, "ra.wrong_moment"),
        ({"kind": SlotKind.VISIT}, "ra.needs_reason"),
        ({"place": "code PIN 1234"}, "ra.secret_in_text"),
    ],
)
def test_slots_that_make_no_sense_are_refused(counter: Counter, changes: Any, code: str) -> None:
    with refused(code):
        offered(counter, **changes)
    assert not Slot.objects.exists()


def test_a_slot_is_taken_once(counter: Counter, town: Any, syndicat: Any) -> None:
    connection.set_schema_to_public()
    slot = offered(counter)[0]
    counter.bring_to(FileState.PIECES_CHECKED)
    booked = taken(counter, slot)
    assert "Rendez-vous le 01/12/2026 à 09 h 00" in [
        notice.subject for notice in Notice.objects.filter(person=counter.holder)
    ]
    other = open_counter(town.organisation, syndicat, first_name="Zoé", last_name="Autre").bring_to(
        FileState.PIECES_CHECKED
    )
    connection.set_schema_to_public()
    with refused("ra.slot_taken"):
        taken(other, slot)
    with pytest.raises(IntegrityError, match="one_per_slot"), transaction.atomic():
        Appointment.objects.create(
            slot=slot, file=other.file, booked_at=NOON, booked_by=other.holder
        )
    assert slot not in queries.free_slots(other.file, NOON)
    assert taken(counter, slot) == booked  # again is the same


def test_moving_frees_the_former_slot(counter: Counter) -> None:
    first, second, *_ = offered(counter)
    counter.bring_to(FileState.PIECES_CHECKED)
    taken(counter, first)
    taken(counter, second)
    assert first in queries.free_slots(counter.file, NOON)
    assert second not in queries.free_slots(counter.file, NOON)
    assert Appointment.objects.filter(cancelled_at=None).count() == 1


def test_cancelling_gives_the_slot_back(counter: Counter) -> None:
    slot = offered(counter)[0]
    counter.bring_to(FileState.PIECES_CHECKED)
    taken(counter, slot)
    assert actions.cancel(file_id=counter.file.pk, by=counter.holder, at=NOON)
    assert actions.cancel(file_id=counter.file.pk, by=counter.holder, at=NOON) is None
    assert slot in queries.free_slots(counter.file, NOON)


def test_a_slot_withdrawn_tells_whoever_had_it(counter: Counter) -> None:
    slot = offered(counter)[0]
    counter.bring_to(FileState.PIECES_CHECKED)
    taken(counter, slot)
    actions.close_slot(slot_id=slot.pk, by=counter.officer, at=NOON)
    assert queries.appointment_of(counter.file) is None
    assert Notice.objects.filter(person=counter.holder, subject__contains="annulé").exists()
    with refused("ra.slot_taken"):
        taken(counter, slot)


def test_a_file_that_waits_for_nobody_takes_no_slot(counter: Counter) -> None:
    slot = offered(counter)[0]
    with refused("ra.forbidden_step"):
        taken(counter, slot)


def test_a_past_slot_is_not_taken(counter: Counter) -> None:
    slot = offered(counter)[0]
    counter.bring_to(FileState.PIECES_CHECKED)
    with refused("ra.slot_taken"):
        taken(counter, slot, at=slot.starts_at)


def test_a_visit_is_for_one_commune_and_takes_its_list_along(
    counter: Counter, town: Any, syndicat: Any
) -> None:
    connection.set_schema_to_public()
    policy(counter, visit_checklist=["Supports", "Lecteur"])
    counter.bring_to(FileState.PIECES_CHECKED)
    visit = offered(
        counter, kind=SlotKind.VISIT, organisation=counter.organisation, place="Mairie"
    )[0]
    assert visit.checklist == ["Supports", "Lecteur"]
    other = open_counter(town.organisation, syndicat, first_name="Zoé", last_name="Autre")
    other.bring_to(FileState.PIECES_CHECKED)
    connection.set_schema_to_public()
    assert visit not in queries.free_slots(other.file, NOON)
    with refused("ra.slot_taken"):
        taken(other, visit)
    actions.tick(slot_id=visit.pk, ticked=["Lecteur", "autre"], by=counter.officer, at=NOON)
    visit.refresh_from_db()
    assert visit.ticked == ["Lecteur"]


def test_the_meeting_honours_the_appointment(counter: Counter) -> None:
    slot = offered(counter, day=date(2026, 11, 24), first=time(14), last=time(15))[0]
    counter.bring_to(FileState.PIECES_CHECKED)
    booked = taken(counter, slot)
    counter.meet()
    booked.refresh_from_db()
    assert booked.honoured_at is not None


def test_a_file_that_closes_frees_its_slot(counter: Counter) -> None:
    from registration_authority import actions as files

    slot = offered(counter)[0]
    counter.bring_to(FileState.PIECES_CHECKED)
    taken(counter, slot)
    files.close(
        file_id=counter.file.pk,
        to=FileState.CANCELLED,
        reason="Départ",
        by=counter.officer,
        at=NOON,
    )
    assert not Appointment.objects.filter(cancelled_at=None).exists()


# Screens


def test_the_commune_books_moves_and_cancels(counter: Counter, neighbour: Any) -> None:
    counter.bring_to(FileState.PIECES_CHECKED)
    soon = timezone.localdate() + timedelta(days=3)
    first, second, *_ = offered(counter, day=soon, at=timezone.now())
    home = in_town(neighbour, counter.holder)
    assert "Choisir un rendez-vous" in home.get(PORTAL).content.decode()
    address = f"{PORTAL}{counter.file.pk}/rendez-vous/"
    assert "Salle du rez-de-chaussée" in home.get(address).content.decode()
    home.post(address, {"slot": first.pk})
    assert "Salle du rez-de-chaussée" in home.get(PORTAL).content.decode()
    home.post(address, {"slot": second.pk})
    assert queries.appointment_of(counter.file).slot == second  # type: ignore[union-attr]
    home.post(f"{address}annuler/")
    assert queries.appointment_of(counter.file) is None


def test_a_commune_does_not_book_for_another(counter: Counter, town: Any, syndicat: Any) -> None:
    connection.set_schema_to_public()
    counter.bring_to(FileState.PIECES_CHECKED)
    soon = timezone.localdate() + timedelta(days=3)
    slot = offered(counter, day=soon, at=timezone.now())[0]
    stranger = open_counter(town.organisation, syndicat, first_name="Zoé", last_name="Autre")
    away = in_town(town, stranger.holder)
    assert (
        away.post(f"{PORTAL}{counter.file.pk}/rendez-vous/", {"slot": slot.pk}).status_code == 404
    )
    assert not Appointment.objects.exists()


def test_the_agenda_is_opened_and_read_by_the_counter(
    counter: Counter, django_assert_max_num_queries: Any
) -> None:
    desk = on_portal(counter.officer)
    given = {
        "kind": "room",
        "officer": counter.officer.pk,
        "place": "Guichet",
        "day": (timezone.localdate() + timedelta(days=2)).isoformat(),
        "first": "09:00",
        "last": "12:00",
        "minutes": 20,
    }
    assert desk.post(f"{PORTAL}agenda/ouvrir/", given).status_code == 302
    with django_assert_max_num_queries(12):
        shown = desk.get(f"{PORTAL}agenda/").content.decode()
    assert shown.count("Libre") == 9
    counter.bring_to(FileState.PIECES_CHECKED)
    address = f"{PORTAL}{counter.file.pk}/"
    desk.post(f"{address}rendez-vous/", {"slot": Slot.objects.first().pk})  # type: ignore[union-attr]
    assert "Hélène Épinay" in desk.get(f"{PORTAL}agenda/").content.decode()
    assert "Déplacer" in desk.get(address).content.decode()


def test_a_colleague_has_her_own_hours(counter: Counter) -> None:
    offered(counter)
    assert offered(counter, officer=colleague())
