"""The pages on both sides: what they say, what they refuse, what they cost."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.core.clock import legal_date
from socle.directory.models import Organisation
from socle.journal.models import Entry
from socle.notices import todos
from tenants.onboarding.actions import cases, contract, convention, deliberation
from tenants.onboarding.models import OnboardingCase, StepRecord
from tests.documents import pdfs
from tests.onboarding.journey import Journey, scan
from tests.people import Browser, in_town, on_portal, person


@pytest.fixture
def officer(journey: Journey) -> Browser:
    return on_portal(journey.officer)


@pytest.fixture
def agent(journey: Journey) -> Browser:
    """The secretary of Melle, in her commune's space."""
    who = person(
        Role.TRANSMITTER, at=journey.organisation, function="Secrétaire", phone="05 49 00 00 02"
    )
    return in_town(journey.organisation.tenant, who)


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return re.sub(r"\s+", " ", response.content.decode())


def upload(content: bytes | None = None, name: str = "signe.pdf") -> SimpleUploadedFile:
    content = pdfs.plain(text="signé") if content is None else content
    return SimpleUploadedFile(name, content, "application/pdf")


# The portal


def test_the_list_says_who_is_waited_for(officer: Browser) -> None:
    page = text(officer.get("/raccordements/"))

    assert "Melle" in page
    assert "Adhésion et tarif" in page
    assert "Dossiers par état" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q=mell", True),
        ("q=lezay", False),
        ("owner=syndicat", True),
        ("owner=prefecture", False),
        ("track=actes", True),
        ("track=helios", False),
        ("state=in_progress", True),
        ("state=live", False),
        ("late=on", False),
    ],
)
def test_the_list_is_filtered(officer: Browser, query: str, shown: bool) -> None:
    StepRecord.objects.update(due_on=legal_date(timezone.now()))
    page = text(officer.get(f"/raccordements/?{query}"))
    assert ("Aucun dossier ne répond" not in page) is shown


def test_a_late_step_is_found(officer: Browser, journey: Journey) -> None:
    long_ago = legal_date(timezone.now()) - timedelta(days=3)
    StepRecord.objects.filter(case=journey.case_id, code="A1").update(due_on=long_ago)

    assert "Melle" in text(officer.get("/raccordements/?late=on"))


def test_the_list_costs_few_queries(
    officer: Browser, journey: Journey, django_assert_max_num_queries: Any
) -> None:
    bodies = Organisation.objects.filter(kind="commune").exclude(pk=journey.organisation.pk)[:30]
    opened = OnboardingCase.objects.bulk_create(
        OnboardingCase(organisation=body, opened_at=journey.at, opened_by=journey.officer)
        for body in bodies
    )
    StepRecord.objects.bulk_create(
        StepRecord(
            case=case,
            code="A0",
            state="current",
            waits_for="syndicat",
            reason="Il manque le SIRET.",
            due_on=legal_date(journey.at),
        )
        for case in opened
    )
    officer.get("/raccordements/")  # the host is now remembered, as it is all day
    with django_assert_max_num_queries(12):
        officer.get("/raccordements/")


def test_the_page_of_a_case_shows_four_tracks_and_the_next_button(
    officer: Browser, journey: Journey
) -> None:
    page = text(officer.get(f"/raccordements/{journey.case_id}/"))

    for track in ("Convention @CTES", "Certificats et formation", "HELIOS", "Mise en service"):
        assert track in page
    assert "Proposer la voie d’accès et le tarif" in page
    assert "1 étape sur" in page


def test_an_auditor_reads_but_does_nothing(journey: Journey, syndicat: Any) -> None:
    auditor = on_portal(person(Role.AUDITOR, at=syndicat))

    assert "Proposer la voie" not in text(auditor.get(f"/raccordements/{journey.case_id}/"))
    assert auditor.get(f"/raccordements/{journey.case_id}/tarif/").status_code == 403
    assert auditor.get("/raccordements/ouvrir/").status_code == 403


def test_a_trainer_does_not_come_in(journey: Journey, syndicat: Any) -> None:
    trainer = on_portal(person(Role.TRAINER, at=syndicat))

    assert trainer.get("/raccordements/").status_code == 403
    assert trainer.get(f"/raccordements/{journey.case_id}/").status_code == 403


def test_an_officer_opens_a_case(officer: Browser, lezay: Organisation) -> None:
    page = officer.post("/raccordements/ouvrir/", {"organisation": lezay.pk}, follow=True)

    assert "Le dossier de « Lezay » est ouvert." in text(page)
    assert "Il manque le SIRET" in text(page)


