"""Reading the journal of the current schema."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from socle.journal.actions import Subject, identify
from socle.journal.models import Entry

PAGE_SIZE: Final = 50


@dataclass(frozen=True)
class Page:
    """Some entries, newest first; `older` is the `before` of the next page, None on the last."""

    entries: list[Entry]
    older: int | None


def page(
    *,
    subject: Subject | None = None,
    event: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    size: int = PAGE_SIZE,
) -> Page:
    """Return the newest entries under position `before`.

    `event` is the beginning of a code ("actes.", "actes.deposited"); `since` is included, `until`
    is not.
    """
    found = Entry.objects.order_by("-position")
    if subject is not None:
        found = found.filter(**_of(subject))
    if event:
        found = found.filter(event__startswith=event)
    if since:
        found = found.filter(at__gte=since)
    if until:
        found = found.filter(at__lt=until)
    if before is not None:
        found = found.filter(position__lt=before)
    entries = list(found[: size + 1])
    older = entries[size - 1].position if len(entries) > size else None
    return Page(entries[:size], older)


def history(subject: Subject) -> QuerySet[Entry]:
    """Return all that happened to one subject, oldest first."""
    return Entry.objects.filter(**_of(subject)).order_by("position")


def _of(subject: Subject) -> dict[str, str]:
    subject_type, subject_id = identify(subject)
    return {"subject_type": subject_type, "subject_id": subject_id}
