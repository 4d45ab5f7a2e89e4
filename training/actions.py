"""What happens to programmes and sessions: one function per event."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django_tenants.utils import get_public_schema_name

from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.directory import queries as directory
from socle.directory.models import Organisation
from socle.journal.actions import record
from socle.notices.actions import tell
from training import permissions, policies, queries
from training.models import (
    Attendance,
    AttendanceSlot,
    Programme,
    Registration,
    RegistrationState,
    SessionState,
    TrainingCertificate,
    TrainingSession,
)
from training.places import address_of
from training.policies import Span
from training.wording import half_day, span

CODE_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that is read as a digit."""


@transaction.atomic
def save_programme(
    *, facts: Mapping[str, Any], by: Person, at: datetime, programme_id: int | None = None
) -> Programme:
    """Write a programme: a new one, or new words for one that exists."""
    permissions.check_can_plan(by, legal_date(at))
    programme, _ = Programme.objects.update_or_create(pk=programme_id, defaults=dict(facts))
    record(
        event="training.programme_saved",
        subject=programme,
        by=by,
        at=at,
        detail={"title": programme.title},
    )
    return programme


@transaction.atomic
def plan(
    *,
    programme: Programme,
    trainer: Person,
    seats: int,
    slots: Sequence[Span],
    by: Person,
    at: datetime,
    place: str = "",
    remote_link: str = "",
    is_open: bool = True,
) -> TrainingSession:
    """Plan a session, open to registrations at once unless `is_open` is false.

    `slots` are (start, end) pairs of aware instants. Raises the refusals of `policies.check_slots`,
    `check_whereabouts` and `check_seats`, and NotATrainer.
    """
    _check_plan(trainer, seats, slots, place, remote_link, by=by, at=at)
    session = TrainingSession.objects.create(
        programme=programme,
        trainer=trainer,
        seats=seats,
        place=place,
        remote_link=remote_link,
        state=SessionState.OPEN if is_open else SessionState.PLANNED,
        starts_at=slots[0][0],
        ends_at=slots[-1][1],
    )
    AttendanceSlot.objects.bulk_create(
        AttendanceSlot(session=session, rank=rank, starts_at=start, ends_at=end)
        for rank, (start, end) in enumerate(slots, start=1)
    )
    _record_session("training.session_planned", session, by=by, at=at)
    return session


@transaction.atomic
def open_registrations(*, session_id: int, by: Person, at: datetime) -> TrainingSession:
    """Let agents register."""
    permissions.check_can_plan(by, legal_date(at))
    session = _locked(session_id)
    policies.check_transition(session.state, SessionState.OPEN)
    session.state = SessionState.OPEN
    session.save(update_fields=["state"])
    _record_session("training.session_opened", session, by=by, at=at)
    return session


@transaction.atomic
def move(
    *,
    session_id: int,
    trainer: Person,
    seats: int,
    slots: Sequence[Span],
    by: Person,
    at: datetime,
    place: str = "",
    remote_link: str = "",
) -> TrainingSession:
    """Change when, where, by whom or for how many; participants have to be convened again.

    New seats go to those who wait, in their order.
    """
    session = _locked(session_id)
    policies.check_editable(session.state, session.starts_at, at=at)
    _check_plan(trainer, seats, slots, place, remote_link, by=by, at=at)
    policies.check_seats(seats, taken=queries.seats_taken(session))
    kept = list(session.slots.all())
    policies.check_same_half_days(len(kept), len(slots))
    session.sequence += _appointment(session, kept) != (place, remote_link, tuple(slots))
    session.trainer, session.seats = trainer, seats
    session.place, session.remote_link = place, remote_link
    session.starts_at, session.ends_at = slots[0][0], slots[-1][1]
    session.save()
    for slot, (start, end) in zip(kept, slots, strict=True):
        slot.starts_at, slot.ends_at = start, end
        slot.save(update_fields=["starts_at", "ends_at"])
    _record_session("training.session_moved", session, by=by, at=at)
    _promote(session, by=by, at=at)
    return session


