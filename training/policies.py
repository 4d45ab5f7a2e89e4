"""What may happen to a session and to those who come. No query, no clock, no HTTP."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from training.models import RegistrationState, SessionState
from training.wording import half_day, span

TRANSITIONS: Final[dict[SessionState, frozenset[SessionState]]] = {
    SessionState.PLANNED: frozenset({SessionState.OPEN, SessionState.CANCELLED}),
    SessionState.OPEN: frozenset({SessionState.HELD, SessionState.CANCELLED}),
    SessionState.HELD: frozenset({SessionState.CLOSED}),
    SessionState.CLOSED: frozenset(),
    SessionState.CANCELLED: frozenset(),
}

MAX_SLOTS: Final = 6
Span = tuple[datetime, datetime]


class ForbiddenTransition(Refusal):
    """The session is not in a state that allows this."""

    code = "training.forbidden_transition"


class WrongDates(Refusal):
    """The half-days do not make a session."""

    code = "training.wrong_dates"


class InThePast(WrongDates):
    """The session would begin before now."""

    code = "training.in_the_past"


class Nowhere(Refusal):
    """Neither a place nor a link."""

    code = "training.nowhere"


class NoSeats(Refusal):
    """Fewer seats than one, or than the agents already registered."""

    code = "training.no_seats"


class AlreadyRegistered(Refusal):
    """The agent has a place, or waits for one."""

    code = "training.already_registered"


class RegistrationClosed(Refusal):
    """The session takes nobody, or lets nobody go, any more."""

    code = "training.registration_closed"


class NotStarted(Refusal):
    """Attendance cannot be known before the half-day begins."""

    code = "training.not_started"


class NotExpected(Refusal):
    """The person has no seat in this session."""

    code = "training.not_expected"


class Unsigned(Refusal):
    """Some half-days are not signed for everybody."""

    code = "training.unsigned"


class NobodyCame(Refusal):
    """A session without participants is cancelled, not closed."""

    code = "training.nobody_registered"


class NoAttendance(Refusal):
    """No half-day was attended: nothing can be attested."""

    code = "training.no_attendance"


class NotClosed(Refusal):
    """The session is still going on."""

    code = "training.not_closed"


class NotConvened(Refusal):
    """There is nobody to convene, or the agent has no seat."""

    code = "training.not_convened"


def check_transition(current: str, to: SessionState) -> None:
    """Raise ForbiddenTransition unless a session may go from `current` to `to`."""
    before = SessionState(current)
    if to not in TRANSITIONS[before]:
        raise ForbiddenTransition(
            f"Cette session est « {before.label.lower()} » : elle ne peut pas devenir "
            f"« {to.label.lower()} »."
        )


def check_slots(slots: Sequence[Span], *, at: datetime) -> None:
    """Refuse half-days that are missing, reversed, over midnight, overlapping or begun.

    `slots` are (start, end) pairs of aware instants in the order of the session.
    """
    if not 1 <= len(slots) <= MAX_SLOTS:
        raise WrongDates(
            f"Une session compte de 1 à {MAX_SLOTS} demi-journées : indiquez au moins la première.",
            field="start_1",
        )
    for rank, (start, end) in enumerate(slots, start=1):
        _check_slot(start, end, rank=rank)
    for rank, (before, after) in enumerate(pairwise(slots), start=2):
        if after[0] < before[1]:
            raise WrongDates(
                f"La demi-journée n° {rank} commence avant la fin de la précédente : "
                "mettez-les dans l’ordre.",
                field=f"start_{rank}",
            )
    if slots[0][0] <= at:
        raise InThePast(
            f"La session commencerait le {span(*slots[0])}, un moment déjà passé : "
            "choisissez une date à venir.",
            field="start_1",
        )


def _check_slot(start: datetime, end: datetime, *, rank: int) -> None:
    if end <= start:
        raise WrongDates(
            f"La demi-journée n° {rank} finirait avant d’avoir commencé : corrigez l’heure de fin.",
            field=f"end_{rank}",
        )
    if legal_date(start) != legal_date(end):
        raise WrongDates(
            f"La demi-journée n° {rank} passe minuit : faites-en deux.", field=f"end_{rank}"
        )


def check_whereabouts(place: str, remote_link: str) -> None:
    """Refuse a session that is nowhere."""
    if not (place.strip() or remote_link.strip()):
        raise Nowhere(
            "Indiquez un lieu ou un lien de visioconférence : les agents doivent savoir où aller.",
            field="place",
        )


def check_seats(seats: int, *, taken: int = 0) -> None:
    """Refuse fewer seats than one, or than those `taken` already."""
    if seats < 1:
        raise NoSeats("Une session offre au moins une place.", field="seats")
    if seats < taken:
        raise NoSeats(
            f"{taken} agents sont déjà inscrits : gardez au moins {taken} places, ou désistez "
            "d’abord ceux qui ne viendront pas.",
            field="seats",
        )


def check_same_half_days(before: int, after: int) -> None:
    """A moved session keeps its number of half-days: each is an appointment already sent."""
    if before != after:
        raise WrongDates(
            f"Cette session compte {before} demi-journée(s) et les agents ont reçu autant de "
            "rendez-vous : gardez ce nombre, ou annulez la session et planifiez-en une autre.",
            field="start_1",
        )


def check_editable(state: str, starts_at: datetime, *, at: datetime) -> None:
    """Refuse to move a session that began, was closed or was cancelled."""
    if state not in (SessionState.PLANNED, SessionState.OPEN) or starts_at <= at:
        raise ForbiddenTransition(
            "Cette session a commencé ou n’est plus prévue : elle ne peut plus être modifiée."
        )


def check_registration(
    state: str, starts_at: datetime, *, at: datetime, by_trainer: bool, known: bool
) -> None:
    """Refuse a second registration, or one in a session that takes nobody now.

    The syndicat may add a latecomer while the session is held; an agent registers before it starts.
    """
    if known:
        raise AlreadyRegistered(
            "Cet agent est déjà inscrit ou en attente pour cette session : il n’y a rien à refaire."
        )
    open_to_all = state == SessionState.OPEN and at < starts_at
    open_to_trainer = state in (SessionState.OPEN, SessionState.HELD)
    if not (open_to_trainer if by_trainer else open_to_all):
        raise RegistrationClosed(
            "Cette session ne prend pas d’inscription en ce moment : choisissez-en une autre ou "
            "appelez votre syndicat."
        )


def seat_for(taken: int, seats: int) -> RegistrationState:
    """Whether one more agent gets a seat or waits."""
    return RegistrationState.CONFIRMED if taken < seats else RegistrationState.WAITING


def check_withdrawal(state: str, starts_at: datetime, *, at: datetime) -> None:
    """Refuse to give a seat back once the session began."""
    if state != SessionState.OPEN or starts_at <= at:
        raise RegistrationClosed(
            "La session a commencé ou n’est plus ouverte : l’absence se note sur la feuille "
            "d’émargement."
        )


def check_attendance(state: str, starts_at: datetime, *, at: datetime) -> None:
    """Refuse attendance before the half-day begins, or in a session that is not going on."""
    if state not in (SessionState.OPEN, SessionState.HELD):
        raise ForbiddenTransition(
            f"Cette session est « {SessionState(state).label.lower()} » : l’émargement est fermé."
        )
    if at < starts_at:
        raise NotStarted(
            f"La demi-journée du {half_day(starts_at)} n’a pas commencé : revenez émarger quand "
            "elle aura débuté."
        )


def check_expected(marked: Collection[int], expected: Collection[int]) -> None:
    """Refuse marks for people without a seat."""
    if set(marked) - set(expected):
        raise NotExpected(
            "Une des personnes émargées n’a pas de place dans cette session : rechargez la feuille."
        )


def check_closing(unsigned: Iterable[str], *, participants: int) -> None:
    """Refuse to close a session with unsigned half-days (`unsigned`: in words), or with nobody."""
    if not participants:
        raise NobodyCame("Personne n’est inscrit à cette session : annulez-la plutôt.")
    missing = list(unsigned)
    if missing:
        raise Unsigned(
            f"Il manque des émargements pour : {', '.join(missing)}. "
            "Complétez-les avant de clôturer la session."
        )


def check_certificate(session_state: str, minutes: int, *, who: str) -> None:
    """Refuse to attest what is not closed yet, or was not attended."""
    if session_state != SessionState.CLOSED:
        raise NotClosed(
            "La session n’est pas clôturée : l’attestation sera prête dès que le formateur l’aura "
            "fait."
        )
    if minutes <= 0:
        raise NoAttendance(
            f"{who} n’a assisté à aucune demi-journée de cette session : aucune attestation ne "
            "peut être délivrée."
        )


def check_convened(state: str, session_state: str) -> None:
    """Refuse the convocation of one who has no seat, or to a session that is not open."""
    if state != RegistrationState.CONFIRMED or session_state not in (
        SessionState.OPEN,
        SessionState.HELD,
    ):
        raise NotConvened(
            "Il n’y a pas de convocation : cette personne n’a pas de place, ou la session n’est "
            "pas ouverte."
        )
