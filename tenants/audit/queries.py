"""What an auditor asks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from django.db import connection

from socle.directory.models import Grant
from socle.documents import actions as documents
from socle.documents.keys.models import DataKey
from socle.documents.models import StoredFile
from socle.journal.models import Entry
from tenants.models import Tenant

BLOCK = 1 << 20
_ODD = re.compile(r"[^A-Za-z0-9_.-]+")


def pieces() -> Iterator[tuple[str, str, Iterator[bytes]]]:
    """Every file of the current schema, once for each content, as the export wants them.

    Its path is made of the digest and a portable form of the name it was first given.
    """
    seen: set[str] = set()
    for stored in StoredFile.objects.order_by("created_at", "pk").iterator(chunk_size=500):
        if stored.sha256 in seen:
            continue
        seen.add(stored.sha256)
        yield f"{stored.sha256[:16]}_{_portable(stored.name)}", stored.sha256, _blocks(stored)


def _portable(name: str) -> str:
    path = PurePosixPath(_ODD.sub("_", name))
    return f"{path.stem[:60].strip('._-') or 'fichier'}{path.suffix[:8]}"


def _blocks(stored: StoredFile) -> Iterator[bytes]:
    with documents.open_file(stored) as content:
        while block := content.read(BLOCK):
            yield block


@dataclass(frozen=True, slots=True)
class Enclosure:
    """What keeps one organisation apart, as the database says it now."""

    tables: int
    entering: list[str]
    """The roles that may enter the schema, beside its owner."""
    reaches: int
    """How many schemas of other organisations its role may enter: none, or something is wrong."""
    closed: bool
    """Whether its role can neither log in nor change the role of a session by a function."""
    key_id: str
    master_id: str
    """Which data key opens its files, and which master key opens that one; "" before any file."""


def enclosure(tenant: Tenant) -> Enclosure:
    """Ask the catalogue and the list of keys about one organisation."""
    key = DataKey.objects.filter(scope=tenant.schema_name).first()
    with connection.cursor() as cursor:
        cursor.execute(_ENCLOSURE, {"schema": tenant.schema_name})
        tables, entering, reaches, closed = cursor.fetchone()
    return Enclosure(
        tables,
        list(entering or ()),
        reaches,
        bool(closed),
        str(key.key_id) if key else "",
        key.master_id if key else "",
    )


def visitors(tenant: Tenant, *, limit: int) -> list[Entry]:
    """What people who never worked for the organisation did in it, newest first."""
    own = Grant.objects.filter(organisation=tenant.organisation_id).values_list("person_id")
    known = [pk for (pk,) in own]
    found = Entry.objects.filter(actor_id__isnull=False).exclude(actor_id__in=known)
    return list(found.order_by("-position")[:limit])


_ENCLOSURE: Final = """
SELECT (SELECT count(*) FROM pg_class
         WHERE relnamespace = to_regnamespace(%(schema)s) AND relkind = 'r'),
       (SELECT array_agg(DISTINCT grantee::regrole::text) FROM pg_namespace, aclexplode(nspacl)
         WHERE nspname = %(schema)s AND grantee <> nspowner),
       (SELECT count(*) FROM pg_namespace, pg_roles
         WHERE rolname = %(schema)s AND nspname LIKE 't\\_%%' AND nspname <> %(schema)s
           AND has_schema_privilege(rolname, pg_namespace.oid, 'USAGE')),
       (SELECT NOT rolcanlogin AND NOT has_function_privilege(
                   rolname, 'pg_catalog.set_config(text,text,boolean)', 'EXECUTE')
          FROM pg_roles WHERE rolname = %(schema)s)
"""
