"""Before and after the hand-over: the stores of operators, signatures on the screen, pairing."""

import base64
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from PIL import Image, ImageDraw

from registration_authority import actions, files
from registration_authority.models import (
    Certificate,
    CertificateState,
    FileState,
    HandOver,
)
from registration_authority.pki import training_ca
from registration_authority.pki.path import NoPath, Store, find_path, to_pem
from registration_authority.service import actions as service
from registration_authority.service.models import Pairing, PairingState
from socle.accounts.queries import usable_certificate
from socle.core.crypto import seal
from socle.core.refusals import Refusal
from socle.delivery.models import TransmissionOperator
from socle.direct import actions as direct
from socle.direct.models import DirectLink
from socle.directory.models import TransmissionRight
from socle.s2low import actions as s2low
from socle.s2low import credentials
from socle.s2low.models import S2lowAccount
from tests.people import on_portal
from tests.registration_authority.counter import NOON, PDF, Counter
from tests.registration_authority.holder_keys import new_key, request_pem
from tests.registration_authority.test_accreditation import refused
from tests.s2low.pki import Authority, Pair
from tests.s2low.server import Account as Operated
from tests.s2low.server import S2lowServer

PORTAL = "/certificats/"


# Paths


def authority(
    name: str,
    *,
    issuer: tuple[x509.Name, Any] | None = None,
    ca: bool = True,
    length: int | None = None,
    until: datetime = NOON + timedelta(days=3650),
    sign: bool = True,
) -> tuple[x509.Certificate, Any]:
    """One authority, signed by itself or by `issuer`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    above, signer = issuer or (subject, key)
    usage = x509.KeyUsage(
        digital_signature=not sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        x509.CertificateBuilder(
            above, subject, key.public_key(), x509.random_serial_number(), NOON, until
        )
        .add_extension(x509.BasicConstraints(ca=ca, path_length=length if ca else None), True)
        .add_extension(usage, True)
        .sign(signer, hashes.SHA256())
    )
    return made, key


def chain(**middle: Any) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """A leaf below an authority below a root, and the two above."""
    root, root_key = authority("Racine")
    below, key = authority("Intermédiaire", issuer=(root.subject, root_key), **middle)
    leaf, _ = authority("Personne", issuer=(below.subject, key), ca=False, sign=False)
    return leaf, [below, root]


def stored(certificates: list[x509.Certificate]) -> Store:
    """A store of these."""
    return Store.of(to_pem(certificates).encode())


def test_a_path_leads_to_a_root_of_the_store() -> None:
    leaf, above = chain()
    others = [authority(f"Autre {n}")[0] for n in range(3)]
    assert find_path(leaf, stored([*others, *above]), at=NOON) == above


@pytest.mark.parametrize(
    "middle",
    [
        {"ca": False},
        {"sign": False},
        {"until": NOON + timedelta(hours=1)},
    ],
)
def test_an_authority_that_may_not_sign_is_no_way_up(middle: dict[str, Any]) -> None:
    leaf, above = chain(**middle)
    with pytest.raises(NoPath):
        find_path(leaf, stored(above), at=NOON + timedelta(days=1))


def test_a_path_longer_than_its_authority_admits_is_refused() -> None:
    root, root_key = authority("Racine", length=0)
    below, key = authority("Dessous", issuer=(root.subject, root_key))
    leaf, _ = authority("Personne", issuer=(below.subject, key), ca=False, sign=False)
    with pytest.raises(NoPath):
        find_path(leaf, stored([below, root]), at=NOON)


def test_a_forged_issuer_of_the_same_name_is_passed_over() -> None:
    leaf, above = chain()
    forged, _ = authority("Intermédiaire", issuer=None)
    assert find_path(leaf, stored([forged, *above]), at=NOON) == above
    with pytest.raises(NoPath):
        find_path(leaf, stored([forged, above[1]]), at=NOON)


def test_a_loop_ends() -> None:
    one, one_key = authority("Un")
    two, two_key = authority("Deux", issuer=(one.subject, one_key))
    crossed = (
        x509.CertificateBuilder(
            two.subject, one.subject, one.public_key(), 7, NOON, NOON + timedelta(days=9)
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(two_key, hashes.SHA256())
    )
    leaf, _ = authority("Personne", issuer=(one.subject, one_key), ca=False, sign=False)
    with pytest.raises(NoPath):
        find_path(leaf, stored([crossed, two]), at=NOON)


def test_a_leaf_out_of_its_dates_has_no_path() -> None:
    leaf, above = chain()
    with pytest.raises(NoPath):
        find_path(leaf, stored(above), at=datetime(2050, 1, 1, tzinfo=UTC))


# Stores of operators


def operator_of(counter: Counter) -> TransmissionOperator:
    """The operator through which the commune of the counter transmits."""
    operator = TransmissionOperator.objects.get(code="exercice")
    TransmissionRight.objects.get_or_create(
        organisation=counter.organisation,
        protocol="actes",
        defaults={"operator": operator.code, "reference": "C-1", "starts_on": date(2026, 1, 1)},
    )
    return operator


def bring(counter: Counter, pem: str) -> None:
    """The operator's store is this."""
    service.bring_store(
        operator=operator_of(counter), content=pem.encode(), by=counter.officer, at=NOON
    )


