"""The desk of stuck items, for the syndicat."""

from typing import Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.delivery import actions, diagnosis, queries
from socle.delivery.diagnosis import Actor
from socle.delivery.models import Inbound, Outbound
from socle.documents.models import StoredFile
from socle.documents.responses import download
from socle.journal.actions import record
from socle.notices import policies as mailing
from socle.notices import queries as notices

PER_PAGE = 25
WHO: Final = {
    Actor.NOBODY: "Personne : Socle réessaie de lui-même",
    Actor.SYNDICAT: "Le syndicat",
    Actor.COMMUNE: "La collectivité ou le syndicat",
}


class Desk(CapabilityView):
    """What has not moved, since when, why, and who can act."""

    capability = Capability.DELIVERY_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        stuck = Paginator(queries.stuck_outbound(), PER_PAGE).get_page(request.GET.get("page"))
        at = timezone.now()
        found = ((row, diagnosis.of(row, at=at)) for row in stuck)
        context = {
            "outbound": stuck,
            "rows": [(row, why, WHO[why.who]) for row, why in found],
            "inbound": queries.unread_inbound(at=at)[:PER_PAGE],
            "mails": [
                (one, one.mail_failures >= mailing.TRIES) for one in notices.unmailed()[:PER_PAGE]
            ],
            "stumbles": queries.stumbles()[:PER_PAGE],
            "may_retry": self.can(Capability.DELIVERY_RETRY),
        }
        return render(request, "delivery/desk.html", context)


class Retry(CapabilityView):
    """Send the same bytes again."""

    capability = Capability.DELIVERY_RETRY
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        outbound = get_object_or_404(Outbound, pk=pk)
        if self.attempt(actions.retry, subject=outbound, outbound_id=pk):
            messages.success(request, f"« {outbound.name} » repart maintenant.")
        return redirect("delivery:desk")


class Raw(CapabilityView):
    """A return exactly as it arrived, for who must understand it."""

    capability = Capability.DELIVERY_RETRY

    @transaction.atomic
    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        inbound = get_object_or_404(Inbound, pk=pk)
        stored = get_object_or_404(StoredFile, pk=inbound.payload)
        record(
            event="delivery.raw_opened",
            subject=inbound,
            by=request.user,
            at=timezone.now(),
            detail={"name": inbound.name},
        )
        return download(stored, name=inbound.name)


class ReadAgain(CapabilityView):
    """Give a return to its room once more."""

    capability = Capability.DELIVERY_RETRY
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        inbound = get_object_or_404(Inbound, pk=pk)
        _say_outcome(request, actions.understand(inbound_id=inbound.pk))
        return redirect("delivery:desk")


def _say_outcome(request: HttpRequest, inbound: Inbound) -> None:
    if inbound.message:
        messages.warning(request, inbound.message)
    else:
        messages.success(request, f"« {inbound.name} » est maintenant traité.")


class Confirm(CapabilityView):
    """Stand for a doubtful return: what it says is then done."""

    capability = Capability.DELIVERY_RETRY
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        inbound = get_object_or_404(Inbound, pk=pk)
        if done := self.attempt(actions.confirm, subject=inbound, inbound_id=pk):
            _say_outcome(request, done)
        return redirect("delivery:desk")


class Dismiss(CapabilityView):
    """Set a doubtful return aside for good."""

    capability = Capability.DELIVERY_RETRY
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        inbound = get_object_or_404(Inbound, pk=pk)
        if self.attempt(actions.dismiss, subject=inbound, inbound_id=pk):
            messages.success(request, f"« {inbound.name} » est écarté : rien n’a été fait.")
        return redirect("delivery:desk")
