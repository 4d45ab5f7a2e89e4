"""The counter, on the portal: one case, its next step, what to print."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django import forms as django_forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from registration_authority import actions, files, forms, permissions, portal, progress, queries
from registration_authority.adapters import adapter_for
from registration_authority.dossier.forms import ExamineForm
from registration_authority.dossier.profiles import profile_of, rules_of
from registration_authority.figures import queries as figures
from registration_authority.models import (
    OPEN_STATES,
    Certificate,
    CertificateFile,
    CertificateRequest,
    CertificateState,
    CertificationAuthority,
    FaceToFace,
    FileState,
    HandOver,
    Piece,
    RequestState,
)
from registration_authority.revocation import actions as revocation
from registration_authority.revocation import queries as revocation_queries
from registration_authority.revocation.views import show_code
from registration_authority.screens import (
    AttemptView,
    FileFormView,
    PieceFormView,
    PieceLine,
    issued_or_404,
    pem_response,
    piece_lines,
)
from registration_authority.service import actions as service
from registration_authority.slots import queries as slots
from registration_authority.slots.actions import BOOKABLE
from registration_authority.stock import queries as stock
from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.directory.models import Organisation
from socle.web.items import Link, Tone

PER_PAGE = 25
YEAR = timedelta(days=365)
CLOSED = "clos"
NAMESPACE = "registration_authority"


def _file(pk: int) -> CertificateFile:
    return get_object_or_404(queries.files_in_full(), pk=pk)


def _url(name: str, *arguments: Any) -> str:
    return reverse(f"{NAMESPACE}:{name}", args=arguments)


# Lists


class Files(CapabilityView):
    """The files of the counter, by state, found by commune or person."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show one tab of the list."""
        form = forms.SearchForm(request.GET or None, auto_id="search_%s")
        state, text = request.GET.get("etat", ""), request.GET.get("q", "")
        found = queries.search(_of_tab(state), text).order_by("-created_at", "-pk")
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "form": form,
            "page": page,
            "rows": [(one, progress.tone(one), progress.next_step(one)) for one in page],
            "tabs": _tabs(state, queries.counts_by_state()),
            "may_open": self.can(Capability.RA_CHECK),
            "searched": text,
        }
        return render(request, f"{NAMESPACE}/files.html", context)


def _of_tab(state: str) -> QuerySet[CertificateFile]:
    found = queries.files()
    if state == CLOSED:
        return found.exclude(state__in=OPEN_STATES)
    return found.filter(state__in=[state] if state in FileState else OPEN_STATES)


def _tabs(current: str, counts: dict[str, int]) -> list[Link]:
    address = reverse(f"{NAMESPACE}:files")
    under_way = sum(counts.get(state, 0) for state in OPEN_STATES)
    closed = sum(counts.values()) - under_way
    told = [("", "En cours", under_way)]
    told += [(state.value, str(state.label), counts.get(state, 0)) for state in OPEN_STATES]
    told += [(CLOSED, "Terminés", closed)]
    return [
        Link(label=label, url=f"{address}?etat={key}", current=key == current, count=count)
        for key, label, count in told
    ]


class Inventory(CapabilityView):
    """Every certificate with its expiry."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the certificates in service, or those that are not any more."""
        now = timezone.now()
        state, text = request.GET.get("etat", ""), request.GET.get("q", "")
        form = forms.SearchForm(request.GET or None, auto_id="search_%s")
        inventory = queries.inventory()
        valid = {"state": CertificateState.VALID, "not_after__gt": now}
        found = inventory.exclude(**valid) if state == CLOSED else inventory.filter(**valid)
        page = Paginator(queries.search_certificates(found, text), PER_PAGE).get_page(
            request.GET.get("page")
        )
        address = reverse(f"{NAMESPACE}:inventory")
        context = {
            "form": form,
            "page": page,
            "rows": [(one, *_expiry(one)) for one in page],
            "authorities": CertificationAuthority.objects.order_by("name"),
            "searched": text,
            "tabs": [
                Link(label="En service", url=address, current=state != CLOSED),
                Link(
                    label="Révoqués ou expirés",
                    url=f"{address}?etat={CLOSED}",
                    current=state == CLOSED,
                ),
            ],
        }
        return render(request, f"{NAMESPACE}/inventory.html", context)


