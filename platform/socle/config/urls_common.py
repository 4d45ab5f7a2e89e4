"""Addresses that exist on every host."""

from django.conf import settings
from django.urls import include, path

from socle.config.views import Accessibility, Guide
from tenants.views import Home, Robots

handler500 = "socle.config.views.failure"
urlpatterns = [
    path("", Home.as_view(), name="home"),
    path("", include("socle.accounts.urls")),
    path("revoquer/", include("registration_authority.revocation.urls_public")),
    path("robots.txt", Robots.as_view(), name="robots"),
    path("notifications/", include("socle.notices.urls")),
    path("accessibilite/", Accessibility.as_view(), name="accessibility"),
    *([path("composants/", Guide.as_view(), name="guide")] if settings.DEMO else []),
]
