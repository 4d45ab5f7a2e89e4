"""The flows of the commune as her agents see them."""

from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from socle.accounts.access import CapabilityView, note_refusal
from socle.accounts.capabilities import Capability
from socle.core.refusals import Refusal
from socle.delivery import banners
from socle.delivery.models import Outbound
from socle.directory.models import Protocol
from socle.documents.responses import download
from socle.helios import actions, ground, policies, queries
from socle.helios import page as words
from socle.helios.forms import BudgetForm, DepositForm, FlowFilters, TransmitForm
from socle.helios.models import Budget, FlowState, PesAcquit, PesFlow, PesRetour
from socle.helios.protocol.deposit import Level
from socle.web.items import Link

PER_PAGE: Final = 25
ANOMALIES_SHOWN: Final = 100
_ANSWERED_BADLY: Final = policies.TO_CORRECT - {FlowState.FAILED}


def tabs(current: str) -> list[Link]:
    """The three things there are to see."""
    return [
        Link(label=label, url=reverse(f"helios:{name}"), current=name == current)
        for name, label in (
            ("list", "Flux envoyés"),
            ("retours", "Retours de la trésorerie"),
            ("budgets", "Budgets"),
        )
    ]


class Flows(CapabilityView):
    """All flows, newest first."""

    capability = Capability.FLOWS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form = FlowFilters(request.GET or None)
        wanted = form.cleaned_data if form.is_valid() else {}
        found = queries.search(
            state=wanted.get("state", ""),
            budget=wanted.get("budget"),
            text=wanted.get("q", ""),
            at=timezone.now(),
        )
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "form": form,
            "page": page,
            "rows": [(flow, words.tone(flow)) for flow in page],
            "tabs": tabs("list"),
            "filtered": bool(request.GET.keys() - {"page"}),
            "may_prepare": self.can(Capability.FLOWS_PREPARE),
        }
        return render(request, "helios/list.html", context)


