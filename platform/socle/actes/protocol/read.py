"""Messages as they really come back: recognised by root element, whatever the schema generation.

The raw bytes are the proof and stay with the caller; what is read here only serves to act on them.
"""

from collections.abc import Callable
from datetime import date
from typing import Final

from lxml import etree

from socle.actes.protocol.classification import (
    LEVELS,
    Classification,
    Matiere,
    MatiereCode,
    NatureEntry,
    Typology,
)
from socle.actes.protocol.codes import MessageType, Nature
from socle.actes.protocol.identifiers import ActeId, parse_acte_id
from socle.actes.protocol.names import refused_envelope
from socle.actes.protocol.values import (
    Acknowledgement,
    ActeData,
    Anomaly,
    Cancellation,
    CancellationAck,
    ClassificationRequest,
    ClassificationUnchanged,
    Emitter,
    Envelope,
    EnvelopeAnomaly,
    Message,
    PrefectureLetter,
    Referent,
    Reply,
    ReplyAcknowledgement,
    ReturnEnvelope,
)
from socle.actes.protocol.xml import (
    INSEE,
    attribute,
    child,
    children,
    local_name,
    parse,
    read_date,
    read_int,
    text_of,
)
from socle.core.refusals import Refusal

_PAPER: Final = {"O": True, "1": True, "N": False, "0": False}


class UnknownMessage(Refusal):
    """Well-formed XML that is no message of the norm that can be read."""

    code = "actes.unknown_message"


class UnusableMessage(Refusal):
    """A message of the norm that lacks what it takes to act on it."""

    code = "actes.unusable_message"


def read_message(name: str, data: bytes) -> Message:
    """The message in the XML file called `name`.

    Raises UnreadableXml or HostileXml; UnknownMessage for a root this module does not read;
    UnusableMessage or UnreadableIdentifier when an indispensable datum is missing.
    """
    root = parse(data)
    reader = _READERS.get(local_name(root))
    if reader is None:
        raise UnknownMessage(f"Le fichier « {name} » n'est pas un message @CTES connu.")
    return reader(name, root)


def read_classification(data: bytes) -> Classification:
    """The classification in a `RetourClassification` file. Raises as `read_message` does."""
    message = read_message("classification.xml", data)
    if not isinstance(message, Classification):
        raise UnknownMessage("Le fichier n'est pas une classification @CTES.")
    return message


def _acte(name: str, root: etree._Element) -> ActeData:
    return _acte_data(root)


def _acknowledgement(name: str, root: etree._Element) -> Acknowledgement:
    return Acknowledgement(
        acte=_acte_id(root),
        received_on=_received_on(name, root),
        data=_received_acte(root),
        classification_date=read_date(text_of(root, "ClassificationDateVersionEnCours")),
    )


def _anomaly(name: str, root: etree._Element) -> Anomaly:
    return Anomaly(
        reported_on=read_date(text_of(root, "Date")),
        nature=_anomaly_nature(name, root),
        detail=text_of(root, "Detail"),
        data=_received_acte(root),
        classification_date=read_date(text_of(root, "ClassificationDateVersionEnCours")),
    )


def _envelope_anomaly(name: str, root: etree._Element) -> EnvelopeAnomaly:
    received = child(root, "EnveloppeRecue")
    return EnvelopeAnomaly(
        envelope_name=refused_envelope(name),
        reported_on=read_date(text_of(root, "Date")),
        nature=_anomaly_nature(name, root),
        detail=text_of(root, "Detail"),
        envelope=None if received is None else _envelope(name, received),
    )


def _cancellation(name: str, root: etree._Element) -> Cancellation:
    return Cancellation(_acte_id(root))


def _cancellation_ack(name: str, root: etree._Element) -> CancellationAck:
    return CancellationAck(_acte_id(root), _received_on(name, root))


def _letter(name: str, root: etree._Element) -> PrefectureLetter:
    kind = _TYPES[local_name(root)]
    return PrefectureLetter(
        type=kind,
        acte=_acte_id(root),
        dated=_letter_date(name, attribute(root, "DateCourrierPref")),
        text=text_of(root, "DescriptionPieces") or text_of(root, "Motif"),
        documents=_documents(root, "Document"),
    )


def _court_referral(name: str, root: etree._Element) -> PrefectureLetter:
    return PrefectureLetter(
        type=MessageType.COURT_REFERRAL,
        acte=_acte_id(root),
        dated=_letter_date(name, text_of(root, "DateDepot")),
        text=text_of(root, "NatureIllegalite"),
        documents=_documents(child(root, "PiecesJointes"), "PieceJointe"),
    )


