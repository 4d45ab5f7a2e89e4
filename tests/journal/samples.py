"""A small journal, built without a database: what the export and verifier tests share."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from socle.journal import export
from socle.journal.canonical import NO_SEAL, EntryLine, SealLine
from socle.journal.export import Cover, Piece, RecordedEntry, RecordedSeal
from socle.journal.merkle import Frontier

MONDAY = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
COVER = Cover(journal="melle", made_at=MONDAY, made_by="Ana Roy", reason="Contrôle annuel")
CONTENT = b"%PDF-1.7 deliberation"


def entry(position: int, **changes: object) -> EntryLine:
    values: dict[str, object] = {
        "position": position,
        "at": MONDAY + timedelta(minutes=position),
        "event": "actes.deposited",
        "subject_type": "actes.Act",
        "subject_id": str(position),
        "actor_id": 7,
        "actor_label": "Zoé Ferré",
        "outcome": "done",
        "detail": {"number": f"DE-{position:03d}"},
    }
    return EntryLine(**{**values, **changes})  # type: ignore[arg-type]


def recorded(lines: Iterable[EntryLine]) -> list[RecordedEntry]:
    return [RecordedEntry(line, line.leaf()) for line in lines]


def sealed(entries: Sequence[RecordedEntry], sizes: Iterable[int]) -> list[RecordedSeal]:
    """Seal these entries at each of these sizes, as the platform would have."""
    frontier, before, seals = Frontier(), NO_SEAL, []
    for number, size in enumerate(sizes, 1):
        frontier = frontier.extend(leaf for _, leaf in entries[frontier.size : size])
        line = SealLine.over(
            frontier, number=number, journal="melle", previous_hash=before, at=MONDAY
        )
        before = line.digest()
        seals.append(RecordedSeal(line, before))
    return seals


def piece(name: str = "actes/DE-001.pdf", content: bytes = CONTENT) -> Piece:
    return Piece(name, sha256(content).hexdigest(), [content[:5], content[5:]])


def journal(count: int = 12) -> list[RecordedEntry]:
    quoting = entry(1, detail={"sha256": sha256(CONTENT).hexdigest()})
    return recorded([quoting, *(entry(position) for position in range(2, count + 1))])


def zipped(
    entries: Sequence[RecordedEntry] | None = None,
    seals: Sequence[RecordedSeal] | None = None,
    pieces: Sequence[Piece] | None = None,
) -> bytes:
    """Build an export; by default 12 entries sealed at 5, 8 and 12, and one piece."""
    entries = journal() if entries is None else entries
    out = io.BytesIO()
    export.build(
        out=out,
        cover=COVER,
        entries=entries,
        seals=sealed(entries, (5, 8, len(entries))) if seals is None else seals,
        pieces=[piece()] if pieces is None else pieces,
    )
    return out.getvalue()


def unzipped(into: Path, data: bytes | None = None) -> Path:
    with zipfile.ZipFile(io.BytesIO(zipped() if data is None else data)) as archive:
        archive.extractall(into)
    return into


class Memory:
    """An unzipped export that costs no disk: what `verify.check_source` asks for."""

    def __init__(self, data: bytes | None = None) -> None:
        with zipfile.ZipFile(io.BytesIO(zipped() if data is None else data)) as archive:
            self.files = {name: archive.read(name) for name in archive.namelist()}

    @property
    def names(self) -> list[str]:
        return list(self.files)

    def open(self, name: str) -> io.BytesIO:
        return io.BytesIO(self.files[name])

    def line(self, name: str, number: int) -> bytes:
        return self.files[name].split(b"\n")[number - 1]

    def change(self, name: str, number: int, line: bytes | None) -> None:
        """Replace one line, or take it out."""
        lines = self.files[name].split(b"\n")
        lines[number - 1 : number] = [] if line is None else [line]
        self.files[name] = b"\n".join(lines)
