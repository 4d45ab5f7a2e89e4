"""PDFs really signed (PAdES) by authorities of the tests, and what may be done to them after."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from asn1crypto import x509 as asn1
from asn1crypto.keys import PrivateKeyInfo
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tests.documents import pdfs

SIGNED_AT = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
_NO_AUTHORITY = x509.BasicConstraints(ca=False, path_length=None)


@dataclass(frozen=True)
class Holder:
    """A certificate and its key; `issuer` is the authority that signed it, None for a root."""

    certificate: x509.Certificate
    key: Any
    issuer: "Holder | None" = None

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def asn1(self) -> asn1.Certificate:
        return asn1.Certificate.load(self.certificate.public_bytes(Encoding.DER))

    def signer(self) -> signers.SimpleSigner:
        der = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return signers.SimpleSigner(
            signing_cert=self.asn1,
            signing_key=PrivateKeyInfo.load(der),
            cert_registry=self.above(),
        )

    def above(self) -> SimpleCertificateStore:
        """The authorities over this holder, the root left out as signing software does."""
        store, authority = SimpleCertificateStore(), self.issuer
        while authority is not None and authority.issuer is not None:
            store.register(authority.asn1)
            authority = authority.issuer
        return store


def certified(
    name: str,
    *,
    by: Holder | None = None,
    authority: bool = False,
    organisation: str = "Commune de Melle",
    until: datetime = datetime(2030, 1, 1, tzinfo=UTC),
    timestamping: bool = False,
) -> Holder:
    """Somebody new with a certificate of `by`, or a root."""
    key: Any = ec.generate_private_key(ec.SECP256R1())
    if timestamping:  # pyHanko's own time-stamper signs with RSA only
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    signing = by.key if by else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2024, 1, 1, tzinfo=UTC))
        .not_valid_after(until)
        .add_extension(
            x509.BasicConstraints(ca=True, path_length=None) if authority else _NO_AUTHORITY,
            critical=True,
        )
        .add_extension(_usage(authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()),
            critical=False,
        )
    )
    if timestamping:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return Holder(builder.sign(signing, SHA256()), key, by)


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


@cache
def root() -> Holder:
    """The authority the tests trust when they trust one."""
    return certified("AC Racine d’essai", authority=True, organisation="Confiance d’essai")


@cache
def mayor() -> Holder:
    """Somebody with a certificate of an authority under `root`."""
    under = certified("AC Élus", by=root(), authority=True, organisation="Confiance d’essai")
    return certified("Marie Dupont", by=under)


@cache
def supplier() -> Holder:
    """Somebody whose authority nobody here knows."""
    unknown = certified("AC du Lointain", authority=True, organisation="Lointain SA")
    return certified("Jean Martin", by=unknown, organisation="Travaux du Poitou")


def sign(
    pdf: bytes,
    by: Holder,
    *,
    field: str = "Signature1",
    at: datetime = SIGNED_AT,
    alone: bool = False,
    **metadata: Any,
) -> bytes:
    """`pdf` with one more signature, added to its end as EN 319 142-1 wants.

    `alone`: the authorities over the signer are not in it.
    """
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    said = signers.PdfSignatureMetadata(
        field_name=field,
        subfilter=fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED,
        **metadata,
    )
    # pyHanko opens a loop of its own: not in this thread, where Playwright may have one already.
    with ThreadPoolExecutor(max_workers=1) as apart:
        signing = apart.submit(signers.sign_pdf, writer, said, signer=_At(by, at, alone=alone))
    out: io.BytesIO = signing.result()
    return out.getvalue()


class _At(signers.SimpleSigner):
    """A signer whose clock shows another day."""

    def __init__(self, holder: Holder, at: datetime, *, alone: bool) -> None:
        its = holder.signer()
        super().__init__(
            signing_cert=its.signing_cert,
            signing_key=its.signing_key,
            cert_registry=SimpleCertificateStore() if alone else its.cert_registry,
        )
        self._at = at

    async def signed_attrs(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["attr_settings"] = replace(kwargs["attr_settings"], signing_time=self._at)
        return await super().signed_attrs(*args, **kwargs)


def signed_by(holder: Holder, text: str = "Délibération signée") -> bytes:
    return sign(pdfs.plain(text=text), holder)


def with_proofs(pdf: bytes, holder: Holder) -> bytes:
    """Long-term proofs added after the signature (a DSS dictionary)."""
    out = io.BytesIO(pdf)
    certificates = [holder.asn1, *holder.above()]
    DocumentSecurityStore.add_dss(out, sig_contents=None, certs=certificates)
    return out.getvalue()


def time_stamped(pdf: bytes) -> bytes:
    """A document time-stamp over everything, by an authority of its own."""
    machine = certified("Horodatage d’essai", by=root(), timestamping=True)
    its = machine.signer()
    stamper = timestamps.DummyTimeStamper(
        its.signing_cert, its.signing_key, certs_to_embed=machine.above(), fixed_dt=SIGNED_AT
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    out: io.BytesIO = signers.PdfTimeStamper(stamper).timestamp_pdf(
        writer, "sha256", validation_context=None, timestamper=stamper
    )
    return out.getvalue()


def annotated(pdf: bytes) -> bytes:
    """The page with a stamp added as an annotation, at the end of the file: no byte moves."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    box = generic.ArrayObject(map(generic.FloatObject, (100, 700, 200, 720)))
    note = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Stamp"),
            pdf_name("/F"): generic.NumberObject(4),
            pdf_name("/Rect"): box,
        }
    )
    page.setdefault(pdf_name("/Annots"), generic.ArrayObject()).append(writer.add_object(note))
    writer.update_container(page)
    return _written(writer)


def rewritten_content(pdf: bytes, text: str = "50 000 euros") -> bytes:
    """Other words on the page, added to the end of the file: the signed bytes are all there."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    other = generic.StreamObject(stream_data=f"BT /F1 20 Tf 50 50 Td ({text}) Tj ET".encode())
    page[pdf_name("/Contents")] = writer.add_object(other)
    writer.update_container(page)
    return _written(writer)


def touched(pdf: bytes) -> bytes:
    """One byte of what was signed, changed."""
    at = pdf.index(b"/MediaBox")
    return pdf[:at] + b"/mediaBox" + pdf[at + 9 :]


def foreign_key(holder: Holder) -> bytes:
    """A signature that shows the certificate of `holder`, made with another key."""
    liar = Holder(holder.certificate, ec.generate_private_key(ec.SECP256R1()), holder.issuer)
    return signed_by(liar)


def _written(writer: IncrementalPdfFileWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
