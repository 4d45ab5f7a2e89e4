"""Names and words that come from outside, made safe to store, to show and to send. Pure."""

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

MAX_LENGTH: Final = 255
"""Bytes of a file name, the limit of a file system; no column is narrower in characters."""
CUT: Final = "…"
_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_ILLEGIBLE: Final = re.compile(f"[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_BIDI}]")


def safe_name(name: str) -> str:
    """The last part of `name`, without anything that can deceive a reader or a file system.

    Paths of both kinds are cut; control, format (bidirectional overrides, zero widths) and
    unpaired surrogate characters are dropped; the text is composed (NFC) and shortened to
    255 bytes from the middle, so that the extension survives. Never empty.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in last if unicodedata.category(char)[0] != "C")
    composed = unicodedata.normalize("NFC", " ".join(kept.split())).strip(". ")
    return _shorten(composed) or "document"


def legible(text: str) -> str:
    """`text` without what no column, screen or mail can hold: controls, surrogates, bidi marks.

    Line ends and tabs stay.
    """
    return _ILLEGIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, *, longest: int) -> str:
    """`text` on one line of at most `longest` characters, for a subject or a title."""
    return shortened(" ".join(legible(text).split()), longest=longest)


def shortened(text: str, *, longest: int) -> str:
    """`text`, or its beginning and a mark that says that it goes on."""
    return text if len(text) <= longest else text[: longest - 1] + CUT


def _shorten(name: str) -> str:
    if len(name.encode()) <= MAX_LENGTH:
        return name
    suffix = _of_bytes(PurePosixPath(name).suffix[:16], MAX_LENGTH)
    return _of_bytes(name, MAX_LENGTH - len(suffix.encode())) + suffix


def _of_bytes(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")
