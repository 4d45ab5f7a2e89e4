"""Pages that belong to no room."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Access
from socle.web import guide


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