def _expiry(certificate: Certificate) -> tuple[str, Tone]:
    return progress.certificate_badge(certificate, at=timezone.now())


class RevocationList(CapabilityView):
    """The list of revoked certificates of an authority, fresh."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        """Give the list in DER."""
        authority = get_object_or_404(CertificationAuthority, code=code)
        content = adapter_for(authority).crl(at=timezone.now())
        response = HttpResponse(content, content_type="application/pkix-crl")
        response["Content-Disposition"] = f'attachment; filename="{code}.crl"'
        return response


# Opening a file


class New(AttemptView):
    """Open a file: the commune, then the person and the offer."""

    capability = Capability.RA_CHECK

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask for the commune, or for the person once it is known."""
        siren = request.GET.get("commune", "")
        if not siren:
            return self.choose(request)
        organisation = get_object_or_404(Organisation, siren=siren)
        return self.show(request, organisation, self.form(organisation))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Open the file."""
        siren = request.GET.get("commune", "")
        organisation = get_object_or_404(Organisation, siren=siren)
        form = self.form(organisation, request.POST)
        if not form.is_valid():
            return self.show(request, organisation, form)
        opened = self.attempt_form(
            form,
            actions.open_file,
            subject=organisation,
            organisation=organisation,
            **form.cleaned_data,
        )
        if opened is None:
            return self.show(request, organisation, form)
        messages.success(request, f"Le dossier de {opened.holder} est ouvert.")
        return redirect(f"{NAMESPACE}:file", pk=opened.pk)

    def form(self, organisation: Organisation, *data: Any) -> forms.NewFileForm:
        """The form with the people of the commune."""
        holders = queries.possible_holders(organisation, timezone.now())
        return forms.NewFileForm(*data, holders=holders)

    def choose(self, request: HttpRequest) -> HttpResponse:
        """The page that asks for the commune."""
        text = request.GET.get("q", "")
        found = queries.members_named(text)[:PER_PAGE] if text.strip() else []
        context = {"form": forms.BodyForm(request.GET or None), "found": found, "searched": text}
        return render(request, f"{NAMESPACE}/choose.html", context)

    def show(
        self, request: HttpRequest, organisation: Organisation, form: forms.NewFileForm
    ) -> HttpResponse:
        """The page that asks for the person."""
        context = {
            "organisation": organisation,
            "form": form,
            "nobody": not form.fields["holder"].queryset.exists(),  # type: ignore[attr-defined]
        }
        return render(request, f"{NAMESPACE}/new.html", context)


# One file


@dataclass(frozen=True, slots=True)
class NextAction:
    """The one thing to do now; without `label` there is only to wait."""

    sentence: str
    label: str = ""
    url: str = ""
    posts: bool = False
    capability: Capability = Capability.RA_CHECK
    download: str = ""
    """The address of what to take away first."""


class FilePage(CapabilityView):
    """One file: where it stands, what to do now, everything that was brought."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the file."""
        file = _file(pk)
        lines, certificate = piece_lines(file), getattr(file, "certificate", None)
        request_row = file.requests.exclude(state=RequestState.REPLACED).first()
        action = next_action(file, lines, request_row, certificate)
        serves = permissions.can_serve(request.user, file)  # type: ignore[arg-type]
        context = {
            "file": file,
            "tone": progress.tone(file),
            "steps": progress.steps(file),
            "lines": lines,
            "action": action,
            "may_act": serves and self.can(action.capability),
            "may_check": serves and self.can(Capability.RA_CHECK),
            "may_hand_over": serves and self.can(Capability.RA_HAND_OVER),
            "may_revoke": self.can(Capability.RA_REVOKE),
            "is_own": not serves,
            "certificate": certificate,
            "expiry": certificate and _expiry(certificate),
            "receipt": certificate and getattr(certificate, "hand_over", None),
            "face_to_face": getattr(file, "face_to_face", None) or file.carried_face_to_face,
            "may_carry": serves
            and self.can(Capability.RA_FACE_TO_FACE)
            and file.state == FileState.PIECES_CHECKED
            and file.renews_id is not None
            and profile_of(file.offer).renewals_without_face_to_face > 0,
            "appointment": slots.appointment_of(file),
            "may_meet": serves and self.can(Capability.RA_FACE_TO_FACE),
            "bookable": file.state in BOOKABLE,
            "notes": file.notes.select_related("author") if self.can(Capability.RA_CHECK) else (),
            "pairings": certificate.pairings.select_related(
                "account__operator", "account__organisation"
            )
            if certificate and file.renews_id
            else (),
            "former": file.renews
            if file.renews_id and file.state == FileState.HANDED_OVER
            else None,
            "locked": file.locked_until is not None
            and file.locked_until > timezone.now()
            and file.assigned_to_id != request.user.pk,
            "request_row": request_row,
            "pieces_open": file.state in (FileState.DRAFT, FileState.SUBMITTED),
        }
        return render(request, f"{NAMESPACE}/file.html", context)


