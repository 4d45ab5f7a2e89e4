"""File names as people give them, made safe to store and to show. Pure."""

import unicodedata
from pathlib import PurePosixPath
from typing import Final

MAX_LENGTH: Final = 255  # characters, the width of the column


def safe_name(name: str) -> str:
    """The last part of `name`, without anything that can deceive a reader or a file system.

    Paths of both kinds are cut; control, format (bidirectional overrides, zero widths) and
    unpaired surrogate characters are dropped; the text is composed (NFC) and shortened to
    255 characters from the middle, so that the extension survives. Never empty.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in last if unicodedata.category(char)[0] != "C")
    composed = unicodedata.normalize("NFC", " ".join(kept.split())).strip(". ")
    return _shorten(composed) or "document"


def _shorten(name: str) -> str:
    suffix = PurePosixPath(name).suffix[:16]
    return name if len(name) <= MAX_LENGTH else name[: MAX_LENGTH - len(suffix)] + suffix
