"""Revocations at the counter: what waits, what drags, what is published; departures, elections."""

from datetime import datetime
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from registration_authority import queries as counter_queries
from registration_authority.dossier.profiles import profile_of
from registration_authority.models import CertificateFile, RevocationReason
from registration_authority.revocation import actions, elections, forms, policies, queries
from registration_authority.revocation.models import (
    ElectionCampaign,
    ElectionOutcome,
    RevocationRequest,
    RevocationState,
)
from registration_authority.screens import AttemptView, FileFormView, issued_or_404
from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.web.items import Event, Figure, Link

PER_PAGE = 25
SPACE = "registration_authority"
UNDER_WAY, DONE = "en-cours", "terminees"


def badge(request: RevocationRequest, at: datetime) -> tuple[str, str]:
    """Where a request stands in words, and the tone."""
    tone = policies.urgency(request, profile_of(request.certificate.file.offer), at=at)
    if request.state != RevocationState.ACCEPTED:
        return str(request.get_state_display()), tone
    if request.published_at is not None:
        late = request.published_at > request.deadline
        return ("Publiée par l’autorité, hors délai" if late else "Publiée par l’autorité"), tone
    if request.certificate.revocation_sent_at is None:
        return "À transmettre à l’autorité", tone
    return "Transmise, publication attendue", tone


class Requests(CapabilityView):
    """What must be decided, what the authority must still publish, what is over."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show one tab."""
        now, tab = timezone.now(), request.GET.get("vue", "")
        waiting, going = queries.pending(), queries.unpublished(now)
        found = {"": waiting, UNDER_WAY: going}.get(tab)
        if found is None:
            found = (
                queries.requests()
                .exclude(pk__in=waiting.values("pk"))
                .exclude(pk__in=going.values("pk"))
            )
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        address = reverse(f"{SPACE}:revocations")
        context = {
            "page": page,
            "rows": [(one, *badge(one, now)) for one in page],
            "to_review": queries.to_review(),
            "may_act": self.can(Capability.RA_REVOKE),
            "tabs": [
                Link(label="À décider", url=address, current=tab == "", count=waiting.count()),
                Link(
                    label="Publication attendue",
                    url=f"{address}?vue={UNDER_WAY}",
                    current=tab == UNDER_WAY,
                    count=going.count(),
                ),
                Link(label="Terminées", url=f"{address}?vue={DONE}", current=tab == DONE),
            ],
        }
        return render(request, f"{SPACE}/revocation/list.html", context)


class OneRequest(CapabilityView):
    """One request: who asked, how she was recognised, what the authority says, what to do."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show it."""
        return self.show(request, pk)

    def show(
        self, request: HttpRequest, pk: int, accept: Any = None, refuse: Any = None
    ) -> HttpResponse:
        """The page, with what was wrong in its forms."""
        found = get_object_or_404(queries.requests(), pk=pk)
        now = timezone.now()
        calls = found.state == RevocationState.CALL_BACK
        context = {
            "found": found,
            "badge": badge(found, now),
            "policy": profile_of(found.certificate.file.offer),
            "events": _events(found),
            "may_act": self.can(Capability.RA_REVOKE),
            "own": found.four_eyes and found.asked_by_id == request.user.pk,
            "accept": accept or (forms.AcceptForm(auto_id="accept_%s") if calls else None),
            "refuse": refuse or forms.RefuseForm(auto_id="refuse_%s"),
            "may_review": found.urgent
            and found.asker == "officer"
            and found.reviewed_at is None
            and found.asked_by_id != request.user.pk,
        }
        return render(request, f"{SPACE}/revocation/one.html", context)


def _events(found: RevocationRequest) -> list[Event]:
    certificate = found.certificate
    told: list[tuple[datetime | None, str, str]] = [
        (found.received_at, "Demande reçue", str(found.asked_by or found.get_asker_display())),
        (
            found.decided_at,
            "Refusée" if found.state == RevocationState.REFUSED else "Acceptée, hors service ici",
            str(found.decided_by or ""),
        ),
        (found.reviewed_at, "Relue par une autre personne", str(found.reviewed_by or "")),
        (certificate.revocation_sent_at, "Transmise à l’autorité", ""),
        (certificate.revocation_confirmed_at, "Confirmée par l’autorité", ""),
        (found.warned_at, "Alerte : la publication se fait attendre", ""),
        (found.overdue_at, "Délai dépassé", ""),
        (found.published_at, "Vue publiée (CRL ou OCSP)", ""),
    ]
    dated = [(at, label, who) for at, label, who in told if at is not None]
    in_order = sorted(dated, key=lambda one: one[0])  # of one instant, as they are told above
    return [Event(at=at, label=label, who=who) for at, label, who in in_order]


