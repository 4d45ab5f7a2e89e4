"""Transfers to the archive: the list, one transfer, the answer that comes back."""

from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.actes import archive_queries, archives, policies, queries
from socle.actes.archive_forms import AnswerForm, ArchiveForm
from socle.actes.forms import ActFilters
from socle.actes.models import Act, SaeState, SaeTransfer
from socle.actes.page import NextStep
from socle.actes.protocol.seda import Version
from socle.actes.views import PER_PAGE
from socle.documents.responses import download


class Archives(CapabilityView):
    """All transfers, newest first, and where an answer is handed in."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        page = Paginator(archive_queries.transfers(), PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "page": page,
            "rows": [(one, policies.SAE_TONES[SaeState(one.state)]) for one in page],
            "may_archive": self.can(Capability.ACTS_TRANSMIT),
            "answer": AnswerForm(),
        }
        return render(request, "actes/archives.html", context)


class Ask(CapabilityView):
    """Have a package made: of one act, or of those the filters give."""

    capability = Capability.ACTS_TRANSMIT

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, self.form())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form(request.POST)
        if not form.is_valid():
            return self.show(request, form)
        made = self.attempt(
            archives.ask,
            acts=[act.pk for act in self.found(request)],
            version=Version(form.cleaned_data["version"]),
            parties=form.parties(),
            staff_producer=form.cleaned_data["staff_producer"].strip(),
        )
        if not made:
            return self.show(request, form)
        messages.success(request, "Le paquet est en préparation.")
        return redirect(made[0] if len(made) == 1 else "actes:archives")

    def form(self, *data: Any) -> ArchiveForm:
        return ArchiveForm(
            *data,
            last=SaeTransfer.objects.first(),
            organisation=queries.organisation_here(),
            auto_id="versement_%s",
        )

    def found(self, request: HttpRequest) -> list[Act]:
        """The acts that may be archived among those asked for."""
        asked = request.GET.get("acte", "")
        if asked:
            if not asked.isdigit():
                raise Http404
            return [get_object_or_404(Act, pk=int(asked))]
        found = queries.search(**self.filters(request).criteria())
        return list(archive_queries.archivable(found)[: policies.ARCHIVE_LIMIT])

    def filters(self, request: HttpRequest) -> ActFilters:
        return ActFilters(request.GET or None, years=queries.years())

    def show(self, request: HttpRequest, form: ArchiveForm) -> HttpResponse:
        found = self.found(request)
        context = {
            "form": form,
            "filters": self.filters(request),
            "count": len(found),
            "act": found[0] if request.GET.get("acte") else None,
        }
        return render(request, "actes/archive_ask.html", context)


class ArchivePage(CapabilityView):
    """One transfer: where it stands, its acts, its package, the answer."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = SaeTransfer.objects.select_related("content", "reply")
        transfer = get_object_or_404(found, pk=pk)
        state = SaeState(transfer.state)
        lines = list(transfer.lines.select_related("act"))
        context = {
            "transfer": transfer,
            "lines": lines,
            "total": len(lines),
            "progress_text": f"{transfer.done} sur {len(lines)}",
            "tone": policies.SAE_TONES[state],
            "step": STEPS[state],
            "answerable": bool(policies.SAE_TRANSITIONS[state]) and state != SaeState.WAITING,
            "droppable": state == SaeState.READY and transfer.taken_at is None,
            "answer": AnswerForm(),
            "may_archive": self.can(Capability.ACTS_TRANSMIT),
        }
        return render(request, "actes/archive.html", context)


class Package(CapabilityView):
    """The SEDA package; the journal says who took it."""

    capability = Capability.ACTS_TRANSMIT

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        transfer = get_object_or_404(SaeTransfer, pk=pk)
        stored = self.attempt(archives.take, subject=transfer, transfer_id=pk)
        return download(stored) if stored else redirect(transfer)


class Reply(CapabilityView):
    """The answer of the archive, byte for byte."""

    capability = Capability.ACTS_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        transfer = get_object_or_404(SaeTransfer.objects.select_related("reply"), pk=pk)
        if transfer.reply is None:
            raise Http404
        return download(transfer.reply)


class Answer(CapabilityView):
    """Hand in the answer of the archive; it names its transfer itself."""

    capability = Capability.ACTS_TRANSMIT
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AnswerForm(request.POST, request.FILES)
        if not form.is_valid():
            messages.error(request, "Choisissez le fichier XML que le service d’archives a envoyé.")
            return redirect("actes:archives")
        file = form.cleaned_data["reply"]
        transfer = self.attempt(archives.answer, content=file.read(), name=file.name)
        if transfer is None:
            return redirect("actes:archives")
        messages.success(request, f"Réponse enregistrée : {transfer.get_state_display()}.")
        return redirect(transfer)


class Drop(CapabilityView):
    """Give up a transfer nobody carried away."""

    capability = Capability.ACTS_TRANSMIT
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        transfer = get_object_or_404(SaeTransfer, pk=pk)
        if self.attempt(archives.drop, subject=transfer, transfer_id=pk):
            messages.success(
                request, "Le versement est abandonné : ses actes sont de nouveau libres."
            )
        return redirect(transfer)


STEPS: Final = {
    SaeState.WAITING: NextStep(
        "info", "Le paquet se prépare", "Vous pouvez fermer cette page et y revenir."
    ),
    SaeState.READY: NextStep(
        "info",
        "Le paquet est prêt et vérifié",
        "Téléchargez-le, déposez-le chez votre service d’archives, puis enregistrez ici le fichier "
        "qu’il vous renvoie.",
    ),
    SaeState.FAILED: NextStep(
        "danger",
        "Le paquet n’a pas pu être fait",
        "Appelez votre syndicat. Les actes peuvent être versés de nouveau.",
    ),
    SaeState.DROPPED: NextStep(
        "info", "Versement abandonné", "Ses actes peuvent être mis dans un autre versement."
    ),
    SaeState.DEPOSITED: NextStep(
        "info",
        "Le service d’archives a reçu le paquet",
        "Il l’examine. Enregistrez ici la réponse qu’il vous enverra.",
    ),
    SaeState.ACCEPTED: NextStep(
        "success",
        "Les actes sont archivés",
        "Le service d’archives en a pris la garde : vous n’avez plus rien à faire.",
    ),
    SaeState.REFUSED: NextStep(
        "danger",
        "Le service d’archives a refusé le paquet",
        "Corrigez ce qu’il signale, puis préparez un autre versement.",
    ),
}
