"""Acts as tables: for a spreadsheet, and as open data. UTF-8; no cell is taken for a formula."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import Any, Final

from socle.actes import queries, register
from socle.actes.models import Act, Kind
from socle.actes.protocol.codes import Nature
from socle.core import fences, replica
from socle.core.clock import PARIS
from socle.directory import queries as directory
from socle.directory.models import OfficeKind, Organisation, StateOffice

BOM: Final = "\N{BYTE ORDER MARK}"
FORMULA: Final = ("=", "+", "-", "@")
BATCH: Final = 200
"""Acts read at a time: the whole is never in memory."""

COLUMNS: Final = (
    "Identifiant unique",
    "Numéro",
    "Nature",
    "Matière",
    "Objet",
    "Date de la décision",
    "État",
    "Transmis le",
    "Archive transmise",
    "SIREN",
    "Département",
    "Arrondissement",
    "Nom de l’agent",
    "Prénom de l’agent",
    "Courriel de l’agent",
    "Fichiers",
    "Reçu en préfecture le",
    "Publié le",
    "Exécutoire le",
    "Annulé le",
)
SCDL_COLUMNS: Final = (
    "COLL_NOM",
    "COLL_SIRET",
    "DELIB_ID",
    "DELIB_DATE",
    "DELIB_MATIERE_CODE",
    "DELIB_MATIERE_NOM",
    "DELIB_OBJET",
    "BUDGET_ANNEE",
    "BUDGET_NOM",
    "PREF_ID",
    "PREF_DATE",
    "VOTE_EFFECTIF",
    "VOTE_REEL",
    "VOTE_POUR",
    "VOTE_CONTRE",
    "VOTE_ABSTENTION",
    "DELIB_URL",
)
"""The SCDL schema « délibérations », version 2.1."""


def acts_csv(keys: Sequence[int], *, organisation: Organisation, schema: str) -> Iterator[bytes]:
    """The acts of these keys, one line each, in their order; semicolons and a BOM for spreadsheets.

    The traces requirement FONCT-05 asks for, and the proofs. `schema` is entered for each batch,
    under its fence: a response is read after the request has left it.
    """
    yield _line(COLUMNS, delimiter=";", start=BOM)
    for batch in _batches(keys):
        with fences.inside(schema), replica.reading():
            rows = [_act(act, organisation) for act in _acts(batch)]
        for row in rows:
            yield _line(row, delimiter=";")


def scdl_header() -> bytes:
    """The first line of open data, UTF-8, commas, no BOM (SCDL « délibérations » 2.1)."""
    return _line(SCDL_COLUMNS)


def scdl_lines() -> Iterator[bytes]:
    """The posted délibérations of the current schema, one line each, newest posting first.

    Each line ends with the lasting address of the text.
    """
    postings = register.search(nature=Nature.DELIBERATION.value).iterator(BATCH)
    first = next(postings, None)
    if first is None:
        return
    organisation = queries.organisation_here()
    office = directory.prefecture_of(organisation)
    root = queries.address("actes:register")
    for posting in chain((first,), postings):
        url = f"{root}acte/{posting.act.identifier}/"
        yield _line(_deliberation(posting.act, url, organisation, office))


def cell(value: str) -> str:
    """`value` on one line, as a cell that no spreadsheet takes for a formula."""
    flat = " ".join(value.split())
    return f"'{flat}" if flat.startswith(FORMULA) else flat


def office_code(office: StateOffice | None) -> str:
    """`PREF079` or `SPREF0793`, as the SCDL wants it; empty when the office is not known."""
    if office is None:
        return ""
    if office.kind == OfficeKind.SOUS_PREFECTURE:
        return f"SPREF{office.departement}{office.arrondissement}"
    return f"PREF{office.departement}"


class _Written(list[str]):
    """Where the `csv` module writes one line."""

    def write(self, text: str) -> int:
        self.append(text)
        return len(text)


def _line(row: Iterable[Any], *, delimiter: str = ",", start: str = "") -> bytes:
    out = _Written()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow(
        [cell(str(value)) for value in row]
    )
    return (start + "".join(out)).encode()


def _batches(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(keys), BATCH):
        yield keys[first : first + BATCH]


def _acts(keys: Sequence[int]) -> list[Act]:
    found = (
        Act.objects.filter(pk__in=keys)
        .select_related("deposited_by")
        .prefetch_related("files__stored", "transactions__archive")
        .in_bulk()
    )
    return [found[key] for key in keys if key in found]


def _act(act: Act, organisation: Organisation) -> tuple[str, ...]:
    sent = next((one for one in act.transactions.all() if one.kind == Kind.ACTE), None)
    agent = act.deposited_by if act.deposited_by_id else None
    return (
        act.identifier,
        act.number,
        act.get_nature_display() or "",
        act.matter,
        act.objet,
        _day(act.decided_on),
        act.get_state_display(),
        act.deposited_at.astimezone(PARIS).isoformat(timespec="seconds")
        if act.deposited_at
        else "",
        sent.archive.name if sent and sent.archive else "",
        organisation.siren,
        organisation.departement,
        organisation.arrondissement,
        agent.last_name if agent else "",
        agent.first_name if agent else "",
        agent.email if agent else "",
        ";".join(file.transmitted_name or file.stored.name for file in act.files.all()),
        _day(act.received_on),
        _day(act.published_on),
        _day(act.enforceable_on),
        _day(act.cancelled_on),
    )


def _deliberation(
    act: Act, url: str, organisation: Organisation, office: StateOffice | None
) -> tuple[str, ...]:
    return (
        organisation.name,
        organisation.siret,
        act.number,
        f"{act.decided_on:%Y-%m-%d}",
        ".".join(act.matter.split(".")[:2]),
        _matter(act.matter_label),
        act.objet,
        "",
        "",
        office_code(office),
        f"{act.received_on:%Y-%m-%d}" if act.received_on else "",
        *([""] * 5),
        url,
    )


def _matter(label: str) -> str:
    """Two levels in small letters, without comma nor parenthesis, with a bar between them."""
    levels = [part.lower().translate(_DROPPED).split() for part in label.split(" / ")[:2]]
    return "/".join(" ".join(words) for words in levels)


_DROPPED: Final = str.maketrans("", "", ",()")


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""
