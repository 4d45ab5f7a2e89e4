"""The rules of an act's life, without a database."""

from datetime import date

import pytest

from socle.actes import policies
from socle.actes.models import ActState, Kind, TransactionState


@pytest.mark.parametrize("state", TransactionState)
def test_every_state_has_its_transitions(state: TransactionState) -> None:
    assert state in policies.TRANSITIONS


def test_an_acknowledgement_is_final() -> None:
    assert policies.TRANSITIONS[TransactionState.ACKNOWLEDGED] == frozenset()


def test_an_anomaly_never_comes_after_an_acknowledgement() -> None:
    before = policies.sources(TransactionState.ANOMALY)
    assert TransactionState.ACKNOWLEDGED not in before
    assert TransactionState.SENT in before


@pytest.mark.parametrize("kind", [Kind.ACTE, Kind.CANCELLATION])
def test_an_act_follows_each_state_of_its_messages(kind: Kind) -> None:
    reachable = set(TransactionState) - {TransactionState.RECEIVED}
    assert all(policies.act_state(kind, state) for state in reachable)


def test_a_request_for_the_classification_changes_no_act() -> None:
    assert policies.act_state(Kind.CLASSIFICATION_REQUEST, TransactionState.SENT) is None


@pytest.mark.parametrize("state", ActState)
def test_every_state_has_a_tone(state: ActState) -> None:
    assert policies.TONES[state]


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("2026-017", "2026_017"),
        (" del 2026/17 ", "DEL_2026_17"),
        ("2026_017", "2026_017"),
        ("2026 – 017", "2026_017"),
        ("cl2026.06", "CL2026_06"),
        ("x" * 80, "X" * 60),
    ],
)
def test_a_number_is_written_as_the_norm_does(typed: str, number: str) -> None:
    assert policies.tidy_number(typed) == number


@pytest.mark.parametrize(
    ("used", "proposed"),
    [
        ([], "2026_001"),
        (["2026_016"], "2026_017"),
        (["2026_016", "2026_021"], "2026_022"),
        (["2025_099"], "2026_001"),
        (["DEL2026_7", "2026_200"], "DEL2026_8"),
        (["202609"], "202610"),
        (["2026_999"], "2026_1000"),
        (["BUDGET", "2026_4"], "2026_5"),
        (["BUDGET"], "2026_001"),
    ],
)
def test_the_next_number_follows_the_manner_of_the_last(used: list[str], proposed: str) -> None:
    assert policies.next_number(used, year=2026) == proposed


@pytest.mark.parametrize(
    ("sent", "today", "late"),
    [
        (date(2026, 11, 20), date(2026, 11, 24), False),  # Friday, then Tuesday
        (date(2026, 11, 20), date(2026, 11, 25), True),
        (date(2026, 11, 23), date(2026, 11, 25), False),
        (date(2026, 11, 10), date(2026, 11, 13), False),  # 11 November is a holiday
        (date(2026, 11, 10), date(2026, 11, 14), True),
    ],
)
def test_silence_is_counted_in_working_days(sent: date, today: date, late: bool) -> None:
    assert policies.is_overdue(sent, today=today) is late
    assert (sent < policies.overdue_before(today)) is late


def test_each_refusal_is_one_french_sentence_with_a_code() -> None:
    for check in (
        lambda: policies.check_draft("sent"),
        lambda: policies.check_cancellable("sent"),
        lambda: policies.check_cancellable("cancelling"),
        lambda: policies.check_correctable("sent"),
        lambda: policies.check_unsent("acknowledged"),
    ):
        with pytest.raises(policies.Refusal, match=r"\.$") as refused:
            check()
        assert refused.value.code.startswith("actes.")
