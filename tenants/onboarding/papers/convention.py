"""The convention with the préfet (CGCT R2131-3), and the letter that goes with it."""

from datetime import datetime

from socle.core.identifiers import format_siren
from socle.directory.models import Organisation
from socle.documents.model import (
    Article,
    Articles,
    Block,
    Document,
    Fields,
    Heading,
    Items,
    Letterhead,
    PageBreak,
    Paragraph,
    Signatory,
    Signatures,
)
from tenants.onboarding import wording
from tenants.onboarding.models import MARKETS, ActesConvention, OnboardingCase
from tenants.onboarding.papers import common

NATURES: dict[str, str] = {
    "1": "délibérations",
    "2": "actes réglementaires",
    "3": "actes individuels",
    "4": "contrats, conventions et avenants",
    "5": "documents budgétaires et financiers",
    "6": "autres actes",
}
"""The natures of acts of @CTES, by their code."""


def build(
    case: OnboardingCase, convention: ActesConvention, *, syndicat: Organisation, at: datetime
) -> Document:
    """The convention with its mandatory clauses a to d (CGCT R2131-3), in two originals."""
    organisation = case.organisation
    return Document(
        title="Convention",
        subtitle=f"pour la transmission électronique des actes de {wording.the_body(organisation)} "
        "au représentant de l’État",
        issuer=Letterhead(convention.prefet_title, over=("République française",)),
        reference=f"Convention @CTES — {wording.full_name(organisation)}",
        at=at,
        exercise=case.operator.is_exercise,
        blocks=(
            Paragraph(
                "Vu le code général des collectivités territoriales, notamment ses articles "
                "L2131-1, L2131-2 et R2131-1 à R2131-4 ;"
            ),
            Paragraph(
                "Vu l’arrêté du 26 octobre 2005 modifié portant approbation d’un cahier des "
                "charges des dispositifs de télétransmission des actes soumis au contrôle de "
                "légalité et fixant une procédure d’homologation de ces dispositifs ;"
            ),
            Paragraph(f"Vu {_deliberation(case)} ;"),
            Paragraph("Il est convenu ce qui suit :"),
            Heading("Parties"),
            _state(convention),
            _body(organisation, convention),
            PageBreak(),
            Heading("Dispositif de transmission"),
            *_device(case, syndicat),
            Heading("Clauses"),
            Articles(tuple(_articles(case, convention))),
            _signatures(organisation, convention),
        ),
    )


def letter(case: OnboardingCase, convention: ActesConvention, *, at: datetime) -> Document:
    """The letter by which the body sends its convention to the préfecture."""
    organisation = case.organisation
    return Document(
        title="Convention de transmission électronique des actes",
        issuer=common.letterhead(organisation),
        addressee=(
            f"{convention.prefet_title}",
            *(line.strip() for line in convention.prefecture_address.split(",")),
        ),
        place_and_date=f"{organisation.name}, le {wording.BLANK}",
        reference=f"{wording.full_name(organisation)} — {format_siren(organisation.siren)}",
        at=at,
        exercise=case.operator.is_exercise,
        blocks=(
            Paragraph(f"{_salutation(convention)},"),
            Paragraph(
                f"Par {_deliberation(case)}, notre assemblée a décidé de transmettre ses actes par "
                "voie électronique. J’ai l’honneur de vous adresser, pour signature :"
            ),
            Items(
                (
                    "la convention prévue à l’article R2131-3 du code général des collectivités "
                    "territoriales, en deux exemplaires originaux signés par nos soins ;",
                    "la copie de la délibération exécutoire ;",
                    f"les références du dispositif homologué « {case.operator.name} ».",
                )
            ),
            Paragraph(
                "Je vous serais obligé de bien vouloir nous retourner un exemplaire signé. Notre "
                f"référent est {convention.referent_name}, {convention.referent_function} "
                f"({convention.referent_phone}, {convention.referent_email})."
            ),
            Paragraph(
                f"Je vous prie d’agréer, {_salutation(convention)}, l’expression de ma haute "
                "considération."
            ),
            Signatures(
                (Signatory(convention.representative_quality, convention.representative_name),)
            ),
        ),
    )


def _salutation(convention: ActesConvention) -> str:
    female = convention.prefet_title.lower().startswith(("préfète", "la préfète", "madame"))
    return "Madame la préfète" if female else "Monsieur le préfet"


def _deliberation(case: OnboardingCase) -> str:
    one = case.deliberation
    assembly = wording.assembly(case.organisation)
    return (
        f"la délibération n° {one.number} du {assembly} en date du "
        f"{wording.long_date(one.session_on)}"
    )


def _state(convention: ActesConvention) -> Fields:
    rows = (
        ("Représentant de l’État", f"{convention.prefet_name}, {convention.prefet_title}"),
        ("Adresse", convention.prefecture_address),
        ("Courriel", convention.prefecture_email),
        ("Référent @CTES", convention.state_referent),
    )
    return Fields(tuple((label, value) for label, value in rows if value), title="L’État")


def _body(organisation: Organisation, convention: ActesConvention) -> Fields:
    identity = common.identity(organisation, title="La collectivité")
    return Fields(
        (
            *identity.rows,
            (
                "Représentée par",
                f"{convention.representative_name}, {convention.representative_quality}",
            ),
            (
                "Référent",
                f"{convention.referent_name}, {convention.referent_function}, "
                f"{convention.referent_phone}, {convention.referent_email}",
            ),
        ),
        title=identity.title,
    )


