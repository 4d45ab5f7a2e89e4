"""Work on many communes, one short task each."""

import logging

from celery import shared_task
from django.utils import timezone
from django_tenants.utils import get_public_schema_name, schema_context

from socle.core import sweeps
from socle.journal import actions as journal
from socle.journal import integrity
from tenants.audit import actions as audit
from tenants.models import Tenant

log = logging.getLogger(__name__)


@shared_task(name="tenants.seal_journals")
def seal_journals() -> int:
    """Seal the portal's journal and every commune's; returns how many seals were made."""
    return sum(sweeps.each("Journal à sceller", _journals(), _seal))


@shared_task(name="tenants.verify_journals")
def verify_journals() -> int:
    """Verify the portal's journal and every commune's; how many were altered.

    Each fault names its line. It goes to the log, to the journal of the portal, which the altered
    one cannot rewrite, and to the administrators and auditors of the syndicat.
    """
    return sum(sweeps.each("Journal à vérifier", _journals(), _verify))


def _seal(schema: str) -> bool:
    with schema_context(schema):
        return journal.seal(at=timezone.now()) is not None


def _verify(schema: str) -> bool:
    faults = integrity.check(schema).faults
    if faults:
        log.error("the journal of %s was altered: %s", schema, " ".join(faults))
        audit.tell_altered(journal_of=schema, faults=faults, at=timezone.now())
    return bool(faults)


def _journals() -> list[str]:
    return [get_public_schema_name(), *_schemas()]


def _schemas() -> list[str]:
    """Suspended spaces too: what comes back for them is written in their journal."""
    tenants = Tenant.objects.exclude(organisation=None).order_by("pk")
    tenants = tenants.exclude(organisation__spaces__state="condemned")
    return list(tenants.values_list("schema_name", flat=True))
