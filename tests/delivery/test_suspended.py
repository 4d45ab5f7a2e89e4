"""A space that stands still: what is queued stays queued, what comes back is kept."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.delivery import actions
from socle.delivery.models import Inbound, InboundState, Outbound, OutboundState
from socle.directory import queries as directory
from tenants.life import actions as life
from tests.delivery.conftest import Room
from tests.exercise.client import Client
from tests.people import person


@pytest.fixture
def administrator(syndicat: Any) -> Any:
    return person(Role.ADMINISTRATOR, at=syndicat)


def _life(change: Any, town: Any, who: Any) -> None:
    connection.set_schema_to_public()
    change(organisation=town.organisation, reason="Essai", by=who, at=timezone.now())
    connection.set_tenant(town)


def test_nothing_leaves_a_suspended_space_until_it_is_resumed(
    outbound: Outbound, room: Room, counters: Client, town: Any, administrator: Any
) -> None:
    _life(life.suspend, town, administrator)
    assert actions.send_due() == 0
    outbound.refresh_from_db()
    assert (outbound.state, outbound.attempts) == (OutboundState.DUE, 0)
    assert counters.counters()["deposits"] == 0

    _life(life.resume, town, administrator)
    assert actions.send_due() == 1
    assert counters.counters()["deposits"] == 1
    assert room.sent == [outbound.subject_id]


def test_what_was_claimed_just_before_goes_back_to_the_queue(
    outbound: Outbound, counters: Client, town: Any, administrator: Any
) -> None:
    taken = actions.claim(at=timezone.now())
    _life(life.suspend, town, administrator)
    assert taken is not None
    assert not actions.send(taken)
    outbound.refresh_from_db()
    assert outbound.state == OutboundState.DUE
    assert counters.counters()["deposits"] == 0


def test_a_lease_that_ran_out_waits_too(outbound: Outbound, town: Any, administrator: Any) -> None:
    now = timezone.now()
    assert actions.claim(at=now) is not None  # and its worker dies
    _life(life.suspend, town, administrator)
    assert actions.claim(at=now + timedelta(hours=1)) is None
    _life(life.resume, town, administrator)
    again = actions.claim(at=now + timedelta(hours=1))
    assert again is not None
    assert again.maybe_received


def test_returns_are_collected_and_kept_meanwhile(
    outbound: Outbound, room: Room, counters: Client, town: Any, administrator: Any
) -> None:
    actions.send_due()
    counters.wait_for_returns(1)
    _life(life.suspend, town, administrator)
    connection.set_schema_to_public()
    assert actions.collect(outbound.operator) == 1
    inbound = Inbound.objects.get()
    assert inbound.state == InboundState.MATCHED
    assert room.received == [inbound.name]


def test_the_others_go_on(outbound: Outbound, neighbour: Any, administrator: Any) -> None:
    connection.set_schema_to_public()
    life.suspend(
        organisation=neighbour.organisation, reason="Essai", by=administrator, at=timezone.now()
    )
    assert directory.is_stopped(neighbour.organisation_id)
    assert actions.send_due() == 1
