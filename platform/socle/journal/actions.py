"""Writing in the journal, sealing it, delivering it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, BinaryIO, Final, LiteralString, Protocol

from django.db import connection, models, transaction
from psycopg.types.json import Jsonb

from socle.core import fences, replica
from socle.core.names import legible
from socle.core.refusals import Refusal
from socle.journal import events, tables
from socle.journal import export as parcel
from socle.journal.canonical import NO_SEAL, EntryLine, SealLine
from socle.journal.export import Cover, Piece, RecordedEntry, RecordedSeal, Summary
from socle.journal.fitting import fitted
from socle.journal.merkle import Frontier
from socle.journal.models import Entry, Seal


class Person(Protocol):
    """Whoever acts: an account, seen from the room below."""

    @property
    def pk(self) -> Any: ...


Actor = Person | str
Subject = models.Model | tuple[str, str | int]

_INSERT_ENTRIES: Final[LiteralString] = (
    "INSERT INTO {entries} (position, at, event, subject_type, subject_id, actor_id, actor_label, "
    "outcome, detail, leaf_hash) VALUES "
)
_ENTRY: Final[LiteralString] = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_INSERT_SEAL: Final[LiteralString] = (
    "INSERT INTO {seals} (number, journal, tree_size, root, peaks, previous_hash, sealed_at, "
    "seal_hash) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)


class DamagedJournal(Refusal):
    """The last seal is not what it was: nothing may be built on it."""

    code = "journal.damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing to write down: what happened, to what, with which details (see `record`)."""

    event: str
    subject: Subject
    detail: Mapping[str, Any] | None = None
    outcome: str = "done"


def record(
    *,
    event: str,
    subject: Subject,
    by: Actor,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
    outcome: str = "done",
    schema: str | None = None,
) -> Entry:
    """Write one entry in the caller's transaction, in `schema` or in the current one.

    `subject` is a saved instance or a (type, identifier) pair; `by` a person, or a plain string for
    a machine. `detail` is small JSON without floats and without personal secrets; what came from
    outside is made legible, and cut with a mark when it does not fit. The journal stays locked
    until the transaction ends. RuntimeError outside a transaction; ValueError and TypeError as
    `EntryLine.check` says.
    """
    happening = Happening(event=event, subject=subject, detail=detail, outcome=outcome)
    return record_all([happening], by=by, at=at, schema=schema)[0]


def record_all(
    happenings: Sequence[Happening], *, by: Actor, at: datetime, schema: str | None = None
) -> list[Entry]:
    """Write several entries of one moment and one actor, in their order, in one statement.

    For the rest as `record`.
    """
    if not connection.in_atomic_block:
        named = ", ".join(one.event for one in happenings)
        raise RuntimeError(f"{named} would be recorded outside any transaction")
    schema = schema or tables.current_schema()
    lines = [_line(one, by=by, at=at) for one in happenings]
    for line in lines:
        line.check()
    if schema != tables.current_schema():  # a commune writes in no journal but its own
        with fences.lifted():
            return _append_next(schema, lines)
    return _append_next(schema, lines)


def _line(one: Happening, *, by: Actor, at: datetime) -> EntryLine:
    subject_type, subject_id = identify(one.subject)
    return EntryLine(
        position=0,
        at=at,
        event=one.event,
        subject_type=subject_type,
        subject_id=legible(subject_id),
        actor_id=None if isinstance(by, str) else by.pk,
        actor_label=legible(str(by)),
        outcome=one.outcome,
        detail=fitted(one.detail or {}),
    )


def record_refusal(
    *,
    event: str,
    subject: Subject,
    by: Actor,
    at: datetime,
    sentence: str,
    code: str,
    schema: str | None = None,
) -> Entry:
    """Write what was refused, with the sentence the person read, once all the rest is undone.

    It opens and commits a transaction of its own: RuntimeError inside another, where the refusal
    would be rolled back with the attempt.
    """
    with transaction.atomic(durable=True):
        return record(
            event=event,
            subject=subject,
            by=by,
            at=at,
            detail={"sentence": sentence, "code": code},
            outcome="refused",
            schema=schema,
        )


