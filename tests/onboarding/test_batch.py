"""Cases for all members of an EPCI: once each, whatever happens to the worker."""

from datetime import datetime
from typing import Any

import pytest

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.directory.models import Organisation
from tenants.models import Tenant
from tenants.onboarding import queries, tasks
from tenants.onboarding.actions import cases
from tenants.onboarding.models import CaseBatch, CaseState, OnboardingCase, RowState
from tests.onboarding.journey import Journey
from tests.people import on_portal, person

WANTED = ("79148", "79061", "79174")


@pytest.fixture
def epci(portal: Any) -> Organisation:
    """The Mellois, of which three communes belong to the syndicat in these tests."""
    found = Organisation.objects.get(siren="200069755")
    found.communes.exclude(insee__in=WANTED).update(epci=None)
    return found


@pytest.fixture
def officer(syndicat: Any) -> Person:
    return person(Role.OFFICER, at=syndicat)


@pytest.fixture
def batch(epci: Organisation, officer: Person, noon: datetime) -> CaseBatch:
    return cases.ask_for_cases(epci=epci, by=officer, at=noon)


def test_a_batch_opens_one_case_for_each_member(batch: CaseBatch) -> None:
    assert tasks.open_cases(schema="public", batch_id=batch.pk) == 3

    assert OnboardingCase.objects.count() == 3
    assert queries.batch_progress(batch) == (3, 3)
    assert Tenant.objects.filter(organisation__insee="79148").exists()


def test_a_batch_delivered_twice_opens_each_case_once(batch: CaseBatch) -> None:
    for _ in range(2):
        tasks.open_cases(schema="public", batch_id=batch.pk)

    assert OnboardingCase.objects.count() == 3


def test_a_batch_stopped_half_way_goes_on(
    batch: CaseBatch, noon: datetime, monkeypatch: Any
) -> None:
    real = cases.open_case

    def dies(*, organisation: Organisation, **others: Any) -> Any:
        if organisation.insee == "79148":
            raise SystemExit
        return real(organisation=organisation, **others)

    monkeypatch.setattr(cases, "open_case", dies)
    with pytest.raises(SystemExit):
        tasks.open_cases(schema="public", batch_id=batch.pk)
    assert 0 < OnboardingCase.objects.count() < 3
    monkeypatch.setattr(cases, "open_case", real)
    tasks.refresh_cases()

    assert queries.batch_progress(batch) == (3, 3)
    assert OnboardingCase.objects.count() == 3


@pytest.mark.parametrize("fault", [ValueError("\0"), MemoryError(), KeyError("x")])
def test_a_case_that_raises_anything_does_not_stop_the_others(
    batch: CaseBatch, noon: datetime, monkeypatch: Any, fault: Exception
) -> None:
    real = cases.open_case

    def raises(*, organisation: Organisation, **others: Any) -> Any:
        if organisation.insee == "79148":
            raise fault
        return real(organisation=organisation, **others)

    monkeypatch.setattr(cases, "open_case", raises)
    assert tasks.open_cases(schema="public", batch_id=batch.pk) == 3
    row = batch.rows.get(organisation__insee="79148")
    assert row.state == RowState.REFUSED
    assert row.message
    assert OnboardingCase.objects.count() == 2


def test_asking_again_while_it_works_gives_the_same_batch(
    batch: CaseBatch, epci: Organisation, officer: Person, noon: datetime
) -> None:
    assert cases.ask_for_cases(epci=epci, by=officer, at=noon) == batch


def test_an_epci_whose_members_all_have_their_case_is_refused(
    batch: CaseBatch, epci: Organisation, officer: Person, noon: datetime
) -> None:
    tasks.open_cases(schema="public", batch_id=batch.pk)

    with pytest.raises(cases.NobodyToOpen):
        cases.ask_for_cases(epci=epci, by=officer, at=noon)


def test_a_case_opened_meanwhile_is_told_in_its_row(
    batch: CaseBatch, officer: Person, noon: datetime
) -> None:
    commune = Organisation.objects.get(insee="79148")
    cases.open_case(organisation=commune, by=officer, at=noon)
    tasks.open_cases(schema="public", batch_id=batch.pk)

    row = batch.rows.get(organisation=commune)
    assert row.state == RowState.REFUSED
    assert "déjà un dossier" in row.message


def test_the_page_of_a_batch_shows_how_far_it_is(
    batch: CaseBatch, officer: Person, noon: datetime
) -> None:
    browser = on_portal(officer)
    cases.open_next(batch_id=batch.pk, at=noon)
    page = browser.get(f"/raccordements/ouvertures/{batch.pk}/").content.decode()
    assert "1\u00a0commune sur 3" in page
    assert "Actualiser" in page

    tasks.open_cases(schema="public", batch_id=batch.pk)
    page = browser.get(f"/raccordements/ouvertures/{batch.pk}/").content.decode()
    assert "3\u00a0communes sur 3" in page
    assert "Actualiser" not in page


def test_an_officer_asks_for_all_cases_of_an_epci(
    epci: Organisation, officer: Person, django_capture_on_commit_callbacks: Any
) -> None:
    page = on_portal(officer).post("/raccordements/ouvrir/groupement/", {"epci": epci.pk})

    batch = CaseBatch.objects.get()
    assert page.headers["Location"] == f"/raccordements/ouvertures/{batch.pk}/"
    assert batch.rows.count() == 3


def test_the_sweep_brings_every_open_case_in_line(journey: Journey, monkeypatch: Any) -> None:
    from tenants.onboarding import facts

    journey.to_active()
    monkeypatch.setattr(facts.registration, "has_valid_certificate", lambda *_: True)
    monkeypatch.setattr(facts.training, "is_trained", lambda *_: True)
    monkeypatch.setattr(facts.actes, "has_acknowledged", lambda: True)

    assert tasks.refresh_cases() == 1
    assert journey.case.state == CaseState.LIVE
    assert journey.step("C4").done_by is None
