"""The directory as an officer uses it."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.directory import actions, policies
from socle.directory.models import Grant, Membership, Organisation, Protocol, TransmissionRight
from socle.journal.models import Entry
from tests.people import Browser, on_portal, person
from tests.world import MELLOIS


@pytest.fixture
def officer(portal: Any, syndicat: Organisation) -> Browser:
    return on_portal(person(Role.OFFICER, at=syndicat))


@pytest.fixture
def melle(portal: Any) -> Organisation:
    return Organisation.objects.get(insee="79174")


@pytest.mark.parametrize("text", ["Melle", "melle", "200 081 511", "79174"])
def test_a_commune_is_found_by_what_people_type(officer: Browser, text: str) -> None:
    page = officer.get("/annuaire/", {"q": text}).content.decode()
    assert "/annuaire/200081511/" in page


def test_a_former_commune_is_found_under_its_successor(officer: Browser) -> None:
    page = officer.get("/annuaire/", {"q": "Saint-Martin-lès-Melle"}).content.decode()
    assert "/annuaire/200081511/" in page


def test_an_empty_search_says_so_and_offers_france(officer: Browser) -> None:
    page = officer.get("/annuaire/", {"q": "Zzz"}).content.decode()
    assert "Aucune organisation ne répond" in page
    assert "tous=on" in page


def test_the_list_asks_for_few_queries(
    officer: Browser, django_assert_max_num_queries: Any
) -> None:
    officer.get("/annuaire/")
    with django_assert_max_num_queries(12):
        officer.get("/annuaire/")


def test_the_members_of_an_epci_join_in_one_action(officer: Browser, noon: datetime) -> None:
    Membership.objects.all().delete()
    answer = officer.post(f"/annuaire/{MELLOIS}/membres/", follow=True)
    assert "58 communes" in answer.content.decode()
    assert Membership.objects.count() == 58
    assert Entry.objects.get(event="directory.members_joined").detail["epci"] == MELLOIS
    again = officer.post(f"/annuaire/{MELLOIS}/membres/", follow=True)
    assert "0 communes" in again.content.decode()


def test_a_siret_of_another_body_is_refused(officer: Browser, melle: Organisation) -> None:
    answer = officer.post(f"/annuaire/{melle.siren}/modifier/", {"siret": "25790233800017"})
    assert "commencer par le SIREN 200081511" in answer.content.decode()
    melle.refresh_from_db()
    assert melle.siret == ""


def test_a_malformed_siret_is_refused(officer: Browser, melle: Organisation) -> None:
    answer = officer.post(f"/annuaire/{melle.siren}/modifier/", {"siret": "20008151100018"})
    assert answer.status_code == 200
    assert "SIRET" in answer.content.decode()


def test_a_new_agent_gets_a_first_password_shown_once(
    officer: Browser, melle: Organisation
) -> None:
    answer = officer.post(
        f"/annuaire/{melle.siren}/habilitations/",
        {
            "email": "Claire.Martin@melle.fr",
            "first_name": "Claire",
            "last_name": "Martin",
            "roles": [Role.TRANSMITTER.value],
        },
    )
    assert "Remettez ce mot de passe" in answer.content.decode()
    who = Person.objects.get(email="claire.martin@melle.fr")
    assert Grant.objects.get(person=who).organisation == melle
    assert not Entry.objects.filter(detail__icontains="password").exists()


def test_a_commune_cannot_give_syndicat_roles(officer: Browser, melle: Organisation) -> None:
    answer = officer.post(
        f"/annuaire/{melle.siren}/habilitations/",
        {"email": "x@y.fr", "first_name": "X", "last_name": "Y", "roles": [Role.AUDITOR.value]},
    )
    assert answer.status_code == 200
    assert not Person.objects.filter(email="x@y.fr").exists()


def test_a_reader_of_the_directory_does_not_change_it(
    portal: Any, syndicat: Organisation, melle: Organisation
) -> None:
    auditor = on_portal(person(Role.AUDITOR, at=syndicat))
    assert auditor.get(f"/annuaire/{melle.siren}/").status_code == 200
    assert auditor.get(f"/annuaire/{melle.siren}/modifier/").status_code == 403


# Rights


def _right(**changes: Any) -> TransmissionRight:
    facts = {
        "reference": "Convention du 2 mars 2026",
        "natures": ["1", "2"],
        "starts_on": date(2026, 3, 2),
        **changes,
    }
    return TransmissionRight(**facts)


def test_the_convention_decides() -> None:
    policies.check_right(_right(), what="un acte", on=date(2026, 3, 2), nature="1")


@pytest.mark.parametrize(
    ("right", "on", "nature", "refusal", "words"),
    [
        (None, date(2026, 4, 1), "1", policies.NoRight, "n’est pas signée"),
        (_right(), date(2026, 3, 1), "1", policies.RightNotStarted, "02/03/2026"),
        (_right(), date(2026, 4, 1), "5", policies.OutOfScope, "ne couvre pas"),
        (
            _right(suspended_on=date(2026, 4, 1), suspension_reason="actes illisibles"),
            date(2026, 4, 1),
            "1",
            policies.RightSuspended,
            "actes illisibles",
        ),
    ],
)
def test_outside_the_convention_the_clause_refuses(
    right: TransmissionRight | None, on: date, nature: str, refusal: type[Exception], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        policies.check_right(right, what="un acte", on=on, nature=nature)


def test_a_suspended_right_can_be_resumed(melle: Organisation, noon: datetime) -> None:
    right = actions.open_right(
        organisation=melle,
        protocol=Protocol.ACTES,
        operator="exercice",
        reference="Convention",
        starts_on=noon.date(),
        natures=("1",),
        by="tests",
        at=noon,
    )
    actions.suspend_right(right=right, reason="essai", on=noon.date(), by="tests", at=noon)
    with pytest.raises(policies.RightSuspended):
        policies.check_right(right, what="un acte", on=noon.date() + timedelta(1), nature="1")
    actions.resume_right(right=right, by="tests", at=noon)
    policies.check_right(right, what="un acte", on=noon.date(), nature="1")
