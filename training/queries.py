"""Questions about sessions, and what other rooms ask: who registered, who was there."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from socle.accounts.capabilities import ROLES, Capability, Role
from socle.accounts.models import Person
from socle.core.text import fold
from socle.directory.models import Grant, Organisation, OrganisationKind
from socle.notices.todos import Todo
from training.models import (
    AttendanceSlot,
    Registration,
    RegistrationState,
    SessionState,
    TrainingCertificate,
    TrainingSession,
)

WEEK = timedelta(days=7)


def registered(organisation: Organisation) -> bool:
    """Whether somebody of the body has a seat, or waits for one, in a session not cancelled."""
    return (
        Registration.objects.filter(organisation=organisation)
        .exclude(state=RegistrationState.WITHDRAWN)
        .exclude(session__state=SessionState.CANCELLED)
        .exists()
    )


def attended(whom: Person | Organisation) -> QuerySet[Registration]:
    """The registrations of a person, or of a body's agents, with a half-day attended in a closed
    session, latest first.
    """
    of = {"organisation": whom} if isinstance(whom, Organisation) else {"person": whom}
    return (
        Registration.objects.filter(
            **of, session__state=SessionState.CLOSED, attendances__is_present=True
        )
        .distinct()
        .select_related("session__programme", "person", "organisation")
        .order_by("-session__starts_at", "-pk")
    )


def is_trained(organisation: Organisation) -> bool:
    """Whether one agent at least of the body attended a session now closed."""
    return attended(organisation).exists()


def sessions() -> QuerySet[TrainingSession]:
    """Every session with its programme, its trainer and its counts: `taken`, `waiting`, `left`."""
    taken = _count(RegistrationState.CONFIRMED)
    return (
        TrainingSession.objects.select_related("programme", "trainer")
        .annotate(taken=taken, waiting=_count(RegistrationState.WAITING))
        .annotate(left=F("seats") - F("taken"))
    )


def _count(state: RegistrationState) -> Coalesce:
    found = (
        Registration.objects.filter(session=OuterRef("pk"), state=state)
        .order_by()
        .values("session")
        .annotate(number=Count("pk"))
        .values("number")
    )
    return Coalesce(Subquery(found), Value(0))


def upcoming(at: datetime) -> QuerySet[TrainingSession]:
    """Sessions not over yet and not cancelled, soonest first."""
    return sessions().filter(ends_at__gte=at).exclude(state=SessionState.CANCELLED)


def to_finish(at: datetime) -> QuerySet[TrainingSession]:
    """Sessions that began and are neither closed nor cancelled, oldest first."""
    return sessions().filter(
        starts_at__lte=at, state__in=(SessionState.OPEN, SessionState.HELD, SessionState.PLANNED)
    )


def past() -> QuerySet[TrainingSession]:
    """Sessions closed or cancelled, latest first."""
    done = (SessionState.CLOSED, SessionState.CANCELLED)
    return sessions().filter(state__in=done).order_by("-starts_at", "-pk")


def open_to(person: Person, at: datetime) -> QuerySet[TrainingSession]:
    """The sessions a person may still register for, soonest first."""
    mine = Registration.objects.filter(person=person).exclude(state=RegistrationState.WITHDRAWN)
    return (
        sessions()
        .filter(state=SessionState.OPEN, starts_at__gt=at)
        .exclude(pk__in=mine.values("session"))
    )


def current(session: TrainingSession) -> QuerySet[Registration]:
    """Those who have a seat or wait for one, in their order."""
    return session.registrations.exclude(state=RegistrationState.WITHDRAWN).order_by(
        "registered_at", "pk"
    )


def confirmed(session: TrainingSession) -> QuerySet[Registration]:
    """Those who have a seat, in the order they got it, with their person and organisation."""
    return (
        session.registrations.filter(state=RegistrationState.CONFIRMED)
        .select_related("person", "organisation__tenant", "session__programme", "session__trainer")
        .order_by("registered_at", "pk")
    )


def waiting(session: TrainingSession) -> QuerySet[Registration]:
    """Those who wait for a seat, first come first."""
    return session.registrations.filter(state=RegistrationState.WAITING).order_by(
        "registered_at", "pk"
    )


def seats_taken(session: TrainingSession) -> int:
    """How many seats are taken."""
    return session.registrations.filter(state=RegistrationState.CONFIRMED).count()


def to_convene(session: TrainingSession) -> QuerySet[Registration]:
    """Those with a seat who do not know the session's present date and place."""
    return confirmed(session).filter(
        Q(convened_sequence=None) | Q(convened_sequence__lt=session.sequence)
    )


def signed_slots(session: TrainingSession) -> QuerySet[AttendanceSlot]:
    """The half-days with `signed`, the number of agents marked present or absent."""
    seated = Q(attendances__registration__state=RegistrationState.CONFIRMED)
    return session.slots.annotate(signed=Count("attendances", filter=seated)).order_by("rank")


def unsigned_slots(session: TrainingSession) -> list[AttendanceSlot]:
    """The half-days where somebody who has a seat is neither present nor absent."""
    return list(signed_slots(session).filter(signed__lt=seats_taken(session)))


