"""The letters of the préfecture, as the secretary reads and answers them."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView, note_refusal
from socle.accounts.capabilities import Capability
from socle.actes import letter_page, letter_queries, policies, queries, replies
from socle.actes.letter_forms import AnswerForm, LetterFilters
from socle.actes.models import AnswerFile, Kind, Letter, LetterFile, LetterState
from socle.actes.views import PER_PAGE, Download
from socle.core.refusals import Refusal
from socle.documents.models import StoredFile


class Letters(CapabilityView):
    """All letters, newest first."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form = LetterFilters(request.GET or None)
        found = letter_queries.search(**form.criteria())
        shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "form": form,
            "page": shown,
            "rows": [(one, policies.LETTER_TONES[LetterState(one.state)]) for one in shown],
            "doors": letter_queries.doors("actes:letters"),
        }
        return render(request, "actes/letters.html", context)


class LetterPage(CapabilityView):
    """One letter on one page: what it says, how long it has waited, what can be answered."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = Letter.objects.select_related("act", "message", "mail", "receipt")
        letter = get_object_or_404(found, pk=pk)
        prepares = self.can(Capability.ACTS_PREPARE)
        case = letter_page.of(letter, at=timezone.now())
        context = {
            "letter": letter,
            "act": letter.act,
            "case": case,
            "tone": policies.LETTER_TONES[LetterState(letter.state)],
            "may_read": prepares and letter.read_at is None,
            "answers": case.possible if prepares else (),
            "ready": letter.state == LetterState.ANSWER_READY,
            "may_drop": prepares,
            "may_transmit": self.can(Capability.ACTS_TRANSMIT),
        }
        return render(request, "actes/letter.html", context)


class LetterAction(CapabilityView):
    """A button of the letter's page: one action, then the page again."""

    http_method_names = ("post",)
    action: Any
    done = ""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        letter = get_object_or_404(Letter.objects.select_related("act"), pk=pk)
        if self.attempt(type(self).action, subject=letter.act, letter_id=pk) is not None:
            messages.success(request, self.done)
        return redirect(letter)


class MarkRead(LetterAction):
    """Say that somebody knows what the letter says."""

    capability = Capability.ACTS_PREPARE
    action = staticmethod(replies.mark_read)
    done = "Le courrier est marqué comme lu."


class Drop(LetterAction):
    """Give up a prepared answer."""

    capability = Capability.ACTS_PREPARE
    action = staticmethod(replies.drop)
    done = "La réponse préparée est abandonnée : vous pouvez en préparer une autre."


class Send(LetterAction):
    """Send the prepared answer."""

    capability = Capability.ACTS_TRANSMIT
    action = staticmethod(replies.send)
    done = "La réponse est en route vers la préfecture."


class Reply(CapabilityView):
    """Prepare an answer, or a refusal."""

    capability = Capability.ACTS_PREPARE

    def get(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        letter = self.letter(pk)
        if kind not in policies.possible_answers(letter.kind, letter.state):
            return redirect(letter)
        return self.show(letter, Kind(kind), self.form(letter, Kind(kind)))

    def post(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        letter = self.letter(pk)
        if kind not in set(Kind):
            raise Http404
        form = self.form(letter, Kind(kind), request.POST, request.FILES)
        if form.is_valid() and self.prepare(letter, kind, form):
            messages.success(request, "La réponse est préparée : relisez-la, puis transmettez-la.")
            return redirect(letter)
        return self.show(letter, Kind(kind), form)

    def prepare(self, letter: Letter, kind: str, form: AnswerForm) -> bool:
        """Prepare the answer; a refusal goes into the form and into the journal."""
        try:
            replies.prepare(
                letter_id=letter.pk,
                kind=kind,
                uploads=form.uploads(),
                by=self.request.user,
                at=timezone.now(),
            )
        except Refusal as refusal:
            note_refusal(self.request, refusal, event="prepare_reply", subject=letter.act)
            form.add_error(None, str(refusal))
            return False
        return True

    def letter(self, pk: int) -> Letter:
        return get_object_or_404(Letter.objects.select_related("act"), pk=pk)

    def form(self, letter: Letter, kind: Kind, *data: Any) -> AnswerForm:
        return AnswerForm(
            *data,
            kind=kind,
            classification=queries.classification(),
            nature=letter.act.nature or 0,
        )

    def show(self, letter: Letter, kind: Kind, form: AnswerForm) -> HttpResponse:
        context = {"letter": letter, "act": letter.act, "kind": kind, "form": form}
        return render(self.request, "actes/reply.html", context)


class Paper(Download):
    """A document that came with a letter."""

    def find(self, *, pk: int, file: int) -> StoredFile | None:
        found = LetterFile.objects.select_related("stored")
        return get_object_or_404(found, letter=pk, pk=file).stored


class Mail(Download):
    """The whole return a letter came in."""

    def find(self, *, pk: int) -> StoredFile | None:
        return get_object_or_404(Letter.objects.select_related("mail"), pk=pk).mail


class ReplyFile(Download):
    """A document of an answer."""

    def find(self, *, pk: int, file: int) -> StoredFile | None:
        found = AnswerFile.objects.select_related("stored")
        return get_object_or_404(found, answer__letter=pk, pk=file).stored
