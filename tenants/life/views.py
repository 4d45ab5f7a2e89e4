"""The life of spaces, on the portal: who stands where, and what may be done next."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect, render

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.directory.models import Organisation
from socle.documents.models import StoredFile
from socle.documents.responses import download
from socle.journal import events
from socle.journal import queries as journal
from tenants.life import actions, archives, queries
from tenants.life.forms import DestroyForm, ReasonForm, SpacesFilter, SuspendForm
from tenants.life.models import Archive, Destruction, DestructionState, SpaceState

PER_PAGE: Final = 25
HISTORY: Final = 30
_CHUNK: Final = 256 * 1024


class Spaces(CapabilityView):
    """Every organisation that has or had a space, with its state."""

    capability = Capability.SPACES_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form = SpacesFilter(request.GET if request.GET else None)
        chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
        found = queries.bodies(chosen.get("q", ""), only=chosen.get("etat", ""))
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        context = {"page": page, "form": form, "lines": [queries.line(one) for one in page]}
        return render(request, "life/spaces.html", context)


class OneSpace(CapabilityView):
    """One space: how it stands, what may be done, its archives, its history."""

    capability = Capability.SPACES_READ

    def get(self, request: HttpRequest, siren: str) -> HttpResponse:
        organisation = get_object_or_404(queries.bodies(""), siren=siren)
        line = queries.line(organisation)
        made = list(queries.archives_of(organisation)[:HISTORY])
        destructions = list(queries.destructions_of(organisation)[:HISTORY])
        going = next((one for one in destructions if one.state in queries.GOING_ON), None)
        entries = journal.page(subject=organisation, event="life.", size=HISTORY).entries
        context = {
            "organisation": organisation,
            "line": line,
            "archives": made,
            "working": any(one.state in queries.UNFINISHED for one in made),
            "going": going,
            "ended": [one for one in destructions if one.state == DestructionState.DONE],
            "history": [(entry, events.sentence(entry)) for entry in entries],
            "is_open": line.state == SpaceState.OPEN,
            "is_suspended": line.state == SpaceState.SUSPENDED,
            "may_suspend": self.can(Capability.SPACES_SUSPEND),
            "may_archive": self.can(Capability.SPACES_ARCHIVE),
            "may_confirm": self.can(Capability.SPACES_CONFIRM)
            and going is not None
            and going.state == DestructionState.ASKED
            and going.asked_by_id != request.user.pk,
            "may_cancel": self.can(Capability.SPACES_CONFIRM)
            and going is not None
            and going.state != DestructionState.RUNNING,
        }
        return render(request, "life/space.html", context)


class _Change(CapabilityView):
    """A form about one organisation, then one action with what it says."""

    form_class: ClassVar[type[forms.Form]]
    title: ClassVar[str]
    lead: ClassVar[str]
    button: ClassVar[str]
    tone: ClassVar[str] = "primary"
    done: ClassVar[str]
    action: ClassVar[Callable[..., Any]]

    def get(self, request: HttpRequest, siren: str) -> HttpResponse:
        return self.show(request, self.organisation(siren), self.form_class())

    def post(self, request: HttpRequest, siren: str) -> HttpResponse:
        organisation = self.organisation(siren)
        form = self.form_class(request.POST)
        if not form.is_valid():
            return self.show(request, organisation, form)
        done = self.attempt(
            type(self).action, subject=organisation, organisation=organisation, **form.cleaned_data
        )
        if done is None:
            return self.show(request, organisation, form)
        return self.after(request, organisation, done)

    def after(self, request: HttpRequest, organisation: Organisation, done: Any) -> HttpResponse:
        messages.success(request, self.done)
        return redirect("life:space", siren=organisation.siren)

    def organisation(self, siren: str) -> Organisation:
        return get_object_or_404(queries.bodies(""), siren=siren)

    def show(
        self, request: HttpRequest, organisation: Organisation, form: forms.Form
    ) -> HttpResponse:
        context = {
            "organisation": organisation,
            "form": form,
            "title": self.title,
            "lead": self.lead,
            "button": self.button,
            "tone": self.tone,
        }
        return render(request, "life/form.html", context)


class Suspend(_Change):
    """Let a space stand still."""

    capability = Capability.SPACES_SUSPEND
    form_class = SuspendForm
    title = "Suspendre l’espace"
    lead = (
        "Les agents ne peuvent plus y travailler et rien ne part. Ce qui attend d’être envoyé "
        "attend, et les retours de la préfecture et de la trésorerie sont gardés."
    )
    button = "Suspendre l’espace"
    done = "L’espace est suspendu."
    action = actions.suspend


class Resume(_Change):
    """Let it work again."""

    capability = Capability.SPACES_SUSPEND
    form_class = ReasonForm
    title = "Rouvrir l’espace"
    lead = "Les agents retrouvent leur travail où ils l’avaient laissé, et les envois reprennent."
    button = "Rouvrir l’espace"
    done = "L’espace est rouvert."
    action = actions.resume


class Ask(_Change):
    """Have the package of a space made; the passphrase is shown once."""

    capability = Capability.SPACES_ARCHIVE
    form_class = ReasonForm
    title = "Archiver l’espace"
    lead = (
        "Un paquet chiffré avec tout ce que la plateforme garde pour cette collectivité. Sa "
        "phrase secrète sera affichée une seule fois."
    )
    button = "Préparer l’archive"
    done = ""
    action = actions.ask_archive

    def after(self, request: HttpRequest, organisation: Organisation, done: Any) -> HttpResponse:
        context = {"organisation": organisation, "passphrase": done.passphrase}
        answer = render(request, "life/passphrase.html", context)
        answer["Cache-Control"] = "private, no-store"
        return answer


class Destroy(_Change):
    """Ask for the destruction of a suspended space."""

    capability = Capability.SPACES_ARCHIVE
    form_class = DestroyForm
    title = "Demander la destruction de l’espace"
    lead = (
        "Une seconde personne devra confirmer ; la destruction aura lieu après le délai, et ne "
        "pourra pas être défaite. Un certificat dira ce qui a été détruit."
    )
    button = "Demander la destruction"
    tone = "danger"
    done = "La destruction est demandée : une autre personne doit la confirmer."
    action = actions.ask_destruction


class Fetch(CapabilityView):
    """Take a package away; written down before its first byte leaves."""

    capability = Capability.SPACES_ARCHIVE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        archive = get_object_or_404(Archive.objects.select_related("space__organisation"), pk=pk)
        organisation = archive.space.organisation
        taken = self.attempt(actions.note_download, subject=organisation, archive_id=pk)
        if taken is None:
            return redirect("life:space", siren=organisation.siren)
        content = archives.vault().open(taken.storage_key, "rb")
        answer = StreamingHttpResponse(_chunks(content), content_type="application/octet-stream")
        name = f"espace-{organisation.siren}-{taken.asked_at:%Y%m%d}.socle"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        answer["Content-Length"] = str(taken.size)
        answer["Cache-Control"] = "private, no-store"
        return answer


class Confirm(CapabilityView):
    """The second person: what will be destroyed, then yes."""

    capability = Capability.SPACES_CONFIRM

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        destruction = _destruction(pk)
        context = {"destruction": destruction, "organisation": destruction.space.organisation}
        return render(request, "life/confirm.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        organisation = _destruction(pk).space.organisation
        if self.attempt(actions.confirm_destruction, subject=organisation, destruction_id=pk):
            messages.success(
                request, "La destruction est confirmée : elle aura lieu à la fin du délai."
            )
        return redirect("life:space", siren=organisation.siren)


class Cancel(CapabilityView):
    """Stop a destruction that has not begun."""

    capability = Capability.SPACES_CONFIRM

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show(request, _destruction(pk), ReasonForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        destruction, form = _destruction(pk), ReasonForm(request.POST)
        if not form.is_valid():
            return self.show(request, destruction, form)
        organisation = destruction.space.organisation
        reason = form.cleaned_data["reason"]
        if self.attempt(
            actions.cancel_destruction, subject=organisation, destruction_id=pk, reason=reason
        ):
            messages.success(request, "La destruction est annulée. L’espace reste suspendu.")
        return redirect("life:space", siren=organisation.siren)

    def show(self, request: HttpRequest, one: Destruction, form: forms.Form) -> HttpResponse:
        context = {
            "organisation": one.space.organisation,
            "form": form,
            "title": "Annuler la destruction",
            "lead": "L’espace reste suspendu ; il peut ensuite être rouvert.",
            "button": "Annuler la destruction",
            "tone": "primary",
        }
        return render(request, "life/form.html", context)


class Certificate(CapabilityView):
    """The certificate of destruction."""

    capability = Capability.SPACES_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        destruction = _destruction(pk)
        if destruction.certificate is None:
            raise Http404
        return download(get_object_or_404(StoredFile, pk=destruction.certificate))


def _destruction(pk: int) -> Destruction:
    found = Destruction.objects.select_related(
        "space__organisation", "asked_by", "confirmed_by", "archive"
    )
    return get_object_or_404(found, pk=pk)


def _chunks(content: Any) -> Iterator[bytes]:
    with content:
        while chunk := content.read(_CHUNK):
            yield chunk
