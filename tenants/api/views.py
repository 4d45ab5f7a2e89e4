"""The accesses of a commune's software, for the person in whose name they act."""

from typing import Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.actes import queries
from tenants.api import actions
from tenants.api.forms import AccessForm
from tenants.api.models import SoftwareAccess
from tenants.middleware import origin

PER_PAGE: Final = 25


class Accesses(CapabilityView):
    """The list, and one more. The secret is shown once, on the answer that makes it."""

    capability = Capability.ACTS_PREPARE

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(AccessForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AccessForm(request.POST)
        if not form.is_valid():
            return self.show(form)
        opened = self.attempt(
            actions.open_access,
            organisation=queries.organisation_here(),
            software=form.cleaned_data["software"],
        )
        return self.show(AccessForm(), opened) if opened else self.show(form)

    def show(
        self, form: AccessForm, opened: tuple[SoftwareAccess, str] | None = None
    ) -> HttpResponse:
        found = SoftwareAccess.objects.filter(organisation=queries.organisation_here())
        page = Paginator(found.select_related("person"), PER_PAGE).get_page(
            self.request.GET.get("page")
        )
        may = self.can(Capability.ACTS_TRANSMIT)
        mine = self.request.user.pk
        context = {
            "form": form,
            "opened": opened,
            "page": page,
            "rows": [(one, not one.closed_at and (may or one.person_id == mine)) for one in page],
            "address": origin(self.request.tenant_host),  # type: ignore[attr-defined]
        }
        response = render(self.request, "api/accesses.html", context)
        response["Cache-Control"] = "no-store"
        return response


class Close(CapabilityView):
    """Close one access at once."""

    capability = Capability.ACTS_PREPARE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        here = SoftwareAccess.objects.filter(organisation=queries.organisation_here())
        access = get_object_or_404(here, pk=pk)
        if self.attempt(actions.close_access, subject=access, access_id=access.pk):
            messages.success(request, f"Le logiciel « {access} » n’entre plus.")
        return redirect("software:list")
