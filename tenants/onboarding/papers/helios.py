"""The form by which a body adheres to the PES, for the comptable public."""

from datetime import datetime

from socle.core.identifiers import format_siret
from socle.directory.models import Organisation
from socle.documents.model import (
    Article,
    Articles,
    Document,
    Fields,
    Items,
    Paragraph,
    Signatory,
    Signatures,
)
from tenants.onboarding import wording
from tenants.onboarding.models import HeliosAdhesion, OnboardingCase
from tenants.onboarding.papers import common


def build(
    case: OnboardingCase,
    helios: HeliosAdhesion,
    *,
    syndicat: Organisation,
    representative: str,
    at: datetime,
) -> Document:
    """The form, with the four statements the order-giver makes to the accountant.

    Source: article D1617-23 CGCT and its implementing order (date, nature of data, mode of
    transmission in both directions, possibility of renouncing).
    """
    organisation = case.organisation
    return Document(
        title="Formulaire d’adhésion au PES\u00a0V2",
        subtitle="Protocole d’échange standard entre l’ordonnateur et le comptable public",
        issuer=common.letterhead(organisation),
        addressee=_accountant(organisation),
        reference=f"Adhésion PES — {wording.full_name(organisation)} — {helios.budget_label}",
        at=at,
        exercise=case.operator.is_exercise,
        blocks=(
            budget(helios),
            Paragraph(
                f"Le représentant légal de {wording.the_body(organisation)} déclare adhérer au "
                "protocole d’échange standard, en application de l’article D1617-23 du code "
                "général des collectivités territoriales, après l’accord de la DGFiP en date du "
                f"{wording.long_date(helios.agreed_on)}."
            ),
            Articles(tuple(_articles(case, helios, syndicat))),
            Signatures(
                (
                    Signatory(
                        f"{wording.head(organisation).capitalize()}, ordonnateur",
                        representative,
                        "Signature et cachet",
                    ),
                    Signatory("Le comptable public, pour réception", mention="Date et signature"),
                ),
                f"Fait à {organisation.name}, le {wording.BLANK}",
            ),
        ),
    )


def budget(helios: HeliosAdhesion) -> Fields:
    """The budget as HELIOS knows it."""
    return Fields(
        (
            ("Budget", helios.budget_label),
            ("SIRET du budget", format_siret(helios.siret)),
            ("Code collectivité (CodCol)", helios.cod_col),
            ("Code budget (CodBud)", helios.cod_bud),
            ("Poste comptable (IdPost)", helios.id_post),
            ("Nomenclature", helios.nomenclature),
            ("Logiciel financier", helios.software),
            ("Signature des bordereaux", "électronique" if helios.signs_pes else "manuscrite"),
        ),
        title="Budget concerné",
    )


def _accountant(organisation: Organisation) -> tuple[str, ...]:
    office = organisation.accounting_office
    return ("Comptable public", office.name, office.address) if office else ("Comptable public",)


def _articles(
    case: OnboardingCase, helios: HeliosAdhesion, syndicat: Organisation
) -> list[Article]:
    return [
        Article(
            "Date de mise en œuvre",
            (Paragraph(f"Les échanges commencent le {wording.long_date(helios.starts_on)}."),),
        ),
        Article(
            "Nature des données",
            (
                Paragraph("Sont transmis sous forme dématérialisée :"),
                Items(
                    (
                        "les bordereaux, mandats et titres (PES V2 aller) ;",
                        "les pièces justificatives jointes ;",
                        "en retour, les acquits et les données du comptable (PES V2 retour).",
                    )
                ),
            ),
        ),
        Article(
            "Mode de transmission",
            (
                Paragraph(
                    "Dans les deux sens, par le dispositif homologué "
                    f"« {case.operator.name} » exploité par {case.operator.company}, mis à "
                    f"disposition par {wording.the(syndicat.name)}."
                ),
            ),
        ),
        Article(
            "Renonciation",
            (
                Paragraph(
                    "L’ordonnateur peut renoncer à ces échanges en le notifiant par écrit au "
                    "comptable public avec la date d’effet ; les échanges se font alors sur papier "
                    "à compter de cette date."
                ),
            ),
        ),
    ]
