from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from socle.actes.protocol.classification import NatureEntry, UnknownMatiere
from socle.actes.protocol.codes import FileKind, Nature
from socle.actes.protocol.default_classification import DEFAULT_CLASSIFICATION
from socle.actes.protocol.rules import (
    DepositTooLarge,
    InvalidDecisionDate,
    InvalidDocument,
    InvalidEmitter,
    InvalidNumber,
    InvalidObjet,
    InvalidTypology,
    UnknownNature,
    accept,
    cautions_of,
    check_decision_date,
    check_documents,
    check_nature,
    check_number,
    check_objet,
    check_size,
    enforceable_on,
    read_decision_date,
    refusals_of,
)
from socle.actes.protocol.text import Untransmittable
from socle.actes.protocol.values import Acte, Document, Draft
from socle.core.refusals import Refusal
from tests.actes.protocol.givens import ACTE, ANNEXE, COMMUNE, NOON, PDF, acte, draft

XML = Document("budget.xml", FileKind.XML, 5000, "99_BU")
EMPTY = Document("file.csv", None, 0, "99_DE")
CSV = Document("file.csv", None, 20, "99_DE")


def refusals(proposed: Draft) -> tuple[Refusal, ...]:
    return refusals_of(proposed, classification=DEFAULT_CLASSIFICATION, at=NOON)


def accepted(proposed: Draft) -> Acte:
    return accept(proposed, emitter=COMMUNE, classification=DEFAULT_CLASSIFICATION, at=NOON)


def test_A01_a_complete_acte_is_accepted_as_given() -> None:
    assert accepted(draft()) == ACTE


def test_A02_an_empty_deposit_is_refused_field_by_field() -> None:
    empty = Draft(number="", decided_on=None, nature=None, matiere="", objet="")

    assert [refusal.field for refusal in refusals(empty)] == [
        "number",
        "decided_on",
        "nature",
        "matiere",
        "objet",
        "documents",
    ]


def test_A03_an_empty_file_is_refused_once_whatever_its_extension() -> None:
    (refusal,) = refusals(draft(documents=(EMPTY,)))

    assert isinstance(refusal, InvalidDocument)
    assert "vide" in str(refusal)


def test_A04_an_acte_in_a_foreign_format_is_refused() -> None:
    (refusal,) = refusals(draft(documents=(CSV,)))

    assert "« file.csv » n'est pas autorisé" in str(refusal)


def test_A05_an_annexe_in_a_foreign_format_is_refused() -> None:
    (refusal,) = refusals(draft(documents=(PDF, CSV)))

    assert "« file.csv » n'est pas autorisé" in str(refusal)


def test_A06_an_acte_without_annexe_is_accepted() -> None:
    assert refusals(draft(documents=(PDF,))) == ()


@pytest.mark.parametrize("number", ["A", "1", "A" * 15])
def test_A07_numbers_of_1_to_15_characters_are_accepted(number: str) -> None:
    assert check_number(number) == number


@pytest.mark.parametrize(
    "number", ["A" * 16, "", "abc", "2025-017", "_A", "A_", "A B", "É1", "A\n", "١"]
)
def test_A08_numbers_one_operator_or_schema_refuses_are_refused(number: str) -> None:
    with pytest.raises(InvalidNumber):
        check_number(number)


@pytest.mark.parametrize("number", ["A_B", "2025_017"])
def test_A09_an_underscore_inside_is_accepted(number: str) -> None:
    assert check_number(number) == number


def test_A10_a_decision_of_tomorrow_is_refused() -> None:
    with pytest.raises(InvalidDecisionDate, match="futur"):
        check_decision_date(date(2025, 3, 13), at=NOON)


def test_A10_today_is_the_day_it_is_in_paris() -> None:
    late_evening = datetime(2025, 7, 1, 22, 30, tzinfo=UTC)

    assert check_decision_date(date(2025, 7, 2), at=late_evening) == date(2025, 7, 2)


def test_A11_a_time_after_the_decision_date_is_dropped() -> None:
    assert read_decision_date("2019-01-01 12:34:56") == date(2019, 1, 1)


def test_a_decision_date_that_is_no_date_is_refused() -> None:
    with pytest.raises(InvalidDecisionDate):
        read_decision_date("01/01/2019")


def test_A16_an_objet_counts_up_to_500_characters() -> None:
    assert len(check_objet("x" * 499)) == 499
    assert len(check_objet("x" * 500)) == 500
    with pytest.raises(InvalidObjet, match="501"):
        check_objet("x" * 501)


def test_A16_the_length_counts_after_transliteration() -> None:
    with pytest.raises(InvalidObjet, match="502"):
        check_objet("x" * 499 + "€")


@pytest.mark.parametrize("objet", ["", "   ", "\n\t", "\u200b"])
def test_A17_a_blank_objet_is_refused(objet: str) -> None:
    with pytest.raises(InvalidObjet):
        check_objet(objet)


def test_A19_an_accepted_objet_is_already_what_will_be_sent() -> None:
    assert accepted(draft(objet="L’œuvre – 100 €")).objet == "L'oeuvre - 100 EUR"


