"""Things only the neighbour has, planted wherever a commune keeps something."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django_tenants.utils import tenant_context

CANARY = "Zygène-du-voisin"


@dataclass
class Planted:
    """Where the canaries sit: primary keys by model label, to be tried on the other host."""

    keys: dict[str, list[Any]] = field(default_factory=dict)

    def values(self) -> list[str]:
        """Every key, as it could stand in an address."""
        return sorted({str(key) for keys in self.keys.values() for key in keys})


def keys_of(tenant: Any) -> Planted:
    """All that lies in the schema of a commune, found by walking its models."""
    planted = Planted()
    with tenant_context(tenant):
        for model in tenant_models():
            keys = list(model._default_manager.values_list("pk", flat=True)[:20])
            planted.keys[model._meta.label] = keys
    return planted


def tenant_models() -> list[type[Any]]:
    """Every model whose table is in a commune's schema."""
    labels = {app.split(".")[-1] for app in settings.TENANT_APPS}
    return [model for model in apps.get_models() if model._meta.app_label in labels]


def plant_journal_and_file(tenant: Any, *, by: Any, at: datetime) -> None:
    """One entry and one file that carry the canary."""
    from django.db import transaction

    from socle.documents import actions as documents
    from socle.journal.actions import record

    with tenant_context(tenant), transaction.atomic():
        record(event="canary.planted", subject=("canary", CANARY), by=by, at=at)
        documents.store(content=CANARY.encode(), name=f"{CANARY}.txt", by=str(by), at=at)
