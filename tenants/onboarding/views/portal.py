"""The portal: who is blocked and by whom, one case, the syndicat's own actions."""

from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.core.clock import legal_date
from socle.web.formats import count as compte
from tenants.onboarding import forms, queries, screens
from tenants.onboarding.actions import cases, contract, convention, helios
from tenants.onboarding.models import CaseBatch, RowState
from tenants.onboarding.views import shared
from tenants.onboarding.views.shared import CaseForm, OnPortal, ReadOnPortal, Signature, Values

PER_PAGE = 25


class Cases(CapabilityView):
    """All cases: who is blocked, by whom, since when."""

    capability = Capability.ONBOARDING_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form = forms.CaseFilter(request.GET or None)
        chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
        today = legal_date(timezone.now())
        found = queries.cases(
            text=chosen.get("q", ""),
            state=chosen.get("state", ""),
            track=chosen.get("track", ""),
            owner=chosen.get("owner", ""),
            late_on=today if chosen.get("late") else None,
        )
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        owner = chosen.get("owner", "")
        context = {
            "form": form,
            "page": page,
            "rows": [screens.CaseRow.of(case, today, owner) for case in page],
            "chart": queries.by_state(),
            "may_manage": self.can(Capability.ONBOARDING_MANAGE),
        }
        return render(request, "onboarding/cases.html", context)


class Open(CapabilityView):
    """Open one case, or those of a whole EPCI."""

    capability = Capability.ONBOARDING_MANAGE

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, forms.OpenForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = forms.OpenForm(request.POST)
        if not form.is_valid():
            return self.show(request, form)
        body = form.cleaned_data["organisation"]
        case = self.attempt(cases.open_case, subject=body, organisation=body)
        if case is None:
            return self.show(request, form)
        messages.success(request, f"Le dossier de « {body} » est ouvert.")
        return redirect("onboarding:case", pk=case.pk)

    def show(self, request: HttpRequest, form: forms.OpenForm) -> HttpResponse:
        context = {"form": form, "bulk": forms.BulkForm(auto_id="bulk_%s")}
        return render(request, "onboarding/open.html", context)


class OpenAll(CapabilityView):
    """Ask for the cases of all members of an EPCI."""

    capability = Capability.ONBOARDING_MANAGE
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        bulk = forms.BulkForm(request.POST, auto_id="bulk_%s")
        if not bulk.is_valid():
            context = {"form": forms.OpenForm(), "bulk": bulk}
            return render(request, "onboarding/open.html", context)
        epci = bulk.cleaned_data["epci"]
        batch = self.attempt(cases.ask_for_cases, subject=epci, epci=epci)
        if batch is None:
            return redirect("onboarding:open")
        return redirect("onboarding:batch", pk=batch.pk)


class Batch(CapabilityView):
    """How far the cases of an EPCI are opened."""

    capability = Capability.ONBOARDING_MANAGE

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = get_object_or_404(CaseBatch.objects.select_related("epci", "asked_by"), pk=pk)
        done, total = queries.batch_progress(batch)
        rows = batch.rows.select_related("organisation")
        page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "batch": batch,
            "done": done,
            "total": total,
            "text": f"{compte(done, 'commune', 'communes')} sur {total}",
            "finished": done == total,
            "page": page,
            "tones": {RowState.TODO: "progress", RowState.OPENED: "success"},
        }
        return render(request, "onboarding/batch.html", context)