def next_action(
    file: CertificateFile,
    lines: list[PieceLine],
    request_row: CertificateRequest | None,
    certificate: Certificate | None,
) -> NextAction:
    """What the counter does now with a file."""
    match FileState(file.state):
        case FileState.DRAFT:
            return _to_complete(file, lines)
        case FileState.SUBMITTED:
            return _to_check(lines)
        case FileState.PIECES_CHECKED:
            return NextAction(
                "Recevez la personne avec l’original de sa pièce d’identité.",
                "Recevoir la personne",
                _url("receive", file.pk),
                capability=Capability.RA_FACE_TO_FACE,
            )
        case FileState.FACE_TO_FACE_DONE:
            return _to_issue(file, request_row)
        case FileState.ISSUED:
            receipt = getattr(certificate, "hand_over", None)
            return _to_hand_over(file, receipt)
        case FileState.HANDED_OVER:
            return NextAction("Ce dossier est terminé : le certificat est remis.")
    return NextAction(f"Ce dossier est clos. {file.closing_reason}")


def _to_complete(file: CertificateFile, lines: list[PieceLine]) -> NextAction:
    absent = [line.kind.label.lower() for line in lines if line.piece is None]
    if absent:
        return NextAction(
            f"Il manque : {', '.join(absent)}. La commune les dépose depuis son espace, ou vous "
            "les déposez ici."
        )
    return NextAction(
        "Toutes les pièces sont là.", "Envoyer à la vérification", _url("submit", file.pk), True
    )


def _to_check(lines: list[PieceLine]) -> NextAction:
    waiting = [line for line in lines if line.piece and line.state == "À vérifier"]
    if not waiting:
        return NextAction("La commune doit remplacer la pièce refusée : elle est prévenue.")
    kind, piece = waiting[0].kind, waiting[0].piece
    return NextAction(
        f"Vérifiez les pièces une par une : {len(waiting)} à voir.",
        f"Vérifier : {kind.label.lower()}",
        _url("piece", piece.pk if piece else 0),
    )


