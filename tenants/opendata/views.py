"""The public page of the syndicat: where each commune publishes, and one file for all."""

from typing import Final

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Access
from socle.directory import queries as directory
from socle.documents.models import StoredFile
from socle.documents.responses import download
from tenants.middleware import origin
from tenants.opendata import queries
from tenants.opendata.forms import NameFilter

PER_PAGE: Final = 50


class Registers(CapabilityView):
    """The communes that publish here. Open to anybody."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        form = NameFilter(request.GET or None)
        found = queries.bodies(form.cleaned_data["q"] if form.is_valid() else "")
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        path = reverse("actes:register", urlconf=settings.ROOT_URLCONF)
        context = {
            "form": form,
            "page": page,
            "rows": [(one, f"{origin(one['host'])}{path}") for one in page],
            "edition": queries.edition(),
            "syndicat": directory.syndicat(),
        }
        return render(request, "opendata/registers.html", context)


class Deliberations(CapabilityView):
    """The délibérations of all communes as open data. Open to anybody."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponseBase:
        edition = queries.edition()
        if edition is None:
            raise Http404
        return download(get_object_or_404(StoredFile, pk=edition.stored))
