"""From the host name to the commune, and from the person to what she may do there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Final

import sentry_sdk
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.template.loader import render_to_string
from django.urls import reverse, set_urlconf
from django.utils import timezone
from django_tenants.utils import get_public_schema_name

from socle.accounts import navigation
from socle.accounts.capabilities import COMMUNE_ROLES, SYNDICAT_ROLES, capabilities_of
from socle.accounts.navigation import Scope
from socle.core.clock import legal_date
from socle.directory import queries as directory
from socle.directory.models import Grant, OrganisationKind
from tenants.models import Domain, Tenant

FRESH_FOR: Final = 30.0
"""Seconds a host's tenant is remembered: a new host is seen at once, a removed one within this."""


class Routing:
    """Set the tenant of the request from its host, before anything reads the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        connection.set_schema_to_public()
        host = request.get_host().split(":")[0].lower()
        tenant = tenant_of(host)
        if tenant is None:
            # Without the request: the page of a host that is nobody's has no session and no place.
            return HttpResponseNotFound(render_to_string("tenants/unknown_host.html"))
        request.tenant = tenant
        request.tenant_host = settings.BASE_HOST if tenant.organisation_id is None else host
        request.demo = settings.DEMO
        connection.set_tenant(tenant)
        sentry_sdk.set_tag("tenant", tenant.schema_name)
        if tenant.schema_name == get_public_schema_name():
            request.urlconf = settings.PUBLIC_SCHEMA_URLCONF
            set_urlconf(request.urlconf)
        try:
            return self.get_response(request)
        finally:
            connection.set_schema_to_public()


def tenant_of(host: str) -> Tenant | None:
    """The tenant that `host` leads to; remembered for half a minute, unknown hosts never."""
    known = _remembered.get(host)
    if known and known[0] > monotonic():
        return known[1]
    if host in {settings.BASE_HOST, "127.0.0.1"}:
        tenant = Tenant.objects.filter(schema_name=get_public_schema_name()).first()
    else:
        domain = Domain.objects.select_related("tenant__organisation").filter(domain=host).first()
        tenant = domain.tenant if domain else None
    if tenant is not None:
        _remembered[host] = (monotonic() + FRESH_FOR, tenant)
    return tenant


_remembered: dict[str, tuple[float, Tenant]] = {}


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
        request.places, request.navigation = [], []
        if request.user.is_authenticated and request.user.is_verified():
            _stand(request)
        return self.get_response(request)


def _stand(request: HttpRequest) -> None:
    portal = request.tenant.schema_name == get_public_schema_name()
    request.scope = Scope.PORTAL if portal else Scope.COMMUNE
    grants = directory.grants(request.user, legal_date(timezone.now())).prefetch_related(
        "organisation__tenant__domains"
    )
    for grant in grants:
        for host, roles in _doors(grant):
            current = host == request.tenant_host
            if current:
                request.roles = roles
                request.capabilities = capabilities_of(roles)
            request.places.append(_place(grant, host, current=current))
    request.navigation = navigation.entries(request.scope, request.capabilities, request.path)


def _doors(grant: Grant) -> Iterator[tuple[str, list[str]]]:
    """The hosts a grant opens, and with which of its roles."""
    syndicat_roles = [role for role in grant.roles if role in SYNDICAT_ROLES]
    if syndicat_roles and grant.organisation.kind == OrganisationKind.SYNDICAT:
        yield settings.BASE_HOST, syndicat_roles
    commune_roles = [role for role in grant.roles if role in COMMUNE_ROLES]
    tenant = getattr(grant.organisation, "tenant", None)
    if commune_roles and tenant is not None:
        primary = next(domain for domain in tenant.domains.all() if domain.is_primary)
        yield primary.domain, commune_roles


def _place(grant: Grant, host: str, *, current: bool) -> Place:
    portal = host == settings.BASE_HOST
    label = "Portail du syndicat" if portal else str(grant.organisation)
    return Place(label, host, origin(host), reverse("accounts:switch", args=[host]), current)


def origin(host: str) -> str:
    """The address of a host of ours: scheme, host and port."""
    port = f":{settings.BASE_PORT}" if settings.BASE_PORT else ""
    return f"{settings.BASE_SCHEME}://{host}{port}"
