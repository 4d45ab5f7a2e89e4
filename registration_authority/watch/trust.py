"""Which authority signed a certificate, among those we believe."""

from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from registration_authority.models import CertificationAuthority
from registration_authority.pki.bundle import read_chain
from registration_authority.pki.certificate import load_certificate
from registration_authority.watch.models import TrustedAuthority


def anchors() -> Iterator[str]:
    """The certificates (PEM) of those whose signatures are believed today.

    The trusted list recognises them, or they sign for our own counter.
    """
    for authority in CertificationAuthority.objects.order_by("pk"):
        yield authority.certificate_pem
        yield authority.chain_pem
    granted = TrustedAuthority.objects.filter(status=TrustedAuthority.Status.GRANTED)
    yield from granted.order_by("pk").values_list("pem", flat=True)


def issuer_of(certificate: x509.Certificate) -> x509.Certificate | None:
    """The authority we believe that signed `certificate`, or None.

    Only then is anything asked at the addresses the certificate names: anybody can write an
    address in a certificate of her own.
    """
    return next((one for one in candidates(certificate) if signed_by(certificate, one)), None)


def candidates(certificate: x509.Certificate) -> Iterator[x509.Certificate]:
    """Ours first, then those of the trusted lists that carry the right name."""
    for authority in CertificationAuthority.objects.order_by("pk"):
        yield load_certificate(authority.certificate_pem)
        yield from read_chain(authority.chain_pem) if authority.chain_pem else []
    named = TrustedAuthority.objects.filter(subject=certificate.issuer.rfc4514_string()[:1000])
    for trusted in named:
        yield load_certificate(trusted.pem)


def status_of(issuer: x509.Certificate) -> str:
    """What the trusted list says of an authority; "" when it is not on one."""
    name = issuer.subject.rfc4514_string()[:1000]
    found = TrustedAuthority.objects.filter(subject=name)
    return next((one.status for one in found if load_certificate(one.pem) == issuer), "")


def signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether `authority` signed `certificate`, name and signature."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