class Decide(OneRequest, AttemptView):
    """Confirm or refuse."""

    capability = Capability.RA_REVOKE
    http_method_names = ("post",)
    does = "accept"

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do it, or show what was wrong."""
        found = get_object_or_404(queries.requests(), pk=pk)
        if self.does == "accept":
            return self.accept(request, found)
        if self.does == "refuse":
            return self.refuse(request, found)
        if self.attempt(actions.review, subject=found.certificate.file, request_id=pk):
            messages.success(request, "Cette révocation urgente est relue.")
        return redirect(f"{SPACE}:revocation", pk=pk)

    def accept(self, request: HttpRequest, found: RevocationRequest) -> HttpResponse:
        """Confirm."""
        form = forms.AcceptForm(request.POST, auto_id="accept_%s")
        form.fields["proof"].required = found.state == RevocationState.CALL_BACK
        if form.is_valid() and self.attempt_form(
            form,
            actions.accept,
            subject=found.certificate.file,
            request_id=found.pk,
            proof=form.cleaned_data["proof"],
        ):
            messages.success(request, "Le certificat est révoqué, avec effet immédiat.")
            return redirect(f"{SPACE}:revocation", pk=found.pk)
        return self.show(request, found.pk, accept=form)

    def refuse(self, request: HttpRequest, found: RevocationRequest) -> HttpResponse:
        """Refuse."""
        form = forms.RefuseForm(request.POST, auto_id="refuse_%s")
        if form.is_valid() and self.attempt_form(
            form,
            actions.refuse,
            subject=found.certificate.file,
            request_id=found.pk,
            **form.cleaned_data,
        ):
            messages.success(request, "La demande est refusée : le certificat reste en service.")
            return redirect(f"{SPACE}:revocation", pk=found.pk)
        return self.show(request, found.pk, refuse=form)


class CounterForm(FileFormView):
    """A question about one file with its certificate."""

    capability = Capability.RA_REVOKE
    template_name = f"{SPACE}/confirm.html"

    def file(self, **address: Any) -> CertificateFile:
        """The file, if its certificate exists."""
        file = get_object_or_404(counter_queries.files_in_full(), pk=address["pk"])
        self.certificate = issued_or_404(file)
        return file

    def back(self, file: CertificateFile) -> tuple[str, str]:
        """The page of the file."""
        return str(file), reverse(f"{SPACE}:file", args=[file.pk])


class Revoke(CounterForm):
    """Ask for the end of one certificate."""

    form_class = forms.OfficerForm
    title = "Révoquer ce certificat ?"
    lead = "La personne ne pourra plus s’en servir, et pour toujours : il lui en faudra un autre."
    button = "Révoquer définitivement"

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Ask."""
        asked = self.attempt_form(
            form,
            actions.ask_as_officer,
            subject=file,
            certificate_id=self.certificate.pk,
            reason=RevocationReason(form.cleaned_data["reason"]),
            urgent=form.cleaned_data["urgent"],
        )
        if asked is None:
            return None
        messages.success(self.request, _asked_words([asked]))
        return redirect(f"{SPACE}:file", pk=file.pk)


def _asked_words(asked: list[RevocationRequest]) -> str:
    waiting = sum(one.is_pending for one in asked)
    if not waiting:
        return (
            "Le certificat est révoqué, avec effet immédiat."
            if len(asked) == 1
            else f"{len(asked)} certificats sont révoqués, avec effet immédiat."
        )
    return "La demande attend la confirmation d’une autre personne du guichet : prévenez-la."


class RevokeToken(AttemptView):
    """Everything on one token."""

    capability = Capability.RA_REVOKE

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask for the number."""
        return self.show(forms.TokenForm(initial={"token_serial": request.GET.get("numero", "")}))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Revoke, or say what was wrong."""
        form = forms.TokenForm(request.POST)
        if form.is_valid():
            asked = self.attempt_form(
                form,
                actions.ask_by_token,
                subject=("token", form.cleaned_data["token_serial"]),
                token_serial=form.cleaned_data["token_serial"],
                reason=RevocationReason(form.cleaned_data["reason"]),
                urgent=form.cleaned_data["urgent"],
            )
            if asked is not None:
                messages.success(request, _asked_words(asked))
                return redirect(f"{SPACE}:revocations")
        return self.show(form)

    def show(self, form: forms.TokenForm) -> HttpResponse:
        """The page."""
        context = {
            "title": "Révoquer tout un support",
            "lead": "Tous les certificats en service sur ce support prennent fin ensemble.",
            "button": "Révoquer définitivement",
            "form": form,
            "back_label": "Révocations",
            "back_url": reverse(f"{SPACE}:revocations"),
        }
        return render(self.request, f"{SPACE}/form.html", context)


