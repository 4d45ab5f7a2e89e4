"""The last slot, asked for by several at the same moment over as many connections."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from registration_authority.models import FileState
from registration_authority.slots import actions
from registration_authority.slots.models import Appointment, Slot
from socle.core.refusals import Refusal
from socle.directory import queries as directory
from socle.directory.models import Organisation
from tests.billing.databases import own_database
from tests.registration_authority.counter import NOON, Counter, open_counter
from tests.registration_authority.test_slots import offered

TOWNS = {"200081511": "Zoé", "200083897": "Alix"}


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any, tmp_path: Any) -> Iterator[None]:
    with own_database(django_db_blocker):
        yield


@pytest.fixture
def holders(committed: None) -> list[Counter]:
    """Two persons of two communes, each ready for the face to face."""
    syndicat = directory.syndicat()
    found = []
    for siren, first_name in TOWNS.items():
        town = Organisation.objects.select_related("tenant").get(siren=siren)
        counter = open_counter(town, syndicat, first_name=first_name, last_name="Prête")
        found.append(counter.bring_to(FileState.PIECES_CHECKED))
        connection.set_schema_to_public()
    return found


def at_once(*calls: Any) -> list[Any]:
    """What each call gives, all released at the same moment over connections of their own."""
    ready = Barrier(len(calls))

    def run(call: Any) -> Any:
        connection.set_schema_to_public()
        ready.wait(timeout=10)
        try:
            return call()
        except Refusal as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def booking(counter: Counter, slot: Slot) -> Any:
    return lambda: actions.book(
        file_id=counter.file.pk, slot_id=slot.pk, by=counter.holder, at=NOON
    )


def test_two_who_want_the_same_slot_one_has_it_and_one_is_told(holders: list[Counter]) -> None:
    for slot in offered(holders[0]):
        found = at_once(*(booking(one, slot) for one in holders))
        [refusal] = [one for one in found if isinstance(one, Refusal)]
        assert refusal.code == "ra.slot_taken"
        assert "créneau" in str(refusal)
        [booked] = [one for one in found if isinstance(one, Appointment)]
        assert Appointment.objects.get(slot=slot, cancelled_at=None) == booked
        actions.cancel(file_id=booked.file_id, by=holders[0].officer, at=NOON)


def test_one_person_in_two_windows_has_one_appointment(holders: list[Counter]) -> None:
    first, second, *_ = offered(holders[0])
    found = at_once(booking(holders[0], first), booking(holders[0], second))
    assert all(isinstance(one, Appointment) for one in found)
    assert Appointment.objects.filter(cancelled_at=None).count() == 1
