"""What stands in the place of routing when there is but one schema."""

from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

from tenants.models import Tenant


class OneCommune:
    """Pages of one commune on a connection that never leaves its schema: no routing, no role."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.tenant = Tenant.objects.select_related("organisation").get(organisation__insee="79174")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.tenant, request.tenant_host = self.tenant, request.get_host()
        request.demo = False
        if connection.schema_name != self.tenant.schema_name:
            connection.set_tenant(self.tenant)
        return self.get_response(request)


class OneSchema:
    """Give the request what the page needs to know, and leave the connection alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.tenant = Tenant.objects.get(schema_name="public")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.tenant, request.tenant_host = self.tenant, settings.BASE_HOST
        request.demo = False
        request.urlconf = settings.PUBLIC_SCHEMA_URLCONF
        return self.get_response(request)
