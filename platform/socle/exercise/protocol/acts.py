"""Message 1-1: what an act says, and the rules it must meet before it is acknowledged."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from socle.core.refusals import Refusal
from socle.exercise.protocol import actes_xml as xml
from socle.exercise.protocol import facts, markers
from socle.exercise.protocol.classification import Classification
from socle.exercise.protocol.envelopes import Message
from socle.exercise.protocol.names import DocumentName
from socle.exercise.protocol.outcome import Memory

#: 002 is the ministry's (outdated classification), 042 its test code. The ministry's other codes
#: are not public: 9xx are the exercise's own.
OUTDATED_CLASSIFICATION: Final = "002"
ON_DEMAND: Final = "042"
STRUCTURE: Final = "901"
NAME: Final = "902"
VALUE: Final = "903"
MATTER: Final = "904"
DOCUMENT: Final = "905"
DUPLICATE: Final = "906"

_SHAPE: Final = re.compile(
    r"CodeMatiere1 CodeMatiere2( CodeMatiere3)?( CodeMatiere4)?( CodeMatiere5)? Objet"
    r"( PrecedentIdentifiantActe)? ClassificationDateVersion Document Annexes DocumentPapier"
)
_NUMBER: Final = re.compile(r"([A-Za-z0-9]\w{0,13})?[A-Za-z0-9]", re.ASCII)
_INTEGER: Final = re.compile(r"\d{1,9}", re.ASCII)
_BUDGET_NATURE: Final = 5
_BUDGET_MATTER: Final = (7, 1)
_MAX_SUBJECT: Final = 500


class ActRefused(Refusal):
    """The act is refused: an `AnomalieActe` answers it. `nature` is its three-digit code."""

    code = "act-refused"

    def __init__(self, sentence: str, *, nature: str, reference: str = "") -> None:
        super().__init__(sentence)
        self.nature = nature
        self.reference = reference


@dataclass(frozen=True, slots=True)
class Act:
    """What a message 1-1 says, as text: nothing is judged yet."""

    message: Message
    day: str
    number: str
    nature: str
    matter: tuple[str, str]
    subject: str
    classification_day: str
    document: str
    annexes: tuple[str, ...]
    declared_annexes: str

    @property
    def act_id(self) -> str:
        """The `IDActe`, which the name of a checked message already spells."""
        return self.message.name.act_id

    @property
    def documents(self) -> tuple[str, ...]:
        """File names of the act and of its annexes."""
        return (self.document, *self.annexes)


def read_act(message: Message) -> Act:
    """The content of a message 1-1; what is missing is empty."""
    root = message.root
    annexes = xml.find(root, "Annexes")
    return Act(
        message=message,
        day=xml.attribute(root, "Date"),
        number=xml.attribute(root, "NumeroInterne"),
        nature=xml.attribute(root, "CodeNatureActe"),
        matter=(_matter(root, "CodeMatiere1"), _matter(root, "CodeMatiere2")),
        subject=xml.text(root, "Objet"),
        classification_day=xml.text(root, "ClassificationDateVersion"),
        document=xml.text(root, "Document", "NomFichier"),
        annexes=tuple(xml.text(annexe, "NomFichier") for annexe in _children(annexes)),
        declared_annexes=xml.attribute(annexes, "Nombre"),
    )


def check_act(
    act: Act,
    files: Mapping[str, bytes],
    *,
    on: date,
    classification: Classification,
    known: Memory,
) -> None:
    """What an act must meet on the day `on` it comes. Raises `ActRefused` at the first fault."""
    _check_structure(act)
    _check_subject(act)
    _check_values(act, on, classification)
    _check_name(act, classification)
    _check_matter(act, classification)
    _check_documents(act, files, classification)
    if known(number_fact(act)):
        raise ActRefused(
            f"Le numéro interne {act.number} a déjà servi cette année pour cette nature d'acte.",
            nature=DUPLICATE,
        )


def number_fact(act: Act) -> str:
    """The fact that takes the number of a checked act."""
    return facts.number_used(
        siren=act.message.name.siren,
        nature=int(act.nature),
        year=int(act.day[:4]),
        number=act.number,
    )


def _children(element: xml.Element | None) -> list[xml.Element]:
    return [] if element is None else list(element)


def _matter(root: xml.Element, level: str) -> str:
    return xml.attribute(xml.find(root, level), "CodeMatiere")


def _check_structure(act: Act) -> None:
    if not _SHAPE.fullmatch(xml.shape(act.message.root)):
        raise ActRefused(
            "Les éléments de l'acte ne suivent pas l'ordre de la norme.", nature=STRUCTURE
        )
    if not all((act.day, act.number, act.nature)):
        raise ActRefused(
            "La date, le numéro ou la nature de l'acte manque ou n'est pas qualifié.",
            nature=STRUCTURE,
        )
    if act.declared_annexes != str(len(act.annexes)):
        raise ActRefused(
            "Le nombre d'annexes annoncé n'est pas celui des annexes.", nature=STRUCTURE
        )


def _check_subject(act: Act) -> None:
    if not 1 <= len(act.subject) <= _MAX_SUBJECT:
        raise ActRefused(f"L'objet doit compter de 1 à {_MAX_SUBJECT} caractères.", nature=VALUE)
    if markers.carries(act.subject, markers.ANOMALY):
        raise ActRefused(
            f"Anomalie demandée par « {markers.ANOMALY} » dans l'objet.", nature=ON_DEMAND
        )


def _check_values(act: Act, on: date, classification: Classification) -> None:
    if _day(act.day) > on:
        raise ActRefused(f"La date de décision {act.day} est dans l'avenir.", nature=VALUE)
    if not _NUMBER.fullmatch(act.number):
        raise ActRefused(f"Le numéro interne {act.number} est mal formé.", nature=VALUE)
    if act.nature not in map(str, classification.natures):
        raise ActRefused(f"La nature d'acte {act.nature} n'existe pas.", nature=VALUE)
    if _day(act.classification_day) != classification.day:
        raise ActRefused(
            f"La date de la classification {act.classification_day} n'est pas celle en cours, "
            f"{classification.day}.",
            nature=OUTDATED_CLASSIFICATION,
            reference="ODT-VERIF-01",
        )


def _check_name(act: Act, classification: Classification) -> None:
    name = act.message.name
    expected = (
        act.day.replace("-", ""),
        act.number,
        classification.natures[int(act.nature)].abbreviation,
    )
    if (name.day, name.number, name.nature) != expected:
        raise ActRefused(
            f"Le nom du message {act.message.file_name} ne dit pas la même date, le même numéro "
            "ou la même nature que son contenu.",
            nature=NAME,
        )


def _check_matter(act: Act, classification: Classification) -> None:
    first, second = _matter_key(act)
    if second == 0 or (first, second) not in classification.matters:
        raise ActRefused(
            f"La matière {'.'.join(act.matter)} n'est pas dans la classification.", nature=MATTER
        )


def _matter_key(act: Act) -> tuple[int, int]:
    first, second = (int(code) if _INTEGER.fullmatch(code) else 0 for code in act.matter)
    return first, second


def _check_documents(act: Act, files: Mapping[str, bytes], classification: Classification) -> None:
    if len(set(act.documents)) != len(act.documents):
        raise ActRefused("Deux pièces de l'acte portent le même nom.", nature=DOCUMENT)
    types = classification.natures[int(act.nature)].piece_types
    for file_name in act.documents:
        _check_document_name(act, file_name, types)
        _check_document(act, file_name, files)


def _check_document_name(act: Act, file_name: str, types: Mapping[str, str]) -> None:
    name = DocumentName.read(file_name)
    if name is None or name.stem != act.message.name.stem():
        raise ActRefused(f"Le nom de la pièce {file_name} ne suit pas la norme.", nature=DOCUMENT)
    if name.type not in types:
        raise ActRefused(
            f"Le type de pièce {name.type} n'est pas permis pour cette nature d'acte.",
            nature=DOCUMENT,
        )


def _check_document(act: Act, file_name: str, files: Mapping[str, bytes]) -> None:
    content = files.get(file_name)
    if not content:
        raise ActRefused(f"La pièce {file_name} est absente de l'archive ou vide.", nature=DOCUMENT)
    found = _format_of(content)
    if found not in _accepted(act, file_name):
        raise ActRefused(f"Le format de la pièce {file_name} n'est pas permis.", nature=DOCUMENT)
    if found != file_name.rpartition(".")[2].replace("jpeg", "jpg"):
        raise ActRefused(
            f"L'extension de la pièce {file_name} n'est pas la bonne.", nature=DOCUMENT
        )
    if found == "pdf" and (b"%%EOF" not in content[-2048:] or b"/Encrypt" in content):
        raise ActRefused(f"Le PDF {file_name} est incomplet ou verrouillé.", nature=DOCUMENT)


def _accepted(act: Act, file_name: str) -> frozenset[str]:
    if file_name != act.document:
        return frozenset({"pdf", "jpg", "png", "xml"})
    budget = int(act.nature) == _BUDGET_NATURE and _matter_key(act) == _BUDGET_MATTER
    return frozenset({"pdf", "xml"} if budget else {"pdf"})


def _format_of(content: bytes) -> str:
    """The format the first bytes tell, empty when none of those the norm accepts."""
    heads = {b"%PDF-": "pdf", b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png"}
    for head, found in heads.items():
        if content.startswith(head):
            return found
    return "xml" if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") else ""


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ActRefused(f"« {value} » n'est pas une date AAAA-MM-JJ.", nature=VALUE) from error
