"""« Mon certificat », in the commune's space: what the holder sees and does herself."""

from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from registration_authority import actions, forms, progress, queries
from registration_authority.dossier import queries as file_queries
from registration_authority.dossier.profiles import profile_of
from registration_authority.models import (
    Certificate,
    CertificateFile,
    CertificateState,
    FileState,
    RequestState,
    RevocationReason,
)
from registration_authority.revocation import actions as revocation
from registration_authority.screens import (
    FileFormView,
    PieceFormView,
    issued_or_404,
    pem_response,
    piece_lines,
)
from registration_authority.slots import actions as slot_actions
from registration_authority.slots import queries as slots
from registration_authority.slots.actions import BOOKABLE
from registration_authority.slots.forms import BookForm, told
from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.core.clock import legal_date
from socle.web.items import Tone

SENTENCES = {
    FileState.DRAFT: "Déposez les pièces ci-dessous, puis envoyez votre dossier.",
    FileState.SUBMITTED: "Votre syndicat vérifie vos pièces.",
    FileState.PIECES_CHECKED: (
        "Vos pièces sont acceptées : prenez rendez-vous avec votre syndicat et venez avec "
        "l’original de votre pièce d’identité."
    ),
    FileState.FACE_TO_FACE_DONE: "Votre identité est vérifiée : votre certificat va être établi.",
    FileState.ISSUED: "Votre certificat est prêt : venez le chercher, il se remet en main propre.",
}


ENTRUSTED = 50
SLOTS = 60
MEETING = "a slot of the counter is given once, to one of all communes"
PROXY = "the « mandataire » writes what the counter alone writes for a commune"


def _own_file(request: HttpRequest, pk: int) -> CertificateFile:
    """A file of this person in this commune; anybody else's does not exist for her."""
    tenant: Any = request.tenant  # type: ignore[attr-defined]
    own = queries.own_files(request.user, tenant.organisation_id)  # type: ignore[arg-type]
    return get_object_or_404(own, pk=pk)


def _entrusted(request: HttpRequest) -> QuerySet[CertificateFile] | None:
    """The files this person deals with as « mandataire » of this commune; None when she is none."""
    tenant: Any = request.tenant  # type: ignore[attr-defined]
    officer: Any = request.user
    today = legal_date(timezone.now())
    proxy = file_queries.proxy_of(officer, tenant.organisation_id, today)
    return file_queries.files_through(proxy) if proxy else None


def _within_reach(request: HttpRequest, pk: int) -> CertificateFile:
    """My file, or one entrusted to me; any other does not exist for me."""
    entrusted = _entrusted(request)
    found = entrusted.filter(pk=pk).first() if entrusted is not None else None
    return found or _own_file(request, pk)


class Mine(CapabilityView):
    """Where my certificate stands."""

    capability = Capability.CERTIFICATES_OWN

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the open file and the certificates already handed over."""
        organisation_id = request.tenant.organisation_id  # type: ignore[attr-defined]
        own = list(queries.own_files(request.user, organisation_id))  # type: ignore[arg-type]
        file = next((one for one in own if one.is_open), None)
        closed = (
            own[0] if own and own[0].state in (FileState.REFUSED, FileState.CANCELLED) else None
        )
        context = {
            "file": file,
            "closed": closed if file is None else None,
            "certificates": [(one, *_told(one)) for one in _handed_over(own)],
            "entrusted": [
                (one, progress.tone(one), progress.next_step(one))
                for one in (_entrusted(request) or ())[:ENTRUSTED]
            ],
            "may_revoke": self.can(Capability.CERTIFICATES_REVOKE),
        }
        return render(
            request, "registration_authority/mine.html", context | (_about(file) if file else {})
        )


def _about(file: CertificateFile) -> dict[str, Any]:
    lines = piece_lines(file)
    blocked = file.state == FileState.SUBMITTED and file.refused
    sentence = SENTENCES[FileState(file.state)]
    if file.on_hold_since is not None:
        sentence = f"Votre syndicat attend une réponse de vous : {file.hold_reason}"
    return {
        "sentence": "Une pièce est à remplacer : lisez pourquoi ci-dessous."
        if blocked
        else sentence,
        "tone": "danger" if blocked else progress.tone(file),
        "state": "Pièce à remplacer" if blocked else file.get_state_display(),
        "lines": lines,
        "steps": progress.steps(file, for_holder=True),
        "pieces_open": file.state in (FileState.DRAFT, FileState.SUBMITTED),
        "may_submit": file.state == FileState.DRAFT
        and all(line.piece is not None for line in lines),
        "appointment": slots.appointment_of(file),
        "bookable": file.state in BOOKABLE,
        "may_request": file.state in (FileState.PIECES_CHECKED, FileState.FACE_TO_FACE_DONE)
        and file.request_state != RequestState.APPROVED,
    }


def _handed_over(own: list[CertificateFile]) -> list[Certificate]:
    found = Certificate.objects.filter(file__in=own, hand_over__signed_at__isnull=False)
    return list(
        found.select_related("file__offer__authority", "hand_over__collected_by").order_by(
            "-not_after"
        )
    )


def _told(certificate: Certificate) -> tuple[str, Tone, bool]:
    now = timezone.now()
    in_use = certificate.state == CertificateState.VALID and certificate.not_after > now
    return (*progress.certificate_badge(certificate, at=now), in_use)


class Submit(CapabilityView):
    """Send my file to the counter."""

    capability = Capability.CERTIFICATES_OWN
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send it."""
        file = _within_reach(request, pk)
        if self.attempt(actions.submit, subject=file, file_id=file.pk) is not None:
            messages.success(request, "Le dossier est envoyé : votre syndicat le vérifie.")
        return redirect("certificates:mine")


