"""Nothing is handed over that is not exactly what the file says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from registration_authority.pki import training_ca
from registration_authority.pki.certificate import UnreadableCertificate
from registration_authority.pki.check import Expected, NotWhatWasAsked, check_issued
from registration_authority.pki.csr import read_request
from registration_authority.pki.names import Holder
from tests.registration_authority.holder_keys import new_key, request_pem, rsa_key

NOON = datetime(2026, 11, 24, 11, tzinfo=UTC)
HOLDER = Holder("Hélène", "Épinay", "h.epinay@melle.fr", "Commune de Melle", "200081511")
ROOT = training_ca.create_root(name="AC EXERCICE", at=NOON)
KEY = new_key()
EXPECTED = Expected(
    request=read_request(request_pem(KEY)),
    holder=HOLDER,
    authority_pem=ROOT.certificate_pem,
    policy=training_ca.EXERCISE_POLICY,
    validity=timedelta(days=1095),
    min_rsa_bits=2048,
)


def signed(**changes: object) -> str:
    given = {"root": ROOT, "key": KEY.public_key(), "holder": HOLDER, "serial": 12345, "at": NOON}
    return training_ca.sign(**(given | {"validity": timedelta(days=1095)} | changes))  # type: ignore[arg-type]


def test_what_was_asked_is_accepted() -> None:
    assert check_issued(signed(), expected=EXPECTED, at=NOON).serial == "3039"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"given_name": "Helene"}, "prénom : « Helene » au lieu de « Hélène »"),
        ({"surname": "Dupont"}, "nom : « Dupont »"),
        ({"siren": "217900612"}, "SIREN"),
        ({"organisation": "Commune de Celles-sur-Belle"}, "organisme"),
        ({"email": "paul@celles.fr"}, "adresse électronique : « paul@celles.fr »"),
    ],
)
def test_a_certificate_of_somebody_else_is_refused(changes: dict[str, str], named: str) -> None:
    pem = signed(holder=replace(HOLDER, **changes))
    with pytest.raises(NotWhatWasAsked, match=named):
        check_issued(pem, expected=EXPECTED, at=NOON)


def test_a_certificate_for_another_key_is_refused() -> None:
    with pytest.raises(NotWhatWasAsked, match="clé publique"):
        check_issued(signed(key=new_key().public_key()), expected=EXPECTED, at=NOON)


def test_a_weak_key_is_found_even_when_the_authority_signed_it() -> None:
    with pytest.raises(NotWhatWasAsked, match="1024 bits"):
        check_issued(signed(key=rsa_key(1024).public_key()), expected=EXPECTED, at=NOON)


def test_another_authority_of_the_same_name_is_refused() -> None:
    other = training_ca.create_root(name="AC EXERCICE", at=NOON)
    with pytest.raises(NotWhatWasAsked, match="émetteur"):
        check_issued(signed(root=other), expected=EXPECTED, at=NOON)


def test_an_expired_authority_is_refused() -> None:
    late = NOON + timedelta(days=3651)
    with pytest.raises(NotWhatWasAsked, match="autorité"):
        check_issued(signed(), expected=EXPECTED, at=late)


def test_a_certificate_of_the_future_is_refused() -> None:
    with pytest.raises(NotWhatWasAsked, match="validité"):
        check_issued(signed(at=NOON + timedelta(hours=1)), expected=EXPECTED, at=NOON)


def test_a_longer_validity_than_the_offer_is_refused() -> None:
    asked = replace(EXPECTED, validity=timedelta(days=730))
    with pytest.raises(NotWhatWasAsked, match="durée : « 1095 jours »"):
        check_issued(signed(), expected=asked, at=NOON)


def test_another_policy_is_refused() -> None:
    asked = replace(EXPECTED, policy="1.2.250.1.1")
    with pytest.raises(NotWhatWasAsked, match="politique"):
        check_issued(signed(), expected=asked, at=NOON)


def test_a_key_that_may_also_sign_contracts_is_refused() -> None:
    usage = x509.KeyUsage(True, True, False, False, False, False, False, False, False)
    with pytest.raises(NotWhatWasAsked, match="usage de la clé"):
        check_issued(resigned(x509.KeyUsage, usage), expected=EXPECTED, at=NOON)


def test_a_certificate_that_could_sign_others_is_refused() -> None:
    authority = x509.BasicConstraints(ca=True, path_length=None)
    with pytest.raises(NotWhatWasAsked, match="une autorité"):
        check_issued(resigned(x509.BasicConstraints, authority), expected=EXPECTED, at=NOON)


def test_a_certificate_without_client_authentication_is_refused() -> None:
    with pytest.raises(NotWhatWasAsked, match="usage étendu"):
        check_issued(resigned(x509.ExtendedKeyUsage, None), expected=EXPECTED, at=NOON)


def test_what_is_no_certificate_is_refused() -> None:
    with pytest.raises(UnreadableCertificate):
        check_issued("bonjour", expected=EXPECTED, at=NOON)


def resigned(kind: type[x509.ExtensionType], value: x509.ExtensionType | None) -> str:
    """A good certificate with one extension changed or left out, signed again."""
    good = x509.load_pem_x509_certificate(signed().encode())
    builder = x509.CertificateBuilder(
        good.issuer,
        good.subject,
        good.public_key(),
        good.serial_number,
        good.not_valid_before_utc,
        good.not_valid_after_utc,
    )
    for extension in good.extensions:
        kept = value if isinstance(extension.value, kind) else extension.value
        if kept is not None:
            builder = builder.add_extension(kept, critical=extension.critical)
    return builder.sign(ROOT.key(), hashes.SHA256()).public_bytes(Encoding.PEM).decode()
