"""The corridor: what is due goes out once, what comes back is kept before it is read."""

import hashlib
import logging
import uuid
from datetime import datetime, timedelta
from typing import BinaryIO, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from socle.accounts import queries as accounts
from socle.accounts.models import Person
from socle.core import fences, queue, sweeps
from socle.core.clock import legal_date
from socle.core.names import legible, safe_name, shortened
from socle.core.refusals import Refusal
from socle.delivery import adapters, policies, windows
from socle.delivery.adapters import (
    Adapter,
    OperatorRefused,
    OperatorUnavailable,
    OutcomeUnknown,
    Return,
    adapter_for,
)
from socle.delivery.handlers import AlreadyAnswered, Unmatched, room_for
from socle.delivery.models import (
    Answered,
    Decision,
    Inbound,
    InboundState,
    Outbound,
    OutboundState,
    TransmissionOperator,
)
from socle.delivery.origin import Doubtful, Origin
from socle.directory import policies as rights
from socle.directory import queries as directory
from socle.directory.models import Organisation
from socle.documents import actions as documents
from socle.documents import antivirus
from socle.documents.models import StoredFile
from socle.journal.actions import record

log = logging.getLogger(__name__)


class CannotRetry(Refusal):
    """What is asked to go again is on its way or gone already."""

    code = "delivery.cannot_retry"


class NoCertificate(Refusal):
    """A real operator takes nothing from a person without a valid certificate."""

    code = "delivery.no_certificate"


class SpaceStopped(Refusal):
    """The commune's space is suspended: its files wait."""

    code = "delivery.space_stopped"


class NothingToDecide(Refusal):
    """The return was decided on already, or never was doubtful."""

    code = "delivery.nothing_to_decide"


@transaction.atomic(savepoint=False)
def enqueue(
    *,
    organisation: Organisation,
    protocol: str,
    operator: TransmissionOperator,
    name: str,
    payload: StoredFile,
    subject_id: int,
    by: Person,
    at: datetime,
    nature: str = "",
) -> Outbound:
    """Put one file in the outbox of the current schema, and wake a worker after the commit."""
    outbound = Outbound.objects.create(
        organisation=organisation,
        schema=connection.schema_name,
        protocol=protocol,
        operator=operator,
        name=name,
        payload=payload.pk,
        sha256=payload.sha256,
        size=payload.size,
        subject_id=subject_id,
        nature=nature,
        asked_by=by,
        created_at=at,
        due_at=at,
    )
    queue.after_commit("delivery.wake")
    return outbound


def _kept_of(why: str) -> str:
    """As much of a sentence as its column holds, without what no column can hold."""
    return shortened(legible(why), longest=500)


def send_due() -> int:
    """Send what is due, one file after the other, until nothing is; returns how many went."""
    sent = 0
    while (outbound := claim(at=timezone.now())) is not None:
        sent += _send_alone(outbound)
    return sent


def _send_alone(outbound: Outbound) -> bool:
    """As `send`; whatever one file raises holds that file, with its cause, and no other.

    What says nothing of the file is tried again by itself.
    """
    try:
        return send(outbound)
    except sweeps.PASSING:
        raise
    except Exception as fault:
        log.exception("%s: not sent", outbound.name)
        waits = sweeps.is_of_the_moment(fault)
        state = OutboundState.DUE if waits else OutboundState.HELD
        _release(outbound, state, policies.STOPPED + sweeps.cause(fault), at=timezone.now())
        return False


@transaction.atomic
def claim(*, at: datetime) -> Outbound | None:
    """Take the oldest due file for `DELIVERY_LEASE` seconds; None when nothing is due.

    A lease that ran out means that its worker died, perhaps after the bytes had left. What an
    unavailability of its operator holds back is not due; what belongs to a space that stands
    still stays where it is.
    """
    due = Outbound.objects.filter(state=OutboundState.DUE, due_at__lte=at) | (
        Outbound.objects.filter(state=OutboundState.SENDING, lease_until__lt=at)
    )
    outbound = (
        due.exclude(organisation_id__in=directory.stopped())
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("operator", "organisation", "asked_by")
        .exclude(windows.held_back(at))
        .order_by("due_at", "pk")
        .first()
    )
    if outbound is None:
        return None
    outbound.maybe_received |= outbound.state == OutboundState.SENDING
    outbound.state = OutboundState.SENDING
    outbound.attempts += 1
    outbound.lease = uuid.uuid4()
    outbound.lease_until = at + timedelta(seconds=settings.DELIVERY_LEASE)
    outbound.save(update_fields=["maybe_received", "state", "attempts", "lease", "lease_until"])
    return outbound


