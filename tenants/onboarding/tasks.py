"""Work of the clock and of the bulk on cases, in small transactions."""

from celery import shared_task
from django.utils import timezone

from socle.core import sweeps
from socle.core.queue import in_tenant
from socle.directory import queries as directory
from tenants.onboarding.actions import cases
from tenants.onboarding.models import CaseBatch, CaseState, OnboardingCase, RowState


@shared_task(name="onboarding.open_cases")
@in_tenant
def open_cases(*, batch_id: int) -> int:
    """Open the cases of a batch, one transaction each; returns how many rows were handled.

    Delivered twice, or stopped half-way and delivered again, it opens each case once.
    """
    return _open_all(batch_id)


def _open_all(batch_id: int) -> int:
    handled = 0
    while cases.open_next(batch_id=batch_id, at=timezone.now()):
        handled += 1
    return handled


@shared_task(name="onboarding.refresh_cases")
def refresh_cases() -> int:
    """Finish batches whose message was lost, then bring every open case in line with the facts.

    Cases of bodies whose space stands still wait. Returns the number of cases looked at.
    """
    waiting = CaseBatch.objects.filter(rows__state=RowState.TODO).distinct()
    batches = list(waiting.values_list("pk", flat=True))
    sweeps.each("Lot de dossiers d’adhésion à ouvrir", batches, _open_all)
    open_now = OnboardingCase.objects.exclude(state=CaseState.CLOSED).order_by("pk")
    open_now = open_now.exclude(organisation_id__in=directory.stopped())
    ids = list(open_now.values_list("pk", flat=True))
    sweeps.each("Dossier d’adhésion à mettre à jour", ids, _refresh, named=lambda key: f"n° {key}")
    return len(ids)


def _refresh(case_id: int) -> None:
    cases.refresh(case_id=case_id, by=cases.CLOCK, at=timezone.now())
