"""Every message of the norm, 1-1 to 7-3 and the envelopes: built or written, valid, read back.

What goes to the préfecture is ours; what comes from it is written here with strings, from the
norm. Two official schemas bear the same name: a message with `DonneesActe`, or a classification
with types of pieces, is valid with the newer one only; the others with both.
"""

from datetime import date
from typing import Any

import pytest

from socle.actes.protocol.build import (
    build_acte,
    build_cancellation,
    build_classification_request,
    build_envelope,
    build_reply,
)
from socle.actes.protocol.classification import Classification
from socle.actes.protocol.codes import Direction, MessageType
from socle.actes.protocol.read import read_message
from socle.actes.protocol.values import (
    Acknowledgement,
    ActeData,
    Anomaly,
    Cancellation,
    CancellationAck,
    ClassificationRequest,
    ClassificationUnchanged,
    Envelope,
    EnvelopeAnomaly,
    PrefectureLetter,
    Reply,
    ReplyAcknowledgement,
    ReturnEnvelope,
)
from tests.actes.protocol.givens import ACTE, COMMUNE, OPERATOR, acte, is_valid

ID = ACTE.identifier
DAY = date(2025, 4, 2)
SPACES = (
    'xmlns:actes="http://www.interieur.gouv.fr/ACTES#v1.1-20040216" '
    'xmlns:insee="http://xml.insee.fr/schema"'
)
KEYS = f'actes:IDActe="{ID}" actes:DateCourrierPref="2025-04-02"'
FILE = "<actes:Document><actes:NomFichier>lettre.pdf</actes:NomFichier></actes:Document>"
RECEIVED = (
    '<actes:ActeRecu actes:Date="2025-03-10" actes:NumeroInterne="2025_017" '
    'actes:CodeNatureActe="1"><actes:CodeMatiere1 actes:CodeMatiere="5"/>'
    '<actes:CodeMatiere2 actes:CodeMatiere="2"/><actes:Objet>Règlement</actes:Objet>'
    "<actes:ClassificationDateVersion>2019-04-18</actes:ClassificationDateVersion>"
    "<actes:Document><actes:NomFichier>a.pdf</actes:NomFichier></actes:Document>"
    '<actes:Annexes actes:Nombre="0"/><actes:DocumentPapier>N</actes:DocumentPapier>'
    "</actes:ActeRecu><actes:ClassificationDateVersionEnCours>2019-04-18"
    "</actes:ClassificationDateVersionEnCours>"
)
ANSWERED = f'<actes:InfosCourrierPref actes:IDActe="{ID}" actes:DateCourrierPref="2025-04-02"/>'
CLASSES = (
    "<actes:DateClassification>2019-04-18</actes:DateClassification><actes:NaturesActes>"
    '<actes:NatureActe actes:CodeNatureActe="1" actes:Libelle="Délibérations" '
    'actes:TypeAbrege="DE"><actes:TypePJNatureActe actes:CodeTypePJ="99_DE" '
    'actes:Libelle="Délibération"/></actes:NatureActe></actes:NaturesActes><actes:Matieres>'
    '<actes:Matiere1 actes:CodeMatiere="5" actes:Libelle="Institutions"><actes:Matiere2 '
    'actes:CodeMatiere="2" actes:Libelle="Assemblées"/></actes:Matiere1></actes:Matieres>'
)
SENT = (
    '<actes:Emetteur><actes:IDCL insee:SIREN="217901743" actes:Departement="079" '
    'actes:Arrondissement="2" actes:Nature="31"/></actes:Emetteur><actes:AdressesRetour>'
    "<actes:Email>retour@tdt.example.fr</actes:Email></actes:AdressesRetour>"
    "<actes:FormulairesEnvoyes><actes:Formulaire><actes:NomFichier>a.xml</actes:NomFichier>"
    "</actes:Formulaire></actes:FormulairesEnvoyes>"
)


def written(root: str, body: str = "", keys: str = "") -> bytes:
    text = (
        f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<actes:{root} {SPACES} {keys}>{body}'
        f"</actes:{root}>"
    )
    return text.encode("iso-8859-1")


def reply(kind: MessageType, count: int = 1) -> bytes:
    names = tuple(f"piece{rank}.pdf" for rank in range(count))
    return build_reply(Reply(kind, ID, DAY, names))


def from_state(root: str, text: str = "") -> bytes:
    said = f"<actes:{text}>Le plan, l’été</actes:{text}>".replace("’", "'") if text else ""
    return written(root, said + FILE, KEYS)


