"""The billing officer's screens."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from billing import actions, policies
from billing.models import BillableItem, Invoice, InvoiceState, Price, Product
from billing.queries import HandOver
from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.directory.models import Organisation
from socle.journal.models import Entry
from tests.billing.builders import draft, issued, item
from tests.people import Browser, on_portal, person


@pytest.fixture
def desk(officer: Person) -> Browser:
    return on_portal(officer)


@pytest.fixture
def auditor(portal: Any, syndicat: Organisation) -> Browser:
    return on_portal(person(Role.AUDITOR, at=syndicat))


def text(answer: Any) -> str:
    return str(answer.content.decode()).replace("\xa0", " ")


def test_facts_are_collected_then_drafted_then_issued(
    desk: Browser, price_list: None, handed: list[HandOver], melle: Organisation
) -> None:
    today = timezone.localdate()
    page = text(desk.post("/facturation/relever/", {"until": str(today)}, follow=True))
    assert "Éléments relevés : 58" in page
    assert "SIRET à compléter" in page
    page = text(desk.post("/facturation/preparer/", {"organisme": [melle.pk]}, follow=True))
    assert "Brouillons prêts à vérifier : 1" in page
    made = Invoice.objects.get()
    page = text(desk.get(f"/facturation/factures/{made.pk}/"))
    assert "Strate de 5 000 à 9 999 habitants" in page
    assert "Vous agissez au nom de" in page
    page = text(desk.post(f"/facturation/factures/{made.pk}/emettre/", follow=True))
    assert f"La facture {today.year}-F-00001 est émise" in page


def test_an_empty_list_says_what_to_do(desk: Browser) -> None:
    page = text(desk.get("/facturation/"))
    assert "Rien à facturer pour l’instant" in page
    assert "Relever" in page


def test_what_has_no_price_is_told_on_the_page(
    desk: Browser, no_members: None, handed: list[HandOver], melle: Organisation, officer: Person
) -> None:
    today = timezone.localdate()
    handed.append(HandOver(melle, officer, "", today, 1))
    page = text(desk.post("/facturation/relever/", {"until": str(today)}, follow=True))
    assert "Aucun tarif du produit « CERT »" in page


@pytest.mark.parametrize(
    "address",
    ["/facturation/", "/facturation/brouillons/", "/facturation/factures/", "/facturation/tarifs/"],
)
def test_lists_ask_for_few_queries(
    desk: Browser,
    officer: Person,
    melle: Organisation,
    celles: Organisation,
    price_list: None,
    noon: datetime,
    address: str,
    django_assert_max_num_queries: Any,
) -> None:
    for body in (melle, celles):
        issued(body, officer, noon)
        draft(body, officer, noon)
        item(body, noon)
        item(body, noon)
    desk.get(address)
    with django_assert_max_num_queries(12):
        desk.get(address)


def test_a_body_is_found_by_its_name(
    desk: Browser, melle: Organisation, celles: Organisation, noon: datetime
) -> None:
    for body in (melle, celles):
        item(body, noon)
    page = text(desk.get("/facturation/", {"q": "celles"}))
    assert celles.name in page
    assert f">{melle.name}<" not in page


def test_ticking_nothing_says_so(desk: Browser) -> None:
    assert "Cochez au moins un organisme" in text(desk.post("/facturation/preparer/", follow=True))
    page = text(desk.post("/facturation/brouillons/emettre/", follow=True))
    assert "Cochez au moins un brouillon" in page


def test_ticked_drafts_are_issued_and_a_refused_one_says_why(
    desk: Browser, officer: Person, melle: Organisation, celles: Organisation, noon: datetime
) -> None:
    drafts = [draft(body, officer, noon) for body in (melle, celles)]
    Organisation.objects.filter(pk=celles.pk).update(siret="")
    ticked = {"facture": [one.pk for one in drafts]}
    page = text(desk.post("/facturation/brouillons/emettre/", ticked, follow=True))
    assert "Factures émises : 1" in page
    assert f"Le SIRET de « {celles.name} » manque" in page
    assert Entry.objects.get(event="refused.issue").detail["code"] == "billing.incomplete"


def test_an_empty_draft_cannot_be_issued_from_its_page(
    desk: Browser, officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = draft(melle, officer, noon)
    desk.post(f"/facturation/lignes/{made.lines.get().pk}/retirer/")
    page = text(desk.get(f"/facturation/factures/{made.pk}/"))
    assert "Ce brouillon n’a aucune ligne" in page
    assert "Émettre la facture" not in page
    page = text(desk.post(f"/facturation/factures/{made.pk}/emettre/", follow=True))
    assert "n’a aucune ligne : ajoutez-en une" in page


def test_a_line_with_a_negative_quantity_is_refused_and_journaled(
    desk: Browser, officer: Person, melle: Organisation, price_list: None, noon: datetime
) -> None:
    made = draft(melle, officer, noon)
    product = Product.objects.get(code=policies.CERTIFICATE)
    wrong = {"product": product.pk, "quantity": "-1"}
    page = text(desk.post(f"/facturation/factures/{made.pk}/lignes/", wrong, follow=True))
    assert "La quantité doit être d’au moins 1" in page
    assert made.lines.count() == 1
    assert Entry.objects.filter(event="refused.add_line").count() == 1


def test_references_and_lines_are_completed_on_a_draft(
    desk: Browser, officer: Person, melle: Organisation, price_list: None, noon: datetime
) -> None:
    made = draft(melle, officer, noon)
    product = Product.objects.get(code=policies.CERTIFICATE)
    base = f"/facturation/factures/{made.pk}"
    desk.post(f"{base}/lignes/", {"product": product.pk, "quantity": "2"})
    desk.post(f"{base}/references/", {"chorus_service": "FIN", "engagement": "EJ1"})
    made.refresh_from_db()
    assert (made.total_ht, made.engagement) == (Decimal("225.00"), "EJ1")


def test_an_issued_invoice_offers_its_paper_and_no_change(
    desk: Browser, officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = issued(melle, officer, noon)
    page = text(desk.get(f"/facturation/factures/{made.pk}/"))
    assert "Faire un avoir" in page
    assert "Ajouter une ligne" not in page
    answer = desk.get(f"/facturation/factures/{made.pk}/facture.pdf")
    assert b"".join(answer.streaming_content).startswith(b"%PDF-")
    refused = desk.post(f"/facturation/factures/{made.pk}/supprimer/", follow=True)
    assert "seul un avoir la corrige" in text(refused)


def test_a_draft_has_no_paper(
    desk: Browser, officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = draft(melle, officer, noon)
    assert desk.get(f"/facturation/factures/{made.pk}/facture.pdf").status_code == 404


def test_a_credit_note_is_confirmed_with_its_reason(
    desk: Browser, officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = issued(melle, officer, noon)
    address = f"/facturation/factures/{made.pk}/avoir/"
    assert "Annuler cette facture par un avoir" in text(desk.get(address))
    assert "Ce champ est obligatoire" in text(desk.post(address, {"reason": ""}))
    page = text(desk.post(address, {"reason": "Doublon", "bill_again": "on"}, follow=True))
    assert f"annule la facture {made.number}" in page
    assert BillableItem.objects.get().line is None
    assert "Annulée par avoir" in text(desk.get("/facturation/factures/"))


def test_issued_invoices_are_filtered_with_their_totals(
    desk: Browser, officer: Person, melle: Organisation, celles: Organisation, noon: datetime
) -> None:
    issued(melle, officer, noon)
    issued(celles, officer, noon, unit_price=Decimal("100.00"))
    issued(celles, officer, noon - timedelta(days=366))
    everything = text(desk.get("/facturation/factures/"))
    assert "3 factures et avoirs, 300,00 € TTC" in everything
    one = text(desk.get("/facturation/factures/", {"annee": "2026", "q": "celles"}))
    assert "1 facture ou avoir, 120,00 € TTC" in one
    none = text(desk.get("/facturation/factures/", {"annee": "2020"}))
    assert "Aucune facture émise ne répond" in none


def test_the_export_follows_the_filters(
    desk: Browser, officer: Person, melle: Organisation, celles: Organisation, noon: datetime
) -> None:
    issued(melle, officer, noon)
    issued(celles, officer, noon)
    answer = desk.get("/facturation/factures/export.csv", {"q": "celles"})
    content = answer.content.decode("utf-8-sig")
    assert "2026-F-00002" in content
    assert "2026-F-00001" not in content


def test_a_price_is_changed_by_a_new_version(
    desk: Browser, price_list: None, officer: Person
) -> None:
    price = Price.objects.get(product__code=policies.CERTIFICATE)
    address = f"/facturation/tarifs/{price.pk}/"
    facts = {"unit_price": "80", "regime": "taxed", "rate": "20"}
    tomorrow = timezone.localdate() + timedelta(days=1)
    long_ago = tomorrow - timedelta(days=800)
    late = text(desk.post(address, facts | {"valid_from": str(long_ago)}))
    assert "trop tôt" in late
    page = text(desk.post(address, facts | {"valid_from": str(tomorrow)}, follow=True))
    assert "80,00 €" in page
    assert "À venir" in page


def test_a_price_with_a_wrong_rate_is_refused_at_its_field(desk: Browser, price_list: None) -> None:
    facts = {
        "code": "AUDIT",
        "label": "Audit",
        "unit_price": "300",
        "regime": "franchise",
        "rate": "20",
        "valid_from": str(timezone.localdate()),
        "population_from": "0",
    }
    page = text(desk.post("/facturation/tarifs/nouveau/", facts))
    assert "les autres régimes n’en ont pas" in page
    page = text(desk.post("/facturation/tarifs/nouveau/", facts | {"rate": "0"}, follow=True))
    assert "Le tarif de « Audit » est enregistré" in page
    assert "art. 293 B" in page


def test_a_stratum_that_ends_before_it_starts_is_refused(desk: Browser) -> None:
    facts = {
        "code": "AUDIT",
        "label": "Audit",
        "unit_price": "300",
        "regime": "franchise",
        "rate": "0",
        "valid_from": str(timezone.localdate()),
        "population_from": "500",
        "population_until": "10",
    }
    assert "finit avant de commencer" in text(desk.post("/facturation/tarifs/nouveau/", facts))


def test_an_auditor_reads_and_changes_nothing(
    auditor: Browser, officer: Person, melle: Organisation, price_list: None, noon: datetime
) -> None:
    made = draft(melle, officer, noon)
    page = text(auditor.get(f"/facturation/factures/{made.pk}/"))
    assert "Ajouter une ligne" not in page
    assert "Émettre" not in page
    assert "Modifier" not in text(auditor.get("/facturation/tarifs/"))
    for address in (
        f"/facturation/factures/{made.pk}/emettre/",
        f"/facturation/factures/{made.pk}/supprimer/",
        "/facturation/relever/",
    ):
        assert auditor.post(address).status_code == 403
    made.refresh_from_db()
    assert made.state == InvoiceState.DRAFT


def test_a_trainer_has_no_door_to_billing(portal: Any, syndicat: Organisation) -> None:
    browser = on_portal(person(Role.TRAINER, at=syndicat))
    assert browser.get("/facturation/").status_code == 403


def test_the_home_of_a_billing_officer_lists_what_waits(
    desk: Browser, officer: Person, melle: Organisation, celles: Organisation, noon: datetime
) -> None:
    draft(melle, officer, noon)
    item(celles, noon)
    item(melle, noon, unit_price=Decimal("0.00"))
    page = text(desk.get("/"))
    assert "organisme à facturer" in page
    assert "facture à émettre" in page


def test_a_free_item_alone_asks_for_nothing(
    desk: Browser, officer: Person, melle: Organisation, noon: datetime
) -> None:
    item(melle, noon, unit_price=Decimal("0.00"))
    assert "à facturer" not in text(desk.get("/")).split("<main")[1]
    assert 'name="organisme"' not in text(desk.get("/facturation/"))
    with pytest.raises(policies.NothingToBill):
        actions.draft(organisation_id=melle.pk, by=officer, at=noon)
