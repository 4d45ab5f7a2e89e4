"""The acts of a commune, as its secretary works with them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView, note_refusal
from socle.accounts.capabilities import Capability
from socle.actes import (
    actions,
    archive_queries,
    letter_queries,
    numbers,
    page,
    policies,
    preview,
    queries,
    register,
)
from socle.actes.actions import Upload
from socle.actes.forms import ActFilters, ActForm, PublicationForm, stored_data
from socle.actes.ground import Ground
from socle.actes.models import Act, ActFile, ActState, LetterState, Transaction
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.documents.models import StoredFile
from socle.documents.responses import download, show

PER_PAGE = 20


class UnreadFile(Refusal):
    """A file whose name or weight already says that it cannot be sent."""

    code = "actes.unread_file"


class Acts(CapabilityView):
    """All acts, newest first."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form = ActFilters(request.GET or None, years=queries.years())
        found = queries.search(**form.criteria())
        shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "form": form,
            "page": shown,
            "rows": [(act, policies.TONES[ActState(act.state)]) for act in shown],
            "may_prepare": self.can(Capability.ACTS_PREPARE),
            "may_transmit": self.can(Capability.ACTS_TRANSMIT),
            "doors": letter_queries.doors("actes:list"),
            "query": request.GET.urlencode(),
        }
        return render(request, "actes/list.html", context)


class DraftView(CapabilityView):
    """The form of a draft. What she sent is saved first, then judged: no file is sent twice."""

    capability = Capability.ACTS_PREPARE

    def save(self, request: HttpRequest, act: Act | None, form: ActForm) -> HttpResponse:
        """Save what can be, say what cannot, and go where the next step is."""
        form.is_valid()
        refused: list[Refusal] = [UnreadFile(sentence) for sentence in form.unread_files()]
        main = self.kept(form.new_main(), refused)
        annexes = [one for file in form.new_annexes() if (one := self.kept(file, refused))]
        saved = self.attempt(
            actions.save_draft,
            subject=act,
            act_id=act.pk if act else None,
            facts=form.facts(),
            main=main,
            annexes=annexes,
            typologies=form.typologies(),
            removed=form.removed(),
        )
        if saved is None:
            return redirect("actes:list")
        for refusal in refused:
            self.refuse(refusal, saved)
            messages.error(request, str(refusal))
        return self.after(request, saved, refused)

    def kept(self, upload: Upload | None, refused: list[Refusal]) -> Upload | None:
        """The upload if it may be sent; else None, and its refusal among the others."""
        if upload is None:
            return None
        try:
            return replace(upload, found=actions.check_upload(upload))
        except Refusal as refusal:
            refused.append(refusal)
            return None

    def after(self, request: HttpRequest, act: Act, refused: list[Refusal]) -> HttpResponse:
        """To the list when she only saves, back to the form when something is wrong, else on."""
        if "save" in request.POST and not refused:
            messages.success(request, "Le brouillon est enregistré.")
            return redirect("actes:list")
        problems = queries.problems(act, queries.files_of(act), at=timezone.now())
        for problem in problems:
            self.refuse(problem, act)
        return redirect("actes:edit" if problems or refused else "actes:check", pk=act.pk)

    def refuse(self, refusal: Refusal, act: Act) -> None:
        note_refusal(self.request, refusal, event="deposit", subject=act)

    def show(self, form: ActForm, act: Act | None, kept: list[ActFile]) -> HttpResponse:
        context = {
            "form": form,
            "act": act,
            "main": next((file for file in kept if file.role == "main"), None),
            "national": queries.held_classification() is None,
            "awaited": queries.pending_classification_requests().last(),
            "barrier": Ground(by=self.request.user, at=timezone.now()).barrier(),
        }
        return render(self.request, "actes/form.html", context)


class Deposit(DraftView):
    """A new act."""

    def get(self, request: HttpRequest) -> HttpResponse:
        at = timezone.now()
        proposed = numbers.proposals(at=at)
        wanted = request.GET.get("service", "")
        mine = [number for one, number in proposed if str(one.pk) == wanted]
        number = mine[0] if mine else proposed[0][1] if proposed else queries.next_number(at)
        form = ActForm(initial={"number": number}, classification=queries.classification())
        form.offer(proposed)
        return self.show(form, None, [])

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ActForm(request.POST, request.FILES, classification=queries.classification())
        return self.save(request, None, form)


