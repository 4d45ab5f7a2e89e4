"""Reads the words of one PDF with PDFium, in a process of its own.

Never imported by Socle: `text.read` runs this file with an empty environment, limits on memory and
time, and the PDF on the standard input (a seekable file). It writes one JSON object:
`{"words", "pages", "images", "cut"}`, or `{"error": "..."}` when the PDF cannot be read.
"""

import json
import os
import resource
import sys
from contextlib import suppress
from typing import Any

import pypdfium2

MEMORY = 1024**3
"""Bytes of address space: the file is read where it lies, a page at a time."""
PAGES = 500
CHARACTERS = 200_000
FEW = 12
"""Fewer letters than that, and a page is an image with a page number."""


def words_of(content: Any) -> dict[str, Any]:
    """The words of the document, page after page, white space as one space."""
    document = pypdfium2.PdfDocument(content)
    found: list[str] = []
    images = size = 0
    for number in range(min(len(document), PAGES)):
        page = document[number]
        words = " ".join(page.get_textpage().get_text_bounded().split())
        images += sum(map(str.isalpha, words)) < FEW
        found.append(words)
        size += len(words)
        if size > CHARACTERS:
            break
    text = " ".join(filter(None, found)).replace("\0", "")
    cut = size > CHARACTERS or len(document) > PAGES
    return {"words": text[:CHARACTERS], "pages": len(document), "images": images, "cut": cut}


def main() -> None:
    """Read the PDF, write the JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # short of memory, the machine ends this process, not Socle
    try:
        with os.fdopen(0, "rb") as content:
            answer = words_of(content)
    except Exception as fault:  # noqa: BLE001 -- said to the parent, which does without the words
        answer = {"error": f"{type(fault).__name__}: {fault}"[:300]}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
