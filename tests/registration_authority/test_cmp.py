"""An authority that speaks CMP, played by OpenSSL, behind the counter."""

import contextlib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import connection

from registration_authority import actions, cmp, link, queries, tasks
from registration_authority.adapters import AuthorityUnavailable, UntrustedAnswer
from registration_authority.dossier.models import PolicyProfile
from registration_authority.models import (
    Certificate,
    CertificateRequest,
    CmpExchange,
    CmpLink,
    FileState,
    RequestState,
    RevocationReason,
)
from registration_authority.pki.cmp import der, exchange
from registration_authority.pki.cmp.messages import Kind
from socle.accounts.capabilities import Role
from socle.core import crypto
from socle.journal.models import Entry
from socle.notices.models import Notice
from tests.people import person
from tests.registration_authority.authorities import Outside, behind
from tests.registration_authority.counter import Counter
from tests.registration_authority.holder_keys import new_key
from tests.registration_authority.openssl_peer import (
    Parties,
    Peer,
    key_der,
    needs_openssl,
    openssl_server,
    parties,
    pem_of,
)

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def who() -> Parties:
    return parties()


@pytest.fixture
def at() -> datetime:
    """Now: OpenSSL dates its answers by the clock of the machine."""
    return datetime.now(UTC)


@pytest.fixture
def request_row(counter: Counter, who: Parties, at: datetime) -> CertificateRequest:
    """A request approved at the counter, for an authority that speaks CMP."""
    behind(counter, Outside(who.root), adapter="cmp")
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    request = counter.ask()
    actions.issue(request_id=request.pk, by=counter.officer, at=at)
    request.refresh_from_db()
    return request


@contextlib.contextmanager
def served(
    request: CertificateRequest,
    who: Parties,
    folder: Path,
    *options: str,
    pem: str = "",
    **joined: Any,
) -> Iterator[Peer]:
    """OpenSSL answers what the request asks, and the counter is joined to it."""
    at = datetime.now(UTC)
    answer = pem or Outside(who.root).sign(request, at=at, validity=timedelta(days=1090))
    with openssl_server(folder, who, answer, "-accept_raverified", *options) as peer:
        join(request, who, peer.url, **joined)
        yield peer


def join(request: CertificateRequest, who: Parties, url: str, **joined: Any) -> CmpLink:
    given = {
        "authority": request.file.offer.authority,
        "url": url,
        "certificate_pem": pem_of(who.counter),
        "key_der": key_der(who.counter),
        "responder_pem": pem_of(who.responder),
    }
    return cmp.join(**(given | joined))


def kinds(peer: Peer) -> list[Kind]:
    """What the server was asked, in order."""
    return [Kind(der.read(one).children()[1].tag & 0x1F) for one in peer.asked]


def transactions(peer: Peer) -> set[bytes]:
    """The transactionID of each question."""
    headers = [der.read(one).children()[0].children() for one in peer.asked]
    return {part.raw for header in headers for part in header if part.tag == der.context(4)} - {
        part.raw for header in headers for part in header[1:3]
    }


def state(request: CertificateRequest) -> tuple[str, str]:
    request.refresh_from_db()
    request.file.refresh_from_db()
    return request.file.state, request.state


def granted(pem: str) -> bytes:
    """A cp that grants a certificate."""
    certificate = x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
    pair = der.sequence(der.explicit(0, certificate))
    response = der.sequence(der.integer(-1), der.sequence(der.integer(0)), pair)
    return der.explicit(Kind.CP, der.sequence(der.sequence(response)))


def waiting() -> bytes:
    """A cp that says « waiting », and not until when."""
    response = der.sequence(der.integer(-1), der.sequence(der.integer(3)))
    return der.explicit(Kind.CP, der.sequence(der.sequence(response)))


def signed_answer(question: bytes, body: bytes, who: Parties, at: datetime) -> bytes:
    """An answer to `question` signed by the responder."""
    header = {part.tag: part for part in der.read(question).children()[0].children()[3:]}
    transaction = header[der.context(4)].only().octets()
    turn = exchange.next_turn(transaction, header[der.context(5)].only().octets())
    recipient = who.counter.certificate.subject
    return exchange.question(body, turn=turn, signer=who.responder, recipient=recipient, at=at)


UNCHANGED = (FileState.FACE_TO_FACE_DONE, RequestState.APPROVED)


def refusals(neighbour: Any) -> list[str]:
    """Why answers were not believed, as the commune's journal says."""
    connection.set_tenant(neighbour)
    found = [one.detail["reason"] for one in Entry.objects.filter(event="ra.answer_refused")]
    connection.set_schema_to_public()
    return found


