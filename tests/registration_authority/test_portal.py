"""An authority reached by hand: what the operator takes there and brings back."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from pypdfium2 import PdfDocument

from registration_authority import actions, queries, tasks
from registration_authority.models import (
    Certificate,
    CertificateRequest,
    FileState,
    RequestState,
    RevocationListCopy,
    RevocationReason,
)
from registration_authority.pki import training_ca
from registration_authority.pki.bundle import PrivateKeyInBundle, UnreadableBundle
from registration_authority.pki.check import NotWhatWasAsked
from registration_authority.pki.crl import UnusableList
from socle.accounts.capabilities import Role
from socle.core.refusals import Refusal
from socle.journal.models import Entry
from tests.people import on_portal, person
from tests.registration_authority.authorities import Outside, behind, p7b
from tests.registration_authority.counter import NOON, Counter
from tests.registration_authority.holder_keys import new_key, request_pem


@pytest.fixture(scope="module")
def root() -> training_ca.Root:
    """The key of the authority outside, made once."""
    return training_ca.create_root(name="AC du dehors", at=NOON)


@pytest.fixture
def outside(counter: Counter, root: training_ca.Root) -> Outside:
    """The authority behind the portal; the file has had its face to face."""
    made = Outside(root)
    behind(counter, made, adapter="portal")
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    return made


def sent(counter: Counter) -> CertificateRequest:
    """The request is with the authority."""
    request = counter.ask()
    actions.issue(request_id=request.pk, by=counter.officer, at=NOON)
    assert actions.issue_now(request.pk, at=NOON) is None
    request.refresh_from_db()
    return request


def bring(counter: Counter, content: bytes | str, **changes: Any) -> Certificate:
    """The operator brings a file back."""
    raw = content.encode() if isinstance(content, str) else content
    given = {"file_id": counter.file.pk, "by": counter.officer, "at": NOON}
    return actions.deposit_certificate(content=raw, **(given | changes))


def states(counter: Counter, request: CertificateRequest) -> tuple[str, str]:
    request.refresh_from_db()
    return counter.state, request.state


def test_the_request_waits_for_the_operator(counter: Counter, outside: Outside) -> None:
    request = sent(counter)
    assert states(counter, request) == (FileState.FACE_TO_FACE_DONE, RequestState.APPROVED)


def test_one_file_holds_the_request_and_what_to_type(counter: Counter, outside: Outside) -> None:
    request = sent(counter)
    content = actions.export_request(file_id=counter.file.pk, by=counter.officer, at=NOON)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["demande.csr", "fiche.pdf"]
        assert archive.read("demande.csr").decode() == request.csr_pem
        text = PdfDocument(archive.read("fiche.pdf"))[0].get_textpage().get_text_bounded()
    assert counter.holder.email in text
    assert "Hélène ÉPINAY" in text
    assert f"0002 {counter.organisation.siren}" in text
    assert request.public_key[:8] in text


def test_the_export_is_journalled(counter: Counter, outside: Outside, neighbour: Any) -> None:
    sent(counter)
    actions.export_request(file_id=counter.file.pk, by=counter.officer, at=NOON)
    connection.set_tenant(neighbour)
    assert Entry.objects.filter(event="ra.request_exported").count() == 1
    connection.set_schema_to_public()


def test_nothing_is_exported_before_the_request_is_sent(counter: Counter, outside: Outside) -> None:
    counter.ask()
    with pytest.raises(Refusal, match="n’attend pas"):
        actions.export_request(file_id=counter.file.pk, by=counter.officer, at=NOON)


def test_the_certificate_brought_back_is_handed_over(counter: Counter, outside: Outside) -> None:
    pem = outside.sign(sent(counter))
    bring(counter, pem, revocation_list=outside.crl())
    assert counter.state == FileState.ISSUED
    counter.bring_to(FileState.HANDED_OVER)


def test_case_c68_the_leaf_is_found_in_a_p7b_with_its_chain(
    counter: Counter, outside: Outside
) -> None:
    pem = outside.sign(sent(counter))
    brought = bring(counter, p7b(outside.root.certificate_pem, pem), revocation_list=outside.crl())
    assert brought.pem.strip() == pem.strip()


def test_case_c68_the_certificate_of_another_request_changes_nothing(
    counter: Counter, outside: Outside
) -> None:
    request = sent(counter)
    pem = outside.sign(request, key=new_key().public_key())
    with pytest.raises(NotWhatWasAsked, match="clé publique différente"):
        bring(counter, pem, revocation_list=outside.crl())
    assert states(counter, request) == (FileState.FACE_TO_FACE_DONE, RequestState.APPROVED)


def test_case_c23_a_siren_of_eight_digits_is_set_aside(counter: Counter, outside: Outside) -> None:
    request = sent(counter)
    with pytest.raises(NotWhatWasAsked, match="SIREN : « 0002 21750001"):
        bring(counter, outside.sign(request, siren="21750001"), revocation_list=outside.crl())
    assert states(counter, request)[1] == RequestState.QUARANTINED


def test_case_c24_the_siren_of_the_neighbour_is_set_aside(
    counter: Counter, outside: Outside, town: Any
) -> None:
    request = sent(counter)
    pem = outside.sign(request, siren=town.organisation.siren)
    with pytest.raises(NotWhatWasAsked, match=f"SIREN : « 0002 {town.organisation.siren}"):
        bring(counter, pem, revocation_list=outside.crl())
    assert states(counter, request)[1] == RequestState.QUARANTINED


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"given_name": "Helene"}, "prénom : « Helene » au lieu de « Hélène »"),
        ({"surname": "Epinay"}, "nom : « Epinay »"),
        ({"email": "autre@exemple.fr"}, "adresse électronique"),
        ({"validity": timedelta(days=1094), "at": NOON + timedelta(days=1)}, "validité"),
    ],
)
def test_a_difference_stops_the_hand_over_and_is_named(
    counter: Counter, outside: Outside, changes: dict[str, Any], named: str
) -> None:
    request = sent(counter)
    pem = outside.sign(request, **changes)
    with pytest.raises(NotWhatWasAsked, match=named) as refused:
        bring(counter, pem, revocation_list=outside.crl())
    assert refused.value.field == "certificate"
    assert states(counter, request) == (FileState.FACE_TO_FACE_DONE, RequestState.QUARANTINED)
    assert not Certificate.objects.exists()


@pytest.mark.parametrize(
    ("kind", "value", "named"),
    [
        (
            x509.KeyUsage,
            x509.KeyUsage(True, True, False, False, False, False, False, False, False),
            "usage de la clé : « authentification, signature »",
        ),
        (x509.ExtendedKeyUsage, None, "usage étendu"),
        (x509.CertificatePolicies, None, "politique"),
        (x509.SubjectAlternativeName, None, "adresse électronique"),
    ],
)
def test_case_c26_another_usage_or_policy_than_the_offer_is_named(
    counter: Counter, outside: Outside, kind: Any, value: Any, named: str
) -> None:
    pem = outside.resigned(outside.sign(sent(counter)), kind, value)
    with pytest.raises(NotWhatWasAsked, match=named):
        bring(counter, pem, revocation_list=outside.crl())


def test_a_signature_offer_wants_a_key_that_signs(counter: Counter, outside: Outside) -> None:
    counter.file.offer.usage = "signature"
    counter.file.offer.save(update_fields=["usage"])
    usage = x509.KeyUsage(False, True, False, False, False, False, False, False, False)
    pem = outside.resigned(outside.sign(sent(counter)), x509.KeyUsage, usage)
    assert bring(counter, pem, revocation_list=outside.crl())


def test_case_c25_one_day_over_the_offer_is_refused(counter: Counter, outside: Outside) -> None:
    counter.file.offer.duration_months = 35
    counter.file.offer.save(update_fields=["duration_months"])
    with pytest.raises(NotWhatWasAsked, match="durée"):
        bring(counter, outside.sign(sent(counter)), revocation_list=outside.crl())


def test_a_certificate_already_revoked_is_refused(counter: Counter, outside: Outside) -> None:
    pem = outside.sign(sent(counter), serial=4095)
    with pytest.raises(NotWhatWasAsked, match="déjà révoqué"):
        bring(counter, pem, revocation_list=outside.crl("fff"))


def test_without_a_revocation_list_nothing_is_believed(counter: Counter, outside: Outside) -> None:
    request = sent(counter)
    with pytest.raises(UnusableList, match="manque"):
        bring(counter, outside.sign(request))
    assert states(counter, request) == (FileState.FACE_TO_FACE_DONE, RequestState.APPROVED)


def test_a_broken_chain_is_named(counter: Counter, outside: Outside) -> None:
    other = training_ca.create_root(name="Racine", at=NOON)
    authority = counter.file.offer.authority
    authority.chain_pem = other.certificate_pem
    authority.save(update_fields=["chain_pem"])
    with pytest.raises(NotWhatWasAsked, match="chaîne"):
        bring(counter, outside.sign(sent(counter)), revocation_list=outside.crl())


def test_a_p12_behind_a_password_is_refused(counter: Counter, outside: Outside) -> None:
    pem = outside.sign(sent(counter))
    chain = [x509.load_pem_x509_certificate(pem.encode())]
    brought = pkcs12.serialize_key_and_certificates(
        b"cle", new_key(), None, chain, BestAvailableEncryption(b"secret")
    )
    with pytest.raises(PrivateKeyInBundle, match="clé privée"):
        bring(counter, brought, revocation_list=outside.crl())


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x30\x82" + b"\x00" * 5_000_000, "ra.certificate_too_big"),
        (b"", "ra.unreadable_certificate"),
        (b"<html>session expir\xe9e</html>", "ra.unreadable_certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", None),
    ],
)
def test_what_is_no_certificate_changes_nothing(
    counter: Counter, outside: Outside, content: bytes, code: str | None
) -> None:
    request = sent(counter)
    with pytest.raises(UnreadableBundle) as refused:
        bring(counter, content, revocation_list=outside.crl())
    assert refused.value.code == (code or "ra.unreadable_certificate")
    assert states(counter, request) == (FileState.FACE_TO_FACE_DONE, RequestState.APPROVED)


def test_nobody_brings_her_own_certificate(counter: Counter, outside: Outside) -> None:
    pem = outside.sign(sent(counter))
    with pytest.raises(Refusal, match="le vôtre"):
        bring(counter, pem, by=counter.holder, revocation_list=outside.crl())


# The lists of revoked certificates


def in_use(counter: Counter, outside: Outside) -> Certificate:
    """The certificate, handed over."""
    bring(counter, outside.sign(sent(counter)), revocation_list=outside.crl())
    counter.bring_to(FileState.HANDED_OVER)
    return Certificate.objects.get(file=counter.file)


def keep(counter: Counter, content: bytes, **changes: Any) -> RevocationListCopy:
    given = {"authority": counter.file.offer.authority, "at": NOON}
    return actions.refresh_revocations(content=content, **(given | changes))


def test_case_c48_a_revocation_is_confirmed_by_the_list_only(
    counter: Counter, outside: Outside
) -> None:
    certificate = in_use(counter, outside)
    actions.revoke(
        certificate_id=certificate.pk,
        reason=RevocationReason.KEY_COMPROMISE,
        by=counter.officer,
        at=NOON,
    )
    tasks.revoke(schema="public", certificate_id=certificate.pk)
    assert list(queries.to_revoke_by_hand()) == [certificate]
    keep(counter, outside.crl())
    assert list(queries.to_revoke_by_hand()) == [certificate]
    keep(counter, outside.crl(certificate.serial))
    assert not queries.to_revoke_by_hand()


def test_case_c50_a_certificate_found_on_the_list_is_out_of_use(
    counter: Counter, outside: Outside, neighbour: Any
) -> None:
    certificate = in_use(counter, outside)
    keep(counter, outside.crl(certificate.serial))
    certificate.refresh_from_db()
    assert (certificate.state, certificate.revocation_reason) == ("revoked", "unspecified")
    assert not queries.has_valid_certificate(counter.organisation, NOON)
    connection.set_tenant(neighbour)
    assert Entry.objects.filter(event="ra.found_revoked").count() == 1
    connection.set_schema_to_public()


@pytest.mark.parametrize("fault", ["expired", "backwards", "forged", "garbage", "too_big"])
def test_case_c51_a_list_that_cannot_be_believed_keeps_the_former(
    counter: Counter, outside: Outside, fault: str
) -> None:
    certificate = in_use(counter, outside)
    older = outside.crl()
    kept = keep(counter, outside.crl())
    other = Outside()
    other.number = 10
    content, at = {
        "expired": (outside.crl(certificate.serial), NOON + timedelta(days=8)),
        "backwards": (older, NOON),
        "forged": (other.crl(certificate.serial), NOON),
        "garbage": (b"bonjour", NOON),
        "too_big": (b"\x30" * 20_000_001, NOON),
    }[fault]
    with pytest.raises(UnusableList):
        keep(counter, content, at=at)
    certificate.refresh_from_db()
    assert certificate.state == "valid"
    assert RevocationListCopy.objects.get().number == kept.number


# The screens


@pytest.fixture
def browser(counter: Counter, outside: Outside) -> Any:
    """The operator on the portal, this very week."""
    return on_portal(counter.officer)


def page(counter: Counter) -> str:
    return f"/certificats/{counter.file.pk}/"


def test_the_file_page_says_what_to_carry(counter: Counter, browser: Any) -> None:
    sent(counter)
    text = browser.get(page(counter)).content.decode()
    assert "déposez-les sur le portail de AC du dehors" in text
    assert "Verser le certificat reçu" in text
    assert f"{page(counter)}demande.zip" in text


def test_the_operator_downloads_one_file(counter: Counter, browser: Any) -> None:
    sent(counter)
    answer = browser.get(f"{page(counter)}demande.zip")
    assert answer["Content-Type"] == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_the_operator_reads_the_field_at_fault(
    counter: Counter, outside: Outside, browser: Any
) -> None:
    pem = outside.sign(sent(counter), key=new_key().public_key())
    answer = browser.post(
        f"{page(counter)}certificat-recu/",
        {"certificate": SimpleUploadedFile("recu.cer", pem.encode())},
    )
    assert answer.status_code == 200
    assert "clé publique différente" in answer.content.decode()


def test_the_lists_say_how_fresh_they_are(
    counter: Counter, browser: Any, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        text = browser.get("/certificats/autorites/").content.decode()
    assert "Jamais reçue" in text


def test_a_list_is_brought_by_who_may_revoke(counter: Counter, browser: Any) -> None:
    answer = browser.post(
        "/certificats/autorites/dehors-portal/liste/",
        {"revocation_list": SimpleUploadedFile("liste.crl", b"bonjour")},
    )
    assert "pas une liste lisible" in answer.content.decode()


def test_a_trainer_brings_nothing_back(counter: Counter, outside: Outside, syndicat: Any) -> None:
    trainer = on_portal(person(Role.TRAINER, at=syndicat))
    assert trainer.get(f"{page(counter)}certificat-recu/").status_code == 403
    assert trainer.get(f"{page(counter)}demande.zip").status_code == 403


def test_a_second_request_of_the_same_key_is_refused_wherever_it_was_seen(
    counter: Counter, outside: Outside
) -> None:
    key = new_key()
    counter.ask(request_pem(key))
    actions.issue(request_id=CertificateRequest.objects.get().pk, by=counter.officer, at=NOON)
    with pytest.raises(Refusal, match="partie vers l’autorité"):
        counter.ask(request_pem(key))
