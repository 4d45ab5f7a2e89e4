"""Pages about one case, the same on the portal and in the commune's space."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms as django_forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django_tenants.utils import get_public_schema_name, schema_context

from socle.accounts.access import CapabilityView, note_refusal
from socle.accounts.capabilities import Capability
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.directory import queries as directory
from socle.documents import render as documents
from socle.documents.models import StoredFile
from socle.documents.responses import download
from socle.web import formats
from tenants.onboarding import facts, forms, guards, queries, screens
from tenants.onboarding.actions import cases, contract, convention, deliberation, helios
from tenants.onboarding.models import OnboardingCase, StepRecord
from tenants.onboarding.papers import sheets
from tenants.onboarding.steps import BY_CODE


class CaseView(CapabilityView):
    """A page about one case; `find` says which, `portal` in which house."""

    portal: ClassVar[bool]
    case: OnboardingCase
    space: screens.Space

    def find(self) -> OnboardingCase | None:
        """The case of the address."""
        raise NotImplementedError

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Serve with `kwargs` at hand; the case is found after the capability was checked."""
        self.kwargs = kwargs
        return super().dispatch(request, *args, **kwargs)

    def load(self) -> OnboardingCase:
        """The case, or 404."""
        found = self.find()
        if found is None:
            raise Http404
        self.case, self.space = found, screens.Space(self.portal, found.pk)
        return found

    def catch_up(self) -> OnboardingCase:
        """The case, once brought in line with what happened in the other rooms; or 404."""
        if self.load().closed_at is None:
            cases.refresh(case_id=self.case.pk, by=cases.CLOCK, at=timezone.now())
        return self.load()

    @property
    def home(self) -> str:
        """The page of the case."""
        return self.space.url("case") if self.portal else self.space.url("home")


class OnPortal(CaseView):
    """The syndicat's side."""

    capability = Capability.ONBOARDING_MANAGE
    portal = True

    def find(self) -> OnboardingCase | None:
        get_object_or_404(OnboardingCase, pk=self.kwargs["pk"])
        return queries.case(self.kwargs["pk"])


class ReadOnPortal(OnPortal):
    """What an auditor reads too."""

    capability = Capability.ONBOARDING_READ


class InCommune(CaseView):
    """The commune's side: its own case, and no other."""

    capability = Capability.ONBOARDING_OWN
    portal = False

    def find(self) -> OnboardingCase | None:
        return queries.case_of(self.request.tenant.organisation)  # type: ignore[attr-defined]


class CaseForm(CaseView):
    """A form that feeds one action; a refusal becomes its error, and stands in the journal."""

    form_class: ClassVar[type[django_forms.BaseForm]]
    action: ClassVar[Callable[..., Any]]
    title: ClassVar[str]
    lead: ClassVar[str] = ""
    button: ClassVar[str] = "Enregistrer"
    done: ClassVar[str] = "C’est enregistré."
    paper: ClassVar[str] = ""
    """The paper a ModelForm starts from, when it exists."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        self.load()
        return self.show(self.form())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        self.load()
        form = self.form(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(form)
        try:
            type(self).action(
                case_id=self.case.pk,
                by=request.user,
                at=timezone.now(),
                **self.arguments(form),
            )
        except Refusal as refusal:
            subject = self.case.organisation
            note_refusal(request, refusal, event=type(self).action.__name__, subject=subject)
            form.add_error(_field(form, refusal), str(refusal))
            return self.show(form)
        messages.success(request, self.done)
        return redirect(self.home)

    def form(self, *data: Any) -> django_forms.BaseForm:
        """The form, bound to `data` or filled with what is known."""
        options: dict[str, Any] = {"initial": self.initial()}
        instance = getattr(self.case, self.paper, None) if self.paper else None
        if instance is not None:
            options = {"instance": instance}
        return self.form_class(*data, **options)

    def initial(self) -> dict[str, Any]:
        """What the directory already knows."""
        return {}

    def arguments(self, form: django_forms.BaseForm) -> dict[str, Any]:
        """What the action takes besides the case, the person and the time."""
        data = dict(form.cleaned_data)  # type: ignore[attr-defined]
        for field in ("copy", "proof"):
            if field in data:
                data["name"] = data[field].name
        return data

    def show(self, form: django_forms.BaseForm) -> HttpResponse:
        """The page, with the documents of the paper at hand."""
        context = {
            "case": self.case,
            "form": form,
            "title": self.title,
            "lead": self.lead,
            "button": self.button,
            "home": self.home,
            "portal": self.portal,
            "office": directory.prefecture_of(self.case.organisation),
        }
        return render(self.request, "onboarding/form.html", context)

    @property
    def today(self) -> Any:
        """Today in Paris."""
        return legal_date(timezone.now())


def _field(form: django_forms.BaseForm, refusal: Refusal) -> str | None:
    """The field at fault; what is said of a file goes to the file's field."""
    if refusal.field in form.fields:
        return refusal.field
    about_file = refusal.code.startswith("documents.")
    return next((name for name in ("copy", "proof") if about_file and name in form.fields), None)


class Values(CaseForm):
    """A form whose fields are the `values` of the paper."""

    def arguments(self, form: django_forms.BaseForm) -> dict[str, Any]:
        return {"values": form.cleaned_data}  # type: ignore[attr-defined]


