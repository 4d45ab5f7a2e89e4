"""Letters read leniently, answers built strictly."""

from datetime import date
from io import BytesIO

import pytest

from socle.actes.protocol.archive import read_archive, write_archive
from socle.actes.protocol.build import build_reply
from socle.actes.protocol.codes import FileKind, MessageType
from socle.actes.protocol.identifiers import UnreadableIdentifier
from socle.actes.protocol.letters import ANSWERS, RECEIPTS, receipt_of
from socle.actes.protocol.package import check_package, pack_reply
from socle.actes.protocol.read import UnusableMessage, read_message
from socle.actes.protocol.rules import InvalidDocument
from socle.actes.protocol.values import (
    Document,
    PrefectureLetter,
    Reply,
    ReplyAcknowledgement,
)
from tests.actes.protocol.givens import ACTE, NOON, SENDER, is_valid

ID = ACTE.identifier
LETTER_DAY = date(2025, 4, 2)
NS = 'xmlns:actes="http://www.interieur.gouv.fr/ACTES#v1.1-20040216"'
FILE = "<actes:Document><actes:NomFichier>{}</actes:NomFichier></actes:Document>"
KEYS = f'actes:IDActe="{ID}" actes:DateCourrierPref="2025-04-02"'
SENT_BY_PERSONS = sorted(answer for answers in ANSWERS.values() for answer in answers)


def written(root: str, body: str = "", keys: str = KEYS) -> bytes:
    text = (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
        f"<actes:{root} {NS} {keys}>{body}</actes:{root}>"
    )
    return text.encode("iso-8859-1")


def letter(root: str, body: str = FILE.format("lettre.pdf"), keys: str = KEYS) -> PrefectureLetter:
    found = read_message(f"{root}.xml", written(root, body, keys))
    assert isinstance(found, PrefectureLetter)
    return found


def piece(name: str = "pièce.pdf", typology: str = "99_DE") -> Document:
    return Document(name, FileKind.PDF, 4, typology)


def reply(kind: MessageType, *names: str) -> Reply:
    return Reply(kind, ID, LETTER_DAY, names)


def packed(kind: MessageType, *documents: Document) -> dict[str, bytes]:
    openers = [lambda: BytesIO(b"%PDF") for _ in documents]
    package = pack_reply(reply(kind), documents, openers, sender=SENDER)
    out = BytesIO()
    write_archive(package.entries, out, at=NOON)
    return read_archive(out.getvalue())


# Reading.


def test_G01_a_courrier_simple_gives_its_date_and_its_document() -> None:
    found = letter("CourrierSimple")
    assert (found.type, found.acte, found.dated) == (MessageType.LETTER, ID, LETTER_DAY)
    assert found.documents == ("lettre.pdf",)


def test_G08_a_request_for_pieces_says_which_pieces() -> None:
    wanted = "<actes:DescriptionPieces>Le plan annexé à l'arrêté</actes:DescriptionPieces>"
    found = letter("DemandePieceComplementaire", wanted + FILE.format("lettre.pdf"))
    assert found.type is MessageType.PIECES_REQUEST
    assert found.text == "Le plan annexé à l'arrêté"


