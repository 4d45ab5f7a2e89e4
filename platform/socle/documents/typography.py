"""French typography and printable characters, applied to every text set on paper. Pure."""

import re
import unicodedata
from typing import Final

NBSP: Final = "\u00a0"
NARROW: Final = "\u202f"
MISSING: Final = "\ufffd"

# Only where the writer put an ordinary space, so that addresses and times are left alone.
_RULES: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r" +(?=[;!?])", NARROW),
        (r" +(?=[:»%€])", NBSP),
        (r"(?<=«) +", NBSP),
        (r"(?<=\d) (?=\d{3}(?!\d))", NARROW),
        (r"(?<=\b[nN]°) +", NBSP),
        (r"(?<=\bM\.) (?=[A-ZÀ-Þ])", NBSP),
        (r"\b(Mme|Mlle|MM\.|Mmes) (?=[A-ZÀ-Þ])", rf"\1{NBSP}"),
        (r"(?<=\w)'(?=\w)", "’"),
        (
            r"(?<=\d) (?=(?:janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre"
            r"|novembre|décembre|h|ans|jours|mois|euros)\b)",
            NBSP,
        ),
    )
)

# What the fonts shipped with Typst can draw; a test sets all of it in PDF/A.
_DRAWN: Final = (
    (0x20, 0x7E),
    (0xA0, 0xAC),
    (0xAE, 0x2FF),
    (0x384, 0x38A),
    (0x38E, 0x3A1),
    (0x3A3, 0x482),
    (0x48A, 0x4FF),
    (0x1E00, 0x1EFF),
    (0x2000, 0x200A),
    (0x2010, 0x2027),
    (0x202F, 0x2040),
    (0x2070, 0x2071),
    (0x2074, 0x208E),
    (0x20A0, 0x20BF),
    (0x2100, 0x211E),
    (0x2122, 0x2122),
    (0x2126, 0x214F),
    (0x2153, 0x2184),
    (0x2190, 0x2328),
    (0x2460, 0x25FF),
    (0x2610, 0x2612),
    (0x2713, 0x2714),
    (0xFB00, 0xFB06),
    (0xFFFD, 0xFFFD),
)


def french(text: str) -> str:
    """`text` with French spacing and apostrophes, and only characters our fonts can draw.

    Lines are kept. What cannot be drawn becomes U+FFFD rather than an error: a document must come
    out even when a name was pasted with a symbol from elsewhere.
    """
    printable = "\n".join(_printable(line) for line in text.splitlines())
    for pattern, replacement in _RULES:
        printable = pattern.sub(replacement, printable)
    return printable


def _printable(line: str) -> str:
    composed = unicodedata.normalize("NFC", line.replace("\t", " "))
    return "".join(
        char if is_drawn(char) else MISSING
        for char in composed
        if unicodedata.category(char) not in ("Cc", "Cf", "Mn")
    )


def is_drawn(char: str) -> bool:
    """Whether the fonts of our documents have `char`."""
    return any(first <= ord(char) <= last for first, last in _DRAWN)


def drawn_characters() -> str:
    """Every character `is_drawn` accepts."""
    return "".join(chr(code) for first, last in _DRAWN for code in range(first, last + 1))