def test_a_step_forced_by_its_address_is_refused_and_journalled(
    officer: Browser, journey: Journey
) -> None:
    page = text(
        officer.post(
            f"/raccordements/{journey.case_id}/convention/signee/",
            {"on": "2026-11-01", "signatory": "S. Rey", "copy": upload()},
        )
    )

    assert "attend l’étape « Adhésion et tarif »" in page
    assert Entry.objects.filter(event="refused.sign_by_collectivite").exists()


def test_the_convention_is_filled_from_the_directory(officer: Browser, journey: Journey) -> None:
    journey.to_contract()
    page = text(officer.get(f"/raccordements/{journey.case_id}/convention/"))

    assert "Préfet des Deux-Sèvres" in page
    assert "Sylvie Rey" in page


def test_an_officer_prepares_the_convention(officer: Browser, journey: Journey) -> None:
    journey.to_contract()
    values = {k: v for k, v in journey.convention_values().items() if v is not None}
    officer.post(f"/raccordements/{journey.case_id}/convention/", values)

    page = text(officer.get(f"/raccordements/{journey.case_id}/"))
    assert "Convention à signer (PDF)" in page
    assert "Lettre d’envoi à modifier (ODT)" in page


@pytest.mark.parametrize("code", ["A0", "A2", "C1"])
def test_a_sheet_is_printed(officer: Browser, journey: Journey, code: str) -> None:
    journey.to_operator()
    response = officer.get(f"/raccordements/{journey.case_id}/fiches/{code}.pdf")

    assert response.headers["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")


@pytest.mark.parametrize("code", ["A5", "T1", "Z", "H1", "X9"])
def test_a_sheet_that_knows_nothing_yet_is_not_found(
    officer: Browser, journey: Journey, code: str
) -> None:
    assert officer.get(f"/raccordements/{journey.case_id}/fiches/{code}.pdf").status_code == 404


def test_every_sheet_is_printed_at_the_end(officer: Browser, journey: Journey) -> None:
    from tenants.onboarding.actions import helios
    from tenants.onboarding.papers import sheets

    journey.to_active()
    helios.write_sheet(values=journey.helios_values(), **journey.who)
    convention.renounce(on=legal_date(journey.at), **journey.who)
    for code in sheets.TITLES:
        address = f"/raccordements/{journey.case_id}/fiches/{code}.pdf"
        assert officer.get(address).status_code == 200, code


def test_every_step_has_its_page(officer: Browser, agent: Browser, journey: Journey) -> None:
    for code in journey.states():
        text(officer.get(f"/raccordements/{journey.case_id}/etapes/{code}/"))
        text(agent.get(f"/raccordement/etapes/{code}/"))


def test_a_closed_case_is_read_only(officer: Browser, journey: Journey) -> None:
    cases.close_case(reason="fusion", **journey.who)
    page = text(officer.get(f"/raccordements/{journey.case_id}/"))

    assert "fusion" in page
    assert "Clore le dossier" not in page


def test_the_officer_is_told_of_conventions_to_send(journey: Journey, portal: Any) -> None:
    journey.to_prepared()
    journey.sign_convention()

    page = text(on_portal(journey.officer).get("/"))
    assert "convention signée est à envoyer à la préfecture" in page
    assert "raccordement attend une action du syndicat" in page
    link = "/raccordements/?track=actes&amp;owner=syndicat"
    assert link in page
    assert "Melle" in text(on_portal(journey.officer).get(link.replace("&amp;", "&")))


# The commune


def test_the_commune_sees_three_things_to_do_at_most(agent: Browser, journey: Journey) -> None:
    journey.to_operator()
    page = text(agent.get("/raccordement/"))

    assert page.count(">Détail</a>") <= 3
    assert "Remplir la délibération" in page
    assert "Ce qui attend les autres" in page


def test_the_commune_writes_its_deliberation_and_downloads_it(
    agent: Browser, journey: Journey
) -> None:
    journey.to_operator()
    values = journey.deliberation_values()
    response = agent.post("/raccordement/deliberation/", values)
    assert response.status_code == 302

    pdf = agent.get("/raccordement/fichiers/deliberation/generated_pdf/")
    odt = agent.get("/raccordement/fichiers/deliberation/generated_odt/")
    assert b"".join(pdf.streaming_content).startswith(b"%PDF-")
    assert b"".join(odt.streaming_content).startswith(b"PK")
    assert "deliberation-melle.pdf" in pdf.headers["Content-Disposition"]


