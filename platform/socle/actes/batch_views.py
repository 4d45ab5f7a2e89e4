"""Several acts at once, and the habits of the commune."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.actes import batches, numbers, policies, queries
from socle.actes.batch_forms import BatchFiles, HabitsForm, row_form
from socle.actes.forms import matter_choices
from socle.actes.ground import Ground
from socle.actes.models import ActState, Batch, NumberPattern
from socle.core.refusals import Refusal
from socle.documents.stamp import Corner


class NewBatch(CapabilityView):
    """Choose the files of several acts."""

    capability = Capability.ACTS_PREPARE

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(BatchFiles())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = BatchFiles(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(form)
        batch = self.attempt(batches.begin, key=form.cleaned_data["key"])
        if batch is None:
            return redirect("actes:list")
        self.attempt(
            batches.take_in,
            subject=batch,
            batch_id=batch.pk,
            uploads=form.uploads(),
            common=form.common(),
        )
        return redirect(batch)

    def show(self, form: BatchFiles) -> HttpResponse:
        context = {
            "form": form,
            "matters": matter_choices(queries.classification()),
            "unfinished": batches.unfinished()[:10],
            "barrier": Ground(by=self.request.user, at=timezone.now()).barrier(),
        }
        return render(self.request, "actes/batch_new.html", context)


class BatchPage(CapabilityView):
    """The table of a batch: what is missing, what left, what was refused."""

    capability = Capability.ACTS_PREPARE

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = get_object_or_404(Batch, pk=pk)
        ground = Ground(by=request.user, at=timezone.now())
        rows = batches.rows(batch, ground=ground)
        return render(request, "actes/batch.html", self.context(batch, rows, ground))

    def context(self, batch: Batch, rows: list[batches.Row], ground: Ground) -> dict[str, Any]:
        acts = [row.act for row in rows if row.act]
        gone = [act for act in acts if act.state != ActState.DRAFT]
        drafts = [row for row in rows if row.act and row.act.state == ActState.DRAFT]
        return {
            "batch": batch,
            "rows": [(row, row_form(row), tone_of(row)) for row in rows],
            "gone": len(gone),
            "drafts": len(drafts),
            "ready": sum(not row.problems for row in drafts),
            "total": len(acts),
            "progress_text": f"{len(gone)} sur {len(acts)}",
            "matters": matter_choices(ground.classification),
            "may_transmit": self.can(Capability.ACTS_TRANSMIT),
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = get_object_or_404(Batch, pk=pk)
        ground = Ground(by=request.user, at=timezone.now())
        said = {}
        for row in batches.rows(batch, ground=ground):
            form = row_form(row, request.POST)
            if form is not None and row.act is not None and form.add_prefix("objet") in form.data:
                form.is_valid()
                said[row.act.pk] = form.facts(row.act)
        refused = self.attempt(batches.complete, subject=batch, batch_id=pk, facts=said)
        for refusal in refused or ():
            messages.error(request, str(refusal))
        if refused is None or refused:
            return redirect(batch)
        if "send" in request.POST:
            self.attempt(batches.send, subject=batch, batch_id=pk)
        else:
            messages.success(request, "Le tableau est enregistré.")
        return redirect(batch)


class Habits(CapabilityView):
    """How the commune numbers its acts, and where the stamp stands."""

    capability = Capability.ACTS_TRANSMIT

    def get(self, request: HttpRequest) -> HttpResponse:
        form = HabitsForm(
            initial={"stamp_corner": numbers.corner().value},
            patterns=list(NumberPattern.objects.all()),
        )
        return self.show(form)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = HabitsForm(request.POST)
        if form.is_valid():
            try:
                numbers.set_patterns(
                    patterns=form.patterns(),
                    corner=Corner(form.cleaned_data["stamp_corner"]),
                    by=request.user,
                    at=timezone.now(),
                )
            except Refusal as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, "Les réglages sont enregistrés.")
                return redirect("actes:habits")
        return self.show(form)

    def show(self, form: HabitsForm) -> HttpResponse:
        at = timezone.now()
        context = {
            "form": form,
            "services": [
                (one, number, numbers.gaps(one, at=at)[:20])
                for one, number in numbers.proposals(at=at)
            ],
        }
        return render(self.request, "actes/habits.html", context)


def tone_of(row: batches.Row) -> tuple[str, str]:
    """What became of a file of the batch, in words and in tone."""
    if row.act is None:
        return ("Refusé" if row.item.refusal else "Supprimé", "danger")
    state = ActState(row.act.state)
    if state is not ActState.DRAFT:
        return state.label, policies.TONES[state]
    if row.item.refusal:
        return "N’est pas parti", "danger"
    return ("À compléter", "warning") if row.problems else ("Prêt", "success")
