"""A body changes operator: what leaves from the day on goes through the new one."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.core.clock import legal_date
from socle.delivery import adapters, changes
from socle.delivery.models import Outbound, OutboundState, TransmissionOperator
from socle.directory.models import TransmissionRight
from socle.journal.models import Entry
from tests.delivery.conftest import Room
from tests.people import on_portal, person


@pytest.fixture
def officer(syndicat: Any) -> Any:
    return person(Role.OFFICER, at=syndicat)


@pytest.fixture
def other(room: Room, monkeypatch: pytest.MonkeyPatch) -> TransmissionOperator:
    """A second operator, ready for everybody."""
    monkeypatch.setitem(adapters._obstacles, "exercise", lambda *_: "")
    return TransmissionOperator.objects.create(
        code="nouveau",
        name="Nouvel opérateur",
        adapter="exercise",
        trigram="NOU",
        company="Nouveau",
        return_address="retours@nouveau.example.fr",
        is_exercise=True,
        requires_certificate=False,
    )


def _days(number: int) -> date:
    return legal_date(timezone.now()) + timedelta(days=number)


@pytest.fixture
def plan(town: Any, officer: Any, other: TransmissionOperator) -> Any:
    def plan(*, to: str = "nouveau", on: int = 2) -> TransmissionRight:
        return changes.plan(
            organisation=town.organisation,
            protocol="helios",
            to=to,
            on=_days(on),
            by=officer,
            at=timezone.now(),
        )

    return plan


def test_new_files_go_through_the_new_operator_from_the_day(plan: Any) -> None:
    right = plan()
    assert [right.operator_on(_days(day)) for day in (0, 1, 2, 30)] == [
        "exercice", "exercice", "nouveau", "nouveau",
    ]  # fmt: skip


def test_what_is_under_way_keeps_its_operator(outbound: Outbound, plan: Any) -> None:
    plan(on=1)
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        outbound.refresh_from_db()
        assert outbound.operator.code == "exercice"


def test_a_change_is_told_in_the_journal_of_the_commune(plan: Any, town: Any) -> None:
    plan()
    entry = Entry.objects.get(event="delivery.change_planned")
    assert "passera par Nouvel opérateur" in entry.sentence


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"on": 0}, "demain au plus tôt"),
        ({"to": "exercice"}, "un autre opérateur"),
        ({"to": "inconnu"}, "un autre opérateur"),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    plan: Any, asked: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(changes.CannotChange, match=sentence):
        plan(**asked)


def test_two_changes_do_not_overlap(plan: Any, town: Any, officer: Any) -> None:
    plan()
    with pytest.raises(changes.CannotChange, match="déjà prévu"):
        plan(on=5)
    who = {"organisation": town.organisation, "protocol": "helios", "by": officer}
    changes.give_up(**who, at=timezone.now())
    assert TransmissionRight.objects.get().next_operator == ""
    with pytest.raises(changes.CannotChange, match="rien à annuler"):
        changes.give_up(**who, at=timezone.now())


def test_after_a_change_another_may_be_planned(plan: Any) -> None:
    plan(on=1)
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        right = plan(to="exercice", on=2)
        assert right.operator == "nouveau"
        assert right.operator_on(_days(0)) == "nouveau"
        assert right.operator_on(_days(2)) == "exercice"


def test_a_stuck_file_is_settled_first(outbound: Outbound, plan: Any) -> None:
    Outbound.objects.update(state=OutboundState.HELD)
    with pytest.raises(changes.CannotChange, match="1 envoi attend une décision"):
        plan()


def test_an_operator_that_cannot_serve_the_body_is_refused(
    plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(adapters._obstacles, "exercise", lambda *_: "Il manque le compte.")
    with pytest.raises(changes.CannotChange, match="Il manque le compte"):
        plan()


def test_real_files_never_go_to_an_exercise_operator(
    plan: Any, other: TransmissionOperator
) -> None:
    TransmissionOperator.objects.filter(code="exercice").update(
        is_exercise=False, requires_certificate=True
    )
    with pytest.raises(changes.CannotChange, match="opérateur d’exercice"):
        plan()


def test_an_homologation_that_ends_before_is_refused(
    plan: Any, other: TransmissionOperator
) -> None:
    TransmissionOperator.objects.filter(pk=other.pk).update(
        is_exercise=False, requires_certificate=True, homologated_until=_days(1)
    )
    with pytest.raises(changes.CannotChange, match="L’homologation"):
        plan()


def test_the_database_wants_a_whole_change(plan: Any) -> None:
    for wrong in (
        {"next_operator": "nouveau", "next_from": None},
        {"next_operator": "exercice", "next_from": _days(3)},
    ):
        with pytest.raises(IntegrityError, match="next_operator"), transaction.atomic():
            TransmissionRight.objects.update(**wrong)


def test_the_officer_plans_and_gives_up_a_change(
    other: TransmissionOperator, town: Any, officer: Any
) -> None:
    browser, siren = on_portal(officer), town.organisation.siren
    detail = browser.get(f"/annuaire/{siren}/").content.decode()
    assert f"/envois/operateurs/{siren}/" in detail
    place = f"/envois/operateurs/{siren}/helios/changer/"
    assert "Gardez donc son compte ouvert" in browser.get(place).content.decode()
    wrong = browser.post(place, {"to": "nouveau", "on": f"{_days(0)}"}).content.decode()
    assert "demain au plus tôt" in wrong
    page = browser.post(place, {"to": "nouveau", "on": f"{_days(3)}"}, follow=True)
    assert "Nouvel opérateur à partir du" in page.content.decode()
    given_up = browser.post(f"/envois/operateurs/{siren}/helios/annuler/", follow=True)
    assert "Changement prévu" not in given_up.content.decode()


def test_an_auditor_sees_the_route_and_changes_nothing(
    other: TransmissionOperator, town: Any, syndicat: Any
) -> None:
    auditor, siren = on_portal(person(Role.AUDITOR, at=syndicat)), town.organisation.siren
    page = auditor.get(f"/envois/operateurs/{siren}/").content.decode()
    assert "Opérateur aujourd’hui" in page
    assert "Changer d’opérateur" not in page
    assert auditor.get(f"/envois/operateurs/{siren}/helios/changer/").status_code == 403
