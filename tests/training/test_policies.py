"""The rules of sessions, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from training import policies, wording
from training.models import RegistrationState, SessionState

NOW = datetime(2026, 11, 24, 11, tzinfo=UTC)
HOUR = timedelta(hours=1)


def slot(start: datetime, hours: float = 2) -> policies.Span:
    return start, start + timedelta(hours=hours)


def test_every_state_has_its_transitions() -> None:
    assert policies.TRANSITIONS.keys() == set(SessionState)


@pytest.mark.parametrize("end", [SessionState.CLOSED, SessionState.CANCELLED])
def test_nothing_leaves_a_closed_or_cancelled_session(end: SessionState) -> None:
    for to in SessionState:
        with pytest.raises(policies.ForbiddenTransition):
            policies.check_transition(end, to)


def test_a_held_session_cannot_be_cancelled() -> None:
    with pytest.raises(policies.ForbiddenTransition, match="annulée"):
        policies.check_transition(SessionState.HELD, SessionState.CANCELLED)


def test_a_session_in_the_past_is_refused() -> None:
    with pytest.raises(policies.InThePast, match="déjà passé") as refused:
        policies.check_slots([slot(NOW - HOUR)], at=NOW)
    assert refused.value.field == "start_1"


def test_a_session_without_half_day_is_refused() -> None:
    with pytest.raises(policies.WrongDates, match="au moins la première"):
        policies.check_slots([], at=NOW)


def test_a_half_day_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(policies.WrongDates, match="n° 1 finirait avant"):
        policies.check_slots([slot(NOW + HOUR, -1)], at=NOW)


def test_a_half_day_over_midnight_in_paris_is_refused() -> None:
    evening = datetime(2026, 11, 30, 22, tzinfo=UTC)  # 23:00 in Paris
    with pytest.raises(policies.WrongDates, match="minuit"):
        policies.check_slots([slot(evening)], at=NOW)


def test_overlapping_half_days_are_refused() -> None:
    with pytest.raises(policies.WrongDates, match="n° 2 commence avant") as refused:
        policies.check_slots([slot(NOW + HOUR), slot(NOW + 2 * HOUR)], at=NOW)
    assert refused.value.field == "start_2"


def test_half_days_that_follow_each_other_are_accepted() -> None:
    policies.check_slots([slot(NOW + HOUR, 1), slot(NOW + 2 * HOUR, 1)], at=NOW)


def test_a_session_is_somewhere() -> None:
    with pytest.raises(policies.Nowhere):
        policies.check_whereabouts(" ", "")
    policies.check_whereabouts("", "https://visio.example/1")


def test_seats_below_one_or_below_those_taken_are_refused() -> None:
    with pytest.raises(policies.NoSeats, match="au moins une"):
        policies.check_seats(0)
    with pytest.raises(policies.NoSeats, match="4 agents"):
        policies.check_seats(3, taken=4)


def test_the_last_seat_is_given_and_the_next_agent_waits() -> None:
    assert policies.seat_for(9, 10) is RegistrationState.CONFIRMED
    assert policies.seat_for(10, 10) is RegistrationState.WAITING


def test_a_trainer_may_add_a_latecomer_but_an_agent_comes_before_the_start() -> None:
    policies.check_registration(SessionState.HELD, NOW, at=NOW + HOUR, by_trainer=True, known=False)
    with pytest.raises(policies.RegistrationClosed):
        policies.check_registration(SessionState.OPEN, NOW, at=NOW, by_trainer=False, known=False)


def test_attendance_before_the_half_day_starts_is_refused() -> None:
    with pytest.raises(policies.NotStarted, match="n’a pas commencé"):
        policies.check_attendance(SessionState.OPEN, NOW, at=NOW - timedelta(seconds=1))
    policies.check_attendance(SessionState.OPEN, NOW, at=NOW)


def test_closing_names_the_unsigned_half_days() -> None:
    with pytest.raises(policies.Unsigned, match="24/11/2026 après-midi, 25/11/2026 matin"):
        policies.check_closing(["24/11/2026 après-midi", "25/11/2026 matin"], participants=3)


def test_a_session_nobody_registered_for_is_not_closed() -> None:
    with pytest.raises(policies.NobodyCame, match="annulez-la"):
        policies.check_closing([], participants=0)


@pytest.mark.parametrize(
    ("minutes", "said"), [(45, "45 min"), (150, "2 h 30"), (180, "3 h"), (605, "10 h 05")]
)
def test_durations_are_said_in_french(minutes: int, said: str) -> None:
    assert wording.duration(minutes) == said


def test_noon_is_the_afternoon_on_the_clock_of_paris() -> None:
    assert wording.half_day(NOW) == "24/11/2026 après-midi"
    assert wording.half_day(NOW - timedelta(seconds=1)) == "24/11/2026 matin"
