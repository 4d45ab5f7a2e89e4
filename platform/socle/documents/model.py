"""The neutral document: what a paper says, whatever writes it down (PDF or ODT). Pure.

Délibération, convention, bulletin d'adhésion, PV de remise, attestation, facture, bordereau: each
room describes its papers once with these values; `render.to_pdf` and `render.to_odt` set them.
Texts are plain: no markup is ever read in them, French spacing is applied when they are set, and a
line feed is a line break.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True)
class Strong:
    """Words set in bold inside a text."""

    text: str


Inline = str | Strong
Text = str | tuple[Inline, ...]


class Style(StrEnum):
    """How a paragraph is set."""

    BODY = "body"  # justified
    CENTERED = "centered"  # « Entre les soussignés »
    DECISION = "decision"  # the words that decide: « LE CONSEIL MUNICIPAL DÉCIDE : »
    NOTE = "note"  # small: legal mentions, ways of appeal


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside the document; level 1 is the highest below the title."""

    text: str
    level: Literal[1, 2] = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph. A délibération's visas are body paragraphs: « Vu le code … ; »."""

    text: Text
    style: Style = Style.BODY


@dataclass(frozen=True, slots=True)
class Items:
    """A list, with dashes or numbers."""

    items: tuple[Text, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """Rows of « label: value », for parties, identities, references."""

    rows: tuple[tuple[str, Text], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; `share` is its part of the width beside the others' shares."""

    title: str
    align: Literal["left", "center", "right"] = "left"
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose head repeats on each page; `totals` are (label, amount) lines below it.

    Raises ValueError when a row has not one cell per column.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Text, ...], ...]
    totals: tuple[tuple[str, str], ...] = ()
    title: str = ""

    def __post_init__(self) -> None:
        wrong = [row for row in self.rows if len(row) != len(self.columns)]
        if wrong:
            raise ValueError(f"a row of {len(self.columns)} cells is expected: {wrong[0]}")


@dataclass(frozen=True, slots=True)
class Article:
    """One numbered article: « Article 1er — Objet »; without title, « Article 1er »."""

    title: str
    body: tuple["Block", ...]


@dataclass(frozen=True, slots=True)
class Articles:
    """Articles numbered on from `first`."""

    articles: tuple[Article, ...]
    first: int = 1


@dataclass(frozen=True, slots=True)
class Signatory:
    """One who signs: « Le maire de Melle », a name, a mention such as « Lu et approuvé »."""

    quality: str
    name: str = ""
    mention: str = ""


@dataclass(frozen=True, slots=True)
class Signatures:
    """Room to sign, one box per signatory, never cut by a page."""

    signatories: tuple[Signatory, ...]
    place_and_date: str = ""


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows begins on a new page."""


Block = Heading | Paragraph | Items | Fields | Table | Articles | Signatures | PageBreak


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who issues the paper. `over` stands above the name: « République française »."""

    name: str
    lines: tuple[str, ...] = ()
    over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole paper.

    `at` is its date of creation (aware), written in the file's metadata and nowhere on the page:
    the visible date is `place_and_date`. `verification` (a code or a digest) and `reference` stand
    in the foot of each page. `exercise` prints « EXERCICE » across every page.
    """

    title: str
    issuer: Letterhead
    blocks: Sequence[Block]
    at: datetime
    subtitle: str = ""
    reference: str = ""
    place_and_date: str = ""
    addressee: tuple[str, ...] = ()
    verification: str = ""
    exercise: bool = False

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("a document is created at an aware date and time")


def runs(text: Text) -> tuple[tuple[str, bool], ...]:
    """`text` as (words, is it strong) pairs."""
    parts = (text,) if isinstance(text, str) else text
    return tuple((part.text, True) if isinstance(part, Strong) else (part, False) for part in parts)


def ordinal(number: int) -> tuple[str, str]:
    """The number of an article, and what is set raised after it: « er » for the first."""
    return str(number), "er" if number == 1 else ""
