"""The life of a session, from planning to certificates."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django_tenants.utils import schema_context

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.directory.models import Grant, Membership, Organisation
from socle.journal.models import Entry
from socle.notices.models import Notice
from tests.training.builders import HALF_DAY, agent, enrol, plan, someone
from training import actions, defaults, permissions, policies, queries
from training.models import (
    Attendance,
    Programme,
    Registration,
    RegistrationState,
    SessionState,
    TrainingCertificate,
    TrainingSession,
)


def states(session: TrainingSession) -> list[str]:
    return [one.state for one in session.registrations.order_by("pk")]


def marks(session: TrainingSession, *present: bool) -> dict[int, bool]:
    return dict(zip(queries.confirmed(session).values_list("pk", flat=True), present, strict=True))


def test_a_planned_session_knows_its_half_days(
    trainer: Person, noon: datetime, monday: datetime, afternoon: datetime
) -> None:
    session = plan(trainer, monday, afternoon, at=noon)
    assert (session.starts_at, session.ends_at) == (monday, afternoon + HALF_DAY)
    assert [slot.rank for slot in session.slots.all()] == [1, 2]
    assert session.state == SessionState.OPEN
    assert Entry.objects.get(event="training.session_planned").subject_id == str(session.pk)


def test_a_session_in_the_past_is_not_planned(trainer: Person, noon: datetime) -> None:
    with pytest.raises(policies.InThePast):
        plan(trainer, noon - timedelta(days=1), at=noon)
    assert not TrainingSession.objects.exists()


def test_only_a_trainer_of_the_syndicat_plans_or_gives_a_session(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    stranger = agent(melle)
    with pytest.raises(permissions.NotATrainer):
        plan(stranger, monday, at=noon)
    with pytest.raises(permissions.NotATrainer) as refused:
        actions.plan(
            programme=defaults.ensure(),
            trainer=stranger,
            seats=3,
            slots=[(monday, monday + HALF_DAY)],
            place="Melle",
            by=trainer,
            at=noon,
        )
    assert refused.value.field == "trainer"


def test_a_session_that_is_not_open_takes_nobody(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon, is_open=False)
    with pytest.raises(policies.RegistrationClosed):
        enrol(session, agent(melle), melle, noon)
    actions.open_registrations(session_id=session.pk, by=trainer, at=noon)
    assert enrol(session, agent(melle), melle, noon).state == RegistrationState.CONFIRMED


def test_agents_of_several_communes_fill_the_seats_and_the_next_one_waits(
    trainer: Person, melle: Organisation, celles: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon, seats=2)
    for body in (melle, celles, melle):
        enrol(session, agent(body), body, noon)
    assert states(session) == ["confirmed", "confirmed", "waiting"]


def test_one_agent_is_not_registered_twice(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session, who = plan(trainer, monday, at=noon), agent(melle)
    first = enrol(session, who, melle, noon)
    with pytest.raises(policies.AlreadyRegistered):
        enrol(session, who, melle, noon)
    with pytest.raises(IntegrityError, match="one_registration_each"), transaction.atomic():
        Registration.objects.create(
            session=session,
            person=who,
            organisation=melle,
            state=RegistrationState.WAITING,
            registered_at=noon,
            registered_by=who,
        )
    assert list(session.registrations.all()) == [first]


def test_an_agent_registers_nobody_else(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon)
    with pytest.raises(permissions.NotYours):
        actions.register(
            session_id=session.pk, person=agent(melle), organisation=melle, by=agent(melle), at=noon
        )


def test_a_trainer_registers_the_agents_of_a_member_commune_only(
    trainer: Person, melle: Organisation, celles: Organisation, noon: datetime, monday: datetime
) -> None:
    session, who = plan(trainer, monday, at=noon), agent(melle)
    with pytest.raises(permissions.NotAnAgent, match="Celles"):
        actions.register(
            session_id=session.pk, person=who, organisation=celles, by=trainer, at=noon
        )
    Membership.objects.filter(organisation=melle).update(left_on=noon.date())
    with pytest.raises(permissions.NotAnAgent):
        actions.register(session_id=session.pk, person=who, organisation=melle, by=trainer, at=noon)


def test_an_agent_whose_role_ended_is_not_registered(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    who = agent(melle)
    Grant.objects.filter(person=who).update(ends_on=noon.date() - timedelta(days=1))
    with pytest.raises(permissions.NotAnAgent):
        enrol(plan(trainer, monday, at=noon), who, melle, noon)


def test_a_freed_seat_goes_to_the_first_who_waits_and_she_is_told(
    trainer: Person, melle: Organisation, celles: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon, seats=1)
    seated = enrol(session, agent(melle), melle, noon)
    late = enrol(session, agent(celles), celles, noon + timedelta(minutes=2))
    early = enrol(session, agent(melle), melle, noon + timedelta(minutes=1))

    actions.withdraw(registration_id=seated.pk, by=seated.person, at=noon + timedelta(hours=1))

    early.refresh_from_db()
    late.refresh_from_db()
    assert (early.state, late.state) == ("confirmed", "waiting")
    assert [notice.person for notice in Notice.objects.all()] == [early.person]
    assert "place s’est libérée" in Notice.objects.get().subject


def test_at_the_same_instant_the_first_registration_written_wins(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon, seats=1)
    seated, first, second = (enrol(session, agent(melle), melle, noon) for _ in range(3))
    actions.withdraw(registration_id=seated.pk, by=trainer, at=noon)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("confirmed", "waiting")


def test_withdrawing_twice_frees_one_seat(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon, seats=1)
    seated = enrol(session, agent(melle), melle, noon)
    for _ in range(2):
        enrol(session, agent(melle), melle, noon)
    for _ in range(2):
        actions.withdraw(registration_id=seated.pk, by=trainer, at=noon)
    assert states(session) == ["withdrawn", "confirmed", "waiting"]


def test_one_who_withdrew_may_come_back_behind_the_others(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon, seats=1)
    seated = enrol(session, agent(melle), melle, noon)
    enrol(session, agent(melle), melle, noon)
    actions.withdraw(registration_id=seated.pk, by=seated.person, at=noon)
    again = enrol(session, seated.person, melle, noon)
    assert again.state == RegistrationState.WAITING
    assert again.uid != seated.uid


def test_nobody_withdraws_once_the_session_began(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    registration = enrol(plan(trainer, monday, at=noon), agent(melle), melle, noon)
    with pytest.raises(policies.RegistrationClosed, match="émargement"):
        actions.withdraw(registration_id=registration.pk, by=registration.person, at=monday)


def test_what_happens_to_an_agent_is_told_in_her_communes_journal_only(
    trainer: Person, melle: Organisation, celles: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon, seats=1)
    seated = enrol(session, agent(melle), melle, noon)
    enrol(session, agent(celles), celles, noon)
    actions.withdraw(registration_id=seated.pk, by=seated.person, at=noon)
    told = {}
    for body in (melle, celles):
        with schema_context(body.tenant.schema_name):
            entries = Entry.objects.filter(event__startswith="training.").order_by("position")
            told[body] = [entry.event.removeprefix("training.agent_") for entry in entries]
    assert told == {melle: ["registered", "withdrawn"], celles: ["registered", "promoted"]}


def test_new_seats_go_to_those_who_wait(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon, seats=1)
    for _ in range(3):
        enrol(session, agent(melle), melle, noon)
    _move(session, trainer, noon, [monday], seats=2)
    assert states(session) == ["confirmed", "confirmed", "waiting"]
    session.refresh_from_db()
    assert session.sequence == 0  # nobody's appointment changed


def test_seats_cannot_go_below_those_taken(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon, seats=2)
    for _ in range(2):
        enrol(session, agent(melle), melle, noon)
    with pytest.raises(policies.NoSeats, match="2 agents"):
        _move(session, trainer, noon, [monday], seats=1)


def test_a_moved_session_is_convened_again_with_a_higher_sequence(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon)
    enrol(session, agent(melle), melle, noon)
    assert actions.convene(session_id=session.pk, by=trainer, at=noon) == 1
    with pytest.raises(policies.NotConvened):
        actions.convene(session_id=session.pk, by=trainer, at=noon)

    _move(session, trainer, noon, [monday + timedelta(days=1)])

    session.refresh_from_db()
    assert session.sequence == 1
    assert actions.convene(session_id=session.pk, by=trainer, at=noon) == 1
    assert Notice.objects.filter(subject__startswith="Convocation").count() == 2


def test_a_moved_session_keeps_its_number_of_half_days(
    trainer: Person, noon: datetime, monday: datetime, afternoon: datetime
) -> None:
    session = plan(trainer, monday, at=noon)
    with pytest.raises(policies.WrongDates, match="gardez ce nombre"):
        _move(session, trainer, noon, [monday, afternoon])


def test_a_convocation_leads_to_the_agents_own_commune(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon)
    enrol(session, agent(melle), melle, noon)
    actions.convene(session_id=session.pk, by=trainer, at=noon)
    notice = Notice.objects.get()
    assert melle.tenant.get_primary_domain().domain in notice.url
    assert "30/11/2026 de 9 h 00 à 11 h 30" in notice.body


def test_those_who_wait_are_not_convened(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon, seats=1)
    for _ in range(2):
        enrol(session, agent(melle), melle, noon)
    assert actions.convene(session_id=session.pk, by=trainer, at=noon) == 1


def test_a_cancelled_session_tells_everybody_why(
    trainer: Person, melle: Organisation, celles: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon, seats=1)
    for body in (melle, celles):
        enrol(session, agent(body), body, noon)
    actions.cancel(session_id=session.pk, reason="Formateur souffrant", by=trainer, at=noon)
    assert Notice.objects.filter(body__contains="Formateur souffrant").count() == 2
    session.refresh_from_db()
    assert (session.state, session.sequence) == (SessionState.CANCELLED, 1)


def test_attendance_before_the_start_is_refused(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon)
    enrol(session, agent(melle), melle, noon)
    with pytest.raises(policies.NotStarted):
        _sign(session, trainer, noon, True)
    assert not Attendance.objects.exists()


def test_signing_says_who_when_and_makes_the_session_held(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon)
    enrol(session, agent(melle), melle, noon)
    _sign(session, trainer, monday, True)
    mark = Attendance.objects.get()
    assert (mark.is_present, mark.recorded_by, mark.recorded_at) == (True, trainer, monday)
    session.refresh_from_db()
    assert session.state == SessionState.HELD


def test_a_correction_replaces_the_mark_and_the_journal_keeps_both(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon)
    registration = enrol(session, agent(melle), melle, noon)
    _sign(session, trainer, monday, True)
    _sign(session, trainer, monday, False)
    assert [mark.is_present for mark in Attendance.objects.all()] == [False]
    entries = Entry.objects.filter(event="training.half_day_signed").order_by("position")
    assert [entry.detail["present"] for entry in entries] == [[registration.pk], []]


def test_one_without_a_seat_is_not_signed_in(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon, seats=1)
    enrol(session, agent(melle), melle, noon)
    waiting = enrol(session, agent(melle), melle, noon)
    slot = session.slots.get()
    with pytest.raises(policies.NotExpected):
        actions.sign(slot_id=slot.pk, marks={waiting.pk: True}, by=trainer, at=monday)


def test_closing_with_an_unsigned_half_day_says_which(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime, afternoon: datetime
) -> None:
    session = plan(trainer, monday, afternoon, at=noon)
    enrol(session, agent(melle), melle, noon)
    _sign(session, trainer, monday, True)
    with pytest.raises(policies.Unsigned, match="30/11/2026 après-midi") as refused:
        actions.close(session_id=session.pk, by=trainer, at=afternoon + HALF_DAY)
    assert "matin" not in str(refused.value)


def test_a_latecomer_makes_the_half_days_unsigned_again(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon)
    enrol(session, agent(melle), melle, noon)
    _sign(session, trainer, monday, True)
    actions.register(
        session_id=session.pk, person=agent(melle), organisation=melle, by=trainer, at=monday
    )
    with pytest.raises(policies.Unsigned):
        actions.close(session_id=session.pk, by=trainer, at=monday + HALF_DAY)


def test_a_certificate_counts_the_hours_really_attended(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime, afternoon: datetime
) -> None:
    session = plan(trainer, monday, afternoon, at=noon)
    enrol(session, agent(melle), melle, noon)
    _sign(session, trainer, monday, True, rank=1)
    _sign(session, trainer, afternoon, False, rank=2)
    (made,) = actions.close(session_id=session.pk, by=trainer, at=afternoon + HALF_DAY)
    assert (made.minutes, made.periods) == (150, ["30/11/2026 de 9 h 00 à 11 h 30"])
    assert queries.certificate(made.code.lower().replace("-", " ")) == made


def test_the_absent_get_no_certificate(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon)
    present, absent = (enrol(session, agent(melle), melle, noon) for _ in range(2))
    _sign(session, trainer, monday, True, False)
    actions.close(session_id=session.pk, by=trainer, at=monday + HALF_DAY)
    assert [one.registration for one in TrainingCertificate.objects.all()] == [present]
    with pytest.raises(policies.NoAttendance, match="aucune demi-journée"):
        actions.collect(registration_id=absent.pk, by=absent.person, at=monday + HALF_DAY)


def test_a_certificate_waits_for_the_closing(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon)
    registration = enrol(session, agent(melle), melle, noon)
    _sign(session, trainer, monday, True)
    with pytest.raises(policies.NotClosed):
        actions.collect(registration_id=registration.pk, by=registration.person, at=monday)


def test_a_certificate_keeps_its_words_when_the_programme_changes(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    made = _held(trainer, melle, noon, monday)
    Programme.objects.update(title="Autre chose")
    made.refresh_from_db()
    assert made.title == defaults.TITLE


def test_only_the_agent_collects_her_certificate(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    made = _held(trainer, melle, noon, monday)
    actions.collect(registration_id=made.registration_id, by=trainer, at=monday)
    made.refresh_from_db()
    assert made.collected_at is None
    owner = made.registration.person
    actions.collect(registration_id=made.registration_id, by=owner, at=monday)
    made.refresh_from_db()
    assert made.collected_at == monday


def test_a_closed_session_is_not_signed_again(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    made = _held(trainer, melle, noon, monday)
    with pytest.raises(policies.ForbiddenTransition, match="émargement est fermé"):
        _sign(made.registration.session, trainer, monday, False)


def test_a_body_is_registered_then_trained_once_the_session_is_closed(
    trainer: Person, melle: Organisation, celles: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon)
    who = agent(melle)
    assert not queries.registered(melle)
    enrol(session, who, melle, noon)
    assert queries.registered(melle)
    _sign(session, trainer, monday, True)
    assert not queries.is_trained(melle)
    actions.close(session_id=session.pk, by=trainer, at=monday + HALF_DAY)
    assert queries.is_trained(melle)
    assert not queries.is_trained(celles)
    assert [one.person for one in queries.attended(who)] == [who]


def test_a_cancelled_session_registers_nobody(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> None:
    session = plan(trainer, monday, at=noon)
    enrol(session, agent(melle), melle, noon)
    actions.cancel(session_id=session.pk, reason="Neige", by=trainer, at=noon)
    assert not queries.registered(melle)


def test_the_default_programme_is_made_once(portal: Any) -> None:
    assert defaults.ensure() == defaults.ensure()
    assert Programme.objects.count() == 1


def test_an_auditor_is_not_offered_as_a_trainer(
    trainer: Person, syndicat: Organisation, noon: datetime
) -> None:
    someone(Role.AUDITOR, at=syndicat)
    ended = someone(Role.TRAINER, at=syndicat)
    Grant.objects.filter(person=ended).update(ends_on=noon.date() - timedelta(days=1))
    assert list(queries.trainers(noon.date())) == [trainer]


def _move(
    session: TrainingSession,
    trainer: Person,
    at: datetime,
    starts: list[datetime],
    seats: int = 2,
) -> None:
    actions.move(
        session_id=session.pk,
        trainer=trainer,
        seats=seats,
        slots=[(start, start + HALF_DAY) for start in starts],
        place=session.place,
        by=trainer,
        at=at,
    )


def _sign(
    session: TrainingSession, trainer: Person, at: datetime, *present: bool, rank: int = 1
) -> None:
    slot = session.slots.get(rank=rank)
    actions.sign(slot_id=slot.pk, marks=marks(session, *present), by=trainer, at=at)


def _held(
    trainer: Person, melle: Organisation, noon: datetime, monday: datetime
) -> TrainingCertificate:
    session = plan(trainer, monday, at=noon)
    enrol(session, agent(melle), melle, noon)
    _sign(session, trainer, monday, True)
    (made,) = actions.close(session_id=session.pk, by=trainer, at=monday + HALF_DAY)
    return made