def _to_issue(file: CertificateFile, request_row: CertificateRequest | None) -> NextAction:
    state = request_row.state if request_row else None
    if state == RequestState.DEPOSITED:
        return NextAction(
            f"La demande est vérifiée. {file.offer.authority} va signer le certificat.",
            "Établir le certificat"
            if file.offer.authority.adapter != portal.ADAPTER
            else "Préparer la demande pour l’autorité",
            _url("issue", file.pk),
            True,
        )
    if state == RequestState.APPROVED and file.offer.authority.adapter == portal.ADAPTER:
        return NextAction(
            "Téléchargez la demande et sa fiche, déposez-les sur le portail de "
            f"{file.offer.authority}, puis versez ici le certificat reçu.",
            "Verser le certificat reçu",
            _url("deposit_certificate", file.pk),
            download=_url("export_request", file.pk),
        )
    if state == RequestState.APPROVED:
        return NextAction("L’autorité établit le certificat : rechargez la page dans un instant.")
    return NextAction(
        "Déposez la demande faite avec le support de la personne.",
        "Déposer la demande",
        _url("deposit_request", file.pk),
    )


def _to_hand_over(file: CertificateFile, receipt: HandOver | None) -> NextAction:
    if receipt is None:
        return NextAction(
            "Préparez le procès-verbal à signer le jour de la remise.",
            "Préparer le procès-verbal",
            _url("prepare", file.pk),
            capability=Capability.RA_HAND_OVER,
        )
    return NextAction(
        "Imprimez le procès-verbal, signez-le tous les deux, puis enregistrez la remise.",
        "Enregistrer la remise",
        _url("hand_over", file.pk),
        capability=Capability.RA_HAND_OVER,
    )


class PostView(CapabilityView):
    """One button of the file page: `action` is called with the file, `done` is said then."""

    http_method_names = ("post",)
    action: ClassVar[Callable[..., Any]]
    done: ClassVar[str]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do it, say so, come back to the file."""
        file = _file(pk)
        if self.carry_out(file) is not None:
            messages.success(request, self.done)
        return redirect(f"{NAMESPACE}:file", pk=pk)

    def carry_out(self, file: CertificateFile) -> Any | None:
        """Attempt the action; None when it was refused."""
        return self.attempt(self.action, subject=file, file_id=file.pk)


class Take(PostView):
    """Make the file mine."""

    capability = Capability.RA_CHECK
    done = "Ce dossier est à votre nom."
    action = staticmethod(actions.take)


class Submit(PostView):
    """Send the pieces to the check."""

    capability = Capability.RA_CHECK
    done = "Le dossier est envoyé à la vérification."
    action = staticmethod(actions.submit)


class Issue(PostView):
    """Have the certificate signed."""

    capability = Capability.RA_CHECK

    @property
    def done(self) -> str:  # type: ignore[override]
        """What happens now: an authority on line answers, a portal waits for the operator."""
        if _file(self.kwargs["pk"]).offer.authority.adapter == portal.ADAPTER:
            return "La demande est prête à déposer sur le portail de l’autorité."
        return "Le certificat est demandé à l’autorité : il arrive dans un instant."

    def carry_out(self, file: CertificateFile) -> Any | None:
        """Attempt it on the request that waits."""
        request_row = file.requests.exclude(state=RequestState.REPLACED).first()
        if request_row is None:
            messages.error(self.request, "Déposez d’abord la demande de certificat.")
            return None
        return self.attempt(actions.issue, subject=file, request_id=request_row.pk)


class CounterForm(FileFormView):
    """A form about a file, on the portal."""

    def file(self, **address: Any) -> CertificateFile:
        """The file named in the address."""
        return _file(address["pk"])

    def back(self, file: CertificateFile) -> tuple[str, str]:
        """The page of the file."""
        return str(file), _url("file", file.pk)

    def finish(self, file: CertificateFile, sentence: str) -> HttpResponse:
        """Say what was done and come back to the file."""
        messages.success(self.request, sentence)
        return redirect(f"{NAMESPACE}:file", pk=file.pk)


class DepositPiece(PieceFormView, CounterForm):
    """Bring a piece for the commune."""

    capability = Capability.RA_CHECK

    def reachable(self, pk: int) -> CertificateFile:
        """Any file of the counter."""
        return _file(pk)


class AboutPiece(CounterForm):
    """A form about one piece."""

    capability = Capability.RA_CHECK

    def file(self, **address: Any) -> CertificateFile:
        """The file of the piece."""
        self.piece = get_object_or_404(Piece, pk=address["pk"], replaced_at=None)
        return _file(self.piece.file_id)

    def more(self, file: CertificateFile) -> dict[str, Any]:
        """The piece itself."""
        return {"piece": self.piece}


class CheckPiece(AboutPiece):
    """Look at a piece and accept it."""

    template_name = f"{NAMESPACE}/piece.html"
    title = "Vérifier la pièce"
    button = "Accepter la pièce"

    form_class = ExamineForm

    def form_options(self, file: CertificateFile) -> dict[str, Any]:
        """What the policy wants seen on this kind of piece."""
        self.piece.file = file
        return {"piece": self.piece, "rule": rules_of(file).get(self.piece.kind)}

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Accept it; come back to the next one."""
        piece = self.attempt_form(
            form,
            actions.accept_piece,
            subject=file,
            piece_id=self.piece.pk,
            **form.cleaned_data,
        )
        if piece is None:
            self.reason = " ".join(str(one) for errors in form.errors.values() for one in errors)
            return None
        return self.finish(file, f"{piece.get_kind_display()} : acceptée.")

    def more(self, file: CertificateFile) -> dict[str, Any]:
        """The piece, and the reason to refuse it that was just found."""
        return super().more(file) | {"reason": getattr(self, "reason", "")}


