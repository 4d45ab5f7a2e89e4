"""The audit export: one ZIP that proves itself with `verify.py` alone. Pure.

The same arguments give the same bytes. Nothing is held in memory: lines and pieces go straight to
the ZIP, what must come after them waits in a spooled file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import IO, BinaryIO, Final, NamedTuple
from zoneinfo import ZoneInfo

from socle.journal import verify
from socle.journal.canonical import EntryLine, SealLine, encode, stamp
from socle.journal.merkle import Frontier

READING: Final = "lecture.csv"
READ_ME: Final = "LISEZ-MOI.txt"
PARIS: Final = ZoneInfo("Europe/Paris")
PORTABLE: Final = r"[A-Za-z0-9_][A-Za-z0-9_ .-]*(?<![ .])"
SPOOL: Final = 1 << 20
OUTCOMES: Final = {"done": "fait", "refused": "refusé"}


class Piece(NamedTuple):
    """A file to attach: its path under `pieces/`, its SHA-256 in hexadecimal, its bytes."""

    name: str
    sha256: str
    content: Iterable[bytes]


class RecordedEntry(NamedTuple):
    """An entry as it reads today, and the leaf hash stored the day it was written."""

    line: EntryLine
    leaf_hash: bytes


class RecordedSeal(NamedTuple):
    """A seal as it reads today, and the hash stored the day it was made."""

    line: SealLine
    seal_hash: bytes


@dataclass(frozen=True)
class Cover:
    """What the front page of an export says."""

    journal: str
    made_at: datetime
    made_by: str = ""
    reason: str = ""


@dataclass
class Summary:
    """What was put in the ZIP; `altered` names the pieces whose bytes are not those announced."""

    entries: int = 0
    seals: int = 0
    last_seal: str = ""
    files: dict[str, str] = field(default_factory=dict)
    altered: list[str] = field(default_factory=list)


def build(
    *,
    out: BinaryIO,
    cover: Cover,
    entries: Iterable[RecordedEntry],
    seals: Iterable[RecordedSeal],
    pieces: Iterable[Piece] = (),
    sentence: Callable[[EntryLine], str] = lambda line: line.event,
) -> Summary:
    """Write the whole ZIP to `out`, which need not be seekable, and return what it holds.

    `entries` run from position 1 to the last sealed one. A piece whose bytes do not have the
    announced SHA-256 is written as it is and listed under that one: the verifier will name it.
    ValueError when a piece's name is not portable, or is used twice.
    """
    summary = Summary()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        parcel = _Parcel(archive, cover.made_at, summary)
        parcel.add_text(READ_ME, _read_me(cover))
        parcel.add("verify.py", [Path(verify.__file__).read_bytes()])
        _add_entries(parcel, entries, sentence)
        parcel.add(verify.SEALS, _seal_lines(seals, summary))
        for piece in pieces:
            _add_piece(parcel, piece)
        _add_manifest(parcel, cover)
    return summary


class _Parcel:
    def __init__(self, archive: zipfile.ZipFile, made_at: datetime, summary: Summary) -> None:
        self.archive, self.summary = archive, summary
        self.made_at = made_at.astimezone(UTC)
        self.taken: set[str] = set()

    def add(self, name: str, blocks: Iterable[bytes]) -> str:
        """Write one file and list it; return its SHA-256 in hexadecimal."""
        if name.lower() in self.taken:
            raise ValueError(f"two files called {name} in one export")
        self.taken.add(name.lower())
        digest = hashlib.sha256()
        with self._open(name) as member:
            for block in blocks:
                digest.update(block)
                member.write(block)
        self.summary.files[name] = digest.hexdigest()
        return digest.hexdigest()

    def add_text(self, name: str, text: str) -> None:
        self.add(name, [text.encode("utf-8")])

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        info = zipfile.ZipInfo(name, self.made_at.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        info.create_system, info.external_attr = 3, 0o100644 << 16
        with self.archive.open(info, "w", force_zip64=True) as member:
            yield member


def _add_entries(
    parcel: _Parcel, entries: Iterable[RecordedEntry], sentence: Callable[[EntryLine], str]
) -> None:
    with (
        tempfile.SpooledTemporaryFile(SPOOL) as prints,
        tempfile.SpooledTemporaryFile(SPOOL) as reading,
    ):
        lines = _entry_lines(entries, parcel.summary, prints, _Reading(reading, sentence))
        parcel.add(verify.ENTRIES, lines)
        for name, spool in ((verify.PRINTS, prints), (READING, reading)):
            parcel.add(name, _blocks(spool))


def _blocks(spool: IO[bytes]) -> Iterator[bytes]:
    spool.seek(0)
    while block := spool.read(SPOOL):
        yield block


def _entry_lines(
    entries: Iterable[RecordedEntry], summary: Summary, prints: IO[bytes], reading: _Reading
) -> Iterator[bytes]:
    tree = Frontier()
    for line, leaf in entries:
        tree = tree.append(leaf)
        prints.write(f"{tree.size} {leaf.hex()} {tree.root().hex()}\n".encode())
        reading.add(line)
        summary.entries += 1
        yield line.encode() + b"\n"
    reading.close()


class _Reading:
    """The entries in sentences, for a spreadsheet: UTF-8 with its mark, semicolons, Paris time."""

    HEADERS = ("position", "date", "personne", "événement", "objet", "résultat")

    def __init__(self, spool: IO[bytes], sentence: Callable[[EntryLine], str]) -> None:
        self.sentence = sentence
        self.text = io.TextIOWrapper(spool, "utf-8-sig", newline="", write_through=True)
        self.rows = csv.writer(self.text, delimiter=";")
        self.rows.writerow(self.HEADERS)

    def add(self, line: EntryLine) -> None:
        cells = (
            str(line.position),
            line.at.astimezone(PARIS).strftime("%d/%m/%Y %H:%M:%S"),
            line.actor_label,
            self.sentence(line),
            f"{line.subject_type} {line.subject_id}",
            OUTCOMES.get(line.outcome, line.outcome),
        )
        self.rows.writerow([inert(cell) for cell in cells])

    def close(self) -> None:
        self.text.detach()


def inert(cell: str) -> str:
    """Keep a spreadsheet from reading a cell as a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _seal_lines(seals: Iterable[RecordedSeal], summary: Summary) -> Iterator[bytes]:
    for line, seal_hash in seals:
        summary.seals += 1
        summary.last_seal = seal_hash.hex()
        yield encode({**line.statement(), "seal_hash": seal_hash.hex()}) + b"\n"


