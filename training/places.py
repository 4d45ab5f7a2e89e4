"""Where a registration lives: the journal and the address of the agent's own commune.

Tenants belong to the room above; an organisation that has one carries it as `tenant`.
"""

from django.conf import settings
from django.urls import reverse

from socle.directory.models import Organisation


def address_of(organisation: Organisation) -> str:
    """The page where its agents find their sessions; "" for a body without a space of its own."""
    tenant = getattr(organisation, "tenant", None)
    domain = tenant.get_primary_domain() if tenant else None
    if domain is None:
        return ""
    port = f":{settings.BASE_PORT}" if settings.BASE_PORT else ""
    path = reverse("training_commune:mine", urlconf=settings.ROOT_URLCONF)
    return f"{settings.BASE_SCHEME}://{domain.domain}{port}{path}"
