"""A body changes operator from a day on; what left before keeps its own to the end."""

from datetime import date, datetime

from django.db import transaction

from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.delivery import adapters
from socle.delivery.models import Outbound, OutboundState, TransmissionOperator
from socle.directory.models import Organisation, Protocol, TransmissionRight
from socle.directory.queries import journal_of
from socle.journal.actions import record


class CannotChange(Refusal):
    """The body cannot change to this operator on that day."""

    code = "delivery.cannot_change"


@transaction.atomic
def plan(
    *, organisation: Organisation, protocol: str, to: str, on: date, by: Person, at: datetime
) -> TransmissionRight:
    """Let what leaves from the day `on` go through the operator `to`. Raises CannotChange."""
    right = _right(organisation, protocol)
    today = legal_date(at)
    if right.next_from is not None and today >= right.next_from:
        right.operator, right.next_operator, right.next_from = right.next_operator, "", None
    target = _target(right, to, on=on, today=today)
    if why := adapters.obstacle_for(target, organisation, protocol):
        raise CannotChange(why, field="to")
    _check_nothing_is_stuck(right)
    right.next_operator, right.next_from = target.code, on
    right.save(update_fields=["operator", "next_operator", "next_from"])
    _record("delivery.change_planned", right, by=by, at=at, to=target.name, on=f"{on:%d/%m/%Y}")
    return right


@transaction.atomic
def give_up(*, organisation: Organisation, protocol: str, by: Person, at: datetime) -> None:
    """Give up a change that has not begun. Raises CannotChange."""
    right = _right(organisation, protocol)
    if right.next_from is None or legal_date(at) >= right.next_from:
        raise CannotChange("Aucun changement n’est prévu, ou il a déjà eu lieu : rien à annuler.")
    given_up = right.next_operator
    right.next_operator, right.next_from = "", None
    right.save(update_fields=["next_operator", "next_from"])
    _record("delivery.change_given_up", right, by=by, at=at, to=given_up)


def stuck(right: TransmissionRight) -> int:
    """How many files of a body wait for a decision at its operator."""
    return Outbound.objects.filter(
        organisation=right.organisation_id,
        protocol=right.protocol,
        state__in=(OutboundState.HELD, OutboundState.REFUSED),
    ).count()


def leaving(right: TransmissionRight) -> int:
    """How many files of a body are about to leave: they keep the operator they were made for."""
    return Outbound.objects.filter(
        organisation=right.organisation_id,
        protocol=right.protocol,
        state__in=(OutboundState.DUE, OutboundState.SENDING),
    ).count()


def _right(organisation: Organisation, protocol: str) -> TransmissionRight:
    right = (
        TransmissionRight.objects.select_for_update(of=("self",))
        .select_related("organisation")
        .filter(organisation=organisation, protocol=protocol)
        .first()
    )
    if right is None:
        raise CannotChange(
            f"« {organisation} » n’a pas de convention pour {Protocol(protocol).label} : il n’y a "
            "pas d’opérateur à changer."
        )
    return right


def _target(right: TransmissionRight, code: str, *, on: date, today: date) -> TransmissionOperator:
    if right.next_from is not None:
        raise CannotChange(
            f"Un changement est déjà prévu le {right.next_from:%d/%m/%Y} : annulez-le d’abord.",
            field="on",
        )
    if on <= today:
        raise CannotChange(
            "Le changement prend effet demain au plus tôt : ce qui part aujourd’hui garde son "
            "opérateur.",
            field="on",
        )
    target = TransmissionOperator.objects.filter(code=code).first()
    if target is None or code == right.operator:
        raise CannotChange("Choisissez un autre opérateur que celui d’aujourd’hui.", field="to")
    _check_nature(right, target, on=on)
    return target


def _check_nature(right: TransmissionRight, target: TransmissionOperator, *, on: date) -> None:
    present = TransmissionOperator.objects.filter(code=right.operator).first()
    if target.is_exercise and present is not None and not present.is_exercise:
        raise CannotChange(
            f"{target} est un opérateur d’exercice : les vrais envois de cette collectivité n’y "
            "auraient aucune valeur.",
            field="to",
        )
    until = target.homologated_until
    if not target.is_exercise and until is not None and until < on:
        raise CannotChange(
            f"L’homologation de {target} finit le {until:%d/%m/%Y}, avant ce changement : "
            "enregistrez la nouvelle d’abord.",
            field="on",
        )


def _check_nothing_is_stuck(right: TransmissionRight) -> None:
    if count := stuck(right):
        what = "envoi attend" if count == 1 else "envois attendent"
        raise CannotChange(
            f"{count} {what} une décision chez l’opérateur d’aujourd’hui : réglez-les d’abord à "
            "l’écran des envois bloqués.",
        )


def _record(
    event: str, right: TransmissionRight, *, by: Person, at: datetime, **detail: str
) -> None:
    """In the commune's own journal: her convention changes."""
    record(
        event=event,
        subject=right,
        by=by,
        at=at,
        detail={"protocol": right.get_protocol_display(), "from": right.operator, **detail},
        schema=journal_of(right.organisation),
    )
