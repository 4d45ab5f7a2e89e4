"""What she does with the XML her budget software gave her."""

from typing import Final

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView, note_refusal
from socle.accounts.capabilities import Capability
from socle.actes import budgets, policies, queries
from socle.actes.actions import Upload
from socle.actes.budgets import Finding
from socle.actes.ground import Ground
from socle.actes.protocol.archive import SIZE_LIMIT
from socle.core.refusals import Refusal
from socle.web.forms import DateInput, FileField, FilesField
from socle.web.items import Step


class BudgetForm(forms.Form):
    """The XML, the signed papers, and what the XML does not say."""

    document = FileField(
        label="Fichier XML du budget",
        accept=(".xml",),
        max_bytes=SIZE_LIMIT,
        allow_empty_file=True,
        help_text="Celui que votre logiciel de budget ou TotEM a scellé. Ne l’enregistrez pas de "
        "nouveau avant de le déposer : cela romprait son sceau.",
    )
    papers = FilesField(
        label="Délibération et page des signatures",
        accept=(".pdf",),
        max_bytes=SIZE_LIMIT,
        allow_empty_file=True,
        help_text="Elles partent dans le même envoi que le budget : un seul accusé de réception.",
    )
    number = forms.CharField(label="Numéro de la délibération")
    decided_on = forms.DateField(
        label="Date du vote", widget=DateInput, help_text="Le jour de la séance."
    )


class NewBudget(CapabilityView):
    """Look at a budget, then open its draft."""

    capability = Capability.ACTS_PREPARE

    def get(self, request: HttpRequest) -> HttpResponse:
        form = BudgetForm(initial={"number": queries.next_number(timezone.now())})
        return self.show(form, ())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = BudgetForm(request.POST, request.FILES)
        valid = form.is_valid()
        findings = self.findings(form)
        if not valid:
            return self.show(form, findings)
        said = form.cleaned_data
        try:
            act = budgets.open_draft(
                document=_upload(said["document"]),
                papers=[_upload(one) for one in said["papers"]],
                number=policies.tidy_number(said["number"]),
                decided_on=said["decided_on"],
                by=request.user,
                at=timezone.now(),
            )
        except Refusal as refusal:
            note_refusal(request, refusal, event="budget")
            form.add_error("document" if refusal.field == "documents" else None, str(refusal))
            return self.show(form, findings)
        messages.success(request, "Le budget est lu et son sceau est bon.")
        return redirect("actes:check", pk=act.pk)

    def findings(self, form: BudgetForm) -> tuple[Finding, ...]:
        """What is found in the XML, when one was given."""
        chosen = form.cleaned_data.get("document")
        if not chosen:
            return ()
        siren = queries.organisation_here().siren
        return budgets.examine(_upload(chosen).content, siren=siren).findings

    def show(self, form: BudgetForm, findings: tuple[Finding, ...]) -> HttpResponse:
        steps = [
            Step(label=one.label, state=_STATES[one.right], detail=one.sentence) for one in findings
        ]
        barrier = Ground(by=self.request.user, at=timezone.now()).barrier()
        context = {"form": form, "steps": steps, "barrier": barrier}
        return render(self.request, "actes/budget.html", context)


_STATES: Final = {True: "done", False: "blocked", None: "later"}


def _upload(file: UploadedFile) -> Upload:
    return Upload(file.name or "", file.file or file)
