"""Our messages, understood by OpenSSL's own server, and its answers understood by us."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from registration_authority import link
from registration_authority.pki import training_ca
from registration_authority.pki.cmp import exchange, messages
from registration_authority.pki.cmp.exchange import Answer, Turn
from registration_authority.pki.cmp.messages import Kind, Status
from registration_authority.pki.names import Holder
from tests.registration_authority.holder_keys import new_key, request_der
from tests.registration_authority.openssl_peer import (
    Parties,
    Peer,
    needs_openssl,
    openssl_server,
    parties,
)

pytestmark = needs_openssl
HOLDER = Holder("Hélène", "Épinay", "h.epinay@melle.fr", "Commune de Melle", "200081511")
KEY = new_key()


@pytest.fixture(scope="module")
def who() -> Parties:
    return parties()


@pytest.fixture(scope="module")
def pem(who: Parties) -> str:
    """What the server answers whatever is asked."""
    return training_ca.sign(
        root=who.root,
        key=KEY.public_key(),
        holder=HOLDER,
        serial=77,
        at=datetime.now(UTC),
        validity=timedelta(days=300),
    )


@pytest.fixture
def served(
    who: Parties, pem: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Peer]:
    options = getattr(request, "param", ())
    with openssl_server(tmp_path, who, pem, "-accept_raverified", *options) as peer:
        yield peer


class Talk:
    """One conversation with the server."""

    def __init__(self, who: Parties, peer: Peer) -> None:
        self.who, self.peer = who, peer
        self.transaction, self.heard = exchange.new_transaction(), b""

    def say(self, body: bytes, *, implicit: bool = False) -> Answer:
        """One question and its answer."""
        turn = exchange.next_turn(self.transaction, self.heard)
        answer = exchange.read_answer(
            self.ask(body, turn, implicit=implicit),
            turn=turn,
            responder=self.who.responder.certificate,
            at=datetime.now(UTC),
        )
        self.heard = answer.nonce
        return answer

    def ask(self, body: bytes, turn: Turn, *, implicit: bool = False) -> bytes:
        """One question and the bytes that came back."""
        question = exchange.question(
            body,
            turn=turn,
            signer=self.who.counter,
            recipient=self.who.responder.certificate.subject,
            at=datetime.now(UTC),
            implicit=implicit,
        )
        return link.ask(
            self.peer.url, body=question, content_type=exchange.MEDIA_TYPE, limit=100_000
        )


def subject() -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOLDER.common_name)])


def asked(kind: Kind, former: x509.Certificate | None = None) -> bytes:
    email = x509.SubjectAlternativeName([x509.RFC822Name(HOLDER.email)])
    return messages.request(
        kind,
        key=KEY.public_key(),
        subject=subject(),
        extensions=[x509.Extension(email.oid, False, email)],
        former=former,
    )


def certificate_of(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


@pytest.mark.parametrize(
    ("kind", "answered"), [(Kind.IR, Kind.IP), (Kind.CR, Kind.CP), (Kind.KUR, Kind.KUP)]
)
def test_a_certificate_is_asked_and_confirmed(
    who: Parties, served: Peer, pem: str, kind: Kind, answered: Kind
) -> None:
    talk = Talk(who, served)
    former = certificate_of(pem) if kind == Kind.KUR else None
    answer = talk.say(asked(kind, former))
    said = messages.read_certificate(answer.body)
    assert (answer.kind, said.info.status) == (answered, Status.ACCEPTED)
    assert said.certificate == certificate_of(pem)
    assert not answer.confirmed
    body = messages.confirm(said.certificate, request_id=said.request_id, accepted=True)
    assert talk.say(body).kind == Kind.PKICONF


def test_a_kur_for_a_certificate_the_authority_does_not_hold_is_an_error(
    who: Parties, served: Peer
) -> None:
    answer = Talk(who, served).say(asked(Kind.KUR, who.counter.certificate))
    assert answer.kind == Kind.ERROR
    assert "certid" in messages.read_error(answer.body).text


def test_the_holders_own_request_is_carried_untouched(who: Parties, served: Peer, pem: str) -> None:
    talk = Talk(who, served)
    answer = talk.say(messages.pkcs10(request_der(KEY)))
    assert messages.read_certificate(answer.body).certificate == certificate_of(pem)


def test_a_rejected_certificate_is_told(who: Parties, served: Peer) -> None:
    talk = Talk(who, served)
    said = messages.read_certificate(talk.say(asked(Kind.IR)).body)
    assert said.certificate is not None
    body = messages.confirm(
        said.certificate, request_id=said.request_id, accepted=False, reason="Prénom différent"
    )
    assert talk.say(body).kind == Kind.PKICONF


@pytest.mark.parametrize("served", [("-grant_implicitconf",)], indirect=True)
def test_an_implicit_confirmation_is_granted_when_asked(who: Parties, served: Peer) -> None:
    assert Talk(who, served).say(asked(Kind.IR), implicit=True).confirmed


@pytest.mark.parametrize("served", [("-poll_count", "2", "-check_after", "7")], indirect=True)
def test_a_waiting_request_is_polled(who: Parties, served: Peer, pem: str) -> None:
    talk = Talk(who, served)
    said = messages.read_certificate(talk.say(asked(Kind.CR)).body)
    assert said.info.status == Status.WAITING
    polled = talk.say(messages.poll(said.request_id))
    assert polled.kind == Kind.POLLREP
    assert messages.read_poll(polled.body).check_after == 7
    got = messages.read_certificate(talk.say(messages.poll(said.request_id)).body)
    assert got.certificate == certificate_of(pem)


@pytest.mark.parametrize(
    "served",
    [("-pkistatus", "2", "-failure", "9", "-statusstring", "pas ce porteur")],
    indirect=True,
)
def test_case_c18_a_rejection_keeps_the_words_of_the_authority(who: Parties, served: Peer) -> None:
    info = messages.read_certificate(Talk(who, served).say(asked(Kind.IR)).body).info
    assert info.status == Status.REJECTION
    assert info.text == "pas ce porteur"
    assert info.failures == {9}


def test_a_revocation_is_granted(who: Parties, served: Peer, pem: str) -> None:
    body = messages.revocation(certificate_of(pem), reason="keyCompromise")
    answer = Talk(who, served).say(body)
    assert answer.kind == Kind.RP
    assert messages.read_revocation(answer.body).status == Status.ACCEPTED


@pytest.mark.parametrize("served", [("-pkistatus", "4")], indirect=True)
def test_case_c47_a_warning_is_not_a_revocation(who: Parties, served: Peer, pem: str) -> None:
    body = messages.revocation(certificate_of(pem), reason="keyCompromise")
    info = messages.read_revocation(Talk(who, served).say(body).body)
    assert info.status == Status.REVOCATION_WARNING


def test_the_revocation_of_another_certificate_is_an_error(who: Parties, served: Peer) -> None:
    body = messages.revocation(who.counter.certificate, reason="superseded")
    answer = Talk(who, served).say(body)
    assert answer.kind == Kind.ERROR
    assert messages.read_error(answer.body).text


def test_a_signer_the_authority_does_not_know_gets_an_error(served: Peer, who: Parties) -> None:
    stranger = parties()
    talk = Talk(Parties(who.root, who.responder, stranger.counter), served)
    assert talk.say(asked(Kind.IR)).kind == Kind.ERROR


# Answers that are not believed


def refusal(content: bytes, turn: Turn, who: Parties, *, late: timedelta = timedelta(0)) -> str:
    """Why an answer is not believed."""
    with pytest.raises(exchange.BadAnswer) as refused:
        exchange.read_answer(
            content,
            turn=turn,
            responder=who.responder.certificate,
            at=datetime.now(UTC) + late,
        )
    return str(refused.value)


@pytest.mark.parametrize("served", [("-send_unprotected",)], indirect=True)
def test_case_c21_an_unsigned_answer_is_refused(who: Parties, served: Peer) -> None:
    talk = Talk(who, served)
    turn = exchange.next_turn(talk.transaction)
    assert "pas signée" in refusal(talk.ask(asked(Kind.IR), turn), turn, who)


def test_case_c21_an_answer_signed_by_somebody_else_is_refused(who: Parties, served: Peer) -> None:
    talk = Talk(who, served)
    turn = exchange.next_turn(talk.transaction)
    other = parties()
    assert "pas signée par l’autorité" in refusal(talk.ask(asked(Kind.IR), turn), turn, other)


def test_case_c22_the_answer_of_another_conversation_is_refused(who: Parties, served: Peer) -> None:
    talk = Talk(who, served)
    content = talk.ask(asked(Kind.IR), exchange.next_turn(talk.transaction))
    turn = exchange.next_turn(exchange.new_transaction())
    assert "transactionID" in refusal(content, turn, who)


def test_case_c22_the_answer_to_another_question_is_refused(who: Parties, served: Peer) -> None:
    talk = Talk(who, served)
    content = talk.ask(asked(Kind.IR), exchange.next_turn(talk.transaction))
    assert "recipNonce" in refusal(content, exchange.next_turn(talk.transaction), who)


@pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_an_answer_far_from_our_clock_is_refused(
    who: Parties, served: Peer, late: timedelta
) -> None:
    talk = Talk(who, served)
    turn = exchange.next_turn(talk.transaction)
    assert "horloge" in refusal(talk.ask(asked(Kind.IR), turn), turn, who, late=late)


@pytest.mark.parametrize("position", [10, 60, 150, -80, -1])
def test_a_changed_or_cut_answer_is_refused(who: Parties, served: Peer, position: int) -> None:
    talk = Talk(who, served)
    turn = exchange.next_turn(talk.transaction)
    content = bytearray(talk.ask(asked(Kind.IR), turn))
    assert refusal(bytes(content[:position]), turn, who)
    signature_end = len(content) - 200
    content[min(abs(position), signature_end)] ^= 1
    assert refusal(bytes(content), turn, who)


def test_what_is_no_message_is_refused(who: Parties) -> None:
    turn = exchange.next_turn(exchange.new_transaction())
    for content in (b"", b"<html>", b"\x30\x80\x00\x00", b"\x30\x84\xff\xff\xff\xff", b"\x30\x00"):
        assert "CMP" in refusal(content, turn, who)
    assert "lourde" in refusal(b"\x30" * 300_000, turn, who)
