"""Times in which an operator takes nothing, declared or found out. Nothing is lost: it waits."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, Sum

from socle.accounts.models import Person
from socle.core import queue
from socle.core.refusals import Refusal
from socle.delivery.models import Outbound, OutboundState, TransmissionOperator, Window
from socle.journal.actions import record

LONGEST: Final = timedelta(days=31)
"""A window longer than this is a slip of the pen."""
PATIENCE: Final = timedelta(minutes=10)
"""How long an operator may give no answer before people are told."""


class WrongWindow(Refusal):
    """What was said of an unavailability cannot be."""

    code = "delivery.wrong_window"


@transaction.atomic
def declare(
    *,
    operator_id: int,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    by: Person,
    at: datetime,
    protocol: str = "",
    hourly_limit: int = 0,
) -> Window:
    """Write down an unavailability. Raises WrongWindow."""
    operator = TransmissionOperator.objects.select_for_update(of=("self",)).get(pk=operator_id)
    _check(operator, protocol, starts_at, ends_at, at=at)
    window = Window.objects.create(
        operator=operator,
        protocol=protocol,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason.strip(),
        hourly_limit=hourly_limit,
        declared_by=by,
        declared_at=at,
    )
    record(
        event="delivery.window_declared",
        subject=operator,
        by=by,
        at=at,
        detail={
            "operator": operator.name,
            "reason": window.reason,
            "from": starts_at.isoformat(timespec="minutes"),
            "to": ends_at.isoformat(timespec="minutes"),
            "protocol": window.get_protocol_display() or "tout",
            "limit": hourly_limit,
        },
    )
    return window


def _check(
    operator: TransmissionOperator,
    protocol: str,
    starts_at: datetime,
    ends_at: datetime,
    *,
    at: datetime,
) -> None:
    if ends_at <= starts_at:
        raise WrongWindow("La fin doit suivre le début : vérifiez les deux dates.", field="ends_at")
    if ends_at <= at:
        raise WrongWindow("Cette période est déjà passée : vérifiez sa fin.", field="ends_at")
    if ends_at - starts_at > LONGEST:
        raise WrongWindow(
            "Une interruption dure 31 jours au plus : vérifiez les dates, ou déclarez-la en "
            "plusieurs fois.",
            field="ends_at",
        )
    standing = Window.objects.filter(
        operator=operator, ended_at=None, starts_at__lt=ends_at, ends_at__gt=starts_at
    )
    if protocol:
        standing = standing.filter(protocol__in=("", protocol))
    if (other := standing.order_by("starts_at").first()) is not None:
        raise WrongWindow(
            f"Une interruption de « {operator} » est déjà déclarée sur cette période "
            f"({other.reason}) : levez-la d’abord, ou changez les dates.",
            field="starts_at",
        )


@transaction.atomic
def end(*, window_id: int, by: Person, at: datetime) -> Window:
    """Lift an unavailability before its end: what waited leaves. Twice changes nothing."""
    window = (
        Window.objects.select_for_update(of=("self",)).select_related("operator").get(pk=window_id)
    )
    if window.ended_at is None and at < window.ends_at:
        window.ended_at = at
        window.save(update_fields=["ended_at"])
        record(
            event="delivery.window_ended",
            subject=window.operator,
            by=by,
            at=at,
            detail={"operator": window.operator.name, "reason": window.reason},
        )
        queue.after_commit("delivery.wake")
    return window


# Questions


def in_force(at: datetime) -> Q:
    """The windows that stand at an instant."""
    return Q(ended_at=None, starts_at__lte=at, ends_at__gt=at)


def closing(operator_code: str, protocol: str, *, at: datetime) -> Window | None:
    """The window that holds back what would leave now, the one that ends last; or None."""
    return (
        Window.objects.filter(
            in_force(at), operator__code=operator_code, protocol__in=("", protocol), hourly_limit=0
        )
        .select_related("operator")
        .order_by("-ends_at")
        .first()
    )


def held_back(at: datetime) -> Q:
    """The outbound files that may not leave at an instant, however due they are.

    Where a window allows so many octets an hour, a file must be lighter than what is left of the
    hour of the clock; one heavier than a whole hour's leaves alone, at the beginning of an hour: it
    never waits for ever, and never stops the others.
    """
    held = Q(pk__in=())
    for window in Window.objects.filter(in_force(at)):
        concerned = Q(operator=window.operator_id)
        if window.protocol:
            concerned &= Q(protocol=window.protocol)
        if not window.hourly_limit:
            held |= concerned
        elif left := _consumed(concerned, at):
            held |= concerned & Q(size__gte=max(window.hourly_limit - left, 0))
    return held


def _consumed(concerned: Q, at: datetime) -> int:
    """The octets that left, or are leaving, in this hour of the clock."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    gone = Q(state=OutboundState.SENT, sent_at__gte=hour) | Q(state=OutboundState.SENDING)
    total = Outbound.objects.filter(concerned, gone).aggregate(total=Sum("size"))["total"]
    return int(total or 0)


# An operator that does not answer


def note_silence(operator: TransmissionOperator, field: str, *, at: datetime) -> None:
    """Write since when an operator does not answer; `field` is `unsent_since` or `unread_since`."""
    TransmissionOperator.objects.filter(pk=operator.pk, **{field: None}).update(**{field: at})


def note_answer(operator: TransmissionOperator, field: str, *, at: datetime) -> None:
    """Write that it answers again; the others that waited for it need not wait any longer."""
    silent = TransmissionOperator.objects.filter(pk=operator.pk, **{f"{field}__isnull": False})
    since = silent.values_list(field, flat=True).first()
    if since is None or not silent.update(**{field: None}):
        return
    if field == "unsent_since":
        Outbound.objects.filter(
            operator=operator, state=OutboundState.DUE, attempts__gte=1, due_at__gt=at
        ).update(due_at=at)
    if at - since >= PATIENCE:
        record(
            event="delivery.operator_back",
            subject=operator,
            by="Socle",
            at=at,
            detail={"operator": operator.name, "since": since.isoformat(timespec="minutes")},
        )


def forget_silence(operator: TransmissionOperator) -> None:
    """Nothing waits for an operator any more: whether it takes anything is not known."""
    waiting = Outbound.objects.filter(
        operator=operator, state__in=(OutboundState.DUE, OutboundState.SENDING), attempts__gte=1
    )
    if not waiting.exists():
        TransmissionOperator.objects.filter(pk=operator.pk).update(unsent_since=None)


def silent(at: datetime) -> Q:
    """The operators that have not answered for so long that people are told."""
    return Q(unsent_since__lte=at - PATIENCE) | Q(unread_since__lte=at - PATIENCE)