def _reply(name: str, root: etree._Element) -> Reply:
    group = child(root, "Documents")
    return Reply(
        type=_TYPES[local_name(root)],
        acte=_acte_id(root),
        dated=_letter_date(name, attribute(root, "DateCourrierPref")),
        documents=_documents(root if group is None else group, "Document"),
    )


def _reply_acknowledgement(name: str, root: etree._Element) -> ReplyAcknowledgement:
    letter = child(root, "InfosCourrierPref")
    return ReplyAcknowledgement(
        type=_TYPES[local_name(root)],
        acte=parse_acte_id(attribute(letter, "IDActe")),
        dated=_letter_date(name, attribute(letter, "DateCourrierPref")),
        received_on=_received_on(name, root),
    )


def _letter_date(name: str, written: str) -> date:
    found = read_date(written)
    if found is None:
        raise UnusableMessage(
            f"Le courrier « {name} » n'est pas daté : sans sa date, on ne peut pas y répondre."
        )
    return found


def _documents(group: etree._Element | None, item: str) -> tuple[str, ...]:
    return tuple(filter(None, _file_names(group, item)))


def _envelope(name: str, root: etree._Element) -> Envelope:
    emitter = child(root, "Emetteur")
    identity = child(emitter, "IDCL")
    return Envelope(
        emitter=Emitter(
            siren=attribute(identity, "SIREN", INSEE),
            departement=attribute(identity, "Departement"),
            arrondissement=attribute(identity, "Arrondissement"),
            nature=attribute(identity, "Nature"),
        ),
        referent=_referent(emitter),
        return_addresses=_texts(child(root, "AdressesRetour"), "Email"),
        messages=_forms(root),
    )


def _return_envelope(name: str, root: etree._Element) -> ReturnEnvelope:
    emitter = child(root, "Emetteur")
    offices = (child(emitter, office) for office in ("IDPref", "IDSousPref", "IDSGAR"))
    office = next((found for found in offices if found is not None), None)
    return ReturnEnvelope(
        office="" if office is None else local_name(office).removeprefix("ID"),
        departement=attribute(office, "Departement"),
        arrondissement=attribute(office, "Arrondissement"),
        referent=_referent(emitter),
        siren=attribute(child(root, "Destinataire"), "SIREN", INSEE),
        messages=_forms(root),
    )


def _classification_request(name: str, root: etree._Element) -> ClassificationRequest:
    return ClassificationRequest(read_date(text_of(root, "DateClassification")))


def _classification_unchanged(name: str, root: etree._Element) -> ClassificationUnchanged:
    return ClassificationUnchanged(_classification_date(name, root))


def _classification(name: str, root: etree._Element) -> Classification:
    natures = map(_nature, children(child(root, "NaturesActes"), "NatureActe"))
    matieres = _matieres(child(root, "Matieres"), ())
    if not matieres:
        raise UnusableMessage(f"La classification « {name} » ne contient aucune matière.")
    return Classification(
        date=_classification_date(name, root),
        natures=tuple(sorted(natures, key=lambda nature: nature.code)),
        matieres=matieres,
    )


_TYPES: Final = {kind.root: kind for kind in MessageType}
_LETTERS: Final = (MessageType.LETTER, MessageType.PIECES_REQUEST, MessageType.OBSERVATIONS)
_REPLIES: Final = (
    MessageType.LETTER_ANSWER,
    MessageType.PIECES_REQUEST_ACKNOWLEDGED,
    MessageType.PIECES_REFUSED,
    MessageType.PIECES_SENT,
    MessageType.OBSERVATIONS_ACKNOWLEDGED,
    MessageType.OBSERVATIONS_REJECTED,
    MessageType.OBSERVATIONS_ANSWERED,
)
_READERS: Final[dict[str, Callable[[str, etree._Element], Message]]] = {
    "EnveloppeCLMISILL": _envelope,
    "EnveloppeMISILLCL": _return_envelope,
    "AnomalieEnveloppe": _envelope_anomaly,
    MessageType.ACTE.root: _acte,
    MessageType.ACTE_ACKNOWLEDGED.root: _acknowledgement,
    MessageType.ACTE_ANOMALY.root: _anomaly,
    **{kind.root: _letter for kind in _LETTERS},
    MessageType.COURT_REFERRAL.root: _court_referral,
    **{kind.root: _reply for kind in _REPLIES},
    MessageType.PIECES_ANSWER_ACKNOWLEDGED.root: _reply_acknowledgement,
    MessageType.OBSERVATIONS_ANSWER_ACKNOWLEDGED.root: _reply_acknowledgement,
    MessageType.CANCELLATION.root: _cancellation,
    MessageType.CANCELLATION_ACKNOWLEDGED.root: _cancellation_ack,
    MessageType.CLASSIFICATION_REQUEST.root: _classification_request,
    MessageType.CLASSIFICATION.root: _classification,
    MessageType.CLASSIFICATION_UNCHANGED.root: _classification_unchanged,
}