class Happened(CounterForm):
    """Departure or loss: everything that follows, in one gesture."""

    title = "Départ ou perte"
    lead = (
        "En une fois : certificats révoqués, sessions fermées, dossiers en cours repris, nouveau "
        "certificat commandé."
    )
    button = "Faire tout cela maintenant"

    @property
    def form_class(self) -> Any:  # type: ignore[override]
        """The form with the colleagues who may take over."""
        file = get_object_or_404(counter_queries.files(), pk=self.kwargs["pk"])
        colleagues = queries.colleagues(file.organisation, file.holder, timezone.now())
        return lambda *data, **more: forms.EventForm(*data, colleagues=colleagues, **more)

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Do it all."""
        common = {"subject": file, "person": file.holder, "organisation": file.organisation}
        if form.cleaned_data["event"] == forms.LOSS:
            done = self.attempt_form(form, actions.declare_loss, **common)
        else:
            done = self.attempt_form(
                form,
                actions.declare_departure,
                successor=form.cleaned_data["successor"],
                **common,
            )
        if done is None:
            return None
        messages.success(self.request, _done_words(done))
        target = done.replacement or file
        return redirect(f"{SPACE}:file", pk=target.pk)


def _done_words(done: actions.Protocol) -> str:
    told = [f"certificats révoqués : {done.revoked}", "sessions fermées"]
    if done.reassigned:
        told.append(f"dossiers, brouillons et flux en cours : {done.reassigned}")
    if done.left_open:
        told.append(f"dossiers encore ouverts, l’autorité y travaille : {done.left_open}")
    if done.suspended:
        told.append("compte fermé")
    if done.replacement:
        told.append(f"nouveau dossier ouvert pour {done.replacement.holder}")
    return f"C’est fait : {', '.join(told)}."


class GiveCode(CounterForm):
    """Print a revocation code, once."""

    capability = Capability.RA_HAND_OVER
    form_class = django_forms.Form
    title = "Remettre un code de révocation"
    lead = "L’ancien code, s’il y en a un, ne vaudra plus rien."
    button = "Créer le code et l’afficher une fois"

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Show it."""
        code = self.attempt_form(
            form, actions.give_code, subject=file, certificate_id=self.certificate.pk
        )
        return code and show_code(self.request, code, file, self.back(file)[1])


def show_code(
    request: HttpRequest, code: str, file: CertificateFile, back_url: str
) -> HttpResponse:
    """The page with a code that will not be shown again."""
    context = {"code": code, "file": file, "back_url": back_url, "public": "revocation:public"}
    return render(request, f"{SPACE}/revocation/code.html", context)


# Elections


class Campaigns(AttemptView):
    """The campaigns, and a new one."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """List them."""
        found = ElectionCampaign.objects.select_related("opened_by")[:PER_PAGE]
        context = {
            "rows": [(one, elections.progress(one)) for one in found],
            "form": forms.CampaignForm(),
            "may_act": self.can(Capability.RA_REVOKE),
        }
        return render(request, f"{SPACE}/revocation/campaigns.html", context)


class OpenCampaign(AttemptView):
    """Open a campaign."""

    capability = Capability.RA_REVOKE
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Open it and go there."""
        form = forms.CampaignForm(request.POST)
        if form.is_valid():
            opened = self.attempt(elections.open_campaign, **form.cleaned_data)
            if opened is not None:
                return redirect(f"{SPACE}:campaign", pk=opened.pk)
        messages.error(request, "Donnez un nom à la campagne.")
        return redirect(f"{SPACE}:campaigns")


class Campaign(CapabilityView):
    """One campaign: its lines, how far it is, each result."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a page of lines."""
        campaign = get_object_or_404(ElectionCampaign, pk=pk)
        lines = campaign.lines.select_related("organisation", "holder", "told_by", "validated_by")
        page = Paginator(lines, PER_PAGE).get_page(request.GET.get("page"))
        done = elections.progress(campaign)
        mine = campaign.lines.filter(told_by=request.user, validated_at=None).count()  # type: ignore[misc]
        context = {
            "campaign": campaign,
            "page": page,
            "outcomes": ElectionOutcome.choices,
            "progress": done,
            "figures": [
                Figure(value=str(done.known), label="résultats connus"),
                Figure(value=str(done.validated), label="validés à deux"),
                Figure(value=str(done.done), label="menés à bien"),
            ],
            "to_validate": done.known - done.validated - mine,
            "mine": mine,
            "may_act": self.can(Capability.RA_REVOKE),
        }
        return render(request, f"{SPACE}/revocation/campaign.html", context)


class TellOutcomes(AttemptView):
    """Write down the outcomes of one page of lines."""

    capability = Capability.RA_REVOKE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keep those that are known words."""
        get_object_or_404(ElectionCampaign, pk=pk)
        outcomes = {
            int(name.removeprefix("line-")): ElectionOutcome(value)
            for name, value in request.POST.items()
            if name.startswith("line-")
            and name.removeprefix("line-").isdigit()
            and value in ElectionOutcome.values
        }
        changed = self.attempt(elections.tell_outcomes, campaign_id=pk, outcomes=outcomes)
        if changed:
            messages.success(request, "Les résultats sont notés : une autre personne les valide.")
        page = request.POST.get("page", "")
        return redirect(f"{reverse(f'{SPACE}:campaign', args=[pk])}?page={page}")


class Validate(AttemptView):
    """The second officer says yes: the revocations follow."""

    capability = Capability.RA_REVOKE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Validate what others told."""
        get_object_or_404(ElectionCampaign, pk=pk)
        if self.attempt(elections.validate, campaign_id=pk):
            messages.success(
                request, "C’est validé : les révocations se font, rechargez pour voir l’avancement."
            )
        return redirect(f"{SPACE}:campaign", pk=pk)