def test_A19_an_objet_that_cannot_be_sent_is_refused_on_its_field() -> None:
    (refusal,) = refusals(draft(objet="Fête 🎉"))

    assert isinstance(refusal, Untransmittable)
    assert refusal.field == "objet"


@pytest.mark.parametrize("matiere", ["3", "1.1.1.1.1.1", "5.99", "", "x", "7..1"])
def test_A21_A23_A24_a_matiere_too_short_too_long_or_unknown_is_refused(matiere: str) -> None:
    (refusal,) = refusals(draft(matiere=matiere))

    assert isinstance(refusal, UnknownMatiere)


def test_A22_matiere_7_10_is_accepted() -> None:
    assert accepted(draft(matiere="7.10")).matiere == (7, 10)


@pytest.mark.parametrize("code", [0, 7, 8, None])
def test_A25_a_nature_out_of_the_six_is_refused(code: int | None) -> None:
    with pytest.raises(UnknownNature):
        check_nature(code)


def test_A26_a_budget_without_annexe_is_accepted() -> None:
    check_documents([XML], nature=Nature.BUDGET, matiere=(7, 1))


def test_A30_a_budget_xml_needs_nature_5_and_matiere_7_1() -> None:
    check_documents([XML], nature=Nature.BUDGET, matiere=(7, 1, 2))
    with pytest.raises(InvalidDocument):
        check_documents([XML], nature=Nature.BUDGET, matiere=(5, 2))
    with pytest.raises(InvalidDocument):
        check_documents([XML], nature=Nature.DELIBERATION, matiere=(7, 1))


def test_A32_the_annexes_of_a_budget_xml_are_pdf() -> None:
    check_documents([XML, PDF], nature=Nature.BUDGET, matiere=(7, 1))
    with pytest.raises(InvalidDocument, match=r"plan\.png"):
        check_documents([XML, ANNEXE], nature=Nature.BUDGET, matiere=(7, 1))


@pytest.mark.parametrize("kind", [FileKind.PNG, FileKind.JPEG])
def test_an_acte_that_is_a_picture_is_refused(kind: FileKind) -> None:
    with pytest.raises(InvalidDocument, match="PDF"):
        check_documents([replace(PDF, kind=kind)], nature=Nature.DELIBERATION)


def test_A33_a_file_without_type_is_refused_by_name() -> None:
    (refusal,) = refusals(draft(documents=(PDF, replace(ANNEXE, typology=""))))

    assert isinstance(refusal, InvalidTypology)
    assert "« plan.png »" in str(refusal)


def test_B02_a_type_foreign_to_the_nature_is_refused_by_name() -> None:
    (refusal,) = refusals(draft(nature=4, documents=(replace(PDF, typology="99_AU"),)))

    assert isinstance(refusal, InvalidTypology)
    assert "99_AU" in str(refusal)


def test_I16_a_nature_without_types_blocks_with_its_own_sentence() -> None:
    bare = replace(DEFAULT_CLASSIFICATION, natures=(NatureEntry(1, "Délibérations", "DE", ()),))

    (refusal,) = refusals_of(draft(), classification=bare, at=NOON)

    assert "aucun type de pièce" in str(refusal)


def test_A44_the_files_together_weigh_150_mib_at_most() -> None:
    check_size([157_286_000, 400])
    with pytest.raises(DepositTooLarge):
        check_size([157_286_000, 401])


def test_A44_the_size_is_checked_with_the_deposit() -> None:
    (refusal,) = refusals(draft(documents=(replace(PDF, size=157_286_401),)))

    assert isinstance(refusal, DepositTooLarge)


def test_a_deposit_from_an_invalid_emitter_is_refused() -> None:
    with pytest.raises(InvalidEmitter):
        accept(
            draft(),
            emitter=replace(COMMUNE, departement="79"),
            classification=DEFAULT_CLASSIFICATION,
            at=NOON,
        )


def test_accepting_raises_the_first_refusal() -> None:
    with pytest.raises(InvalidNumber):
        accepted(draft(number="", objet=""))


def test_L2_an_individual_decision_older_than_fifteen_days_is_cautioned_not_refused() -> None:
    individual = acte(nature=Nature.INDIVIDUAL)
    fifteenth = NOON.replace(day=25)

    assert cautions_of(individual, at=fifteenth) == ()
    (caution,) = cautions_of(individual, at=fifteenth + timedelta(days=1))
    assert "quinze jours" in caution.sentence
    assert cautions_of(ACTE, at=fifteenth + timedelta(days=300)) == ()


def test_L1_an_acte_is_enforceable_once_received_and_published() -> None:
    early, late = date(2025, 3, 11), date(2025, 3, 14)

    assert enforceable_on(early, late) == late
    assert enforceable_on(late, early) == late
    assert enforceable_on(early, None) is None
    assert enforceable_on(None, late) is None


def test_every_refusal_is_one_polite_sentence() -> None:
    wrong = Draft(
        number="é",
        decided_on=date(2030, 1, 1),
        nature=9,
        matiere="99.1",
        objet="",
        documents=(CSV,),
    )

    sentences = [str(refusal) for refusal in refusals(wrong)]

    assert len(sentences) == 6
    assert all(text[0].isupper() and text.endswith(".") and "\n" not in text for text in sentences)
