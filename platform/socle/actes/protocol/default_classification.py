"""A classification to start with, until the préfecture has sent the commune its own (7-2).

Matières are the nine national first levels and their second levels; levels 3 to 5 are local and
left out. Types of pieces are those of notice 2.2.
"""

from datetime import date
from typing import Final

from socle.actes.protocol.classification import Classification, Matiere, NatureEntry, Typology
from socle.actes.protocol.codes import Nature

_MATIERES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "Commande publique",
        (
            "Marchés publics",
            "Délégations de service public",
            "Conventions de mandat",
            "Autres types de contrats",
            "Transactions, protocoles d'accord transactionnel",
            "Actes relatifs à la maîtrise d'œuvre",
            "Actes spéciaux et divers",
        ),
    ),
    (
        "Urbanisme",
        (
            "Documents d'urbanisme",
            "Actes relatifs au droit d'occupation ou d'utilisation des sols",
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
            "Autres actes de gestion du domaine public",
            "Autres actes de gestion du domaine privé",
        ),
    ),
    (
        "Fonction publique",
        (
            "Personnels titulaires et stagiaires de la fonction publique territoriale",
            "Personnels contractuels",
            "Fonction publique hospitalière",
            "Autres catégories de personnels",
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
            "Actes pris au nom de l'État et soumis au contrôle hiérarchique",
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
            "Prises de participation",
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
            "Emploi, formation professionnelle",
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

_LABELS: Final[dict[str, str]] = {
    "10_AV": "Avenant au contrat",
    "10_DE": "Délibération autorisant à passer le contrat",
    "11_AC": "Avis d'appel public à la concurrence",
    "11_AE": "Acte d'engagement",
    "11_AP": "Cahier des clauses administratives particulières",
    "11_AT": "Renseignements, attestations et déclarations fournis par l'attributaire",
    "11_AV": "Avis du jury de concours",
    "11_IN": "Invitation des candidats à soumissionner",
    "11_JU": "Rapport justifiant le choix du marché, les modalités et la procédure de passation",
    "11_PV": "Procès-verbal de la commission d'appel d'offres",
    "11_RA": "Rapport de la commission d'appel d'offres",
    "11_RC": "Règlement de la consultation",
    "11_RP": "Rapport de présentation de l'acheteur",
    "11_TP": "Cahier des clauses techniques particulières",
    "12_AD": "Avis de délégation",
    "12_CC": "Cahier des charges",
    "12_CD": "Contrat de délégation",
    "12_CR": "Courriers de rejet des offres incomplètes ou irrecevables",
    "12_DA": "Déclarations et documents justificatifs de l'attributaire",
    "12_DC": "Documents de consultation",
    "12_IP": "Invitation à présenter une offre",
    "12_NR": "Notification du rejet des offres",
    "12_RS": "Rapport de sélection du délégataire",
    "12_ST": "Spécifications techniques et fonctionnelles",
    "15_JU": "Copie du jugement d'homologation de la transaction",
    "17_CE": "Demande de cautionnement",
    "17_GA": "Garantie d'emprunt",
    "17_RC": "Règlement de concours",
    "21_DA": "Décision arrêtant le projet",
    "21_DB": "Débat d'orientation du plan d'aménagement et de développement durable",
    "21_DE": "Délibération de prescription",
    "21_DO": "Document d'orientation et d'objectif",
    "21_EP": "Enquête publique",
    "21_PA": "Projet d'aménagement et de développement durable",
    "21_RP": "Rapport de présentation",
    "22_AC": "Accord d'une autorité administrative",
    "22_AG": "Agrément ou certificat",
    "22_AR": "Accusé de réception",
    "22_AT": "Attestation",
    "22_AV": "Avis",
    "22_CO": "Convention",
    "22_DD": "Demande",
    "22_DN": "Décision",
    "22_DP": "Document photographique",
    "22_LE": "Lettre",
    "22_NE": "Notice explicative",
    "22_PE": "Présentation des états initiaux et futurs",
    "22_PN": "Plans",
    "22_RE": "Rapport d'étude",
    "22_TA": "Tableau",
    "23_DE": "Délibération autorisant la mise en œuvre du droit de préemption",
    "23_IA": "Déclaration d'intention d'aliéner",
    "23_PR": "Décision de préempter",
    "31_AA": "Avis de l'autorité compétente de l'État",
    "31_CO": "Contrat",
    "31_DE": "Délibération autorisant l'acquisition",
    "31_DP": "Documents précontractuels",
    "32_AA": "Avis de l'autorité compétente de l'État",
    "32_CV": "Contrat de vente",
    "32_DC": "Délibération constatant la désaffectation",
    "32_DE": "Délibération de déclassement",
    "32_DP": "Documents précontractuels",
    "33_AC": "Avis de l'autorité compétente de l'État",
    "33_AO": "Autorisation d'occupation du domaine public",
    "33_CC": "Contrat de concession",
    "41_AT": "Attestation",
    "41_AV": "Avis de vacance d'emploi",
    "41_CA": "Avis de la commission administrative paritaire",
    "41_CM": "Avis de la commission mixte paritaire",
    "41_DA": "Demande de l'agent",
    "41_DE": "Délibération établissant la liste de postes à pourvoir",
    "41_IC": "Information du centre de gestion",
    "41_IN": "Inscription sur liste d'aptitude",
    "41_NC": "Notification de création ou de vacance de poste",
    "41_RA": "Rapport biennal des avancements d'échelon",
    "42_AC": "Avenant au contrat",
    "42_AT": "Attestation",
    "42_AV": "Avis de vacance d'emploi",
    "42_DE": "Délibération",
    "43_AC": "Avenant au contrat",
    "43_AV": "Avis de vacance d'emploi",
    "43_CA": "Avis de la commission administrative paritaire",
    "43_CM": "Avis de la commission mixte paritaire",
    "43_DA": "Demande de l'agent",
    "43_IN": "Inscription sur liste d'aptitude",
    "43_LI": "Liste de postes à pourvoir",
    "43_NC": "Notification de création ou de vacance de poste",
    "70_DE": "Délibération",
    "99_AI": "Acte individuel",
    "99_AR": "Acte réglementaire",
    "99_AU": "Autre document",
    "99_BU": "Document budgétaire",
    "99_DC": "Document contractuel",
    "99_DE": "Délibération",
    "99_SE": "Fichier de signature électronique",
}

_PIECES: Final[dict[Nature, str]] = {
    Nature.DELIBERATION: (
        "21: DA DB DE DO EP PA RP; 23: DE IA; 31: DE DP; 41: RA; 42: AC DE; 43: AC; 70: DE; "
        "99: DE SE"
    ),
    Nature.REGULATORY: "21: DA DB DE DO EP PA RP; 99: AR SE",
    Nature.INDIVIDUAL: (
        "22: AC AG AR AT AV CO DD DN DP LE NE PE PN RE TA; 23: PR; 41: AT AV CA CM DA DE IC IN NC; "
        "42: AT; 43: AC AV CA CM DA IN LI NC; 99: AI SE"
    ),
    Nature.CONTRACT: (
        "10: AV DE; 11: AC AE AP AT AV IN JU PV RA RC RP TP; 12: AD CC CD CR DA DC IP NR RS ST; "
        "15: JU; 17: CE GA RC; 31: AA CO DE DP; 32: AA CV DC DE DP; 33: AC AO CC; 42: AC AT AV DE; "
        "43: AC; 99: DC SE"
    ),
    Nature.BUDGET: "70: DE; 99: BU SE",
    Nature.OTHER: "99: AU SE",
}


def _codes(pieces: str) -> list[str]:
    groups = (group.split(":") for group in pieces.split(";"))
    return [f"{start.strip()}_{end}" for start, ends in groups for end in ends.split()]


def _nature(nature: Nature) -> NatureEntry:
    pieces = tuple(Typology(code, _LABELS[code]) for code in _codes(_PIECES[nature]))
    return NatureEntry(nature.value, nature.label, nature.abbreviation, pieces)


def _matiere(level1: int, label: str, below: tuple[str, ...]) -> Matiere:
    children = tuple(Matiere((level1, rank), text) for rank, text in enumerate(below, 1))
    return Matiere((level1,), label, children)


DEFAULT_CLASSIFICATION: Final = Classification(
    date=date(2019, 4, 18),
    natures=tuple(_nature(nature) for nature in Nature),
    matieres=tuple(_matiere(rank, *matiere) for rank, matiere in enumerate(_MATIERES, 1)),
)
