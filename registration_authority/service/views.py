"""The stores of operators and the accounts to pair again, on the portal."""

from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from registration_authority import actions as counter
from registration_authority.screens import PageForm
from registration_authority.service import actions, forms
from registration_authority.service.models import Pairing, TrustStore
from registration_authority.views import PostView
from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability

NAMESPACE = "registration_authority"


class Stores(CapabilityView):
    """What each operator accepts."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        found = TrustStore.objects.select_related("operator", "brought_by")
        context = {
            "rows": found.order_by("operator__name"),
            "may_bring": self.can(Capability.RA_CHECK),
        }
        return render(request, f"{NAMESPACE}/service/stores.html", context)


class BringStore(PageForm):
    """Bring the store of an operator."""

    capability = Capability.RA_CHECK
    form_class = forms.StoreForm
    title = "Verser les autorités acceptées par un opérateur"
    button = "Vérifier et verser"
    back_label = "Autorités acceptées"
    back_to = f"{NAMESPACE}:stores"

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Check it and keep it."""
        operator = form.cleaned_data["operator"]
        kept = self.attempt_form(
            form,
            actions.bring_store,
            subject=operator,
            operator=operator,
            content=form.cleaned_data["store"].read(),
        )
        return kept and self.finish(f"{kept.count} autorités acceptées par {operator}.")


class TryPairing(CapabilityView):
    """Call the operator with the new certificate."""

    capability = Capability.RA_HAND_OVER
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Call."""
        pairing = get_object_or_404(Pairing.objects.select_related("certificate__file"), pk=pk)
        file = pairing.certificate.file
        if self.attempt(actions.try_pairing, subject=file, pairing_id=pk) is not None:
            messages.success(request, "Le compte fonctionne avec le nouveau certificat.")
        return redirect(f"{NAMESPACE}:file", pk=file.pk)


class RetireFormer(PostView):
    """Revoke the certificate the new one replaces."""

    capability = Capability.RA_HAND_OVER
    done = "L’ancien certificat est révoqué : le nouveau est seul en service."
    action = staticmethod(counter.retire_former)