def send(outbound: Outbound) -> bool:
    """Hand a claimed file to its operator and store the outcome; True when it is there.

    What an attempt without outcome may have left at the operator is asked for before anything
    else: a right withdrawn since, or an answer that came first, does not undo what is there.
    """
    try:
        adapter = adapter_for(outbound.operator)
        if not _is_there(outbound, adapter):
            check_may_go(outbound, at=timezone.now())
            _check_space(outbound)
            _check_clean(outbound)
            _hand_over(outbound, adapter)
    except AlreadyAnswered:
        log.info("%s: answered before its outcome was stored", outbound.name)
    except antivirus.AntivirusAway:
        _release(
            outbound,
            OutboundState.DUE,
            "L’antivirus de la plateforme ne répond pas : nouvel essai automatique.",
            at=timezone.now(),
            maybe_received=outbound.maybe_received,
        )
        return False
    except (OutcomeUnknown, SpaceStopped) as pause:
        _release(outbound, OutboundState.DUE, str(pause), at=timezone.now())
        return False
    except OperatorUnavailable as problem:
        log.warning("%s: no answer (%s)", outbound.name, problem)
        if problem.is_whole:
            windows.note_silence(outbound.operator, "unsent_since", at=timezone.now())
        _release(
            outbound,
            OutboundState.DUE,
            "L’opérateur ne répond pas : nouvel essai automatique.",
            at=timezone.now(),
        )
        return False
    except OperatorRefused as refusal:
        _release(outbound, OutboundState.REFUSED, str(refusal), at=timezone.now())
        return False
    except Refusal as refusal:
        _release(outbound, OutboundState.HELD, str(refusal), at=timezone.now())
        return False
    windows.note_answer(outbound.operator, "unsent_since", at=timezone.now())
    return record_sent(outbound, at=timezone.now())


def check_may_go(outbound: Outbound, *, at: datetime) -> None:
    """Check again, at the door, what was checked at the deposit. Raises a Refusal.

    The convention may have been suspended, or the certificate revoked, since then.
    """
    right = directory.right(outbound.organisation_id, outbound.protocol)
    rights.check_right(right, what="ce fichier", on=legal_date(at), nature=outbound.nature)
    check_certificate(
        person=outbound.asked_by,
        organisation=outbound.organisation,
        operator=outbound.operator,
        at=at,
    )
    with fences.inside(outbound.schema):
        room_for(outbound.protocol).check(outbound, at)


def check_certificate(
    *, person: Person, organisation: Organisation, operator: TransmissionOperator, at: datetime
) -> None:
    """Refuse a person without a valid certificate where the operator requires one."""
    if not operator.requires_certificate:
        return
    if accounts.usable_certificate(person, siren=organisation.siren, at=at) is None:
        raise NoCertificate(
            f"L’opérateur {operator} exige un certificat en cours de validité et {person} n’en a "
            f"pas pour « {organisation} » : prenez rendez-vous avec votre syndicat."
        )


def _is_there(outbound: Outbound, adapter: Adapter) -> bool:
    """Whether the operator holds the file of an attempt whose outcome was not stored.

    Where it cannot be asked, an answer that came says so: raises AlreadyAnswered, or OutcomeUnknown
    while none did.
    """
    if not outbound.maybe_received:
        return False
    try:
        return adapter.find(protocol=outbound.protocol, name=outbound.name) == outbound.sha256
    except OutcomeUnknown as doubt:
        with fences.inside(outbound.schema):
            try:
                room_for(outbound.protocol).check(outbound, timezone.now())
            except AlreadyAnswered:
                raise
            except Refusal:
                log.info("%s: not to go again, and its outcome is not known", outbound.name)
        raise doubt


def _check_space(outbound: Outbound) -> None:
    """Refuse while the commune's space is stopped, even since the file was claimed."""
    if directory.is_stopped(outbound.organisation_id):
        raise SpaceStopped("L’espace est suspendu : l’envoi reprendra avec lui.")


