"""The accounts on the portal: given, tried, told in words, never shown again."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django_tenants.utils import schema_context

from socle.accounts.capabilities import Role
from socle.delivery.models import TransmissionOperator
from socle.journal.models import Entry
from socle.s2low import queries
from socle.s2low.models import S2lowAccount
from tests.people import Browser, on_portal, person
from tests.s2low.pki import Authority, Pair
from tests.s2low.server import S2lowServer


@pytest.fixture
def officer(syndicat: Any) -> Browser:
    return on_portal(person(Role.OFFICER, at=syndicat))


@pytest.fixture
def given(
    operator: TransmissionOperator, server: S2lowServer, ca: Authority, pair: Pair
) -> dict[str, Any]:
    """What the form sends."""
    return {
        "operator": operator.pk,
        "base_url": server.url,
        "ca": SimpleUploadedFile("ac.pem", ca.pem.encode()),
        "certificate": SimpleUploadedFile("certificat.pem", pair.certificate),
        "key": SimpleUploadedFile("cle.pem", pair.key),
        "certificate_password": "",
        "login": "",
        "password": "",
    }


def _page(siren: str) -> str:
    return f"/envois/s2low/{siren}/"


def test_an_account_is_added_from_the_page_of_the_commune_and_tried(
    officer: Browser, given: dict[str, Any], town: Any
) -> None:
    siren = town.organisation.siren
    assert _page(siren) in officer.get(f"/annuaire/{siren}/").content.decode()
    assert "pas encore de compte S²LOW" in officer.get(_page(siren)).content.decode()
    saved = officer.post(_page(siren), given, follow=True).content.decode()
    assert "Le compte est enregistré" in saved

    account = S2lowAccount.objects.get()
    tried = officer.post(f"/envois/s2low/{account.pk}/essayer/", follow=True).content.decode()
    assert "S²LOW ouvre ce compte : il agit pour « Melle »" in tried
    assert "Ouvert" in officer.get("/envois/s2low/").content.decode()


def test_no_secret_is_shown_again(
    officer: Browser, given: dict[str, Any], town: Any, pair: Pair
) -> None:
    siren = town.organisation.siren
    officer.post(_page(siren), given | {"login": "melle", "password": "tres-secret"})
    page = officer.get(_page(siren)).content.decode()
    assert "tres-secret" not in page
    assert pair.key.decode().splitlines()[1] not in page
    assert "Déjà enregistré" in page
    assert 'value="melle"' in page
    with schema_context("public"):
        assert "tres-secret" not in repr(list(Entry.objects.values()))


def test_saving_an_account_again_keeps_its_secrets(
    officer: Browser, given: dict[str, Any], town: Any
) -> None:
    siren = town.organisation.siren
    officer.post(_page(siren), given | {"login": "melle", "password": "tres-secret"})
    before = S2lowAccount.objects.values().get()
    empty = {"operator": given["operator"], "base_url": before["base_url"], "login": "melle"}
    officer.post(_page(siren), empty)
    assert S2lowAccount.objects.values().get() == before


def test_what_is_wrong_stands_beside_its_field(
    officer: Browser, given: dict[str, Any], town: Any
) -> None:
    wrong = given | {"certificate": SimpleUploadedFile("c.pem", b"nothing")}
    page = officer.post(_page(town.organisation.siren), wrong).content.decode()
    assert "ne s’ouvre pas : vérifiez le fichier" in page
    assert not S2lowAccount.objects.exists()


def test_a_trial_that_fails_says_why_and_stays_on_the_list(
    officer: Browser, account: S2lowAccount, server: S2lowServer
) -> None:
    server.state.accounts.clear()
    page = officer.post(f"/envois/s2low/{account.pk}/essayer/", follow=True).content.decode()
    assert "Le compte S²LOW ne s’ouvre pas" in page
    assert "En difficulté" in officer.get("/envois/s2low/").content.decode()


def test_the_shared_certificate_is_renewed_in_one_place(
    officer: Browser, given: dict[str, Any], town: Any
) -> None:
    shared = {name: value for name, value in given.items() if name not in ("login", "password")}
    page = officer.post("/envois/s2low/partage/s2low/", shared, follow=True).content.decode()
    assert "Syndicat mixte" in page
    own = {"operator": given["operator"], "login": "melle", "password": "secret"}
    officer.post(_page(town.organisation.siren), own)
    assert "Partagé, identifiant « melle »" in officer.get("/envois/s2low/").content.decode()


def test_an_expired_certificate_is_seen_in_the_list(
    officer: Browser, account: S2lowAccount
) -> None:
    S2lowAccount.objects.update(certificate_until=timezone.now() - timedelta(days=1))
    assert "Expiré" in officer.get("/envois/s2low/").content.decode()


def test_an_auditor_sees_the_list_and_no_account(account: S2lowAccount, syndicat: Any) -> None:
    auditor = on_portal(person(Role.AUDITOR, at=syndicat))
    assert "Melle" in auditor.get("/envois/s2low/").content.decode()
    assert auditor.get(_page(account.organisation.siren)).status_code == 403
    assert auditor.post(f"/envois/s2low/{account.pk}/essayer/").status_code == 403


def test_the_list_asks_for_few_queries(
    officer: Browser, account: S2lowAccount, django_assert_max_num_queries: Any
) -> None:
    officer.get("/envois/s2low/")
    with django_assert_max_num_queries(14):
        officer.get("/envois/s2low/")


def test_what_came_back_through_an_account_is_counted(account: S2lowAccount) -> None:
    found = queries.fetched(account)
    assert (found.transactions, found.letters, found.classification) == (0, 0, None)
