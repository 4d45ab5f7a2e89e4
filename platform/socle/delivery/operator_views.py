"""The operators: whether they answer, when they are closed, who goes through them."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView, note_refusal
from socle.accounts.capabilities import Capability
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.delivery import changes, queries, windows
from socle.delivery.forms import ChangeForm, WindowForm
from socle.delivery.models import TransmissionOperator, Window
from socle.directory.models import Organisation, Protocol, TransmissionRight
from socle.documents import antivirus

PER_PAGE = 25


class Operators(CapabilityView):
    """Each operator: answering or not, how many bodies, its unavailabilities."""

    capability = Capability.DELIVERY_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        coming = Window.objects.filter(ended_at=None, ends_at__gt=now).select_related("operator")
        past = Window.objects.exclude(pk__in=coming).select_related("operator", "declared_by")
        answers, version = antivirus.state()
        context = {
            "antivirus": {
                "none": settings.ANTIVIRUS is None,
                "answers": answers,
                "version": version,
            },
            "operators": queries.operators(at=now),
            "coming": [(one, one.starts_at <= now) for one in coming.order_by("starts_at", "pk")],
            "past": Paginator(past.order_by("-starts_at", "-pk"), PER_PAGE).get_page(
                request.GET.get("page")
            ),
            "may_manage": self.can(Capability.DELIVERY_MANAGE),
        }
        return render(request, "delivery/operators.html", context)


class DeclareWindow(CapabilityView):
    """Write down that an operator takes nothing for a time."""

    capability = Capability.DELIVERY_MANAGE

    def get(self, request: HttpRequest) -> HttpResponse:
        chosen = TransmissionOperator.objects.filter(code=request.GET.get("operateur", "")).first()
        return self.show(WindowForm(initial={"operator": chosen}))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = WindowForm(request.POST)
        if form.is_valid() and _attempted(self, form, windows.declare, **form.facts()):
            messages.success(request, "L’interruption est déclarée : les agents la voient.")
            return redirect("delivery:operators")
        return self.show(form)

    def show(self, form: WindowForm) -> HttpResponse:
        return render(self.request, "delivery/window.html", {"form": form})


class EndWindow(CapabilityView):
    """Lift an unavailability before its end."""

    capability = Capability.DELIVERY_MANAGE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        get_object_or_404(Window, pk=pk)
        if self.attempt(windows.end, window_id=pk):
            messages.success(request, "L’interruption est levée : ce qui attendait repart.")
        return redirect("delivery:operators")


class Route(CapabilityView):
    """Through whom one body transmits, and the change that is planned."""

    capability = Capability.DELIVERY_READ

    def get(self, request: HttpRequest, siren: str) -> HttpResponse:
        organisation = get_object_or_404(Organisation, siren=siren)
        today = legal_date(timezone.now())
        names = dict(TransmissionOperator.objects.values_list("code", "name"))
        rights = organisation.transmission_rights.order_by("protocol")
        context = {
            "organisation": organisation,
            "routes": [_route(right, names, today) for right in rights],
            "may_manage": self.can(Capability.DELIVERY_MANAGE),
        }
        return render(request, "delivery/route.html", context)


def _route(right: TransmissionRight, names: dict[str, str], today: Any) -> dict[str, Any]:
    code = right.operator_on(today)
    planned = right.next_operator if code != right.next_operator else ""
    return {
        "right": right,
        "operator": names.get(code, code),
        "next": names.get(planned, planned),
        "leaving": changes.leaving(right),
        "stuck": changes.stuck(right),
    }


class Change(CapabilityView):
    """Plan that a body changes operator."""

    capability = Capability.DELIVERY_MANAGE

    def get(self, request: HttpRequest, siren: str, protocol: str) -> HttpResponse:
        return self.show(self.form(None, siren, protocol))

    def post(self, request: HttpRequest, siren: str, protocol: str) -> HttpResponse:
        form = self.form(request.POST, siren, protocol)
        if form.is_valid() and _attempted(
            self,
            form,
            changes.plan,
            organisation=self.right.organisation,
            protocol=protocol,
            **form.cleaned_data,
        ):
            messages.success(
                request,
                "Le changement est prévu. Les envois d’avant gardent leur opérateur, et leurs "
                "réponses continuent d’être relevées.",
            )
            return redirect("delivery:route", siren=siren)
        return self.show(form)

    def form(self, data: Any, siren: str, protocol: str) -> ChangeForm:
        self.right = get_object_or_404(
            TransmissionRight.objects.select_related("organisation"),
            organisation__siren=siren,
            protocol=protocol,
        )
        self.present = self.right.operator_on(legal_date(timezone.now()))
        return ChangeForm(data, right=self.right, present=self.present)

    def show(self, form: ChangeForm) -> HttpResponse:
        operator = TransmissionOperator.objects.filter(code=self.present).first()
        context = {"form": form, "right": self.right, "operator": operator}
        return render(self.request, "delivery/change.html", context)


class GiveUpChange(CapabilityView):
    """Give up a planned change."""

    capability = Capability.DELIVERY_MANAGE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, siren: str, protocol: str) -> HttpResponse:
        organisation = get_object_or_404(Organisation, siren=siren)
        right = get_object_or_404(
            TransmissionRight, organisation=organisation, protocol=Protocol(protocol)
        )
        before = right.next_operator
        self.attempt(
            changes.give_up, subject=organisation, organisation=organisation, protocol=protocol
        )
        right.refresh_from_db()
        if before and not right.next_operator:
            messages.success(request, "Le changement est annulé : l’opérateur reste le même.")
        return redirect("delivery:route", siren=siren)


def _attempted(view: CapabilityView, form: Any, action: Any, **arguments: Any) -> Any:
    """Call an action; a refusal goes beside the field it is about."""
    try:
        return action(by=view.request.user, at=timezone.now(), **arguments)
    except Refusal as refusal:
        note_refusal(view.request, refusal, event=action.__name__)
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return None