class RefusePiece(AboutPiece):
    """Refuse a piece, with a reason the commune will read; one already found is proposed."""

    form_class = forms.ReasonForm
    title = "Refuser la pièce"
    button = "Refuser et prévenir la commune"

    def initial(self, file: CertificateFile) -> dict[str, Any]:
        """The reason the check just gave."""
        return {"reason": self.request.GET.get("motif", "")[:300]}

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Refuse it."""
        piece = self.attempt_form(
            form,
            actions.refuse_piece,
            subject=file,
            piece_id=self.piece.pk,
            **form.cleaned_data,
        )
        return piece and self.finish(
            file, f"{piece.get_kind_display()} : refusée, {file.holder} est prévenu(e)."
        )


class PieceContent(CapabilityView):
    """A piece as a download; who reads it is written down first."""

    capability = Capability.RA_CHECK

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Give the file."""
        piece = get_object_or_404(Piece.objects.select_related("file"), pk=pk)
        if self.attempt(actions.note_reading, subject=piece.file, piece_id=pk) is None:
            return redirect(f"{NAMESPACE}:file", pk=piece.file_id)
        return files.give_piece(piece, reader=str(request.user), at=timezone.now())


class Receive(CounterForm):
    """The face to face."""

    capability = Capability.RA_FACE_TO_FACE
    form_class = forms.FaceToFaceForm
    title = "Recevoir la personne"
    button = "Enregistrer le face à face"

    def form_options(self, file: CertificateFile) -> dict[str, Any]:
        """What the policy wants seen on the original."""
        return {"policy": profile_of(file.offer)}

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Write it down."""
        met = self.attempt_form(
            form, actions.hold_face_to_face, subject=file, file_id=file.pk, **form.cleaned_data
        )
        return met and self.finish(file, "Le face à face est enregistré.")


class DepositRequest(CounterForm):
    """The certificate request."""

    capability = Capability.RA_CHECK
    form_class = forms.RequestForm
    title = "Déposer la demande de certificat"
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
        return request_row and self.finish(file, "La demande de certificat est vérifiée.")


class ExportRequest(CapabilityView):
    """The request and its sheet, for the authority's portal."""

    capability = Capability.RA_CHECK

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give the ZIP."""
        file = _file(pk)
        content = self.attempt(actions.export_request, subject=file, file_id=pk)
        if content is None:
            return redirect(f"{NAMESPACE}:file", pk=pk)
        response = HttpResponse(content, content_type="application/zip")
        name = f"demande-{file.organisation.siren}-{pk}.zip"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


class DepositCertificate(CounterForm):
    """The certificate the authority's portal gave."""

    capability = Capability.RA_CHECK
    form_class = forms.CertificateForm
    title = "Verser le certificat reçu de l’autorité"
    lead = "Il est comparé au dossier, champ par champ, avant de pouvoir être remis."
    button = "Vérifier et verser"

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Check it and keep it."""
        brought = form.cleaned_data["revocation_list"]
        certificate = self.attempt_form(
            form,
            actions.deposit_certificate,
            subject=file,
            file_id=file.pk,
            content=form.cleaned_data["certificate"].read(),
            revocation_list=brought.read() if brought else b"",
        )
        return certificate and self.finish(
            file, "Le certificat est exactement celui du dossier : il est prêt à remettre."
        )


class RevocationLists(CapabilityView):
    """The authorities, how fresh their lists of revoked certificates are, what they must revoke."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        now = timezone.now()
        rows = [(one, *progress.list_badge(one, at=now)) for one in queries.authorities()]
        context = {
            "rows": rows,
            "to_revoke": queries.to_revoke_by_hand(),
            "may_bring": self.can(Capability.RA_REVOKE),
        }
        return render(request, f"{NAMESPACE}/lists.html", context)


