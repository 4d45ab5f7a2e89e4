"""Communes on two servers behind one process: each is served from its own, or not at all."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from billing import policies
from billing.models import InvoiceKind
from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.config import health
from socle.core import cells, fences
from socle.delivery.models import Outbound
from socle.directory.models import Organisation, TransmissionRight
from socle.documents import actions as documents
from tenants import blueprints
from tenants.middleware import Routing, forget_hosts
from tenants.models import Blueprint, Domain, Tenant
from tenants.provisioning import provision
from tests.cells.clusters import NAME
from tests.cells.conftest import CELLES, MELLE, Servers
from tests.people import Browser, person

MELLE_HOST, CELLES_HOST = "melle.localhost", "celles-sur-belle.localhost"
PORTAL, PORTAL_EST = "localhost", "portail-est.localhost"


def _get(host: str, path: str = "") -> Any:
    browser = Browser(host)
    browser.raise_request_exception = False
    return browser.get(path or reverse("accounts:login"))


def _schemas(server: Any) -> set[str]:
    with server.connect(NAME) as db:
        found = db.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\\_%'")
        return {row[0] for row in found}


def _port() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inet_server_port()")
        return int(cursor.fetchone()[0])


# Where a commune goes.


def test_a_commune_is_opened_on_the_server_that_the_placement_names(
    servers: Servers, melle: Tenant
) -> None:
    assert f"t_{MELLE}" in _schemas(servers.est)
    assert f"t_{MELLE}" not in _schemas(servers.main)


def test_a_portal_refuses_to_open_what_belongs_on_another_server(servers: Servers) -> None:
    with pytest.raises(cells.OtherCell, match=PORTAL_EST):
        provision(organisation=Organisation.objects.get(siren=MELLE), by="tests", at=timezone.now())
    with cells.inside("est"), pytest.raises(cells.OtherCell, match=PORTAL):
        provision(
            organisation=Organisation.objects.get(siren=CELLES), by="tests", at=timezone.now()
        )
    assert not Tenant.objects.filter(organisation__siren=MELLE).exists()


def test_a_departement_places_its_communes_and_a_siren_goes_before_it(settings: Any) -> None:
    settings.CELLS = ("main", "est")
    settings.PLACEMENT = {"086": "est", "218600039": "main"}
    assert cells.placed(departement="086", siren="218601946") == "est"
    assert cells.placed(departement="086", siren="218600039") == "main"
    assert cells.placed(departement="079", siren=MELLE) == "main"


def test_a_homonym_on_the_other_server_takes_the_long_host(
    servers: Servers, melle: Tenant, settings: Any
) -> None:
    body = Organisation.objects.exclude(siren__in=(MELLE, CELLES)).exclude(insee="").first()
    assert body is not None
    settings.PLACEMENT = settings.PLACEMENT | {body.siren: "est"}
    Organisation.objects.filter(siren=CELLES).update(name="Melle")
    with cells.inside("est"):
        Organisation.objects.filter(siren=body.siren).update(name="Celles-sur-Belle")
        there = provision(
            organisation=Organisation.objects.get(siren=body.siren), by="tests", at=timezone.now()
        )
        assert there.get_primary_domain().domain == f"celles-sur-belle-{body.insee}.localhost"
    Organisation.objects.filter(siren=CELLES).update(name="Celles-sur-Belle")


# Who is served from where.


def test_each_host_is_served_from_its_own_server(
    servers: Servers, melle: Tenant, celles: Tenant
) -> None:
    def answer(request: Any) -> HttpResponse:
        return HttpResponse(f"{request.tenant} {_port()}")

    for host, name, server in (
        (MELLE_HOST, "Melle", servers.est),
        (CELLES_HOST, "Celles-sur-Belle", servers.main),
        (PORTAL, "Portail du syndicat", servers.main),
        (PORTAL_EST, "Portail du syndicat", servers.est),
    ):
        page = Routing(answer)(RequestFactory().get("/", headers={"host": host}))
        assert page.content.decode() == f"{name} {server.port}"
    assert _get(PORTAL).status_code == _get(PORTAL_EST).status_code == 200
    assert _get("nobody.localhost").status_code == 404
    assert cells.here() == "main"


def test_a_person_of_one_server_is_nobody_on_the_other(
    servers: Servers, melle: Tenant, celles: Tenant
) -> None:
    """The same key is another person there, and the same session does not open."""
    here = person(Role.TRANSMITTER, at=celles.organisation, first_name="Dominique")
    with cells.inside("est"):
        there = person(Role.TRANSMITTER, at=melle.organisation, first_name="Claude")
        Person.objects.filter(pk=there.pk).update(last_name="Delest")
        eastern = Browser(MELLE_HOST, there)
    western = Browser(CELLES_HOST, here)

    page = eastern.get(reverse("home")).content.decode()
    assert "Claude" in page
    assert "Dominique" not in page
    assert "Dominique" in western.get(reverse("home")).content.decode()

    stolen = Browser(CELLES_HOST)
    stolen.cookies["socle_session"] = eastern.cookies["socle_session"].value
    assert stolen.get(reverse("home")).status_code == 302


def test_what_is_streamed_after_the_view_still_comes_from_its_server(
    servers: Servers, melle: Tenant
) -> None:
    def answer(request: Any) -> StreamingHttpResponse:
        return StreamingHttpResponse(str(_port()).encode() for _ in range(2))

    ports = {}
    for host in (PORTAL_EST, CELLES_HOST):
        request = RequestFactory().get("/", headers={"host": host})
        response = Routing(answer)(request)
        assert cells.here() == "main"
        ports[host] = set(response.streaming_content)
        assert cells.here() == "main"
    assert ports[PORTAL_EST] == {str(servers.est.port).encode()}
    assert ports[CELLES_HOST] == {str(servers.main.port).encode()}


def test_a_host_that_two_servers_claim_is_closed(
    servers: Servers, melle: Tenant, celles: Tenant
) -> None:
    double = Domain.objects.create(domain=MELLE_HOST, tenant=celles, is_primary=False)
    try:
        assert _get(MELLE_HOST).status_code == 503
        with pytest.raises(CommandError):
            call_command("cells", stdout=StringIO(), stderr=(said := StringIO()))
        assert MELLE_HOST in said.getvalue()
    finally:
        double.delete()
    assert _get(MELLE_HOST).status_code == 200


# One transaction, one server.


def test_a_transaction_never_spans_two_servers(servers: Servers) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="two servers"):
        with cells.inside("est"):
            pass
    assert cells.here() == "main"


def test_the_act_and_its_line_of_the_outbox_are_one_transaction_on_its_server(
    servers: Servers, melle: Tenant
) -> None:
    """What fails after both were written leaves neither, on either server."""
    from tests.faults.flows import prepare_flow

    with cells.inside("est"):
        _may_transmit(melle)
        who = Person.objects.get(email="agent@melle.fr")

        @transaction.atomic
        def fail() -> None:
            prepare_flow(0, by=who, at=timezone.now())
            raise ZeroDivisionError

        with fences.inside(melle.schema_name), pytest.raises(ZeroDivisionError):
            fail()
        assert not Outbound.objects.exists()
        with fences.inside(melle.schema_name):
            prepare_flow(0, by=who, at=timezone.now())
        assert [one.schema for one in Outbound.objects.all()] == [melle.schema_name]
        Outbound.objects.all().delete()
    assert not Outbound.objects.exists()


def _may_transmit(tenant: Tenant) -> None:
    body = tenant.organisation
    TransmissionRight.objects.get_or_create(
        organisation=body,
        protocol="helios",
        defaults={
            "operator": "exercice",
            "reference": "Essai",
            "starts_on": timezone.now().date() - timedelta(days=9),
        },
    )
    Organisation.objects.filter(pk=body.pk).update(siret="20008151100012")
    if not Person.objects.filter(email="agent@melle.fr").exists():
        person(Role.TRANSMITTER, at=body, email="agent@melle.fr")


def test_a_thread_begins_at_home_and_is_carried_to_the_cell_of_whoever_asks(
    servers: Servers,
) -> None:
    def port() -> int:
        try:
            return _port()
        finally:
            connections.close_all()

    with cells.inside("est"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(port).result() == servers.main.port
        assert pool.submit(cells.carry(port)).result() == servers.est.port


def test_two_servers_that_share_a_bucket_keep_the_same_file_apart(servers: Servers) -> None:
    """The same bytes, in both public schemas, under two keys: neither loses or tidies the other."""
    later = timezone.now() + timedelta(days=2)
    kept = {}
    for cell in cells.names():
        with cells.inside(cell):
            kept[cell] = documents.store(
                content=b"%PDF-1.4 papier commun", name="a.pdf", by="tests", at=timezone.now()
            )
    for cell in cells.names():
        with cells.inside(cell):
            documents.delete_orphans(before=later)
    for cell in cells.names():
        with cells.inside(cell):
            assert documents.read(kept[cell]) == b"%PDF-1.4 papier commun"


def test_the_numbers_of_invoices_are_those_of_one_server(servers: Servers) -> None:
    def first() -> str:
        return policies.number(InvoiceKind.INVOICE, 2026, 1, mark=cells.mark())

    with cells.inside("est"):
        there = first()
    assert (first(), there) == ("2026-F-00001", "2026-F-EST-00001")


# Fences and upgrades, everywhere.


def test_the_fences_stand_on_both_servers(servers: Servers, melle: Tenant, celles: Tenant) -> None:
    for cell, siren in (("main", CELLES), ("est", MELLE)):
        with cells.inside(cell), fences.inside(f"t_{siren}"), connection.cursor() as cursor:
            cursor.execute("SELECT current_user::text")
            assert cursor.fetchone() == (f"t_{siren}",)
            cursor.execute("SELECT count(*), min(schema_name) FROM tenants_tenant")
            assert cursor.fetchone() == (1, f"t_{siren}")
            for closed in ("accounts_login", "django_session"):
                with pytest.raises(DatabaseError, match="permission denied"):
                    cursor.execute(f"SELECT 1 FROM public.{closed}")  # noqa: S608 -- our names
            cursor.execute(
                "SELECT count(*) FROM pg_roles WHERE rolname LIKE 't\\_%%' "
                "AND pg_has_role(current_user, oid, 'SET')"
            )
            assert cursor.fetchone() == (1,)


def test_the_communes_of_both_servers_are_upgraded(
    servers: Servers, melle: Tenant, celles: Tenant
) -> None:
    current = {}
    for cell in cells.names():
        with cells.inside(cell):
            current[cell] = blueprints.current()
    for server in (servers.main, servers.est):
        with server.connect(NAME) as db:
            db.execute(
                "INSERT INTO tenants_blueprint SELECT 'older', ddl, migrations, now() "
                "FROM tenants_blueprint WHERE fingerprint = %s ON CONFLICT DO NOTHING",
                [current["main"].pk],
            )
            db.execute(
                "UPDATE tenants_tenant SET blueprint = 'older' WHERE organisation_id IS NOT NULL"
            )
    with _owning(servers):
        call_command("migrate_tenants", stdout=(said := StringIO()), stderr=said)
    for cell in cells.names():
        with cells.inside(cell):
            standing = set(
                Tenant.objects.exclude(organisation=None).values_list("blueprint", flat=True)
            )
            assert standing == {current[cell].pk}, said.getvalue()
            assert Blueprint.objects.filter(pk=current[cell].pk).exists()


class _owning:
    """Tell the commands who owns, as SOCLE_DATABASE_OWNER_URL and SOCLE_CELLS_OWNER would."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers

    def __enter__(self) -> None:
        for alias in ("default", "est"):
            connections.settings[alias]["USER"] = "socle_owner"
        connections.close_all()

    def __exit__(self, *_: object) -> None:
        for alias in ("default", "est"):
            connections.settings[alias]["USER"] = "socle_web"
        connections.close_all()


