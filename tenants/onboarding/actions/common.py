"""What every action on a case does: lock it, check whose turn it is, write it down, move on."""

from datetime import date, datetime
from typing import Any

from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.directory.models import Organisation
from socle.journal.actions import record
from tenants.onboarding import guards, policies, queries
from tenants.onboarding.facts import collect
from tenants.onboarding.guards import Facts, Missing
from tenants.onboarding.models import (
    CaseState,
    ConventionState,
    OnboardingCase,
    StepRecord,
    StepState,
)
from tenants.onboarding.steps import BY_CODE, Owner

Actor = Person | str
"""Who acts; a plain string is the clock."""


def lock(case_id: int) -> OnboardingCase:
    """The open case, locked until the transaction ends. Raises CaseClosed."""
    OnboardingCase.objects.select_for_update(of=("self",)).get(pk=case_id)
    case = queries.case(case_id)
    if case.state == CaseState.CLOSED:
        raise policies.CaseClosed(
            f"Le dossier de « {case.organisation} » est clos : ouvrez-en un nouveau."
        )
    return case


def take_turn(case: OnboardingCase, code: str, at: datetime) -> Facts:
    """The facts, if the turn of step `code` has come. Raises OutOfTurn."""
    facts = collect(case, at)
    policies.check_turn(code, facts)
    return facts


def today(at: datetime) -> date:
    """The legal day of an instant."""
    return legal_date(at)


def note(organisation: Organisation, event: str, *, by: Actor, at: datetime, **detail: Any) -> None:
    """Write what happened in the journal of the body itself."""
    tenant = getattr(organisation, "tenant", None)
    record(
        event=f"onboarding.{event}",
        subject=organisation,
        by=by,
        at=at,
        detail=detail,
        schema=tenant.schema_name if tenant else None,
    )


def move_on(case_id: int, *, by: Actor, at: datetime) -> OnboardingCase:
    """Bring the steps and the state of a locked case in line with the facts; note what changed."""
    case = queries.case(case_id)
    facts = collect(case, at)
    _start_convention(case, facts)
    for step in case.steps.all():
        _move_step(case, step, facts, by=by, at=at)
    before = CaseState(case.state)
    state = policies.state_of(facts, before)
    if state is not before:
        policies.check_transition(before, state)
        case.state = state
        case.save(update_fields=["state"])
        note(case.organisation, "state_changed", by=by, at=at, state=state.label)
    return case


def _start_convention(case: OnboardingCase, facts: Facts) -> None:
    """A convention whose copy is with the operator is in force from its start on."""
    sent = facts.convention_state == ConventionState.COPY_SENT_TO_OPERATOR
    if sent and facts.starts_on is not None and facts.starts_on <= facts.today:
        case.convention.state = ConventionState.ACTIVE
        case.convention.save(update_fields=["state"])


def _move_step(
    case: OnboardingCase, step: StepRecord, facts: Facts, *, by: Actor, at: datetime
) -> None:
    before = (step.state, step.waits_for, step.reason)
    missing = guards.missing(step.code, facts)
    if not guards.applies(step.code, facts):
        _skip(step)
    elif not missing:
        _finish(step, by=by, at=at)
    elif step.state != StepState.BLOCKED:
        _wait(step, missing, facts)
    if (step.state, step.waits_for, step.reason) == before:
        return
    step.save()
    if step.state == StepState.DONE and before[0] != StepState.DONE:
        note(case.organisation, "step_done", by=by, at=at, step=BY_CODE[step.code].label)


def _skip(step: StepRecord) -> None:
    step.state, step.waits_for = StepState.SKIPPED, ""
    step.reason = step.reason if step.set_aside else ""
    step.done_at = step.done_by = None


def _finish(step: StepRecord, *, by: Actor, at: datetime) -> None:
    if step.state != StepState.DONE:
        step.state, step.waits_for, step.reason = StepState.DONE, "", ""
        step.done_at, step.done_by = at, None if isinstance(by, str) else by


def _wait(step: StepRecord, missing: list[Missing], facts: Facts) -> None:
    step.done_at = step.done_by = None
    if not guards.is_open(step.code, facts):
        step.state, step.waits_for, step.reason = StepState.TODO, "", ""
        return
    if step.state != StepState.CURRENT:
        step.due_on = guards.due_on(step.code, facts.today)
    step.state = StepState.CURRENT
    step.waits_for, step.reason = Owner(missing[0].owner).value, missing[0].sentence[:300]