def _check_clean(outbound: Outbound) -> None:
    """Have the antivirus look at what leaves: its signatures are newer than at the deposit.

    Files kept before there was an antivirus are looked at here for the first time. The lease is
    renewed after it: the looking does not eat the time of the sending. Raises what
    `antivirus.check_leaving` raises, and OutcomeUnknown when another worker took the file over.
    """
    if settings.ANTIVIRUS is None:
        return
    with _opened(outbound) as content:
        antivirus.check_leaving(content, name=outbound.name)
    until = timezone.now() + timedelta(seconds=settings.DELIVERY_LEASE)
    mine = Outbound.objects.filter(pk=outbound.pk, lease=outbound.lease)
    if not mine.update(lease_until=until):
        raise OutcomeUnknown("Un autre envoi du même fichier est en cours.")


def _opened(outbound: Outbound) -> BinaryIO:
    """The bytes that leave, as a forward-only stream."""
    with fences.inside(outbound.schema):
        return documents.open_file(StoredFile.objects.get(pk=outbound.payload))


def _hand_over(outbound: Outbound, adapter: Adapter) -> None:
    # An adapter works as the platform: what it keeps of an operator is no commune's.
    with _opened(outbound) as content:
        adapter.send(
            protocol=outbound.protocol, name=outbound.name, content=content, size=outbound.size
        )


@transaction.atomic
def record_sent(outbound: Outbound, *, at: datetime) -> bool:
    """Store that the operator holds the file; False when another worker did or took it over."""
    ours = Outbound.objects.filter(pk=outbound.pk, lease=outbound.lease)
    if not ours.update(
        state=OutboundState.SENT, sent_at=at, lease=None, lease_until=None, last_error=""
    ):
        return False
    with fences.inside(outbound.schema):
        room_for(outbound.protocol).sent(outbound, at)
        record(
            event="delivery.sent",
            subject=outbound,
            by="Socle",
            at=at,
            detail={
                "name": outbound.name,
                "operator": outbound.operator.name,
                "sha256": outbound.sha256,
            },
        )
    return True


@transaction.atomic
def _release(
    outbound: Outbound,
    state: OutboundState,
    why: str,
    *,
    at: datetime,
    maybe_received: bool = True,
) -> None:
    """Give a file back with this state; when it is still due, the operator may have received it."""
    ours = Outbound.objects.filter(pk=outbound.pk, lease=outbound.lease)
    changed = ours.update(
        state=state,
        lease=None,
        lease_until=None,
        last_error=_kept_of(why),
        maybe_received=outbound.maybe_received or (state == OutboundState.DUE and maybe_received),
        due_at=at + policies.wait_after(outbound.attempts),
    )
    if changed and state != OutboundState.DUE:
        _tell_refused(outbound, why, at=at, by_operator=state == OutboundState.REFUSED)


def _tell_refused(outbound: Outbound, why: str, *, at: datetime, by_operator: bool = True) -> None:
    """Tell the room and the commune's journal that a file did not go."""
    with fences.inside(outbound.schema):
        if by_operator:
            room_for(outbound.protocol).refused(outbound, why, at)
        record(
            event="delivery.refused",
            subject=outbound,
            by="Socle",
            at=at,
            detail={"name": outbound.name, "why": why},
            outcome="refused",
        )


@transaction.atomic
def refuse_late(*, outbound_id: int, why: str, at: datetime) -> bool:
    """Write that an operator, having taken a file, refuses it after its own checks.

    The file is on the desk again, as if it had been refused at once. False when it was not sent.
    """
    gone = Outbound.objects.filter(pk=outbound_id, state=OutboundState.SENT)
    if not gone.update(state=OutboundState.REFUSED, sent_at=None, last_error=_kept_of(why)):
        return False
    _tell_refused(Outbound.objects.select_related("operator").get(pk=outbound_id), why, at=at)
    return True


