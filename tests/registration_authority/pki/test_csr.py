"""A certificate request is read with suspicion."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from registration_authority.pki.csr import (
    MAX_BYTES,
    NoProofOfPossession,
    PrivateKeyInRequest,
    RequestForAnother,
    UnreadableRequest,
    check_subject,
    read_request,
)
from registration_authority.pki.keys import WeakKey, check_key, fault_of_modulus
from tests.registration_authority.holder_keys import (
    forged_request,
    new_key,
    request_der,
    request_pem,
    rsa_key,
)


def test_pem_and_der_of_one_request_are_the_same_request() -> None:
    key = new_key()
    assert read_request(request_pem(key)).public_key == read_request(request_der(key)).public_key


def test_a_request_is_kept_as_pem_whatever_its_form() -> None:
    kept = read_request(request_der()).pem
    assert kept.startswith("-----BEGIN CERTIFICATE REQUEST-----")
    assert read_request(kept.encode()).pem == kept


def test_the_subject_is_read() -> None:
    request = read_request(
        request_pem(common_name="Hélène Épinay", email="h.epinay@melle.fr", unit="0002 200081511")
    )
    assert request.emails == ("h.epinay@melle.fr",)
    assert request.sirens == ("200081511",)
    assert "Hélène Épinay" in request.subject


@pytest.mark.parametrize("kept", [1, 40, 200, -1])
def test_a_truncated_der_is_refused(kept: int) -> None:
    with pytest.raises(UnreadableRequest, match="tronqué"):
        read_request(request_der()[:kept])


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(UnreadableRequest, match="vide"):
        read_request(b"")


def test_bytes_after_a_der_request_are_refused() -> None:
    with pytest.raises(UnreadableRequest):
        read_request(request_der() + b"\x00")


def test_two_requests_in_one_file_are_refused() -> None:
    with pytest.raises(UnreadableRequest, match="2 éléments"):
        read_request(request_pem() + request_pem())


def test_too_heavy_a_file_is_refused_unread() -> None:
    with pytest.raises(UnreadableRequest, match="plus lourd"):
        read_request(request_pem() + b"\n" * MAX_BYTES)


def test_another_kind_of_pem_is_refused_by_its_name() -> None:
    text = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    with pytest.raises(UnreadableRequest, match="certificate"):
        read_request(text)


def test_a_private_key_is_refused_even_beside_a_request() -> None:
    key = new_key()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(PrivateKeyInRequest):
        read_request(request_pem(key) + secret)


def test_a_request_signed_by_another_key_is_refused() -> None:
    with pytest.raises(NoProofOfPossession):
        read_request(forged_request(new_key(), new_key()))


def test_a_short_rsa_key_is_refused() -> None:
    with pytest.raises(WeakKey, match="1024 bits"):
        read_request(request_pem(rsa_key(1024)))


def test_the_offer_may_ask_for_a_longer_key() -> None:
    content = request_pem(rsa_key(2048))
    assert read_request(content)
    with pytest.raises(WeakKey, match="au moins 3072"):
        read_request(content, min_rsa_bits=3072)


def test_a_use_beyond_2030_asks_for_3072_bits() -> None:
    content = request_pem(rsa_key(2048))
    assert read_request(content, until=datetime(2030, 12, 31, tzinfo=UTC))
    with pytest.raises(WeakKey, match="au moins 3072"):
        read_request(content, until=datetime(2031, 1, 1, tzinfo=UTC))


def test_a_small_public_exponent_is_refused() -> None:
    with pytest.raises(WeakKey, match="exposant public de la clé est 3"):
        read_request(request_pem(rsa_key(2048, 3)))


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP256K1()), ed25519.Ed25519PrivateKey.generate()]
)
def test_an_unexpected_kind_of_key_is_refused(key: object) -> None:
    with pytest.raises(WeakKey, match="ni une clé RSA"):
        check_key(key.public_key())  # type: ignore[attr-defined]


def test_a_sound_modulus_has_no_fault() -> None:
    assert fault_of_modulus(rsa_key(2048).public_key().public_numbers().n) == ""


def test_a_small_factor_is_found() -> None:
    assert "petit facteur" in fault_of_modulus(751 * (2**2040 + 1))


def test_two_close_primes_are_found() -> None:
    middle = 3 * 2**1022 + 2**700 + 1
    while (middle * middle - 36) % 2 == 0 or "petit" in fault_of_modulus(middle * middle - 36):
        middle += 1
    assert "trop proches" in fault_of_modulus((middle - 6) * (middle + 6))


def test_a_key_of_a_roca_chip_is_found() -> None:
    primorial = 1
    for number in range(3, 168, 2):
        if all(number % divisor for divisor in range(3, number, 2)):
            primorial *= number
    modulus = pow(65537, 12345, primorial) + primorial * (2**1800)
    while modulus % 2 == 0 or "petit" in fault_of_modulus(modulus):
        modulus += primorial
    assert "ROCA" in fault_of_modulus(modulus)


def test_a_request_for_another_person_is_refused() -> None:
    request = read_request(request_pem(email="paul@celles.fr"))
    with pytest.raises(RequestForAnother, match=r"paul@celles\.fr"):
        check_subject(request, email="marie@melle.fr", siren="200081511")


@pytest.mark.parametrize("where", ["unit", "identifier"])
def test_a_request_for_another_body_is_refused(where: str) -> None:
    text = {"unit": "0002 217900612", "identifier": "NTRFR-217900612"}[where]
    request = read_request(request_pem(**{where: text}))
    with pytest.raises(RequestForAnother, match="217900612"):
        check_subject(request, email="marie@melle.fr", siren="200081511")


def test_a_subject_that_says_nothing_is_no_fault() -> None:
    check_subject(read_request(request_pem()), email="marie@melle.fr", siren="200081511")
