"""The norm's code tables: natures, message types, file kinds, anomaly codes."""

from enum import Enum, IntEnum, StrEnum
from typing import Final


class Nature(IntEnum):
    """Nature of an acte (`CodeNatureActe`)."""

    DELIBERATION = 1
    REGULATORY = 2
    INDIVIDUAL = 3
    CONTRACT = 4
    BUDGET = 5
    OTHER = 6

    @property
    def abbreviation(self) -> str:
        """The two capital letters used in file names and in `IDActe`."""
        return _NATURES[self][0]

    @property
    def label(self) -> str:
        """The ministry's French label."""
        return _NATURES[self][1]

    @property
    def generic_typologies(self) -> tuple[str, ...]:
        """Codes of the generic piece of this nature: the current one, then the one before 2018."""
        return _NATURES[self][2]

    @classmethod
    def of_abbreviation(cls, letters: str) -> "Nature | None":
        """The nature whose abbreviation is `letters`, or None."""
        return next((nature for nature in cls if nature.abbreviation == letters), None)


_NATURES: Final[dict[Nature, tuple[str, str, tuple[str, ...]]]] = {
    Nature.DELIBERATION: ("DE", "Délibérations", ("99_DE",)),
    Nature.REGULATORY: ("AR", "Actes réglementaires", ("99_AR", "99_AT")),
    Nature.INDIVIDUAL: ("AI", "Actes individuels", ("99_AI",)),
    Nature.CONTRACT: ("CC", "Contrats, conventions et avenants", ("99_DC", "99_CO")),
    Nature.BUDGET: ("BF", "Documents budgétaires et financiers", ("99_BU",)),
    Nature.OTHER: ("AU", "Autres", ("99_AU",)),
}


class Direction(Enum):
    """Who sends a message."""

    TO_STATE = "collectivité vers préfecture"
    FROM_STATE = "préfecture vers collectivité"


class MessageType(StrEnum):
    """Every business message of the norm; the value is its `transaction-flow` code."""

    ACTE = "1-1"
    ACTE_ACKNOWLEDGED = "1-2"
    ACTE_ANOMALY = "1-3"
    LETTER = "2-1"
    LETTER_ANSWER = "2-2"
    PIECES_REQUEST = "3-1"
    PIECES_REQUEST_ACKNOWLEDGED = "3-2"
    PIECES_REFUSED = "3-3"
    PIECES_SENT = "3-4"
    PIECES_ANSWER_ACKNOWLEDGED = "3-5"
    OBSERVATIONS = "4-1"
    OBSERVATIONS_ACKNOWLEDGED = "4-2"
    OBSERVATIONS_REJECTED = "4-3"
    OBSERVATIONS_ANSWERED = "4-4"
    OBSERVATIONS_ANSWER_ACKNOWLEDGED = "4-5"
    COURT_REFERRAL = "5-1"
    CANCELLATION = "6-1"
    CANCELLATION_ACKNOWLEDGED = "6-2"
    CLASSIFICATION_REQUEST = "7-1"
    CLASSIFICATION = "7-2"
    CLASSIFICATION_UNCHANGED = "7-3"

    @property
    def root(self) -> str:
        """Local name of the message's root element."""
        return _MESSAGES[self][0]

    @property
    def direction(self) -> Direction:
        """Who sends it."""
        return _MESSAGES[self][1]

    @property
    def label(self) -> str:
        """French name for people."""
        return _MESSAGES[self][2]


_OUT, _BACK = Direction.TO_STATE, Direction.FROM_STATE
_MESSAGES: Final[dict[MessageType, tuple[str, Direction, str]]] = {
    MessageType.ACTE: ("Acte", _OUT, "Transmission d'un acte"),
    MessageType.ACTE_ACKNOWLEDGED: ("ARActe", _BACK, "Accusé de réception de l'acte"),
    MessageType.ACTE_ANOMALY: ("AnomalieActe", _BACK, "Anomalie sur l'acte"),
    MessageType.LETTER: ("CourrierSimple", _BACK, "Courrier simple"),
    MessageType.LETTER_ANSWER: ("ReponseCourrierSimple", _OUT, "Réponse à un courrier simple"),
    MessageType.PIECES_REQUEST: (
        "DemandePieceComplementaire",
        _BACK,
        "Demande de pièces complémentaires",
    ),
    MessageType.PIECES_REQUEST_ACKNOWLEDGED: (
        "ARDemandePieceComplementaire",
        _OUT,
        "Accusé de réception de la demande de pièces complémentaires",
    ),
    MessageType.PIECES_REFUSED: (
        "RefusPieceComplementaire",
        _OUT,
        "Refus d'envoyer des pièces complémentaires",
    ),
    MessageType.PIECES_SENT: ("PieceComplementaire", _OUT, "Envoi de pièces complémentaires"),
    MessageType.PIECES_ANSWER_ACKNOWLEDGED: (
        "ARPieceComplementaire",
        _BACK,
        "Accusé de réception de la réponse à la demande de pièces complémentaires",
    ),
    MessageType.OBSERVATIONS: ("LettreObservations", _BACK, "Lettre d'observations"),
    MessageType.OBSERVATIONS_ACKNOWLEDGED: (
        "ARLettreObservations",
        _OUT,
        "Accusé de réception de la lettre d'observations",
    ),
    MessageType.OBSERVATIONS_REJECTED: (
        "RejetLettreObservations",
        _OUT,
        "Rejet de la lettre d'observations",
    ),
    MessageType.OBSERVATIONS_ANSWERED: (
        "ReponseLettreObservations",
        _OUT,
        "Réponse à la lettre d'observations",
    ),
    MessageType.OBSERVATIONS_ANSWER_ACKNOWLEDGED: (
        "ARReponseRejetLettreObservations",
        _BACK,
        "Accusé de réception de la réponse à la lettre d'observations",
    ),
    MessageType.COURT_REFERRAL: ("DefereTA", _BACK, "Déféré au tribunal administratif"),
    MessageType.CANCELLATION: ("Annulation", _OUT, "Annulation de la transmission"),
    MessageType.CANCELLATION_ACKNOWLEDGED: (
        "ARAnnulation",
        _BACK,
        "Accusé de réception de l'annulation",
    ),
    MessageType.CLASSIFICATION_REQUEST: (
        "DemandeClassification",
        _OUT,
        "Demande de classification",
    ),
    MessageType.CLASSIFICATION: ("RetourClassification", _BACK, "Nouvelle classification"),
    MessageType.CLASSIFICATION_UNCHANGED: (
        "ReponseClassificationSansChangement",
        _BACK,
        "Classification inchangée",
    ),
}


class FileKind(StrEnum):
    """The four formats the norm allows (arrêté of 13 October 2011); the value is the extension."""

    PDF = "pdf"
    XML = "xml"
    JPEG = "jpg"
    PNG = "png"

    @property
    def mime(self) -> str:
        """The media type."""
        return _MIMES[self]


_MIMES: Final[dict[FileKind, str]] = {
    FileKind.PDF: "application/pdf",
    FileKind.XML: "text/xml",
    FileKind.JPEG: "image/jpeg",
    FileKind.PNG: "image/png",
}

STALE_CLASSIFICATION: Final = "ODT-VERIF-01"