class BringList(AttemptView):
    """Bring the list of an authority."""

    capability = Capability.RA_REVOKE

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        """Ask for the file."""
        authority = get_object_or_404(CertificationAuthority, code=code)
        return self.show(authority, forms.RevocationListForm())

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        """Check it and keep it."""
        authority = get_object_or_404(CertificationAuthority, code=code)
        form = forms.RevocationListForm(request.POST, request.FILES)
        if form.is_valid():
            kept = self.attempt_form(
                form,
                actions.bring_revocations,
                subject=authority,
                authority=authority,
                content=form.cleaned_data["revocation_list"].read(),
            )
            if kept is not None:
                messages.success(request, f"La liste de « {authority} » est à jour.")
                return redirect(f"{NAMESPACE}:lists")
        return self.show(authority, form)

    def show(
        self, authority: CertificationAuthority, form: forms.RevocationListForm
    ) -> HttpResponse:
        """The page with its form."""
        context = {
            "title": f"Verser la liste de révocation de {authority}",
            "button": "Vérifier et verser",
            "form": form,
            "back_label": "Listes de révocation",
            "back_url": _url("lists"),
        }
        return render(self.request, f"{NAMESPACE}/form.html", context)


class Renewals(CapabilityView):
    """What ends soon, and what is done about it."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        now = timezone.now()
        page = Paginator(queries.to_renew(now), PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "page": page,
            "rows": [(one, *_expiry(one), getattr(one, "renewal", None)) for one in page],
            "may_act": self.can(Capability.RA_CHECK),
        }
        return render(request, f"{NAMESPACE}/renewals.html", context)


class Figures(CapabilityView):
    """What ends when, and how long the counter takes."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        now = timezone.now()
        page = Paginator(figures.savings(now - YEAR, now), PER_PAGE).get_page(
            request.GET.get("page")
        )
        revoked = revocation_queries.delays(now - YEAR)
        delays = queries.delays(now - YEAR)
        context = {
            "states": figures.files_by_state(),
            "tokens": stock.by_state(),
            "shelves": stock.shelves(),
            "months": queries.expiries_by_month(now),
            "delays": delays,
            "steps": [(one.step, round(one.median, 1)) for one in delays],
            "revoked": revoked,
            "revoked_chart": [(one.offer, round(one.median, 1)) for one in revoked],
            "page": page,
            "saved": [(str(one.organisation), int(one.saving)) for one in page],
        }
        return render(request, f"{NAMESPACE}/figures.html", context)


