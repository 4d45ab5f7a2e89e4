"""The embedded authority signs certificates that say EXERCICE, and lists the revoked ones."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from registration_authority.pki import training_ca
from registration_authority.pki.certificate import facts_of, load_certificate
from registration_authority.pki.names import Holder, UnfitName, checked_holder
from registration_authority.pki.training_ca import AuthorityEndsTooSoon, Revoked, Root
from tests.registration_authority.holder_keys import new_key

NOON = datetime(2026, 11, 24, 11, tzinfo=UTC)
YEARS = timedelta(days=1095)
HOLDER = Holder("Hélène", "Épinay", "H.Epinay@melle.fr", "Commune de Melle", "200081511")


@pytest.fixture(scope="module")
def root() -> Root:
    return training_ca.create_root(name="AC EXERCICE", at=NOON)


def signed(root: Root, **changes: object) -> x509.Certificate:
    given = {"key": new_key().public_key(), "holder": HOLDER, "serial": 2**126 + 5, "at": NOON}
    pem = training_ca.sign(root=root, **(given | {"validity": YEARS} | changes))  # type: ignore[arg-type]
    return load_certificate(pem)


def values(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(a.value) for a in certificate.subject.get_attributes_for_oid(oid)]


def test_the_subject_names_the_person_and_the_body(root: Root) -> None:
    certificate = signed(root)
    assert values(certificate, NameOID.COMMON_NAME) == ["Hélène ÉPINAY"]
    assert values(certificate, NameOID.ORGANIZATION_IDENTIFIER) == ["NTRFR-200081511"]
    assert "0002 200081511" in values(certificate, NameOID.ORGANIZATIONAL_UNIT_NAME)


def test_the_subject_and_the_policy_say_exercice(root: Root) -> None:
    certificate = signed(root)
    assert any("EXERCICE" in u for u in values(certificate, NameOID.ORGANIZATIONAL_UNIT_NAME))
    policies = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert policies[0].policy_identifier.dotted_string == training_ca.EXERCISE_POLICY


def test_the_key_may_only_authenticate(root: Root) -> None:
    extensions = signed(root).extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.content_commitment
    extended = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_address_keeps_its_case(root: Root) -> None:
    names = signed(root).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.RFC822Name) == ["H.Epinay@melle.fr"]


def test_the_chain_is_accepted_by_an_independent_verifier(root: Root) -> None:
    verifier = PolicyBuilder().store(Store([root.certificate()])).time(NOON + timedelta(days=1))
    verified = verifier.build_client_verifier().verify(signed(root), [])
    assert verified.chain[-1] == root.certificate()


def test_a_certificate_lasts_three_years_at_most(root: Root) -> None:
    facts = facts_of(signed(root))
    assert facts.not_after - facts.not_before == YEARS
    with pytest.raises(ValueError, match="1095"):
        signed(root, validity=timedelta(days=1096))


def test_no_certificate_outlives_its_authority(root: Root) -> None:
    with pytest.raises(AuthorityEndsTooSoon):
        signed(root, at=NOON + timedelta(days=3000))


def test_the_facts_are_hexadecimal_and_readable(root: Root) -> None:
    facts = facts_of(signed(root))
    assert facts.serial == f"{2**126 + 5:x}"
    assert len(facts.fingerprint) == 64
    assert facts.issuer == "CN=AC EXERCICE,O=EXERCICE - sans valeur juridique,C=FR"


def test_the_private_key_does_not_show_itself(root: Root) -> None:
    assert "key_der" not in repr(root)
    assert "PRIVATE" not in repr(root)


def test_serials_are_long_and_differ() -> None:
    serials = {training_ca.new_serial() for _ in range(50)}
    assert len(serials) == 50
    assert all(serial.bit_length() == 127 for serial in serials)


def test_the_list_of_revoked_is_signed_and_says_why(root: Root) -> None:
    content = training_ca.revocation_list(
        root=root, revoked=[Revoked(77, NOON, "keyCompromise")], number=4, at=NOON
    )
    crl = x509.load_der_x509_crl(content)
    assert crl.is_signature_valid(root.certificate().public_key())  # type: ignore[arg-type]
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 4
    line = crl.get_revoked_certificate_by_serial_number(77)
    assert line is not None
    reason = line.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason is x509.ReasonFlags.key_compromise


def test_names_are_written_in_nfc() -> None:
    assert named(given_name="He\u0301le\u0300ne").given_name == "Hélène"


@pytest.mark.parametrize("surname", ["D’ALMEIDA-ÉPINAY", "de La Tour", "N'Diaye", "Zoë"])
def test_french_names_are_accepted(surname: str) -> None:
    assert named(surname=surname).surname == surname


@pytest.mark.parametrize(
    "surname", ["Du\u202epont", "Du\npont", "Dupont/O=Melle", "D=upont", "", "123"]
)
def test_names_that_could_forge_a_subject_are_refused(surname: str) -> None:
    with pytest.raises(UnfitName):
        named(surname=surname)


def test_too_long_a_name_is_refused() -> None:
    with pytest.raises(UnfitName, match="64 caractères"):
        named(given_name="Marie " * 8 + "Anne", surname="de La Rochefoucauld")


def test_an_address_with_accents_is_refused() -> None:
    with pytest.raises(UnfitName, match="sans accent"):
        named(email="hélène@melle.fr")


def named(**changes: str) -> Holder:
    given = {
        "given_name": "Marie",
        "surname": "Dupont",
        "email": "m@melle.fr",
        "organisation": "Commune de Melle",
        "siren": "200081511",
    }
    return checked_holder(**(given | changes))
