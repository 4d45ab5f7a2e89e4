"""What the papers say: the law's own clauses, and the data of the commune."""

import re
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from socle.delivery.models import TransmissionOperator
from socle.directory import queries as directory
from socle.directory.models import Organisation
from socle.documents import actions as documents
from socle.documents import render, sniff
from socle.documents.models import StoredFile
from tenants.onboarding import wording
from tenants.onboarding.actions import contract
from tenants.onboarding.papers import contract as contract_paper
from tenants.onboarding.papers import convention as convention_paper
from tenants.onboarding.papers import deliberation as deliberation_paper
from tests.documents import pdfs
from tests.onboarding.journey import Journey


def spoken(pdf: bytes) -> str:
    pages = (pdfs.words(pdf, page) for page in range(sniff.inspect_pdf(pdf).pages))
    joined = " ".join(pages).replace("\ufffe", "-")
    return re.sub(r"\s+", " ", joined)


def said(pk: UUID | None) -> str:
    return spoken(documents.read(StoredFile.objects.get(pk=pk)))


def test_a_deliberation_says_who_decided_what_and_how(journey: Journey) -> None:
    journey.to_deliberation()
    text = said(journey.case.deliberation.generated_pdf)

    for words in (
        "Commune de Melle",
        "Délibération n° 2026-45",
        "L2131-1, L2131-2 et R2131-1",
        "D1617-23",
        "par 22 voix pour, 1 voix contre et 1 abstention",
        "LE CONSEIL MUNICIPAL",
        "la convention prévue à l’article R2131-3",
        "Secrétaire de séance Paul Martin",
        "EXERCICE",
    ):
        assert words in text, words


def test_a_project_of_deliberation_leaves_blanks(journey: Journey) -> None:
    journey.to_operator()
    case = journey.case
    values = journey.deliberation_values(number="", votes_for=None, abstentions=None)
    from tenants.onboarding.models import Deliberation

    document = deliberation_paper.build(
        case, Deliberation(case=case, **values), syndicat=directory.syndicat(), at=journey.at
    )
    assert document.title == f"Délibération n° {wording.BLANK}"


def test_what_was_not_authorised_is_not_written(journey: Journey) -> None:
    journey.to_deliberation(authorisations=["use", "convention"])

    assert "les avenants à cette convention" not in said(journey.case.deliberation.generated_pdf)


def test_a_convention_has_its_four_mandatory_clauses(journey: Journey) -> None:
    journey.to_prepared()
    text = said(journey.case.convention.generated_pdf)

    for clause in (
        "Date de raccordement",
        "Nature et caractéristiques des actes",
        "Engagements de la collectivité",
        "Engagements du représentant de l’État",
        "Renonciation",
        "article R2131-4",
        "Camille Moreau",
        "délibération n° 2026-45 du conseil municipal",
        "les dossiers d’urbanisme",
        "Fait en deux exemplaires originaux",
    ):
        assert clause in text, clause
    assert "documents budgétaires" not in text.lower()


def test_a_convention_on_budget_documents_says_from_which_year(journey: Journey) -> None:
    journey.to_contract(scope=["acts", "budget"])
    from tenants.onboarding.actions import convention

    values = journey.convention_values(natures=list("123456"), budget_from=2027)
    convention.prepare(values=values, **journey.who)

    assert "à compter de l’exercice 2027" in said(journey.case.convention.generated_pdf)


def test_the_letter_speaks_to_the_prefete(journey: Journey) -> None:
    journey.to_prepared()
    text = said(journey.case.convention.letter)

    assert "Madame la préfète," in text
    assert "en deux exemplaires originaux signés" in text


def test_the_pes_form_has_its_four_statements(journey: Journey) -> None:
    journey.to_helios_form()
    text = said(journey.case.helios.generated_pdf)

    for statement in (
        "Date de mise en œuvre",
        "Nature des données",
        "Dans les deux sens",
        "Renonciation",
        "079017",
    ):
        assert statement in text, statement


@pytest.mark.parametrize(
    "kind", ["membership", "in_house", "joint", "central", "direct", "adapted"]
)
def test_every_route_has_its_contract(journey: Journey, kind: str) -> None:
    journey.to_deliberation()
    case = journey.case
    case.route.kind = kind
    document = contract_paper.build(
        case, case.route, syndicat=directory.syndicat(), representative="Sylvie Rey", at=journey.at
    )
    text = spoken(render.to_pdf(document))
    assert "480,00 € hors taxes" in text
    assert ("Le titulaire" in text) is (kind in ("direct", "adapted"))


def test_a_real_operator_prints_no_exercise(journey: Journey) -> None:
    journey.to_prepared()
    case = journey.case
    case.operator.is_exercise = False
    document = convention_paper.build(
        case, case.convention, syndicat=directory.syndicat(), at=journey.at
    )
    assert document.exercise is False
    assert replace(document, exercise=True) != document


def test_the_editable_document_is_a_real_odt(journey: Journey) -> None:
    journey.to_deliberation()
    contract.draw_up(**journey.who)
    odt = documents.read(StoredFile.objects.get(pk=journey.case.route.generated_odt))

    assert sniff.sniff(odt) is sniff.Kind.ODT


@pytest.mark.parametrize(
    ("insee", "name"),
    [
        ("79174", "Commune de Melle"),
        ("79185", "Commune d’Aigondigné"),
        ("79346", "Commune du Vert"),
    ],
)
def test_communes_are_named_with_their_article(portal: Any, insee: str, name: str) -> None:
    body = Organisation.objects.filter(insee=insee).first()
    body = body or Organisation(insee=insee, name=name, kind="commune")
    assert wording.full_name(body) == name


def test_a_body_that_is_no_commune_bears_its_own_name() -> None:
    epci = Organisation(name="Communauté de communes Mellois en Poitou", kind="epci")
    assert wording.the_body(epci) == "l’établissement « Communauté de communes Mellois en Poitou »"
    assert (wording.assembly(epci), wording.head(epci)) == ("conseil communautaire", "le président")


def test_an_operator_says_its_homologation() -> None:
    from datetime import date

    from tenants.onboarding.papers import common

    operator = TransmissionOperator(
        name="S²LOW",
        company="Exploitant",
        trigram="ADU",
        homologation="arrêté",
        homologated_on=date(2016, 1, 11),
    )
    assert ("Homologation", "arrêté, du 11/01/2016") in common.device(operator).rows
