"""The portal: who may do what, what is shown, in how many questions."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from socle.accounts.capabilities import Role
from tenants.life import actions, policies, queries
from tenants.life.models import Archive, ArchiveState, Destruction, Space, SpaceState
from tests.people import in_town, on_portal, person


@pytest.fixture
def administrator(portal: Any, syndicat: Any) -> Any:
    return person(Role.ADMINISTRATOR, at=syndicat)


@pytest.fixture
def officer(portal: Any, syndicat: Any) -> Any:
    return person(Role.OFFICER, at=syndicat)


def _suspend(tenant: Any, who: Any) -> Space:
    return actions.suspend(
        organisation=tenant.organisation, reason="Retrait", by=who, at=timezone.now()
    )


def _address(tenant: Any, rest: str = "") -> str:
    return f"/espaces/{tenant.organisation.siren}/{rest}"


def test_the_list_filters_by_name_and_state(
    administrator: Any, neighbour: Any, django_assert_max_num_queries: Any
) -> None:
    _suspend(neighbour, administrator)
    browser = on_portal(administrator)
    with django_assert_max_num_queries(14):
        page = browser.get("/espaces/").content.decode()
    assert "Celles-sur-Belle" in page
    assert "Melle" in page
    assert "Suspendu" in page
    assert "Celles-sur-Belle" not in browser.get("/espaces/?etat=open").content.decode()
    only = browser.get("/espaces/?etat=suspended").content.decode()
    assert "Celles-sur-Belle" in only
    assert ">Melle<" not in only
    assert "Aucun espace" in browser.get("/espaces/?etat=destroyed").content.decode()
    assert "Celles-sur-Belle" in browser.get("/espaces/?q=celles").content.decode()


def test_one_space_costs_few_questions(
    administrator: Any, neighbour: Any, django_assert_max_num_queries: Any
) -> None:
    _suspend(neighbour, administrator)
    browser = on_portal(administrator)
    with django_assert_max_num_queries(16):
        page = browser.get(_address(neighbour)).content.decode()
    assert "Rouvrir l’espace" in page
    assert "Demander la destruction" in page
    assert "Espace suspendu : Retrait" in page


def test_the_page_of_the_commune_leads_there(administrator: Any, neighbour: Any) -> None:
    browser, siren = on_portal(administrator), neighbour.organisation.siren
    assert _address(neighbour) in browser.get(f"/annuaire/{siren}/").content.decode()
    _suspend(neighbour, administrator)
    assert "Espace suspendu" in browser.get(f"/annuaire/{siren}/").content.decode()


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.ADMINISTRATOR, {"", "suspendre/", "archiver/", "detruire/"}),
        (Role.OFFICER, {"", "suspendre/"}),
        (Role.AUDITOR, {""}),
        (Role.TRAINER, set()),
    ],
)
def test_each_role_opens_its_own_doors(
    syndicat: Any, neighbour: Any, role: Role, allowed: set[str]
) -> None:
    browser = on_portal(person(role, at=syndicat))
    for rest in ("", "suspendre/", "archiver/", "detruire/"):
        expected = 200 if rest in allowed else 403
        assert browser.get(_address(neighbour, rest)).status_code == expected, rest


def test_it_is_not_on_the_host_of_a_commune(neighbour: Any, portal: Any) -> None:
    agent = in_town(neighbour, person(Role.TRANSMITTER, at=neighbour.organisation))
    assert agent.get("/espaces/").status_code == 404


def test_the_passphrase_is_shown_once_and_kept_nowhere(administrator: Any, neighbour: Any) -> None:
    browser = on_portal(administrator)
    answer = browser.post(_address(neighbour, "archiver/"), {"reason": "Copie annuelle"})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    passphrase = answer.content.decode().split("<code>")[1].split("</code>")[0]
    assert len(passphrase) == 39
    archive = Archive.objects.get()
    assert passphrase.encode() not in bytes(archive.preamble) + bytes(archive.sealed_secret)
    page = browser.get(_address(neighbour)).content.decode()
    assert passphrase not in page
    assert "Demandée" in page
    again = browser.post(_address(neighbour, "archiver/"), {"reason": "Encore"})
    assert "déjà en préparation" in again.content.decode()
    assert browser.post(f"/espaces/archives/{archive.pk}/").status_code == 302


def test_two_people_are_led_through_the_destruction(
    administrator: Any, officer: Any, neighbour: Any
) -> None:
    _suspend(neighbour, administrator)
    first, second = on_portal(administrator), on_portal(officer)
    facts = {"reason": "Retrait", "visa": "AD79, n° 12", "wait_days": 30, "waiver": ""}
    refused = first.post(_address(neighbour, "detruire/"), facts)
    assert "Aucune archive" in refused.content.decode()
    assert first.post(_address(neighbour, "detruire/"), facts | {"waiver": "Courrier"}).url
    destruction = Destruction.objects.get()
    assert "votre confirmation" not in first.get("/").content.decode()
    assert "votre confirmation" in second.get("/").content.decode()

    address = f"/espaces/destructions/{destruction.pk}/"
    assert first.post(address + "confirmer/").status_code == 302
    assert "une autre personne" in first.get(_address(neighbour)).content.decode()
    assert "Courrier" in second.get(address + "confirmer/").content.decode()
    assert second.post(address + "confirmer/").status_code == 302
    destruction.refresh_from_db()
    assert destruction.confirmed_by == officer
    assert second.get(address + "certificat/").status_code == 404
    assert first.get(address + "annuler/").status_code == 200
    assert first.post(address + "annuler/", {"reason": "Elle reste"}).status_code == 302
    page = first.get(_address(neighbour)).content.decode()
    assert "Rouvrir l’espace" in page
    assert "annulée : Elle reste" in page


def test_an_archive_nobody_took_waits_on_the_home_page(administrator: Any, neighbour: Any) -> None:
    asked = actions.ask_archive(
        organisation=neighbour.organisation, reason="Copie", by=administrator, at=timezone.now()
    ).archive
    Archive.objects.filter(pk=asked.pk).update(
        state=ArchiveState.READY,
        sealed_secret=b"",
        storage_key="paquets/x",
        manifest_sha256="0" * 64,
        finished_at=timezone.now(),
    )
    assert "à télécharger" in on_portal(administrator).get("/").content.decode()


def test_rules_are_pure() -> None:
    now = timezone.now()
    assert policies.is_lost(None, at=now)
    assert policies.is_lost(now - timedelta(seconds=1), at=now)
    assert not policies.is_lost(now, at=now)
    for state in SpaceState:
        allowed = policies.TRANSITIONS[state]
        for to in SpaceState:
            if to in allowed:
                policies.check_space(state, to)
            else:
                with pytest.raises(policies.ForbiddenChange):
                    policies.check_space(state, to)
    assert queries.TONES.keys() == set(SpaceState)