@transaction.atomic
def retry(*, outbound_id: int, by: Person, at: datetime) -> Outbound:
    """Send the same bytes under the same name again, now. Raises CannotRetry."""
    outbound = Outbound.objects.select_for_update(of=("self",)).get(pk=outbound_id)
    if outbound.state in {OutboundState.SENDING, OutboundState.SENT}:
        raise CannotRetry(
            f"« {outbound.name} » est déjà parti ou en train de partir : il n’y a rien à relancer."
        )
    outbound.state, outbound.due_at, outbound.maybe_received = OutboundState.DUE, at, True
    outbound.save(update_fields=["state", "due_at", "maybe_received"])
    record(
        event="delivery.retried",
        subject=outbound,
        by=by,
        at=at,
        detail={"name": outbound.name},
        schema=outbound.schema,
    )
    queue.after_commit("delivery.wake")
    return outbound


def collect(operator: TransmissionOperator) -> int:
    """Fetch, keep and then read what waits at an operator; returns how many were new."""
    new: list[bool] = []
    try:
        adapter = adapter_for(operator)
        new = sweeps.each(
            f"Retours à prendre chez {operator}",
            adapter.returns(),
            lambda waiting: _take(operator, adapter, waiting),
            named=lambda waiting: f"{waiting.name} ({waiting.external_id})",
            passing=(OperatorUnavailable,),
        )
        windows.note_answer(operator, "unread_since", at=timezone.now())
        windows.forget_silence(operator)
    except OperatorUnavailable:
        windows.note_silence(operator, "unread_since", at=timezone.now())
        raise
    finally:  # what is kept already does not wait for the operator to answer again
        kept = Inbound.objects.filter(operator=operator, state=InboundState.RECEIVED)
        for key in list(kept.order_by("attempts", "pk").values_list("pk", flat=True)):
            understand(inbound_id=key)
    return sum(new)


def _take(operator: TransmissionOperator, adapter: Adapter, waiting: Return) -> bool:
    _, created = keep(operator, waiting, adapter.fetch(waiting.external_id))
    adapter.acknowledge(waiting.external_id)
    return created


@transaction.atomic
def keep(operator: TransmissionOperator, waiting: Return, raw: bytes) -> tuple[Inbound, bool]:
    """Write a return down, raw; the same bytes twice are one return."""
    digest = hashlib.sha256(raw).hexdigest()
    known = Inbound.objects.filter(operator=operator, sha256=digest).first()
    if known is not None:
        return known, False
    now = timezone.now()
    name = shortened(safe_name(waiting.name), longest=200)
    stored = documents.store(content=raw, name=name, by="Socle", at=now)
    return Inbound.objects.get_or_create(
        operator=operator,
        sha256=digest,
        defaults={
            "protocol": waiting.protocol,
            "external_id": legible(waiting.external_id)[:100],
            "name": name,
            "payload": stored.pk,
            "received_at": now,
        },
    )


def understand(*, inbound_id: int) -> Inbound:
    """Give a kept return to its room; what is not understood stays on the desk with a sentence."""
    if not _begin(inbound_id):
        return _set_aside(inbound_id, InboundState.FAILED, _NEVER_ENDS)
    try:
        return _match(inbound_id)
    except Unmatched as refusal:
        return _set_aside(inbound_id, InboundState.UNMATCHED, str(refusal))
    except Doubtful as refusal:
        return _set_aside(inbound_id, InboundState.DOUBTFUL, str(refusal))
    except Refusal as refusal:
        return _set_aside(inbound_id, InboundState.FAILED, str(refusal))
    except sweeps.PASSING:
        raise
    except Exception as fault:
        log.exception("the return %s was not understood", inbound_id)
        if sweeps.is_of_the_moment(fault):
            return _put_off(inbound_id, _STOPPED + sweeps.cause(fault))
        return _set_aside(inbound_id, InboundState.FAILED, _STOPPED + sweeps.cause(fault))


_NEVER_ENDS: Final = (
    "La lecture de ce retour a été interrompue chaque fois : ouvrez-le pour voir ce qu’il "
    "contient, puis relisez-le ou donnez-le à l’exploitant de la plateforme."
)
_STOPPED: Final = "La lecture de ce retour s’est arrêtée. "


@transaction.atomic
def _begin(inbound_id: int) -> bool:
    """Count a reading before it: one that ends its process each time is not begun for ever."""
    inbound = Inbound.objects.select_for_update(of=("self",)).get(pk=inbound_id)
    if inbound.state in InboundState.settled():  # by another worker, a moment ago
        return True
    if inbound.state == InboundState.RECEIVED and inbound.attempts >= policies.READINGS:
        return False
    Inbound.objects.filter(pk=inbound_id).update(attempts=F("attempts") + 1)
    return True