# A server that is down.


@pytest.fixture
def agent(servers: Servers, melle: Tenant) -> Browser:
    """Somebody at work in Melle."""
    with cells.inside("est"):
        browser = Browser(MELLE_HOST, person(Role.TRANSMITTER, at=melle.organisation))
    browser.raise_request_exception = False
    assert browser.get(reverse("home")).status_code == 200
    return browser


@pytest.fixture
def est_down(servers: Servers, agent: Browser, celles: Tenant) -> None:
    """The server of Melle stops while she works."""
    servers.est.stop()


def test_the_communes_of_the_other_server_go_on(
    servers: Servers, est_down: None, agent: Browser
) -> None:
    assert _get(CELLES_HOST).status_code == 200
    assert _get(PORTAL).status_code == 200

    for _ in range(2):  # first the host is still remembered, then it is not
        page = agent.get(reverse("home"))
        assert page.status_code == 503
        assert page["Retry-After"] == "30"
        assert "ne répond pas pour le moment" in page.content.decode()
        assert "Celles" not in page.content.decode()
        forget_hosts()
    assert _get(PORTAL_EST).status_code == 503
    assert _get("nobody.localhost").status_code == 503, "the silent server may know it"

    servers.est.start()
    connections.settings["est"]["PORT"] = str(servers.est.port)
    cells._silent_until.clear()
    assert agent.get(reverse("home")).status_code == 200