def attended_slots(registration: Registration) -> list[AttendanceSlot]:
    """The half-days an agent was present at."""
    return list(
        AttendanceSlot.objects.filter(
            attendances__registration=registration, attendances__is_present=True
        ).order_by("rank")
    )


def registrations_of(person: Person, organisation: Organisation) -> QuerySet[Registration]:
    """A person's registrations for one organisation, latest session first."""
    return (
        Registration.objects.filter(person=person, organisation=organisation)
        .exclude(state=RegistrationState.WITHDRAWN)
        .select_related("session__programme", "session__trainer", "certificate")
        .order_by("-session__starts_at", "-pk")
    )


def agents(session: TrainingSession, text: str, on: date) -> QuerySet[Grant]:
    """The agents of member bodies who are not in the session yet; `text` is part of a name, of an
    address or of the name of the body.
    """
    found = (
        Grant.objects.filter(
            organisation__membership__isnull=False,
            organisation__membership__left_on=None,
            organisation__closed_on=None,
            person__is_active=True,
            starts_on__lte=on,
        )
        .filter(Q(ends_on=None) | Q(ends_on__gte=on))
        .exclude(roles=[])
        .exclude(person__in=current(session).values("person"))
        .select_related("person", "organisation")
        .order_by("organisation__sort_key", "person__last_name", "person__first_name", "pk")
    )
    if text.strip():
        found = found.filter(
            Q(person__last_name__icontains=text.strip())
            | Q(person__first_name__icontains=text.strip())
            | Q(person__email__icontains=text.strip())
            | Q(organisation__sort_key__contains=fold(text))
        )
    return found


def trainers(on: date) -> QuerySet[Person]:
    """The people whom the syndicat lets plan sessions on that day."""
    roles = [role.value for role in Role if Capability.TRAINING_PLAN in ROLES[role]]
    return Person.objects.filter(
        Q(grants__ends_on=None) | Q(grants__ends_on__gte=on),
        is_active=True,
        grants__organisation__kind=OrganisationKind.SYNDICAT,
        grants__roles__overlap=roles,
        grants__starts_on__lte=on,
    ).distinct()


def certificate(code: str) -> TrainingCertificate | None:
    """The certificate a code was printed on, however it was typed."""
    plain = "".join(character for character in code.upper() if character.isalnum())
    spaced = "-".join(plain[start : start + 4] for start in range(0, 12, 4))
    return TrainingCertificate.objects.filter(code=spaced).first()


def trainer_todos(request: HttpRequest) -> Iterator[Todo]:
    """What waits for a trainer: sessions to hold, half-days to sign, sessions to close."""
    at = timezone.now()
    mine = (
        sessions()
        .filter(trainer=request.user, starts_at__lte=at + WEEK)
        .filter(state__in=(SessionState.PLANNED, SessionState.OPEN, SessionState.HELD))
        .annotate(
            begun=Count("slots", filter=Q(slots__starts_at__lte=at), distinct=True),
            marked=Count(
                "slots__attendances",
                filter=Q(slots__attendances__registration__state=RegistrationState.CONFIRMED),
                distinct=True,
            ),
        )
        .order_by("starts_at", "pk")
    )
    found = list(mine)
    soon = [one for one in found if one.starts_at > at]
    unsigned = [one for one in found if one.marked < one.begun * one.taken]
    closing = [
        one
        for one in found
        if one.ends_at <= at and one.state == SessionState.HELD and one not in unsigned
    ]
    yield _todo(unsigned, "session à émarger", "sessions à émarger", "Émarger", "warning")
    yield _todo(closing, "session à clôturer", "sessions à clôturer", "Clôturer", "warning")
    yield _todo(soon, "session à tenir cette semaine", "sessions à tenir cette semaine", "Préparer")


def _todo(
    found: list[TrainingSession], one: str, several: str, button: str, tone: str = "progress"
) -> Todo:
    url = reverse("training:session", args=[found[0].pk]) if found else ""
    detail = " ; ".join(f"{session} ({session.where})" for session in found[:3])
    return Todo(len(found), one if len(found) < 2 else several, url, button, tone, detail)


def agent_todos(request: HttpRequest) -> Iterator[Todo]:
    """What waits for an agent: her next session, her certificates."""
    at = timezone.now()
    mine = registrations_of(request.user, request.tenant.organisation).filter(
        Q(session__starts_at__gt=at, session__state=SessionState.OPEN)
        | Q(certificate__isnull=False, certificate__collected_at=None)
    )
    found = list(mine)
    ready = [one for one in found if one.session.state == SessionState.CLOSED]
    soon = [
        one
        for one in found
        if one.session.state == SessionState.OPEN and one.state == RegistrationState.CONFIRMED
    ]
    url = reverse("training_commune:mine")
    yield Todo(
        count=len(ready),
        sentence="attestation de formation à télécharger"
        if len(ready) < 2
        else "attestations de formation à télécharger",
        url=url,
        button="Télécharger",
    )
    yield Todo(
        count=len(soon),
        sentence="formation à venir" if len(soon) < 2 else "formations à venir",
        url=url,
        button="Voir ma convocation",
        detail=" ; ".join(str(one.session) for one in soon[:3]),
    )
