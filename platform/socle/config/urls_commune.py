"""The space of one commune."""

from django.urls import include, path

from socle.config.urls_common import handler500  # noqa: F401 -- Django looks for it here
from socle.config.urls_common import urlpatterns as common

urlpatterns = [
    *common,
    path("actes/", include("socle.actes.urls")),
    path("helios/", include("socle.helios.urls")),
    path("raccordement/", include("tenants.onboarding.urls_commune")),
    path("certificats/", include("registration_authority.urls_commune")),
    path("formations/", include("training.urls_commune")),
    path("logiciels/", include("tenants.api.urls_access")),
    path("", include("tenants.api.urls")),
    path("journal/", include("tenants.audit.urls")),
]
