"""Gather the posted délibérations of all communes into one file of open data.

The file is made aside and takes the place of the former one in one transaction: a worker killed on
its way leaves the former one, and the next round begins again.
"""

from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Any, Final

from django.db import transaction

from socle.actes import exports
from socle.core import fences, replica, sweeps
from socle.directory import queries as directory
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.journal.actions import record
from tenants.models import Tenant
from tenants.opendata import queries
from tenants.opendata.models import Edition

BY: Final = "Socle"
NAME: Final = "deliberations.csv"


def publish(*, at: datetime) -> Edition:
    """Make the edition of `at`; the last one is only dated again when nothing changed.

    SCDL « délibérations » 2.1, UTF-8, the lines of each commune together, communes by name. A
    commune whose space stands still is left out: nobody could open its texts.
    """
    with TemporaryFile() as content:
        content.write(exports.scdl_header())
        found = sweeps.each(
            "Open data d’une collectivité",
            queries.spaces(),
            lambda tenant: _try(tenant, content),
            named=lambda tenant: str(tenant.organisation),
        )
        bodies = list(filter(None, found))
        content.seek(0)
        return _replace(content, bodies, at=at)


def _try(tenant: Tenant, content: IO[bytes]) -> dict[str, Any] | None:
    """What `_gather` does; a commune that fails has no line at all in this edition."""
    start = content.tell()
    try:
        return _gather(tenant, content)
    except BaseException:
        content.seek(start)
        content.truncate()
        raise


def _gather(tenant: Tenant, content: IO[bytes]) -> dict[str, Any] | None:
    """Write the lines of one commune; who it is and how many they are, None when it has none."""
    lines = 0
    with fences.inside(tenant.schema_name), replica.reading(exact=False):
        for line in exports.scdl_lines():
            content.write(line)
            lines += 1
    if not lines:
        return None
    body = tenant.organisation
    host = tenant.get_primary_domain().domain
    return {"name": body.name, "siren": body.siren, "host": host, "lines": lines}


@transaction.atomic
def _replace(content: IO[bytes], bodies: list[dict[str, Any]], *, at: datetime) -> Edition:
    former = Edition.objects.select_for_update(of=("self",)).first()
    stored = documents.store(content=content, name=NAME, by=BY, at=at, media_type="text/csv")
    if former is not None and former.sha256 == stored.sha256:
        documents.forget(stored)
        former.checked_at, former.bodies = at, bodies
        former.save(update_fields=["checked_at", "bodies"])
        return former
    edition = Edition.objects.create(
        stored=stored.pk,
        sha256=stored.sha256,
        made_at=at,
        checked_at=at,
        lines=sum(body["lines"] for body in bodies),
        bodies=bodies,
    )
    if former is not None:
        former.delete()
        documents.forget(StoredFile.objects.get(pk=former.stored))
    record(
        event="opendata.published",
        subject=directory.syndicat(),
        by=BY,
        at=at,
        detail={"lines": edition.lines, "bodies": len(bodies), "sha256": stored.sha256},
    )
    return edition