def _device(case: OnboardingCase, syndicat: Organisation) -> list[Block]:
    signed = case.route.signed_by_counterparty_on
    contract = "Contrat" if case.route.kind in MARKETS else "Adhésion à cet opérateur"
    return [
        common.device(case.operator, title="Références du dispositif homologué"),
        common.mutualisation(syndicat),
        Fields(((contract, wording.long_date(signed)),)),
    ]


def _articles(case: OnboardingCase, convention: ActesConvention) -> list[Article]:
    articles = [
        _article(
            "Objet",
            "La présente convention fixe les conditions dans lesquelles la collectivité transmet "
            "ses actes par voie électronique au représentant de l’État, en application de "
            "l’article L2131-1 du code général des collectivités territoriales.",
        ),
        Article(
            "Date de raccordement",
            (
                Paragraph(
                    "La transmission électronique commence le "
                    f"{wording.long_date(convention.starts_on)}."
                ),
            ),
        ),
        Article("Nature et caractéristiques des actes", tuple(_scope(convention))),
        Article("Engagements de la collectivité", (_commitments(),)),
        Article("Engagements du représentant de l’État", (_state_commitments(),)),
        _article(
            "Signature et conservation des originaux",
            "La signature électronique des actes est facultative. Sans elle, l’acte transmis porte "
            "le nom et la qualité de son signataire, et la collectivité tient l’original "
            "manuscrit à la disposition du représentant de l’État.",
        ),
        _article(
            "Interruptions et secours",
            "Les interruptions programmées sont annoncées aux référents. En cas d’interruption du "
            "dispositif ou du service de l’État, la collectivité transmet ses actes sur papier ; "
            "un acte déjà transmis ainsi ne l’est pas de nouveau par voie électronique.",
        ),
        *_budget(convention),
        _article(
            "Suspension",
            "Le représentant de l’État peut suspendre tout ou partie de l’application de la "
            "convention en cas d’altération grave du dispositif, d’actes illisibles ou lorsque les "
            "conditions de l’homologation ne sont plus réunies (article R2131-4). La suspension "
            "est notifiée par écrit ; les actes concernés sont alors transmis sur papier.",
        ),
        _article(
            "Renonciation",
            "La collectivité peut renoncer à la transmission électronique, pour tout ou partie des "
            "actes, en le notifiant par écrit au représentant de l’État avec la date d’effet. Elle "
            "transmet sur papier à compter de cette date, et conserve les accusés de réception "
            "déjà reçus.",
        ),
        _article(
            "Durée et modification",
            "La convention est conclue pour un an à compter de la date de raccordement et se "
            "renouvelle par tacite reconduction. Elle est modifiée par avenant, notamment en cas "
            "de changement de dispositif, d’extension du périmètre ou de changement des parties.",
        ),
    ]
    return articles


def _article(title: str, text: str) -> Article:
    return Article(title, (Paragraph(text),))


def _scope(convention: ActesConvention) -> list[Block]:
    covered = [label for code, label in NATURES.items() if code in convention.natures]
    lines = (*(f"{label} ;" for label in covered[:-1]), f"{covered[-1]}.")
    blocks: list[Block] = [
        Paragraph("Sont transmis par voie électronique les actes suivants :"),
        Items(lines),
    ]
    if convention.exclusions:
        blocks.append(Paragraph(f"Restent transmis sur papier : {convention.exclusions}."))
    blocks.append(
        Paragraph(
            "Chaque acte est transmis une seule fois, en un fichier PDF ou XML accompagné de ses "
            "annexes, sans dépasser 150 Mo, avec son numéro, sa date, son objet, sa nature et sa "
            "matière dans la nomenclature de la préfecture."
        )
    )
    return blocks


def _commitments() -> Items:
    return Items(
        (
            "transmettre les actes par le seul dispositif désigné ci-dessus, sans double envoi ;",
            "numéroter ses actes selon une règle stable et ne donner un numéro qu’une fois ;",
            "utiliser la nomenclature des matières publiée par la préfecture ;",
            "réserver l’accès aux agents désignés, munis d’un certificat d’authentification ;",
            "ne pas divulguer les adresses et les informations techniques de connexion ;",
            "signaler sans délai tout changement de référent ou d’opérateur.",
        )
    )


def _state_commitments() -> Items:
    return Items(
        (
            "délivrer un accusé de réception électronique de chaque acte, avec son identifiant et "
            "sa date ;",
            "tenir à jour la nomenclature des matières et en annoncer les changements ;",
            "répondre par la même voie aux actes reçus par voie électronique ;",
            "assister le référent de la collectivité pour les premiers envois.",
        )
    )


def _budget(convention: ActesConvention) -> list[Article]:
    if "5" not in convention.natures:
        return []
    since = f" à compter de l’exercice {convention.budget_from}" if convention.budget_from else ""
    return [
        _article(
            "Documents budgétaires",
            f"Les documents budgétaires sont transmis{since} au format XML produit par le logiciel "
            "financier ou par TotEM, dans la même enveloppe que la délibération qui les approuve. "
            "Tous les documents d’un même exercice suivent la même voie.",
        )
    ]


def _signatures(organisation: Organisation, convention: ActesConvention) -> Signatures:
    return Signatures(
        (
            Signatory(
                convention.representative_quality,
                convention.representative_name,
                "Date, signature et cachet",
            ),
            Signatory(convention.prefet_title, convention.prefet_name, "Date, signature et cachet"),
        ),
        "Fait en deux exemplaires originaux",
    )