def test_a_pod_stays_ready_while_one_server_answers(servers: Servers, est_down: None) -> None:
    answer = _get("10.1.2.3", health.READY)
    assert answer.status_code == 200
    assert answer.json()["cellules"] == {"main": "ok", "est": "sans réponse"}
    servers.main.stop()
    assert _get("10.1.2.3", health.READY).status_code == 503


def test_the_second_server_goes_on_without_the_main_one(
    servers: Servers, melle: Tenant, celles: Tenant
) -> None:
    servers.main.stop()
    assert _get(MELLE_HOST).status_code == 200
    assert _get(PORTAL_EST).status_code == 200
    assert _get(CELLES_HOST).status_code == 503


def test_an_upgrade_does_the_servers_that_answer_and_names_the_other(
    servers: Servers, est_down: None
) -> None:
    with _owning(servers), pytest.raises(CommandError, match="est"):
        call_command("migrate_all", stdout=(said := StringIO()), stderr=said)
    assert "est : ne répond pas" in said.getvalue()
    assert "communes mises à jour" in said.getvalue()


def test_a_server_older_than_the_code_is_not_served(
    servers: Servers, melle: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_current", set())
    newest = "SELECT max(id) FROM django_migrations"
    with servers.est.connect(NAME) as db:
        row = db.execute(f"DELETE FROM django_migrations WHERE id = ({newest}) RETURNING *")  # noqa: S608
        gone = row.fetchone()
    assert _get(MELLE_HOST).status_code == 503
    states = _get("10.1.2.3", health.READY).json()["cellules"]
    assert states == {"main": "ok", "est": "schéma plus ancien que le code"}
    with servers.est.connect(NAME) as db:
        db.execute("INSERT INTO django_migrations VALUES (%s, %s, %s, %s)", gone)
        db.execute(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('billing', '9999_of_the_next_release', now())"
        )
    assert _get(MELLE_HOST).status_code == 200
