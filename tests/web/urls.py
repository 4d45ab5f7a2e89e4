"""The two addresses the page shell links to, so that its tests need no other room."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def page(request: HttpRequest) -> HttpResponse:
    """Answer anything."""
    return HttpResponse()


accounts = (
    [path("compte/", page, name="account"), path("sortie/", page, name="logout")],
    "accounts",
)
urlpatterns = [path("a/", include(accounts)), path("accessibilite/", page, name="accessibility")]
