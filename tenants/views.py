"""The home of every person: what waits for her."""

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_tenants.utils import get_public_schema_name

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Access
from socle.core import fences
from socle.notices import todos
from socle.notices.models import Notice


class Robots(CapabilityView):
    """What a search engine may read: published acts, and nothing of an exercise (RFC 9309)."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        portal = connection.schema_name == get_public_schema_name()
        register = "/registre/" if portal else "/actes/registre/"
        allowed = "" if settings.DEMO else f"Allow: {register}\n"
        return HttpResponse(f"User-agent: *\n{allowed}Disallow: /\n", content_type="text/plain")


class Home(CapabilityView):
    """A to-do list, whatever the role."""

    capability = Access.LOGGED_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        unread = Notice.objects.filter(person=request.user, read_at=None)
        with fences.raised():  # what waits in a commune is the commune's to read
            waiting = todos.collect(request)
        context = {"todos": waiting, "unread": unread.count()}
        return render(request, "tenants/home.html", context)
