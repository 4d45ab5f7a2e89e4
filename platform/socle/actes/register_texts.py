"""What the posted acts say: read once in the background, searched and quoted for anybody."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import connection
from django.db.models import Value

from socle.actes.models import Posting
from socle.core import sweeps
from socle.core.text import fold
from socle.documents import actions as documents
from socle.documents import text

LANGUAGE: Final = "french"
LATE: Final = timedelta(minutes=10)
MOST: Final = 20
"""Postings one sweep reads in one commune."""
AROUND: Final = 90
"""Characters quoted on each side of what was found."""


def read(*, posting_id: int, at: datetime) -> bool:
    """Read the words of a posting's files; True when they were not read before.

    No transaction is held while PDFs are read, each in a process of its own. What cannot be read is
    found by its number and its objet alone, as before.
    """
    posting = Posting.objects.select_related("act").filter(pk=posting_id, read_at=None).first()
    if posting is None:
        return False
    found, images = [], 0
    for file in posting.files.select_related("stored").order_by("rank"):
        if file.stored.media_type != "application/pdf":
            continue
        read_one = text.read(documents.read(file.stored), name=file.stored.name)
        if read_one is not None:
            found.append(read_one.words)
            images += read_one.images
    said = "\n".join(found)[: text.LONGEST]
    searched = fold(f"{posting.act.objet} {said}")
    return bool(
        Posting.objects.filter(pk=posting_id, read_at=None).update(
            read_at=at,
            text=said,
            words=SearchVector(Value(searched), config=LANGUAGE),
            image_pages=images,
        )
    )


def sweep(*, at: datetime) -> int:
    """Read what lost its worker; returns how many postings were."""
    late = Posting.objects.filter(read_at=None, withdrawn_at=None, posted_at__lt=at - LATE)
    keys = list(late.order_by("pk").values_list("pk", flat=True)[:MOST])
    return sum(
        sweeps.each(
            f"Texte d’un acte publié à lire ({connection.schema_name})",
            keys,
            lambda key: read(posting_id=key, at=at),
            named=lambda key: f"publication n° {key}",
        )
    )


def query(wanted: str) -> SearchQuery:
    """What somebody typed, as PostgreSQL searches it: words, « a phrase », -not this."""
    signs = re.sub(r"[^\w\s\"-]", " ", wanted.replace("«", '"').replace("»", '"'))
    folded = " ".join(_folded(word) for word in signs.split())
    return SearchQuery(folded, config=LANGUAGE, search_type="websearch")


def excerpt(said: str, wanted: str) -> list[tuple[str, bool]]:
    """The words of `said` around the first that was wanted, each with whether it is one.

    Empty when none is there: the act was found by its number or its objet.
    """
    looked_for = [word for word in fold(wanted).split() if len(word) > 2]
    hits = [match for match in _words(said) if _alike(fold(match.group()), looked_for)]
    if not hits:
        return []
    start = max(0, hits[0].start() - AROUND)
    end = min(len(said), hits[0].end() + AROUND)
    pieces, at = [], start
    for hit in hits:
        if hit.end() > end:
            break
        pieces += [(said[at : hit.start()], False), (hit.group(), True)]
        at = hit.end()
    pieces.append((said[at:end], False))
    first, last = ("… " if start else ""), (" …" if end < len(said) else "")
    return [(first, False), *pieces, (last, False)]


def _words(said: str) -> Iterator[re.Match[str]]:
    return re.finditer(r"\w+", said)


def _alike(word: str, looked_for: list[str]) -> bool:
    """Whether a word is one of those, up to its ending: to point at it, PostgreSQL searched."""
    return any(word[: (n := max(4, min(len(word), len(one)) - 2))] == one[:n] for one in looked_for)


def _folded(word: str) -> str:
    """A word as it was indexed, its signs of the search language kept."""
    bare = word.lstrip("-")
    minus = "-" if bare != word else ""
    opened = '"' if bare.startswith('"') else ""
    closed = '"' if bare.endswith('"') and len(bare) > 1 else ""
    return f"{minus}{opened}{fold(bare)}{closed}"
