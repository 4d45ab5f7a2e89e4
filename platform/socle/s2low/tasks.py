"""Wake-up calls of the room: nothing is in the message."""

from celery import shared_task
from django.utils import timezone

from socle.s2low import papers


@shared_task(name="s2low.fetch_papers")
def fetch_papers() -> int:
    """Fetch the bordereaux and stamped copies still missing; how many acts have them all now."""
    return papers.fetch_due(at=timezone.now())
