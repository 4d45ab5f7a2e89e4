"""Wake-up calls of the acts."""

import logging

from celery import shared_task
from django.utils import timezone
from django_tenants.utils import get_tenant_model, schema_context

from socle.actes import letters

log = logging.getLogger(__name__)


@shared_task(name="actes.remind_letters")
def remind_letters() -> int:
    """In every commune: tell again about unread letters, and acknowledge what could not be."""
    unread = 0
    for schema in _schemas():
        try:
            with schema_context(schema):
                letters.acknowledge_due(at=timezone.now())
                unread += letters.remind(at=timezone.now())
        except Exception:
            log.exception("the letters of %s could not be looked at", schema)
    return unread


def _schemas() -> list[str]:
    tenants = get_tenant_model().objects.exclude(organisation=None).order_by("pk")
    return list(tenants.values_list("schema_name", flat=True))
