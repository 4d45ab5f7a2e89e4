"""The contract for the service: adhesion to the syndicat's, or a public contract."""

from datetime import datetime

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
    Style,
)
from socle.web import formats
from tenants.onboarding import wording
from tenants.onboarding.models import MARKETS, OnboardingCase, ProcurementRoute, Route
from tenants.onboarding.papers import common


def build(
    case: OnboardingCase,
    route: ProcurementRoute,
    *,
    syndicat: Organisation,
    representative: str,
    at: datetime,
) -> Document:
    """The contract in the terms of its route; `representative` signs for the body."""
    organisation = case.organisation
    market = route.kind in MARKETS
    return Document(
        title=_title(route),
        subtitle="Transmission électronique des actes et des flux comptables",
        issuer=common.letterhead(organisation) if market else common.syndicat_head(syndicat),
        reference=f"{_title(route).capitalize()} — {wording.full_name(organisation)}",
        at=at,
        exercise=case.operator is not None and case.operator.is_exercise,
        blocks=(
            Paragraph("Entre les soussignés", Style.CENTERED),
            common.identity(organisation, title="La collectivité"),
            _counterparty(case, route, syndicat),
            Paragraph("Il est convenu ce qui suit :"),
            Articles(_articles(case, route, syndicat)),
            _signatures(case, route, syndicat, representative),
        ),
    )


def counterparty(case: OnboardingCase, route: ProcurementRoute, syndicat: Organisation) -> str:
    """Who signs on the other side: the operator's company for a market, else the syndicat."""
    if route.kind in MARKETS and case.operator is not None:
        return case.operator.company
    return syndicat.name


def _title(route: ProcurementRoute) -> str:
    return {
        Route.MEMBERSHIP: "Convention d’adhésion au service mutualisé",
        Route.IN_HOUSE: "Contrat de quasi-régie",
        Route.JOINT: "Adhésion au groupement de commandes",
        Route.CENTRAL: "Adhésion à la centrale d’achat",
        Route.DIRECT: "Marché public de services",
        Route.ADAPTED: "Marché public de services",
    }[Route(route.kind)]


def _counterparty(case: OnboardingCase, route: ProcurementRoute, syndicat: Organisation) -> Fields:
    if route.kind in MARKETS:
        return common.device(case.operator, title="Le titulaire")
    return common.counterparty(syndicat, title="Le syndicat")


def _articles(
    case: OnboardingCase, route: ProcurementRoute, syndicat: Organisation
) -> tuple[Article, ...]:
    other = "le titulaire" if route.kind in MARKETS else "le syndicat"
    return (
        Article("Objet", (Paragraph(_purpose(case, syndicat, other)), _services(route))),
        Article("Fondement", (Paragraph(_basis(route)),)),
        Article("Prix", (Paragraph(_price(route)),)),
        Article(
            "Durée et retrait",
            (
                Paragraph(
                    "Le présent contrat prend effet à la date de la dernière signature, pour un "
                    "an. Il se renouvelle par tacite reconduction chaque 1er janvier, trois fois "
                    "au plus. La collectivité peut s’en retirer au 1er janvier, par un courrier "
                    "reçu trois mois avant."
                ),
            ),
        ),
        Article("Données personnelles", (Paragraph(_privacy(other)),)),
        Article(
            "Réversibilité",
            (
                Paragraph(
                    f"À la fin du contrat, {other} remet à la collectivité, dans un format ouvert, "
                    "ses actes, ses flux, leurs accusés de réception et le journal qui les prouve, "
                    "puis efface ses copies, hors durées légales de conservation."
                ),
            ),
        ),
    )


def _purpose(case: OnboardingCase, syndicat: Organisation, other: str) -> str:
    device = f"« {case.operator.name} »" if case.operator else "homologué"
    return (
        f"{other.capitalize()} met à la disposition de la collectivité le dispositif de "
        f"transmission {device}, conformément à l’article R2131-2-A du code général des "
        "collectivités territoriales. Le service comprend :"
    )


def _services(route: ProcurementRoute) -> Items:
    common_part = (
        "la transmission des actes au représentant de l’État et le retour des accusés ;",
        "la transmission des flux PES V2 au comptable public et le retour des acquits ;",
    )
    if route.kind in MARKETS:
        return Items((*common_part, "l’assistance aux utilisateurs les jours ouvrés."))
    mutual = (
        "l’enregistrement et la remise des certificats d’authentification ;",
        "la formation des agents et l’assistance les jours ouvrés.",
    )
    return Items((*common_part, *mutual))


def _basis(route: ProcurementRoute) -> str:
    return {
        Route.MEMBERSHIP: "Le service est rendu dans le cadre des statuts du syndicat, dont la "
        "collectivité est membre.",
        Route.IN_HOUSE: "Le contrat relève de la quasi-régie, au sens des articles L2511-1 et "
        "suivants du code de la commande publique.",
        Route.JOINT: "Le contrat relève d’un groupement de commandes, au sens des articles L2113-6 "
        "à L2113-8 du code de la commande publique.",
        Route.CENTRAL: "Le contrat relève d’une centrale d’achat, au sens des articles L2113-2 à "
        "L2113-5 du code de la commande publique.",
        Route.DIRECT: "Le marché est passé sans publicité ni mise en concurrence préalables, en "
        "application de l’article R2122-8 du code de la commande publique.",
        Route.ADAPTED: "Le marché est passé selon une procédure adaptée, en application de "
        "l’article R2123-1 du code de la commande publique.",
    }[Route(route.kind)]


def _price(route: ProcurementRoute) -> str:
    return (
        f"Le prix annuel est de {formats.euros(route.amount)} hors taxes ({route.tariff}). Il est "
        "payé à réception de la facture, par mandat administratif, dans les trente jours."
    )


def _privacy(other: str) -> str:
    return (
        f"Au sens du règlement (UE) 2016/679, la collectivité est responsable du traitement et "
        f"{other} sous-traitant (article 28) : il ne traite les données que sur instruction "
        "documentée, garantit leur confidentialité, notifie sans délai toute violation, ne "
        "recourt à un autre sous-traitant qu’avec l’accord de la collectivité et tient à sa "
        "disposition la preuve de ces engagements."
    )


def _signatures(
    case: OnboardingCase, route: ProcurementRoute, syndicat: Organisation, representative: str
) -> Signatures:
    head = wording.head(case.organisation).capitalize()
    return Signatures(
        (
            Signatory(f"Pour la collectivité, {head.lower()}", representative, "Signature, cachet"),
            Signatory(
                f"Pour {counterparty(case, route, syndicat)}", mention="Nom, signature, cachet"
            ),
        ),
        f"Fait en deux exemplaires, à {wording.BLANK}, le {wording.BLANK}",
    )
