"""From the host name to the commune, and from the person to what she may do there."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, Final

import sentry_sdk
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotFound
from django.template.loader import render_to_string
from django.urls import reverse, set_urlconf
from django.utils import timezone
from django_tenants.utils import get_public_schema_name

from socle.accounts import navigation
from socle.accounts.capabilities import (
    COMMUNE_ROLES,
    SYNDICAT_ROLES,
    Capability,
    capabilities_of,
)
from socle.accounts.navigation import Scope
from socle.config.health import check_serves
from socle.config.views import unavailable
from socle.core import cells, fences
from socle.core.clock import legal_date
from socle.directory import queries as directory
from socle.directory.models import Grant, OrganisationKind
from socle.notices import announcements
from tenants.models import Domain, Tenant

log = logging.getLogger(__name__)
FRESH_FOR: Final = 30.0
"""Seconds a host's tenant is remembered: a new host is seen at once, a removed one within this."""


class Routing:
    """Set the cell and the tenant of a request from its host, before anything is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        connection.fence(up=False)  # whatever the request before left behind
        connection.set_schema_to_public()
        host = request.get_host().split(":")[0].lower()
        try:
            found = whereabouts(host)
            if found is None:
                # Without the request: the page of a host that is nobody's has no session, no place.
                return HttpResponseNotFound(render_to_string("tenants/unknown_host.html"))
            if len(cells.names()) > 1:
                check_serves(found[0])
        except cells.CellDown as silence:
            log.warning("%s waits: no answer from %s", host, silence)
            return unavailable()
        with cells.inside(found[0]):
            response = self._answer(request, host, found[1])
            if getattr(response, "streaming", False):
                response.streaming_content = cells.streamed(response.streaming_content)
            return response

    def _answer(self, request: HttpRequest, host: str, tenant: Tenant) -> HttpResponseBase:
        portal = tenant.schema_name == get_public_schema_name()
        request.tenant = tenant
        request.tenant_host = cells.portal_host() if portal else host
        request.demo = settings.DEMO
        connection.set_tenant(tenant)
        sentry_sdk.set_tag("tenant", tenant.schema_name)
        if portal:
            request.urlconf = settings.PUBLIC_SCHEMA_URLCONF
            set_urlconf(request.urlconf)
        try:
            return self.get_response(request)
        finally:
            connection.fence(up=False)
            connection.set_schema_to_public()


class Fence:
    """Run the view of a commune's page under the role of the commune.

    Last of all: sessions, logins and rights were read before, by the platform. The role goes with
    the view; what a streamed answer still asks of the database is asked under it again. A view
    opts out with `shared_work`, the reason why it must see what several communes share.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            response = self.get_response(request)
            if connection.fenced and getattr(response, "streaming", False):
                response.streaming_content = _under(connection.tenant, response.streaming_content)
            return response
        finally:
            connection.fence(up=False)

    def process_view(self, request: HttpRequest, view: Any, arguments: Any, keywords: Any) -> None:
        """Raise the fence when the view names a capability and the host is a commune's."""
        view_class = getattr(view, "view_class", None)
        named = isinstance(getattr(view_class, "capability", None), Capability)
        if named and not getattr(view_class, "shared_work", ""):
            connection.fence(up=True)


def _under(tenant: Any, content: Iterator[bytes]) -> Iterator[bytes]:
    """Give `content` block by block, each made in the schema and under the role of the commune."""
    content = iter(content)
    while True:
        with fences.inside(tenant.schema_name):
            block = next(content, None)
        if block is None:
            return
        yield block


def tenant_of(host: str) -> Tenant | None:
    """The tenant that `host` leads to in this cell, or None."""
    if host in {cells.portal_host(), "127.0.0.1"}:
        return Tenant.objects.filter(schema_name=get_public_schema_name()).first()
    domain = Domain.objects.select_related("tenant__organisation").filter(domain=host).first()
    return domain.tenant if domain else None


