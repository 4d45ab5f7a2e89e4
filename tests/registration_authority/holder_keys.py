"""Keys and requests as a holder's own machine makes them. RSA keys are made once per run: slow."""

from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(size: int = 2048, exponent: int = 65537) -> rsa.RSAPrivateKey:
    """An RSA key; the same one for the same arguments."""
    return rsa.generate_private_key(public_exponent=exponent, key_size=size)


def new_key() -> ec.EllipticCurvePrivateKey:
    """Another key each time, quickly made."""
    return ec.generate_private_key(ec.SECP256R1())


def request_pem(key: Key | None = None, **subject: str) -> bytes:
    """A PKCS#10 request; `subject` takes `common_name`, `email`, `unit`, `identifier`."""
    return _request(key or new_key(), subject).public_bytes(Encoding.PEM)


def request_der(key: Key | None = None, **subject: str) -> bytes:
    """The same in DER."""
    return _request(key or new_key(), subject).public_bytes(Encoding.DER)


def forged_request(key: Key, claimed: Key) -> bytes:
    """A DER request signed by `key` that presents the public key of `claimed`: two P-256 keys."""
    mine, theirs = _point(key), _point(claimed)
    return _request(key, {}).public_bytes(Encoding.DER).replace(mine, theirs)


def _point(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _request(key: Key, subject: dict[str, str]) -> x509.CertificateSigningRequest:
    oids = {
        "common_name": NameOID.COMMON_NAME,
        "email": NameOID.EMAIL_ADDRESS,
        "unit": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "identifier": NameOID.ORGANIZATION_IDENTIFIER,
    }
    named = subject or {"common_name": "demande"}
    name = x509.Name([x509.NameAttribute(oids[kind], text) for kind, text in named.items()])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(key, hashes.SHA256())