class WriteDeliberation(Values):
    form_class = forms.DeliberationForm
    action = deliberation.write
    title = "Délibération"
    lead = "Avant la séance, laissez le numéro et les votes vides : le document sert de projet."
    button = "Enregistrer et produire le document"
    done = "La délibération est prête : imprimez-la depuis la liste des documents."
    paper = "deliberation"

    def initial(self) -> dict[str, Any]:
        return forms.deliberation_initial(self.case)


class SignDeliberation(CaseForm):
    form_class = forms.CopyForm
    action = deliberation.sign
    title = "Délibération signée"
    button = "Déposer"
    done = "La délibération signée est déposée."


class Transmission(CaseForm):
    form_class = forms.TransmissionForm
    action = deliberation.record_transmission
    title = "Transmission de la délibération"
    lead = "Avant la première convention, la délibération part à la préfecture sur papier."
    done = "La preuve de transmission est déposée."


class AcceptTariff(CaseForm):
    form_class = forms.AcceptForm
    action = contract.accept_tariff
    title = "Accord sur le tarif"
    button = "Accepter"
    done = "Le tarif est accepté."

    def initial(self) -> dict[str, Any]:
        return {"on": self.today, "name": forms.signatory_initial(self.case).get("signatory")}

    @property
    def lead(self) -> str:  # type: ignore[override]
        """The price one accepts."""
        route = getattr(self.case, "route", None)
        if route is None:
            return ""
        price = formats.euros(route.amount)
        return f"{route.get_kind_display()} : {route.tariff}, {price} HT par an."


class Signature(CaseForm):
    """A signed copy with its date and its signatory."""

    form_class = forms.SignatureForm
    button = "Déposer"
    done = "L’exemplaire signé est déposé."

    def initial(self) -> dict[str, Any]:
        return forms.signatory_initial(self.case)


class SignContract(Signature):
    action = contract.sign_by_commune
    title = "Contrat signé par la collectivité"


class SignConvention(Signature):
    action = convention.sign_by_collectivite
    title = "Convention signée par la collectivité"
    lead = "Deux exemplaires originaux sont signés ; numérisez-en un."


class WriteHelios(Values):
    form_class = forms.HeliosForm
    action = helios.write_sheet
    title = "Fiche HELIOS"
    lead = "Ces codes figurent sur les documents de la trésorerie et dans l’en-tête des flux PES."
    done = "La fiche HELIOS est enregistrée."
    paper = "helios"

    def initial(self) -> dict[str, Any]:
        return forms.helios_initial(self.case, today=self.today)


class SignHelios(Signature):
    action = helios.sign
    title = "Formulaire d’adhésion au PES signé"


class DateStep(CaseForm):
    form_class = forms.DatedForm
    action = cases.date_step
    done = "L’étape est datée."

    @property
    def title(self) -> str:  # type: ignore[override]
        """The name of the step."""
        return self.step.label

    @property
    def step(self) -> Any:
        """The step of the address; 404 for another code."""
        code = self.kwargs["code"]
        if code not in BY_CODE:
            raise Http404
        return BY_CODE[code]

    def initial(self) -> dict[str, Any]:
        return {"on": self.today}

    def arguments(self, form: django_forms.BaseForm) -> dict[str, Any]:
        return {**super().arguments(form), "code": self.step.code}


class Step(CaseView):
    """One step: what it lacks, its documents, what can be done."""

    def get(self, request: HttpRequest, code: str, **kwargs: Any) -> HttpResponse:
        case = self.load()
        if code not in BY_CODE:
            raise Http404
        record = next(one for one in case.steps.all() if one.code == code)
        found = facts.collect(case, timezone.now())
        waiting = guards.waits_for(code, found)
        may_act = self.portal is False or self.can(Capability.ONBOARDING_MANAGE)
        context = {
            "case": case,
            "record": record,
            "step": BY_CODE[code],
            "waiting": waiting,
            "missing": guards.missing(code, found) if guards.applies(code, found) else [],
            "actions": self.actions(record) if may_act and not waiting else [],
            "files": screens.files(case, self.space, code=code),
            "sheets": screens.sheet_links(case, self.space, code=code),
            "home": self.home,
            "portal": self.portal,
            "may_manage": self.portal and may_act and case.closed_at is None,
        }
        return render(request, "onboarding/step.html", context)

    def actions(self, record: StepRecord) -> list[screens.Action]:
        """The buttons of a step that is open to work."""
        if self.case.closed_at is not None:
            return []
        return screens.step_actions(self.case, record.code, self.space)


class File(CaseView):
    """Download one file of the case."""

    def get(self, request: HttpRequest, paper: str, kind: str, **kwargs: Any) -> HttpResponseBase:
        case = self.load()
        if (paper, kind) not in screens.KINDS:
            raise Http404
        pk = getattr(getattr(case, paper, None), kind, None)
        with schema_context(get_public_schema_name()):
            return download(get_object_or_404(StoredFile, pk=pk))


class Sheet(CaseView):
    """Print one working sheet."""

    def get(self, request: HttpRequest, code: str, **kwargs: Any) -> HttpResponse:
        case = self.load()
        if code not in sheets.TITLES or not screens.can_print(case, code):
            raise Http404
        at = timezone.now()
        document = sheets.build(
            code,
            case,
            syndicat=directory.syndicat(),
            people=facts.transmitters(case.organisation, legal_date(at)),
            at=at,
        )
        name = f"{sheets.TITLES[code]} {case.organisation.name}.pdf"
        response = HttpResponse(documents.to_pdf(document), content_type="application/pdf")
        response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
        return response
