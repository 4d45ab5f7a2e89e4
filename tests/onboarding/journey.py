"""The road of one commune, to be walked as far as a test needs."""

import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.delivery.models import TransmissionOperator
from socle.directory.models import Contact, Organisation
from tenants.onboarding import queries
from tenants.onboarding.actions import cases, contract, convention, deliberation, helios
from tenants.onboarding.models import OnboardingCase
from tests.documents import pdfs
from tests.people import person

VOTE = {
    "in_office": 29,
    "present": 20,
    "represented": 4,
    "voting": 24,
    "votes_for": 22,
    "votes_against": 1,
    "abstentions": 1,
}


def scan(text: str = "signé") -> io.BytesIO:
    """A scanned paper; another text is another content."""
    return io.BytesIO(pdfs.plain(text=text))


def complete(organisation: Organisation) -> None:
    """Write what the directory lacks about a body, its mayor and one contact."""
    Organisation.objects.filter(pk=organisation.pk).update(
        siret=f"{organisation.siren}00012",
        address="Place Bujault",
        phone="05 49 00 00 00",
        email="mairie@melle.test",
    )
    Contact.objects.create(
        organisation=organisation,
        first_name="Sylvie",
        last_name="Rey",
        function="Maire",
        email="maire@melle.test",
        phone="05 49 00 00 01",
        is_legal_representative=True,
    )


class Journey:
    """One case and the days of its papers: everything happens before `at`, a day apart."""

    def __init__(self, organisation: Organisation, syndicat: Organisation, at: datetime) -> None:
        complete(organisation)
        organisation.refresh_from_db()
        self.organisation, self.at = organisation, at
        self.officer: Person = person(Role.OFFICER, at=syndicat)
        self.operator = TransmissionOperator.objects.get(code="exercice")
        self.case_id = cases.open_case(organisation=organisation, by=self.officer, at=at).pk
        today = legal_date(at)
        self.session, self.transmitted = today - timedelta(days=30), today - timedelta(days=25)
        self.contracted, self.signed = today - timedelta(days=20), today - timedelta(days=15)
        self.sent, self.by_prefet = today - timedelta(days=14), today - timedelta(days=5)
        self.starts = today - timedelta(days=4)

    @property
    def case(self) -> OnboardingCase:
        return queries.case(self.case_id)

    @property
    def who(self) -> dict[str, Any]:
        return {"case_id": self.case_id, "by": self.officer, "at": self.at}

    def states(self) -> dict[str, str]:
        return {one.code: one.state for one in self.case.steps.all()}

    def step(self, code: str) -> Any:
        return self.case.steps.get(code=code)

    def to_operator(self) -> "Journey":
        values = {"kind": "membership", "tariff": "3 500 hab. et plus", "amount": Decimal(480)}
        contract.propose(values=values, **self.who)
        contract.accept_tariff(on=legal_date(self.at), name="Sylvie Rey, maire", **self.who)
        cases.choose_operator(operator=self.operator, **self.who)
        return self

    def deliberation_values(self, **others: Any) -> dict[str, Any]:
        return {
            "number": "2026-45",
            "convened_on": self.session - timedelta(days=6),
            "session_on": self.session,
            "place": "la mairie de Melle",
            "president": "Sylvie Rey",
            "secretary": "Paul Martin",
            "scope": ["acts", "helios"],
            "authorisations": ["use", "join", "convention", "amendments", "transmitters"],
            **VOTE,
            **others,
        }

    def to_deliberation(self, **others: Any) -> "Journey":
        self.to_operator()
        deliberation.write(values=self.deliberation_values(**others), **self.who)
        deliberation.sign(copy=scan("délibération"), name="deliberation.pdf", **self.who)
        deliberation.record_transmission(
            on=self.transmitted, channel="paper", proof=scan("reçu"), name="recu.pdf", **self.who
        )
        return self

    def to_contract(self, **others: Any) -> "Journey":
        self.to_deliberation(**others)
        contract.draw_up(**self.who)
        signed = {"on": self.contracted, "name": "contrat.pdf"}
        contract.sign_by_commune(signatory="Sylvie Rey", copy=scan("un"), **signed, **self.who)
        contract.countersign(signatory="Le président", copy=scan("deux"), **signed, **self.who)
        return self

    def convention_values(self, **others: Any) -> dict[str, Any]:
        return {
            "prefet_name": "Camille Moreau",
            "prefet_title": "Préfète des Deux-Sèvres",
            "prefecture_address": "4 rue Du Guesclin, 79000 Niort",
            "prefecture_email": "pref-actes@deux-sevres.test",
            "state_referent": "",
            "representative_name": "Sylvie Rey",
            "representative_quality": "Maire",
            "referent_name": "Nathalie Petit",
            "referent_function": "Secrétaire de mairie",
            "referent_phone": "05 49 00 00 02",
            "referent_email": "secretariat@melle.test",
            "natures": ["1", "2", "3", "4", "6"],
            "budget_from": None,
            "exclusions": "les dossiers d’urbanisme",
            "starts_on": self.starts,
            **others,
        }

    def to_prepared(self, **others: Any) -> "Journey":
        self.to_contract()
        convention.prepare(values=self.convention_values(**others), **self.who)
        return self

    def sign_convention(self, on: date | None = None, **others: Any) -> Any:
        given = {"copy": scan("convention"), "name": "convention.pdf", **others}
        return convention.sign_by_collectivite(
            on=on or self.signed, signatory="Sylvie Rey", **given, **self.who
        )

    def to_prefecture(self) -> "Journey":
        self.to_prepared()
        self.sign_convention()
        convention.send(on=self.sent, channel="post", **self.who)
        return self

    def sign_prefet(self, **others: Any) -> Any:
        given = {"on": self.by_prefet, "starts_on": self.starts, **others}
        return convention.sign_by_prefet(signatory="Camille Moreau, préfète", **given, **self.who)

    def to_convention(self) -> "Journey":
        self.to_prefecture()
        self.sign_prefet()
        convention.receive_copy(copy=scan("des deux"), name="convention.pdf", **self.who)
        return self

    def to_active(self) -> "Journey":
        self.to_convention()
        cases.date_step(code="A5", on=legal_date(self.at), **self.who)
        return self

    def helios_values(self, **others: Any) -> dict[str, Any]:
        return {
            "budget_label": "Budget principal",
            "siret": self.organisation.siret,
            "cod_col": "123",
            "cod_bud": "00",
            "id_post": "079017",
            "nomenclature": "M57",
            "software": "Logiciel de gestion",
            "signs_pes": False,
            "starts_on": self.starts,
            **others,
        }

    def to_helios_form(self) -> "Journey":
        self.to_operator()
        helios.write_sheet(values=self.helios_values(), **self.who)
        helios.record_agreement(on=self.transmitted, name="SGC de Melle", **self.who)
        helios.draw_up(**self.who)
        return self

    def sign_helios(self, on: date | None = None) -> Any:
        return helios.sign(
            on=on or self.signed, signatory="Sylvie Rey", copy=scan(), name="pes.pdf", **self.who
        )