class OpenRenewal(CapabilityView):
    """Open the file of the next certificate."""

    capability = Capability.RA_CHECK
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Open it, and go there."""
        certificate = get_object_or_404(Certificate, pk=pk)
        opened = self.attempt(actions.open_renewal, subject=certificate.file, certificate_id=pk)
        if opened is None:
            return redirect(f"{NAMESPACE}:renewals")
        messages.success(request, f"Le renouvellement de {opened.holder} est ouvert.")
        return redirect(f"{NAMESPACE}:file", pk=opened.pk)


class MuteRenewal(CapabilityView):
    """Stop the reminders of one certificate."""

    capability = Capability.RA_CHECK
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop them."""
        certificate = get_object_or_404(Certificate, pk=pk, renewal__isnull=False)
        if self.attempt(actions.mute_renewal, subject=certificate.file, certificate_id=pk):
            messages.success(request, "Les rappels de ce certificat sont arrêtés.")
        return redirect(f"{NAMESPACE}:renewals")


class CarryFaceToFace(PostView):
    """Renew without a new face to face."""

    capability = Capability.RA_FACE_TO_FACE
    done = "Le face à face précédent vaut pour ce renouvellement."
    action = staticmethod(actions.carry_face_to_face)


class Prepare(CounterForm):
    """Draw up the receipt."""

    capability = Capability.RA_HAND_OVER
    form_class = forms.ReceiptForm
    title = "Préparer le procès-verbal de remise"
    button = "Préparer le procès-verbal"

    def initial(self, file: CertificateFile) -> dict[str, Any]:
        """The place of the face to face, most often the same."""
        met = getattr(file, "face_to_face", None) or file.carried_face_to_face
        return {"place": met.place if met else ""}

    def form_options(self, file: CertificateFile) -> dict[str, Any]:
        """Who else may come, and which operators would refuse the certificate."""
        certificate = issued_or_404(file)
        return {
            "proxy": file.proxy if profile_of(file.offer).proxy_allowed else None,
            "refused_by": service.operators_that_refuse(certificate, at=timezone.now()),
        }

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Draw it up."""
        receipt = self.attempt_form(
            form, actions.prepare_hand_over, subject=file, file_id=file.pk, **form.cleaned_data
        )
        return receipt and self.finish(file, "Le procès-verbal est prêt à imprimer.")


class Receipt(CapabilityView):
    """The receipt to print."""

    capability = Capability.RA_HAND_OVER

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Give the PDF."""
        receipt = get_object_or_404(HandOver, certificate__file_id=pk)
        return files.give(receipt.receipt)


class HandsOver(CounterForm):
    """Whatever both sign on, the holder leaves with the code that revokes at any hour."""

    capability = Capability.RA_HAND_OVER

    def handed_over(self, file: CertificateFile, receipt: HandOver | None) -> HttpResponse | None:
        """Show the code once; None when the certificate was not handed over."""
        if receipt is None:
            return None
        sentence = f"Le certificat est remis : {file.holder} peut s’en servir dès maintenant."
        messages.success(self.request, sentence)
        code = self.attempt(
            revocation.give_code, subject=file, certificate_id=receipt.certificate_id
        )
        back = _url("file", file.pk)
        return show_code(self.request, code, file, back) if code else redirect(back)


