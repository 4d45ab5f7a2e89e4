from celery import shared_task
from django.utils import timezone

from socle.core.queue import in_tenant
from socle.journal import actions


@shared_task(name="journal.seal")
@in_tenant
def seal() -> None:
    """Seal the current schema's journal; delivered twice, the second finds nothing to seal."""
    actions.seal(at=timezone.now())
