"""Turn plain `<tr><td>` rows into an accessible table that folds into cards on a phone.

Folding needs `display: block`, which makes some browsers forget that a table is a table: the roles
are therefore written out. The label of each cell is taken from the heading of its column.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from django.utils.html import escape

ROW: Final = re.compile(r"<tr\b(?P<attributes>[^>]*)>(?P<cells>.*?)</tr>", re.DOTALL)
CELL: Final = re.compile(r"<(?P<name>t[dh])\b(?P<attributes>[^>]*)>")


@dataclass(frozen=True)
class Column:
    """One heading; a numeric column is set flush right."""

    label: str
    numeric: bool

    @classmethod
    def read(cls, written: str) -> "Column":
        """Read a heading as screens write it: a leading `#` announces numbers."""
        return cls(written.removeprefix("#").strip(), written.startswith("#"))


def label_rows(rows: str, columns: Sequence[Column]) -> str:
    """Add the roles and the `data-label` of every cell to the HTML of the rows.

    A row with more cells than there are columns raises ValueError; one with fewer (a `colspan`)
    is accepted.
    """
    return ROW.sub(lambda row: _row(row, columns), rows)


def _row(row: re.Match[str], columns: Sequence[Column]) -> str:
    position = count()
    cells = CELL.sub(lambda cell: _cell(cell, columns, next(position)), row["cells"])
    return f'<tr role="row"{row["attributes"]}>{cells}</tr>'


def _cell(cell: re.Match[str], columns: Sequence[Column], position: int) -> str:
    if position >= len(columns):
        raise ValueError(f"cell {position + 1} has no heading: {[c.label for c in columns]}")
    column = columns[position]
    name, attributes = cell["name"], cell["attributes"]
    role = "rowheader" if name == "th" else "cell"
    numeric = " data-numeric" if column.numeric else ""
    return f'<{name} role="{role}" data-label="{escape(column.label)}"{numeric}{attributes}>'