def _add_piece(parcel: _Parcel, piece: Piece) -> None:
    if not re.fullmatch(rf"{PORTABLE}(/{PORTABLE})*", piece.name):
        raise ValueError(f"{piece.name!r} is not a portable file name")
    name = f"pieces/{piece.name}"
    if parcel.add(name, piece.content) != piece.sha256.lower():
        parcel.summary.altered.append(name)
    parcel.summary.files[name] = piece.sha256.lower()


def _add_manifest(parcel: _Parcel, cover: Cover) -> None:
    summary = parcel.summary
    manifest = {
        "format": verify.FORMAT,
        "journal": cover.journal,
        "made_at": stamp(cover.made_at),
        "made_by": cover.made_by,
        "reason": cover.reason,
        "entries": summary.entries,
        "seals": summary.seals,
        "last_seal": summary.last_seal,
        "files": dict(summary.files),
    }
    manifest["sha256"] = hashlib.sha256(encode(manifest)).hexdigest()
    parcel.add(verify.MANIFEST, [encode(manifest) + b"\n"])


def _read_me(cover: Cover) -> str:
    template = Template(Path(__file__).with_name("lisez_moi.txt").read_text("utf-8"))
    made_at = cover.made_at.astimezone(PARIS).strftime("%d/%m/%Y à %H:%M (heure de Paris)")
    return template.substitute(
        journal=cover.journal,
        made_at=made_at,
        line="=" * 78,
        made_by=cover.made_by or "non précisé",
        reason=cover.reason or "non précisé",
    )
