"""Wake-up calls of the acts."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from celery import shared_task
from django.db import connection
from django.utils import timezone
from django_tenants.utils import get_tenant_model, schema_context

from socle.actes import archives, batches, bundles, letters, register_texts
from socle.core import sweeps
from socle.core.queue import in_tenant
from socle.directory import queries as directory


@shared_task(name="actes.remind_letters")
def remind_letters() -> int:
    """In every commune: acknowledge what could not be, and tell again about unread letters."""
    return sum(_everywhere("Rappels des courriers de la préfecture", _remind))


@shared_task(name="actes.sweep_bundles")
def sweep_bundles() -> None:
    """In every commune: start again what lost its worker, forget the old exports."""
    _everywhere("Exports, archives, lots et textes des actes", _sweep)


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
    sweeps.each(
        f"Travaux repris dans l’espace {connection.schema_name}",
        {
            "exports": bundles.sweep,
            "archives": archives.sweep,
            "lots": batches.sweep,
            "textes publiés": register_texts.sweep,
        }.items(),
        lambda one: one[1](at=at),
        named=lambda one: one[0],
    )


def _everywhere(what: str, work: Callable[[datetime], int | None]) -> list[int]:
    """Do `work` in each commune's schema; what fails in one does not stop the others."""

    def here(tenant: Any) -> int:
        with schema_context(tenant.schema_name):
            return work(timezone.now()) or 0

    return sweeps.each(what, _tenants(), here, named=lambda tenant: str(tenant.organisation))


def _tenants() -> Any:
    tenants = get_tenant_model().objects.exclude(organisation=None).order_by("pk")
    tenants = tenants.exclude(organisation_id__in=directory.stopped())
    return tenants.select_related("organisation")
