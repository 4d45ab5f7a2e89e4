"""In the commune's space: what the legal representative and the holder do by themselves."""

from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from registration_authority import queries as counter_queries
from registration_authority.models import Certificate, CertificateFile, RevocationReason
from registration_authority.progress import certificate_badge
from registration_authority.revocation import actions, forms, queries
from registration_authority.revocation.views import show_code
from registration_authority.screens import FileFormView, issued_or_404
from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability


def _here(request: HttpRequest) -> Any:
    organisation_id = request.tenant.organisation_id  # type: ignore[attr-defined]
    return queries.in_force(timezone.now()).filter(file__organisation_id=organisation_id)


class OfTheBody(CapabilityView):
    """Every certificate in force of the body, for its legal representative."""

    capability = Capability.CERTIFICATES_REVOKE

    def get(self, request: HttpRequest) -> HttpResponse:
        """List them."""
        now = timezone.now()
        rows = [(one, *certificate_badge(one, at=now)) for one in _here(request)]
        return render(request, "registration_authority/revocation/body.html", {"rows": rows})


class RevokeOfTheBody(FileFormView):
    """End the certificate of somebody of the body; anybody else's does not exist here."""

    capability = Capability.CERTIFICATES_REVOKE
    form_class = forms.RepresentativeForm
    template_name = "registration_authority/confirm.html"
    title = "Révoquer ce certificat ?"
    lead = "La personne ne pourra plus s’en servir dès maintenant, et pour toujours."
    button = "Révoquer définitivement"

    def file(self, **address: Any) -> CertificateFile:
        """The file of a certificate in force of this body, or 404."""
        self.certificate: Certificate = get_object_or_404(_here(self.request), pk=address["pk"])
        return self.certificate.file

    def back(self, file: CertificateFile) -> tuple[str, str]:
        """The list."""
        return "Certificats de la commune", reverse("certificates:body")

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Revoke."""
        asked = self.attempt_form(
            form,
            actions.ask_as_representative,
            subject=file,
            certificate_id=self.certificate.pk,
            reason=RevocationReason(form.cleaned_data["reason"]),
        )
        if asked is None:
            return None
        messages.success(self.request, f"Le certificat de {file.holder} est révoqué.")
        return redirect("certificates:body")


class OwnCode(FileFormView):
    """Another revocation code for my certificate."""

    capability = Capability.CERTIFICATES_OWN
    form_class = django_forms.Form
    template_name = "registration_authority/confirm.html"
    title = "Un nouveau code de révocation"
    lead = "L’ancien code ne vaudra plus rien. Le nouveau ne s’affiche qu’une fois : imprimez-le."
    button = "Créer le code"

    def file(self, **address: Any) -> CertificateFile:
        """My file, if its certificate exists."""
        organisation_id = self.request.tenant.organisation_id  # type: ignore[attr-defined]
        own = counter_queries.own_files(self.request.user, organisation_id)  # type: ignore[arg-type]
        file = get_object_or_404(own, pk=address["pk"])
        self.certificate = issued_or_404(file)
        return file

    def back(self, file: CertificateFile) -> tuple[str, str]:
        """My certificate."""
        return "Mon certificat", reverse("certificates:mine")

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Show it once."""
        code = self.attempt_form(
            form, actions.give_own_code, subject=file, certificate_id=self.certificate.pk
        )
        return code and show_code(self.request, code, file, self.back(file)[1])