def test_case_c69_an_operator_that_does_not_know_the_authority_stops_the_hand_over(
    counter: Counter,
) -> None:
    bring(counter, training_ca.create_root(name="Une autre AC", at=NOON).certificate_pem)
    counter.bring_to(FileState.ISSUED)
    with refused("ra.unknown_downstream"):
        counter.prepare()
    assert not HandOver.objects.exists()
    receipt = counter.prepare(override_reason="L’opérateur ajoute l’AC lundi, mail du 23/11.")
    assert receipt.override_reason.startswith("L’opérateur")
    counter.hand_over()
    assert counter.state == FileState.HANDED_OVER


def test_an_operator_that_knows_the_authority_lets_the_hand_over_go(counter: Counter) -> None:
    bring(counter, counter.file.offer.authority.certificate_pem)
    counter.bring_to(FileState.HANDED_OVER)
    assert HandOver.objects.get().override_reason == ""


def test_case_c69_the_field_to_override_is_on_the_screen(counter: Counter) -> None:
    bring(counter, training_ca.create_root(name="Une autre AC", at=NOON).certificate_pem)
    counter.bring_to(FileState.ISSUED)
    desk = on_portal(counter.officer)
    address = f"{PORTAL}{counter.file.pk}/proces-verbal/"
    assert "Remis malgré le contrôle" in desk.get(address).content.decode()
    shown = desk.post(address, {"place": "Melle", "token_serial": "TK-1"}).content.decode()
    assert "ne connaît pas l’autorité" in shown


@pytest.mark.parametrize("content", [b"", b"pas un certificat", b"\x30\x82" * 100])
def test_a_store_that_cannot_be_read_is_refused(counter: Counter, content: bytes) -> None:
    with refused("ra.unreadable_store"):
        service.bring_store(
            operator=operator_of(counter), content=content, by=counter.officer, at=NOON
        )


# Signatures on the screen


