"""Long work a worker does row by row: one worker at a time, and never lost with it."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Model, Q, QuerySet

SILENT: Final = timedelta(minutes=3)
"""A worker that said nothing for so long is dead: each act takes seconds."""


def claim(rows: QuerySet[Model], *, at: datetime) -> bool:
    """Take this row when nobody is at work on it; False when somebody is, or it is gone."""
    return bool(abandoned(rows, at=at).update(seen_at=at))


def abandoned(rows: QuerySet[Model], *, at: datetime) -> QuerySet[Model]:
    """The rows nobody is at work on."""
    return rows.filter(Q(seen_at=None) | Q(seen_at__lt=at - SILENT))
