"""Re-verifying a journal where it lives: rows against their hashes, hashes against the seals."""

from dataclasses import dataclass, field
from typing import Final

from django.db import connection

from socle.journal import tables
from socle.journal.canonical import NO_SEAL
from socle.journal.merkle import Frontier
from socle.journal.models import Entry, Seal

GUARDS: Final = frozenset(
    {
        "journal_entry_append_only",
        "journal_entry_next",
        "journal_seal_append_only",
        "journal_seal_next",
    }
)


@dataclass
class Report:
    """What was counted, and every fault in one French sentence."""

    entries: int = 0
    seals: int = 0
    faults: list[str] = field(default_factory=list)


def check(schema: str) -> Report:
    """Re-verify the whole journal of `schema`, and that its triggers still protect it."""
    report = Report()
    _check_guards(schema, report)
    frontier, last = Frontier(), tables.last_seal(schema)
    seals = iter(tables.seals(schema, up_to=last.number if last else 0))
    seal, before = next(seals, None), None
    for entry in tables.entries(schema, up_to=tables.last_position(schema)):
        report.entries += 1
        _check_entry(entry, report)
        frontier = frontier.append(bytes(entry.leaf_hash))
        while seal and seal.tree_size <= report.entries:
            frontier = _check_seal(seal, before, frontier, report)
            report.seals += 1
            seal, before = next(seals, None), seal
    if seal:
        report.faults.append(
            f"Le scellement {seal.number} porte sur {seal.tree_size} écritures, il n'en reste que "
            f"{report.entries} : la fin du journal a été retirée."
        )
    return report


def schemas() -> list[str]:
    """Return every schema that holds a journal, tenants or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relname = %s AND c.relkind = 'r' ORDER BY n.nspname",
            [Entry._meta.db_table],
        )
        return [name for (name,) in cursor.fetchall()]


def _check_guards(schema: str, report: Report) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND t.tgenabled IN ('O', 'A') AND NOT t.tgisinternal",
            [schema],
        )
        missing = GUARDS - {name for (name,) in cursor.fetchall()}
    report.faults += [
        f"Le déclencheur {name} manque ou est désactivé : le journal n'est plus protégé."
        for name in sorted(missing)
    ]


def _check_entry(entry: Entry, report: Report) -> None:
    named = f"L'écriture {entry.position} ({entry.at.isoformat()}, {entry.event})"
    if entry.position != report.entries:
        report.faults.append(
            f"{named} vient à la place de la {report.entries} : une écriture a été retirée."
        )
        report.entries = entry.position
    if entry.line().leaf() != bytes(entry.leaf_hash):
        report.faults.append(f"{named} a été modifiée.")


def _check_seal(seal: Seal, before: Seal | None, frontier: Frontier, report: Report) -> Frontier:
    """Return the frontier to go on from: the seal's own, so that one fault accuses one range."""
    line, first = seal.line(), before.tree_size + 1 if before else 1
    named = f"Le scellement {seal.number} (écritures {first} à {seal.tree_size})"
    if line.digest() != bytes(seal.seal_hash):
        report.faults.append(f"{named} a été modifié.")
    elif line.previous_hash != (bytes(before.seal_hash) if before else NO_SEAL):
        report.faults.append(f"{named} ne suit pas le scellement précédent.")
    elif (line.tree_size, line.root) != (frontier.size, frontier.root()):
        report.faults.append(f"{named} ne correspond plus aux empreintes des écritures.")
    try:
        return line.frontier()
    except ValueError:
        return frontier
