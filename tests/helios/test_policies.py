"""What may happen to a flow, and what a budget may be."""

import pytest

from socle.core.identifiers import InvalidIdentifier, siret_of
from socle.delivery.handlers import AlreadyAnswered
from socle.helios import policies
from socle.helios.models import FlowState
from socle.helios.protocol.deposit import DeclaredBudget, Finding, Level
from socle.helios.protocol.header import Header

HOLD = Finding(Level.HOLD, "unknown_siret", "Ajoutez le budget.")
CONFIRM = Finding(Level.CONFIRM, "unsigned", "Le flux n’est pas signé.")
SIREN = "200081511"
FACTS = {
    "siret": siret_of(SIREN),
    "cod_col": "123",
    "cod_bud": "00",
    "id_post": "079012",
    "siren": SIREN,
    "organisation": "Melle",
}


def test_every_state_says_what_may_follow() -> None:
    assert policies.TRANSITIONS.keys() == set(FlowState) == policies.TONES.keys()


def test_nothing_follows_an_acceptance() -> None:
    assert policies.TRANSITIONS[FlowState.ACCEPTED] == frozenset()


def test_a_verdict_is_only_followed_by_one_that_accepts_more() -> None:
    assert policies.states_before(FlowState.REFUSED) == [
        FlowState.SENDING,
        FlowState.SENT,
        FlowState.FAILED,
        FlowState.UNREADABLE,
    ]
    assert FlowState.REFUSED in policies.states_before(FlowState.PARTIAL)


def test_an_acquit_may_come_before_the_operator_said_it_took_the_flow() -> None:
    assert FlowState.SENDING in policies.states_before(FlowState.ACCEPTED)


@pytest.mark.parametrize(
    ("findings", "state"),
    [((), FlowState.READY), ((CONFIRM,), FlowState.READY), ((HOLD,), FlowState.DEPOSITED)],
)
def test_only_a_hold_keeps_a_deposited_flow_from_being_ready(
    findings: tuple[Finding, ...], state: FlowState
) -> None:
    assert policies.first_state(findings) == state


def test_a_held_flow_says_why_it_cannot_leave() -> None:
    with pytest.raises(policies.CannotTransmit, match=r"pas encore partir. Ajoutez le budget\."):
        policies.check_transmittable(FlowState.DEPOSITED, [HOLD], confirmed=True)


@pytest.mark.parametrize("state", [FlowState.SENDING, FlowState.SENT, FlowState.ACCEPTED])
def test_what_left_does_not_leave_again(state: FlowState) -> None:
    with pytest.raises(policies.CannotTransmit, match="déjà parti"):
        policies.check_transmittable(state, [], confirmed=True)


def test_a_likely_rejection_needs_a_confirmation() -> None:
    with pytest.raises(policies.NeedsConfirmation, match="cochez la case"):
        policies.check_transmittable(FlowState.READY, [CONFIRM], confirmed=False)
    policies.check_transmittable(FlowState.READY, [CONFIRM], confirmed=True)


@pytest.mark.parametrize("state", [FlowState.SENT, FlowState.ACCEPTED, FlowState.WITHDRAWN])
def test_what_left_or_was_withdrawn_is_not_withdrawn(state: FlowState) -> None:
    with pytest.raises(policies.CannotWithdraw):
        policies.check_withdrawable(state)


def test_a_flow_replaced_by_another_does_not_leave_any_more() -> None:
    policies.check_may_still_go(FlowState.FAILED, taken=False)
    with pytest.raises(policies.CannotTransmit, match="déposé de nouveau"):
        policies.check_may_still_go(FlowState.FAILED, taken=True)
    with pytest.raises(policies.CannotTransmit, match="a été retiré"):
        policies.check_may_still_go(FlowState.WITHDRAWN, taken=False)


@pytest.mark.parametrize("state", [FlowState.SENT, FlowState.ACCEPTED, FlowState.REFUSED])
def test_an_answered_flow_is_known_to_be_there(state: FlowState) -> None:
    with pytest.raises(AlreadyAnswered):
        policies.check_may_still_go(state, taken=False)


def test_without_any_budget_only_the_siren_is_compared() -> None:
    own, other = Header(id_coll=siret_of(SIREN)), Header(id_coll="21790174400011")
    assert policies.budgets_to_compare(own, (), siren=SIREN)[0].siret == own.id_coll
    assert policies.budgets_to_compare(other, (), siren=SIREN) == ()


def test_with_budgets_the_siren_is_not_enough() -> None:
    known = (DeclaredBudget("Eau", siret_of(SIREN, 2), "123", "01", "079012"),)
    assert policies.budgets_to_compare(Header(id_coll=siret_of(SIREN)), known, siren=SIREN) == known


def test_the_facts_of_a_budget_are_tidied() -> None:
    typed = FACTS | {"siret": "200 081 511 00016", "cod_bud": " a1 ", "id_post": "02a123"}
    typed["siret"] = f"{SIREN} {siret_of(SIREN)[9:]}"
    assert policies.check_budget(**typed) == {
        "siret": siret_of(SIREN),
        "cod_col": "123",
        "cod_bud": "A1",
        "id_post": "02A123",
    }


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("siret", "21790174400011", "n’est pas celui d’un budget de « Melle »"),
        ("cod_col", "000", "3 chiffres, autres que 000"),
        ("cod_col", "1234", "3 chiffres"),
        ("cod_bud", "0", "2 caractères"),
        ("id_post", "79012", "6 ou 7 chiffres"),
    ],
)
def test_the_impossible_facts_of_a_budget_are_refused(
    field: str, value: str, sentence: str
) -> None:
    with pytest.raises(policies.WrongBudget, match=sentence) as refused:
        policies.check_budget(**FACTS | {field: value})
    assert refused.value.field == field


def test_a_mistyped_siret_is_refused() -> None:
    with pytest.raises(InvalidIdentifier, match="SIRET") as refused:
        policies.check_budget(**FACTS | {"siret": "20008151100017"})
    assert refused.value.field == "siret"