def test_G09_observations_give_their_grounds() -> None:
    found = letter("LettreObservations", "<actes:Motif>Incompétence</actes:Motif>")
    assert (found.type, found.text, found.documents) == (
        MessageType.OBSERVATIONS,
        "Incompétence",
        (),
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_G06_G07_a_defere_has_none_one_or_several_pieces(count: int) -> None:
    pieces = "".join(
        f"<actes:PieceJointe><actes:NomFichier>{rank}.pdf</actes:NomFichier></actes:PieceJointe>"
        for rank in range(count)
    )
    body = (
        "<actes:DateDepot>2025-05-02</actes:DateDepot><actes:NatureIllegalite>Vice de forme"
        f"</actes:NatureIllegalite><actes:PiecesJointes>{pieces}</actes:PiecesJointes>"
    )
    assert is_valid(written("DefereTA", body, f'actes:IDActe="{ID}"'))
    found = letter("DefereTA", body, f'actes:IDActe="{ID}"')
    assert found.type is MessageType.COURT_REFERRAL
    assert (found.dated, found.text) == (date(2025, 5, 2), "Vice de forme")
    assert len(found.documents) == count


def test_a_letter_without_its_group_of_pieces_is_read() -> None:
    body = "<actes:DateDepot>2025-05-02</actes:DateDepot>"
    assert letter("DefereTA", body, f'actes:IDActe="{ID}"').documents == ()


def test_a_letter_without_date_is_not_usable() -> None:
    with pytest.raises(UnusableMessage, match="n'est pas daté"):
        letter("CourrierSimple", keys=f'actes:IDActe="{ID}"')


def test_a_letter_about_no_readable_act_is_refused() -> None:
    with pytest.raises(UnreadableIdentifier):
        letter("CourrierSimple", keys='actes:IDActe="?" actes:DateCourrierPref="2025-04-02"')


def test_C11_a_letter_about_a_foreign_number_with_a_dash_is_read() -> None:
    keys = 'actes:IDActe="079-217901743-20250310-A-B-DE" actes:DateCourrierPref="2025-04-02"'
    assert letter("CourrierSimple", keys=keys).acte.number == "A-B"


@pytest.mark.parametrize(
    ("root", "kind"),
    [
        ("ARPieceComplementaire", MessageType.PIECES_ANSWER_ACKNOWLEDGED),
        ("ARReponseRejetLettreObservations", MessageType.OBSERVATIONS_ANSWER_ACKNOWLEDGED),
    ],
)
def test_G11_an_acknowledged_answer_names_the_letter_it_answers(
    root: str, kind: MessageType
) -> None:
    body = f"<actes:InfosCourrierPref {KEYS}/>"
    data = written(root, body, 'actes:DateReception="2025-04-20"')
    assert is_valid(data)
    assert read_message("ar.xml", data) == ReplyAcknowledgement(
        kind, ID, LETTER_DAY, date(2025, 4, 20)
    )


def test_an_acknowledgement_of_an_answer_without_its_letter_is_refused() -> None:
    with pytest.raises(UnreadableIdentifier):
        read_message("ar.xml", written("ARPieceComplementaire", "", ""))


# Building.


@pytest.mark.parametrize("kind", SENT_BY_PERSONS)
def test_an_answer_follows_the_schema_and_reads_back(kind: MessageType) -> None:
    made = reply(kind, "99_DE-x_1.pdf")
    data = build_reply(made)
    assert data.startswith(b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<actes:')
    assert is_valid(data)
    assert is_valid(data, "actes-2017-older")
    assert read_message("réponse.xml", data) == made


@pytest.mark.parametrize("kind", sorted(RECEIPTS.values()))
def test_an_automatic_acknowledgement_follows_the_schema(kind: MessageType) -> None:
    data = build_reply(reply(kind))
    assert is_valid(data)
    assert read_message("ar.xml", data) == reply(kind)


def test_the_answer_carries_the_date_of_the_letter_received() -> None:
    made = build_reply(reply(MessageType.PIECES_REFUSED, "a.pdf"))
    assert b'actes:DateCourrierPref="2025-04-02"' in made


def test_G11_several_pieces_leave_in_one_message() -> None:
    files = packed(MessageType.PIECES_SENT, piece("a.pdf"), piece("b.pdf"), piece("c.pdf"))
    message = read_message("m.xml", files[f"{ID}-3-4_0.xml"])
    assert isinstance(message, Reply)
    assert len(message.documents) == 3
    assert is_valid(files[f"{ID}-3-4_0.xml"])


def test_D08_the_pieces_of_an_answer_are_numbered_from_one() -> None:
    files = packed(MessageType.PIECES_SENT, piece("a.pdf"), piece("b.pdf", "21_RP"))
    assert list(files)[1:] == [
        f"{ID}-3-4_0.xml",
        f"99_DE-{ID}-3-4_1.pdf",
        f"21_RP-{ID}-3-4_2.pdf",
    ]


@pytest.mark.parametrize("kind", SENT_BY_PERSONS)
def test_the_archive_of_an_answer_tells_one_story(kind: MessageType) -> None:
    files = packed(kind, piece())
    xml = {name: data for name, data in files.items() if name.endswith(".xml")}
    check_package(xml, files.keys())


def test_G12_a_refusal_takes_one_document_only() -> None:
    with pytest.raises(InvalidDocument, match="un seul document"):
        packed(MessageType.PIECES_REFUSED, piece("a.pdf"), piece("b.pdf"))


@pytest.mark.parametrize("kind", SENT_BY_PERSONS)
def test_G13_an_answer_without_document_is_refused(kind: MessageType) -> None:
    with pytest.raises(InvalidDocument, match="Joignez"):
        packed(kind)


def test_an_automatic_acknowledgement_carries_no_document() -> None:
    with pytest.raises(InvalidDocument):
        packed(MessageType.OBSERVATIONS_ACKNOWLEDGED, piece())


def test_a_document_of_a_forbidden_format_is_not_packed() -> None:
    with pytest.raises(InvalidDocument, match="format"):
        packed(MessageType.LETTER_ANSWER, Document("tableau.ods", None, 4, "99_DE"))


@pytest.mark.parametrize(
    ("kind", "receipt"),
    [
        (MessageType.LETTER, None),
        (MessageType.PIECES_REQUEST, MessageType.PIECES_REQUEST_ACKNOWLEDGED),
        (MessageType.OBSERVATIONS, MessageType.OBSERVATIONS_ACKNOWLEDGED),
        (MessageType.COURT_REFERRAL, None),
    ],
)
def test_only_two_letters_are_acknowledged_by_themselves(
    kind: MessageType, receipt: MessageType | None
) -> None:
    found = receipt_of(PrefectureLetter(kind, ID, LETTER_DAY, "", ()))
    assert (found and found.type) == receipt
    assert found is None or found.dated == LETTER_DAY


def test_G14_a_courrier_simple_may_be_answered_and_a_defere_not() -> None:
    assert ANSWERS[MessageType.LETTER] == (MessageType.LETTER_ANSWER,)
    assert ANSWERS[MessageType.COURT_REFERRAL] == ()