class HandOverPage(HandsOver):
    """Both have signed on paper."""

    form_class = forms.HandOverForm
    title = "Enregistrer la remise en main propre"
    button = "Remettre le certificat"

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Put the certificate in use."""
        scan = form.cleaned_data["scan"]
        receipt = self.attempt_form(
            form,
            actions.hand_over,
            subject=file,
            file_id=file.pk,
            signed=form.cleaned_data["signed"],
            accepted=form.cleaned_data["accepted"],
            signed_on=form.cleaned_data["signed_on"],
            scan=scan.file if scan else None,
            scan_name=scan.name if scan else "",
        )
        return self.handed_over(file, receipt)


class SignOnScreen(HandsOver):
    """Both sign on a tablet; the paper and its scan remain the other way."""

    form_class = forms.DrawForm
    template_name = f"{NAMESPACE}/sign.html"
    title = "Signer à l’écran"
    button = "Remettre le certificat"

    def more(self, file: CertificateFile) -> dict[str, Any]:
        """What is signed for."""
        receipt = get_object_or_404(HandOver, certificate__file=file)
        return {"certificate": issued_or_404(file), "receipt": receipt}

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Put the certificate in use."""
        given = form.cleaned_data
        receipt = self.attempt_form(
            form,
            actions.hand_over,
            subject=file,
            file_id=file.pk,
            signed=True,
            accepted=given["accepted"],
            drawings=(given["holder_drawing"], given["officer_drawing"]),
        )
        return self.handed_over(file, receipt)


class Attestation(CapabilityView):
    """The attestation of the face to face: to sign, or signed."""

    capability = Capability.RA_FACE_TO_FACE

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Give the scan when there is one, else the paper to sign."""
        met = get_object_or_404(FaceToFace, file_id=pk, attestation__isnull=False)
        return files.give(met.attestation_scan or met.attestation)  # type: ignore[arg-type]


class AddSigned(CounterForm):
    """Keep the scan of a paper both signed: `action` takes it, `done` is said then."""

    form_class = forms.PieceForm
    button = "Verser au dossier"
    action: ClassVar[Callable[..., Any]]
    done: ClassVar[str]

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Keep it."""
        upload = form.cleaned_data["piece"]
        kept = self.attempt_form(
            form,
            self.action,
            subject=file,
            file_id=file.pk,
            content=upload.file,
            name=upload.name,
        )
        return kept and self.finish(file, self.done)


class AddAttestation(AddSigned):
    """Keep the signed attestation."""

    capability = Capability.RA_FACE_TO_FACE
    title = "Verser l’attestation de face à face signée"
    done = "L’attestation signée est au dossier."
    action = staticmethod(actions.add_attestation)


class AddScan(AddSigned):
    """Keep the signed receipt."""

    capability = Capability.RA_HAND_OVER
    title = "Verser le procès-verbal signé"
    done = "Le procès-verbal signé est au dossier."
    action = staticmethod(actions.add_signed_receipt)


class Scan(CapabilityView):
    """The signed receipt."""

    capability = Capability.RA_HAND_OVER

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Give the scan."""
        receipt = get_object_or_404(HandOver, certificate__file_id=pk)
        if receipt.signed_scan is None:
            raise Http404
        return files.give(receipt.signed_scan)


class Decline(CounterForm):
    """The holder does not accept what the certificate says."""

    capability = Capability.RA_HAND_OVER
    form_class = forms.AcceptForm
    template_name = f"{NAMESPACE}/confirm.html"
    title = "La personne refuse le contenu du certificat"
    lead = "Le certificat est révoqué et le dossier fermé ; il faudra en ouvrir un autre."
    button = "Révoquer définitivement"

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Revoke and close."""
        certificate = self.attempt_form(form, actions.decline, subject=file, file_id=file.pk)
        return certificate and self.finish(file, "Le certificat est révoqué, le dossier fermé.")


class Close(CounterForm):
    """Refuse or abandon the file."""

    capability = Capability.RA_CHECK
    form_class = forms.CloseForm
    title = "Clore ce dossier"
    button = "Clore le dossier"

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Close it."""
        closed = self.attempt_form(
            form,
            actions.close,
            subject=file,
            file_id=file.pk,
            to=FileState(form.cleaned_data["to"]),
            reason=form.cleaned_data["reason"],
        )
        return closed and self.finish(file, "Le dossier est clos.")


class CertificatePem(CapabilityView):
    """The public certificate."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give the PEM."""
        return pem_response(get_object_or_404(Certificate, file_id=pk))
