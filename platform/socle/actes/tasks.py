"""Wake-up calls of the acts."""

import logging
from collections.abc import Callable
from datetime import datetime

from celery import shared_task
from django.utils import timezone
from django_tenants.utils import get_tenant_model, schema_context

from socle.actes import archives, batches, bundles, letters, register_texts
from socle.core.queue import in_tenant
from socle.directory import queries as directory

log = logging.getLogger(__name__)


@shared_task(name="actes.remind_letters")
def remind_letters() -> int:
    """In every commune: acknowledge what could not be, and tell again about unread letters."""
    return sum(_everywhere(_remind))


@shared_task(name="actes.sweep_bundles")
def sweep_bundles() -> None:
    """In every commune: start again what lost its worker, forget the old exports."""
    _everywhere(_sweep)


@shared_task(name="actes.send_batch", acks_late=True)
@in_tenant
def send_batch(*, batch_id: int) -> int:
    """Send the acts of one batch, however many times this message is delivered."""
    return batches.work(batch_id=batch_id, at=timezone.now())


@shared_task(name="actes.make_bundle", acks_late=True)
@in_tenant
def make_bundle(*, bundle_id: int) -> bool:
    """Make one export, however many times this message is delivered."""
    return bundles.make(bundle_id=bundle_id, at=timezone.now())


@shared_task(name="actes.read_text", acks_late=True)
@in_tenant
def read_text(*, posting_id: int) -> bool:
    """Read the words of one posted act, however many times this message is delivered."""
    return register_texts.read(posting_id=posting_id, at=timezone.now())


@shared_task(name="actes.make_archive", acks_late=True)
@in_tenant
def make_archive(*, transfer_id: int) -> bool:
    """Make one package for the archive, however many times this message is delivered."""
    return archives.make(transfer_id=transfer_id, at=timezone.now())


def _remind(at: datetime) -> int:
    letters.acknowledge_due(at=at)
    return letters.remind(at=at)


def _sweep(at: datetime) -> None:
    bundles.sweep(at=at)
    archives.sweep(at=at)
    batches.sweep(at=at)
    register_texts.sweep(at=at)


def _everywhere(work: Callable[[datetime], int | None]) -> list[int]:
    """Do `work` in each commune's schema; what fails in one does not stop the others."""
    done = []
    for schema in _schemas():
        try:
            with schema_context(schema):
                done.append(work(timezone.now()) or 0)
        except Exception:
            log.exception("the acts of %s could not be looked at", schema)
    return done


def _schemas() -> list[str]:
    tenants = get_tenant_model().objects.exclude(organisation=None).order_by("pk")
    tenants = tenants.exclude(organisation_id__in=directory.stopped())
    return list(tenants.values_list("schema_name", flat=True))