@transaction.atomic
def seal(*, at: datetime, schema: str | None = None) -> Seal | None:
    """Seal the entries written since the last seal; None when there is none.

    The work grows with the new entries only. DamagedJournal when the last seal was altered.
    """
    schema = schema or tables.current_schema()
    tables.lock(schema)
    last = tables.last_seal(schema)
    sealed = _frontier(last)
    grown = sealed.extend(tables.leaf_hashes(schema, after=sealed.size))
    if grown.size == sealed.size:
        return None
    line = SealLine.over(
        grown,
        number=last.number + 1 if last else 1,
        journal=schema,
        previous_hash=bytes(last.seal_hash) if last else NO_SEAL,
        at=at,
    )
    values = {**vars(line), "seal_hash": line.digest()}
    tables.run(schema, _INSERT_SEAL, tuple(values.values()))
    return Seal(**values)


def export(
    *,
    schema: str,
    out: BinaryIO,
    by: Actor,
    at: datetime,
    reason: str = "",
    files: Iterable[tuple[str, str, Iterable[bytes]]] = (),
) -> Summary:
    """Write the audit export of `schema`'s journal to `out`: a ZIP that verifies itself.

    The export is itself recorded, with its reason, and everything is sealed first. `files` are
    (path under `pieces/`, SHA-256 in hexadecimal, blocks of bytes). Outside a transaction the
    journal is free for others while the ZIP is written, and what was sealed is read from the
    replica when there is one.
    """
    with transaction.atomic():
        record(
            event="journal.exported",
            subject=("journal", schema),
            by=by,
            at=at,
            detail={"reason": reason},
            schema=schema,
        )
        last = seal(at=at, schema=schema)
    if last is None:
        raise RuntimeError("an entry was just recorded: there was something to seal")
    with replica.reading():
        return parcel.build(
            out=out,
            cover=Cover(journal=schema, made_at=at, made_by=str(by), reason=reason),
            entries=_recorded_entries(schema, last.tree_size),
            seals=_recorded_seals(schema, last.number),
            pieces=(Piece(*file) for file in files),
            sentence=events.sentence,
        )


def identify(subject: Subject) -> tuple[str, str]:
    """Return the type and the identifier a subject has in the journal.

    ValueError for an instance that is not saved yet.
    """
    if isinstance(subject, tuple):
        return subject[0], str(subject[1])
    if subject.pk is None:
        raise ValueError(f"this {subject._meta.label} has no identifier yet")
    return subject._meta.label, str(subject.pk)


def _append_next(schema: str, lines: Sequence[EntryLine]) -> list[Entry]:
    tables.lock(schema)
    last = tables.last_position(schema)
    return _append(schema, [replace(line, position=last + n) for n, line in enumerate(lines, 1)])


def _append(schema: str, lines: Sequence[EntryLine]) -> list[Entry]:
    entries = [Entry(**vars(line), leaf_hash=line.leaf()) for line in lines]
    values: list[Any] = []
    for line, entry in zip(lines, entries, strict=True):
        written = {**vars(line), "detail": Jsonb(line.detail), "leaf_hash": entry.leaf_hash}
        values += written.values()
        entry._state.adding, entry._state.db = False, connection.alias
    tables.insert(schema, _INSERT_ENTRIES, _ENTRY, rows=len(lines), values=values)
    return entries


def _frontier(last: Seal | None) -> Frontier:
    if last is None:
        return Frontier()
    line = last.line()
    try:
        frontier = line.frontier()
    except ValueError:
        frontier = None
    if frontier is None or line.digest() != bytes(last.seal_hash):
        raise DamagedJournal(
            f"Le scellement n° {last.number} du journal a été modifié : plus rien n'est scellé. "
            "Lancez « manage verify_journal » et comparez avec une sauvegarde."
        )
    return frontier


def _recorded_entries(schema: str, up_to: int) -> Iterator[RecordedEntry]:
    for entry in tables.entries(schema, up_to=up_to):
        yield RecordedEntry(entry.line(), bytes(entry.leaf_hash))


def _recorded_seals(schema: str, up_to: int) -> Iterator[RecordedSeal]:
    for made in tables.seals(schema, up_to=up_to):
        yield RecordedSeal(made.line(), bytes(made.seal_hash))
