"""The rules on the portal, and the bodies one certificate serves."""

from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from registration_authority import queries as counter_queries
from registration_authority.dossier.profiles import profile_of
from registration_authority.figures.models import OfferCost
from registration_authority.models import CertificateFile, Offer
from registration_authority.rules import actions, forms
from registration_authority.screens import AttemptView, FileFormView, issued_or_404
from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.accounts.models import StepUpRule
from socle.directory.models import Organisation

SPACE = "registration_authority"


def cost_of(offer: Offer) -> OfferCost:
    """The prices of an offer, or empty ones."""
    return getattr(offer, "cost", None) or OfferCost(offer=offer)


KINDS: dict[str, tuple[str, Any, Any]] = {
    "prix": ("Prix", cost_of, forms.OfferCostForm),
}


def _kind(kind: str) -> tuple[str, Any, Any]:
    """One kind of rules, or 404."""
    if kind not in KINDS:
        raise Http404(kind)
    return KINDS[kind]


class Rules(CapabilityView):
    """What each offer and each commune asks."""

    capability = Capability.RA_RULES

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        offers = Offer.objects.select_related("authority", "profile")
        asked = {one.siren: one for one in StepUpRule.objects.order_by("siren")}
        bodies = Organisation.objects.filter(siren__in=asked).order_by("sort_key")
        context = {
            "offers": [(one, profile_of(one)) for one in offers],
            "asked": [(body, asked[body.siren]) for body in bodies],
        }
        return render(request, f"{SPACE}/rules/rules.html", context)


class RulesForm(AttemptView):
    """A form about the rules."""

    capability = Capability.RA_RULES

    def show(self, form: django_forms.BaseForm, title: str, lead: str = "") -> HttpResponse:
        """The page."""
        context = {
            "title": title,
            "lead": lead,
            "button": "Enregistrer",
            "form": form,
            "back_label": "Règles",
            "back_url": reverse(f"{SPACE}:rules"),
        }
        return render(self.request, f"{SPACE}/form.html", context)

    def finish(self, sentence: str) -> HttpResponse:
        """Say so and come back."""
        messages.success(self.request, sentence)
        return redirect(f"{SPACE}:rules")


class OfferRules(RulesForm):
    """The rules of one offer, of one kind."""

    def get(self, request: HttpRequest, code: str, kind: str) -> HttpResponse:
        """Ask."""
        offer = get_object_or_404(Offer, code=code)
        title, rules_of, form_class = _kind(kind)
        return self.show(form_class(instance=rules_of(offer)), f"{title} : {offer}")

    def post(self, request: HttpRequest, code: str, kind: str) -> HttpResponse:
        """Keep."""
        offer = get_object_or_404(Offer, code=code)
        title, rules_of, form_class = _kind(kind)
        form = form_class(request.POST, instance=rules_of(offer))
        if form.is_valid() and self.attempt(
            actions.set_rules, subject=offer, offer=offer, rules=form.save(commit=False)
        ):
            return self.finish(f"Les règles de « {offer} » sont enregistrées.")
        return self.show(form, f"{title} : {offer}")


class StepUp(RulesForm):
    """What a commune asks before it transmits."""

    title = "Confirmation avant de transmettre"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        initial = {"siren": request.GET.get("siren", ""), "minutes": 30}
        return self.show(forms.StepUpForm(initial=initial), self.title)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep."""
        form = forms.StepUpForm(request.POST)
        if form.is_valid() and self.attempt_form(
            form, actions.set_step_up, subject=("rules", "step_up"), **form.cleaned_data
        ):
            return self.finish("C’est enregistré : la commune le verra en transmettant.")
        return self.show(form, self.title)


class Bodies(FileFormView):
    """The other bodies one certificate serves."""

    capability = Capability.RA_HAND_OVER
    form_class = forms.BodyForm
    title = "Se servir de ce certificat pour un autre organisme"
    button = "Enregistrer l’accord"

    def file(self, **address: Any) -> CertificateFile:
        """The file, if its certificate exists."""
        file = get_object_or_404(counter_queries.files_in_full(), pk=address["pk"])
        self.certificate = issued_or_404(file)
        return file

    def back(self, file: CertificateFile) -> tuple[str, str]:
        """The page of the file."""
        return str(file), reverse(f"{SPACE}:file", args=[file.pk])

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Keep the agreement."""
        agreed = self.attempt_form(
            form,
            actions.agree_body,
            subject=file,
            certificate_id=self.certificate.pk,
            siren=form.cleaned_data["siren"],
        )
        if agreed is None:
            return None
        messages.success(self.request, f"Le certificat sert aussi pour le SIREN {agreed.siren}.")
        return redirect(f"{SPACE}:file", pk=file.pk)