def test_votes_that_do_not_add_up_are_told_in_the_form(agent: Browser, journey: Journey) -> None:
    journey.to_operator()
    page = text(
        agent.post("/raccordement/deliberation/", journey.deliberation_values(votes_for=25))
    )

    assert "27 voix et abstentions pour 24 votants" in page


def test_half_a_vote_is_told_in_the_form(agent: Browser, journey: Journey) -> None:
    journey.to_operator()
    page = text(
        agent.post("/raccordement/deliberation/", journey.deliberation_values(abstentions=""))
    )

    assert "zéro compris, ou aucun" in page


def test_a_signed_copy_that_is_no_pdf_is_told_at_its_field(
    agent: Browser, journey: Journey
) -> None:
    journey.to_contract()
    convention.prepare(values=journey.convention_values(), **journey.who)
    page = text(
        agent.post(
            "/raccordement/convention/",
            {
                "on": journey.signed.isoformat(),
                "signatory": "Sylvie Rey",
                "copy": upload(b"PK\x03\x04 not a PDF"),
            },
        )
    )

    assert "n’est pas un PDF" in page
    assert journey.case.convention.collectivite_copy is None


def test_the_commune_returns_the_signed_convention(agent: Browser, journey: Journey) -> None:
    journey.to_prepared()
    assert "Convention à signer (PDF)" in text(agent.get("/raccordement/"))
    given = {"on": journey.signed.isoformat(), "signatory": "Sylvie Rey", "copy": upload()}
    page = text(agent.post("/raccordement/convention/", given, follow=True))

    assert "L’exemplaire signé est déposé." in page
    assert journey.case.convention.signed_by_collectivite_name == "Sylvie Rey"
    assert "Convention avec la préfecture. Il manque l’envoi" in page


def test_the_commune_accepts_the_price_it_reads(agent: Browser, journey: Journey) -> None:
    from decimal import Decimal

    values = {"kind": "membership", "tariff": "3 500 hab. et plus", "amount": Decimal(480)}
    contract.propose(values=values, **journey.who)
    assert "480,00 € HT par an" in text(agent.get("/raccordement/tarif/"))
    given = {"on": legal_date(timezone.now()).isoformat(), "name": "Sylvie Rey"}
    assert agent.post("/raccordement/tarif/", given).status_code == 302
    assert journey.case.route.tariff_accepted_by == "Sylvie Rey"


def test_the_commune_does_not_date_the_steps_of_the_syndicat(
    agent: Browser, journey: Journey
) -> None:
    journey.to_convention()
    assert agent.get("/raccordement/etapes/A5/date/").status_code == 403


def test_a_preparer_does_not_come_in(journey: Journey) -> None:
    who = person(Role.PREPARER, at=journey.organisation)
    browser = in_town(journey.organisation.tenant, who)

    assert browser.get("/raccordement/").status_code == 403


def test_a_neighbour_never_sees_the_papers_of_another_commune(
    journey: Journey, neighbour: Any
) -> None:
    journey.to_deliberation()
    who = person(Role.TRANSMITTER, at=neighbour.organisation)
    browser = in_town(neighbour, who)

    assert "Aucun dossier de raccordement" in text(browser.get("/raccordement/"))
    address = "/raccordement/fichiers/deliberation/signed_copy/"
    assert browser.get(address).status_code == 404


def test_the_commune_is_told_of_its_steps(journey: Journey, agent: Browser) -> None:
    journey.to_operator()

    assert "étapes de votre raccordement attendent la commune" in text(agent.get("/"))


def test_the_commune_is_told_of_papers_to_sign(journey: Journey, agent: Browser) -> None:
    journey.to_prepared()
    assert "document est à signer et à retourner au syndicat" in text(agent.get("/"))

    journey.sign_convention()
    assert "à signer et à retourner" not in text(agent.get("/"))


def test_a_project_of_deliberation_is_not_to_sign_yet(journey: Journey, agent: Browser) -> None:
    journey.to_operator()
    deliberation.write(values=journey.deliberation_values(number=""), **journey.who)

    assert "à signer et à retourner" not in text(agent.get("/"))


def test_the_contract_drawn_up_waits_for_its_signature(agent: Browser, journey: Journey) -> None:
    journey.to_deliberation()
    contract.draw_up(**journey.who)
    contract.sign_by_commune(
        on=journey.contracted, signatory="S. Rey", copy=scan(), name="c.pdf", **journey.who
    )
    page = text(agent.get("/raccordement/"))

    assert "Il manque l’autre signature du contrat" in page


def test_providers_are_registered(portal: Any) -> None:
    names = {provider.__name__ for _, _, provider in todos._providers}
    assert {"officer_todos", "commune_todos"} <= names