@pytest.mark.parametrize(
    ("carries", "asked"),
    [(CmpLink.Carries.PKCS10, Kind.P10CR), (CmpLink.Carries.TEMPLATE, Kind.IR)],
)
def test_a_certificate_is_obtained_and_confirmed(
    request_row: CertificateRequest,
    who: Parties,
    at: datetime,
    tmp_path: Path,
    carries: str,
    asked: Kind,
) -> None:
    with served(request_row, who, tmp_path, carries=carries) as peer:
        certificate = actions.issue_now(request_row.pk, at=at)
    assert certificate is not None
    assert kinds(peer) == [asked, Kind.CERTCONF]
    assert len(transactions(peer)) == 1
    assert state(request_row) == (FileState.ISSUED, RequestState.ISSUED)
    assert request_row.settled_at == at


def test_a_holder_the_authority_knows_is_asked_for_with_a_cr(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(actions, "_known_to", lambda file: True)
    with served(request_row, who, tmp_path, carries=CmpLink.Carries.TEMPLATE) as peer:
        actions.issue_now(request_row.pk, at=at)
    assert kinds(peer)[0] == Kind.CR


def test_a_renewal_is_asked_for_with_a_kur_that_names_the_former(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path, monkeypatch: Any
) -> None:
    # OpenSSL's server believes in one certificate alone: it says that ours is not the one it knows.
    former = Outside(who.root).sign(request_row, at=at, validity=timedelta(days=30))
    monkeypatch.setattr(actions, "_replaced_by", lambda file: former)
    with served(request_row, who, tmp_path, carries=CmpLink.Carries.TEMPLATE) as peer:
        assert actions.issue_now(request_row.pk, at=at) is None
    assert kinds(peer)[0] == Kind.KUR
    named = x509.load_pem_x509_certificate(former.encode()).serial_number
    assert der.integer(named) in peer.asked[0]
    request_row.refresh_from_db()
    assert "wrong certid" in request_row.message


def test_silence_is_consent_when_both_agreed(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    with served(request_row, who, tmp_path, "-grant_implicitconf", implicit_confirm=True) as peer:
        assert actions.issue_now(request_row.pk, at=at)
    assert kinds(peer) == [Kind.P10CR]


def test_asking_twice_after_the_answer_asks_the_authority_once(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    with served(request_row, who, tmp_path) as peer:
        first = actions.issue_now(request_row.pk, at=at)
        assert actions.issue_now(request_row.pk, at=at) == first
    assert kinds(peer) == [Kind.P10CR, Kind.CERTCONF]


def test_case_c16_the_authority_is_polled_when_it_said(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    with served(request_row, who, tmp_path, "-poll_count", "2", "-check_after", "60") as peer:
        assert actions.issue_now(request_row.pk, at=at) is None
        request_row.refresh_from_db()
        assert request_row.ask_again_at == at + timedelta(seconds=60)
        assert queries.requests_to_send(at + timedelta(seconds=59)) == []
        assert queries.requests_to_send(at + timedelta(seconds=60)) == [request_row.pk]
        assert actions.issue_now(request_row.pk, at=at)
    assert kinds(peer) == [Kind.P10CR, Kind.POLLREQ, Kind.POLLREQ, Kind.CERTCONF]
    assert len(transactions(peer)) == 1


def test_an_authority_that_always_says_waiting_is_polled_once_a_round(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    """It was asked 465 times, until Python gave up."""
    with served(request_row, who, tmp_path) as peer:
        peer.change = lambda rank, question, answer: signed_answer(question, waiting(), who, at)
        assert actions.issue_now(request_row.pk, at=at) is None
        assert kinds(peer) == [Kind.P10CR, Kind.POLLREQ]
        assert actions.issue_now(request_row.pk, at=at + cmp.UNDATED_WAIT) is None
    assert kinds(peer) == [Kind.P10CR, Kind.POLLREQ, Kind.POLLREQ]
    request_row.refresh_from_db()
    assert request_row.ask_again_at == at + 2 * cmp.UNDATED_WAIT
    assert state(request_row) == UNCHANGED


def test_case_c17_an_authority_that_never_answers_is_told_and_the_request_stays_sent(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path, syndicat: Any
) -> None:
    officer = person(Role.RA_OPERATOR, at=syndicat)
    PolicyProfile.objects.filter(offer=request_row.file.offer).update(answer_days=3)
    limit = request_row.approved_at + timedelta(days=3)
    with served(request_row, who, tmp_path, "-poll_count", "3", "-check_after", "60") as peer:
        assert actions.issue_now(request_row.pk, at=at) is None  # waiting
        assert queries.requests_unanswered(limit) == []
        join(request_row, who, "http://127.0.0.1:1/")
        with pytest.raises(AuthorityUnavailable):  # while polling, nobody answers any more
            actions.issue_now(request_row.pk, at=limit)
        late = limit + timedelta(minutes=1)
        assert queries.requests_unanswered(late) == [request_row.pk]
        assert actions.warn_unanswered(request_row.pk, at=late)
        assert not actions.warn_unanswered(request_row.pk, at=late)  # told once
        assert queries.requests_unanswered(late) == []
        assert state(request_row) == UNCHANGED
        assert Notice.objects.filter(person=officer, subject__contains="pas répondu").count() == 1
        join(request_row, who, peer.url)
        while (issued := actions.issue_now(request_row.pk, at=at)) is None:
            assert state(request_row) == UNCHANGED
    assert issued
    assert kinds(peer).count(Kind.P10CR) == 1
    assert len(transactions(peer)) == 1


def test_case_c15_a_cut_after_the_question_is_resumed_by_a_poll(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    pem = Outside(who.root).sign(request_row, at=at, validity=timedelta(days=1090))

    def cut_then_answer(rank: int, question: bytes, answer: bytes) -> bytes | None:
        """OpenSSL refuses a poll without the nonce that was lost; others may not."""
        bodies = {2: granted(pem), 3: der.explicit(Kind.PKICONF, der.null())}
        return signed_answer(question, bodies[rank], who, at) if rank in bodies else None

    with served(request_row, who, tmp_path, pem=pem) as peer:
        peer.change = cut_then_answer
        with pytest.raises(AuthorityUnavailable):
            actions.issue_now(request_row.pk, at=at)
        assert state(request_row) == UNCHANGED
        assert actions.issue_now(request_row.pk, at=at)
    assert kinds(peer) == [Kind.P10CR, Kind.POLLREQ, Kind.CERTCONF]
    assert len(transactions(peer)) == 1


def test_case_c15_an_authority_that_forgot_is_not_asked_for_a_second_certificate(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    with served(request_row, who, tmp_path) as peer:
        peer.change = lambda rank, question, answer: None if rank == 1 else answer
        with pytest.raises(AuthorityUnavailable):
            actions.issue_now(request_row.pk, at=at)
        assert actions.issue_now(request_row.pk, at=at) is None
    assert kinds(peer) == [Kind.P10CR, Kind.POLLREQ]
    assert state(request_row) == (FileState.FACE_TO_FACE_DONE, RequestState.FAILED)


def test_a_server_that_was_never_reached_is_asked_afresh(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        join(request_row, who, f"http://127.0.0.1:{taken.getsockname()[1]}/")
        with pytest.raises(link.NothingSent):
            actions.issue_now(request_row.pk, at=at)
    assert not CmpExchange.objects.exists()
    with served(request_row, who, tmp_path) as peer:
        assert actions.issue_now(request_row.pk, at=at)
    assert kinds(peer)[0] == Kind.P10CR


def test_case_c18_a_rejection_is_told_to_the_officer(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    options = ("-pkistatus", "2", "-failure", "9", "-statusstring", "preuve de possession absente")
    with served(request_row, who, tmp_path, *options):
        assert actions.issue_now(request_row.pk, at=at) is None
    assert state(request_row) == (FileState.FACE_TO_FACE_DONE, RequestState.FAILED)
    assert "preuve de possession absente" in request_row.message


# What is not believed: the state stands, the journal says why


def test_case_c21_an_unsigned_answer_changes_nothing(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path, neighbour: Any
) -> None:
    with served(request_row, who, tmp_path, "-send_unprotected"):
        with pytest.raises(UntrustedAnswer, match="pas signée"):
            actions.issue_now(request_row.pk, at=at)
    assert state(request_row) == UNCHANGED
    assert "pas signée" in refusals(neighbour)[0]


def test_case_c22_a_wrong_nonce_changes_nothing(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path, neighbour: Any
) -> None:
    answers: list[bytes] = []

    def again(rank: int, question: bytes, answer: bytes) -> bytes:
        answers.append(answer)
        return answers[0]

    with served(request_row, who, tmp_path, "-poll_count", "3") as peer:
        peer.change = again
        with pytest.raises(UntrustedAnswer, match="recipNonce"):
            actions.issue_now(request_row.pk, at=at)
    assert state(request_row) == UNCHANGED
    assert "recipNonce" in refusals(neighbour)[0]


def test_an_answer_that_comes_too_late_changes_nothing(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path, neighbour: Any
) -> None:
    with served(request_row, who, tmp_path):
        with pytest.raises(UntrustedAnswer, match="horloge"):
            actions.issue_now(request_row.pk, at=at + timedelta(hours=1))
    assert state(request_row) == UNCHANGED
    assert "horloge" in refusals(neighbour)[0]


def test_case_c20_another_public_key_is_set_aside_and_rejected(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    pem = Outside(who.root).sign(
        request_row, key=new_key().public_key(), at=at, validity=timedelta(days=1090)
    )
    with served(request_row, who, tmp_path, pem=pem) as peer:
        assert actions.issue_now(request_row.pk, at=at) is None
    assert state(request_row) == (FileState.FACE_TO_FACE_DONE, RequestState.QUARANTINED)
    assert "clé publique" in request_row.message
    assert kinds(peer) == [Kind.P10CR, Kind.CERTCONF]
    assert "clé publique".encode() in peer.asked[1]
    assert not Certificate.objects.exists()


def test_case_c19_an_accent_lost_by_the_authority_is_named(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    pem = Outside(who.root).sign(
        request_row, given_name="Helene", at=at, validity=timedelta(days=1090)
    )
    with served(request_row, who, tmp_path, "-pkistatus", "1", pem=pem):
        assert actions.issue_now(request_row.pk, at=at) is None
    assert state(request_row) == (FileState.FACE_TO_FACE_DONE, RequestState.QUARANTINED)
    assert "prénom : « Helene » au lieu de « Hélène »" in request_row.message


def test_a_confirmation_that_did_not_go_through_is_sent_again(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    with served(request_row, who, tmp_path) as peer:
        peer.change = lambda rank, question, answer: b"panne" if rank == 2 else answer
        with pytest.raises(UntrustedAnswer):
            actions.issue_now(request_row.pk, at=at)
        assert state(request_row) == (FileState.ISSUED, RequestState.ISSUED)
        assert queries.requests_to_settle() == [request_row.pk]
    with served(request_row, who, tmp_path):
        CmpExchange.objects.update(confirmed=True)
        actions.settle_now(request_row.pk, at=at)
    assert queries.requests_to_settle() == []


def test_case_c57_an_expired_certificate_of_ours_asks_nothing(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    with served(request_row, who, tmp_path) as peer:
        with pytest.raises(AuthorityUnavailable, match="expired"):
            actions.issue_now(request_row.pk, at=at + timedelta(days=365))
    assert peer.asked == []
    assert state(request_row) == UNCHANGED


# Revocation


def revoked(request: CertificateRequest, counter: Counter, at: datetime) -> Certificate:
    certificate = Certificate.objects.get(request=request)
    actions.revoke(
        certificate_id=certificate.pk,
        reason=RevocationReason.KEY_COMPROMISE,
        by=counter.officer,
        at=at,
    )
    actions.revoke_at_authority(certificate.pk, at=at)
    certificate.refresh_from_db()
    return certificate


def test_a_revocation_the_authority_grants_is_confirmed(
    counter: Counter, request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    with served(request_row, who, tmp_path) as peer:
        actions.issue_now(request_row.pk, at=at)
        assert revoked(request_row, counter, at).revocation_confirmed_at == at
    assert kinds(peer)[-1] == Kind.RR


def test_case_c47_a_warning_leaves_the_revocation_to_confirm(
    counter: Counter, request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    with served(request_row, who, tmp_path):
        actions.issue_now(request_row.pk, at=at)
    pem = Certificate.objects.get().pem
    with served(request_row, who, tmp_path / "second", "-pkistatus", "4", pem=pem):
        certificate = revoked(request_row, counter, at)
    assert (certificate.revocation_sent_at, certificate.revocation_confirmed_at) == (at, None)
    outside = Outside(who.root)
    actions.keep_revocations(
        authority_id=request_row.file.offer.authority_id,
        content=outside.crl(certificate.serial, at=at),
        at=at,
    )
    certificate.refresh_from_db()
    assert certificate.revocation_confirmed_at == at


# The key of the counter, and the door


def test_the_key_is_sealed(request_row: CertificateRequest, who: Parties) -> None:
    joined = join(request_row, who, "http://127.0.0.1:9/")
    assert key_der(who.counter) not in bytes(joined.sealed_key)
    assert crypto.unseal(bytes(joined.sealed_key), purpose=cmp.PURPOSE) == key_der(who.counter)


def test_a_key_of_another_certificate_is_not_kept(
    request_row: CertificateRequest, who: Parties
) -> None:
    with pytest.raises(ValueError, match="not the one"):
        join(request_row, who, "http://127.0.0.1:9/", key_der=key_der(who.responder))


@pytest.mark.parametrize("answer", [b"x" * (exchange.MAX_BYTES + 1), b"", b"<html>503</html>"])
def test_an_answer_out_of_bounds_changes_nothing(
    request_row: CertificateRequest, who: Parties, at: datetime, tmp_path: Path, answer: bytes
) -> None:
    with served(request_row, who, tmp_path) as peer:
        peer.change = lambda rank, question, _: answer
        with pytest.raises(AuthorityUnavailable):
            actions.issue_now(request_row.pk, at=at)
    assert state(request_row) == UNCHANGED


def test_the_sweep_goes_on_when_an_authority_is_down(
    request_row: CertificateRequest, who: Parties
) -> None:
    join(request_row, who, "ftp://127.0.0.1/")
    tasks.sweep()
    tasks.watch_lists()
    assert state(request_row) == UNCHANGED