@transaction.atomic
def cancel(*, session_id: int, reason: str, by: Person, at: datetime) -> TrainingSession:
    """Call a session off and tell everybody who came or waited."""
    permissions.check_can_plan(by, legal_date(at))
    session = _locked(session_id)
    policies.check_transition(session.state, SessionState.CANCELLED)
    session.state, session.cancelled_reason = SessionState.CANCELLED, reason
    session.sequence += 1
    session.save(update_fields=["state", "cancelled_reason", "sequence"])
    _record_session("training.session_cancelled", session, by=by, at=at, reason=reason)
    for registration in _expected(session):
        _tell(
            registration,
            what="cancelled",
            subject=f"Formation annulée : {session}",
            body=f"La session du {span(session.starts_at, session.ends_at)} est annulée : {reason}",
            at=at,
        )
    return session


@transaction.atomic
def register(
    *, session_id: int, person: Person, organisation: Organisation, by: Person, at: datetime
) -> Registration:
    """Give an agent a seat, or a place in the waiting list when all are taken.

    An agent registers herself while the session is open; a trainer registers anybody who works for
    a member body. Raises the refusals of `permissions` and `policies.check_registration`.
    """
    session = _locked(session_id)
    on = legal_date(at)
    as_trainer = permissions.check_can_speak_for(by, person, on)
    permissions.check_can_attend(person, organisation, on)
    policies.check_registration(
        session.state,
        session.starts_at,
        at=at,
        by_trainer=as_trainer,
        known=queries.current(session).filter(person=person).exists(),
    )
    registration = Registration.objects.create(
        session=session,
        person=person,
        organisation=organisation,
        state=policies.seat_for(queries.seats_taken(session), session.seats),
        registered_at=at,
        registered_by=by,
    )
    _record_registrations([("training.agent_registered", registration)], by=by, at=at)
    return registration


@transaction.atomic
def withdraw(*, registration_id: int, by: Person, at: datetime) -> Registration:
    """Give a seat back; the first who waits gets it and is told."""
    session = _locked(Registration.objects.get(pk=registration_id).session_id)
    registration = Registration.objects.select_for_update(of=("self",)).get(pk=registration_id)
    permissions.check_can_speak_for(by, registration.person, legal_date(at))
    policies.check_withdrawal(session.state, session.starts_at, at=at)
    if registration.state == RegistrationState.WITHDRAWN:
        return registration
    registration.state = RegistrationState.WITHDRAWN
    registration.save(update_fields=["state"])
    _promote(session, by=by, at=at, first=[("training.agent_withdrawn", registration)])
    return registration


@transaction.atomic
def convene(*, session_id: int, by: Person, at: datetime) -> int:
    """Tell when and where to every agent who has a seat and was not told yet; how many they were.

    Raises NotConvened when everybody knows.
    """
    permissions.check_can_plan(by, legal_date(at))
    session = _locked(session_id)
    due = list(queries.to_convene(session))
    if session.state != SessionState.OPEN or not due:
        raise policies.NotConvened(
            "Tous les inscrits ont déjà leur convocation, ou la session n’est pas ouverte."
        )
    Registration.objects.filter(pk__in=[one.pk for one in due]).update(
        convened_at=at, convened_sequence=session.sequence
    )
    for registration in due:
        _tell(
            registration,
            what=f"convened.{session.sequence}",
            subject=f"Convocation : {session}",
            body=_convocation(session),
            at=at,
        )
    _record_session("training.convened", session, by=by, at=at, agents=len(due))
    return len(due)


