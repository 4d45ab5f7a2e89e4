"""The convention with the préfet: prepared, signed by both, in force, suspended, renounced (A4)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, BinaryIO

from django.db import transaction

from socle.accounts.models import Person
from socle.directory import actions as directory_actions
from socle.directory import queries as directory
from socle.directory.models import Protocol, TransmissionRight
from tenants.onboarding import files, policies
from tenants.onboarding.actions.common import lock, move_on, note, take_turn, today
from tenants.onboarding.models import ActesConvention, Channel, ConventionState, OnboardingCase
from tenants.onboarding.papers import convention as paper


@transaction.atomic
def prepare(
    *, case_id: int, values: Mapping[str, Any], by: Person, at: datetime
) -> ActesConvention:
    """Write the convention and its letter from the parties, the scope and the dates given.

    Raises OutOfTurn, WrongDate, ForbiddenTransition once it is signed.
    """
    case = lock(case_id)
    take_turn(case, "A4", at)
    one = getattr(case, "convention", None) or ActesConvention(case=case)
    policies.check_convention(one.state, ConventionState.GENERATED)
    policies.check_unsigned(one.signed_by_collectivite_on, what="La convention")
    policies.check_budget_scope(natures=values["natures"], scope=case.deliberation.scope)
    for field, value in values.items():
        setattr(one, field, value)
    _check_start(case, one.starts_on)
    _make(case, one, by=by, at=at)
    one.state = ConventionState.GENERATED
    one.save()
    note(case.organisation, "convention_prepared", by=by, at=at, natures=one.natures)
    move_on(case_id, by=by, at=at)
    return one


def _check_start(case: OnboardingCase, starts_on: date) -> None:
    policies.check_start(
        starts_on, (case.deliberation.transmitted_on, case.route.signed_by_counterparty_on)
    )


def _make(case: OnboardingCase, one: ActesConvention, *, by: Person, at: datetime) -> None:
    syndicat = directory.syndicat()
    document = paper.build(case, one, syndicat=syndicat, at=at)
    one.generated_pdf, one.generated_odt = files.keep_generated(
        document, stem=files.stem("convention", case.organisation), by=str(by), at=at
    )
    one.letter, one.letter_odt = files.keep_generated(
        paper.letter(case, one, at=at),
        stem=files.stem("lettre-prefecture", case.organisation),
        by=str(by),
        at=at,
    )
    one.generated_at = at


@transaction.atomic
def sign_by_collectivite(
    *, case_id: int, on: date, signatory: str, copy: BinaryIO, name: str, by: Person, at: datetime
) -> ActesConvention:
    """Keep the originals signed by the body. Raises OutOfTurn, WrongDate, PDF refusals."""
    case, one = _open(case_id, at)
    if one.signed_by_collectivite_on == on and files.same_content(one.collectivite_copy, copy):
        return one
    policies.check_convention(one.state, ConventionState.SIGNED_BY_COLLECTIVITE)
    policies.check_not_future(on, today=today(at), field="on")
    _check_signature(case, on)
    one.collectivite_copy = files.keep_signed(copy, name=name, by=str(by), at=at)
    one.signed_by_collectivite_on, one.signed_by_collectivite_name = on, signatory
    return _to(case, one, ConventionState.SIGNED_BY_COLLECTIVITE, "convention_signed", by, at,
               signatory=signatory, on=str(on))  # fmt: skip


def _check_signature(case: OnboardingCase, on: date) -> None:
    """The executive signs once the délibération is enforceable and the contract is signed."""
    policies.check_not_before(
        on,
        what="La signature de la convention",
        earliest=case.deliberation.transmitted_on,
        event="la transmission de la délibération qui l’autorise",
        field="on",
    )
    policies.check_not_before(
        on,
        what="La signature de la convention",
        earliest=case.route.signed_by_counterparty_on,
        event="la signature du contrat",
        field="on",
    )


@transaction.atomic
def send(*, case_id: int, on: date, channel: Channel, by: Person, at: datetime) -> ActesConvention:
    """Write down that the originals went to the préfecture. Raises WrongDate."""
    case, one = _open(case_id, at)
    if (one.state, one.sent_to_prefecture_on) == (ConventionState.SENT_TO_PREFECTURE, on):
        return one
    policies.check_convention(one.state, ConventionState.SENT_TO_PREFECTURE)
    policies.check_not_future(on, today=today(at), field="on")
    policies.check_not_before(
        on,
        what="L’envoi à la préfecture",
        earliest=one.signed_by_collectivite_on,
        event="la signature de la collectivité",
        field="on",
    )
    one.sent_to_prefecture_on, one.sent_by, one.returned_reason = on, channel, ""
    return _to(case, one, ConventionState.SENT_TO_PREFECTURE, "convention_sent", by, at, on=str(on))


@transaction.atomic
def take_back(*, case_id: int, reason: str, by: Person, at: datetime) -> ActesConvention:
    """Take back a convention the préfecture returned unsigned: it is to write and sign again."""
    case, one = _open(case_id, at)
    if one.state == ConventionState.GENERATED and one.returned_reason == reason:
        return one
    policies.check_convention(one.state, ConventionState.GENERATED)
    one.returned_reason = reason
    one.signed_by_collectivite_on, one.signed_by_collectivite_name = None, ""
    one.collectivite_copy = None
    one.sent_to_prefecture_on, one.sent_by = None, ""
    return _to(case, one, ConventionState.GENERATED, "convention_returned", by, at, reason=reason)


@transaction.atomic
def sign_by_prefet(
    *, case_id: int, on: date, signatory: str, starts_on: date, by: Person, at: datetime
) -> ActesConvention:
    """Write down the préfet's signature, and the start he set. Raises WrongDate.

    The right to transmit waits for the copy signed by both.
    """
    case, one = _open(case_id, at)
    if (one.signed_by_prefet_on, one.signed_by_prefet_name) == (on, signatory):
        return one
    policies.check_convention(one.state, ConventionState.SIGNED_BY_PREFET)
    policies.check_not_future(on, today=today(at), field="on")
    policies.check_not_before(
        on,
        what="La signature du préfet",
        earliest=one.signed_by_collectivite_on,
        event="celle de la collectivité",
        field="on",
    )
    policies.check_start(starts_on, (one.signed_by_collectivite_on, on))
    one.signed_by_prefet_on, one.signed_by_prefet_name, one.starts_on = on, signatory, starts_on
    return _to(case, one, ConventionState.SIGNED_BY_PREFET, "convention_signed_by_prefet", by, at,
               signatory=signatory, on=str(on))  # fmt: skip


@transaction.atomic
def receive_copy(
    *, case_id: int, copy: BinaryIO, name: str, by: Person, at: datetime
) -> ActesConvention:
    """Keep the copy signed by both, and open the right to transmit acts from the start date on.

    Raises ForbiddenTransition, and what `check_pdf` raises.
    """
    case, one = _open(case_id, at)
    if files.same_content(one.signed_copy, copy):
        return one
    policies.check_convention(one.state, ConventionState.COPY_RECEIVED)
    one.signed_copy = files.keep_signed(copy, name=name, by=str(by), at=at)
    one.copy_received_on = today(at)
    directory_actions.open_right(
        organisation=case.organisation,
        protocol=Protocol.ACTES,
        operator=case.operator.code,
        natures=one.natures,
        reference=str(one),
        starts_on=one.starts_on,
        by=by,
        at=at,
    )
    return _to(case, one, ConventionState.COPY_RECEIVED, "convention_complete", by, at,
               reference=str(one), starts_on=str(one.starts_on))  # fmt: skip


@transaction.atomic
def suspend(*, case_id: int, on: date, reason: str, by: Person, at: datetime) -> ActesConvention:
    """Suspend the convention as the préfet notified it (CGCT R2131-4): acts go on paper."""
    case, one = _open(case_id, at)
    if (one.suspended_on, one.suspension_reason) == (on, reason):
        return one
    policies.check_convention(one.state, ConventionState.SUSPENDED)
    policies.check_not_before(
        on,
        what="La suspension",
        earliest=one.signed_by_prefet_on,
        event="la signature de la convention",
        field="on",
    )
    one.suspended_on, one.suspension_reason = on, reason
    right = _right(case)
    directory_actions.suspend_right(right=right, reason=reason, on=on, by=by, at=at)
    return _to(case, one, ConventionState.SUSPENDED, "convention_suspended", by, at,
               on=str(on), reason=reason)  # fmt: skip


@transaction.atomic
def resume(*, case_id: int, by: Person, at: datetime) -> ActesConvention:
    """End the suspension: acts go electronically again."""
    case, one = _open(case_id, at)
    if one.state in policies.IN_FORCE:
        return one
    back = ConventionState.COPY_RECEIVED
    if one.sent_to_operator_on is not None:
        back = ConventionState.COPY_SENT_TO_OPERATOR
    policies.check_convention(one.state, back)
    one.suspended_on, one.suspension_reason = None, ""
    directory_actions.resume_right(right=_right(case), by=by, at=at)
    return _to(case, one, back, "convention_resumed", by, at)


@transaction.atomic
def renounce(*, case_id: int, on: date, by: Person, at: datetime) -> ActesConvention:
    """Write down that the body gives up electronic transmission from a day on (R2131-3 d)."""
    case, one = _open(case_id, at)
    if one.renounced_on == on:
        return one
    policies.check_convention(one.state, ConventionState.RENOUNCED)
    policies.check_not_before(
        on, what="La renonciation", earliest=one.starts_on, event="le début", field="on"
    )
    one.renounced_on = on
    one.suspended_on, one.suspension_reason = None, ""
    directory_actions.suspend_right(
        right=_right(case), reason="renonciation de la collectivité", on=on, by=by, at=at
    )
    return _to(case, one, ConventionState.RENOUNCED, "convention_renounced", by, at, on=str(on))


def _open(case_id: int, at: datetime) -> tuple[OnboardingCase, ActesConvention]:
    case = lock(case_id)
    take_turn(case, "A4", at)
    one = getattr(case, "convention", None)
    if one is None:
        raise policies.OutOfTurn("Il manque la convention : c’est au syndicat de la produire.")
    return case, one


def _right(case: OnboardingCase) -> TransmissionRight:
    return TransmissionRight.objects.select_for_update(of=("self",)).get(
        organisation=case.organisation, protocol=Protocol.ACTES
    )


def _to(
    case: OnboardingCase,
    one: ActesConvention,
    state: ConventionState,
    event: str,
    by: Person,
    at: datetime,
    **detail: Any,
) -> ActesConvention:
    """Save the convention in its new state, tell the journal, and let the case move on."""
    one.state = state
    one.save()
    note(case.organisation, event, by=by, at=at, **detail)
    move_on(case.pk, by=by, at=at)
    one.refresh_from_db()
    return one
