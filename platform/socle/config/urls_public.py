"""The portal of the syndicat."""

from django.urls import include, path

from socle.config.urls_common import handler500  # noqa: F401 -- Django looks for it here
from socle.config.urls_common import urlpatterns as common

urlpatterns = [
    *common,
    path("annuaire/", include("socle.directory.urls")),
    path("envois/s2low/", include("socle.s2low.urls")),
    path("envois/direct/", include("socle.direct.urls")),
    path("envois/", include("socle.delivery.urls")),
    path("espaces/", include("tenants.life.urls")),
    path("registre/", include("tenants.opendata.urls")),
    path("refus/", include("socle.actes.explanations.urls")),
    path("raccordements/", include("tenants.onboarding.urls")),
    path("certificats/", include("registration_authority.urls")),
    path("formations/", include("training.urls")),
    path("facturation/", include("billing.urls")),
    path("journal/", include("tenants.audit.urls")),
]
