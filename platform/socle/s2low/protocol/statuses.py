"""The numbers S²LOW counts states with, in words (interface of version 5.1)."""

from enum import IntEnum
from typing import Final


class ActeStatus(IntEnum):
    """State of an @CTES transaction."""

    ERROR = -1
    CANCELLED = 0
    POSTED = 1
    ACCEPTED = 2
    TRANSMITTED = 3
    ACKNOWLEDGED = 4
    VALIDATED = 5
    CLOSED_AS_REFUSED = 6
    LETTER_RECEIVED = 7
    LETTER_ACKNOWLEDGED = 8
    ANSWER_SENT = 9
    ANSWER_DECLINED = 10
    ANSWER_ACKNOWLEDGED = 11
    SENT_TO_ARCHIVE = 12
    ARCHIVED = 13
    ARCHIVE_ERROR = 14
    RECEIVED_BY_ARCHIVE = 15
    DESTROYED = 16
    TO_CONFIRM = 17
    TO_SIGN = 18
    ARCHIVE_QUEUED = 19
    ARCHIVE_SENDING_ERROR = 20
    LETTER_WITHOUT_AR = 21
    ARCHIVE_IMPOSSIBLE = 22

    @property
    def label(self) -> str:
        """In French, as S²LOW words it."""
        return _ACTE_LABELS[self]


class HeliosStatus(IntEnum):
    """State of a PES aller."""

    ERROR = -1
    CANCELLED = 0
    POSTED = 1
    WAITING = 2
    TRANSMITTED = 3
    ACKNOWLEDGED = 4
    VALIDATED = 5
    REFUSED = 6
    INFORMATION = 8
    SENT_TO_ARCHIVE = 9
    ARCHIVED = 10
    REFUSED_BY_ARCHIVE = 11
    TO_SIGN = 13
    TO_CONFIRM = 14
    ARCHIVE_QUEUED = 19
    ARCHIVE_ERROR = 20
    DESTROYED = 22
    TRANSMITTED_WITHOUT_ACK = 24

    @property
    def label(self) -> str:
        """In French, as S²LOW words it."""
        return _HELIOS_LABELS[self]


class LetterType(IntEnum):
    """Type of an @CTES transaction."""

    ACTE = 1
    SIMPLE = 2
    MORE_DOCUMENTS = 3
    OBSERVATIONS = 4
    REFERRAL = 5
    CANCELLATION = 6
    CLASSIFICATION = 7


_ACTE_LABELS: Final[dict[ActeStatus, str]] = {
    ActeStatus.ERROR: "Erreur",
    ActeStatus.CANCELLED: "Annulé",
    ActeStatus.POSTED: "Posté",
    ActeStatus.ACCEPTED: "En attente de transmission",
    ActeStatus.TRANSMITTED: "Transmis",
    ActeStatus.ACKNOWLEDGED: "Acquittement reçu",
    ActeStatus.VALIDATED: "Validé",
    ActeStatus.CLOSED_AS_REFUSED: "Refusé",
    ActeStatus.LETTER_RECEIVED: "Document reçu",
    ActeStatus.LETTER_ACKNOWLEDGED: "Acquittement envoyé",
    ActeStatus.ANSWER_SENT: "Document envoyé",
    ActeStatus.ANSWER_DECLINED: "Refus d’envoi",
    ActeStatus.ANSWER_ACKNOWLEDGED: "Acquittement de document reçu",
    ActeStatus.SENT_TO_ARCHIVE: "Envoyé au système d’archivage",
    ActeStatus.ARCHIVED: "Archivé",
    ActeStatus.ARCHIVE_ERROR: "Erreur lors de l’archivage",
    ActeStatus.RECEIVED_BY_ARCHIVE: "Reçu par le système d’archivage",
    ActeStatus.DESTROYED: "Détruite",
    ActeStatus.TO_CONFIRM: "En attente d’être postée",
    ActeStatus.TO_SIGN: "En attente d’être signée",
    ActeStatus.ARCHIVE_QUEUED: "En attente de transmission au système d’archivage",
    ActeStatus.ARCHIVE_SENDING_ERROR: "Erreur lors de l’envoi au système d’archivage",
    ActeStatus.LETTER_WITHOUT_AR: "Document reçu (pas d’accusé de réception)",
    ActeStatus.ARCHIVE_IMPOSSIBLE: "Impossible d’envoyer au système d’archivage "
    "(documents indisponibles)",
}
_HELIOS_LABELS: Final[dict[HeliosStatus, str]] = {
    HeliosStatus.ERROR: "Erreur",
    HeliosStatus.CANCELLED: "Annulé",
    HeliosStatus.POSTED: "Posté",
    HeliosStatus.WAITING: "En attente",
    HeliosStatus.TRANSMITTED: "Transmis",
    HeliosStatus.ACKNOWLEDGED: "Acquitté",
    HeliosStatus.VALIDATED: "Validé",
    HeliosStatus.REFUSED: "Refusé",
    HeliosStatus.INFORMATION: "Information disponible",
    HeliosStatus.SENT_TO_ARCHIVE: "Envoyé au système d’archivage",
    HeliosStatus.ARCHIVED: "Accepté par le système d’archivage",
    HeliosStatus.REFUSED_BY_ARCHIVE: "Refusé par le système d’archivage",
    HeliosStatus.TO_SIGN: "En attente d’être signé",
    HeliosStatus.TO_CONFIRM: "En attente d’être posté",
    HeliosStatus.ARCHIVE_QUEUED: "En attente de transmission au système d’archivage",
    HeliosStatus.ARCHIVE_ERROR: "Erreur lors de l’envoi au système d’archivage",
    HeliosStatus.DESTROYED: "Détruit",
    HeliosStatus.TRANSMITTED_WITHOUT_ACK: "Transmis sans acquit",
}

