"""Letters of the préfecture: what may answer which, with how many documents, under which names."""

from collections.abc import Sequence
from typing import Final

from socle.actes.protocol.codes import MessageType
from socle.actes.protocol.identifiers import ActeId
from socle.actes.protocol.names import FIRST_DOCUMENT_SERIAL, document_name
from socle.actes.protocol.rules import InvalidDocument
from socle.actes.protocol.values import Document, PrefectureLetter, Reply

ANSWERS: Final[dict[MessageType, tuple[MessageType, ...]]] = {
    MessageType.LETTER: (MessageType.LETTER_ANSWER,),
    MessageType.PIECES_REQUEST: (MessageType.PIECES_SENT, MessageType.PIECES_REFUSED),
    MessageType.OBSERVATIONS: (
        MessageType.OBSERVATIONS_ANSWERED,
        MessageType.OBSERVATIONS_REJECTED,
    ),
    MessageType.COURT_REFERRAL: (),
}
"""Letter → the answers a person may give: the answer itself first, then the refusal."""

# A courrier simple and a déféré are never acknowledged by a machine.
RECEIPTS: Final[dict[MessageType, MessageType]] = {
    MessageType.PIECES_REQUEST: MessageType.PIECES_REQUEST_ACKNOWLEDGED,
    MessageType.OBSERVATIONS: MessageType.OBSERVATIONS_ACKNOWLEDGED,
}
ACKNOWLEDGED_BY: Final[dict[MessageType, MessageType]] = {
    MessageType.PIECES_REFUSED: MessageType.PIECES_ANSWER_ACKNOWLEDGED,
    MessageType.PIECES_SENT: MessageType.PIECES_ANSWER_ACKNOWLEDGED,
    MessageType.OBSERVATIONS_REJECTED: MessageType.OBSERVATIONS_ANSWER_ACKNOWLEDGED,
    MessageType.OBSERVATIONS_ANSWERED: MessageType.OBSERVATIONS_ANSWER_ACKNOWLEDGED,
}
SEVERAL: Final = frozenset({MessageType.PIECES_SENT})
"""The only answer that carries more than one document."""


def receipt_of(letter: PrefectureLetter) -> Reply | None:
    """The acknowledgement a letter gets by itself (3-2, 4-2), None for a 2-1 and a 5-1."""
    kind = RECEIPTS.get(letter.type)
    return Reply(kind, letter.acte, letter.dated, ()) if kind else None


def check_count(type: MessageType, count: int) -> None:  # noqa: A002 - the norm's own word
    """Refuse an answer without document, or with several where the norm takes one.

    Raises InvalidDocument.
    """
    if type in set(RECEIPTS.values()):
        wanted = count == 0
    else:
        wanted = count >= 1 if type in SEVERAL else count == 1
    if wanted:
        return
    raise InvalidDocument(
        "Joignez le document de votre réponse."
        if not count
        else f"« {type.label} » ne porte qu'un seul document : réunissez vos fichiers en un PDF.",
        field="documents",
    )


def reply_names(
    acte: ActeId,
    type: MessageType,  # noqa: A002 - the norm's own word
    documents: Sequence[Document],
) -> tuple[str, ...]:
    """Names of an answer's documents, in their order: serials 1..n. Raises InvalidDocument."""
    check_count(type, len(documents))
    names = []
    for serial, document in enumerate(documents, FIRST_DOCUMENT_SERIAL):
        if document.kind is None:
            raise InvalidDocument(
                f"Le format du fichier « {document.original_name} » n'est pas autorisé."
            )
        names.append(
            document_name(acte, type, serial=serial, kind=document.kind, typology=document.typology)
        )
    return tuple(names)
