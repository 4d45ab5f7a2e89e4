"""A commune's site with one hole: an address that sends to the database what it is given."""

from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Access, Capability
from socle.config.urls_commune import urlpatterns as real


def _answer(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return repr(cursor.fetchall() if cursor.description else cursor.rowcount)


class Whole(CapabilityView):
    """The whole statement is the visitor's."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(_answer(request.GET["q"]))


class Middle(CapabilityView):
    """The classic hole: a search pasted between quotes."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        q = request.GET["q"]
        return HttpResponse(_answer(f"SELECT objet FROM actes_act WHERE objet = '{q}'"))  # noqa: S608


class Stream(CapabilityView):
    """A streamed answer whose last block is asked after the view has returned."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(
            _answer("SELECT current_user, current_setting('search_path')") for _ in range(2)
        )


class Fails(CapabilityView):
    """A view that breaks after it asked something."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError(_answer("SELECT current_user"))


class Account(Whole):
    """What needs a login and no capability."""

    capability = Access.LOGGED_IN


urlpatterns = [
    *real,
    path("trou/", Whole.as_view()),
    path("trou/recherche/", Middle.as_view()),
    path("trou/flux/", Stream.as_view()),
    path("trou/panne/", Fails.as_view()),
    path("trou/compte/", Account.as_view()),
]
