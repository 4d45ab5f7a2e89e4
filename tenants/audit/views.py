"""Read the journal of where one is; take away the sealed parcel of any commune."""

import tempfile
from datetime import datetime, time, timedelta
from typing import BinaryIO, cast

from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django_tenants.utils import get_public_schema_name, schema_context

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.core import fences
from socle.core.clock import PARIS
from socle.core.text import fold
from socle.journal import actions as journal
from socle.journal import events
from socle.journal import queries as entries
from tenants.audit import queries
from tenants.audit.forms import ExportForm, JournalFilter, SearchForm
from tenants.models import Tenant

PER_PAGE = 25
SPOOL = 8 << 20


class Journal(CapabilityView):
    """What happened here, newest first, in sentences."""

    capability = Capability.JOURNAL_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form = JournalFilter(request.GET if request.GET else None)
        chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
        since, until = chosen.get("since"), chosen.get("until")
        before = request.GET.get("avant", "")
        page = entries.page(
            event=chosen.get("event", ""),
            since=datetime.combine(since, time(), PARIS) if since else None,
            until=datetime.combine(until + timedelta(days=1), time(), PARIS) if until else None,
            before=int(before) if before.isdigit() else None,
            size=PER_PAGE,
        )
        query = request.GET.copy()
        query["avant"] = str(page.older or "")
        context = {
            "lines": [(entry, events.sentence(entry)) for entry in page.entries],
            "older": f"?{query.urlencode()}" if page.older else "",
            "form": form,
            "may_export": self.can(Capability.JOURNAL_EXPORT),
        }
        return render(request, "audit/journal.html", context)


class Exports(CapabilityView):
    """Every journal there is, with its button."""

    capability = Capability.JOURNAL_EXPORT

    def get(self, request: HttpRequest) -> HttpResponse:
        _only_on_portal(request)
        tenants = Tenant.objects.exclude(organisation=None).select_related("organisation")
        form = SearchForm(request.GET if request.GET else None)
        text = form.cleaned_data["q"] if form.is_bound and form.is_valid() else ""
        if text:
            tenants = tenants.filter(organisation__sort_key__contains=fold(text))
        page = Paginator(tenants.order_by("organisation__sort_key"), PER_PAGE)
        context = {"page": page.get_page(request.GET.get("page")), "form": form}
        return render(request, "audit/exports.html", context)


class Fences(CapabilityView):
    """Which organisations there are to look at; in a commune, its own page at once."""

    capability = Capability.JOURNAL_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.tenant.schema_name != get_public_schema_name():
            return redirect("audit:fence", schema=request.tenant.schema_name)
        tenants = Tenant.objects.exclude(organisation=None).select_related("organisation")
        form = SearchForm(request.GET if request.GET else None)
        text = form.cleaned_data["q"] if form.is_bound and form.is_valid() else ""
        if text:
            tenants = tenants.filter(organisation__sort_key__contains=fold(text))
        page = Paginator(tenants.order_by("organisation__sort_key"), PER_PAGE)
        context = {"page": page.get_page(request.GET.get("page")), "form": form}
        return render(request, "audit/fences.html", context)


class Fence(CapabilityView):
    """What keeps one organisation apart, and who came from outside."""

    capability = Capability.JOURNAL_READ

    def get(self, request: HttpRequest, schema: str) -> HttpResponse:
        here = request.tenant.schema_name
        if here not in (get_public_schema_name(), schema):
            raise Http404
        tenants = Tenant.objects.exclude(organisation=None).select_related("organisation")
        tenant = get_object_or_404(tenants, schema_name=schema)
        with fences.inside(schema):
            context = {
                "tenant": tenant,
                "enclosure": queries.enclosure(tenant),
                "visits": [
                    (entry, events.sentence(entry))
                    for entry in queries.visitors(tenant, limit=PER_PAGE)
                ],
            }
        return render(request, "audit/fence.html", context)


class Export(CapabilityView):
    """Build one parcel: journal, proofs, files, and the verifier that needs nobody."""

    capability = Capability.JOURNAL_EXPORT

    def get(self, request: HttpRequest, schema: str) -> HttpResponse:
        return self.show(request, self.tenant(schema), ExportForm())

    def post(self, request: HttpRequest, schema: str) -> HttpResponseBase:
        tenant = self.tenant(schema)
        form = ExportForm(request.POST)
        if not form.is_valid():
            return self.show(request, tenant, form)
        now = timezone.now()
        out = cast("BinaryIO", tempfile.SpooledTemporaryFile(SPOOL))
        with schema_context(schema):
            journal.export(
                schema=schema,
                out=out,
                by=request.user,
                at=now,
                reason=form.cleaned_data["reason"],
                files=queries.pieces(),
            )
        out.seek(0)
        name = f"preuves-{schema}-{now.astimezone(PARIS):%Y%m%d-%H%M}.zip"
        return FileResponse(out, as_attachment=True, filename=name, content_type="application/zip")

    def tenant(self, schema: str) -> Tenant:
        _only_on_portal(self.request)
        return get_object_or_404(Tenant.objects.select_related("organisation"), schema_name=schema)

    def show(self, request: HttpRequest, tenant: Tenant, form: ExportForm) -> HttpResponse:
        return render(request, "audit/export.html", {"tenant": tenant, "form": form})


def _only_on_portal(request: HttpRequest) -> None:
    if request.tenant.schema_name != get_public_schema_name():
        raise Http404
