"""Two servers with the communes split between them, both behind this one process.

"main" holds Celles-sur-Belle and the syndicat; "est" holds Melle, placed there by its SIREN. Each
has its people, its directory and its portal. Tests commit: the servers are thrown away.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, connections

from socle.core import cells
from socle.core.roles import OWNER, WEB
from tests.cells.clusters import NAME, Copy, running, world
from tests.conftest import SERVER

MELLE, CELLES, SYNDICAT = "200081511", "200083897", "257902338"


@dataclass
class Servers:
    """The two servers; what they are called is what the settings call them."""

    main: Copy
    est: Copy

    def environment(self) -> dict[str, str]:
        """What another process is told to find both."""
        return os.environ | {
            "SOCLE_DATABASE_URL": self.main.url(NAME, WEB),
            "SOCLE_DATABASE_OWNER_URL": self.main.url(NAME, OWNER),
            "SOCLE_CELLS": f"est={self.est.url(NAME, WEB)}",
            "SOCLE_CELLS_OWNER": f"est={self.est.url(NAME, OWNER)}",
            "SOCLE_PLACEMENT": f"est={MELLE}",
        }


@pytest.fixture(scope="module")
def two_servers(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    """Both servers, started, with the same three communes in each."""
    world(SERVER)
    place = tmp_path_factory.mktemp("servers")
    main, est = (Copy(place / name, source=SERVER) for name in ("main", "est"))
    with running(main), running(est):
        _empty(main, [MELLE])
        _empty(est, [MELLE, CELLES, SYNDICAT])
        yield Servers(main, est)


def _empty(server: Copy, sirens: list[str]) -> None:
    with server.connect(NAME) as db:
        for schema in (f"t_{siren}" for siren in sirens):
            db.execute(f"DROP SCHEMA {schema} CASCADE")
            db.execute(
                "DELETE FROM tenants_domain WHERE tenant_id IN "
                "(SELECT id FROM tenants_tenant WHERE schema_name = %s)",
                [schema],
            )
            db.execute("DELETE FROM tenants_tenant WHERE schema_name = %s", [schema])


@pytest.fixture
def servers(two_servers: Servers, settings: Any, django_db_blocker: Any) -> Iterator[Servers]:
    """Both servers behind this process, as `SOCLE_CELLS` would say; both up and asked afresh."""
    default = connections.settings["default"]
    before = dict(default)
    settings.CELLS = ("main", "est")
    settings.PLACEMENT = {MELLE: "est"}
    with django_db_blocker.unblock():
        connection.close()
        default.update(two_servers.main.session(CELL="main"))
        connection.settings_dict.update(default)
        connection.cell = "main"
        connections.settings["main"] = default
        connections.settings["est"] = default | two_servers.est.session(CELL="est")
        cells._silent_until.clear()
        try:
            yield two_servers
        finally:
            for server in (two_servers.main, two_servers.est):
                if not server.alive():
                    server.start()
            _forget(default, before)


def _forget(default: dict[str, Any], before: dict[str, Any]) -> None:
    connections.close_all()
    for alias in ("main", "est"):
        connections.settings.pop(alias)
        if hasattr(connections._connections, alias):
            del connections[alias]
    default.clear()
    default.update(before)
    connection.settings_dict.update(before)
    connection.cell = before["CELL"]
    connection.set_schema_to_public()


@pytest.fixture
def melle(servers: Servers) -> Any:
    """Melle, opened on its server by the first test that asks, as the portal there does it."""
    from django.utils import timezone

    from socle.directory.models import Organisation
    from tenants.models import Tenant
    from tenants.provisioning import provision

    with cells.inside("est"):
        known = Tenant.objects.filter(organisation__siren=MELLE).first()
        if known is not None:
            return known
        body = Organisation.objects.get(siren=MELLE)
        return provision(organisation=body, by="tests", at=timezone.now())


@pytest.fixture
def celles(servers: Servers) -> Any:
    """Celles-sur-Belle, on the main server."""
    from tenants.models import Tenant

    return Tenant.objects.select_related("organisation").get(organisation__siren=CELLES)
