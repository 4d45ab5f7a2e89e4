"""Who wrote a mail: only what our own mail server found counts."""

import pytest

from socle.direct import origin
from tests.direct.conftest import ORIGIN

SENDERS = ["actes@interieur.example", "@prefecture.example"]
SERVER = "mx.tdt.example.fr"
FROM = "From: actes@interieur.example\r\n"


def doubt(*heads: str) -> str:
    raw = "".join(f"{one.rstrip()}\r\n" for one in heads) + "\r\nbonjour"
    return origin.doubt(raw.encode(), senders=SENDERS, server=SERVER)


def results(text: str, server: str = SERVER) -> str:
    return f"Authentication-Results: {server}; {text}"


@pytest.mark.parametrize(
    "found",
    [
        "dkim=pass header.d=interieur.example",
        "dkim=pass (2048-bit key; a;b) header.d=interieur.example header.s=x; spf=fail",
        "spf=pass smtp.mailfrom=actes@interieur.example",
        "spf=pass (mx: ok) smtp.mailfrom=interieur.example",
        "dkim=none; SPF=Pass smtp.mailfrom=x@Interieur.Example",
    ],
)
def test_what_the_server_found_proves_it(found: str) -> None:
    assert doubt(results(found), FROM) == ""


@pytest.mark.parametrize(
    "found",
    [
        "none",
        "dkim=fail header.d=interieur.example",
        "dkim=pass header.d=example.org",
        "dkim=pass header.d=example",
        "spf=pass smtp.mailfrom=x@example.org",
        "spf=softfail smtp.mailfrom=x@interieur.example",
        "dkim=pass header.d=interieur.example; dmarc=fail header.from=interieur.example",
        'spf=fail smtp.mailfrom="; dkim=pass header.d=interieur.example"@example.org',
        "spf=fail (; dkim=pass header.d=interieur.example) smtp.mailfrom=example.org",
        "dkim=pass header.d=interieur.example.evil.example",
    ],
)
def test_what_does_not_prove_it(found: str) -> None:
    assert doubt(results(found), FROM) != ""


PASS = "dkim=pass header.d=interieur.example"


@pytest.mark.parametrize(
    "heads",
    [
        (FROM,),
        (results(PASS, "mx.example.org"), FROM),
        (results("dkim=none"), FROM, results(PASS)),
        (results("dkim=none", "mx.example.org"), results(PASS), FROM),
        (results(PASS), "From: autre@example.org"),
        (results(PASS), FROM, "From: autre@example.org"),
        (results(PASS), "From: actes@interieur.example, autre@example.org"),
        (results(PASS), "From: =?utf-8?q?x?=@interieur.example"),
        (results(PASS), "From: actes@interieur.example.evil.example"),
        (results(PASS),),
    ],
)
def test_a_forged_head_does_not_help(heads: tuple[str, ...]) -> None:
    assert doubt(*heads) != ""


def test_without_senders_or_server_nothing_is_proved() -> None:
    raw = ORIGIN + b"\r\n"
    assert origin.doubt(raw, senders=SENDERS, server=SERVER) == ""
    assert "complétez-le" in origin.doubt(raw, senders=[], server=SERVER)
    assert "complétez-le" in origin.doubt(raw, senders=SENDERS, server="")


def test_bytes_of_any_kind_are_doubtful_and_raise_nothing() -> None:
    for raw in (b"", b"\x00\xff\xfe", b"From: \xe9@\xff\r\n" * 3, b"From: " + b"(" * 100_000):
        assert origin.doubt(raw, senders=SENDERS, server=SERVER) != ""
