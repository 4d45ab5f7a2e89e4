"""A PES_ACQUIT, the DGFiP's answer to a flux: what was accepted, what was refused, and why.

`acquit_reader.read_acquit` builds an `Acquit` from either version of the format.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from socle.helios.protocol.header import Header
from socle.helios.protocol.words import bordereau_name

# DomaineAck, labels of the XSD (CommunAck.xsd).
DOMAIN_LABELS: Final = {
    "0": "Contrôle technique",
    "1": "Signature technique",
    "2": "Signature globale",
    "3": "Signature de bordereau",
    "4": "Pièce jointe",
    "5": "Dépense",
    "6": "Recette",
    "7": "Rôle",
    "8": "Budget",
    "9": "État de l’actif",
    "10": "État du passif",
    "11": "Marché",
    "12": "Facture",
    "99": "Paramétrage",
}
_PIECES: Final = {"5": "mandat", "6": "titre"}


class AcquitState(StrEnum):
    """What the DGFiP made of the flux."""

    ACCEPTED = "accepted"
    PARTIAL = "partial"
    REFUSED = "refused"
    RECEIVED = "received"  # an acquit that decides nothing
    UNREADABLE = "unreadable"  # ours beyond doubt, its verdict is not

    @property
    def label(self) -> str:
        return _STATE_LABELS[self]


_STATE_LABELS: Final = {
    AcquitState.ACCEPTED: "Accepté",
    AcquitState.PARTIAL: "Accepté en partie",
    AcquitState.REFUSED: "Refusé",
    AcquitState.RECEIVED: "Reçu, sans décision",
    AcquitState.UNREADABLE: "Acquit illisible",
}


class Corrector(StrEnum):
    """Who can put an anomaly right."""

    NOBODY = "nobody"
    EDITOR = "editor"
    TRESORERIE = "tresorerie"
    SIGNATORY = "signatory"
    AGENT = "agent"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        return _CORRECTOR_LABELS[self]


_CORRECTOR_LABELS: Final = {
    Corrector.NOBODY: "incident à la DGFiP : renvoyez le flux plus tard",
    Corrector.EDITOR: "à corriger avec l’éditeur de votre logiciel",
    Corrector.TRESORERIE: "à voir avec votre trésorerie",
    Corrector.SIGNATORY: "à faire signer de nouveau",
    Corrector.AGENT: "à corriger dans votre logiciel",
    Corrector.UNKNOWN: "à corriger d’après ce motif ; au besoin, appelez votre trésorerie",
}
_CORRECTORS: Final = {
    f"ERREUR_{name}": corrector
    for corrector, names in {
        Corrector.NOBODY: "CONNECTION_IMPOSSIBLE_A_LA_BASE TIMEOUT",
        Corrector.EDITOR: "ENCODING FLUX_VIDE SCHEMA_INCOMPLET CODIFICATION VERSION_PES VERSION_PJ"
        " TAILLE_BORDEREAUX TAILLE_PIECE TAILLE_LIGNE",
        Corrector.TRESORERIE: "CODIQUE SIRET CODE_COLLECTIVITE_BUDGET PES_PARAM PES_SIGNATURE"
        " PES_PARAM_SIGNATURE",
        Corrector.SIGNATORY: "SIGNATURE_INVALIDE SIGNATURE_ILLISIBLE SIGNATURE_INCOMPLETE"
        " SIGNATURE_BORDEREAU_INVALIDE SIGNATURE_BORDEREAU_ILLISIBLE SIGNATURE_BORDEREAU_INCOMPLETE"
        " CERTIFICAT PJ_SIGNEE SIGNATURE_EXTERNE",
        Corrector.AGENT: "DOUBLON_BORDEREAU DOUBLON_PIECE DOUBLON_LIGNE DOUBLON_PJ"
        " MONTANT_TVA_ZERO_NEGATIF CUMUL_MONTANTS",
    }.items()
    for name in names.split()
}


@dataclass(frozen=True, slots=True)
class AckError:
    """One anomaly. Empty `piece` and `line`: it concerns the whole element.

    `anomaly` is the closed NumAnoAck; `code` the DGFiP number that opens the label (1971, 2559…),
    the only useful key since NumAnoAck is mostly ERREUR_AUTRE; `label` the rest of the label.
    """

    piece: str = ""
    line: str = ""
    anomaly: str = ""
    code: int | None = None
    label: str = ""

    @property
    def corrector(self) -> Corrector:
        return _CORRECTORS.get(self.anomaly, Corrector.UNKNOWN)

    @property
    def is_duplicate(self) -> bool:
        return self.anomaly.startswith("ERREUR_DOUBLON_")

    @property
    def reason(self) -> str:
        """The label, its code after it; the bare NumAnoAck when there is no label."""
        reason = self.label or self.anomaly.removeprefix("ERREUR_").replace("_", " ").lower()
        return f"{reason} (code {self.code})" if self.code else reason


@dataclass(frozen=True, slots=True)
class AckElement:
    """The verdict on one thing: a bordereau, a PJ (`id_unique`), a marché, or the flux as a whole.

    `accepted` is None when the file does not say.
    """

    domain: str
    accepted: bool | None
    exercice: str = ""
    bordereau: str = ""
    id_unique: str = ""
    id_marche: str = ""
    errors: tuple[AckError, ...] = ()

    @property
    def domain_label(self) -> str:
        return DOMAIN_LABELS.get(self.domain, f"Domaine {self.domain}".strip())

    @property
    def name(self) -> str:
        """What it is about, in French."""
        if self.bordereau:
            named = self.domain_label if self.domain in _PIECES else ""
            return bordereau_name(named, self.bordereau, self.exercice)
        if self.id_unique:
            return f"Pièce jointe {self.id_unique}"
        return f"Marché {self.id_marche}" if self.id_marche else f"{self.domain_label}, flux entier"

    def explanations(self) -> tuple[str, ...]:
        """One line per anomaly: where, then why. A refusal without a motive says so."""
        if self.errors:
            return tuple(f"{self.place(error)} : {error.reason}" for error in self.errors)
        if self.accepted is False:
            return (f"{self.name} : refus sans motif, demandez-le à votre trésorerie",)
        return ()

    def place(self, error: AckError) -> str:
        """Where an anomaly of this element is: the element, then its piece and line."""
        places = [self.name]
        if error.piece:
            places.append(f"{_PIECES.get(self.domain, 'pièce')} {error.piece}")
        if error.line:
            places.append(f"ligne {error.line}")
        return ", ".join(places)


@dataclass(frozen=True, slots=True)
class Acquit:
    """An acquit; `header` repeats that of the aller, whose `nom_fic` and `cod_col` find it."""

    header: Header
    state: AcquitState
    elements: tuple[AckElement, ...] = ()

    @property
    def errors(self) -> tuple[AckError, ...]:
        return tuple(error for element in self.elements for error in element.errors)

    @property
    def accepted_elements(self) -> tuple[AckElement, ...]:
        return tuple(element for element in self.elements if element.accepted)

    @property
    def refused_elements(self) -> tuple[AckElement, ...]:
        return tuple(element for element in self.elements if element.accepted is False)

    @property
    def only_duplicates(self) -> bool:
        """Every refusal is a duplicate: after a resend it means « already integrated »."""
        refused = self.refused_elements
        return bool(refused) and all(
            element.errors and all(error.is_duplicate for error in element.errors)
            for element in refused
        )

    def explanations(self) -> tuple[str, ...]:
        """Every anomaly in French words, in the order of the file."""
        return tuple(line for element in self.elements for line in element.explanations())
