"""Our OCSP client in front of OpenSSL's responder, and in front of liars."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as wire
from hypothesis import given
from hypothesis import strategies as st

from registration_authority import link
from registration_authority.pki import ocsp
from tests.registration_authority.watch.peers import (
    NOW,
    Signed,
    free_port,
    named,
    needs_openssl,
    openssl_ocsp,
    responder_certificate,
    signed,
)

AUTHORITY = signed("AC")
LEAF = signed("Personne", AUTHORITY)


def speak(question: ocsp.Question, port: int) -> bytes:
    return link.ask(
        f"http://127.0.0.1:{port}",
        body=question.content,
        content_type=ocsp.REQUEST_TYPE,
        expected=ocsp.RESPONSE_TYPE,
        limit=ocsp.MAX_BYTES,
    )


@needs_openssl
@pytest.mark.parametrize("delegated", [False, True])
@pytest.mark.parametrize(("flag", "revoked"), [("V", False), ("R", True)])
def test_openssl_s_responder_is_understood(
    tmp_path: Path, flag: str, revoked: bool, delegated: bool
) -> None:
    signer = responder_certificate(AUTHORITY) if delegated else AUTHORITY
    port, question = free_port(), ocsp.ask(LEAF.certificate, AUTHORITY.certificate)
    lines = {LEAF.certificate.serial_number: flag}
    with openssl_ocsp(tmp_path, port, AUTHORITY, signer, lines):
        answer = ocsp.read(speak(question, port), question=question, at=datetime.now(UTC))
    assert (answer.revoked_at is not None) is revoked
    if revoked:
        assert answer.revoked_at == NOW - timedelta(hours=3)


@needs_openssl
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_an_answer_signed_with_rsa_pss_is_believed(tmp_path: Path, digest: str) -> None:
    signer = responder_certificate(AUTHORITY, with_rsa=True)
    port, question = free_port(), ocsp.ask(LEAF.certificate, AUTHORITY.certificate)
    options = ("-rsigopt", "rsa_padding_mode:pss", "-rmd", digest)
    lines = {LEAF.certificate.serial_number: "R"}
    with openssl_ocsp(tmp_path, port, AUTHORITY, signer, lines, *options):
        content = speak(question, port)
    at = datetime.now(UTC)
    assert ocsp.read(content, question=question, at=at).revoked_at is not None
    spoilt = content.replace(signer.certificate.signature, bytes(256))
    with pytest.raises(ocsp.UnusableAnswer):
        ocsp.read(spoilt[:-700] + bytes(700), question=question, at=at)


def test_an_answer_signed_in_a_way_nobody_knows_is_refused() -> None:
    """Whatever the library raises of it, it is an answer that is not believed."""
    question = ocsp.ask(LEAF.certificate, AUTHORITY.certificate)
    content = answered(LEAF, AUTHORITY, question.nonce)
    ecdsa, unknown = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06082a8648ce3d040309")
    with pytest.raises(ocsp.UnusableAnswer):
        ocsp.read(content.replace(ecdsa, unknown), question=question, at=NOW)


@needs_openssl
def test_a_certificate_the_responder_does_not_know_is_no_answer(tmp_path: Path) -> None:
    port, question = free_port(), ocsp.ask(LEAF.certificate, AUTHORITY.certificate)
    with (
        openssl_ocsp(tmp_path, port, AUTHORITY, AUTHORITY, {1: "V"}),
        pytest.raises(ocsp.UnusableAnswer, match="ne connaît pas"),
    ):
        ocsp.read(speak(question, port), question=question, at=datetime.now(UTC))


@needs_openssl
def test_the_answer_to_another_question_is_refused(tmp_path: Path) -> None:
    port = free_port()
    first, second = (ocsp.ask(LEAF.certificate, AUTHORITY.certificate) for _ in range(2))
    lines = {LEAF.certificate.serial_number: "V"}
    with openssl_ocsp(tmp_path, port, AUTHORITY, AUTHORITY, lines):
        answer = speak(first, port)
    with pytest.raises(ocsp.UnusableAnswer, match="autre question"):
        ocsp.read(answer, question=second, at=NOW)


@needs_openssl
def test_another_authority_s_answer_is_refused(tmp_path: Path) -> None:
    port, question = free_port(), ocsp.ask(LEAF.certificate, AUTHORITY.certificate)
    forger = signed("AC")  # the same name, another key
    lines = {LEAF.certificate.serial_number: "V"}
    with openssl_ocsp(tmp_path, port, AUTHORITY, forger, lines):
        answer = speak(question, port)
    with pytest.raises(ocsp.UnusableAnswer, match="pas chargé de répondre"):
        ocsp.read(answer, question=question, at=NOW)


@needs_openssl
def test_a_certificate_that_may_not_answer_is_refused(tmp_path: Path) -> None:
    port, question = free_port(), ocsp.ask(LEAF.certificate, AUTHORITY.certificate)
    holder = signed("Une personne", AUTHORITY)  # of the same authority, without the right
    lines = {LEAF.certificate.serial_number: "V"}
    with openssl_ocsp(tmp_path, port, AUTHORITY, holder, lines):
        answer = speak(question, port)
    with pytest.raises(ocsp.UnusableAnswer, match="pas chargé de répondre"):
        ocsp.read(answer, question=question, at=NOW)


@needs_openssl
@pytest.mark.parametrize("days", [-1, 3])
def test_an_answer_out_of_date_is_refused(tmp_path: Path, days: int) -> None:
    port, question = free_port(), ocsp.ask(LEAF.certificate, AUTHORITY.certificate)
    lines = {LEAF.certificate.serial_number: "V"}
    with openssl_ocsp(tmp_path, port, AUTHORITY, AUTHORITY, lines):
        answer = speak(question, port)
    with pytest.raises(ocsp.UnusableAnswer, match="plus à jour"):
        ocsp.read(answer, question=question, at=NOW + timedelta(days=days))


def answered(about: Signed, issuer: Signed, nonce: bytes | None) -> bytes:
    """An answer made by hand, signed by the authority."""
    builder = wire.OCSPResponseBuilder().add_response(
        cert=about.certificate,
        issuer=issuer.certificate,
        algorithm=hashes.SHA1(),  # noqa: S303 - as every responder names an issuer
        cert_status=wire.OCSPCertStatus.GOOD,
        this_update=NOW,
        next_update=NOW + timedelta(days=1),
        revocation_time=None,
        revocation_reason=None,
    )
    builder = builder.responder_id(wire.OCSPResponderEncoding.HASH, AUTHORITY.certificate)
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.sign(AUTHORITY.key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_responder_may_leave_the_nonce_out() -> None:
    question = ocsp.ask(LEAF.certificate, AUTHORITY.certificate)
    content = answered(LEAF, AUTHORITY, None)
    assert ocsp.read(content, question=question, at=NOW).revoked_at is None


def test_an_answer_about_another_certificate_says_nothing() -> None:
    question = ocsp.ask(LEAF.certificate, AUTHORITY.certificate)
    other = signed("Autre", AUTHORITY)
    same_serial = signed("Ailleurs", signed("AC 2"), serial=LEAF.certificate.serial_number)
    for about, issuer in ((other, AUTHORITY), (same_serial, signed("AC 2"))):
        content = answered(about, issuer, question.nonce)
        with pytest.raises(ocsp.UnusableAnswer, match="autre certificat"):
            ocsp.read(content, question=question, at=NOW)


def test_a_responder_that_refuses_says_so() -> None:
    question = ocsp.ask(LEAF.certificate, AUTHORITY.certificate)
    refused = wire.OCSPResponseBuilder.build_unsuccessful(wire.OCSPResponseStatus.TRY_LATER)
    with pytest.raises(ocsp.UnusableAnswer, match="try_later"):
        ocsp.read(refused.public_bytes(Encoding.DER), question=question, at=NOW)


@given(st.binary(max_size=200))
def test_noise_is_refused(content: bytes) -> None:
    question = ocsp.ask(LEAF.certificate, AUTHORITY.certificate)
    with pytest.raises(ocsp.UnusableAnswer):
        ocsp.read(content, question=question, at=NOW)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (ocsp.responder_of, "http://ocsp.exemple.fr"),
        (lambda one: ocsp.lists_of(one)[0], "http://crl.exemple.fr/ac.crl"),
    ],
)
def test_the_addresses_come_from_the_certificate(
    read: Callable[[x509.Certificate], str], expected: str
) -> None:
    told = named("http://ocsp.exemple.fr", "http://crl.exemple.fr/ac.crl")
    assert read(signed("Personne", AUTHORITY, *told).certificate) == expected


def test_other_addresses_are_not_followed() -> None:
    told = named("file:///etc/passwd", "ldap://annuaire.exemple.fr/")
    leaf = signed("Personne", AUTHORITY, *told).certificate
    assert ocsp.responder_of(leaf) == ""
    assert ocsp.lists_of(leaf) == []