def _acte_id(root: etree._Element) -> ActeId:
    return parse_acte_id(attribute(root, "IDActe"))


def _received_on(name: str, root: etree._Element) -> date:
    received_on = read_date(attribute(root, "DateReception"))
    if received_on is None:
        raise UnusableMessage(
            f"Impossible de récupérer la date de réception dans « {name} » : "
            "l'envoi n'est pas considéré comme acquitté."
        )
    return received_on


def _anomaly_nature(name: str, root: etree._Element) -> str:
    nature = text_of(root, "Nature")
    if read_int(nature) is None:
        raise UnusableMessage(f"L'anomalie « {name} » porte un code illisible (« {nature} »).")
    return nature


def _classification_date(name: str, root: etree._Element) -> date:
    found = read_date(text_of(root, "DateClassification"))
    if found is None:
        raise UnusableMessage(f"La classification « {name} » n'est pas datée.")
    return found


def _received_acte(root: etree._Element) -> ActeData | None:
    received = child(root, "ActeRecu")
    return None if received is None else _acte_data(received)


def _acte_data(element: etree._Element) -> ActeData:
    annexes = child(element, "Annexes")
    return ActeData(
        number=attribute(element, "NumeroInterne"),
        decided_on=read_date(attribute(element, "Date")),
        nature=read_int(attribute(element, "CodeNatureActe")),
        matiere=_matiere_code(element),
        objet=text_of(element, "Objet"),
        classification_date=read_date(text_of(element, "ClassificationDateVersion")),
        document=text_of(child(element, "Document"), "NomFichier"),
        annexes=_file_names(annexes, "Annexe"),
        announced_annexes=read_int(attribute(annexes, "Nombre")),
        paper_complement=_PAPER.get(text_of(element, "DocumentPapier").upper()),
    )


def _matiere_code(element: etree._Element) -> MatiereCode:
    """The matière; a level that was skipped (the schema allows it) reads 0."""
    found = (child(element, f"CodeMatiere{level}") for level in range(1, LEVELS + 1))
    codes = [read_int(attribute(level, "CodeMatiere")) or 0 for level in found]
    while codes and not codes[-1]:
        codes.pop()
    return tuple(codes)


def _referent(emitter: etree._Element | None) -> Referent | None:
    found = child(emitter, "Referent")
    if found is None:
        return None
    return Referent(text_of(found, "Nom"), text_of(found, "Telephone"), text_of(found, "Email"))


def _forms(root: etree._Element) -> tuple[str, ...]:
    return _file_names(child(root, "FormulairesEnvoyes"), "Formulaire")


def _file_names(group: etree._Element | None, item: str) -> tuple[str, ...]:
    return tuple(text_of(found, "NomFichier") for found in children(group, item))


def _texts(group: etree._Element | None, item: str) -> tuple[str, ...]:
    return tuple("".join(found.itertext()).strip() for found in children(group, item))


def _nature(element: etree._Element) -> NatureEntry:
    code = read_int(attribute(element, "CodeNatureActe"))
    abbreviation = attribute(element, "TypeAbrege")
    return NatureEntry(
        code=(Nature.of_abbreviation(abbreviation) or 0) if code is None else code,
        label=attribute(element, "Libelle"),
        abbreviation=abbreviation,
        typologies=tuple(
            Typology(attribute(piece, "CodeTypePJ"), attribute(piece, "Libelle"))
            for piece in children(element, "TypePJNatureActe")
        ),
    )


def _matieres(parent: etree._Element | None, above: MatiereCode) -> tuple[Matiere, ...]:
    found = (_matiere(element, above) for element in children(parent, f"Matiere{len(above) + 1}"))
    return tuple(sorted((matiere for matiere in found if matiere), key=lambda one: one.code))


def _matiere(element: etree._Element, above: MatiereCode) -> Matiere | None:
    level = read_int(attribute(element, "CodeMatiere"))
    if level is None:
        return None
    code = (*above, level)
    return Matiere(code, attribute(element, "Libelle"), _matieres(element, code))
