"""Create the schema of an organisation by replaying the recorded DDL, in one transaction.

Who serves owns nothing and creates nothing: the replay is a function of the database
(`socle_provision`, see `fences`), owned by the role that may, which only knows recorded DDL.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, connections, transaction

from socle.core import cells
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

    Raises AlreadyProvisioned, and OtherCell for a body that is placed on another server.
    """
    cells.check_placed_here(departement=organisation.departement, siren=organisation.siren)
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
    """A host for an organisation; its INSEE code or SIREN tells homonyms apart.

    A cell that cannot be asked may have a homonym: the host is the long one then.
    """
    label = slug_host(organisation.name)
    host = f"{label}.{settings.BASE_HOST}"
    taken = Domain.objects.filter(domain=host).exists() or host in cells.portals()
    if not taken and not _known_elsewhere(host):
        return host
    return f"{label}-{organisation.insee or organisation.siren}.{settings.BASE_HOST}"


def _known_elsewhere(host: str) -> bool:
    """Whether another cell has this host, or may have it. Asked in a thread of its own: the
    transaction that opens the space stays where it is."""
    others = [cell for cell in cells.names() if cell != cells.here()]
    if not others:
        return False
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(_taken_in, host, others).result()


def _taken_in(host: str, others: list[str]) -> bool:
    try:
        for cell in others:
            cells.check_answers(cell)
            with cells.inside(cell):
                if Domain.objects.filter(domain=host).exists():
                    return True
    except cells.CellDown:
        return True
    finally:
        connections.close_all()
    return False
