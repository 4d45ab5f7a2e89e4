"""From the deposit to the acquit, through a real exercise operator on a real socket."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from socle.accounts.models import Person
from socle.delivery import actions as delivery
from socle.delivery.models import Inbound, InboundState, TransmissionOperator
from socle.exercise.server import ExerciseServer
from socle.helios import actions, queries
from socle.helios.models import FlowState, PesFlow
from socle.journal.models import Entry
from tests.exercise.client import Client
from tests.helios.conftest import melle, upload
from tests.helios.protocol import builders as pes
from tests.people import Browser

TOKEN = "exercise"
Deposit = Callable[..., PesFlow]
Travel = Callable[[PesFlow], PesFlow]


@pytest.fixture(autouse=True)
def operator(tmp_path: Path, settings: Any) -> Iterator[Client]:
    """The exercise operator, and what it counted itself."""
    accounts = {TOKEN: "socle"}
    with ExerciseServer(state=tmp_path / "exercise", accounts=accounts, delay=0) as running:
        settings.EXERCISE_URL, settings.EXERCISE_TOKEN = running.url, TOKEN
        yield Client(running.url, TOKEN)


def go_and_come_back(operator: Client) -> None:
    """Send what is due, wait for the answer, collect it."""
    assert delivery.send_due() == 1
    operator.wait_for_returns(1)
    assert delivery.collect(TransmissionOperator.objects.get()) == 1


@pytest.fixture
def travel(agent: Person, operator: Client) -> Travel:
    """Transmit a flow and bring its acquit back."""

    def make(flow: PesFlow) -> PesFlow:
        actions.transmit(flow_id=flow.pk, by=agent, at=timezone.now())
        go_and_come_back(operator)
        flow.refresh_from_db()
        return flow

    return make


def test_a_flow_goes_to_the_tresorerie_and_comes_back_accepted(
    flow: PesFlow, travel: Travel
) -> None:
    travel(flow)

    assert flow.state == FlowState.ACCEPTED
    assert flow.sent_at is not None
    assert flow.bordereaux.get().accepted is True
    assert queries.has_acknowledged()
    assert Inbound.objects.get().state == InboundState.MATCHED
    story = Entry.objects.filter(event__startswith="helios.").order_by("position")
    assert [entry.event for entry in story] == [
        "helios.deposited",
        "helios.transmitted",
        "helios.sent",
        "helios.acquit_received",
    ]


def test_a_flow_refused_by_the_tresorerie_says_where(deposit: Deposit, travel: Travel) -> None:
    refused = pes.bordereau(pes.mandat().replace("FOURNITURES", "[anomalie]"))
    flow = travel(deposit(melle(pes.depense(refused))))

    assert flow.state == FlowState.REFUSED
    (anomaly,) = queries.anomalies(flow.acquits.get())
    assert anomaly.place == "Bordereau de dépense n° 7 de l’exercice 2026, mandat 1"
    assert "EXERCICE" in anomaly.reason


def test_a_flow_is_accepted_in_part(deposit: Deposit, travel: Travel) -> None:
    wrong = pes.mandat(number=2).replace("FOURNITURES", "[anomalie ligne]")
    blocks = pes.depense(pes.bordereau(), pes.bordereau(wrong, number="8"))
    flow = travel(deposit(melle(blocks)))

    assert flow.state == FlowState.PARTIAL
    assert [one.accepted for one in flow.bordereaux.all()] == [True, False]
    (anomaly,) = queries.anomalies(flow.acquits.get())
    assert anomaly.place.endswith("n° 8 de l’exercice 2026, mandat 2, ligne 1")


def test_a_refused_flow_corrected_and_sent_again_is_accepted(
    deposit: Deposit, travel: Travel
) -> None:
    refused = pes.bordereau(pes.mandat().replace("FOURNITURES", "[anomalie]"))
    travel(deposit(melle(pes.depense(refused))))
    corrected = travel(deposit(melle(nom_fic="PES-2026-002")))
    assert corrected.state == FlowState.ACCEPTED


def test_collecting_twice_changes_nothing(flow: PesFlow, travel: Travel) -> None:
    travel(flow)
    assert delivery.collect(TransmissionOperator.objects.get()) == 0
    assert flow.acquits.count() == 1


def test_an_acquit_of_another_tool_waits_on_the_desk(flow: PesFlow, travel: Travel) -> None:
    travel(flow)
    inbound = Inbound.objects.get()
    PesFlow.objects.update(nom_fic="AUTRE")
    Inbound.objects.update(state=InboundState.UNMATCHED)
    seen = delivery.understand(inbound_id=inbound.pk)
    assert seen.state == InboundState.UNMATCHED
    assert "que la commune n’a pas transmis" in seen.message


def test_the_whole_way_in_the_browser(browser: Browser, operator: Client) -> None:
    browser.post("/helios/deposer/", {"files": [upload(melle())]})
    flow = PesFlow.objects.get()
    browser.post(f"/helios/{flow.pk}/transmettre/")
    go_and_come_back(operator)
    page = browser.get(f"/helios/{flow.pk}/").content.decode()
    assert "Accepté par la trésorerie" in page
    assert "remis à l’opérateur Opérateur d’exercice" in page
