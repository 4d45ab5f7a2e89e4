"""Acts taken away: as a table, as a ZIP with the proofs, as one PDF, as figures."""

from django import forms
from django.contrib import messages
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.actes import bundles, exports, queries, statistics
from socle.actes.forms import ActFilters
from socle.actes.models import Bundle, BundleKind, BundleVolume
from socle.core import replica
from socle.core.clock import legal_date
from socle.documents.responses import download
from socle.journal.actions import record
from socle.web.items import Figure


class Export(CapabilityView):
    """The acts the filters give, all of them, as CSV."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest) -> HttpResponseBase:
        keys = found_by(request)
        organisation = queries.organisation_here()
        with transaction.atomic():
            record(
                event="actes.exported",
                subject=organisation,
                by=request.user,
                at=timezone.now(),
                detail={"count": str(len(keys))},
            )
        response = StreamingHttpResponse(
            exports.acts_csv(keys, organisation=organisation, schema=connection.schema_name),
            content_type="text/csv; charset=utf-8",
        )
        name = f"actes-{organisation.siren}-{legal_date(timezone.now()):%Y%m%d}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "private, no-store"
        return response


class AskBundle(CapabilityView):
    """Have the acts the filters give put together, as ZIP or as one PDF."""

    capability = Capability.ACTS_READ
    http_method_names = ("post",)
    kind = BundleKind.ZIP

    def post(self, request: HttpRequest) -> HttpResponse:
        bundle = self.attempt(bundles.ask, acts=found_by(request), kind=self.kind)
        if bundle is None:
            return redirect("actes:list")
        messages.success(request, "L’export est en préparation.")
        return redirect("actes:bundle", pk=bundle.pk)


class BundlePage(CapabilityView):
    """How far an export is, and the volumes that are ready."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        bundle = get_object_or_404(Bundle, pk=pk)
        context = {
            "bundle": bundle,
            "volumes": bundle.volumes.select_related("content"),
            "expires_at": bundle.asked_at + bundles.KEPT_FOR,
            "total": len(bundle.acts),
            "progress_text": f"{bundle.done} sur {len(bundle.acts)}",
        }
        return render(request, "actes/bundle.html", context)


class BundleFile(CapabilityView):
    """One volume; the journal says who took it."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest, pk: int, volume: int) -> HttpResponseBase:
        found = get_object_or_404(BundleVolume, pk=volume, bundle=pk)
        return download(bundles.take(volume_id=found.pk, by=request.user, at=timezone.now()))


class Statistics(CapabilityView):
    """The figures of one year."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        with replica.reading(exact=False) as as_of:
            years = statistics.years() or [legal_date(timezone.now()).year]
            form = YearForm(request.GET or None, years=years)
            year = form.cleaned_data["annee"] if form.is_bound and form.is_valid() else years[0]
            found = statistics.of_year(year)
        delay = statistics.written(found.median) if found.median is not None else "—"
        context = {
            "form": form,
            "year": str(year),
            "found": found,
            "until": as_of.until,
            "figures": [
                Figure(value=str(found.total), label="actes transmis"),
                Figure(value=str(found.refused), label="refusés par la préfecture"),
                Figure(value=delay, label="délai médian, du dépôt à l’accusé de réception"),
            ],
        }
        return render(request, "actes/statistics.html", context)


class YearForm(forms.Form):
    """Which year."""

    annee = forms.TypedChoiceField(label="Année", coerce=int)

    def __init__(self, *args: object, years: list[int], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["annee"].choices = [(year, str(year)) for year in years]


def found_by(request: HttpRequest) -> list[int]:
    """Keys of all the acts the filters of the address give, newest first."""
    form = ActFilters(request.GET or None, years=queries.years())
    return list(queries.search(**form.criteria()).values_list("pk", flat=True))
