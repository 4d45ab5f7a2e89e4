"""The home of every person: what waits for her."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Access
from socle.core import fences
from socle.notices import todos
from socle.notices.models import Notice


class Home(CapabilityView):
    """A to-do list, whatever the role."""

    capability = Access.LOGGED_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        unread = Notice.objects.filter(person=request.user, read_at=None)
        with fences.raised():  # what waits in a commune is the commune's to read
            waiting = todos.collect(request)
        context = {"todos": waiting, "unread": unread.count()}
        return render(request, "tenants/home.html", context)