@transaction.atomic
def _put_off(inbound_id: int, why: str) -> Inbound:
    """Leave a return to the next round, on the desk meanwhile: the fault is not its own."""
    inbound = Inbound.objects.select_for_update(of=("self",)).get(pk=inbound_id)
    if inbound.state not in InboundState.settled():
        inbound.message = _kept_of(why)
        inbound.attempts = max(inbound.attempts - 1, 0)
        inbound.save(update_fields=["message", "attempts"])
    return inbound


@transaction.atomic
def _match(inbound_id: int) -> Inbound:
    inbound = (
        Inbound.objects.select_for_update(of=("self",))
        .select_related("operator")
        .get(pk=inbound_id)
    )
    if inbound.state in InboundState.settled():
        return inbound
    raw = documents.read(StoredFile.objects.get(pk=inbound.payload))
    now = timezone.now()
    origin = Origin(
        inbound.operator,
        inbound.protocol,
        confirmed=Decision.objects.filter(inbound=inbound, confirmed=True).exists(),
        suspicion=adapters.doubt_about(inbound.operator, raw),
    )
    inbound.organisation_id = room_for(inbound.protocol).receive(inbound.name, raw, now, origin)
    origin.check()  # the room did, saying what it found; nothing stands that it forgot
    inbound.state, inbound.handled_at, inbound.message = InboundState.MATCHED, now, ""
    inbound.save()
    # Perhaps the answer to a file nobody could say had arrived: look at it now.
    Outbound.objects.filter(
        organisation=inbound.organisation_id,
        operator=inbound.operator_id,
        protocol=inbound.protocol,
        state=OutboundState.DUE,
        maybe_received=True,
        due_at__gt=now,
    ).update(due_at=now)
    _tie(inbound, origin)
    return inbound


def _tie(inbound: Inbound, origin: Origin) -> None:
    """Keep which files the return answers; the database refuses those of another operator."""
    for schema, subject_id in sorted(origin.answered):
        answered = Outbound.objects.get(
            schema=schema, protocol=inbound.protocol, subject_id=subject_id
        )
        Answered.objects.create(inbound=inbound, outbound=answered)


@transaction.atomic
def _set_aside(inbound_id: int, state: InboundState, why: str) -> Inbound:
    inbound = Inbound.objects.select_for_update(of=("self",)).get(pk=inbound_id)
    if inbound.state not in InboundState.settled():
        message = _kept_of(why)
        inbound.state, inbound.message, inbound.handled_at = state, message, timezone.now()
        inbound.save()
        record(
            event="delivery.set_aside",
            subject=inbound,
            by="Socle",
            at=inbound.handled_at,
            detail={"name": inbound.name, "why": inbound.message},
            outcome="refused",
        )
    return inbound


@transaction.atomic
def confirm(*, inbound_id: int, by: Person, at: datetime) -> Inbound:
    """A person has looked at a doubtful return and stands for it: it is acted on now.

    Raises NothingToDecide.
    """
    inbound = _decide(inbound_id, confirmed=True, by=by, at=at)
    return understand(inbound_id=inbound.pk)


@transaction.atomic
def dismiss(*, inbound_id: int, by: Person, at: datetime) -> Inbound:
    """A person has looked at a doubtful return and sets it aside for good; it stays kept.

    Raises NothingToDecide.
    """
    inbound = _decide(inbound_id, confirmed=False, by=by, at=at)
    inbound.state = InboundState.DISMISSED
    inbound.save(update_fields=["state"])
    return inbound


def _decide(inbound_id: int, *, confirmed: bool, by: Person, at: datetime) -> Inbound:
    inbound = Inbound.objects.select_for_update(of=("self",)).get(pk=inbound_id)
    if inbound.state != InboundState.DOUBTFUL:
        raise NothingToDecide(f"« {inbound.name} » n’attend plus de décision.")
    Decision.objects.create(inbound=inbound, confirmed=confirmed, by=by, at=at)
    event = "delivery.confirmed" if confirmed else "delivery.dismissed"
    detail = {"name": inbound.name, "why": inbound.message}
    record(event=event, subject=inbound, by=by, at=at, detail=detail)
    return inbound
