"""Letters the practice préfecture writes about an act, and the answers it takes to them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from socle.exercise.protocol import actes_xml as xml
from socle.exercise.protocol import facts, markers
from socle.exercise.protocol.envelopes import EnvelopeRefused, Message
from socle.exercise.protocol.names import DocumentName
from socle.exercise.protocol.outcome import MENTION, Memory
from socle.exercise.protocol.papers import write_paper

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of letter: its code, its root, the element of its free text, and what it says."""

    code: str
    root: str
    title: str
    text: str = ""
    says: str = ""
    papers: int = 1


#: Words in an object → the letter that follows the acknowledgement.
LETTERS: Final[dict[str, Kind]] = {
    markers.SIMPLE_LETTER: Kind("2-1", "CourrierSimple", "Courrier simple"),
    markers.PIECES: Kind(
        "3-1",
        "DemandePieceComplementaire",
        "Demande de pièces complémentaires",
        text="DescriptionPieces",
        says="Merci de transmettre le plan annexé et le rapport présenté en séance.",
    ),
    markers.OBSERVATIONS: Kind(
        "4-1",
        "LettreObservations",
        "Lettre d'observations",
        text="Motif",
        says="La convocation n'est pas visée et le quorum n'est pas indiqué.",
    ),
    markers.COURT_REFERRAL: Kind(
        "5-1",
        "DefereTA",
        "Déféré au tribunal administratif",
        text="NatureIllegalite",
        says="Incompétence de l'auteur de l'acte.",
        papers=2,
    ),
}

#: Code of an answer → the code of the letter it answers, and the acknowledgement it gets, if any.
ANSWERS: Final[dict[str, tuple[str, str]]] = {
    "2-2": ("2-1", ""),
    "3-2": ("3-1", ""),
    "3-3": ("3-1", "3-5"),
    "3-4": ("3-1", "3-5"),
    "4-2": ("4-1", ""),
    "4-3": ("4-1", "4-5"),
    "4-4": ("4-1", "4-5"),
}
_RECEIPTS: Final = frozenset({"3-2", "4-2"})
_SEVERAL: Final = frozenset({"3-4"})
_ACKNOWLEDGED: Final = {
    "3-5": ("ARPieceComplementaire", "Accusé de réception de la réponse à la demande de pièces"),
    "4-5": (
        "ARReponseRejetLettreObservations",
        "Accusé de réception de la réponse à la lettre d'observations",
    ),
}


def wanted_by(subject: str) -> list[Kind]:
    """The letters the object of an act asks for, in the order of the norm."""
    return [kind for marker, kind in LETTERS.items() if markers.carries(subject, marker)]


def paper_names(stem: str, kind: Kind, serial: int) -> list[str]:
    """File names of a letter's papers; their serials do not follow that of the message."""
    return [f"{stem}_{serial + 1000 + rank}.pdf" for rank in range(kind.papers)]


def letter(kind: Kind, act_id: str, papers: list[str], *, on: date) -> bytes:
    """The message of a letter dated `on`."""
    if kind.code == "5-1":
        return _court_referral(kind, act_id, papers, on=on)
    root = xml.new_root(kind.root, IDActe=act_id, DateCourrierPref=on.isoformat())
    if kind.text:
        xml.add(root, kind.text, f"{MENTION} - {kind.says}")
    for name in papers:
        xml.add(xml.add(root, "Document"), "NomFichier", name)
    return xml.serialise(root)


def _court_referral(kind: Kind, act_id: str, papers: list[str], *, on: date) -> bytes:
    root = xml.new_root(kind.root, IDActe=act_id)
    xml.add(root, "DateDepot", on.isoformat())
    xml.add(root, kind.text, f"{MENTION} - {kind.says}")
    group = xml.add(root, "PiecesJointes")
    for name in papers:
        xml.add(xml.add(group, "PieceJointe"), "NomFichier", name)
    return xml.serialise(root)


def paper(kind: Kind, act_id: str, subject: str, *, on: date) -> bytes:
    """The PDF that comes with a letter."""
    return write_paper(
        kind.title,
        [f"Acte {act_id}", subject, "", kind.says or "Votre acte appelle une remarque.", f"{on}"],
    )


def check_answer(message: Message, files: Mapping[str, bytes], *, known: Memory) -> set[str]:
    """The documents an answer announces, once it is one we can take. Raises `EnvelopeRefused`."""
    root, code = message.root, message.name.code
    act_id, day = xml.attribute(root, "IDActe"), xml.attribute(root, "DateCourrierPref")
    letter_code = ANSWERS[code][0]
    if act_id != message.name.act_id:
        raise EnvelopeRefused(
            f"Le nom {message.file_name} ne désigne pas l'acte {act_id} de la réponse."
        )
    if not _DAY.fullmatch(day) or not known(facts.letter_sent(act_id, letter_code, day)):
        raise EnvelopeRefused(
            f"Aucun courrier {letter_code} du {day or '(sans date)'} n'a été envoyé sur l'acte "
            f"{act_id}."
        )
    documents = _documents(message)
    _check_count(code, len(documents), message.file_name)
    for name in documents:
        _check_document(message, name, files)
    return set(documents)


def acknowledgement(message: Message, *, on: date) -> tuple[str, str, bytes] | None:
    """Code, title and content of the acknowledgement of an answer received `on`; None: it has none.

    Messages 3-5 `ARPieceComplementaire` and 4-5 `ARReponseRejetLettreObservations`.
    """
    code = ANSWERS[message.name.code][1]
    if not code:
        return None
    name, title = _ACKNOWLEDGED[code]
    root = xml.new_root(name, DateReception=on.isoformat())
    xml.add(
        root,
        "InfosCourrierPref",
        IDActe=message.name.act_id,
        DateCourrierPref=xml.attribute(message.root, "DateCourrierPref"),
    )
    return code, title, xml.serialise(root)


def _documents(message: Message) -> list[str]:
    group = message.root
    if message.name.code in _SEVERAL:
        found = xml.find(message.root, "Documents")
        group = message.root if found is None else found
    return [xml.text(one, "NomFichier") for one in group if one.tag == xml.actes("Document")]


def _check_count(code: str, count: int, name: str) -> None:
    if code in _RECEIPTS:
        right = count == 0
    else:
        right = count >= 1 if code in _SEVERAL else count == 1
    if not right:
        raise EnvelopeRefused(f"Le message {name} porte {count} document(s), ce n'est pas permis.")


def _check_document(message: Message, name: str, files: Mapping[str, bytes]) -> None:
    read = DocumentName.read(name)
    if read is None or read.stem != message.name.stem():
        raise EnvelopeRefused(f"Le nom du document {name} ne suit pas la norme.")
    if not files.get(name):
        raise EnvelopeRefused(f"Le document {name} est absent de l'archive ou vide.")
