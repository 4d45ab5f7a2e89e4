"""Tell the agents of a suspended space so, on every page that is theirs."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from socle.accounts.capabilities import Access
from socle.directory import queries as directory

STILL_OPEN = frozenset({"accounts"})
"""Namespaces that belong to the person, not to the space: her account, the way out."""


class OpenSpaces:
    """Answer for a suspended space with one polite page: since when, why, whom to call.

    After `Standing`, which read whether the space stands still. What is open to anyone stays open:
    the login page, and the register of published acts, which the law wants public.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, arguments: Any, keywords: Any
    ) -> HttpResponse | None:
        """Answer in the place of the view, or let it be."""
        stop = getattr(request, "space_stop", None)
        if stop is None or request.resolver_match is None:
            return None
        capability = getattr(getattr(view, "view_class", None), "capability", None)
        if capability is Access.ANYONE or STILL_OPEN & set(request.resolver_match.namespaces):
            return None
        syndicat = directory.syndicat()
        context = {
            "stop": stop,
            "syndicat": syndicat,
            "mail": settings.HELP_MAIL or syndicat.email,
            "phone": settings.HELP_PHONE or syndicat.phone,
            "hours": settings.HELP_HOURS,
        }
        return render(request, "life/suspended.html", context, status=503)
