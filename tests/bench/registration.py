"""What the counter costs: a request checked, a path walked, beside what cannot be done faster."""

import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from registration_authority.adapters import Enrolment
from registration_authority.pki.csr import check_subject, read_request
from registration_authority.pki.names import checked_holder
from registration_authority.pki.path import Store, find_path, to_pem
from tests.bench.clock import compare

AT = datetime(2026, 11, 24, 11, tzinfo=UTC)
LASTS = timedelta(days=3650)
AUTHORITIES = 200


def request_against_cryptography() -> dict[str, Any]:
    """A request read, checked and turned into a question, against parsing and verifying it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    name = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "helene@melle.fr")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    content = csr.public_bytes(Encoding.PEM)

    def ours() -> None:
        for _ in range(100):
            asked = read_request(content, min_rsa_bits=3072, until=AT + LASTS)
            check_subject(asked, email="helene@melle.fr", siren="200081511")
            holder = checked_holder(
                given_name="Hélène",
                surname="Épinay",
                email="helene@melle.fr",
                organisation="Melle",
                siren="200081511",
            )
            Enrolment(key=None, request=asked, holder=holder, validity=LASTS)  # type: ignore[arg-type]

    def bound() -> None:
        for _ in range(100):
            parsed = x509.load_pem_x509_csr(content)
            assert parsed.is_signature_valid
            assert parsed.public_key()
            assert parsed.subject

    return compare("request", ours, bound, limit=3.0, rounds=9, detail="RSA 3072, 100 requests")


def path_against_openssl() -> dict[str, Any]:
    """A leaf's path among two hundred authorities, the file read each time, as openssl does."""
    leaf, pem = _forest()
    with tempfile.TemporaryDirectory() as folder:
        store, presented = Path(folder) / "store.pem", Path(folder) / "leaf.pem"
        store.write_bytes(pem)
        presented.write_bytes(leaf.public_bytes(Encoding.PEM))
        command = ["openssl", "verify", "-attime", str(int(AT.timestamp())), "-CAfile", store]
        command += ["-purpose", "sslclient", presented]

        def ours() -> None:
            shown = x509.load_pem_x509_certificate(presented.read_bytes())
            assert len(find_path(shown, Store.of(store.read_bytes()), at=AT)) == 2

        def bound() -> None:
            subprocess.run(command, check=True, capture_output=True)

        return compare(
            "path", ours, bound, limit=2.0, rounds=15, detail=f"{AUTHORITIES} authorities"
        )


def _forest() -> tuple[x509.Certificate, bytes]:
    """A leaf of one of a hundred roots, each with an authority below it."""
    pairs = []
    for rank in range(AUTHORITIES // 2):
        root, root_key = _made(f"Racine {rank}", None)
        below, key = _made(f"Autorité {rank}", (root.subject, root_key))
        pairs.append((root, below, key))
    _, below, key = pairs[len(pairs) // 2]
    leaf, _ = _made("Hélène Épinay", (below.subject, key), ca=False)
    return leaf, to_pem([one for root, below, _ in pairs for one in (root, below)]).encode()


def _made(
    name: str, issuer: tuple[x509.Name, rsa.RSAPrivateKey] | None, *, ca: bool = True
) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    above, signer = issuer or (subject, key)
    made = (
        x509.CertificateBuilder(
            above, subject, key.public_key(), x509.random_serial_number(), AT, AT + LASTS
        )
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
    return made, key


ALL = (request_against_cryptography, path_against_openssl)
