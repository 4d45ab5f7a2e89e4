"""The classification of the practice préfecture, and the two messages that carry it.

Matières stop at the two national levels. Types of pieces are a working choice per nature.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from socle.exercise.protocol import actes_xml as xml


@dataclass(frozen=True, slots=True)
class Nature:
    """A nature of act, its abbreviation in names, the types of its pieces (code → label)."""

    code: int
    label: str
    abbreviation: str
    piece_types: dict[str, str]


@dataclass(frozen=True, slots=True)
class Classification:
    """One dated version: natures by code, matières by (level 1, level 2 or 0 for a heading)."""

    day: date
    natures: dict[int, Nature]
    matters: dict[tuple[int, int], str]


_SIGNATURE: Final = {"99_SE": "Fichier de signature électronique"}
_PLANNING: Final = {
    "21_DA": "Décision arrêtant le projet",
    "21_DB": "Débat d'orientation",
    "21_DE": "Délibération de prescription",
    "21_DO": "Document d'orientation et d'objectifs",
    "21_EP": "Enquête publique",
    "21_PA": "Projet d'aménagement et de développement durables",
    "21_RP": "Rapport de présentation",
}
_NATURES: Final = (
    Nature(
        1,
        "Délibérations",
        "DE",
        {
            "99_DE": "Délibération",
            **_SIGNATURE,
            **_PLANNING,
            "23_DE": "Délibération instituant le droit de préemption",
            "23_IA": "Intention d'aliéner",
            "31_DE": "Désignation du bien",
            "31_DP": "Document préparatoire",
            "41_RA": "Règlement applicable aux agents",
            "42_DE": "Délibération créant l'emploi",
            "70_DE": "Délibération budgétaire",
        },
    ),
    Nature(
        2, "Actes réglementaires", "AR", {"99_AR": "Acte réglementaire", **_SIGNATURE, **_PLANNING}
    ),
    Nature(
        3,
        "Actes individuels",
        "AI",
        {
            "99_AI": "Acte individuel",
            **_SIGNATURE,
            "22_AT": "Attestation",
            "22_AV": "Avis",
            "22_PE": "Permis",
            "22_DN": "Décision de non-opposition",
            "41_AT": "Attestation de l'agent",
            "41_CA": "Avis de la commission administrative paritaire",
            "41_NC": "Notification de création ou de vacance de poste",
            "42_AT": "Attestation du contractuel",
        },
    ),
    Nature(
        4,
        "Contrats, conventions et avenants",
        "CC",
        {
            "99_DC": "Contrat, convention ou avenant",
            **_SIGNATURE,
            "10_AV": "Avenant au contrat",
            "10_DE": "Délibération autorisant le contrat",
            "11_AE": "Acte d'engagement",
            "11_AP": "Cahier des clauses administratives particulières",
            "11_AV": "Avis du jury de concours",
            "11_PV": "Procès-verbal de la commission d'appel d'offres",
            "11_RP": "Rapport de présentation du marché",
            "11_TP": "Cahier des clauses techniques particulières",
            "33_CC": "Cahier des charges de la location",
        },
    ),
    Nature(
        5,
        "Documents budgétaires et financiers",
        "BF",
        {"99_BU": "Document budgétaire", **_SIGNATURE, "70_DE": "Délibération"},
    ),
    Nature(6, "Autres", "AU", {"99_AU": "Autre document", **_SIGNATURE}),
)
_HEADINGS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "Commande publique",
        (
            "Marchés publics",
            "Délégation de service public",
            "Conventions de mandat",
            "Autres types de contrats",
            "Transactions",
            "Maîtrise d'œuvre",
            "Actes spéciaux et divers",
        ),
    ),
    (
        "Urbanisme",
        (
            "Documents d'urbanisme",
            "Actes relatifs au droit d'occupation des sols",
            "Droit de préemption urbain",
        ),
    ),
    (
        "Domaine et patrimoine",
        (
            "Acquisitions",
            "Aliénations",
            "Locations",
            "Limites territoriales",
            "Autres actes du domaine public",
            "Autres actes du domaine privé",
        ),
    ),
    (
        "Fonction publique",
        (
            "Personnel titulaire et stagiaire",
            "Personnel contractuel",
            "Fonction publique hospitalière",
            "Autres catégories de personnel",
            "Régime indemnitaire",
        ),
    ),
    (
        "Institutions et vie politique",
        (
            "Élection de l'exécutif",
            "Fonctionnement des assemblées",
            "Désignation de représentants",
            "Délégation de fonctions",
            "Délégation de signature",
            "Exercice des mandats locaux",
            "Intercommunalité",
            "Décision d'ester en justice",
        ),
    ),
    (
        "Libertés publiques et pouvoirs de police",
        (
            "Police municipale",
            "Pouvoirs du président du conseil départemental",
            "Pouvoirs du président du conseil régional",
            "Autres actes réglementaires",
            "Actes pris au nom de l'État",
        ),
    ),
    (
        "Finances locales",
        (
            "Décisions budgétaires",
            "Fiscalité",
            "Emprunts",
            "Interventions économiques",
            "Subventions",
            "Contributions budgétaires",
            "Avances",
            "Fonds de concours",
            "Prise de participation",
            "Divers",
        ),
    ),
    (
        "Domaines de compétences par thèmes",
        (
            "Enseignement",
            "Aide sociale",
            "Voirie",
            "Aménagement du territoire",
            "Politique de la ville, habitat, logement",
            "Emploi et formation professionnelle",
            "Transports",
            "Environnement",
            "Culture",
        ),
    ),
    (
        "Autres domaines de compétences",
        (
            "Autres domaines de compétences des communes",
            "Autres domaines de compétences des départements",
            "Autres domaines de compétences des régions",
            "Vœux et motions",
        ),
    ),
)


def _matters() -> dict[tuple[int, int], str]:
    matters: dict[tuple[int, int], str] = {}
    for first, (heading, labels) in enumerate(_HEADINGS, start=1):
        matters[first, 0] = heading
        matters |= {(first, second): label for second, label in enumerate(labels, start=1)}
    return matters


CURRENT: Final = Classification(
    day=date(2025, 1, 1),
    natures={nature.code: nature for nature in _NATURES},
    matters=_matters(),
)


def full_return(classification: Classification) -> bytes:
    """Message 7-2 `RetourClassification`: the whole classification, in ISO-8859-1."""
    root = xml.new_root("RetourClassification")
    xml.add(root, "DateClassification", classification.day.isoformat())
    natures = xml.add(root, "NaturesActes")
    for nature in classification.natures.values():
        _add_nature(natures, nature)
    _add_matters(xml.add(root, "Matieres"), classification)
    return xml.serialise(root)


def unchanged_return(classification: Classification) -> bytes:
    """Message 7-3 `ReponseClassificationSansChangement`."""
    root = xml.new_root("ReponseClassificationSansChangement")
    xml.add(root, "DateClassification", classification.day.isoformat())
    return xml.serialise(root)


def _add_nature(parent: xml.Element, nature: Nature) -> None:
    element = xml.add(
        parent,
        "NatureActe",
        CodeNatureActe=str(nature.code),
        Libelle=nature.label,
        TypeAbrege=nature.abbreviation,
    )
    for code, label in nature.piece_types.items():
        xml.add(element, "TypePJNatureActe", CodeTypePJ=code, Libelle=label)


def _add_matters(parent: xml.Element, classification: Classification) -> None:
    heading = parent
    for (first, second), label in classification.matters.items():
        if second == 0:
            heading = xml.add(parent, "Matiere1", CodeMatiere=str(first), Libelle=label)
        else:
            xml.add(heading, "Matiere2", CodeMatiere=str(second), Libelle=label)
