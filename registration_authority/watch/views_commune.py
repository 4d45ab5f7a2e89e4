"""Why my certificate is refused; the other certificates the commune depends on."""

from typing import Any

from cryptography import x509
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from registration_authority.pki.bundle import leaf_of, read_bundle
from registration_authority.screens import AttemptView
from registration_authority.watch import actions, forms, queries, self_test
from registration_authority.watch.models import Source
from registration_authority.watch.screens import rows
from socle.accounts.access import CapabilityView, note_refusal
from socle.accounts.capabilities import Access, Capability
from socle.accounts.gateway import presented
from socle.core.refusals import Refusal


class SelfTest(CapabilityView):
    """Each check in words; nothing of it is kept."""

    capability = Access.LOGGED_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask for the certificate, or test the one the browser presents."""
        shown = presented(request)
        found = shown.certificate if shown and "presente" in request.GET else None
        return self.show(request, forms.SelfTestForm(), found, offered=shown is not None)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Test what was brought."""
        form = forms.SelfTestForm(request.POST, request.FILES)
        certificate = None
        if form.is_valid():
            try:
                certificate = leaf_of(read_bundle(form.content()))
            except Refusal as refusal:
                note_refusal(request, refusal, event="self_test")
                form.add_error("certificate", str(refusal))
        return self.show(request, form, certificate)

    def show(
        self,
        request: HttpRequest,
        form: forms.SelfTestForm,
        certificate: x509.Certificate | None,
        *,
        offered: bool = False,
    ) -> HttpResponse:
        """The page."""
        checks: list[self_test.Check] = []
        organisation: Any = request.tenant.organisation  # type: ignore[attr-defined]
        if certificate is not None and organisation is not None:
            checks = self_test.run(
                certificate,
                person=request.user,  # type: ignore[arg-type]
                siren=organisation.siren,
                at=timezone.now(),
            )
        context = {
            "form": form,
            "checks": checks,
            "worst": self_test.verdict(checks) if checks else "",
            "offered": offered,
            "may_own": self.can(Capability.CERTIFICATES_OWN),
        }
        return render(request, "registration_authority/watch/self_test.html", context)


class Watched(CapabilityView):
    """The other certificates of the commune, the first to end first."""

    capability = Capability.CERTIFICATES_OWN

    def get(self, request: HttpRequest) -> HttpResponse:
        """List them."""
        organisation_id = request.tenant.organisation_id  # type: ignore[attr-defined]
        found = queries.watched().filter(organisation_id=organisation_id)
        context = {"rows": rows(found, timezone.now())}
        return render(request, "registration_authority/watch/watched.html", context)


class Add(AttemptView):
    """Bring a certificate to watch."""

    capability = Capability.CERTIFICATES_OWN

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        return self.show(forms.AddForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep it."""
        form = forms.AddForm(request.POST, request.FILES)
        if form.is_valid():
            organisation: Any = request.tenant.organisation  # type: ignore[attr-defined]
            watched = self.attempt_form(
                form,
                actions.add,
                subject=organisation,
                organisation=organisation,
                source=Source.BROUGHT,
                label=form.cleaned_data["label"],
                content=form.cleaned_data["certificate"].read(),
            )
            if watched is not None:
                messages.success(request, "Ce certificat est suivi : vous serez prévenu à temps.")
                return redirect("certificates:watched")
        return self.show(form)

    def show(self, form: forms.AddForm) -> HttpResponse:
        """The page."""
        context = {
            "title": "Faire suivre un certificat",
            "lead": "Seulement le certificat, jamais le fichier protégé par un mot de passe.",
            "button": "Vérifier et suivre",
            "form": form,
            "back_label": "Autres certificats suivis",
            "back_url": reverse("certificates:watched"),
        }
        return render(self.request, "registration_authority/form.html", context)
