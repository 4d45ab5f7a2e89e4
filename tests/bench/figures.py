"""The four figures the foundation promises, and those of the upgrade."""

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from socle.accounts.capabilities import Role
from socle.actes.protocol.archive import Entry, write_archive
from tenants.models import Tenant
from tests.bench import acts, communes, deposits, registration
from tests.bench.clock import compare
from tests.people import Browser, in_town, person

MEGABYTE = 1 << 20
AT = datetime(2026, 11, 24, 11, tzinfo=UTC)


def provisioning_against_psql() -> dict[str, Any]:
    """A commune's space, ready to use, against `psql -1` running the same DDL."""
    return communes.against_psql("provisioning", limit=1.5)


def deposit_against_inserts() -> dict[str, Any]:
    """An act through the action (checks, files, journal, outbox) against its bare INSERTs."""
    return deposits.against_bare_inserts()


def archive_against_tar_gzip() -> dict[str, Any]:
    """Our archive of 3 files / 5 MB against tar + gzip of the same bytes."""
    contents = [os.urandom(size) for size in (3 * MEGABYTE, MEGABYTE, MEGABYTE)]
    entries = [Entry.of(f"99_AU-079-{n}.pdf", content) for n, content in enumerate(contents)]

    def ours() -> None:
        write_archive(entries, io.BytesIO(), at=AT)

    def bound() -> None:
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as tar:
            for entry, content in zip(entries, contents, strict=True):
                info = tarfile.TarInfo(entry.name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        gzip.compress(plain.getvalue())

    return compare("archive", ours, bound, limit=1.3, rounds=9, detail="3 files, 5 MB")


def page_against_no_tenants() -> dict[str, Any]:
    """A page on a commune's host against the same page with one schema and no routing."""
    town = Tenant.objects.get(organisation__insee="79174")
    who = person(Role.TRANSMITTER, at=town.organisation)
    routed = in_town(town, who)
    plain = Browser("localhost", who)
    with override_settings(MIDDLEWARE=_without_routing()):
        plain.get("/notifications/")  # the handler of this client is built now, without routing

    def visits(browser: Browser) -> Callable[[], None]:
        def visit() -> None:
            for _ in range(20):
                assert browser.get("/notifications/").status_code == 200

        return visit

    return compare(
        "tenant page",
        visits(routed),
        visits(plain),
        limit=1.10,
        rounds=15,
        detail="20 pages with session, login and rights; routing and schema switch included",
    )


class Still(Browser):
    """A browser that leaves the connection as the request left it."""

    def request(self, **request: Any) -> Any:
        """One request, nothing around it."""
        return Client.request(self, **request)


def fenced_page_against_one_commune() -> dict[str, Any]:
    """The commune's journal under its role, against the same page without routing nor role."""
    town = Tenant.objects.get(organisation__insee="79174")
    who = person(Role.READER, at=town.organisation)
    host = town.get_primary_domain().domain
    fenced, bare = Still(host, who), Still(host, who)
    without = _without_routing("tests.bench.page.OneCommune")
    without.remove("tenants.middleware.Fence")
    with override_settings(MIDDLEWARE=without):
        bare.get("/journal/")
    connection.set_schema_to_public()
    fenced.get("/journal/")
    with CaptureQueriesContext(connection) as seen:
        fenced.get("/journal/")

    def visits(browser: Browser) -> Callable[[], None]:
        def visit() -> None:
            for _ in range(20):
                assert browser.get("/journal/").status_code == 200

        return visit

    return compare(
        "fenced page",
        visits(fenced),
        visits(bare),
        limit=1.10,
        rounds=15,
        detail=f"20 pages of {len(seen)} statements, those that change path and role included",
    )


def _without_routing(other: str = "tests.bench.page.OneSchema") -> list[str]:
    from django.conf import settings

    ours = "tenants.middleware.Routing"
    return [other if name == ours else name for name in settings.MIDDLEWARE]


ALL = (
    provisioning_against_psql,
    deposit_against_inserts,
    archive_against_tar_gzip,
    page_against_no_tenants,
    fenced_page_against_one_commune,
    *registration.ALL,
    *acts.ALL,
    *communes.ALL,  # last: from there on, the database holds a thousand communes
)