@transaction.atomic
def sign(*, slot_id: int, marks: Mapping[int, bool], by: Person, at: datetime) -> AttendanceSlot:
    """Write down who is present and who is absent for one half-day.

    `marks` goes from registrations to presence; those it leaves out stay unsigned. Signing again
    corrects, until the session is closed; the journal keeps every version. The first signature
    makes the session a held one. Raises NotStarted, NotExpected, ForbiddenTransition.
    """
    permissions.check_can_plan(by, legal_date(at))
    slot = AttendanceSlot.objects.get(pk=slot_id)
    session = _locked(slot.session_id)
    policies.check_attendance(session.state, slot.starts_at, at=at)
    policies.check_expected(marks, set(queries.confirmed(session).values_list("pk", flat=True)))
    for registration_id, is_present in marks.items():
        Attendance.objects.update_or_create(
            slot=slot,
            registration_id=registration_id,
            defaults={"is_present": is_present, "recorded_at": at, "recorded_by": by},
        )
    if session.state == SessionState.OPEN and marks:
        session.state = SessionState.HELD
        session.save(update_fields=["state"])
    _record_session(
        "training.half_day_signed",
        session,
        by=by,
        at=at,
        half_day=half_day(slot.starts_at),
        present=sorted(pk for pk, is_present in marks.items() if is_present),
        absent=sorted(pk for pk, is_present in marks.items() if not is_present),
    )
    return slot


@transaction.atomic
def close(*, session_id: int, by: Person, at: datetime) -> list[TrainingCertificate]:
    """Close a session whose half-days are all signed; attest the hours of those who came.

    Raises Unsigned, which names the half-days, NobodyCame and ForbiddenTransition.
    """
    permissions.check_can_plan(by, legal_date(at))
    session = _locked(session_id)
    policies.check_transition(session.state, SessionState.CLOSED)
    unsigned = [half_day(slot.starts_at) for slot in queries.unsigned_slots(session)]
    policies.check_closing(unsigned, participants=queries.seats_taken(session))
    session.state, session.closed_at, session.closed_by = SessionState.CLOSED, at, by
    session.save(update_fields=["state", "closed_at", "closed_by"])
    _record_session("training.session_closed", session, by=by, at=at)
    attended = [one for one in queries.confirmed(session) if queries.attended_slots(one)]
    certificates = [_certify(one, by=by, at=at) for one in attended]
    _record_registrations([("training.attested", one) for one in attended], by=by, at=at)
    return certificates


@transaction.atomic
def collect(*, registration_id: int, by: Person, at: datetime) -> TrainingCertificate:
    """Take the certificate of an agent; hers is remembered as taken.

    Raises NotClosed before the session is, NoAttendance when no half-day was attended.
    """
    registration = Registration.objects.select_related("session", "person").get(pk=registration_id)
    minutes = sum(slot.minutes for slot in queries.attended_slots(registration))
    policies.check_certificate(registration.session.state, minutes, who=str(registration.person))
    certificate = TrainingCertificate.objects.get(registration=registration)
    if registration.person_id == by.pk and certificate.collected_at is None:
        certificate.collected_at = at
        certificate.save(update_fields=["collected_at"])
    return certificate


def new_code() -> str:
    """A code nobody guesses (60 bits), as people read it: « 4K7M-Q2ZT-90AB »."""
    drawn = "".join(secrets.choice(CODE_ALPHABET) for _ in range(12))
    return "-".join(drawn[start : start + 4] for start in range(0, 12, 4))


def _certify(registration: Registration, *, by: Person, at: datetime) -> TrainingCertificate:
    """The hours really attended, in the words of today: a programme renamed changes no proof."""
    slots = queries.attended_slots(registration)
    session = registration.session
    certificate = TrainingCertificate.objects.create(
        registration=registration,
        code=new_code(),
        minutes=sum(slot.minutes for slot in slots),
        trainee=str(registration.person),
        body=str(registration.organisation),
        title=session.programme.title,
        objectives=session.programme.objectives,
        periods=[span(slot.starts_at, slot.ends_at) for slot in slots],
        trainer=str(session.trainer),
        issued_at=at,
        issued_by=by,
    )
    _tell(
        registration,
        what="attested",
        subject=f"Votre attestation : {session}",
        body=f"Elle porte sur {certificate.duration} de formation et vous attend en ligne.",
        at=at,
    )
    return certificate


