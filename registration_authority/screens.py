"""What the screens of the counter and of the commune have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from registration_authority import actions
from registration_authority.dossier.profiles import required_kinds
from registration_authority.forms import PieceForm
from registration_authority.models import (
    Certificate,
    CertificateFile,
    Piece,
    PieceKind,
    PieceState,
)
from socle.accounts.access import CapabilityView, note_refusal
from socle.core.refusals import Refusal
from socle.web.items import Tone

PIECE_TONES: dict[str, Tone] = {
    PieceState.PENDING: "progress",
    PieceState.ACCEPTED: "success",
    PieceState.REFUSED: "danger",
}


class AttemptView(CapabilityView):
    """A view whose refusals become errors of its form, and lines of the journal."""

    def attempt_form(
        self,
        form: forms.Form,
        action: Callable[..., Any],
        *,
        subject: Any,
        **arguments: Any,
    ) -> Any | None:
        """Call `action(by=…, at=…, **arguments)`; None when refused, the refusal on the form."""
        try:
            return action(by=self.request.user, at=timezone.now(), **arguments)
        except Refusal as refusal:
            note_refusal(self.request, refusal, subject=subject, event=action.__name__)
            field = refusal.field if refusal.field in form.fields else None
            form.add_error(field, str(refusal))
            return None


class UnfitFile(Refusal):
    """A file of another kind, empty or too large: its content was not even looked at."""

    code = "ra.unfit_file"


class FileFormView(AttemptView):
    """One question about one file on a page of its own: `form_class`, `title`, `button`."""

    form_class: ClassVar[type[forms.Form]]
    template_name: ClassVar[str] = "registration_authority/form.html"
    title: ClassVar[str]
    lead: ClassVar[str] = ""
    button: ClassVar[str] = "Enregistrer"

    def get(self, request: HttpRequest, **address: Any) -> HttpResponse:
        """Ask."""
        file = self.file(**address)
        options = self.form_options(file)
        return self.show(file, self.form_class(initial=self.initial(file), **options))

    def post(self, request: HttpRequest, **address: Any) -> HttpResponse:
        """Do, or ask again with what was wrong."""
        file = self.file(**address)
        form = self.form_class(request.POST, request.FILES, **self.form_options(file))
        if not form.is_valid():
            self.note_unfit(file, form)
            return self.show(file, form)
        return self.carry_out(file, form) or self.show(file, form)

    def note_unfit(self, file: CertificateFile, form: forms.Form) -> None:
        """Write down a file the form refused already: an auditor sees every one that was tried."""
        for name in form.files:
            for sentence in form.errors.get(name, ()):
                refusal = UnfitFile(str(sentence), field=name)
                note_refusal(self.request, refusal, event="upload", subject=file)

    def file(self, **address: Any) -> CertificateFile:
        """The file of the page, or 404."""
        raise NotImplementedError

    def initial(self, file: CertificateFile) -> dict[str, Any]:
        """What the form starts with."""
        return {}

    def form_options(self, file: CertificateFile) -> dict[str, Any]:
        """What the form is made with, besides what was typed."""
        return {}

    def carry_out(self, file: CertificateFile, form: forms.Form) -> HttpResponse | None:
        """Call the action; None when it was refused, with the reason on the form."""
        raise NotImplementedError

    def back(self, file: CertificateFile) -> tuple[str, str]:
        """The label and the address of the page to come back to."""
        raise NotImplementedError

    def show(self, file: CertificateFile, form: forms.Form) -> HttpResponse:
        """The page with its form."""
        label, url = self.back(file)
        context = {
            "file": file,
            "form": form,
            "title": self.title,
            "lead": self.lead or str(file),
            "button": self.button,
            "back_label": label,
            "back_url": url,
        }
        return render(self.request, self.template_name, context | self.more(file))

    def more(self, file: CertificateFile) -> dict[str, Any]:
        """What else the template shows."""
        return {}


class PieceFormView(FileFormView):
    """Bring one piece of a file, at the counter or from the commune."""

    form_class = PieceForm
    button = "Déposer"

    @property
    def title(self) -> str:  # type: ignore[override]
        """The kind of piece asked for."""
        return f"Déposer : {PieceKind(self.kwargs['kind']).label.lower()}"

    def reachable(self, pk: int) -> CertificateFile:
        """The file, if the person of this screen may reach it; else 404."""
        raise NotImplementedError

    def finish_piece(self, file: CertificateFile, sentence: str) -> HttpResponse:
        """Say that it is there, and come back."""
        messages.success(self.request, sentence)
        return redirect(self.back(file)[1])

    def file(self, **address: Any) -> CertificateFile:
        """The file, if it needs this kind of piece."""
        file = self.reachable(address["pk"])
        asked_kind(file, address["kind"])
        return file

    def carry_out(self, file: CertificateFile, form: forms.Form) -> HttpResponse | None:
        """Keep the piece."""
        upload = form.cleaned_data["piece"]
        piece = self.attempt_form(
            form,
            actions.deposit_piece,
            subject=file,
            file_id=file.pk,
            kind=PieceKind(self.kwargs["kind"]),
            content=upload.file,
            name=upload.name,
        )
        return piece and self.finish_piece(file, f"{piece.get_kind_display()} : déposée.")


@dataclass(frozen=True, slots=True)
class PieceLine:
    """A kind of piece of a file, with what was brought for it."""

    kind: PieceKind
    piece: Piece | None

    @property
    def state(self) -> str:
        """The state in words."""
        return self.piece.get_state_display() if self.piece else "À déposer"

    @property
    def tone(self) -> Tone:
        """The tone of the state."""
        return PIECE_TONES[self.piece.state] if self.piece else "neutral"

    @property
    def may_deposit(self) -> bool:
        """Whether a document may be brought now: nothing there, or to be replaced."""
        return self.piece is None or self.piece.state != PieceState.ACCEPTED


def piece_lines(file: CertificateFile) -> list[PieceLine]:
    """Every kind the file needs, in the order of the counter."""
    current = {piece.kind: piece for piece in file.pieces.filter(replaced_at=None)}
    return [PieceLine(kind, current.get(kind)) for kind in required_kinds(file)]


def asked_kind(file: CertificateFile, slug: str) -> PieceKind:
    """The kind of piece named in an address, if the file needs it; else 404."""
    if slug not in required_kinds(file):
        raise Http404(slug)
    return PieceKind(slug)


def issued_or_404(file: CertificateFile) -> Certificate:
    """The certificate of a file, or 404."""
    return get_object_or_404(Certificate, file=file)


def pem_response(certificate: Certificate) -> HttpResponse:
    """The public certificate as a download."""
    response = HttpResponse(certificate.pem, content_type="application/x-pem-file")
    response["Content-Disposition"] = (
        f'attachment; filename="certificat-{certificate.serial[:12]}.pem"'
    )
    return response


class PageForm(AttemptView):
    """One question on a page of its own, about anything but a file."""

    form_class: ClassVar[type[forms.Form]]
    template_name: ClassVar[str] = "registration_authority/form.html"
    title: ClassVar[str]
    lead: ClassVar[str] = ""
    button: ClassVar[str] = "Enregistrer"
    back_label: ClassVar[str]
    back_to: ClassVar[str]
    """The name of the address to come back to."""

    def get(self, request: HttpRequest, **address: Any) -> HttpResponse:
        """Ask."""
        return self.show(self.form_class(**self.form_options(**address)))

    def post(self, request: HttpRequest, **address: Any) -> HttpResponse:
        """Do, or ask again with what was wrong."""
        form = self.form_class(request.POST, request.FILES, **self.form_options(**address))
        if not form.is_valid():
            return self.show(form)
        return self.carry_out(form, **address) or self.show(form)

    def form_options(self, **address: Any) -> dict[str, Any]:
        """What the form is made with, besides what was typed."""
        return {}

    def carry_out(self, form: forms.Form, **address: Any) -> HttpResponse | None:
        """Call the action; None when it was refused, with the reason on the form."""
        raise NotImplementedError

    def back_url(self) -> str:
        """Where to come back to."""
        return reverse(self.back_to)

    def finish(self, sentence: str) -> HttpResponse:
        """Say what was done and come back."""
        messages.success(self.request, sentence)
        return redirect(self.back_url())

    def show(self, form: forms.Form) -> HttpResponse:
        """The page with its form."""
        context = {
            "form": form,
            "title": self.title,
            "lead": self.lead,
            "button": self.button,
            "back_label": self.back_label,
            "back_url": self.back_url(),
        }
        return render(self.request, self.template_name, context)
