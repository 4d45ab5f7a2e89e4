"""What stands in the place of routing when there is but one schema."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tenants.models import Tenant


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
