"""What a deployment needs before its first person comes in."""

from django.conf import settings
from django_tenants.utils import get_public_schema_name

from tenants.models import Domain, Tenant


def ensure_public() -> Tenant:
    """The tenant that stands for the portal, with its host; creating it twice changes nothing."""
    portal, _ = Tenant.objects.get_or_create(schema_name=get_public_schema_name())
    Domain.objects.get_or_create(
        domain=settings.BASE_HOST, defaults={"tenant": portal, "is_primary": True}
    )
    return portal
