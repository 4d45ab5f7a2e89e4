"""What an operator hands back, opened."""

import pytest

from socle.actes import mails

XML = b"<?xml version='1.0'?><a/>"
HEAD = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
TAIL = b"\r\n--b--\r\n"


def mail(disposition: str, body: bytes = XML, encoding: str = "8bit") -> bytes:
    """A mail with one attachment, whose header is written as given."""
    part = (
        f"Content-Type: application/xml\r\nContent-Transfer-Encoding: {encoding}\r\n"
        f"Content-Disposition: attachment; {disposition}\r\n\r\n"
    )
    return HEAD + part.encode() + body + TAIL


@pytest.mark.parametrize(
    "disposition",
    [
        "filename*=utf-8''d%C3%A9lib%C3%A9ration.xml",
        'filename="=?iso-8859-1?Q?d=E9lib=E9ration.xml?="',
        'filename="=?utf-8?B?ZMOpbGliw6lyYXRpb24ueG1s?="',
    ],
)
def test_F19_the_name_of_an_attachment_is_decoded(disposition: str) -> None:
    assert list(mails.files_in("x.eml", mail(disposition))) == ["délibération.xml"]


def test_F19_a_quoted_printable_content_is_decoded() -> None:
    coded = mail("filename=a.xml", XML.replace(b"=", b"=3D"), "quoted-printable")
    assert mails.files_in("x.eml", coded) == {"a.xml": XML}


def test_F20_a_mail_without_body_is_read() -> None:
    assert mails.files_in("x.eml", mail("filename=a.xml")) == {"a.xml": XML}
    assert mails.paper_reminder(mail("filename=a.xml")) == ""


def test_a_name_in_an_unknown_encoding_is_kept_as_written() -> None:
    coded = mail('filename="=?inconnu?Q?a?="')
    assert list(mails.files_in("x.eml", coded)) == ["=?inconnu?Q?a?="]


def test_a_paper_is_found_whatever_its_capitals() -> None:
    assert mails.named({"Lettre.PDF": b"%PDF"}, "lettre.pdf") == b"%PDF"
    assert mails.named({}, "lettre.pdf") == b""


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"\x1f\x8b\x08", "application/gzip"),
        (XML, "application/xml"),
        (b"Subject: x\r\n\r\ny", "message/rfc822"),
    ],
)
def test_a_return_is_kept_under_what_it_is(raw: bytes, kind: str) -> None:
    assert mails.media_type(raw) == kind


def test_a_reminder_in_a_lying_charset_is_read() -> None:
    raw = (
        b"Content-Type: text/plain; charset=inconnu\r\n\r\nMulti-canal \xe9 "
        b"079-200081511-20261120-2026_017-DE"
    )
    assert mails.paper_reminder(raw) == "079-200081511-20261120-2026_017-DE"
