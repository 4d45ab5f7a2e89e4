"""Drafts, issued invoices that never change, credit notes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pypdfium2
import pytest
from django.db import IntegrityError, connection, transaction
from django_tenants.utils import schema_context

from billing import actions, defaults, policies, queries
from billing.models import (
    BillableItem,
    Counter,
    Invoice,
    InvoiceKind,
    InvoiceState,
    Line,
    Price,
    Product,
    VatRegime,
)
from socle.accounts.models import Person
from socle.directory.models import Organisation
from socle.documents import actions as vault
from socle.journal.models import Entry
from tests.billing.builders import draft, issued, item


def words(invoice: Invoice) -> str:
    document = pypdfium2.PdfDocument(vault.read(invoice.file))
    try:
        pages = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    return " ".join(" ".join(pages).split())


def test_a_draft_takes_all_open_items_of_its_body_and_no_other(
    officer: Person, melle: Organisation, celles: Organisation, noon: datetime
) -> None:
    item(melle, noon)
    other = item(celles, noon)
    made = draft(melle, officer, noon)
    assert made.lines.count() == 2
    assert (made.total_ht, made.total_vat, made.total_ttc) == (
        Decimal("150.00"),
        Decimal("30.00"),
        Decimal("180.00"),
    )
    assert list(queries.open_items()) == [other]


def test_new_items_join_the_draft_that_waits(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    first = draft(melle, officer, noon)
    second = draft(melle, officer, noon)
    assert first == second
    assert second.lines.count() == 2


def test_a_body_with_nothing_to_bill_has_no_draft(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    with pytest.raises(policies.NothingToBill):
        actions.draft(organisation_id=melle.pk, by=officer, at=noon)
    assert not Invoice.objects.exists()


def test_what_is_free_waits_for_something_to_pay(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    free = item(melle, noon, unit_price=Decimal("0.00"))
    with pytest.raises(policies.NothingToBill, match="ligne offerte"):
        actions.draft(organisation_id=melle.pk, by=officer, at=noon)
    made = draft(melle, officer, noon)
    assert free.label in {line.label for line in made.lines.all()}


def test_a_line_is_added_at_the_price_of_the_day(
    officer: Person, melle: Organisation, price_list: None, noon: datetime
) -> None:
    made = draft(melle, officer, noon)
    product = Product.objects.get(code=policies.CERTIFICATE)
    line = actions.add_line(invoice_id=made.pk, product=product, quantity=3, by=officer, at=noon)
    assert (line.ht, line.vat) == (Decimal("225.00"), Decimal("45.00"))
    made.refresh_from_db()
    assert made.total_ttc == Decimal("360.00")


@pytest.mark.parametrize("quantity", [0, -2])
def test_a_negative_quantity_is_refused(
    officer: Person, melle: Organisation, price_list: None, noon: datetime, quantity: int
) -> None:
    made = draft(melle, officer, noon)
    product = Product.objects.get(code=policies.CERTIFICATE)
    with pytest.raises(policies.WrongQuantity):
        actions.add_line(
            invoice_id=made.pk, product=product, quantity=quantity, by=officer, at=noon
        )
    assert made.lines.count() == 1


def test_the_database_refuses_a_negative_quantity_and_a_wrong_product(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    line = draft(melle, officer, noon).lines.get()
    for changes in ({"quantity": -1}, {"ht": Decimal("1.00")}, {"vat": Decimal("1.00")}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Line.objects.filter(pk=line.pk).update(**changes)


def test_a_line_without_price_says_which_product(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = draft(melle, officer, noon)
    product = Product.objects.create(code="AUDIT", label="Audit sur place")
    with pytest.raises(policies.MissingPrice, match="Audit sur place"):
        actions.add_line(invoice_id=made.pk, product=product, quantity=1, by=officer, at=noon)


def test_a_removed_line_is_to_be_billed_again(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = draft(melle, officer, noon)
    actions.remove_line(line_id=made.lines.get().pk, by=officer, at=noon)
    made.refresh_from_db()
    assert made.total_ttc == 0
    assert queries.open_items().count() == 1


def test_a_discarded_draft_gives_its_items_back(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = draft(melle, officer, noon)
    actions.discard(invoice_id=made.pk, by=officer, at=noon)
    assert not Invoice.objects.exists()
    assert queries.open_items().count() == 1


def test_an_issued_invoice_has_its_number_its_dates_and_its_paper(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = issued(melle, officer, noon)
    assert (made.number, made.state) == ("2026-F-00001", InvoiceState.ISSUED)
    assert (made.issued_on, made.due_on) == (date(2026, 11, 24), date(2026, 12, 24))
    assert made.issued_by == officer
    assert made.file.name == "2026-F-00001.pdf"


def test_the_paper_bears_the_mandatory_mentions(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = draft(melle, officer, noon)
    item(
        melle,
        noon,
        label="Adhésion 2026",
        rule="Adhésion 2026, strate de 5000 à 9999 habitants",
        unit_price=Decimal("900.00"),
        regime=VatRegime.FRANCHISE,
        rate=Decimal(0),
    )
    actions.draft(organisation_id=melle.pk, by=officer, at=noon)
    actions.refer(
        invoice_id=made.pk, chorus_service="FINANCES", engagement="EJ-42", by=officer, at=noon
    )
    said = words(actions.issue(invoice_id=made.pk, by=officer, at=noon)).replace("\u202f", " ")
    said = said.replace("\xa0", " ")
    for mention in (
        "Facture n° 2026-F-00001",
        "24/11/2026",
        "24/12/2026",
        "SIRET 257 902 338 00017",
        "Place de la Mairie",
        "strate de 5000 à 9999 habitants",
        "TVA non applicable, art. 293 B du CGI",
        "TVA 20 % sur 75,00 €",
        "975,00 €",
        "990,00 €",
        "FINANCES",
        "EJ-42",
        "Prestation de services",
    ):
        assert mention in said, said


def test_numbers_follow_each_other_in_each_year(
    officer: Person, melle: Organisation, celles: Organisation, noon: datetime
) -> None:
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)  # already 2027 in Paris
    numbers = [
        issued(body, officer, at).number
        for body, at in ((melle, noon), (celles, noon), (melle, new_year))
    ]
    assert numbers == ["2026-F-00001", "2026-F-00002", "2027-F-00001"]


def test_issuing_twice_gives_one_number(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = issued(melle, officer, noon)
    again = actions.issue(invoice_id=made.pk, by=officer, at=noon + timedelta(days=1))
    assert (again.number, again.issued_on) == (made.number, made.issued_on)
    assert Counter.objects.get().last == 1
    with schema_context(melle.tenant.schema_name):
        assert Entry.objects.filter(event="billing.issued").count() == 1


def test_an_empty_draft_is_not_issued(officer: Person, melle: Organisation, noon: datetime) -> None:
    made = draft(melle, officer, noon)
    actions.remove_line(line_id=made.lines.get().pk, by=officer, at=noon)
    with pytest.raises(policies.EmptyDraft):
        actions.issue(invoice_id=made.pk, by=officer, at=noon)
    assert not Counter.objects.exists()


def test_a_body_without_siret_is_not_billed_and_takes_no_number(
    officer: Person, melle: Organisation, celles: Organisation, noon: datetime
) -> None:
    made = draft(melle, officer, noon)
    Organisation.objects.filter(pk=melle.pk).update(siret="")
    with pytest.raises(policies.Incomplete, match="annuaire"):
        actions.issue(invoice_id=made.pk, by=officer, at=noon)
    assert issued(celles, officer, noon).number == "2026-F-00001"


def test_a_syndicat_without_siret_bills_nobody(
    officer: Person, syndicat: Organisation, melle: Organisation, noon: datetime
) -> None:
    made = draft(melle, officer, noon)
    Organisation.objects.filter(pk=syndicat.pk).update(siret="")
    with pytest.raises(policies.Incomplete, match="Syndicat"):
        actions.issue(invoice_id=made.pk, by=officer, at=noon)


def test_what_was_issued_keeps_its_words(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = issued(melle, officer, noon)
    Organisation.objects.filter(pk=melle.pk).update(name="Melle-la-Neuve")
    made.refresh_from_db()
    assert made.buyer["name"] == "Melle"


def test_an_issued_invoice_is_refused_every_change_by_the_rules(
    officer: Person, melle: Organisation, price_list: None, noon: datetime
) -> None:
    made = issued(melle, officer, noon)
    line, product = made.lines.get(), Product.objects.first()
    refused: list[Any] = [
        lambda: actions.discard(invoice_id=made.pk, by=officer, at=noon),
        lambda: actions.remove_line(line_id=line.pk, by=officer, at=noon),
        lambda: actions.add_line(
            invoice_id=made.pk, product=product, quantity=1, by=officer, at=noon
        ),
        lambda: actions.refer(
            invoice_id=made.pk, chorus_service="X", engagement="", by=officer, at=noon
        ),
    ]
    for change in refused:
        with pytest.raises(policies.AlreadyIssued, match="avoir"):
            change()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_invoice SET total_ht = total_ht + 1, total_ttc = total_ttc + 1",
        "UPDATE billing_invoice SET state = 'draft'",
        "UPDATE billing_invoice SET number = 'X'",
        "UPDATE billing_line SET label = 'X'",
        "UPDATE billing_line SET quantity = 2, ht = 2 * unit_price",
        "DELETE FROM billing_line",
    ],
)
def test_the_database_refuses_to_change_an_issued_invoice(
    officer: Person, melle: Organisation, noon: datetime, statement: str
) -> None:
    issued(melle, officer, noon)
    with (
        pytest.raises(IntegrityError, match="issued"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.usefixtures("as_owner")
@pytest.mark.parametrize("table", ["billing_invoice", "billing_line"])
def test_the_database_refuses_to_empty_the_invoices(portal: Any, table: str) -> None:
    with (
        pytest.raises(IntegrityError, match="never emptied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"TRUNCATE {table} CASCADE")


def test_the_database_refuses_to_delete_an_issued_invoice(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = issued(melle, officer, noon)
    BillableItem.objects.update(line=None)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        made.delete()
    with (
        pytest.raises(IntegrityError, match="credit note only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM billing_invoice")


def test_the_database_refuses_a_line_more_on_an_issued_invoice(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    line = issued(melle, officer, noon).lines.get()
    line.pk = None
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        line.save()


def test_the_database_refuses_a_gap_in_the_numbers(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = draft(melle, officer, noon)
    Counter.objects.create(kind=InvoiceKind.INVOICE, year=2026, last=4)
    with pytest.raises(IntegrityError, match="leave a gap"), transaction.atomic():
        actions.issue(invoice_id=made.pk, by=officer, at=noon)


def test_a_credit_note_cancels_the_whole_invoice_and_refers_to_it(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = issued(melle, officer, noon)
    note = actions.credit(
        invoice_id=made.pk, reason="Doublon", bill_again=False, by=officer, at=noon
    )
    assert (note.number, note.signed_ttc) == ("2026-A-00001", -made.total_ttc)
    assert queries.summary(queries.issued()) == queries.Summary(2, *[Decimal("0.00")] * 3)
    assert not queries.open_items().exists()
    said = words(note)
    assert "n° 2026-F-00001 du 24/11/2026" in said.replace("\xa0", " ")
    assert "Doublon" in said
    assert "-90,00" in said


def test_what_a_credit_note_cancels_may_be_billed_again(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = issued(melle, officer, noon)
    actions.credit(invoice_id=made.pk, reason="Erreur", bill_again=True, by=officer, at=noon)
    again = actions.draft(organisation_id=melle.pk, by=officer, at=noon)
    second = actions.issue(invoice_id=again.pk, by=officer, at=noon)
    assert second.number == "2026-F-00002"


def test_an_invoice_gets_one_credit_note_and_a_credit_note_none(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = issued(melle, officer, noon)
    note = actions.credit(invoice_id=made.pk, reason="X", bill_again=True, by=officer, at=noon)
    for target in (made, note):
        with pytest.raises(policies.NotCreditable):
            actions.credit(invoice_id=target.pk, reason="Y", bill_again=True, by=officer, at=noon)
    assert Invoice.objects.count() == 2


def test_a_credit_note_may_be_issued_while_a_draft_waits(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = issued(melle, officer, noon)
    draft(melle, officer, noon)
    note = actions.credit(invoice_id=made.pk, reason="X", bill_again=False, by=officer, at=noon)
    assert note.state == InvoiceState.ISSUED


def test_issuing_is_told_in_the_journal_of_the_commune(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = issued(melle, officer, noon)
    assert not Entry.objects.filter(event="billing.issued").exists()
    with schema_context(melle.tenant.schema_name):
        entry = Entry.objects.get(event="billing.issued")
    assert entry.detail["number"] == made.number
    assert entry.detail["sha256"] == made.file.sha256


def test_a_new_version_of_a_price_ends_the_former_one_the_day_before(
    officer: Person, price_list: None, noon: datetime
) -> None:
    old = Price.objects.get(product__code=policies.CERTIFICATE)
    new = revise(old, officer, noon, date(2027, 1, 1))
    old.refresh_from_db()
    assert (old.valid_until, new.unit_price) == (date(2026, 12, 31), Decimal("80.00"))
    prices = queries.prices(policies.CERTIFICATE)
    for day, price in ((date(2026, 12, 31), old), (date(2027, 1, 1), new)):
        assert policies.price_for(prices, product="", on=day, population=1) == price


def test_a_price_is_not_changed_in_the_past_nor_twice(
    officer: Person, price_list: None, noon: datetime
) -> None:
    old = Price.objects.get(product__code=policies.CERTIFICATE)
    with pytest.raises(policies.WrongPrice, match="trop tôt"):
        revise(old, officer, noon, date(2026, 11, 23))
    revise(old, officer, noon, date(2027, 1, 1))
    with pytest.raises(policies.WrongPrice, match="déjà remplacée"):
        revise(old, officer, noon, date(2027, 6, 1))


def test_two_prices_for_the_same_bodies_are_refused_by_the_rules_and_the_database(
    officer: Person, price_list: None, noon: datetime
) -> None:
    facts = {
        "unit_price": Decimal("1.00"),
        "regime": VatRegime.OUT_OF_SCOPE,
        "rate": Decimal(0),
        "valid_from": date(2026, 6, 1),
        "population_from": 150,
        "population_until": 250,
    }
    with pytest.raises(policies.WrongPrice, match="a déjà un tarif"):
        actions.add_price(code=policies.ADHESION, label="", facts=facts, by=officer, at=noon)
    product = Product.objects.get(code=policies.ADHESION)
    with pytest.raises(IntegrityError, match="one_price_for_a_body"), transaction.atomic():
        Price.objects.create(product=product, **facts)


def test_the_default_price_list_is_made_once_and_never_overwritten(
    officer: Person, price_list: None
) -> None:
    Price.objects.filter(product__code=policies.CERTIFICATE).update(unit_price=Decimal("60.00"))
    count = Price.objects.count()
    defaults.ensure(valid_from=date(2026, 1, 1))
    assert Price.objects.count() == count
    price = Price.objects.get(product__code=policies.CERTIFICATE)
    assert price.unit_price == Decimal("60.00")


def revise(price: Price, officer: Person, at: datetime, valid_from: date) -> Price:
    facts = {
        "unit_price": Decimal("80.00"),
        "regime": VatRegime.TAXED,
        "rate": Decimal("20.00"),
        "valid_from": valid_from,
    }
    return actions.revise_price(price_id=price.pk, facts=facts, by=officer, at=at)
