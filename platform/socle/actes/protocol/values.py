"""What is sent and what comes back, as plain values."""

from dataclasses import dataclass
from datetime import date

from socle.actes.protocol.classification import Classification, MatiereCode
from socle.actes.protocol.codes import STALE_CLASSIFICATION, FileKind, MessageType, Nature
from socle.actes.protocol.identifiers import ActeId


@dataclass(frozen=True, slots=True)
class Emitter:
    """The collectivité as the norm identifies it (`IDCL`).

    SIREN of 9 digits, département of 3 characters (`079`, `02A`), arrondissement of 1 digit,
    nature of the collectivité in 2 digits (`31` commune).
    """

    siren: str
    departement: str
    arrondissement: str
    nature: str


@dataclass(frozen=True, slots=True)
class Referent:
    """The person the préfecture may call about an envelope."""

    name: str = ""
    telephone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Operator:
    """Who transmits: assigned trigramme, `EACT` or `TACT`, mailboxes the State answers to."""

    trigramme: str
    quadrigramme: str
    return_addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A file to send. `kind` is read from its content, None when the norm does not allow it."""

    original_name: str
    kind: FileKind | None
    size: int
    typology: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """An acte as a person or a program proposes it, before any rule has been checked."""

    number: str
    decided_on: date | None
    nature: int | None
    matiere: str
    objet: str
    documents: tuple[Document, ...] = ()
    paper_complement: bool = False
    replaces: ActeId | None = None


@dataclass(frozen=True, slots=True)
class Acte:
    """An acte that may be sent. `documents[0]` is the acte itself, the others its annexes."""

    emitter: Emitter
    number: str
    decided_on: date
    nature: Nature
    matiere: MatiereCode
    objet: str
    classification_date: date
    documents: tuple[Document, ...]
    paper_complement: bool = False
    replaces: ActeId | None = None

    @property
    def identifier(self) -> ActeId:
        """The `IDActe` the State will confirm."""
        return ActeId(
            self.emitter.departement,
            self.emitter.siren,
            self.decided_on,
            self.number,
            self.nature.abbreviation,
        )


@dataclass(frozen=True, slots=True)
class ActeData:
    """An acte as a message tells it (`DonneesActe`); what the message does not say is None."""

    number: str
    decided_on: date | None
    nature: int | None
    matiere: MatiereCode
    objet: str
    classification_date: date | None
    document: str
    annexes: tuple[str, ...]
    announced_annexes: int | None
    paper_complement: bool | None


@dataclass(frozen=True, slots=True)
class Envelope:
    """An outgoing envelope (`EnveloppeCLMISILL`), read back."""

    emitter: Emitter
    referent: Referent | None
    return_addresses: tuple[str, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReturnEnvelope:
    """The State's envelope (`EnveloppeMISILLCL`): which office sent which messages to whom."""

    office: str
    departement: str
    arrondissement: str
    referent: Referent | None
    siren: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """`ARActe`: the State has received the acte on `received_on`."""

    acte: ActeId
    received_on: date
    data: ActeData | None
    classification_date: date | None


@dataclass(frozen=True, slots=True)
class Anomaly:
    """`AnomalieActe`: the State refuses the acte. It quotes no identifier, only `data`."""

    reported_on: date | None
    nature: str
    detail: str
    data: ActeData | None
    classification_date: date | None

    @property
    def summary(self) -> str:
        """Nature and detail, as agents read them."""
        return _summary(self.nature, self.detail)

    @property
    def is_stale_classification(self) -> bool:
        """Whether a new classification and a new sending are the cure."""
        return STALE_CLASSIFICATION in self.detail


@dataclass(frozen=True, slots=True)
class EnvelopeAnomaly:
    """`AnomalieEnveloppe`: the State refuses everything the envelope `envelope_name` carried."""

    envelope_name: str
    reported_on: date | None
    nature: str
    detail: str
    envelope: Envelope | None

    @property
    def summary(self) -> str:
        """Nature and detail, as agents read them."""
        return _summary(self.nature, self.detail)


@dataclass(frozen=True, slots=True)
class Cancellation:
    """`Annulation`: the collectivité withdraws a transmitted acte."""

    acte: ActeId


@dataclass(frozen=True, slots=True)
class CancellationAck:
    """`ARAnnulation`: the State has received the withdrawal on `received_on`."""

    acte: ActeId
    received_on: date


@dataclass(frozen=True, slots=True)
class PrefectureLetter:
    """A letter about an acte (2-1, 3-1, 4-1) or the notice of its déféré (5-1).

    `dated` is the date written in it (`DateCourrierPref`, `DateDepot` of a déféré): with `acte` the
    only key its answers are matched by. `text` is what a 3-1 asks for, or the grounds of a 4-1 or
    5-1. `documents` are the names of the files that came with it.
    """

    type: MessageType
    acte: ActeId
    dated: date
    text: str
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the collectivité sends about a letter (2-2, 3-2, 3-3, 3-4, 4-2, 4-3, 4-4).

    `dated` is the date of the letter RECEIVED, never that of the answer.
    """

    type: MessageType
    acte: ActeId
    dated: date
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplyAcknowledgement:
    """The State has received, on `received_on`, the answer to the letter of `dated` (3-5, 4-5)."""

    type: MessageType
    acte: ActeId
    dated: date
    received_on: date


@dataclass(frozen=True, slots=True)
class ClassificationRequest:
    """`DemandeClassification`: the collectivité holds the version of `held`, or none."""

    held: date | None


@dataclass(frozen=True, slots=True)
class ClassificationUnchanged:
    """`ReponseClassificationSansChangement`: the version of `date` is the current one."""

    date: date


Message = (
    ActeData
    | Envelope
    | ReturnEnvelope
    | Acknowledgement
    | Anomaly
    | EnvelopeAnomaly
    | Cancellation
    | CancellationAck
    | PrefectureLetter
    | Reply
    | ReplyAcknowledgement
    | ClassificationRequest
    | Classification
    | ClassificationUnchanged
)


def _summary(nature: str, detail: str) -> str:
    return f"{nature} - {detail}" if detail else nature
