"""Things only the neighbour has, planted wherever a commune keeps something."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django_tenants.utils import tenant_context

from socle.actes import actions as acts
from socle.core.identifiers import siret_of
from socle.documents import actions as documents
from socle.helios import actions as flows
from socle.journal.actions import record
from socle.notices import actions as notices
from tests.documents import pdfs

CANARY = "Zygène-du-voisin"


def plant(tenant: Any, *, by: Any, at: datetime) -> None:
    """An act, a budget, a file, an entry and a notice that carry the canary."""
    notices.tell(
        people=[by],
        organisation=tenant.organisation,
        key="canary",
        subject=CANARY,
        body=CANARY,
        at=at,
    )
    with tenant_context(tenant), transaction.atomic():
        facts = acts.Facts("2026_901", 1, "5.2", date(2026, 11, 20), CANARY)
        upload = acts.Upload(f"{CANARY}.pdf", pdfs.plain(text=CANARY))
        acts.save_draft(facts=facts, main=upload, by=by, at=at)
        flows.record_budget(
            label=CANARY,
            siret=siret_of(tenant.organisation.siren),
            cod_col="123",
            cod_bud="00",
            id_post="079012",
            by=by,
            at=at,
        )
        documents.store(content=CANARY.encode(), name=f"{CANARY}.txt", by=str(by), at=at)
        record(event="canary.planted", subject=("canary", CANARY), by=by, at=at)


def tenant_models() -> list[type[Any]]:
    """Every model whose table is in a commune's schema."""
    labels = {app.split(".")[-1] for app in settings.TENANT_APPS}
    return [model for model in apps.get_models() if model._meta.app_label in labels]


def keys(tenant: Any) -> Iterator[str]:
    """Every key of every row of a commune, as it could stand in an address."""
    with tenant_context(tenant):
        for model in tenant_models():
            for key in model._default_manager.values_list("pk", flat=True)[:20]:
                yield str(key)
