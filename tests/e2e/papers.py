"""Papers a commune brings: PDF files and certificate requests, made on the spot."""

from io import BytesIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas


def pdf(*lines: str) -> bytes:
    """A PDF of one page with these lines."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for number, line in enumerate(lines):
        canvas.drawString(72, 770 - 18 * number, line)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def certificate_request(common_name: str) -> bytes:
    """A PKCS#10 request in PEM, as the holder's token would make it; its key is forgotten."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name),
        ]
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)