ACTE_ANSWERED: Final = frozenset(
    {
        ActeStatus.CANCELLED,
        ActeStatus.ACKNOWLEDGED,
        ActeStatus.VALIDATED,
        ActeStatus.CLOSED_AS_REFUSED,
        ActeStatus.SENT_TO_ARCHIVE,
        ActeStatus.ARCHIVED,
        ActeStatus.ARCHIVE_ERROR,
        ActeStatus.RECEIVED_BY_ARCHIVE,
        ActeStatus.DESTROYED,
        ActeStatus.ARCHIVE_QUEUED,
        ActeStatus.ARCHIVE_SENDING_ERROR,
        ActeStatus.ARCHIVE_IMPOSSIBLE,
    }
)
"""States only reached once the préfecture acknowledged: its answer can be fetched."""
FLOW_ANSWERED: Final = frozenset(
    {
        HeliosStatus.ACKNOWLEDGED,
        HeliosStatus.VALIDATED,
        HeliosStatus.REFUSED,
        HeliosStatus.INFORMATION,
        HeliosStatus.SENT_TO_ARCHIVE,
        HeliosStatus.ARCHIVED,
        HeliosStatus.REFUSED_BY_ARCHIVE,
        HeliosStatus.ARCHIVE_QUEUED,
        HeliosStatus.ARCHIVE_ERROR,
    }
)
"""States only reached once the trésorerie answered: the acquit can be fetched."""
HELD_UP: Final[dict[ActeStatus | HeliosStatus, str]] = {
    ActeStatus.TO_CONFIRM: "Une personne munie d’un certificat RGS** doit confirmer l’envoi sur "
    "S²LOW : le compte n’a pas le droit de télétransmettre lui-même.",
    ActeStatus.TO_SIGN: "L’acte attend d’être signé sur S²LOW.",
    HeliosStatus.TO_CONFIRM: "Une personne munie d’un certificat RGS** doit confirmer l’envoi sur "
    "S²LOW : le compte n’a pas le droit de télétransmettre lui-même.",
    HeliosStatus.TO_SIGN: "Le flux attend d’être signé sur S²LOW.",
    HeliosStatus.CANCELLED: "Le flux a été annulé sur S²LOW : aucun acquit ne viendra.",
    HeliosStatus.DESTROYED: "Le flux a été détruit sur S²LOW avant que son acquit soit repris.",
}
"""What keeps a transaction from moving by itself, and who can act."""


def acte_label(number: int) -> str:
    """The words for an @CTES state; a number nobody documented is shown as it is."""
    return ActeStatus(number).label if number in _ACTE_LABELS else f"Statut inconnu ({number})"


def flow_label(number: int) -> str:
    """The words for a HELIOS state; a number nobody documented is shown as it is."""
    return HeliosStatus(number).label if number in _HELIOS_LABELS else f"Statut inconnu ({number})"
