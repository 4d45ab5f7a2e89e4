"""The letters a trainer orders, and the answers the practice préfecture takes."""

from datetime import timedelta

import pytest
from lxml import etree

from socle.exercise.protocol import facts
from socle.exercise.protocol.outcome import Outcome
from socle.exercise.protocol.prefecture import answer_archive
from tests.documents import pdfs
from tests.exercise.builders import (
    ACTES,
    AT,
    DECLARATION,
    PDF,
    XMLNS,
    Act,
    Parcel,
    parcel_of,
)
from tests.exercise.reading import attachments, only, schema

A = f"{{{ACTES}}}"
DAY = "2025-03-10"
LETTERS = {
    "[courrier simple]": ("2-1", "CourrierSimple"),
    "[pièces]": ("3-1", "DemandePieceComplementaire"),
    "[observations]": ("4-1", "LettreObservations"),
    "[déféré]": ("5-1", "DefereTA"),
}
ROOTS = {
    "2-2": "ReponseCourrierSimple",
    "3-2": "ARDemandePieceComplementaire",
    "3-3": "RefusPieceComplementaire",
    "3-4": "PieceComplementaire",
    "4-2": "ARLettreObservations",
    "4-3": "RejetLettreObservations",
    "4-4": "ReponseLettreObservations",
}


def ask(parcel: Parcel, *, known: frozenset[str] = frozenset()) -> Outcome:
    return answer_archive(parcel.name, parcel.archive(), at=AT, serial=7, known=known.__contains__)


def answer_of(
    code: str, *, day: str = DAY, files: int = 1, act: Act | None = None, wrapped: bool = True
) -> Parcel:
    act = act or Act()
    stem = f"{act.act_id}-{code}"
    names = [f"99_DE-{stem}_{rank}.pdf" for rank in range(1, files + 1)]
    body = "".join(
        f"<actes:Document><actes:NomFichier>{name}</actes:NomFichier></actes:Document>"
        for name in names
    )
    if code == "3-4" and wrapped:
        body = f"<actes:Documents>{body}</actes:Documents>"
    text = (
        f'{DECLARATION}<actes:{ROOTS[code]} {XMLNS} actes:IDActe="{act.act_id}" '
        f'actes:DateCourrierPref="{day}">{body}</actes:{ROOTS[code]}>'
    )
    message = f"{stem}_0.xml"
    return Parcel(files={message: text.encode()} | dict.fromkeys(names, PDF), messages=(message,))


def sent(code: str) -> frozenset[str]:
    """What the office remembers once it has written a letter of this code."""
    return frozenset({facts.letter_sent(Act().act_id, code, DAY)})


def refusal_of(parcel: Parcel, code: str = "3-1") -> str:
    [answer] = ask(parcel, known=sent(code)).returns
    [root] = [etree.fromstring(one) for one in attachments(answer.content).values()]
    assert root.tag == f"{A}AnomalieEnveloppe"
    return root.findtext(f"{A}Detail") or ""


@pytest.mark.parametrize("marker", LETTERS)
def test_a_marker_brings_its_letter_after_the_acknowledgement(marker: str) -> None:
    receipt, letter = ask(parcel_of(Act(subject=f"Essai {marker}"))).returns
    assert only(receipt.content, "ARActe") is not None
    code, root = LETTERS[marker]
    found = only(letter.content, root)
    assert found.get(f"{A}IDActe") == Act().act_id
    assert letter.name == f"{Act().act_id}-{code}_8.eml"


@pytest.mark.parametrize("marker", LETTERS)
def test_a_letter_follows_the_official_schema(marker: str) -> None:
    _, letter = ask(parcel_of(Act(subject=f"Essai {marker}"))).returns
    found = only(letter.content, LETTERS[marker][1])
    schema("actes/actesv1_1.xsd").assertValid(found)


@pytest.mark.parametrize("marker", LETTERS)
def test_the_papers_a_letter_names_come_with_it(marker: str) -> None:
    _, letter = ask(parcel_of(Act(subject=f"Essai {marker}"))).returns
    found = only_names(letter.content, LETTERS[marker][1])
    files = attachments(letter.content)
    assert found
    assert set(found) == {name for name in files if name.endswith(".pdf")}
    assert all("EXERCICE" in pdfs.words(files[name]) for name in found)


def only_names(content: bytes, root: str) -> list[str]:
    return [one.text or "" for one in only(content, root).iter(f"{A}NomFichier")]


