"""What the pages show of a session and of those who come: words and tones, no rule."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from training.models import (
    AttendanceSlot,
    Registration,
    RegistrationState,
    SessionState,
    TrainingSession,
)
from training.wording import duration

SESSION_TONES: Final[dict[str, str]] = {
    SessionState.PLANNED: "neutral",
    SessionState.OPEN: "progress",
    SessionState.HELD: "warning",
    SessionState.CLOSED: "success",
    SessionState.CANCELLED: "danger",
}
REGISTRATION_TONES: Final[dict[str, str]] = {
    RegistrationState.CONFIRMED: "success",
    RegistrationState.WAITING: "warning",
    RegistrationState.WITHDRAWN: "neutral",
}


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of a list of sessions."""

    session: TrainingSession
    tone: str
    seats: str

    @classmethod
    def of(cls, session: TrainingSession) -> "SessionRow":
        """A session annotated by `queries.sessions`."""
        return cls(session, SESSION_TONES[session.state], seats_left(session))


def seats_left(session: TrainingSession) -> str:
    """« 3 places sur 10 », « complet, 2 en attente »."""
    if session.left > 0:
        places = "place libre" if session.left == 1 else "places libres"
        return f"{session.left} {places} sur {session.seats}"
    waiting = f", {session.waiting} en attente" if session.waiting else ""
    return f"Complet{waiting}"


@dataclass(frozen=True, slots=True)
class Participant:
    """One agent on the page of a session."""

    registration: Registration
    label: str
    tone: str
    is_convened: bool
    attended: str
    has_certificate: bool


def participants(
    session: TrainingSession, registrations: list[Registration], slots: list[AttendanceSlot]
) -> list[Participant]:
    """Those who come, then those who wait with their rank; each knows her attendances."""
    seated = [one for one in registrations if one.state == RegistrationState.CONFIRMED]
    waiting = [one for one in registrations if one.state == RegistrationState.WAITING]
    rows = [_participant(session, one, slots, "Inscrit") for one in seated]
    return rows + [
        _participant(session, one, slots, f"En attente, n° {rank}")
        for rank, one in enumerate(waiting, start=1)
    ]


def _participant(
    session: TrainingSession, registration: Registration, slots: list[AttendanceSlot], label: str
) -> Participant:
    marks = {mark.slot_id: mark.is_present for mark in registration.attendances.all()}
    minutes = sum(slot.minutes for slot in slots if marks.get(slot.pk))
    return Participant(
        registration=registration,
        label=label,
        tone=REGISTRATION_TONES[registration.state],
        is_convened=registration.convened_sequence == session.sequence,
        attended=duration(minutes) if minutes else ("aucune heure" if marks else ""),
        has_certificate=session.state == SessionState.CLOSED and minutes > 0,
    )


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One agent on the sign-in sheet of a half-day."""

    registration: Registration
    is_present: bool | None
    recorded_at: datetime | None
    recorded_by: str


def sheet_rows(slot: AttendanceSlot, registrations: list[Registration]) -> list[SheetRow]:
    """The sheet of one half-day. `registrations` know their attendances."""
    return [_sheet_row(slot, registration) for registration in registrations]


def _sheet_row(slot: AttendanceSlot, registration: Registration) -> SheetRow:
    for mark in registration.attendances.all():
        if mark.slot_id == slot.pk:
            return SheetRow(registration, mark.is_present, mark.recorded_at, str(mark.recorded_by))
    return SheetRow(registration, None, None, "")
