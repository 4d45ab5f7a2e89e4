"""Many acts in one PDF: an index, then each act with annexes and bordereau, under bookmarks.

What cannot be put in (an image, a budget in XML, a PDF with a password, a damaged one) is named in
the index with the reason: one bad file never costs the others.
"""

import io
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Final, Self

import pikepdf

from socle.actes.models import Act
from socle.documents import actions as documents
from socle.documents.model import Column, Document, Letterhead, Table
from socle.documents.models import StoredFile
from socle.documents.render import to_pdf
from socle.documents.sniff import Kind

_IN_MEMORY: Final = 1 << 20
_FAULTS: Final = (pikepdf.PdfError, ArithmeticError, LookupError, RuntimeError, ValueError)
"""What a strange PDF may raise; a missing or altered file of the vault is not among them."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """One file: the page it begins at (from 0), None when it is not in, and why."""

    name: str
    page: int | None = None
    why: str = ""


@dataclass(slots=True)
class _Entry:
    """One act of the index."""

    act: Act
    pieces: list[_Piece] = field(default_factory=list)


class Merger:
    """Acts added one after the other, written at the end; to be used in a `with`."""

    def __init__(self, title: str, *, at: datetime) -> None:
        self._title, self._at = title, at
        self._pdf = pikepdf.Pdf.new()
        self._entries: list[_Entry] = []
        # pikepdf copies pages when it saves: what they come from must stay open until then.
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pdf.close()
        self._open.close()

    def add(self, act: Act) -> None:
        """Add an act: each of its files, stamped where there is a stamped copy, its bordereau."""
        entry = _Entry(act)
        for file in act.files.all():
            entry.pieces.append(self._append(file.stored.name, file.stamped or file.stored))
            if file.stamp_sheet:
                entry.pieces.append(self._append(file.stamp_sheet.name, file.stamp_sheet))
        if act.bordereau:
            entry.pieces.append(self._append("Bordereau d’acquittement", act.bordereau))
        self._entries.append(entry)

    def write(self, out: BinaryIO) -> None:
        """Put the index before the acts, the bookmarks beside, and write all of it."""
        index = self._index()
        for page in reversed(index.pages):
            self._pdf.pages.insert(0, page)
        length = len(index.pages)
        with self._pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem("Sommaire", 0))
            outline.root.extend(
                item for entry in self._entries if (item := _bookmark(entry, length))
            )
        self._pdf.docinfo["/Title"] = f"Actes — {self._title}"
        self._pdf.save(out)

    def _append(self, name: str, stored: StoredFile) -> _Piece:
        if stored.media_type != Kind.PDF:
            return _Piece(name, why="n’est pas un PDF : prenez-le dans l’export ZIP")
        content = self._open.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))
        with documents.open_file(stored) as clear:
            shutil.copyfileobj(clear, content)
        content.seek(0)
        first = len(self._pdf.pages)
        try:
            source = self._open.enter_context(pikepdf.open(content))
            if source.is_encrypted:
                return _Piece(name, why="protégé : prenez-le dans l’export ZIP")
            self._pdf.pages.extend(source.pages)
        except pikepdf.PasswordError:
            return _Piece(name, why="protégé par un mot de passe")
        except _FAULTS:
            del self._pdf.pages[first:]
            return _Piece(name, why="PDF abîmé, illisible")
        return _Piece(name, first)

    def _index(self) -> pikepdf.Pdf:
        """The pages of the index: written once to count them, then with the right numbers."""
        length = 1
        while True:
            paper = to_pdf(_index_paper(self._title, self._entries, length, at=self._at))
            pdf = self._open.enter_context(pikepdf.open(io.BytesIO(paper)))
            if len(pdf.pages) <= length:
                return pdf
            length = len(pdf.pages)


def _bookmark(entry: _Entry, length: int) -> pikepdf.OutlineItem | None:
    pages = [piece for piece in entry.pieces if piece.page is not None]
    if not pages:
        return None
    item = pikepdf.OutlineItem(str(entry.act)[:200], (pages[0].page or 0) + length)
    item.is_closed = True
    item.children.extend(
        pikepdf.OutlineItem(piece.name, (piece.page or 0) + length) for piece in pages
    )
    return item


def _index_paper(title: str, entries: list[_Entry], length: int, *, at: datetime) -> Document:
    """The index, as it reads when it takes `length` pages."""
    return Document(
        title="Sommaire",
        subtitle=f"{len(entries)} actes",
        issuer=Letterhead(name=title),
        blocks=[
            Table(
                columns=(
                    Column("Page", share=0.4, align="right"),
                    Column("Numéro", share=0.9),
                    Column("Décision du", share=0.8),
                    Column("Objet", share=2.2),
                    Column("Pièces", share=2.0),
                ),
                rows=tuple(_row(entry, length) for entry in entries),
            )
        ],
        at=at,
    )


def _row(entry: _Entry, length: int) -> tuple[str, str, str, str, str]:
    act = entry.act
    first = next((piece.page for piece in entry.pieces if piece.page is not None), None)
    pieces = (f"{one.name} ({one.why})" if one.why else one.name for one in entry.pieces)
    return (
        "—" if first is None else str(first + length + 1),
        act.number or "brouillon",
        f"{act.decided_on:%d/%m/%Y}" if act.decided_on else "",
        act.objet,
        "\n".join(pieces),
    )
