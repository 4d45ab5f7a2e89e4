"""The clock of open data."""

from celery import shared_task
from django.utils import timezone

from tenants.opendata import actions


@shared_task(name="opendata.publish")
def publish() -> int:
    """Gather what the communes have posted; returns how many délibérations there are."""
    return actions.publish(at=timezone.now()).lines
