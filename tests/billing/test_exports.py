"""The file for the finance software."""

import csv
import io
from datetime import datetime

import pytest

from billing import actions, exports
from socle.accounts.models import Person
from socle.directory.models import Organisation
from socle.journal.models import Entry
from tests.billing.builders import issued, item


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


@pytest.mark.parametrize(
    "typed", ["=1+1", "+33", "-2", "@SUM(A1)", "\t=1+1", " =1+1", "\r=1+1", "\n=1"]
)
def test_no_cell_is_taken_for_a_formula(typed: str) -> None:
    assert exports.text(typed).startswith("'")


def test_an_ordinary_text_is_left_alone() -> None:
    assert exports.text("Mairie de Melle - service") == "Mairie de Melle - service"
    assert exports.text("") == ""


def test_a_spreadsheet_reads_accents_semicolons_and_commas(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    item(melle, noon, label='Clé ; lecteur "pro"\nnoir')
    made = issued(melle, officer, noon, label="=HYPERLINK()")
    content = actions.export(year=2026, text="", by=officer, at=noon)
    assert content.startswith(b"\xef\xbb\xbfType;Num\xc3\xa9ro;")
    (row,) = rows(content)
    assert row["Numéro"] == "2026-F-00001"
    assert row["SIRET débiteur"] == melle.siret
    assert (row["Montant HT"], row["Montant TVA"], row["Montant TTC"]) == (
        "150,00",
        "30,00",
        "180,00",
    )
    assert row["Objet"] == 'Clé ; lecteur "pro" noir ; =HYPERLINK()'
    assert row["Empreinte SHA-256 du PDF"] == made.file.sha256


def test_a_first_label_that_is_a_formula_is_made_harmless(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    issued(melle, officer, noon, label="=HYPERLINK()")
    (row,) = rows(actions.export(year=None, text="", by=officer, at=noon))
    assert row["Objet"] == "'=HYPERLINK()"


def test_a_credit_note_is_negative_and_names_what_it_corrects(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    made = issued(melle, officer, noon)
    actions.credit(invoice_id=made.pk, reason="X", bill_again=False, by=officer, at=noon)
    first, last = rows(actions.export(year=2026, text="", by=officer, at=noon))
    assert (first["Type"], first["Montant TTC"]) == ("Facture", "90,00")
    assert (last["Type"], last["Montant TTC"]) == ("Avoir", "-90,00")
    assert last["Facture corrigée"] == made.number


def test_an_export_is_of_the_chosen_year_and_recorded(
    officer: Person, melle: Organisation, noon: datetime
) -> None:
    issued(melle, officer, noon)
    assert rows(actions.export(year=2025, text="", by=officer, at=noon)) == []
    assert Entry.objects.get(event="billing.exported").detail == {"year": 2025, "invoices": 0}
