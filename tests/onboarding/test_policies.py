"""Votes, dates, operators and prices that contradict each other."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import pytest

from tenants.onboarding import policies
from tenants.onboarding.models import ConventionState
from tenants.onboarding.policies import Session

TODAY = date(2026, 11, 24)
HELD = Session(
    session_on=date(2026, 11, 20),
    convened_on=date(2026, 11, 14),
    second_convocation=False,
    in_office=15,
    present=10,
    represented=2,
    voting=12,
    votes_for=10,
    votes_against=1,
    abstentions=1,
)
PROJECT = replace(
    HELD,
    session_on=date(2026, 12, 20),
    in_office=None,
    present=None,
    represented=None,
    voting=None,
    votes_for=None,
    votes_against=None,
    abstentions=None,
)


@pytest.mark.parametrize("session", [HELD, PROJECT], ids=["held", "project"])
def test_a_coherent_session_is_accepted(session: Session) -> None:
    policies.check_session(session, today=TODAY)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"voting": 13, "votes_for": 11}, "voting"),
        ({"votes_for": 11}, "votes_for"),
        ({"votes_for": 9}, "votes_for"),
        ({"represented": 6}, "present"),
        ({"votes_for": 4, "votes_against": 7}, "votes_for"),
        ({"present": 7, "represented": 5}, "present"),
    ],
    ids=["more voters", "more votes", "fewer votes", "more members", "rejected", "no quorum"],
)
def test_votes_that_do_not_add_up_are_refused(change: dict[str, int], field: str) -> None:
    with pytest.raises(policies.VotesDoNotAddUp) as refused:
        policies.check_session(replace(HELD, **change), today=TODAY)
    assert refused.value.field == field


def test_more_votes_than_voters_are_told_in_figures() -> None:
    with pytest.raises(policies.VotesDoNotAddUp, match="13 voix et abstentions pour 12 votants"):
        policies.check_session(replace(HELD, votes_for=11), today=TODAY)


def test_a_second_convocation_needs_no_quorum() -> None:
    few = replace(HELD, present=5, represented=0, voting=5, votes_for=3)
    with pytest.raises(policies.VotesDoNotAddUp, match="quorum"):
        policies.check_session(few, today=TODAY)
    policies.check_session(replace(few, second_convocation=True), today=TODAY)


def test_a_vote_before_its_session_is_refused() -> None:
    with pytest.raises(policies.WrongDate, match="n’a pas encore eu lieu"):
        policies.check_session(replace(HELD, session_on=date(2026, 12, 20)), today=TODAY)


def test_one_clear_day_at_least_is_between_convocation_and_session() -> None:
    policies.check_session(replace(HELD, convened_on=date(2026, 11, 18)), today=TODAY)
    with pytest.raises(policies.WrongDate, match="jour franc"):
        policies.check_session(replace(HELD, convened_on=date(2026, 11, 19)), today=TODAY)


def test_a_start_before_the_last_signature_is_refused() -> None:
    signatures = (date(2026, 11, 1), date(2026, 11, 10), None)
    policies.check_start(date(2026, 11, 10), signatures)
    with pytest.raises(policies.WrongDate, match=r"avant la dernière signature \(10/11/2026\)"):
        policies.check_start(date(2026, 11, 9), signatures)


def test_what_is_not_done_yet_is_not_recorded() -> None:
    policies.check_not_future(TODAY, today=TODAY, field="on")
    with pytest.raises(policies.WrongDate):
        policies.check_not_future(date(2026, 11, 25), today=TODAY, field="on")


@dataclass
class Operator:
    name: str = "Opérateur"
    is_exercise: bool = False
    homologation: str = "11/01/2016"
    homologated_on: date | None = date(2016, 1, 11)
    homologated_until: date | None = None


def test_a_homologated_operator_and_the_exercise_one_are_accepted() -> None:
    policies.check_operator(Operator(), on=TODAY)
    policies.check_operator(Operator(homologated_until=TODAY), on=TODAY)
    policies.check_operator(Operator(is_exercise=True, homologation=""), on=TODAY)


@pytest.mark.parametrize(
    "operator",
    [
        Operator(homologation=""),
        Operator(homologated_on=None),
        Operator(homologated_on=date(2027, 1, 1)),
        Operator(homologated_until=date(2026, 11, 23)),
    ],
    ids=["no reference", "no date", "later", "expired"],
)
def test_an_operator_not_homologated_that_day_is_refused(operator: Operator) -> None:
    with pytest.raises(policies.NotHomologated):
        policies.check_operator(operator, on=TODAY)


def test_a_contract_without_competition_stays_below_the_threshold() -> None:
    policies.check_route(kind="direct", amount=Decimal("59999.99"))
    policies.check_route(kind="adapted", amount=Decimal(60_000))
    with pytest.raises(policies.AboveThreshold):
        policies.check_route(kind="direct", amount=Decimal(60_000))


def test_a_convention_does_not_cover_more_than_the_deliberation() -> None:
    policies.check_budget_scope(natures=["1", "5"], scope=["acts", "budget"])
    with pytest.raises(policies.OutOfTurn, match="documents budgétaires"):
        policies.check_budget_scope(natures=["1", "5"], scope=["acts"])


@pytest.mark.parametrize(
    ("before", "to"),
    [
        (ConventionState.TO_PREPARE, ConventionState.SIGNED_BY_COLLECTIVITE),
        (ConventionState.GENERATED, ConventionState.SENT_TO_PREFECTURE),
        (ConventionState.SIGNED_BY_COLLECTIVITE, ConventionState.SIGNED_BY_PREFET),
        (ConventionState.SENT_TO_PREFECTURE, ConventionState.COPY_RECEIVED),
        (ConventionState.SIGNED_BY_PREFET, ConventionState.GENERATED),
        (ConventionState.RENOUNCED, ConventionState.ACTIVE),
    ],
)
def test_a_convention_skips_no_state(before: ConventionState, to: ConventionState) -> None:
    with pytest.raises(policies.ForbiddenTransition):
        policies.check_convention(before, to)


@pytest.mark.parametrize("code", ["A3", "C4", "F2", "T2", "H4"])
def test_what_facts_complete_is_never_ticked_by_hand(code: str) -> None:
    with pytest.raises(policies.NotDated):
        policies.check_dated(code, "")


def test_the_publicity_mode_is_to_be_said() -> None:
    policies.check_dated("P1", "publication électronique")
    with pytest.raises(policies.NotDated):
        policies.check_dated("P1", "")


def test_a_necessary_step_is_not_set_aside() -> None:
    policies.check_optional("H1")
    with pytest.raises(policies.NotOptional):
        policies.check_optional("A4")
