"""Two factors, one account, several places; and what keeps strangers out."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from socle.accounts import actions, policies
from socle.accounts.capabilities import Role
from socle.accounts.models import Authenticator, Login, LoginCertificate, Person
from socle.accounts.views import demo_code
from socle.journal.models import Entry
from tests.people import PASSWORD, Browser, in_town, on_portal, person

CODE_PAGE = "/connexion/code/"


def _credentials(who: Person, password: str = PASSWORD) -> dict[str, str]:
    return {"email": who.email, "password": password}


@pytest.fixture
def secretary(portal: Any, town: Any, neighbour: Any) -> Person:
    """Camille, who transmits for Melle and prepares for the neighbour."""
    who = person(Role.TRANSMITTER, at=town.organisation)
    who.grants.create(
        organisation=neighbour.organisation,
        roles=[Role.PREPARER.value],
        starts_on=timezone.now().date(),
    )
    return who


def test_both_factors_open_the_house(secretary: Person, town: Any) -> None:
    browser = in_town(town)
    first = browser.post("/connexion/", _credentials(secretary))
    assert first.url.startswith(CODE_PAGE)
    assert browser.get("/").url.startswith(CODE_PAGE)  # one factor opens nothing

    second = browser.post(CODE_PAGE, {"code": demo_code(secretary)})

    assert second.url == "/"
    assert browser.get("/").status_code == 200
    assert Login.objects.get(person=secretary).factor == "totp"


def test_the_code_of_a_phone_works_once(secretary: Person, town: Any) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        code = demo_code(secretary)
        assert actions.check_second_factor(person=secretary, code=code, at=timezone.now())
        with pytest.raises(policies.WrongCode):
            actions.check_second_factor(person=secretary, code=code, at=timezone.now())


def test_wrong_codes_slow_the_next_ones_down(secretary: Person) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        with pytest.raises(policies.WrongCode):
            actions.check_second_factor(person=secretary, code="000000", at=timezone.now())
        with pytest.raises(policies.WrongCode):  # too soon, even with the right code
            actions.check_second_factor(
                person=secretary, code=demo_code(secretary), at=timezone.now()
            )
        clock.shift(timedelta(seconds=5))
        code = demo_code(secretary)
        assert actions.check_second_factor(person=secretary, code=code, at=timezone.now())


def test_a_recovery_code_replaces_the_phone_once(secretary: Person) -> None:
    codes = actions.renew_recovery_codes(person=secretary)
    assert len(set(codes)) == policies.RECOVERY_CODES
    now = timezone.now()
    assert actions.check_second_factor(person=secretary, code=codes[0], at=now) == "recovery"
    with time_machine.travel(now + timedelta(minutes=5)), pytest.raises(policies.WrongCode):
        actions.check_second_factor(person=secretary, code=codes[0], at=timezone.now())


def test_a_new_person_ties_her_phone_and_sees_her_recovery_codes(town: Any) -> None:
    who = person(Role.TRANSMITTER, at=town.organisation)
    who.authenticators.all().delete()
    browser = in_town(town)
    assert browser.post("/connexion/", _credentials(who)).url.startswith("/connexion/telephone/")
    page = browser.get("/connexion/telephone/")
    assert page.content.count(b"data:image/svg+xml;base64,") == 1

    prepared = who.authenticators.get()
    Authenticator.objects.filter(pk=prepared.pk).update(confirmed=True)
    code = demo_code(who)
    Authenticator.objects.filter(pk=prepared.pk).update(confirmed=False)
    done = browser.post("/connexion/telephone/", {"code": code})

    assert len(re.findall(r"<code>[a-z0-9]{5}-[a-z0-9]{5}</code>", done.content.decode())) == 10
    assert browser.get("/").status_code == 200


def test_many_wrong_passwords_close_the_door_for_a_quarter_of_an_hour(
    secretary: Person, town: Any
) -> None:
    browser = in_town(town)
    for _ in range(policies.WRONG_PASSWORDS_PER_PERSON):
        page = browser.post("/connexion/", _credentials(secretary, "pas le bon"))
        assert "n’est pas le bon" in page.content.decode()
    closed = browser.post("/connexion/", _credentials(secretary))
    assert closed.status_code == 429
    assert "attendez un quart d’heure" in closed.content.decode()
    with time_machine.travel(timezone.now() + policies.WINDOW + timedelta(seconds=1)):
        assert browser.post("/connexion/", _credentials(secretary)).status_code == 302


def test_a_refused_login_stands_in_the_journal(secretary: Person, town: Any) -> None:
    in_town(town).post("/connexion/", _credentials(secretary, "pas le bon"))
    entry = Entry.objects.get(event="refused.login")
    assert entry.outcome == "refused"
    assert "mot de passe" in entry.detail["sentence"]
    assert "pas le bon" not in str(entry.detail).replace("n’est pas le bon", "")


def test_an_inactive_person_does_not_come_in(secretary: Person, town: Any) -> None:
    Person.objects.filter(pk=secretary.pk).update(is_active=False)
    page = in_town(town).post("/connexion/", _credentials(secretary))
    assert "n’est pas le bon" in page.content.decode()


def test_the_switcher_needs_no_new_login(secretary: Person, town: Any, neighbour: Any) -> None:
    browser = in_town(town, secretary)
    home = browser.get("/").content.decode()
    assert "/aller/celles-sur-belle.localhost/" in home

    leave = browser.get("/aller/celles-sur-belle.localhost/")
    assert leave.url.startswith("http://celles-sur-belle.localhost/entrer/?passe=")

    there = Browser("celles-sur-belle.localhost")
    assert there.get(leave.url.removeprefix("http://celles-sur-belle.localhost")).url == "/"
    assert "Celles-sur-Belle" in there.get("/").content.decode()


def test_a_ticket_is_used_once_on_its_host_and_in_time(
    secretary: Person, town: Any, neighbour: Any
) -> None:
    now = timezone.now()
    login = actions.open_login(person=secretary, factor="totp", at=now)
    host = "celles-sur-belle.localhost"

    def ticket() -> str:
        return actions.issue_ticket(login_id=str(login.pk), host=host, at=now)

    used = ticket()
    actions.use_ticket(secret=used, host=host, at=now)
    for secret, where, when in (
        (used, host, now),
        (ticket(), "melle.localhost", now),
        (ticket(), host, now + policies.TICKET_LIFE + timedelta(seconds=1)),
        ("inventé", host, now),
    ):
        with pytest.raises(policies.TicketRefused, match="expiré"):
            actions.use_ticket(secret=secret, host=where, at=when)


def test_a_person_cannot_switch_to_a_place_that_is_not_hers(town: Any, neighbour: Any) -> None:
    browser = in_town(town, person(Role.TRANSMITTER, at=town.organisation))
    assert browser.get("/aller/celles-sur-belle.localhost/").status_code == 404


def test_leaving_one_commune_leaves_all(secretary: Person, town: Any, neighbour: Any) -> None:
    here = in_town(town, secretary)
    leave = here.get("/aller/celles-sur-belle.localhost/")
    there = Browser("celles-sur-belle.localhost")
    there.get(leave.url.removeprefix("http://celles-sur-belle.localhost"))

    here.post("/deconnexion/")

    assert there.get("/").url.startswith("/connexion/")


def test_a_session_of_one_commune_is_nothing_in_another(town: Any, neighbour: Any) -> None:
    browser = in_town(town, person(Role.TRANSMITTER, at=town.organisation))
    assert browser.get("/").status_code == 200
    stranger = in_town(neighbour, person(Role.TRANSMITTER, at=town.organisation))
    assert stranger.get("/actes/").status_code in {403, 404}
    assert stranger.get("/journal/").status_code == 403


def test_a_login_never_redirects_to_another_site(secretary: Person, town: Any) -> None:
    answer = in_town(town).post(
        "/connexion/", {**_credentials(secretary), "suite": "https://ailleurs.example/"}
    )
    assert "ailleurs" not in answer.url


def test_the_secret_of_the_phone_is_not_readable_in_the_database(secretary: Person) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed_key FROM accounts_authenticator")
        assert b"12345678901234567890" not in bytes(cursor.fetchone()[0])


def test_a_withdrawn_certificate_is_out_of_use_at_once(secretary: Person, noon: Any) -> None:
    certificate = actions.register_certificate(
        person=secretary,
        siren="200081511",
        issuer="CN=AC d’exercice",
        serial="0a",
        fingerprint="f" * 64,
        level="training",
        not_before=noon,
        not_after=noon + timedelta(days=365),
    )
    assert certificate.is_usable(noon)
    actions.withdraw_certificate(fingerprint="f" * 64, at=noon)
    assert not LoginCertificate.objects.get().is_usable(noon)


def test_changing_the_password_asks_for_the_old_one(secretary: Person, town: Any) -> None:
    browser = in_town(town, secretary)
    page = browser.post("/compte/", {"current": "non", "new": "une autre longue phrase"})
    assert "Ce n’est pas votre mot de passe actuel" in page.content.decode()
    done = browser.post("/compte/", {"current": PASSWORD, "new": "une autre longue phrase"})
    assert done.status_code == 302
    assert Person.objects.get(pk=secretary.pk).check_password("une autre longue phrase")


def test_a_page_asks_for_few_queries(
    secretary: Person, town: Any, django_assert_max_num_queries: Any
) -> None:
    browser = in_town(town, secretary)
    browser.get("/compte/")
    with django_assert_max_num_queries(14):
        browser.get("/compte/")


def test_the_portal_is_closed_to_a_commune_agent(portal: Any, secretary: Person) -> None:
    browser = on_portal(secretary)
    assert browser.get("/annuaire/").status_code == 403
