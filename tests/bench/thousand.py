"""A thousand communes in the database that is measured, made as fast as PostgreSQL makes tables."""

from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from socle.directory import cog, imports
from socle.directory.facts import load
from socle.directory.models import Organisation, OrganisationKind
from tenants import blueprints
from tenants.models import Domain, Tenant

MANY: Final = 1000
FEW: Final = 30
BATCH: Final = 25
AT: Final = datetime(2026, 11, 24, 11, tzinfo=UTC)
DEPARTEMENTS: Final = ("79", "86", "17", "16")


def fill(wanted: int) -> None:
    """Bring the number of communes with a space to `wanted`, replayed by the server in batches."""
    missing = max(0, wanted - Tenant.objects.exclude(organisation=None).count())
    waiting = list(without_space()[:missing])
    if len(waiting) < missing:
        imports.run(by="bench", at=AT, wanted=cog.territory(load(), departements=DEPARTEMENTS))
        waiting = list(without_space()[:missing])
    for first in range(0, len(waiting), BATCH):
        _open(waiting[first : first + BATCH])


def without_space() -> QuerySet[Organisation]:
    """Communes that wait for their space."""
    kind = OrganisationKind.COMMUNE
    return Organisation.objects.filter(kind=kind, tenant=None).order_by("pk")


@transaction.atomic
def _open(organisations: list[Organisation]) -> None:
    standing = blueprints.deployed()
    tenants = Tenant.objects.bulk_create(
        Tenant(schema_name=f"t_{one.siren}", organisation=one, blueprint=standing)
        for one in organisations
    )
    Domain.objects.bulk_create(
        Domain(domain=f"c{one.siren}.{settings.BASE_HOST}", tenant=tenant, is_primary=True)
        for one, tenant in zip(organisations, tenants, strict=True)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT public.socle_provision(siren) FROM unnest(%s::text[]) siren",
            [[one.siren for one in organisations]],
        )