class Edit(DraftView):
    """A draft, with what is still missing beside each field."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        act = get_object_or_404(Act, pk=pk)
        if act.state != ActState.DRAFT:
            return redirect(act)
        kept = queries.files_of(act)
        form = ActForm(
            stored_data(act, kept), classification=queries.classification(), act=act, kept=kept
        )
        form.show(queries.problems(act, kept, at=timezone.now()))
        return self.show(form, act, kept)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        act = draft_or_404(pk)
        form = ActForm(
            request.POST,
            request.FILES,
            classification=queries.classification(),
            act=act,
            kept=queries.files_of(act),
        )
        return self.save(request, act, form)


class Check(CapabilityView):
    """Exactly what will leave, and the one button that sends it."""

    capability = Capability.ACTS_PREPARE

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        act = get_object_or_404(Act, pk=pk)
        if act.state != ActState.DRAFT:
            return redirect(act)
        files = queries.files_of(act)
        try:
            leaving = preview.of(act, files, by=request.user, at=timezone.now())
        except Refusal as refusal:
            messages.warning(request, str(refusal))
            return redirect("actes:edit", pk=pk)
        context = {
            "act": act,
            "preview": leaving,
            "may_transmit": self.can(Capability.ACTS_TRANSMIT),
        }
        return render(request, "actes/check.html", context)


class ActionView(CapabilityView):
    """A button of the act's page: one action, then the page again."""

    http_method_names = ("post",)
    action: Callable[..., Any]
    done = ""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        act = get_object_or_404(Act, pk=pk)
        result = self.attempt(type(self).action, subject=act, act_id=pk)
        if result is not None and self.done:
            messages.success(request, self.done)
        return self.after(act, result)

    def after(self, act: Act, result: Any) -> HttpResponse:
        return redirect("actes:act", pk=act.pk)


class Transmit(ActionView):
    """Send a draft to the préfecture."""

    capability = Capability.ACTS_TRANSMIT
    action = staticmethod(actions.transmit)

    def after(self, act: Act, result: Act | None) -> HttpResponse:
        if result is None:
            return redirect("actes:edit" if act.state == ActState.DRAFT else "actes:act", pk=act.pk)
        messages.success(self.request, f"L’acte {act.number} est en route vers la préfecture.")
        return redirect("actes:act", pk=act.pk)


class TakeBack(ActionView):
    """Make a draft again of an act that waits to leave."""

    capability = Capability.ACTS_PREPARE
    action = staticmethod(actions.take_back)
    done = "L’acte est de nouveau un brouillon."


class Correct(ActionView):
    """Open a draft from a refused act."""

    capability = Capability.ACTS_PREPARE
    action = staticmethod(actions.correct)

    def after(self, act: Act, result: Act | None) -> HttpResponse:
        if result is None:
            return redirect("actes:act", pk=act.pk)
        return redirect("actes:edit", pk=result.pk)


class Duplicate(Correct):
    """Open a draft on the model of another act."""

    action = staticmethod(actions.duplicate)


class Discard(CapabilityView):
    """Throw a draft away, once she said so twice."""

    capability = Capability.ACTS_PREPARE

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return render(request, "actes/discard.html", {"act": draft_or_404(pk)})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        act = draft_or_404(pk)
        self.attempt(actions.discard, subject=act, act_id=pk)
        messages.success(request, "Le brouillon est supprimé.")
        return redirect("actes:list")


class Cancel(CapabilityView):
    """Ask for the cancellation of an acknowledged act, once she said so twice."""

    capability = Capability.ACTS_TRANSMIT

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        act = get_object_or_404(Act, pk=pk)
        if act.state != ActState.ACKNOWLEDGED:
            return redirect("actes:act", pk=pk)
        return render(request, "actes/cancel.html", {"act": act})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        act = get_object_or_404(Act, pk=pk)
        if self.attempt(actions.cancel, subject=act, act_id=pk):
            messages.success(request, "La demande d’annulation part vers la préfecture.")
        return redirect("actes:act", pk=pk)


class Publication(CapabilityView):
    """Say when the act was published."""

    capability = Capability.ACTS_PREPARE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        act = get_object_or_404(Act, pk=pk)
        form = PublicationForm(request.POST, known=act.published_on is not None)
        if not form.is_valid():
            messages.error(request, "La date de publication n’est pas une date : choisissez-la.")
            return redirect("actes:act", pk=pk)
        on = form.cleaned_data["published_on"]
        if self.attempt(actions.set_published, subject=act, act_id=pk, on=on):
            messages.success(request, "La date de publication est à jour.")
        return redirect("actes:act", pk=pk)