def drawing(*, blank: bool = False) -> bytes:
    """A signature as a browser's canvas gives it: black on nothing."""
    picture = Image.new("RGBA", (640, 240), (0, 0, 0, 0))
    if not blank:
        ImageDraw.Draw(picture).line([(20, 200), (300, 40), (600, 180)], fill="black", width=4)
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def test_both_sign_on_the_screen(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    prepared = counter.prepare()
    desk = on_portal(counter.officer)
    address = f"{PORTAL}{counter.file.pk}/signer/"
    assert "data-signature" in desk.get(address).content.decode()
    url = "data:image/png;base64," + base64.b64encode(drawing()).decode()
    given = {"accepted": "on", "holder_drawing": url, "officer_drawing": url}
    shown = desk.post(address, given)
    assert "code" in shown.content.decode()  # the one that revokes at any hour, shown once
    receipt = HandOver.objects.get()
    assert receipt.signed_scan is not None
    with (
        pikepdf.open(BytesIO(files.read(prepared.receipt))) as before,
        pikepdf.open(BytesIO(files.read(receipt.signed_scan))) as after,
    ):
        assert len(after.pages) == len(before.pages) + 1


@pytest.mark.parametrize(
    "drawn",
    [
        b"",
        drawing(blank=True),
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n" + b"0" * 50,
        drawing() + b"0" * 500_000,
    ],
)
def test_a_signature_that_is_none_is_refused(counter: Counter, drawn: bytes) -> None:
    counter.bring_to(FileState.ISSUED)
    counter.prepare()
    with refused("ra.unreadable_drawing"):
        counter.hand_over(drawings=(drawing(), drawn))
    assert counter.state == FileState.ISSUED


def test_the_paper_way_works_without_any_script(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    counter.prepare()
    counter.hand_over(scan=PDF, scan_name="pv.pdf", signed_on=date(2026, 11, 24))
    assert HandOver.objects.get().signed_scan is not None


@pytest.mark.parametrize("signed_on", [date(2026, 11, 23), date(2026, 11, 25)])
def test_a_receipt_dated_before_the_face_to_face_or_tomorrow_is_refused(
    counter: Counter, signed_on: date
) -> None:
    counter.bring_to(FileState.ISSUED)
    counter.prepare()
    with refused("ra.wrong_moment"):
        counter.hand_over(signed_on=signed_on)
    assert counter.state == FileState.ISSUED
    assert not HandOver.objects.filter(signed_at__isnull=False).exists()


# Renewal: the accounts that used the former certificate


def renewed(counter: Counter) -> Certificate:
    """The certificate handed over at the first of a renewal, ninety days before the end."""
    counter.bring_to(FileState.HANDED_OVER)
    former = Certificate.objects.get()
    soon = former.not_after - timedelta(days=60)
    file = actions.open_renewal(certificate_id=former.pk, by=counter.officer, at=soon)
    counter.file = file
    return former


def account(counter: Counter, pem: str) -> S2lowAccount:
    """An account of S²LOW that presents the certificate `pem`."""
    operator = TransmissionOperator.objects.create(
        code="s2low",
        name="S²LOW",
        adapter="s2low",
        trigram="SLO",
        company="Éditeur",
        return_address="retour@exemple.fr",
    )
    return S2lowAccount.objects.create(
        operator=operator,
        organisation=counter.organisation,
        base_url="https://s2low.exemple.fr",
        ca_pem=pem,
        sealed_certificate=seal(pem.encode(), purpose=credentials.CERTIFICATE),
        sealed_key=seal(b"cle", purpose=credentials.KEY),
        certificate_subject="CN=ancien",
        certificate_until=NOON + timedelta(days=900),
    )


def walk(counter: Counter) -> Certificate:
    """The new certificate, handed over."""
    counter.token = "TK-0002"
    counter.bring_to(FileState.HANDED_OVER)
    return Certificate.objects.get(file=counter.file)


def test_every_account_of_the_former_certificate_is_paired_before_it_is_revoked(
    counter: Counter, monkeypatch: Any
) -> None:
    former = renewed(counter)
    used = account(counter, former.pem)
    new = walk(counter)
    pairing = Pairing.objects.get()
    assert (pairing.account, pairing.certificate) == (used, new)
    with refused("ra.not_paired"):
        actions.retire_former(file_id=counter.file.pk, by=counter.officer, at=NOON)
    with pytest.raises(Refusal, match="présente encore l’ancien"):
        service.try_pairing(pairing_id=pairing.pk, by=counter.officer, at=NOON)
    used.sealed_certificate = seal(new.pem.encode(), purpose=credentials.CERTIFICATE)
    used.save(update_fields=["sealed_certificate"])
    # Nobody answers at this address: the live call is real, and says so.
    with refused("ra.not_paired"):
        service.try_pairing(pairing_id=pairing.pk, by=counter.officer, at=NOON)
    pairing.refresh_from_db()
    assert pairing.state == PairingState.FAILED
    assert pairing.problem
    former.refresh_from_db()
    assert former.state == CertificateState.VALID


def test_a_former_certificate_nobody_presents_is_revoked_at_once(counter: Counter) -> None:
    former = renewed(counter)
    new = walk(counter)
    assert not Pairing.objects.exists()
    actions.retire_former(file_id=counter.file.pk, by=counter.officer, at=NOON)
    former.refresh_from_db()
    assert (former.state, former.revocation_reason) == (CertificateState.REVOKED, "superseded")
    usable = usable_certificate(counter.holder, siren=counter.organisation.siren, at=NOON)
    assert usable is not None
    assert usable.fingerprint == new.fingerprint


def test_the_former_certificate_serves_until_the_new_one_is_handed_over(counter: Counter) -> None:
    former = renewed(counter)
    counter.bring_to(FileState.ISSUED)
    with refused("ra.not_ready"):
        actions.retire_former(file_id=counter.file.pk, by=counter.officer, at=NOON)
    former.refresh_from_db()
    assert former.state == CertificateState.VALID


def test_a_former_certificate_is_retired_on_the_page_of_the_new_file(counter: Counter) -> None:
    former = renewed(counter)
    walk(counter)
    desk = on_portal(counter.officer)
    address = f"{PORTAL}{counter.file.pk}/"
    assert "Révoquer l’ancien certificat" in desk.get(address).content.decode()
    desk.post(f"{address}ancien/revoquer/")
    former.refresh_from_db()
    assert former.state == CertificateState.REVOKED
    assert "Révoquer l’ancien certificat" not in desk.get(address).content.decode()


# Bad files


def test_a_file_with_two_certificates_keeps_the_one_of_the_key(counter: Counter) -> None:
    from registration_authority.pki.bundle import of_key, read_bundle
    from registration_authority.pki.keys import public_key_digest

    mine, other = authority("Moi"), authority("Autre")
    found = read_bundle(to_pem([other[0], mine[0]]).encode())
    assert of_key(found, public_key_digest(mine[0].public_key())) == mine[0]
    assert of_key(found, public_key_digest(new_key().public_key())) is None


def test_a_request_file_with_two_requests_is_refused(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    with refused("ra.unreadable_request"):
        counter.ask(request_pem() + request_pem())


def test_a_request_for_the_siren_of_another_commune_is_refused(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    with refused("ra.request_for_another"):
        counter.ask(request_pem(unit="0002 200081511"))
    assert not counter.file.requests.exists()


def test_a_certificate_is_written_in_pem(counter: Counter) -> None:
    made, _ = authority("Une")
    assert to_pem([made]) == made.public_bytes(Encoding.PEM).decode()


def test_an_account_whose_certificate_cannot_be_read_keeps_the_former_one(
    counter: Counter,
) -> None:
    former = renewed(counter)
    used = account(counter, former.pem)
    S2lowAccount.objects.filter(pk=used.pk).update(sealed_certificate=b"broken")
    walk(counter)
    pairing = Pairing.objects.get()
    with pytest.raises(Refusal, match="ne se laisse plus lire"):
        service.try_pairing(pairing_id=pairing.pk, by=counter.officer, at=NOON)
    with refused("ra.not_paired"):
        actions.retire_former(file_id=counter.file.pk, by=counter.officer, at=NOON)
    former.refresh_from_db()
    assert former.state == CertificateState.VALID


def test_a_direct_connection_that_presents_the_former_certificate_keeps_it(
    counter: Counter,
) -> None:
    former = renewed(counter)
    operator = TransmissionOperator.objects.create(
        code="direct",
        name="Syndicat homologué",
        adapter="direct",
        trigram="SYN",
        company="Syndicat",
        return_address="retour@exemple.fr",
    )
    link = DirectLink.objects.create(
        operator=operator,
        post_url="https://actes.exemple.fr/",
        pins=["0" * 64],
        sealed_certificate=seal(former.pem.encode(), purpose=direct.CERTIFICATE),
        sealed_key=seal(b"cle", purpose=direct.KEY),
        certificate_subject="CN=ancien",
        certificate_until=NOON + timedelta(days=900),
        imap_host="imap.exemple.fr",
        imap_login="retours",
        sealed_imap_password=b"",
    )
    new = walk(counter)
    with pytest.raises(Refusal, match="connexion directe de Syndicat homologué"):
        actions.retire_former(file_id=counter.file.pk, by=counter.officer, at=NOON)
    link.sealed_certificate = seal(new.pem.encode(), purpose=direct.CERTIFICATE)
    link.save(update_fields=["sealed_certificate"])
    actions.retire_former(file_id=counter.file.pk, by=counter.officer, at=NOON)
    former.refresh_from_db()
    assert former.state == CertificateState.REVOKED


def test_an_account_that_presents_the_new_certificate_is_paired_by_a_real_call(
    counter: Counter,
) -> None:
    """The operator is written from its own reference; the certificate is the one of the counter."""
    former = renewed(counter)
    platform = Authority("AC du serveur")
    server = S2lowServer(platform.server(), counter.file.offer.authority.certificate_pem)
    used = account(counter, former.pem)
    S2lowAccount.objects.filter(pk=used.pk).update(base_url=server.url, ca_pem=platform.pem)
    try:
        key, counter.token = new_key(), "TK-0002"
        counter.bring_to(FileState.FACE_TO_FACE_DONE)
        new = counter.issue(request_pem(key))
        counter.bring_to(FileState.HANDED_OVER)
        held = Pair(
            new.pem.encode(),
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )
        server.state.accounts.append(Operated(counter.organisation.name, held.fingerprint))
        s2low.save_account(
            operator=used.operator,
            organisation=counter.organisation,
            base_url=server.url,
            ca_pem=platform.pem,
            certificate=held.certificate,
            key=held.key,
            by="tests",
            at=NOON,
        )
        pairing = Pairing.objects.get()
        paired = service.try_pairing(pairing_id=pairing.pk, by=counter.officer, at=NOON)
        assert (paired.state, paired.problem) == (PairingState.PAIRED, "")
        again = service.try_pairing(pairing_id=pairing.pk, by=counter.officer, at=NOON)
        assert again.state == PairingState.PAIRED
    finally:
        server.close()
    actions.retire_former(file_id=counter.file.pk, by=counter.officer, at=NOON)
    former.refresh_from_db()
    assert former.state == CertificateState.REVOKED
