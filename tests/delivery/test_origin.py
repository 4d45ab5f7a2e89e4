"""A return answers what its own operator carried; what is doubtful waits for a person."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from socle.accounts.capabilities import Role
from socle.delivery import actions, adapters
from socle.delivery.adapters import Return
from socle.delivery.models import (
    Answered,
    Decision,
    Inbound,
    InboundState,
    Outbound,
    TransmissionOperator,
)
from socle.journal.models import Entry
from tests.delivery.conftest import Room
from tests.people import Browser, on_portal, person


@pytest.fixture
def doubtful(outbound: Outbound, room: Room, monkeypatch: pytest.MonkeyPatch) -> Inbound:
    """A return whose origin nothing proves."""
    monkeypatch.setitem(adapters._doubts, "exercise", lambda operator, raw: "Origine inconnue.")
    connection.set_schema_to_public()
    inbound, _ = actions.keep(outbound.operator, Return("1", "helios", "a.xml"), b"<a/>")
    actions.understand(inbound_id=inbound.pk)
    return inbound


@pytest.fixture
def officer(syndicat: Any) -> Browser:
    return on_portal(person(Role.OFFICER, at=syndicat))


def read(inbound: Inbound) -> Inbound:
    return Inbound.objects.get(pk=inbound.pk)


def test_the_database_refuses_an_answer_to_what_another_operator_carried(
    outbound: Outbound, room: Room
) -> None:
    other = TransmissionOperator.objects.create(
        code="autre",
        name="Autre",
        adapter="exercise",
        trigram="AUT",
        company="Autre",
        return_address="retours@tdt.example.fr",
    )
    inbound, _ = actions.keep(other, Return("1", "helios", "a.xml"), b"<a/>")
    with pytest.raises(IntegrityError, match="another operator"), transaction.atomic():
        Answered.objects.create(inbound=inbound, outbound=outbound)
    mine, _ = actions.keep(outbound.operator, Return("1", "helios", "a.xml"), b"<a/>")
    Answered.objects.create(inbound=mine, outbound=outbound)
    assert Answered.objects.get().inbound_id == mine.pk


def test_a_doubtful_return_does_nothing_and_is_on_the_desk(
    doubtful: Inbound, officer: Browser
) -> None:
    assert read(doubtful).state == InboundState.DOUBTFUL
    assert read(doubtful).organisation_id is None
    page = officer.get("/envois/").content.decode()
    assert "Origine inconnue." in page
    assert f"/envois/retour/{doubtful.pk}/confirmer/" in page


def test_reading_again_does_not_confirm(doubtful: Inbound, officer: Browser) -> None:
    officer.post(f"/envois/retour/{doubtful.pk}/relire/")
    assert read(doubtful).state == InboundState.DOUBTFUL


def test_a_person_confirms_and_it_is_done_once(doubtful: Inbound, officer: Browser) -> None:
    for _ in range(2):
        officer.post(f"/envois/retour/{doubtful.pk}/confirmer/")
    assert read(doubtful).state == InboundState.MATCHED
    assert Decision.objects.get().confirmed
    assert Entry.objects.filter(event="delivery.confirmed").count() == 1


def test_a_person_sets_it_aside_for_good(doubtful: Inbound, officer: Browser) -> None:
    officer.post(f"/envois/retour/{doubtful.pk}/ecarter/")
    actions.understand(inbound_id=doubtful.pk)
    assert read(doubtful).state == InboundState.DISMISSED
    assert Entry.objects.filter(event="delivery.dismissed").count() == 1
    officer.post(f"/envois/retour/{doubtful.pk}/confirmer/")
    assert read(doubtful).state == InboundState.DISMISSED


def test_who_may_only_look_decides_nothing(doubtful: Inbound, syndicat: Any) -> None:
    auditor = on_portal(person(Role.AUDITOR, at=syndicat))
    assert auditor.post(f"/envois/retour/{doubtful.pk}/confirmer/").status_code == 403
    assert read(doubtful).state == InboundState.DOUBTFUL
