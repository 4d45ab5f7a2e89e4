"""The commune's desk of what stands still."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.actes import letter_queries, stuck
from socle.actes.views import PER_PAGE
from socle.delivery.models import Outbound


class Desk(CapabilityView):
    """What has not moved, since when, why, and who can act."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        found = stuck.items(at=timezone.now())
        context = {
            "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
            "may_retry": self.can(Capability.ACTS_TRANSMIT),
            "doors": letter_queries.doors("actes:stuck"),
        }
        return render(request, "actes/stuck.html", context)


class Retry(CapabilityView):
    """Send the same bytes again."""

    capability = Capability.ACTS_TRANSMIT
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            outbound = self.attempt(stuck.retry, outbound_id=pk)
        except Outbound.DoesNotExist:
            raise Http404 from None
        if outbound:
            messages.success(request, "L’envoi est relancé, avec exactement le même fichier.")
        return redirect("actes:stuck")
