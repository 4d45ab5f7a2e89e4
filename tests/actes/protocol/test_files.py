from io import BytesIO

import pikepdf
import pytest

from socle.actes.protocol.codes import FileKind
from socle.actes.protocol.files import UnusablePdf, check_pdf, sniff
from tests.actes.protocol.givens import sample


def pdf(*, pages: int = 1, encryption: pikepdf.Encryption | None = None) -> bytes:
    out = BytesIO()
    with pikepdf.new() as document:
        for _ in range(pages):
            document.add_blank_page()
        document.save(out, encryption=encryption or False)
    return out.getvalue()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n", FileKind.PDF),
        (b"\r\n%PDF-1.4", FileKind.PDF),
        (b"\x89PNG\r\n\x1a\n\0\0", FileKind.PNG),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", FileKind.JPEG),
        (b'<?xml version="1.0"?><a/>', FileKind.XML),
        (b'\xef\xbb\xbf<?xml version="1.0"?>', FileKind.XML),
        (b"<DocumentBudgetaire xmlns='x'>", FileKind.XML),
    ],
)
def test_the_four_kinds_are_recognised_by_their_content(head: bytes, kind: FileKind) -> None:
    assert sniff(head) is kind


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"a;b;c\n1;2;3\n",
        b"PK\x03\x04",
        b"<html><body>",
        b"<!DOCTYPE html><html>",
        b'<?xml version="1.0"?><!DOCTYPE html><html>',
        b"GIF89a",
        b"< 5 et > 3",
        b"MZ",
    ],
)
def test_B03_other_contents_have_no_kind(head: bytes) -> None:
    assert sniff(head) is None


def test_a_kind_knows_its_extension_and_its_media_type() -> None:
    assert (FileKind.JPEG.value, FileKind.JPEG.mime) == ("jpg", "image/jpeg")
    assert [kind.mime for kind in FileKind] == [
        "application/pdf",
        "text/xml",
        "image/jpeg",
        "image/png",
    ]


def test_a_real_pdf_is_accepted() -> None:
    data = sample("Delib.pdf")

    assert sniff(data[:1024]) is FileKind.PDF
    check_pdf(BytesIO(data), name="Delib.pdf")


@pytest.mark.parametrize("user", ["", "secret"])
def test_L6_a_protected_pdf_is_refused_by_name(user: str) -> None:
    locked = pdf(encryption=pikepdf.Encryption(owner="owner", user=user))

    with pytest.raises(UnusablePdf, match=r"« a\.pdf » est protégé"):
        check_pdf(BytesIO(locked), name="a.pdf")


@pytest.mark.parametrize("data", [b"%PDF-1.7\nnothing", pdf(pages=0), b"%PDF-1.7\n" + bytes(2000)])
def test_B13_a_damaged_or_empty_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(UnusablePdf, match="abîmé"):
        check_pdf(BytesIO(data), name="a.pdf")