def leaves_later(outbound: Outbound | None) -> banners.Leaving | None:
    """When a flow leaves that its operator does not take now."""
    if outbound is None:
        return None
    code = outbound.operator.code
    return banners.leaves_later(
        "Le flux", operator=code, protocol=Protocol.HELIOS, at=timezone.now()
    )


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one deposited file."""

    name: str
    flow: PesFlow | None = None
    refusal: Refusal | None = None


class Deposit(CapabilityView):
    """Deposit one or several PES; each succeeds or fails alone."""

    capability = Capability.FLOWS_PREPARE

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, DepositForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = DepositForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(request, form)
        results = [self.deposit(file) for file in form.cleaned_data["files"]]
        if len(results) > 1:
            return render(request, "helios/deposited.html", {"results": results})
        alone = results[0]
        if alone.flow is not None:
            return redirect(alone.flow)
        form.add_error("files", str(alone.refusal))
        return self.show(request, form)

    def deposit(self, file: UploadedFile) -> Result:
        name = file.name or ""
        try:
            flow = actions.deposit(file=file, by=self.request.user, at=timezone.now())
        except Refusal as refusal:
            note_refusal(self.request, refusal, event="deposit")
            return Result(name, refusal=refusal)
        return Result(name, flow=flow)

    def show(self, request: HttpRequest, form: DepositForm) -> HttpResponse:
        barrier = ground.barrier(by=request.user, at=timezone.now())
        return render(request, "helios/deposit.html", {"form": form, "barrier": barrier})


class Flow(CapabilityView):
    """One flow in clear, and its next step."""

    capability = Capability.FLOWS_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        flow = get_object_or_404(PesFlow.objects.select_related("budget", "stored"), pk=pk)
        outbound = queries.outbound_of(flow) if flow.state == FlowState.SENDING else None
        bordereaux = Paginator(flow.bordereaux.all(), PER_PAGE).get_page(request.GET.get("page"))
        attachments = Paginator(flow.attachments.all(), PER_PAGE).get_page(request.GET.get("pj"))
        context = {
            "flow": flow,
            "tone": words.tone(flow),
            "exercices": queries.exercices(flow),
            "totals": flow.domain_totals,
            "findings": words.findings(flow),
            "signature": words.SIGNATURES[flow.signed],
            "bordereaux": bordereaux,
            "rows": words.bordereaux(bordereaux),
            "attachments": attachments,
            "acquits": self.acquits(flow),
            "timeline": words.timeline(flow),
            "outbound": outbound,
            "leaves": leaves_later(outbound),
            **self.offers(flow),
        }
        return render(request, "helios/flow.html", context)

    def acquits(self, flow: PesFlow) -> list[tuple[PesAcquit, list[queries.Anomaly], int]]:
        found = [(acquit, queries.anomalies(acquit)) for acquit in queries.acquits(flow)]
        return [
            (acquit, lines[:ANOMALIES_SHOWN], max(0, len(lines) - ANOMALIES_SHOWN))
            for acquit, lines in found
        ]

    def offers(self, flow: PesFlow) -> dict[str, bool]:
        """What the person may do next, given the state."""
        prepare = self.can(Capability.FLOWS_PREPARE)
        after = policies.TRANSITIONS[FlowState(flow.state)]
        return {
            "may_transmit": flow.state == FlowState.READY and self.can(Capability.FLOWS_TRANSMIT),
            "may_withdraw": FlowState.WITHDRAWN in after and prepare,
            "may_add_budget": flow.state == FlowState.DEPOSITED and prepare,
            "may_settle": prepare and flow.state in _ANSWERED_BADLY and flow.settled_at is None,
            "before_sending": flow.state in (FlowState.DEPOSITED, FlowState.READY),
            "may_prepare": prepare,
        }


class Transmit(CapabilityView):
    """Confirm, then hand the flow to the corridor."""

    capability = Capability.FLOWS_TRANSMIT

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show(request, get_object_or_404(PesFlow, pk=pk), TransmitForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        flow = get_object_or_404(PesFlow, pk=pk)
        form = TransmitForm(request.POST)
        confirmed = form.is_valid() and form.cleaned_data["confirmed"]
        if self.attempt(actions.transmit, subject=flow, flow_id=pk, confirmed=confirmed):
            messages.success(
                request, f"Le flux {flow.nom_fic} part à la trésorerie : l’acquit suivra ici même."
            )
            return redirect(flow)
        return self.show(request, flow, form)

    def show(self, request: HttpRequest, flow: PesFlow, form: TransmitForm) -> HttpResponse:
        if flow.state != FlowState.READY:
            return redirect(flow)
        context = {
            "flow": flow,
            "form": form,
            "totals": flow.domain_totals,
            "findings": words.findings(flow),
            "must_confirm": any(one.level is Level.CONFIRM for one in flow.found),
        }
        return render(request, "helios/transmit.html", context)


class Withdraw(CapabilityView):
    """Give up a flow that has not left."""

    capability = Capability.FLOWS_PREPARE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        flow = get_object_or_404(PesFlow, pk=pk)
        if self.attempt(actions.withdraw, subject=flow, flow_id=pk):
            messages.success(request, f"Le flux {flow.nom_fic} est retiré : il ne partira pas.")
        return redirect(flow)


class Settle(CapabilityView):
    """Say that what was refused has been put right."""

    capability = Capability.FLOWS_PREPARE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        flow = get_object_or_404(PesFlow, pk=pk)
        if self.attempt(actions.settle, subject=flow, flow_id=pk):
            messages.success(request, f"Le flux {flow.nom_fic} n’est plus à corriger.")
        return redirect(flow)


class Download(CapabilityView):
    """The PES, byte for byte."""

    capability = Capability.FLOWS_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        return download(get_object_or_404(PesFlow.objects.select_related("stored"), pk=pk).stored)


class DownloadAcquit(CapabilityView):
    """An acquit, byte for byte."""

    capability = Capability.FLOWS_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        return download(get_object_or_404(PesAcquit.objects.select_related("stored"), pk=pk).stored)


class Retours(CapabilityView):
    """What the trésorerie sent by itself, to be imported in the finance software."""

    capability = Capability.FLOWS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        page = Paginator(queries.retours(), PER_PAGE).get_page(request.GET.get("page"))
        return render(request, "helios/retours.html", {"page": page, "tabs": tabs("retours")})


class DownloadRetour(CapabilityView):
    """A PES retour, byte for byte."""

    capability = Capability.FLOWS_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        return download(get_object_or_404(PesRetour.objects.select_related("stored"), pk=pk).stored)


class Budgets(CapabilityView):
    """The HELIOS sheet: the budgets of the commune."""

    capability = Capability.FLOWS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {
            "page": Paginator(queries.budgets(), PER_PAGE).get_page(request.GET.get("page")),
            "tabs": tabs("budgets"),
            "may_prepare": self.can(Capability.FLOWS_PREPARE),
        }
        return render(request, "helios/budgets.html", context)


class AddBudget(CapabilityView):
    """Write down a budget."""

    capability = Capability.FLOWS_PREPARE

    def get(self, request: HttpRequest) -> HttpResponse:
        known = {name: request.GET.get(name, "") for name in BudgetForm.Meta.fields}
        return self.show(request, BudgetForm(initial=known))

    def post(self, request: HttpRequest) -> HttpResponse:
        return self.save(request, BudgetForm(request.POST))

    def save(
        self, request: HttpRequest, form: BudgetForm, budget: Budget | None = None
    ) -> HttpResponse:
        if not form.is_valid():
            return self.show(request, form, budget)
        try:
            saved = actions.record_budget(
                **form.cleaned_data,
                budget_id=budget.pk if budget else None,
                by=request.user,
                at=timezone.now(),
            )
        except Refusal as refusal:
            note_refusal(request, refusal, event="record_budget", subject=budget)
            form.add_error(refusal.field or None, str(refusal))
            return self.show(request, form, budget)
        messages.success(request, f"Le budget « {saved} » est enregistré.")
        return redirect("helios:budgets")

    def show(
        self, request: HttpRequest, form: BudgetForm, budget: Budget | None = None
    ) -> HttpResponse:
        title = f"Modifier « {budget} »" if budget else "Ajouter un budget"
        return render(request, "helios/budget.html", {"form": form, "title": title})


class EditBudget(AddBudget):
    """Correct a budget."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        budget = get_object_or_404(Budget, pk=pk)
        return self.show(request, BudgetForm(instance=budget), budget)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        budget = get_object_or_404(Budget, pk=pk)
        return self.save(request, BudgetForm(request.POST, instance=budget), budget)