class OwnForm(FileFormView):
    """A form about my file."""

    capability = Capability.CERTIFICATES_OWN

    def file(self, **address: Any) -> CertificateFile:
        """My file, or 404."""
        return _own_file(self.request, address["pk"])

    def back(self, file: CertificateFile) -> tuple[str, str]:
        """My certificate."""
        return "Mon certificat", reverse("certificates:mine")

    def finish(self, sentence: str) -> HttpResponse:
        """Say what was done and come back."""
        messages.success(self.request, sentence)
        return redirect("certificates:mine")


class DepositPiece(PieceFormView, OwnForm):
    """Bring one of my pieces."""

    def reachable(self, pk: int) -> CertificateFile:
        """My file, or one entrusted to me."""
        return _within_reach(self.request, pk)


class DepositRequest(OwnForm):
    """Bring the request made with my token."""

    form_class = forms.RequestForm
    title = "Déposer la demande faite avec mon support"
    button = "Vérifier et déposer"

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Keep it."""
        request_row = self.attempt_form(
            form,
            actions.deposit_request,
            subject=file,
            file_id=file.pk,
            content=form.cleaned_data["csr"].read(),
        )
        return request_row and self.finish("Votre demande est vérifiée et au dossier.")


class RevokeOwn(OwnForm):
    """Take my certificate out of use, at any hour."""

    form_class = forms.OwnRevokeForm
    template_name = "registration_authority/confirm.html"
    title = "Révoquer mon certificat ?"
    lead = "Il ne pourra plus servir dès maintenant, et pour toujours : il en faudra un autre."
    button = "Révoquer définitivement"

    def file(self, **address: Any) -> CertificateFile:
        """My file, if its certificate exists."""
        file = super().file(**address)
        self.certificate = issued_or_404(file)
        return file

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Revoke."""
        certificate = self.attempt_form(
            form,
            revocation.ask_as_holder,
            subject=file,
            certificate_id=self.certificate.pk,
            reason=RevocationReason(form.cleaned_data["reason"]),
        )
        return certificate and self.finish(
            "Votre certificat est révoqué, avec effet immédiat. Appelez votre syndicat pour en "
            "demander un autre."
        )


class OwnPem(CapabilityView):
    """My public certificate, to install it beside its key."""

    capability = Capability.CERTIFICATES_OWN

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give the PEM."""
        return pem_response(issued_or_404(_own_file(request, pk)))


class Book(OwnForm):
    """Take a slot, in place of the one I had."""

    shared_work = MEETING
    form_class = BookForm
    title = "Choisir un rendez-vous"
    button = "Prendre ce rendez-vous"

    def file(self, **address: Any) -> CertificateFile:
        """My file, or one entrusted to me."""
        return _within_reach(self.request, address["pk"])

    def form_options(self, file: CertificateFile) -> dict[str, Any]:
        """The slots that are free."""
        return {"slots": list(slots.free_slots(file, timezone.now())[:SLOTS])}

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Take it."""
        booked = self.attempt_form(
            form,
            slot_actions.book,
            subject=file,
            file_id=file.pk,
            slot_id=int(form.cleaned_data["slot"]),
        )
        return booked and self.finish(f"Rendez-vous pris : {told(booked.slot)}.")


class CancelAppointment(CapabilityView):
    """Give my slot back."""

    capability = Capability.CERTIFICATES_OWN
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give it back."""
        file = _within_reach(request, pk)
        if self.attempt(slot_actions.cancel, subject=file, file_id=file.pk) is not None:
            messages.success(request, "Votre rendez-vous est annulé.")
        return redirect("certificates:mine")


class Acknowledge(CapabilityView):
    """My « mandataire » gave me the token."""

    capability = Capability.CERTIFICATES_OWN
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write it down."""
        file = _own_file(request, pk)
        if self.attempt(actions.acknowledge, subject=file, file_id=file.pk) is not None:
            messages.success(request, "Merci : la remise de votre support est confirmée.")
        return redirect("certificates:mine")


class Entrusted(CapabilityView):
    """A file I deal with as « mandataire »: its pieces, and what comes next."""

    capability = Capability.CERTIFICATES_OWN

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show it."""
        entrusted = _entrusted(request)
        file = get_object_or_404(
            entrusted if entrusted is not None else CertificateFile.objects.none(), pk=pk
        )
        context = {"file": file, "may_receive": file.state == FileState.PIECES_CHECKED}
        return render(request, "registration_authority/entrusted.html", context | _about(file))


class ReceiveEntrusted(OwnForm):
    """The « mandataire » receives a colleague in person, where the policy admits it."""

    shared_work = PROXY
    form_class = forms.FaceToFaceForm
    title = "Recevoir la personne"
    button = "Enregistrer le face à face"

    def file(self, **address: Any) -> CertificateFile:
        """A file entrusted to me, never mine."""
        entrusted = _entrusted(self.request)
        return get_object_or_404(
            entrusted if entrusted is not None else CertificateFile.objects.none(),
            pk=address["pk"],
        )

    def form_options(self, file: CertificateFile) -> dict[str, Any]:
        """What the policy wants seen on the original."""
        return {"policy": profile_of(file.offer)}

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Write it down."""
        met = self.attempt_form(
            form, actions.hold_face_to_face, subject=file, file_id=file.pk, **form.cleaned_data
        )
        return met and self.finish("Le face à face est enregistré.")
