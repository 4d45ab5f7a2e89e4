"""Wake-up calls of the notices."""

from celery import shared_task
from django.utils import timezone

from socle.notices import actions


@shared_task(name="notices.send_mail")
def send_mail() -> int:
    """Mail what was not mailed yet."""
    return actions.mail_due(at=timezone.now())
