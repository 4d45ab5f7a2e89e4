"""When an operator is closed nothing leaves, nothing is lost, and people are told."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from django_tenants.utils import schema_context

from socle.accounts.capabilities import Role
from socle.delivery import actions, windows
from socle.delivery.adapters import OperatorUnavailable, OutcomeUnknown
from socle.delivery.models import Outbound, OutboundState, TransmissionOperator, Window
from socle.exercise.adapter import ExerciseAdapter
from socle.exercise.server import ExerciseServer
from socle.journal.models import Entry
from tests.delivery.conftest import Room
from tests.exercise.client import Client
from tests.people import in_town, on_portal, person


def _operator() -> TransmissionOperator:
    return TransmissionOperator.objects.get()


@pytest.fixture
def officer(syndicat: Any) -> Any:
    return person(Role.OFFICER, at=syndicat)


@pytest.fixture
def declare(officer: Any) -> Any:
    """Declare an unavailability of the exercise operator, by default from an hour ago for two."""

    def declare(*, since: float = -1, until: float = 1, **more: Any) -> Window:
        now = timezone.now()
        return windows.declare(
            operator_id=_operator().pk,
            starts_at=now + timedelta(hours=since),
            ends_at=now + timedelta(hours=until),
            reason=more.pop("reason", "maintenance du ministère"),
            by=officer,
            at=now,
            **more,
        )

    return declare


def _state(outbound: Outbound) -> str:
    outbound.refresh_from_db()
    return outbound.state


def test_E10_without_a_window_everything_leaves(outbound: Outbound) -> None:
    assert actions.send_due() == 1


def test_E11_E15_nothing_leaves_in_a_window_and_all_does_after(
    outbound: Outbound, declare: Any, counters: Client
) -> None:
    declare()
    assert actions.send_due() == 0
    assert (_state(outbound), outbound.attempts) == (OutboundState.DUE, 0)
    assert counters.counters()["deposits"] == 0
    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1)):
        assert actions.send_due() == 1


@pytest.mark.parametrize(
    "window",
    [
        {"since": -3, "until": 0.001},
        {"since": 1, "until": 2},
        {"protocol": "actes"},
    ],
)
def test_E15_a_window_past_to_come_or_of_another_protocol_holds_nothing(
    outbound: Outbound, declare: Any, window: dict[str, Any]
) -> None:
    declare(**window)
    with time_machine.travel(timezone.now() + timedelta(seconds=10)):
        assert actions.send_due() == 1


def test_a_window_lifted_lets_go_at_once(
    outbound: Outbound, declare: Any, officer: Any, django_capture_on_commit_callbacks: Any
) -> None:
    window = declare()
    assert actions.send_due() == 0
    for _ in range(2):
        windows.end(window_id=window.pk, by=officer, at=timezone.now())
    assert actions.send_due() == 1
    assert Entry.objects.filter(event="delivery.window_ended").count() == 1


def test_a_dead_worker_is_not_followed_in_a_window(
    outbound: Outbound, declare: Any, settings: Any, counters: Client
) -> None:
    actions.claim(at=timezone.now())
    declare(until=5)
    with time_machine.travel(timezone.now() + timedelta(seconds=settings.DELIVERY_LEASE + 1)):
        assert actions.send_due() == 0
    assert _state(outbound) == OutboundState.SENDING


def _sent_now(outbound: Outbound, *, size: int, at: Any) -> Outbound:
    """Another file that left at that moment."""
    other = Outbound.objects.get(pk=outbound.pk)
    other.pk, other.name, other.subject_id = None, f"autre-{size}.xml", 1000 + size
    other.size, other.state, other.sent_at = size, OutboundState.SENT, at
    other.save()
    return other


@pytest.mark.parametrize(("left", "goes"), [(0, 0), (1, 1)])
def test_E12_a_file_must_be_lighter_than_what_is_left_of_the_hour(
    outbound: Outbound, declare: Any, left: int, goes: int
) -> None:
    hour = timezone.now().replace(minute=30)
    with time_machine.travel(hour, tick=False):
        declare(hourly_limit=100 + outbound.size + left)
        _sent_now(outbound, size=100, at=hour)
        Outbound.objects.filter(pk=outbound.pk).update(due_at=hour)
        assert actions.send_due() == goes


def test_E13_the_next_hour_goes_on_by_itself(outbound: Outbound, declare: Any) -> None:
    hour = timezone.now().replace(minute=30)
    with time_machine.travel(hour, tick=False):
        declare(hourly_limit=outbound.size + 1, until=3)
        _sent_now(outbound, size=50, at=hour)
        Outbound.objects.filter(pk=outbound.pk).update(due_at=hour)
        assert actions.send_due() == 0
    with time_machine.travel(hour + timedelta(minutes=31), tick=False):
        assert actions.send_due() == 1


def test_E14_a_file_heavier_than_an_hour_stops_nobody_and_leaves_alone(
    outbound: Outbound, declare: Any
) -> None:
    hour = timezone.now().replace(minute=30)
    with time_machine.travel(hour, tick=False):
        declare(hourly_limit=outbound.size + 60, until=3)
        _sent_now(outbound, size=50, at=hour)
        heavy = Outbound.objects.get(pk=outbound.pk)
        heavy.pk, heavy.name, heavy.subject_id = None, "lourd.xml", 77
        heavy.size, heavy.due_at = 10_000_000, hour - timedelta(hours=1)
        heavy.save()
        Outbound.objects.filter(pk=outbound.pk).update(due_at=hour)
        claimed = actions.claim(at=hour)
        assert claimed is not None
        assert claimed.pk == outbound.pk  # the heavy one, older, stops nobody
        Outbound.objects.filter(pk=outbound.pk).update(
            state=OutboundState.SENT, sent_at=hour, lease=None, lease_until=None
        )
        assert actions.claim(at=hour) is None
    with time_machine.travel(hour + timedelta(minutes=31), tick=False):
        claimed = actions.claim(at=timezone.now())
        assert claimed is not None
        assert claimed.pk == heavy.pk


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        ({"since": 2, "until": 1}, "doit suivre"),
        ({"since": -3, "until": -1}, "déjà passée"),
        ({"since": 0, "until": 24 * 40}, "31 jours"),
    ],
)
def test_a_window_that_cannot_be_is_refused(
    room: Room, declare: Any, window: dict[str, float], sentence: str
) -> None:
    with pytest.raises(windows.WrongWindow, match=sentence):
        declare(**window)


def test_two_windows_of_one_operator_do_not_overlap(room: Room, declare: Any) -> None:
    declare(protocol="actes")
    declare(protocol="helios")
    with pytest.raises(windows.WrongWindow, match="déjà déclarée"):
        declare(since=0, until=3)
    declare(since=1.5, until=3)


# People


def test_the_agent_is_told_instead_of_sending_again(
    outbound: Outbound, declare: Any, town: Any
) -> None:
    agent = in_town(town, person(Role.TRANSMITTER, at=town.organisation))
    assert "Envois suspendus" not in agent.get("/helios/").content.decode()
    window = declare(until=2)
    page = agent.get("/helios/").content.decode()
    assert "Envois suspendus jusqu’au" in page
    assert "partira de lui-même" in page
    assert "maintenance du ministère" in page
    Window.objects.filter(pk=window.pk).update(protocol="actes")
    assert "Envois suspendus" not in agent.get("/helios/").content.decode()


def test_the_agent_is_told_the_day_before(room: Room, declare: Any, town: Any) -> None:
    agent = in_town(town, person(Role.TRANSMITTER, at=town.organisation))
    declare(since=5, until=9)
    assert "Interruption prévue du" in agent.get("/helios/").content.decode()
    Window.objects.update(
        starts_at=timezone.now() + timedelta(hours=30), ends_at=timezone.now() + timedelta(days=3)
    )
    assert "Interruption prévue" not in agent.get("/helios/").content.decode()


def test_a_slower_pace_is_told(room: Room, declare: Any, town: Any) -> None:
    agent = in_town(town, person(Role.TRANSMITTER, at=town.organisation))
    declare(hourly_limit=5)
    assert "Envois ralentis" in agent.get("/helios/").content.decode()


def test_the_officer_declares_and_lifts_a_window(room: Room, officer: Any) -> None:
    browser = on_portal(officer)
    assert "Aucune interruption" in browser.get("/envois/operateurs/").content.decode()
    local = timezone.localtime(timezone.now())
    given = {
        "operator": _operator().pk,
        "protocol": "actes",
        "starts_at": f"{local:%Y-%m-%dT%H:%M}",
        "ends_at": f"{local + timedelta(hours=4):%Y-%m-%dT%H:%M}",
        "reason": "Bascule des serveurs",
        "hourly_limit": "",
    }
    page = browser.post("/envois/operateurs/interruption/", given, follow=True).content.decode()
    assert "Bascule des serveurs" in page
    assert "En cours" in page
    again = browser.post("/envois/operateurs/interruption/", given)
    assert "déjà déclarée" in again.content.decode()
    window = Window.objects.get()
    with schema_context("public"):
        told = Entry.objects.get(event="delivery.window_declared").sentence
    assert told == "Interruption d’Opérateur d’exercice déclarée (Bascule des serveurs)"
    lifted = browser.post(
        f"/envois/operateurs/interruption/{window.pk}/lever/", follow=True
    ).content.decode()
    assert "Interruptions passées" in lifted


def test_an_auditor_sees_operators_and_declares_nothing(room: Room, syndicat: Any) -> None:
    auditor = on_portal(person(Role.AUDITOR, at=syndicat))
    page = auditor.get("/envois/operateurs/").content.decode()
    assert "Déclarer une interruption" not in page
    assert auditor.get("/envois/operateurs/interruption/").status_code == 403


# An operator that does not answer


def test_an_operator_silent_for_ten_minutes_is_told_and_comes_back(
    outbound: Outbound, server: ExerciseServer, counters: Client, town: Any
) -> None:
    agent = in_town(town, person(Role.TRANSMITTER, at=town.organisation))
    counters.break_down("500")
    actions.send_due()
    assert _operator().unsent_since is not None
    assert "ne répond plus" not in agent.get("/helios/").content.decode()
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        page = agent.get("/helios/").content.decode()
        assert "ne répond plus depuis le" in page
        assert "N’envoyez rien une seconde fois" in page
        counters.break_down("ok")
        assert actions.send_due() == 1
        assert "ne répond plus" not in agent.get("/helios/").content.decode()
    assert Entry.objects.filter(event="delivery.operator_back").count() == 1


def test_what_waited_for_a_silent_operator_leaves_when_it_answers(
    outbound: Outbound, counters: Client
) -> None:
    counters.break_down("500")
    actions.send_due()
    waiting = Outbound.objects.get(pk=outbound.pk)
    waiting.pk, waiting.name, waiting.subject_id = None, "autre.xml", 99
    waiting.attempts, waiting.due_at = 9, timezone.now() + timedelta(minutes=50)
    waiting.save()
    counters.break_down("ok")
    with time_machine.travel(timezone.now() + timedelta(seconds=30)):
        assert actions.send_due() == 2


def test_returns_that_are_late_are_told(outbound: Outbound, counters: Client, town: Any) -> None:
    agent = in_town(town, person(Role.TRANSMITTER, at=town.organisation))
    counters.break_down("html-200")
    with pytest.raises(OperatorUnavailable):
        actions.collect(_operator())
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert "tardent depuis le" in agent.get("/helios/").content.decode()
        counters.break_down("ok")
        actions.collect(_operator())
        assert "tardent" not in agent.get("/helios/").content.decode()


@pytest.mark.parametrize(
    "problem",
    [OperatorUnavailable("certificat expiré", is_whole=False), OutcomeUnknown("réponse attendue")],
)
def test_the_trouble_of_one_account_is_not_that_of_the_operator(
    outbound: Outbound, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def send(self: Any, **_: Any) -> None:
        raise problem

    monkeypatch.setattr(ExerciseAdapter, "send", send)
    assert actions.send_due() == 0
    assert _operator().unsent_since is None


def test_nothing_that_waits_leaves_no_silence_behind(outbound: Outbound, counters: Client) -> None:
    counters.break_down("500")
    actions.send_due()
    counters.break_down("ok")
    Outbound.objects.update(state=OutboundState.HELD)
    actions.collect(_operator())
    assert _operator().unsent_since is None
