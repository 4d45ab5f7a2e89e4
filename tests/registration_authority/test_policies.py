"""Rules of the counter, without a database."""

from datetime import UTC, date, datetime, timedelta

import pytest

from registration_authority import policies
from registration_authority.defaults import FIRST_PIECES
from registration_authority.models import (
    CertificateState,
    FileState,
    PieceKind,
    PieceState,
    RequestState,
)
from registration_authority.policies import (
    CERTIFICATE_TRANSITIONS,
    REQUEST_TRANSITIONS,
    TRANSITIONS,
    DocumentExpired,
    ForbiddenStep,
    MissingPieces,
    NeedsReason,
    NotReady,
    SecretInText,
    WrongMoment,
)
from tests.registration_authority.texts import INNOCENT, SECRETS

NOON = datetime(2026, 11, 24, 11, tzinfo=UTC)


def test_every_state_has_its_line() -> None:
    assert TRANSITIONS.keys() == set(FileState)
    assert REQUEST_TRANSITIONS.keys() == set(RequestState)
    assert CERTIFICATE_TRANSITIONS.keys() == set(CertificateState)


def test_every_state_is_reached_from_the_draft() -> None:
    reached, todo = set(), [FileState.DRAFT]
    while todo:
        state = todo.pop()
        if state not in reached:
            reached.add(state)
            todo.extend(TRANSITIONS[state])
    assert reached == set(FileState)


@pytest.mark.parametrize("end", [FileState.HANDED_OVER, FileState.REFUSED, FileState.CANCELLED])
def test_nothing_leads_out_of_an_end(end: FileState) -> None:
    for to in FileState:
        with pytest.raises(ForbiddenStep):
            policies.check_step(end, to)


def test_invariant_i08_nothing_leads_out_of_a_revocation() -> None:
    assert CERTIFICATE_TRANSITIONS[CertificateState.REVOKED] == frozenset()


def test_no_state_but_issued_leads_to_the_hand_over() -> None:
    before = [state for state, to in TRANSITIONS.items() if FileState.HANDED_OVER in to]
    assert before == [FileState.ISSUED]
    assert [s for s, to in TRANSITIONS.items() if FileState.ISSUED in to] == [
        FileState.FACE_TO_FACE_DONE
    ]


@pytest.mark.parametrize("text", SECRETS)
def test_a_text_with_a_pin_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SecretInText) as refused:
        policies.check_free_text(reason=text)
    assert text not in str(refused.value)
    assert refused.value.field == "reason"


@pytest.mark.parametrize("text", INNOCENT)
def test_an_innocent_text_is_accepted(text: str) -> None:
    policies.check_free_text(place=text)


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_a_refusal_needs_a_reason(reason: str) -> None:
    with pytest.raises(NeedsReason):
        policies.check_reason(reason)


def test_a_document_is_valid_on_its_last_day() -> None:
    policies.check_document(date(2026, 11, 24), on=date(2026, 11, 24), field="d")


def test_a_document_that_expired_the_day_before_is_refused() -> None:
    with pytest.raises(DocumentExpired, match="23/11/2026"):
        policies.check_document(date(2026, 11, 23), on=date(2026, 11, 24), field="d")


def test_only_the_end_of_a_number_is_kept() -> None:
    assert policies.kept_of_number("x4rt bpfw-4") == "PFW4"


def test_too_short_a_number_is_refused() -> None:
    with pytest.raises(NotReady):
        policies.kept_of_number("12-")


def test_an_event_of_the_future_is_refused_beyond_a_minute() -> None:
    policies.check_moment(NOON + timedelta(seconds=59), now=NOON, field="held_at")
    with pytest.raises(WrongMoment):
        policies.check_moment(NOON + timedelta(minutes=2), now=NOON, field="held_at")


def test_a_refused_piece_counts_as_missing() -> None:
    states = {PieceKind.IDENTITY: PieceState.REFUSED, PieceKind.TERMS: PieceState.PENDING}
    assert policies.missing(FIRST_PIECES, states) == [
        PieceKind.IDENTITY,
        PieceKind.FUNCTION,
        PieceKind.MANDATE,
    ]
    with pytest.raises(MissingPieces, match="pièce d’identité, justificatif"):
        policies.check_pieces_brought(PieceKind, states)


@pytest.mark.parametrize(
    ("days", "tone"),
    [(-1, "danger"), (30, "danger"), (31, "warning"), (90, "warning"), (91, "success")],
)
def test_an_expiry_becomes_urgent(days: int, tone: str) -> None:
    assert policies.urgency(NOON + timedelta(days=days), at=NOON) == tone
