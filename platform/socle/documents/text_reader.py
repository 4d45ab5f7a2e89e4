"""Reads the words of one PDF with PDFium, in a process of its own (`core.apart`).

Never imported by Socle. A file that cannot be read raises whatever PDFium raises.
"""

from typing import Any

import pypdfium2

PAGES = 500
CHARACTERS = 200_000
FEW = 12
"""Fewer letters than that, and a page is an image with a page number."""


def answer(content: Any) -> dict[str, Any]:
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
