"""The two communes and the syndicat every database test finds."""

from datetime import UTC, date, datetime

from socle.delivery.models import TransmissionOperator
from socle.directory import cog, imports
from socle.directory.facts import load
from socle.directory.models import Membership, Organisation, OrganisationKind
from tenants.provisioning import provision

MELLOIS = "200069755"
SOME_DAY = datetime(2026, 1, 5, 9, tzinfo=UTC)


def build() -> None:
    """Load the communes of the Mellois, make them members, provision three tenants."""
    facts = load()
    imports.run(by="tests", at=SOME_DAY, wanted=cog.territory(facts, epcis=[MELLOIS]))
    syndicat = Organisation.objects.create(
        siren="257902338",
        siret="25790233800017",
        name="Syndicat mixte de démonstration",
        kind=OrganisationKind.SYNDICAT,
        nature="41",
        departement="079",
        arrondissement="3",
        address="1 place de l’Exercice",
        postal_code="79500",
    )
    communes = Organisation.objects.filter(kind=OrganisationKind.COMMUNE)
    Membership.objects.bulk_create(
        Membership(organisation=commune, joined_on=date(2026, 1, 1)) for commune in communes
    )
    TransmissionOperator.objects.create(
        code="exercice",
        name="Opérateur d’exercice",
        adapter="exercise",
        trigram="EXE",
        company="Socle",
        return_address="retours@exercice.test",
        is_exercise=True,
        requires_certificate=False,
    )
    for organisation in (
        Organisation.objects.get(siren="200081511"),
        Organisation.objects.get(insee="79061"),
        syndicat,
    ):
        provision(organisation=organisation, by="tests", at=SOME_DAY)
