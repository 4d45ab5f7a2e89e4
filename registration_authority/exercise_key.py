"""Make a key and its certificate request for an exercise, on the holder's own machine.

    python -m registration_authority.exercise_key FOLDER --email ADDRESS --siren SIREN

Writes `exercice.key` (PKCS#8, readable by its owner only) and `exercice.csr` (PKCS#10, to deposit).
A program apart: nothing of the platform calls it, since the platform makes and keeps nobody's key.
"""

import argparse
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

RSA_BITS = 3072


def make(*, email: str, siren: str) -> tuple[bytes, bytes]:
    """A new RSA key (PEM, PKCS#8, in clear) and its request (PEM, PKCS#10)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.EMAIL_ADDRESS, email),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, f"0002 {siren}"),
        ]
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM),
    )


def write(folder: Path, *, email: str, siren: str) -> tuple[Path, Path]:
    """Write both files in `folder`; returns their paths. A former key: FileExistsError."""
    key, request = make(email=email, siren=siren)
    folder.mkdir(parents=True, exist_ok=True)
    key_path, request_path = folder / "exercice.key", folder / "exercice.csr"
    with os.fdopen(os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(key)
    request_path.write_bytes(request)
    return key_path, request_path


def main() -> None:
    """Read the command line and write the two files."""
    parser = argparse.ArgumentParser(description="Fabriquer une clé d’exercice et sa demande.")
    parser.add_argument("folder", type=Path, help="dossier où écrire exercice.key et exercice.csr")
    parser.add_argument("--email", required=True, help="adresse de la personne titulaire")
    parser.add_argument("--siren", required=True, help="SIREN de la commune")
    given = parser.parse_args()
    _, request = write(given.folder, email=given.email, siren=given.siren)
    print(f"Déposez {request} dans « Mon certificat ».")  # noqa: T201 - a command line


if __name__ == "__main__":
    main()