MESSAGES: dict[MessageType, bytes] = {
    MessageType.ACTE: build_acte(ACTE),
    MessageType.ACTE_ACKNOWLEDGED: written(
        "ARActe", RECEIVED, f'actes:IDActe="{ID}" actes:DateReception="2025-03-11"'
    ),
    MessageType.ACTE_ANOMALY: written(
        "AnomalieActe",
        "<actes:Date>2025-03-11</actes:Date><actes:Nature>042</actes:Nature>"
        f"<actes:Detail>Numéro déjà utilisé</actes:Detail>{RECEIVED}",
    ),
    MessageType.LETTER: from_state("CourrierSimple"),
    MessageType.LETTER_ANSWER: reply(MessageType.LETTER_ANSWER),
    MessageType.PIECES_REQUEST: from_state("DemandePieceComplementaire", "DescriptionPieces"),
    MessageType.PIECES_REQUEST_ACKNOWLEDGED: reply(MessageType.PIECES_REQUEST_ACKNOWLEDGED, 0),
    MessageType.PIECES_REFUSED: reply(MessageType.PIECES_REFUSED),
    MessageType.PIECES_SENT: reply(MessageType.PIECES_SENT, 3),
    MessageType.PIECES_ANSWER_ACKNOWLEDGED: written(
        "ARPieceComplementaire", ANSWERED, 'actes:DateReception="2025-04-09"'
    ),
    MessageType.OBSERVATIONS: from_state("LettreObservations", "Motif"),
    MessageType.OBSERVATIONS_ACKNOWLEDGED: reply(MessageType.OBSERVATIONS_ACKNOWLEDGED, 0),
    MessageType.OBSERVATIONS_REJECTED: reply(MessageType.OBSERVATIONS_REJECTED),
    MessageType.OBSERVATIONS_ANSWERED: reply(MessageType.OBSERVATIONS_ANSWERED),
    MessageType.OBSERVATIONS_ANSWER_ACKNOWLEDGED: written(
        "ARReponseRejetLettreObservations", ANSWERED, 'actes:DateReception="2025-04-09"'
    ),
    MessageType.COURT_REFERRAL: written(
        "DefereTA",
        "<actes:DateDepot>2025-05-02</actes:DateDepot><actes:NatureIllegalite>Incompétence"
        "</actes:NatureIllegalite><actes:PiecesJointes><actes:PieceJointe><actes:NomFichier>"
        "recours.pdf</actes:NomFichier></actes:PieceJointe></actes:PiecesJointes>",
        f'actes:IDActe="{ID}"',
    ),
    MessageType.CANCELLATION: build_cancellation(ID),
    MessageType.CANCELLATION_ACKNOWLEDGED: written(
        "ARAnnulation", "", f'actes:IDActe="{ID}" actes:DateReception="2025-03-12"'
    ),
    MessageType.CLASSIFICATION_REQUEST: build_classification_request(),
    MessageType.CLASSIFICATION: written("RetourClassification", CLASSES),
    MessageType.CLASSIFICATION_UNCHANGED: written(
        "ReponseClassificationSansChangement",
        "<actes:DateClassification>2019-04-18</actes:DateClassification>",
    ),
}
NEWER_ONLY = {
    MessageType.ACTE,
    MessageType.ACTE_ACKNOWLEDGED,
    MessageType.ACTE_ANOMALY,
    MessageType.CLASSIFICATION,
}
LETTERS = (
    MessageType.LETTER,
    MessageType.PIECES_REQUEST,
    MessageType.OBSERVATIONS,
    MessageType.COURT_REFERRAL,
)
READ_AS: dict[MessageType, type[Any]] = {
    MessageType.ACTE: ActeData,
    MessageType.ACTE_ACKNOWLEDGED: Acknowledgement,
    MessageType.ACTE_ANOMALY: Anomaly,
    MessageType.PIECES_ANSWER_ACKNOWLEDGED: ReplyAcknowledgement,
    MessageType.OBSERVATIONS_ANSWER_ACKNOWLEDGED: ReplyAcknowledgement,
    MessageType.CANCELLATION: Cancellation,
    MessageType.CANCELLATION_ACKNOWLEDGED: CancellationAck,
    MessageType.CLASSIFICATION_REQUEST: ClassificationRequest,
    MessageType.CLASSIFICATION: Classification,
    MessageType.CLASSIFICATION_UNCHANGED: ClassificationUnchanged,
    **dict.fromkeys(LETTERS, PrefectureLetter),
}


