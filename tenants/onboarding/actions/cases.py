"""Open a case, move its steps, close it."""

import logging
from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction

from socle.accounts.models import Person
from socle.core import sweeps
from socle.core.queue import after_commit
from socle.core.refusals import Refusal
from socle.delivery.models import TransmissionOperator
from socle.directory.models import Organisation
from tenants.onboarding import guards, policies, queries
from tenants.onboarding.actions.common import Actor, lock, move_on, note, take_turn, today
from tenants.onboarding.models import (
    CaseBatch,
    CaseBatchRow,
    CaseState,
    ConventionState,
    OnboardingCase,
    RowState,
    StepRecord,
    StepState,
)
from tenants.onboarding.steps import BY_CODE, STEPS, Owner
from tenants.provisioning import provision

CLOCK = "Socle"
"""Who acts when nobody does: facts of other rooms complete a step."""

log = logging.getLogger(__name__)


class NobodyToOpen(Refusal):
    """The EPCI has no member to open a case for."""

    code = "onboarding.nobody_to_open"


@transaction.atomic
def open_case(*, organisation: Organisation, by: Person, at: datetime) -> OnboardingCase:
    """Open the one case of a body, and its space if it has none; no right is granted.

    Raises SecondCase, CaseClosed for a body that is no more.
    """
    body = Organisation.objects.select_for_update(of=("self",)).get(pk=organisation.pk)
    if body.closed_on is not None:
        raise policies.CaseClosed(
            f"« {body} » est fermée depuis le {body.closed_on:%d/%m/%Y} : ouvrez le dossier de la "
            "collectivité qui lui succède."
        )
    if body.onboarding_cases.exclude(state=CaseState.CLOSED).exists():
        raise policies.SecondCase(
            f"« {body} » a déjà un dossier de raccordement ouvert : continuez celui-là."
        )
    if getattr(body, "tenant", None) is None:
        provision(organisation=body, by=by, at=at)
        body.refresh_from_db()
    case = OnboardingCase.objects.create(organisation=body, opened_at=at, opened_by=by)
    StepRecord.objects.bulk_create(StepRecord(case=case, code=step.code) for step in STEPS)
    note(body, "opened", by=by, at=at)
    return move_on(case.pk, by=by, at=at)


@transaction.atomic
def refresh(*, case_id: int, by: Actor, at: datetime) -> OnboardingCase:
    """Bring an open case in line with what happened in the other rooms."""
    lock(case_id)
    return move_on(case_id, by=by, at=at)


@transaction.atomic
def choose_operator(
    *, case_id: int, operator: TransmissionOperator, by: Person, at: datetime
) -> OnboardingCase:
    """Name the operator through whom the body will transmit (step A2).

    Raises OutOfTurn, NotHomologated, AlreadySigned once the délibération names another one.
    """
    case = lock(case_id)
    take_turn(case, "A2", at)
    if case.operator_id == operator.pk:
        return case
    deliberation = getattr(case, "deliberation", None)
    policies.check_unsigned(
        deliberation and deliberation.signed_copy, what="La délibération qui nomme l’opérateur"
    )
    policies.check_operator(operator, on=today(at))
    case.operator = operator
    case.save(update_fields=["operator"])
    note(case.organisation, "operator_chosen", by=by, at=at, operator=operator.name)
    return move_on(case_id, by=by, at=at)


@transaction.atomic
def date_step(
    *, case_id: int, code: str, on: date, text: str = "", by: Person, at: datetime
) -> OnboardingCase:
    """Complete a dated step with the day on which it was done, and a word on how.

    Raises NotDated, OutOfTurn, WrongDate.
    """
    case = lock(case_id)
    policies.check_dated(code, text)
    take_turn(case, code, at)
    step = case.steps.get(code=code)
    if (step.dated_on, step.note) == (on, text):
        return case
    policies.check_not_future(on, today=today(at), field="on")
    policies.check_not_before(
        on,
        what=f"L’étape « {BY_CODE[code].label} »",
        earliest=case.convention.signed_by_prefet_on,
        event="la signature de la convention",
        field="on",
    )
    step.dated_on, step.note = on, text
    step.save(update_fields=["dated_on", "note"])
    if code == "A5":
        _copy_sent(case, on)
    note(case.organisation, "step_dated", by=by, at=at, step=str(step), on=str(on), note=text)
    return move_on(case_id, by=by, at=at)


def _copy_sent(case: OnboardingCase, on: date) -> None:
    convention = case.convention
    convention.sent_to_operator_on = on
    if convention.state == ConventionState.COPY_RECEIVED:
        policies.check_convention(convention.state, ConventionState.COPY_SENT_TO_OPERATOR)
        convention.state = ConventionState.COPY_SENT_TO_OPERATOR
    convention.save(update_fields=["state", "sent_to_operator_on"])


