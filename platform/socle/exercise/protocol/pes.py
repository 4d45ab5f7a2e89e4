"""What the practice trésorerie reads in a PES aller: header, bordereaux, pieces, attachments.

Read as a stream, so that an attachment of any size costs no memory. Every value of a PES sits in
the attribute `V`; elements below the root have no namespace.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from socle.core.refusals import Refusal

ALLER: Final = "http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/aller PES_Aller"
RETURN_ACKNOWLEDGEMENT: Final = "PES_ACQUIT_RETOUR"
EXPENSE: Final = "PES_DepenseAller"
REVENUE: Final = "PES_RecetteAller"
ATTACHMENTS: Final = "PES_PJ"

_DECLARATION: Final = re.compile(rb"\s*<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")


class UnreadablePes(Refusal):
    """The bytes stop being XML that an office accepts to open."""

    code = "unreadable-pes"


@dataclass(slots=True)
class Piece:
    """A mandat or a titre: its number, its object, the numbers of its lines."""

    number: str = ""
    subject: str = ""
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Bordereau:
    """A bordereau of expense or revenue and its pieces."""

    domain: str
    number: str = ""
    year: str = ""
    kind: str = ""
    subject: str = ""
    pieces: list[Piece] = field(default_factory=list)


@dataclass(slots=True)
class Pes:
    """A PES as far as it could be read: `fault` says where reading stopped."""

    root: str = ""
    encoding: str = ""
    header: dict[str, str] = field(default_factory=dict)
    blocks: list[str] = field(default_factory=list)
    bordereaux: list[Bordereau] = field(default_factory=list)
    attachments: list[str] = field(default_factory=list)
    fault: str = ""

    def value(self, name: str) -> str:
        """A value of the header by its path, such as `EnTetePES/IdPost`; empty when absent."""
        return self.header.get(name, "")

    @property
    def file_name(self) -> str:
        """`NomFic`, on which an acquit is matched."""
        return self.value("Enveloppe/Parametres/NomFic")

    @property
    def subjects(self) -> str:
        """Every free text a trainer can write in: the file name and all objects."""
        pieces = (piece.subject for bordereau in self.bordereaux for piece in bordereau.pieces)
        return "\n".join((self.file_name, *(one.subject for one in self.bordereaux), *pieces))


def read_pes(content: bytes) -> Pes:
    """Read a PES; never raises: a file that breaks half-way is returned with what came before."""
    pes = Pes()
    declared = _DECLARATION.match(content[:200])
    pes.encoding = declared[1].decode().upper() if declared else ""
    reader = _Reader(pes)
    try:
        reader.feed(content)
    except (expat.ExpatError, UnreadablePes, ValueError, LookupError) as error:
        pes.fault = str(error)
    return pes


class _Reader:
    """Follows the element path and notes the few values an acquit needs."""

    def __init__(self, pes: Pes) -> None:
        self._pes = pes
        self._path: list[str] = []
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    def feed(self, content: bytes) -> None:
        self._parser.Parse(content, True)

    def _refuse_doctype(self, *_: object) -> None:
        raise UnreadablePes("Le fichier contient une DTD, ce qui est interdit.")

    def _end(self, _name: str) -> None:
        self._path.pop()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        depth = len(self._path)
        if depth == 1:
            self._pes.root = name
        elif depth == 2:
            self._pes.blocks.append(name)
        else:
            self._note("/".join(self._path[2:]), attributes.get("V", ""))

    def _note(self, path: str, value: str) -> None:
        block = self._path[1]
        if block in {"Enveloppe", "EnTetePES"}:
            self._pes.header[f"{block}/{path}"] = value
        elif block == ATTACHMENTS and path == "PJ/IdUnique":
            self._pes.attachments.append(value)
        elif block in {EXPENSE, REVENUE}:
            self._note_bordereau(block, path, value)

    def _note_bordereau(self, block: str, path: str, value: str) -> None:
        if path == "Bordereau":
            self._pes.bordereaux.append(Bordereau(block))
        elif path == "Bordereau/Piece":
            self._pes.bordereaux[-1].pieces.append(Piece())
        elif path in _BORDEREAU_VALUES:
            setattr(self._pes.bordereaux[-1], _BORDEREAU_VALUES[path], value)
        elif path in _PIECE_VALUES:
            _PIECE_VALUES[path](self._pes.bordereaux[-1].pieces[-1], value)


_BORDEREAU_VALUES: Final = {
    "Bordereau/BlocBordereau/IdBord": "number",
    "Bordereau/BlocBordereau/Exer": "year",
    "Bordereau/BlocBordereau/TypBord": "kind",
    "Bordereau/BlocBordereau/Objet": "subject",
}


def _set_number(piece: Piece, value: str) -> None:
    piece.number = value


def _set_subject(piece: Piece, value: str) -> None:
    piece.subject = value


def _add_line(piece: Piece, value: str) -> None:
    piece.lines.append(value)


_LINE: Final = "Bordereau/Piece/LigneDePiece/BlocLignePiece"
_PIECE_VALUES: Final[dict[str, Callable[[Piece, str], None]]] = {
    "Bordereau/Piece/BlocPiece/InfoPce/IdPce": _set_number,
    "Bordereau/Piece/BlocPiece/InfoPce/Obj": _set_subject,
    "Bordereau/Piece/BlocPiece/IdPce": _set_number,
    "Bordereau/Piece/BlocPiece/ObjPce": _set_subject,
    f"{_LINE}/InfoLignePce/IdLigne": _add_line,
    f"{_LINE}/InfoLignePiece/IdLigne": _add_line,
}