def test_a_letter_is_dated_of_the_day_it_is_written() -> None:
    _, letter = ask(parcel_of(Act(subject="Essai [pièces]"))).returns
    assert only(letter.content, "DemandePieceComplementaire").get(f"{A}DateCourrierPref") == DAY


def test_four_markers_bring_four_letters() -> None:
    subject = " ".join(LETTERS)
    assert len(ask(parcel_of(Act(subject=subject))).returns) == 5


def test_a_refused_act_brings_no_letter() -> None:
    assert len(ask(parcel_of(Act(subject="Essai [pièces] [anomalie]"))).returns) == 1


def test_a_silent_office_writes_no_letter() -> None:
    assert ask(parcel_of(Act(subject="Essai [pièces] [silence]"))).returns == ()


def test_a_slow_office_writes_its_letter_slowly() -> None:
    returns = ask(parcel_of(Act(subject="Essai [pièces] [lent]"))).returns
    assert {one.delay for one in returns} == {timedelta(seconds=60)}


@pytest.mark.parametrize(
    ("code", "letter", "root"),
    [
        ("3-3", "3-1", "ARPieceComplementaire"),
        ("3-4", "3-1", "ARPieceComplementaire"),
        ("4-3", "4-1", "ARReponseRejetLettreObservations"),
        ("4-4", "4-1", "ARReponseRejetLettreObservations"),
    ],
)
def test_an_answer_is_acknowledged_with_the_date_of_its_letter(
    code: str, letter: str, root: str
) -> None:
    [answer] = ask(answer_of(code), known=sent(letter)).returns
    found = only(answer.content, root)
    schema("actes/actesv1_1.xsd").assertValid(found)
    infos = found.find(f"{A}InfosCourrierPref")
    assert infos is not None
    assert (infos.get(f"{A}IDActe"), infos.get(f"{A}DateCourrierPref")) == (Act().act_id, DAY)
    assert found.get(f"{A}DateReception") == DAY


@pytest.mark.parametrize(
    ("code", "letter", "files"), [("2-2", "2-1", 1), ("3-2", "3-1", 0), ("4-2", "4-1", 0)]
)
def test_a_receipt_and_an_answer_to_a_simple_letter_get_no_acknowledgement(
    code: str, letter: str, files: int
) -> None:
    assert ask(answer_of(code, files=files), known=sent(letter)).returns == ()


def test_several_pieces_are_taken_in_one_answer() -> None:
    [answer] = ask(answer_of("3-4", files=3), known=sent("3-1")).returns
    assert only(answer.content, "ARPieceComplementaire") is not None


def test_an_answer_that_carries_the_date_of_the_day_it_was_written_is_refused() -> None:
    assert "Aucun courrier 3-1 du 2025-03-11" in refusal_of(answer_of("3-4", day="2025-03-11"))


def test_an_answer_to_a_letter_never_sent_is_refused() -> None:
    assert "Aucun courrier 4-1" in refusal_of(answer_of("4-4"))


def test_an_answer_about_another_act_than_its_name_says_is_refused() -> None:
    parcel = answer_of("3-3")
    [message] = parcel.messages
    parcel.files[message] = parcel.files[message].replace(b"2025_017-DE", b"2025_018-DE")
    assert "ne désigne pas" in refusal_of(parcel)


@pytest.mark.parametrize(("code", "files"), [("3-3", 2), ("3-4", 0), ("3-2", 1)])
def test_a_wrong_number_of_documents_is_refused(code: str, files: int) -> None:
    assert "n'est pas permis" in refusal_of(answer_of(code, files=files))


def test_a_document_absent_from_the_archive_is_refused() -> None:
    parcel = answer_of("3-3")
    parcel.files.popitem()
    assert "absent" in refusal_of(parcel)


def test_a_document_named_after_another_message_is_refused() -> None:
    parcel = answer_of("3-3")
    [message] = parcel.messages
    parcel.files[message] = parcel.files[message].replace(b"-3-3_1.pdf", b"-3-4_1.pdf")
    assert "ne suit pas la norme" in refusal_of(parcel)


def test_a_file_no_answer_announces_is_refused() -> None:
    parcel = answer_of("3-3")
    parcel.files["99_DE-intrus_1.pdf"] = PDF
    assert "n'est annoncé" in refusal_of(parcel)