@transaction.atomic
def block(
    *, case_id: int, code: str, owner: Owner, reason: str, by: Person, at: datetime
) -> OnboardingCase:
    """Say that an open step is blocked, why, and by whom. Raises OutOfTurn."""
    case = lock(case_id)
    facts = take_turn(case, code, at)
    step = case.steps.get(code=code)
    if not guards.missing(code, facts):
        raise policies.ForbiddenTransition(f"L’étape « {step} » est déjà faite.")
    if (step.state, step.waits_for, step.reason) == (StepState.BLOCKED, owner, reason):
        return case
    step.state, step.waits_for, step.reason = StepState.BLOCKED, owner, reason
    step.due_on = step.due_on or guards.due_on(code, today(at))
    step.done_at = step.done_by = None
    step.save()
    note(case.organisation, "step_blocked", by=by, at=at, step=str(step), reason=reason)
    return move_on(case_id, by=by, at=at)


@transaction.atomic
def unblock(*, case_id: int, code: str, by: Person, at: datetime) -> OnboardingCase:
    """Let a blocked step go on."""
    case = lock(case_id)
    step = case.steps.get(code=code)
    if step.state != StepState.BLOCKED:
        return case
    step.state, step.waits_for, step.reason = StepState.TODO, "", ""
    step.save()
    note(case.organisation, "step_unblocked", by=by, at=at, step=str(step))
    return move_on(case_id, by=by, at=at)


@transaction.atomic
def set_aside(*, case_id: int, code: str, reason: str, by: Person, at: datetime) -> OnboardingCase:
    """Set aside an optional step that does not concern this body. Raises NotOptional."""
    case = lock(case_id)
    policies.check_optional(code)
    step = case.steps.get(code=code)
    if step.set_aside:
        return case
    step.set_aside, step.state, step.waits_for, step.reason = True, StepState.SKIPPED, "", reason
    step.done_at = step.done_by = None
    step.save()
    note(case.organisation, "step_set_aside", by=by, at=at, step=str(step), reason=reason)
    return move_on(case_id, by=by, at=at)


@transaction.atomic
def take_up(*, case_id: int, code: str, by: Person, at: datetime) -> OnboardingCase:
    """Take up again a step that was set aside."""
    case = lock(case_id)
    step = case.steps.get(code=code)
    if not step.set_aside:
        return case
    step.set_aside, step.state, step.reason = False, StepState.TODO, ""
    step.save()
    note(case.organisation, "step_taken_up", by=by, at=at, step=str(step))
    return move_on(case_id, by=by, at=at)


@transaction.atomic
def close_case(*, case_id: int, reason: str, by: Person, at: datetime) -> OnboardingCase:
    """Close a case for good; the rights it opened stay as they are."""
    case = lock(case_id)
    policies.check_transition(CaseState(case.state), CaseState.CLOSED)
    case.state, case.closed_at, case.closed_by = CaseState.CLOSED, at, by
    case.closing_reason = reason
    case.save(update_fields=["state", "closed_at", "closed_by", "closing_reason"])
    note(case.organisation, "closed", by=by, at=at, reason=reason)
    return case


@transaction.atomic
def ask_for_cases(*, epci: Organisation, by: Person, at: datetime) -> CaseBatch:
    """Ask for the cases of all members of an EPCI; a worker opens them one by one.

    A batch of the same EPCI that is still at work is given back. Raises NobodyToOpen.
    """
    Organisation.objects.select_for_update(of=("self",)).get(pk=epci.pk)
    at_work = CaseBatch.objects.filter(epci=epci, rows__state=RowState.TODO).first()
    if at_work is not None:
        return at_work
    waiting: Iterable[Organisation] = queries.communes_to_open(epci).filter(
        pk__in=queries.without_case()
    )
    rows = [CaseBatchRow(organisation=commune) for commune in waiting]
    if not rows:
        raise NobodyToOpen(
            f"Toutes les communes adhérentes de « {epci} » ont déjà leur dossier, ou aucune n’a "
            "encore adhéré : vérifiez l’annuaire."
        )
    batch = CaseBatch.objects.create(epci=epci, asked_at=at, asked_by=by)
    for row in rows:
        row.batch = batch
    CaseBatchRow.objects.bulk_create(rows)
    after_commit("onboarding.open_cases", batch_id=batch.pk)
    return batch


@transaction.atomic
def open_next(*, batch_id: int, at: datetime) -> bool:
    """Open the case of one commune of a batch; False when no row is left for this worker.

    The row is handled in the transaction that opens the case: stopped anywhere, the batch goes on
    from where it stood.
    """
    row = (
        CaseBatchRow.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(batch_id=batch_id, state=RowState.TODO)
        .select_related("batch__asked_by", "organisation")
        .first()
    )
    if row is None:
        return False
    try:
        with transaction.atomic():
            open_case(organisation=row.organisation, by=row.batch.asked_by, at=at)
        row.state = RowState.OPENED
    except sweeps.PASSING:
        raise
    except Exception as fault:  # said beside the row: the others have their case
        log.warning("the case of %s was not opened", row.organisation, exc_info=True)
        row.state, row.message = RowState.REFUSED, sweeps.cause(fault)[:300]
    row.handled_at = at
    row.save(update_fields=["state", "message", "handled_at"])
    return True
