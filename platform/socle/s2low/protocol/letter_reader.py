"""The date of a letter S²LOW hands over, read in a process of its own (`core.apart`). Pure."""

from typing import Any, BinaryIO

from socle.s2low.protocol.archive import letter_date


def answer(content: BinaryIO) -> dict[str, Any]:
    """`dated`, in ISO form; empty when the archive says none."""
    dated = letter_date(content.read())
    return {"dated": dated.isoformat() if dated else ""}