class ActPage(CapabilityView):
    """One act on one page: its state in words, its proof, its history, the next step."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        act = get_object_or_404(Act.objects.select_related("bordereau", "replaces"), pk=pk)
        if act.state == ActState.DRAFT and self.can(Capability.ACTS_PREPARE):
            return redirect("actes:check", pk=pk)
        return render(request, "actes/act.html", self.context(act, timezone.now()))

    def context(self, act: Act, at: datetime) -> dict[str, Any]:
        transmits, prepares = Capability.ACTS_TRANSMIT, Capability.ACTS_PREPARE
        publishable = act.state in policies.PUBLISHABLE
        archiving = archive_queries.of_act(act)
        return {
            "act": act,
            "case": page.of(act, at=at),
            "letters": [
                (one, policies.LETTER_TONES[LetterState(one.state)])
                for one in letter_queries.of_act(act)
            ],
            "tone": policies.TONES[ActState(act.state)],
            "may_cancel": act.state == ActState.ACKNOWLEDGED and self.can(transmits),
            "may_duplicate": act.state != ActState.DRAFT and self.can(prepares),
            "may_correct": act.state == ActState.ANOMALY and self.can(prepares),
            "may_take_back": act.state == ActState.WAITING and self.can(prepares),
            "publication": publication_form(act) if publishable and self.can(prepares) else None,
            "may_post": self.can(prepares),
            "archiving": archiving,
            "archived": bool(archiving and not archiving.may_again),
            "may_archive": act.state in policies.ARCHIVABLE and self.can(transmits),
            **control_of(act, today=legal_date(at)),
            **register_on(act, today=legal_date(at)),
        }


class Download(CapabilityView):
    """Give one kept file of an act; what does not exist yet is not found."""

    capability = Capability.ACTS_READ
    find: Callable[..., StoredFile | None]

    def get(self, request: HttpRequest, **keys: int) -> HttpResponseBase:
        stored = self.find(**keys)
        if stored is None:
            raise Http404
        return download(stored)


class Original(Download):
    """A file as it was uploaded; `?voir` opens a PDF in the browser."""

    def get(self, request: HttpRequest, **keys: int) -> HttpResponseBase:
        stored = self.find(**keys)
        return show(stored) if "voir" in request.GET else download(stored)

    def find(self, *, pk: int, file: int) -> StoredFile | None:
        return get_object_or_404(ActFile.objects.select_related("stored"), act=pk, pk=file).stored


class Stamped(Download):
    """The stamped copy of a file."""

    def find(self, *, pk: int, file: int) -> StoredFile | None:
        return get_object_or_404(ActFile.objects.select_related("stamped"), act=pk, pk=file).stamped


class StampSheet(Download):
    """The page that stands for the stamp of a signed file."""

    def find(self, *, pk: int, file: int) -> StoredFile | None:
        found = ActFile.objects.select_related("stamp_sheet")
        return get_object_or_404(found, act=pk, pk=file).stamp_sheet


class Bordereau(Download):
    """The bordereau d'acquittement."""

    def find(self, *, pk: int) -> StoredFile | None:
        return get_object_or_404(Act.objects.select_related("bordereau"), pk=pk).bordereau


class MessageFile(Download):
    """What left (the archive) or what came (the XML), byte for byte."""

    def find(self, *, pk: int, message: int) -> StoredFile | None:
        found = Transaction.objects.select_related("archive", "message")
        transaction = get_object_or_404(found, act=pk, pk=message)
        return transaction.message or transaction.archive


def control_of(act: Act, *, today: date) -> dict[str, Any]:
    """Until when the préfet may refer the act to the court, while it stands."""
    if act.received_on is None or act.state == ActState.CANCELLED:
        return {}
    ends = policies.control_ends(act.received_on, act.nature or 0)
    return {"control_ends": ends, "control_left": policies.days_left(ends, today=today)}


def register_on(act: Act, *, today: date) -> dict[str, Any]:
    """What the page of an act says of the public register."""
    posting = register.posting_of(act)
    first = policies.may_withdraw_on(posting.posted_on) if posting else None
    return {
        "posting": posting,
        "postable": posting is None
        and act.state == ActState.ACKNOWLEDGED
        and act.nature in policies.PUBLIC_NATURES,
        "withdrawable_on": first,
        "withdrawable": first is not None and today >= first,
    }


def draft_or_404(pk: int) -> Act:
    """The draft of this key."""
    return get_object_or_404(Act, pk=pk, state=ActState.DRAFT)


def publication_form(act: Act) -> PublicationForm:
    """The form that shows the present date of publication."""
    known = act.published_on is not None
    return PublicationForm(initial={"published_on": act.published_on}, known=known)