def test_no_message_of_the_norm_is_forgotten() -> None:
    assert MESSAGES.keys() == set(MessageType)


@pytest.mark.parametrize("kind", list(MessageType), ids=lambda kind: kind.value)
def test_each_message_obeys_the_schemas_of_both_generations(kind: MessageType) -> None:
    assert is_valid(MESSAGES[kind])
    assert is_valid(MESSAGES[kind], "actes-2017-older") is (kind not in NEWER_ONLY)


@pytest.mark.parametrize("kind", list(MessageType), ids=lambda kind: kind.value)
def test_each_message_is_read_back(kind: MessageType) -> None:
    found = read_message(f"{ID}-{kind.value}_0.xml", MESSAGES[kind])
    assert isinstance(found, READ_AS.get(kind, Reply))
    if isinstance(found, Reply | PrefectureLetter | ReplyAcknowledgement):
        assert found.type is kind
        assert found.acte == ID
        assert found.dated == (date(2025, 5, 2) if kind is MessageType.COURT_REFERRAL else DAY)


@pytest.mark.parametrize(
    "kind",
    [kind for kind in MessageType if kind.direction is Direction.TO_STATE],
    ids=lambda kind: kind.value,
)
def test_what_we_send_says_iso_8859_1_and_is(kind: MessageType) -> None:
    assert MESSAGES[kind].startswith(b'<?xml version="1.0" encoding="ISO-8859-1"?>')
    accented = build_acte(acte(objet="Été à l'école"))
    assert "Été à l'école".encode("iso-8859-1") in accented


def test_an_acte_that_replaces_another_obeys_the_newer_schema() -> None:
    assert is_valid(build_acte(acte(replaces=ID)))


ENVELOPES = {
    Envelope: build_envelope(emitter=COMMUNE, operator=OPERATOR, messages=("a.xml", "b.xml")),
    ReturnEnvelope: written(
        "EnveloppeMISILLCL",
        '<actes:Emetteur><actes:IDSousPref actes:Departement="079" actes:Arrondissement="2"/>'
        "</actes:Emetteur><actes:FormulairesEnvoyes><actes:Formulaire><actes:NomFichier>a.xml"
        "</actes:NomFichier></actes:Formulaire></actes:FormulairesEnvoyes>"
        '<actes:Destinataire insee:SIREN="217901743"/>',
    ),
    EnvelopeAnomaly: written(
        "AnomalieEnveloppe",
        "<actes:Date>2025-03-11</actes:Date><actes:Nature>5</actes:Nature><actes:Detail>"
        f"PREF-VERIF-02</actes:Detail><actes:EnveloppeRecue>{SENT}</actes:EnveloppeRecue>",
    ),
}


@pytest.mark.parametrize("kind", list(ENVELOPES), ids=lambda kind: kind.__name__)
def test_each_envelope_obeys_both_schemas_and_is_read_back(kind: type[Any]) -> None:
    assert is_valid(ENVELOPES[kind])
    assert is_valid(ENVELOPES[kind], "actes-2017-older")
    name = "ANO_EACT--217901743--20250312-1.xml"
    assert isinstance(read_message(name, ENVELOPES[kind]), kind)


# The ministry does not keep to its own schema: what is invalid and real is read all the same.
DEVIATIONS = {
    "anomaly of one digit": (
        MESSAGES[MessageType.ACTE_ANOMALY].replace(b">042<", b">2<"),
        Anomaly,
    ),
    "envelope anomaly 999": (
        ENVELOPES[EnvelopeAnomaly].replace(b">5<", b">999<"),
        EnvelopeAnomaly,
    ),
    "no mark of paper": (
        MESSAGES[MessageType.ACTE_ACKNOWLEDGED].replace(
            b"<actes:DocumentPapier>N</actes:DocumentPapier>", b""
        ),
        Acknowledgement,
    ),
    "attributes without prefix": (
        MESSAGES[MessageType.CANCELLATION_ACKNOWLEDGED].replace(
            b"actes:DateReception", b"DateReception"
        ),
        CancellationAck,
    ),
}


@pytest.mark.parametrize("name", list(DEVIATIONS))
def test_a_real_deviation_is_invalid_and_read(name: str) -> None:
    content, kind = DEVIATIONS[name]
    assert not is_valid(content)
    assert isinstance(read_message("ANO_EACT--217901743--20250312-1.xml", content), kind)
