"""Create the schema of an organisation by replaying the recorded DDL, in one transaction.

Who serves owns nothing and creates nothing: the replay is a function of the database
(`socle_provision`, see `fences`), owned by the role that may, which only knows recorded DDL.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from socle.core.refusals import Refusal
from socle.core.text import slug_host
from socle.directory.models import Organisation
from socle.journal.actions import record
from tenants import blueprints
from tenants.models import Domain, Tenant


class AlreadyProvisioned(Refusal):
    """The organisation has its tenant already."""

    code = "tenants.already_provisioned"


def provision(*, organisation: Organisation, by: Any, at: datetime) -> Tenant:
    """Give an organisation its schema and its host, ready to use, or leave nothing behind.

    Raises AlreadyProvisioned.
    """
    blueprint = blueprints.deployed()
    with transaction.atomic():
        # Two provisions of one commune at once: the second waits here, then is told.
        locked = Organisation.objects.select_for_update(of=("self",)).get(pk=organisation.pk)
        if Tenant.objects.filter(organisation=locked).exists():
            raise AlreadyProvisioned(
                f"L’espace de « {locked} » existe déjà : ouvrez-le depuis l’annuaire."
            )
        tenant = Tenant.objects.create(
            schema_name=f"t_{locked.siren}", organisation=locked, blueprint=blueprint
        )
        Domain.objects.create(domain=free_host(locked), tenant=tenant, is_primary=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT public.socle_provision(%s)", [locked.siren])
        record(
            event="tenants.provisioned",
            subject=locked,
            by=by,
            at=at,
            detail={"siren": locked.siren},
            schema=tenant.schema_name,
        )
    return tenant


def free_host(organisation: Organisation) -> str:
    """A host for an organisation; its INSEE code or SIREN tells homonyms apart."""
    label = slug_host(organisation.name)
    host = f"{label}.{settings.BASE_HOST}"
    if not Domain.objects.filter(domain=host).exists():
        return host
    return f"{label}-{organisation.insee or organisation.siren}.{settings.BASE_HOST}"