class Case(ReadOnPortal):
    """One case: what is ours to do, what waits for others, the four tracks."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        case = self.catch_up()
        mine, others = screens.tasks(case, self.space, legal_date(timezone.now()))
        context = {
            "case": case,
            "tone": screens.TONES[case.state],
            "mine": mine,
            "others": others,
            **screens.progress(case),
            "tracks": screens.tracks(case, self.space),
            "files": screens.files(case, self.space),
            "sheets": screens.sheet_links(case, self.space),
            "history": screens.history(case),
            "may_manage": self.can(Capability.ONBOARDING_MANAGE) and case.closed_at is None,
        }
        return render(request, "onboarding/case.html", context)


class PostOnly(OnPortal):
    """A button without field."""

    http_method_names = ("post",)
    action: Any
    done: str

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        case = self.load()
        action = type(self).action
        made = self.attempt(action, subject=case.organisation, case_id=case.pk, **self.extra())
        if made is not None:
            messages.success(request, self.done)
        return redirect(self.home)

    def extra(self) -> dict[str, Any]:
        """What the action takes besides the case."""
        return {}


class DrawUpContract(PostOnly):
    action = contract.draw_up
    done = "Le contrat est produit : il est dans la liste des documents."


class DrawUpHelios(PostOnly):
    action = helios.draw_up
    done = "Le formulaire d’adhésion au PES est produit : il est dans la liste des documents."


class Resume(PostOnly):
    action = convention.resume
    done = "La convention est rétablie : la transmission électronique reprend."


class OfStep(PostOnly):
    """A button about one step."""

    def extra(self) -> dict[str, Any]:
        return {"code": self.kwargs["code"]}


class Unblock(OfStep):
    action = cases.unblock
    done = "L’étape reprend."


class TakeUp(OfStep):
    action = cases.take_up
    done = "L’étape concerne de nouveau la collectivité."


class Propose(Values, OnPortal):
    form_class = forms.RouteForm
    action = contract.propose
    title = "Voie d’accès et tarif"
    done = "La proposition est enregistrée : la commune peut l’accepter."
    paper = "route"


class ChooseOperator(CaseForm, OnPortal):
    form_class = forms.OperatorForm
    action = cases.choose_operator
    title = "Opérateur de transmission"
    done = "L’opérateur est choisi."

    def initial(self) -> dict[str, Any]:
        return {"operator": self.case.operator}


class Countersign(Signature, OnPortal):
    action = contract.countersign
    title = "Signature de l’autre partie"
    lead = "L’exemplaire porte maintenant les deux signatures."

    def initial(self) -> dict[str, Any]:
        return {"on": self.today}


class Prepare(Values, OnPortal):
    form_class = forms.ConventionForm
    action = convention.prepare
    title = "Convention avec la préfecture"
    button = "Enregistrer et produire les documents"
    done = "La convention et sa lettre sont prêtes."
    paper = "convention"

    def initial(self) -> dict[str, Any]:
        if not hasattr(self.case, "deliberation"):
            return {}
        return forms.convention_initial(self.case, today=self.today)


class Send(CaseForm, OnPortal):
    form_class = forms.SendForm
    action = convention.send
    title = "Envoi à la préfecture"
    done = "L’envoi est noté : c’est à la préfecture de signer."

    def initial(self) -> dict[str, Any]:
        return {"on": self.today}


class TakeBack(CaseForm, OnPortal):
    form_class = forms.ReasonForm
    action = convention.take_back
    title = "Reprendre la convention"
    lead = "Les signatures recueillies sont annulées : la convention est à corriger et à resigner."
    done = "La convention est à corriger."


class Prefet(CaseForm, OnPortal):
    form_class = forms.PrefetForm
    action = convention.sign_by_prefet
    title = "Signature du préfet"
    done = "La signature du préfet est notée : déposez l’exemplaire signé pour ouvrir le droit."

    def initial(self) -> dict[str, Any]:
        one = getattr(self.case, "convention", None)
        if one is None:
            return {}
        signatory = f"{one.prefet_name}, {one.prefet_title.lower()}"
        return {"signatory": signatory, "starts_on": one.starts_on}


class Copy(CaseForm, OnPortal):
    form_class = forms.CopyForm
    action = convention.receive_copy
    title = "Exemplaire signé des deux parties"
    lead = "Son dépôt ouvre le droit de transmettre les actes."
    button = "Déposer"
    done = "La convention est complète : la commune pourra transmettre dès la date de début."


class Suspend(CaseForm, OnPortal):
    form_class = forms.SuspendForm
    action = convention.suspend
    title = "Suspension de la convention"
    lead = "Les actes repartent sur papier jusqu’à la reprise (article R2131-4 du CGCT)."
    button = "Suspendre"
    done = "La convention est suspendue."

    def initial(self) -> dict[str, Any]:
        return {"on": self.today}


class Renounce(CaseForm, OnPortal):
    form_class = forms.DayForm
    action = convention.renounce
    title = "Renonciation"
    lead = "La collectivité renonce à la transmission électronique de ses actes."
    button = "Enregistrer la renonciation"
    done = "La renonciation est enregistrée : imprimez la lettre depuis l’étape « Renonciation »."


class Agreement(CaseForm, OnPortal):
    form_class = forms.AgreementForm
    action = helios.record_agreement
    title = "Accord de la DGFiP"
    done = "L’accord de la DGFiP est noté."


class Receive(CaseForm, OnPortal):
    form_class = forms.ReceiveForm
    action = helios.receive
    title = "Réception par le comptable"
    lead = "Elle ouvre le droit de transmettre les flux comptables."
    done = "L’adhésion est complète : la commune pourra transmettre dès la date de début."

    def initial(self) -> dict[str, Any]:
        one = getattr(self.case, "helios", None)
        return {"starts_on": one.starts_on if one else None}


class AboutStep(CaseForm, OnPortal):
    """A form about one step."""

    def arguments(self, form: django_forms.BaseForm) -> dict[str, Any]:
        return {**super().arguments(form), "code": self.kwargs["code"]}


class Block(AboutStep):
    form_class = forms.BlockForm
    action = cases.block
    title = "Signaler un blocage"
    done = "Le blocage est visible dans la liste des raccordements."


class SetAside(AboutStep):
    form_class = forms.ReasonForm
    action = cases.set_aside
    title = "Étape sans objet"
    done = "L’étape est mise de côté."


class Close(CaseForm, OnPortal):
    form_class = forms.ReasonForm
    action = cases.close_case
    title = "Clore le dossier"
    lead = "Un dossier clos ne se rouvre pas ; les droits ouverts restent ouverts."
    button = "Clore"
    done = "Le dossier est clos."


class WriteDeliberation(shared.WriteDeliberation, OnPortal):
    pass


class SignDeliberation(shared.SignDeliberation, OnPortal):
    pass


class Transmission(shared.Transmission, OnPortal):
    pass


class AcceptTariff(shared.AcceptTariff, OnPortal):
    pass


class SignContract(shared.SignContract, OnPortal):
    pass


class SignConvention(shared.SignConvention, OnPortal):
    pass


class WriteHelios(shared.WriteHelios, OnPortal):
    pass


class SignHelios(shared.SignHelios, OnPortal):
    pass


class DateStep(shared.DateStep, OnPortal):
    pass


class Step(shared.Step, ReadOnPortal):
    pass


class File(shared.File, ReadOnPortal):
    pass


class Sheet(shared.Sheet, ReadOnPortal):
    pass
