"""Conventions, operators and denials, on the portal."""

from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from registration_authority import files
from registration_authority.accreditation import actions, forms, policies, queries
from registration_authority.accreditation.models import Convention, Denial, Operator, Power
from registration_authority.screens import PageForm
from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.core.clock import legal_date
from socle.web.items import Tone

PER_PAGE = 50
HOME = "registration_authority:accreditations"


class Accreditations(CapabilityView):
    """Who may act for which authority."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        today = legal_date(timezone.now())
        page = Paginator(queries.operators(), PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "conventions": [
                (one, policies.is_in_force(one, on=today)) for one in queries.conventions()
            ],
            "page": page,
            "rows": [(one, *standing(one, today), _powers(one)) for one in page],
            "denials": [(one, Power(one.power).label) for one in queries.denials()],
            "may_manage": self.can(Capability.PEOPLE_MANAGE),
        }
        return render(request, "registration_authority/accreditation/list.html", context)


def standing(operator: Operator, today: Any) -> tuple[str, Tone]:
    """What an accreditation is worth today, in words."""
    if operator.removed_at is not None:
        return f"Retirée le {legal_date(operator.removed_at):%d/%m/%Y}", "neutral"
    problem = policies.problem(operator, on=today)
    if problem:
        return problem.capitalize(), "danger"
    return f"Valable, formation jusqu’au {policies.trained_until(operator):%d/%m/%Y}", "success"


def _powers(operator: Operator) -> str:
    return ", ".join(Power(power).label for power in operator.powers)


class ConventionDocument(CapabilityView):
    """The signed convention."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Give it."""
        return files.give(get_object_or_404(Convention, pk=pk).document)


class Managed(PageForm):
    """A form of the administrator."""

    capability = Capability.PEOPLE_MANAGE
    back_label = "Accréditations"
    back_to = HOME


class RecordConvention(Managed):
    """Keep a signed convention."""

    form_class = forms.ConventionForm
    title = "Enregistrer une convention"

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Keep it."""
        given = dict(form.cleaned_data)
        upload = given.pop("document")
        kept = self.attempt_form(
            form,
            actions.record_convention,
            subject=given["authority"],
            content=upload.file,
            name=upload.name,
            **given,
        )
        return kept and self.finish(f"La convention {kept.reference} est enregistrée.")


class NameOperator(Managed):
    """Put a person on a convention."""

    form_class = forms.OperatorForm
    title = "Accréditer un opérateur"
    button = "Accréditer"

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Name her."""
        named = self.attempt_form(
            form,
            actions.name_operator,
            subject=form.cleaned_data["convention"],
            **form.cleaned_data,
        )
        return named and self.finish(f"{named.person} est accrédité(e).")


class RemoveOperator(Managed):
    """Take every power of a convention away."""

    form_class = forms.RemovalForm
    title = "Retirer l’accréditation"
    lead = "L’effet est immédiat, même pour une personne connectée."
    button = "Retirer maintenant"

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Remove her."""
        operator = get_object_or_404(Operator, pk=address["pk"])
        removed = self.attempt_form(
            form,
            actions.remove_operator,
            subject=operator,
            operator_id=operator.pk,
            reason=form.cleaned_data["reason"],
        )
        return removed and self.finish(f"{removed.person} ne peut plus agir pour cette autorité.")


class Deny(Managed):
    """Forbid a power to a person."""

    form_class = forms.DenialForm
    title = "Interdire un pouvoir"
    lead = "Une interdiction l’emporte sur toute accréditation."
    button = "Interdire"

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Forbid it."""
        given = dict(form.cleaned_data)
        denial = self.attempt_form(
            form,
            actions.deny,
            subject=given["person"],
            power=Power(given.pop("power")),
            **given,
        )
        return denial and self.finish("L’interdiction est en vigueur.")


class LiftDenial(CapabilityView):
    """Give back what was forbidden."""

    capability = Capability.PEOPLE_MANAGE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Lift it."""
        denial = get_object_or_404(Denial, pk=pk)
        if self.attempt(actions.lift_denial, subject=denial, denial_id=pk) is not None:
            messages.success(request, "L’interdiction est levée.")
        return redirect(HOME)