def whereabouts(host: str) -> tuple[str, Tenant] | None:
    """The cell and the tenant that `host` leads to; remembered half a minute, unknown hosts never.

    Each cell answers for its own hosts: no list of all of them has to be up, or up to date. None
    when no cell knows it. Raises CellDown when the one that may know it does not answer, and when
    two claim it: nobody is shown the pages of another.
    """
    known = _remembered.get(host)
    if known and known[0] > monotonic():
        return known[1]
    portal = cells.portals().get(host)
    asked = [portal] if portal else [cells.here()] if host == "127.0.0.1" else cells.names()
    found, silent = [], []
    for cell in asked:
        try:
            if len(cells.names()) > 1:
                cells.check_answers(cell)
            with cells.inside(cell):
                tenant = tenant_of(host)
        except cells.CellDown:
            silent.append(cell)
            continue
        if tenant is not None:
            found.append((cell, tenant))
    if len(found) > 1:
        log.error("%s is claimed by %s: closed", host, " and ".join(cell for cell, _ in found))
        raise cells.CellDown(host)
    if found:
        _remembered[host] = (monotonic() + FRESH_FOR, found[0])
        return found[0]
    if silent:
        raise cells.CellDown(", ".join(silent))
    return None


_remembered: dict[str, tuple[float, tuple[str, Tenant]]] = {}


def forget_hosts() -> None:
    """Forget every remembered host: a tenant was changed in this process."""
    _remembered.clear()


@dataclass(frozen=True, slots=True)
class Place:
    """One organisation a person may go to, as the switcher shows it."""

    label: str
    host: str
    origin: str
    url: str
    current: bool


class Standing:
    """Say on each request what the person may do here and where else she may go."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.capabilities, request.roles = frozenset(), []
        request.places, request.navigation, request.space_stop = [], [], None
        request.announcements = list
        if request.user.is_authenticated and request.user.is_verified():
            _stand(request)
        return self.get_response(request)


def _stand(request: HttpRequest) -> None:
    portal = request.tenant.schema_name == get_public_schema_name()
    request.scope = Scope.PORTAL if portal else Scope.COMMUNE
    grants = (
        directory.grants(request.user, legal_date(timezone.now()))
        .select_related("organisation__tenant")
        .prefetch_related("organisation__tenant__domains")
    )
    for grant in grants:
        for host, roles in _doors(grant):
            current = host == request.tenant_host
            if current:
                request.roles = roles
                request.space_stop = getattr(grant.organisation, "space_stop", None)
                request.capabilities = capabilities_of(roles)
            request.places.append(_place(grant, host, current=current))
    request.navigation = navigation.entries(request.scope, request.capabilities, request.path)
    request.announcements = partial(announcements.collect, request)  # asked for when a page is made


def _doors(grant: Grant) -> Iterator[tuple[str, list[str]]]:
    """The hosts a grant opens, and with which of its roles."""
    syndicat_roles = [role for role in grant.roles if role in SYNDICAT_ROLES]
    if syndicat_roles and grant.organisation.kind == OrganisationKind.SYNDICAT:
        yield cells.portal_host(), syndicat_roles
    commune_roles = [role for role in grant.roles if role in COMMUNE_ROLES]
    tenant = getattr(grant.organisation, "tenant", None)
    if commune_roles and tenant is not None:
        primary = next(domain for domain in tenant.domains.all() if domain.is_primary)
        yield primary.domain, commune_roles


def _place(grant: Grant, host: str, *, current: bool) -> Place:
    portal = host == cells.portal_host()
    label = "Portail du syndicat" if portal else str(grant.organisation)
    return Place(label, host, origin(host), reverse("accounts:switch", args=[host]), current)


def origin(host: str) -> str:
    """The address of a host of ours: scheme, host and port."""
    port = f":{settings.BASE_PORT}" if settings.BASE_PORT else ""
    return f"{settings.BASE_SCHEME}://{host}{port}"
