"""The words of a PDF, for whoever searches; a scanned page has none."""

import logging
from dataclasses import dataclass
from typing import BinaryIO, Final

from socle.core.apart import Reader
from socle.documents.sniff import as_stream

log = logging.getLogger(__name__)
LONGEST: Final = 400_000
"""Characters kept of one act and its annexes: three hundred pages."""
_READER: Final = Reader("socle.documents.text_reader", memory=1024**3)
"""The file is read where it lies, a page at a time."""


@dataclass(frozen=True, slots=True)
class PdfText:
    """What a PDF says: its words in reading order, and how many of its pages are only an image.

    `cut` when it has more words or pages than are read.
    """

    words: str
    pages: int
    images: int
    cut: bool


def read(content: bytes | BinaryIO, *, name: str) -> PdfText | None:
    """The words of a PDF; None when it cannot be read within the limits. A stream is rewound."""
    answer = _READER.ask(as_stream(content))
    if "error" in answer:
        log.warning("the words of %s: %s", name, answer["error"])
        return None
    return PdfText(**answer)
