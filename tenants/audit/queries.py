"""What an auditor asks."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from socle.documents import actions as documents
from socle.documents.models import StoredFile

BLOCK = 1 << 20
_ODD = re.compile(r"[^A-Za-z0-9_.-]+")


def pieces() -> Iterator[tuple[str, str, Iterator[bytes]]]:
    """Every file of the current schema, once for each content, as the export wants them.

    Its path is made of the digest and a portable form of the name it was first given.
    """
    seen: set[str] = set()
    for stored in StoredFile.objects.order_by("created_at", "pk").iterator(chunk_size=500):
        if stored.sha256 in seen:
            continue
        seen.add(stored.sha256)
        yield f"{stored.sha256[:16]}_{_portable(stored.name)}", stored.sha256, _blocks(stored)


def _portable(name: str) -> str:
    path = PurePosixPath(_ODD.sub("_", name))
    return f"{path.stem[:60].strip('._-') or 'fichier'}{path.suffix[:8]}"


def _blocks(stored: StoredFile) -> Iterator[bytes]:
    with documents.open_file(stored) as content:
        while block := content.read(BLOCK):
            yield block
