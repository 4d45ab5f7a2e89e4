"""The figures of the counter."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from registration_authority.figures import queries
from registration_authority.figures.models import OfferCost
from registration_authority.models import FileState
from registration_authority.revocation import actions as revocations
from registration_authority.revocation.queries import percentile
from socle.accounts.capabilities import Role
from socle.accounts.models import CertificateBody, StepUpRule
from socle.directory.models import Grant
from socle.journal.models import Entry
from tests.people import on_portal, person
from tests.registration_authority.counter import NOON, Counter
from tests.registration_authority.test_screens import text

YEAR = timedelta(days=365)
SINCE, UNTIL = NOON - YEAR, NOON + timedelta(days=1)


def test_files_are_counted_by_state(counter: Counter) -> None:
    assert dict(queries.files_by_state())["En préparation"] == 1
    counter.bring_to(FileState.HANDED_OVER)
    counted = dict(queries.files_by_state())
    assert (counted["En préparation"], counted["Remis"]) == (0, 1)


def test_a_commune_sees_what_it_saves(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    (unpriced,) = queries.savings(SINCE, UNTIL)
    assert (unpriced.cost, unpriced.saving, unpriced.unpriced) == (0, 0, 1)
    OfferCost.objects.create(offer=counter.file.offer, member=Decimal(60), alone=Decimal(180))
    (found,) = queries.savings(SINCE, UNTIL)
    assert found.organisation == counter.organisation
    assert (found.certificates, found.cost, found.saving) == (1, Decimal(60), Decimal(120))
    assert queries.savings(SINCE - YEAR, SINCE) == []


def test_the_percentile_is_the_nearest_rank() -> None:
    assert percentile([]) == 0
    assert percentile([3.0, 1.0, 2.0]) == 3.0
    assert percentile(range(1, 101)) == 95


def test_the_page_shows_charts_and_tables(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    certificate = counter.file.certificate
    asked = revocations.ask_as_holder(
        certificate_id=certificate.pk, reason="keyCompromise", by=counter.holder, at=NOON
    )
    type(asked).objects.filter(pk=asked.pk).update(published_at=NOON + timedelta(hours=30))
    OfferCost.objects.create(offer=counter.file.offer, member=Decimal(60), alone=Decimal(180))
    shown = text(on_portal(counter.officer).get("/certificats/chiffres/"))
    assert shown.count("<svg") > 4
    for words in ("Dossiers, par état", "à la publication", "Coût et économie par commune"):
        assert words in shown


# The rules


def test_the_rules_lead_to_the_policy_and_keep_the_prices(counter: Counter, syndicat: Any) -> None:
    browser = on_portal(person(Role.ADMINISTRATOR, at=syndicat))
    offer = counter.file.offer
    shown = browser.get("/certificats/regles/").content.decode()
    assert offer.name in shown
    assert f"/certificats/offres/{offer.code}/politique/" in shown
    browser.post(f"/certificats/regles/{offer.code}/prix/", {"member": "60", "alone": "180"})
    offer.refresh_from_db()
    assert offer.cost.alone == 180
    assert Entry.objects.filter(event="ra.rules_set").count() == 1
    assert browser.get(f"/certificats/regles/{offer.code}/revocation/").status_code == 404


def test_a_commune_s_confirmation_is_set_on_the_portal(
    counter: Counter, neighbour: Any, syndicat: Any
) -> None:
    browser = on_portal(person(Role.ADMINISTRATOR, at=syndicat))
    siren = neighbour.organisation.siren
    page = "/certificats/regles/confirmation/"
    assert "SIREN" in text(browser.get(page))
    browser.post(page, {"siren": siren, "minutes": 30, "factor": "any"})
    assert StepUpRule.objects.get().minutes == 30
    assert neighbour.organisation.name in text(browser.get("/certificats/regles/"))
    assert "Aucun organisme" in text(
        browser.post(page, {"siren": "1", "minutes": 1, "factor": "any"})
    )
    browser.post(page, {"siren": siren, "minutes": 0, "factor": "any"})
    assert not StepUpRule.objects.exists()


def test_an_operator_does_not_write_her_own_rules(counter: Counter) -> None:
    assert on_portal(counter.officer).get("/certificats/regles/").status_code == 403


def test_a_certificate_is_admitted_for_another_body_at_the_counter(
    counter: Counter, town: Any
) -> None:
    connection.set_schema_to_public()
    counter.bring_to(FileState.HANDED_OVER)
    desk, siren = on_portal(counter.officer), town.organisation.siren
    page = f"/certificats/{counter.file.pk}/autres-organismes/"
    assert "n’est pas habilité" in text(desk.post(page, {"siren": siren}))
    Grant.objects.create(
        person=counter.holder,
        organisation=town.organisation,
        roles=[Role.TRANSMITTER.value],
        starts_on=NOON.date(),
    )
    desk.post(page, {"siren": siren})
    assert CertificateBody.objects.get().siren == siren
