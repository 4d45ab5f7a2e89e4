"""The whole road of a commune, and what it leaves behind."""

from datetime import date, timedelta
from typing import Any

from django_tenants.utils import schema_context

from socle.directory import queries as directory
from socle.directory.models import Protocol
from socle.documents.models import StoredFile
from socle.journal.models import Entry
from tenants.onboarding.actions import helios
from tenants.onboarding.models import CaseState, ConventionState, OnboardingCase
from tests.onboarding.journey import Journey


def events(schema: str) -> list[str]:
    with schema_context(schema):
        return list(Entry.objects.order_by("position").values_list("event", flat=True))


def test_a_new_case_waits_for_the_membership_and_grants_nothing(journey: Journey) -> None:
    states = journey.states()

    assert states["A0"] == "done"
    assert states["A1"] == "current"
    assert states["A2"] == "todo"
    assert directory.right(journey.organisation.pk, Protocol.ACTES) is None


def test_a_convention_signed_by_both_opens_the_right(journey: Journey) -> None:
    journey.to_convention()

    right = directory.right(journey.organisation.pk, Protocol.ACTES)
    assert right is not None
    assert right.operator == "exercice"
    assert right.natures == ["1", "2", "3", "4", "6"]
    assert right.starts_on == journey.starts
    assert right.reference == f"convention @CTES du {journey.by_prefet:%d/%m/%Y}"


def test_the_signature_of_the_prefet_alone_opens_nothing(journey: Journey) -> None:
    journey.to_prefecture().sign_prefet()

    assert directory.right(journey.organisation.pk, Protocol.ACTES) is None
    assert journey.case.state == CaseState.AWAITING_STATE


def test_the_convention_is_in_force_once_the_operator_has_its_copy(journey: Journey) -> None:
    journey.to_active()

    assert journey.case.convention.state == ConventionState.ACTIVE
    assert journey.case.state == CaseState.READY


def test_the_state_of_the_case_follows_the_papers(journey: Journey) -> None:
    seen = [journey.case.state]
    for walk in (journey.to_operator, journey.to_prefecture):
        walk()
        seen.append(journey.case.state)

    assert seen == [CaseState.IN_PROGRESS, CaseState.IN_PROGRESS, CaseState.AWAITING_STATE]


def test_everything_is_told_in_the_journal_of_the_commune(journey: Journey) -> None:
    journey.to_convention()

    told = events(journey.organisation.tenant.schema_name)
    for event in (
        "onboarding.opened",
        "onboarding.operator_chosen",
        "onboarding.deliberation_signed",
        "onboarding.deliberation_transmitted",
        "onboarding.contract_countersigned",
        "onboarding.convention_signed",
        "onboarding.convention_sent",
        "onboarding.convention_complete",
    ):
        assert told.count(event) == 1, event


def test_the_papers_lie_in_the_public_schema(journey: Journey) -> None:
    journey.to_convention()

    case = journey.case
    ids = [
        case.deliberation.generated_pdf,
        case.deliberation.generated_odt,
        case.deliberation.signed_copy,
        case.route.signed_copy,
        case.convention.generated_pdf,
        case.convention.letter,
        case.convention.signed_copy,
    ]
    assert StoredFile.objects.filter(pk__in=ids).count() == len(ids)


def test_the_form_received_by_the_accountant_opens_the_right_to_helios(journey: Journey) -> None:
    journey.to_helios_form().sign_helios()
    helios.receive(on=journey.by_prefet, name="SGC", starts_on=journey.starts, **journey.who)

    right = directory.right(journey.organisation.pk, Protocol.HELIOS)
    assert right is not None
    assert right.operator == "exercice"
    assert right.reference == f"adhésion au PES du {journey.signed:%d/%m/%Y}"
    assert journey.states()["H3"] == "done"


def test_the_helios_room_of_the_commune_knows_the_budget(journey: Journey) -> None:
    from socle.helios.models import Budget

    journey.to_helios_form().sign_helios()
    helios.receive(on=journey.by_prefet, name="SGC", starts_on=journey.starts, **journey.who)

    with schema_context(journey.organisation.tenant.schema_name):
        assert list(Budget.objects.values_list("cod_col", "id_post")) == [("123", "079017")]


def test_a_case_is_refreshed_by_what_other_rooms_know(journey: Journey, monkeypatch: Any) -> None:
    from tenants.onboarding import facts
    from tenants.onboarding.actions import cases

    journey.to_active()
    monkeypatch.setattr(facts.registration, "has_valid_certificate", lambda *_: True)
    monkeypatch.setattr(facts.training, "is_trained", lambda *_: True)
    monkeypatch.setattr(facts.actes, "has_acknowledged", lambda: True)
    cases.refresh(**journey.who)

    states = journey.states()
    assert states["C4"] == states["F2"] == "done"
    assert journey.case.state == CaseState.LIVE


def test_the_case_is_no_longer_live_when_the_certificate_expires(
    journey: Journey, monkeypatch: Any
) -> None:
    from tenants.onboarding import facts
    from tenants.onboarding.actions import cases

    journey.to_active()
    monkeypatch.setattr(facts.training, "is_trained", lambda *_: True)
    monkeypatch.setattr(facts.actes, "has_acknowledged", lambda: True)
    for valid, state in ((True, CaseState.LIVE), (False, CaseState.READY)):
        monkeypatch.setattr(facts.registration, "has_valid_certificate", lambda *_, v=valid: v)
        assert cases.refresh(**journey.who).state == state


def test_steps_without_object_are_left_out(journey: Journey) -> None:
    journey.to_prepared()

    states = journey.states()
    assert states["B1"] == states["B2"] == "skipped"  # no budget document in the convention
    assert states["P1"] == "skipped"  # Melle has more than 3 500 inhabitants
    assert states["Z"] == "skipped"


def test_a_step_whose_turn_comes_is_due_some_days_later(journey: Journey) -> None:
    assert journey.step("A1").due_on == date(2026, 11, 24) + timedelta(days=7)
    assert journey.step("A2").due_on is None


def test_one_case_at_a_time(journey: Journey) -> None:
    assert OnboardingCase.objects.filter(organisation=journey.organisation).count() == 1