def _locked(session_id: int) -> TrainingSession:
    """The session, held until the transaction ends: seats are counted by one person at a time."""
    return (
        TrainingSession.objects.select_for_update(of=("self",))
        .select_related("programme", "trainer")
        .get(pk=session_id)
    )


def _check_plan(
    trainer: Person,
    seats: int,
    slots: Sequence[Span],
    place: str,
    remote_link: str,
    *,
    by: Person,
    at: datetime,
) -> None:
    on = legal_date(at)
    permissions.check_can_plan(by, on)
    permissions.check_can_plan(trainer, on)
    policies.check_slots(slots, at=at)
    policies.check_whereabouts(place, remote_link)
    policies.check_seats(seats)


def _appointment(
    session: TrainingSession, slots: Iterable[AttendanceSlot]
) -> tuple[str, str, tuple[Span, ...]]:
    spans = tuple((slot.starts_at, slot.ends_at) for slot in slots)
    return session.place, session.remote_link, spans


def _expected(session: TrainingSession) -> Iterable[Registration]:
    return queries.current(session).select_related("person", "organisation__tenant")


def _promote(
    session: TrainingSession,
    *,
    by: Person,
    at: datetime,
    first: Sequence[tuple[str, Registration]] = (),
) -> None:
    free = session.seats - queries.seats_taken(session)
    waiting = queries.waiting(session).select_related("person", "organisation__tenant")
    promoted = list(waiting[: max(free, 0)])
    for registration in promoted:
        registration.state = RegistrationState.CONFIRMED
        registration.save(update_fields=["state"])
        _tell(
            registration,
            what="promoted",
            subject=f"Une place s’est libérée : {session}",
            body=f"Vous êtes maintenant inscrit à la session du "
            f"{span(session.starts_at, session.ends_at)}.",
            at=at,
        )
    promotions = [("training.agent_promoted", registration) for registration in promoted]
    _record_registrations([*first, *promotions], by=by, at=at)


def _convocation(session: TrainingSession) -> str:
    half_days = " ; ".join(span(slot.starts_at, slot.ends_at) for slot in session.slots.all())
    where = " — ".join(filter(None, (session.where, session.remote_link)))
    return (
        f"Vous êtes attendu à la formation « {session} » : {half_days}. Lieu : {where}. "
        "Votre convocation et le rendez-vous pour votre agenda sont en ligne."
    )


def _tell(registration: Registration, *, what: str, subject: str, body: str, at: datetime) -> None:
    tell(
        people=[registration.person],
        organisation=registration.organisation,
        key=f"training.{what}:{registration.pk}",
        subject=subject[:200],
        body=body,
        url=address_of(registration.organisation),
        at=at,
    )


def _record_session(
    event: str, session: TrainingSession, *, by: Person, at: datetime, **detail: Any
) -> None:
    told = {
        "title": session.programme.title,
        "when": span(session.starts_at, session.ends_at),
        **detail,
    }
    record(event=event, subject=session, by=by, at=at, detail=told, schema=get_public_schema_name())


def _record_registrations(
    events: Iterable[tuple[str, Registration]], *, by: Person, at: datetime
) -> None:
    """Each in its commune's journal, in one order for all: no two writers wait for each other."""
    placed = [(directory.journal_of(one.organisation), event, one) for event, one in events]
    for schema, event, one in sorted(placed, key=lambda row: (row[0], row[2].pk)):
        detail = {
            "title": one.session.programme.title,
            "agent": str(one.person),
            "state": RegistrationState(one.state).label,
        }
        record(event=event, subject=one, by=by, at=at, detail=detail, schema=schema)
