"""The paper of a practice letter: one page of PDF, so that there is something to open and read."""

from collections.abc import Sequence
from typing import Final

from socle.exercise.protocol.outcome import MENTION

_WIDTH: Final = 84
"""Characters on a line of Helvetica 11 between the margins of an A4 page."""


def write_paper(title: str, lines: Sequence[str]) -> bytes:
    """A PDF 1.4 of one page: the mention, the title, the lines. Beyond cp1252 is written « ? »."""
    words = [f"{MENTION} - sans valeur juridique", "", title, ""]
    words += [part for line in lines for part in _cut(line)]
    text = b" ".join(b"(" + _escape(line) + b") Tj T*" for line in words)
    stream = b"BT /F1 11 Tf 16 TL 56 780 Td " + text + b" ET"
    return _file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> >>",
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        ]
    )


def _cut(line: str) -> list[str]:
    cut, last = [], ""
    for word in line.split():
        if last and len(last) + len(word) >= _WIDTH:
            cut, last = [*cut, last], ""
        last = f"{last} {word}".strip()
    return [*cut, last]


def _escape(line: str) -> bytes:
    raw = line.encode("cp1252", "replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _file(objects: Sequence[bytes]) -> bytes:
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    )
