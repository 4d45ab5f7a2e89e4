"""Who opens the door to a software, and what its certificate changes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.accounts.models import CertificateLevel, LoginCertificate, Person, StepUpRule
from socle.actes.models import Act, ActState
from socle.delivery.models import TransmissionOperator
from socle.journal.models import Entry
from tenants.api import actions
from tenants.api.models import SoftwareAccess
from tests.accounts.test_gateway import SECRET, Held, made, said_by_gateway
from tests.actes.conftest import somebody
from tests.api.conftest import Software, basic, lines
from tests.people import in_town


@pytest.fixture
def held(secretary: Person, town: Any, settings: Any) -> Held:
    """The certificate of the secretary, and a gateway that is believed."""
    settings.PROXY_SECRET = SECRET
    card = made("Claire Martin", made("AC"))
    found = card.certificate
    LoginCertificate.objects.create(
        person=secretary,
        siren=town.organisation.siren,
        issuer=found.issuer.rfc4514_string(),
        serial=f"{found.serial_number:x}",
        fingerprint=found.fingerprint(hashes.SHA256()).hex(),
        level=CertificateLevel.RGS2,
        not_before=found.not_valid_before_utc,
        not_after=found.not_valid_after_utc,
    )
    return card


@pytest.fixture
def real_operator(software: Software) -> None:
    TransmissionOperator.objects.update(is_exercise=False, requires_certificate=True)


@pytest.mark.usefixtures("real_operator")
def test_with_its_person_s_certificate_a_software_sends(software: Software, held: Held) -> None:
    software.headers = said_by_gateway(held)
    assert lines(software.create())[0] == "OK"
    assert Act.objects.get().state == ActState.QUEUED


@pytest.mark.usefixtures("real_operator")
def test_another_certificate_sends_nothing(software: Software, held: Held) -> None:
    software.headers = said_by_gateway(made("Autre", made("AC")))
    assert lines(software.create())[0] == "OK"
    assert Act.objects.get().state == ActState.DRAFT


@pytest.mark.usefixtures("real_operator")
def test_a_header_nobody_vouches_for_sends_nothing(software: Software, held: Held) -> None:
    software.headers = said_by_gateway(held, HTTP_X_SOCLE_GATEWAY="guessed")
    assert lines(software.create())[0] == "OK"
    assert Act.objects.get().state == ActState.DRAFT


@pytest.mark.usefixtures("real_operator")
def test_a_withdrawn_certificate_sends_nothing(software: Software, held: Held) -> None:
    LoginCertificate.objects.update(withdrawn_at=timezone.now())
    software.headers = said_by_gateway(held)
    assert lines(software.create())[0] == "OK"
    assert Act.objects.get().state == ActState.DRAFT


def test_a_commune_that_wants_a_proof_gets_it_from_a_certificate_only(
    software: Software, held: Held, town: Any, secretary: Person
) -> None:
    StepUpRule.objects.create(siren=town.organisation.siren, minutes=10)
    assert lines(software.create(number="A1"))[0] == "OK"
    software.headers = said_by_gateway(held)
    assert lines(software.create(number="A2"))[0] == "OK"
    states = dict(Act.objects.values_list("number", "state"))
    assert states == {"A1": ActState.DRAFT, "A2": ActState.QUEUED}


def test_a_certificate_alone_tells_the_only_software_of_its_person(
    software: Software, held: Held
) -> None:
    software.authorization, software.headers = "", said_by_gateway(held)
    assert lines(software.get("/api/test-connexion.php"))[0] == "OK"


def test_with_two_softwares_a_certificate_needs_a_login(
    software: Software, software_of: Callable[..., Software], secretary: Person, held: Held
) -> None:
    software_of(secretary, "Autre logiciel")
    software.headers = said_by_gateway(held)
    assert lines(software.get("/api/test-connexion.php"))[0] == "OK"
    software.authorization = ""
    assert lines(software.get("/api/test-connexion.php"))[0] == "KO"


# The screen.


def test_the_secret_is_shown_once_and_works(town: Any, secretary: Person, right: Any) -> None:
    browser = in_town(town, secretary)
    page = browser.post("/logiciels/", {"software": "Mairie 2000"}).content.decode()
    access = SoftwareAccess.objects.get()
    assert access.login in page
    [secret] = [
        word
        for word in page.replace("<", " ").replace(">", " ").split()
        if actions.digest(word) == access.secret_digest
    ]
    assert secret not in browser.get("/logiciels/").content.decode()
    software = Software(in_town(town))
    software.authorization = basic(access.login, secret)
    assert lines(software.get("/api/test-connexion.php"))[0] == "OK"
    assert "Mairie 2000" in Entry.objects.get(event="api.access_opened").sentence
    assert secret not in str(Entry.objects.get(event="api.access_opened").detail)


def test_an_access_is_closed_by_its_person_or_by_who_transmits(town: Any) -> None:
    preparer, other = somebody(Role.PREPARER, town), somebody(Role.PREPARER, town)
    transmitter = somebody(Role.TRANSMITTER, town)
    now = timezone.now()
    here = town.organisation
    access, _ = actions.open_access(organisation=here, software="Un", by=preparer, at=now)
    with pytest.raises(actions.NotYours):
        actions.close_access(access_id=access.pk, by=other, at=now)
    closed = actions.close_access(access_id=access.pk, by=transmitter, at=now)
    again = actions.close_access(access_id=access.pk, by=preparer, at=now + timedelta(hours=1))
    assert (closed.closed_at, again.closed_at) == (now, now)
    assert Entry.objects.filter(event="api.access_closed").count() == 1


def test_a_neighbour_s_access_is_not_closed(town: Any, neighbour: Any, secretary: Person) -> None:
    stranger = somebody(Role.TRANSMITTER, neighbour)
    theirs, _ = actions.open_access(
        organisation=neighbour.organisation, software="x", by=stranger, at=timezone.now()
    )
    assert in_town(town, secretary).post(f"/logiciels/{theirs.pk}/fermer/").status_code == 404
    theirs.refresh_from_db()
    assert theirs.closed_at is None


def test_the_passage_is_remembered_to_the_hour(software: Software) -> None:
    access = SoftwareAccess.objects.get()
    first = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
    actions.note_use(access, at=first)
    actions.note_use(access, at=first + timedelta(minutes=30))
    access.refresh_from_db()
    assert access.last_used_at == first
    actions.note_use(access, at=first + timedelta(hours=1))
    access.refresh_from_db()
    assert access.last_used_at == first + timedelta(hours=1)


def test_a_reader_opens_no_door(town: Any) -> None:
    reader = somebody(Role.READER, town)
    assert in_town(town, reader).get("/logiciels/").status_code == 403


def test_the_list_costs_the_same_however_long(
    town: Any, secretary: Person, django_assert_max_num_queries: Any
) -> None:
    now = timezone.now()
    for number in range(30):
        actions.open_access(
            organisation=town.organisation, software=f"L{number}", by=secretary, at=now
        )
    browser = in_town(town, secretary)
    browser.get("/logiciels/")
    with django_assert_max_num_queries(14):
        assert "Page 1 sur 2" in browser.get("/logiciels/").content.decode()


def test_a_software_whose_person_left_is_a_thing_to_do(town: Any, secretary: Person) -> None:
    gone = somebody(Role.PREPARER, town)
    actions.open_access(
        organisation=town.organisation, software="Mairie 2000", by=gone, at=timezone.now()
    )
    browser = in_town(town, secretary)
    assert "n’entre plus" not in browser.get("/").content.decode()
    gone.grants.all().delete()
    assert "logiciel n’entre plus" in browser.get("/").content.decode()
