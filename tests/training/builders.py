"""Sessions and agents for the tests of training."""

from datetime import date, datetime, timedelta
from typing import Any

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.directory.models import Grant, Organisation
from tests.people import person
from training import actions, defaults
from training.models import Registration, TrainingSession

HALF_DAY = timedelta(hours=2, minutes=30)
LONG_AGO = date(2026, 1, 1)


def someone(*roles: Role, at: Organisation, **fields: Any) -> Person:
    """A person whose roles began long before any session of these tests."""
    made = person(*roles, at=at, **fields)
    Grant.objects.filter(person=made).update(starts_on=LONG_AGO)
    return made


def agent(of: Organisation, **fields: Any) -> Person:
    """A transmitter of a commune."""
    return someone(Role.TRANSMITTER, at=of, **fields)


def plan(
    trainer: Person,
    *starts: datetime,
    at: datetime,
    seats: int = 2,
    length: timedelta = HALF_DAY,
    **options: Any,
) -> TrainingSession:
    """An open session of half-days that begin at `starts`."""
    options.setdefault("place", "Salle du syndicat, Melle")
    return actions.plan(
        programme=defaults.ensure(),
        trainer=trainer,
        seats=seats,
        slots=[(start, start + length) for start in starts],
        by=trainer,
        at=at,
        **options,
    )


def enrol(session: TrainingSession, who: Person, of: Organisation, at: datetime) -> Registration:
    """`who` registers herself."""
    return actions.register(session_id=session.pk, person=who, organisation=of, by=who, at=at)
