"""`PES_ACQUIT` in its version 2: what the trésorerie accepts and refuses, element by element."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lxml import etree

from socle.exercise.protocol.outcome import MENTION
from socle.exercise.protocol.pes import Pes

_NAMESPACE: Final = "http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/retour/v2"
_MAX_LABEL: Final = 500
_HEADER: Final = (
    "DteStr",
    "IdPost",
    "LibellePoste",
    "IdColl",
    "FinJur",
    "CodCol",
    "CodBud",
    "LibelleColBud",
)


class Domain(StrEnum):
    """`DomaineAck`: the part of the flux an element speaks of."""

    TECHNICAL = "0"
    ATTACHMENT = "4"
    EXPENSE = "5"
    REVENUE = "6"
    CONTRACT = "11"
    INVOICE = "12"


@dataclass(frozen=True, slots=True)
class Error:
    """`NumAnoAck` (of the closed list) and its label: a number, the mention, a sentence."""

    name: str
    number: int
    sentence: str

    @property
    def label(self) -> str:
        """The label as written in the acquit, cut at the length the schema allows."""
        return f"{self.number} - {MENTION} - {self.sentence}"[:_MAX_LABEL]


@dataclass(frozen=True, slots=True)
class PieceVerdict:
    """A faulty piece: on the whole when `line` is empty, else on that line."""

    number: str
    error: Error
    line: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One `ElementACQUIT`: accepted when it holds no error at any depth."""

    domain: Domain
    bordereau: str = ""
    year: str = ""
    unique_id: str = ""
    errors: tuple[Error, ...] = ()
    pieces: tuple[PieceVerdict, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the element is taken in."""
        return not self.errors and not self.pieces


def build_acquit(pes: Pes, verdicts: tuple[Verdict, ...], *, fallback_name: str) -> bytes:
    """The acquit in ISO-8859-1. `fallback_name` stands for a `NomFic` that could not be read."""
    root = etree.Element(f"{{{_NAMESPACE}}}PES_ACQUIT", nsmap={"n": _NAMESPACE})
    root.addprevious(etree.Comment(f" {MENTION} - sans valeur "))
    _add_envelope(root, pes, fallback_name)
    header = etree.SubElement(root, "EnTetePES")
    for name in _HEADER:
        if pes.value(f"EnTetePES/{name}"):
            _add(header, name, pes.value(f"EnTetePES/{name}"))
    acquit = etree.SubElement(root, "ACQUIT")
    _add(etree.SubElement(acquit, "EnTeteAcquit"), "IdVer", "2")
    for verdict in verdicts:
        _add_element(acquit, verdict)
    etree.indent(root, "  ")
    body: bytes = etree.tostring(root.getroottree(), encoding="ISO-8859-1", xml_declaration=False)
    return b'<?xml version="1.0" encoding="ISO-8859-1"?>\n' + body + b"\n"


def _add_envelope(root: etree._Element, pes: Pes, fallback_name: str) -> None:
    envelope = etree.SubElement(root, "Enveloppe")
    parameters = etree.SubElement(envelope, "Parametres")
    _add(parameters, "Version", pes.value("Enveloppe/Parametres/Version") or "2")
    _add(parameters, "TypFic", pes.value("Enveloppe/Parametres/TypFic") or "PESALR1")
    _add(parameters, "NomFic", pes.file_name or fallback_name)
    emitter = etree.SubElement(envelope, "Emetteur")
    _add(emitter, "Sigle", pes.value("Enveloppe/Emetteur/Sigle") or "INCONNU")
    _add(emitter, "Adresse", pes.value("Enveloppe/Emetteur/Adresse") or "INCONNU")
    receiver = etree.SubElement(envelope, "Recepteur")
    _add(receiver, "Sigle", f"HELIOS {MENTION}")
    _add(receiver, "Adresse", f"{MENTION} - trésorerie d'exercice")


def _add_element(acquit: etree._Element, verdict: Verdict) -> None:
    element = etree.SubElement(acquit, "ElementACQUIT")
    _add(element, "DomaineAck", verdict.domain)
    _add(element, "EtatAck", "1" if verdict.accepted else "0")
    identifiers = {
        "NumBord": verdict.bordereau,
        "ExerciceBord": verdict.year,
        "IdUnique": verdict.unique_id,
    }
    for name, value in identifiers.items():
        if value:
            _add(element, name, value)
    for error in verdict.errors:
        _add_error(element, error)
    for piece in verdict.pieces:
        _add_piece(element, piece)


def _add_piece(element: etree._Element, piece: PieceVerdict) -> None:
    detail = etree.SubElement(element, "DetailPiece")
    _add(detail, "NumPiece", piece.number)
    if piece.line:
        detail = etree.SubElement(detail, "DetailLigne")
        _add(detail, "NumLigne", piece.line)
    _add_error(detail, piece.error)


def _add_error(parent: etree._Element, error: Error) -> None:
    element = etree.SubElement(parent, "Erreur")
    _add(element, "NumAnoAck", error.name)
    _add(element, "LibelleAnoAck", error.label)


def _add(parent: etree._Element, name: str, value: str) -> None:
    etree.SubElement(parent, name).set("V", value)
