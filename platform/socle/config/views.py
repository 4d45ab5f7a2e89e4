"""Pages that belong to no room."""

import sys
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views import defaults

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Access
from socle.core import cells
from socle.web import guide

COME_BACK: Final = 30
"""Seconds after which a browser, or a finance software, should try again."""


def unavailable() -> HttpResponse:
    """The page of a server that does not answer; it asks nothing of any database."""
    page = render_to_string("web/errors/503.html")
    return HttpResponse(page, status=503, headers={"Retry-After": str(COME_BACK)})


def failure(request: HttpRequest) -> HttpResponse:
    """An incident (500), unless the server of the database went away or has no room (503)."""
    problem = sys.exc_info()[1]
    if cells.lost(problem):
        cells.note_down(cells.here())
        return unavailable()
    if cells.starved(problem):
        return unavailable()
    return defaults.server_error(request)


class Accessibility(CapabilityView):
    """The accessibility statement (RGAA, article 47 of the law of 11 February 2005)."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "web/accessibility.html")


class Guide(CapabilityView):
    """Every component on one page; routed in the demonstration only."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "web/guide.html", guide.context())
