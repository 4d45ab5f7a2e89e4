"""The package of an archive: formats by content, rules of the standard, answers of all kinds."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from lxml import etree

from socle.actes.protocol import seda, seda_check
from socle.actes.protocol.formats import measure
from socle.actes.protocol.seda import Binary, Event, Parties, Transfer, Unit, Version
from socle.actes.protocol.seda_reply import Answer, UnreadableReply, read_reply
from tests.actes.protocol.givens import sae_schema

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
CONTENT = b"%PDF-1.4 le conseil municipal"
PARTIES = Parties("SAE-79", "200081511", "ACTES-2026", "200081511", "PROFIL", "NIVEAU")


def paper(entry: str = "content/00001.pdf") -> Binary:
    return Binary(entry, "délib & co.pdf", measure(io.BytesIO(CONTENT)), AT)


UNIT = Unit(
    title="2026_017 — Règlement <intérieur>",
    level="File",
    description="Règlement intérieur",
    identifier="079-200081511-20261120-2026_017-DE",
    document_type="Délibérations",
    tags=("5.2 Fonctionnement des assemblées",),
    originating_agency="200081511",
    custody="Transmis par @CTES.",
    access_rule="AR038",
    rule_from=date(2026, 11, 20),
    start=date(2026, 11, 20),
    end=date(2026, 11, 24),
    events=(Event(AT, "actes.deposited", "Acte transmis"),),
    units=(Unit("Acte", master=paper(), copy=paper("content/00002.pdf")),),
)
TRANSFER = Transfer("TRANSFERT-1", AT, "Un acte", PARTIES, (UNIT,))


def zipped(manifest: bytes, *entries: str) -> zipfile.ZipFile:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for entry in entries or ("content/00001.pdf", "content/00002.pdf"):
            archive.writestr(entry, CONTENT)
        archive.writestr("manifest.xml", manifest)
    return zipfile.ZipFile(out)


@pytest.mark.parametrize("version", list(Version))
def test_a_transfer_follows_the_rules_and_the_official_schema(version: Version) -> None:
    manifest = seda.manifest(TRANSFER, version)
    seda_check.check(zipped(manifest), version)
    assert sae_schema(version).validate(etree.fromstring(manifest))


@pytest.mark.parametrize("version", list(Version))
def test_the_smallest_transfer_too(version: Version) -> None:
    parties = replace(PARTIES, profile="", service_level="")
    small = Transfer("T", AT, "", parties, (Unit("Acte", master=paper()),))
    manifest = seda.manifest(small, version)
    seda_check.check(zipped(manifest, "content/00001.pdf"), version)


def test_digests_are_sha_512_and_sizes_are_exact() -> None:
    import hashlib

    root = etree.fromstring(seda.manifest(TRANSFER, Version.V2_2))
    spaces = {"s": Version.V2_2.namespace}
    [digest, _] = root.findall(".//s:MessageDigest", spaces)
    assert (digest.get("algorithm"), digest.text) == (
        "SHA-512",
        hashlib.sha512(CONTENT).hexdigest(),
    )
    assert root.findtext(".//s:Size", namespaces=spaces) == str(len(CONTENT))


Spoil = Callable[[str], str]


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda text: text.replace("ArchivalAgreement", "Agreement"), "ArchivalAgreement"),
        (lambda text: text.replace("<Size>29</Size>", "<Size>28</Size>", 1), "la taille"),
        (lambda text: text.replace("SHA-512", "SHA-256", 1), "l’empreinte"),
        (lambda text: text.replace("00002.pdf", "00009.pdf"), "content/00009.pdf manque"),
        (lambda text: text.replace("seda:v2.2", "seda:v2.1"), "de cette version"),
        (lambda text: text.replace('id="ID1"', 'id="ID2"'), "le même identifiant"),
        (lambda text: text.replace("<Title>Acte</Title>", ""), "0 Title"),
        (lambda text: text.replace("<Title>Acte</Title>", "<Title> </Title>"), "Title est vide"),
        (lambda text: text.replace("</ArchiveTransfer>", ""), "n’est pas un ArchiveTransfer"),
    ],
)
def test_a_broken_package_is_refused_with_its_fault(spoil: Spoil, fault: str) -> None:
    good = seda.manifest(TRANSFER, Version.V2_2).decode()
    spoiled = spoil(good)
    assert spoiled != good
    with pytest.raises(seda_check.BrokenPackage):
        seda_check.check(zipped(spoiled.encode()), Version.V2_2)
    assert fault in " ; ".join(seda_check.faults(zipped(spoiled.encode()), Version.V2_2))


def test_a_file_nobody_describes_is_a_fault() -> None:
    archive = zipped(
        seda.manifest(TRANSFER, Version.V2_2),
        "content/00001.pdf",
        "content/00002.pdf",
        "content/00003.pdf",
    )
    assert list(seda_check.faults(archive, Version.V2_2)) == [
        "le fichier content/00003.pdf n’est pas décrit"
    ]


@pytest.mark.parametrize(
    ("nature", "matter", "rule"),
    [
        (1, "1.1", "AR038"),
        (3, "1.1", "AR038"),
        (3, "4.2", "AR048"),
        (4, "4.2", "AR048"),
        (4, "8.2", "AR038"),
        (3, "8.2", "AR048"),
        (3, "8.2.1", "AR048"),
    ],
)
def test_J14_who_may_read_and_when(nature: int, matter: str, rule: str) -> None:
    assert seda.access_rule(nature, matter) == rule


@pytest.mark.parametrize(
    ("content", "puid"),
    [
        (b"%PDF-1.7\nx", "fmt/276"),
        (b"%PDF-2.0\nx", "fmt/1129"),
        (b"%PDF-1.4 <pdfaid:part>1</pdfaid:part><pdfaid:conformance>B<", "fmt/354"),
        (b"%PDF-1.7 " + b" " * (1 << 20) + b"pdfaid:part='3' pdfaid:conformance='A'", "fmt/479"),
        (b"\x89PNG\r\n\x1a\n....IHDR", "fmt/11"),
        (b"\x89PNG\r\n\x1a\n....IHDR....sRGB", "fmt/12"),
        (b"\x89PNG\r\n\x1a\n....IHDR....iTXt", "fmt/13"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01", "fmt/43"),
        (b"\xff\xd8\xff\xe1\x00\x10Exif\x00\x00", "fmt/645"),
        (b'<?xml version="1.0"?><a/>', "fmt/101"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", "fmt/101"),
        (b"\x1f\x8b\x08", "x-fmt/266"),
        (b"PK\x03\x04", "x-fmt/263"),
        (b"Subject: AR\nFrom: a@b.fr\n\nbonjour", "fmt/278"),
        (b"bonjour", ""),
        (b"", ""),
    ],
)
def test_a_format_is_known_by_its_content(content: bytes, puid: str) -> None:
    assert measure(io.BytesIO(content)).format.puid == puid


def test_what_is_measured_is_what_is_copied() -> None:
    out = io.BytesIO()
    found = measure(io.BytesIO(CONTENT), copy_to=out)
    assert (out.getvalue(), found.size) == (CONTENT, len(CONTENT))


def transfer_reply(code: str, *, version: str = "v2.1", inside: str = "") -> bytes:
    return (
        f'<seda:ArchiveTransferReply xmlns:seda="fr:gouv:culture:archivesdefrance:seda:{version}">'
        "<seda:Date>2026-11-26T08:00:00+01:00</seda:Date>"
        "<seda:MessageIdentifier>ATR-1</seda:MessageIdentifier>"
        f"<seda:ReplyCode>{code}</seda:ReplyCode>{inside}"
        "<seda:MessageRequestIdentifier> TRANSFERT-1 </seda:MessageRequestIdentifier>"
        "</seda:ArchiveTransferReply>"
    ).encode()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("OK", Answer.ACCEPTED),
        ("WARNING", Answer.ACCEPTED),
        ("000", Answer.ACCEPTED),
        ("KO", Answer.REFUSED),
        ("FATAL", Answer.REFUSED),
        ("204", Answer.REFUSED),
    ],
)
def test_a_code_says_whether_it_is_taken(code: str, said: Answer) -> None:
    reply = read_reply(transfer_reply(code))
    assert (reply.answer, reply.about, reply.code) == (said, "TRANSFERT-1", code)


@pytest.mark.parametrize("version", ["v2.0", "v2.1", "v2.2", "v2.3"])
def test_an_answer_of_any_version_is_read(version: str) -> None:
    assert read_reply(transfer_reply("OK", version=version)).answer is Answer.ACCEPTED


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("2026-11-26T08:00:00.125", datetime(2026, 11, 26, 8, 0, 0, 125000, tzinfo=UTC)),
        ("2026-11-26T09:00:00+01:00", datetime(2026, 11, 26, 8, tzinfo=UTC)),
        ("hier", None),
    ],
)
def test_the_instant_of_an_answer_is_aware(said: str, at: datetime | None) -> None:
    content = transfer_reply("OK").replace(b"2026-11-26T08:00:00+01:00", said.encode())
    assert read_reply(content).at == at


def test_the_words_are_those_of_the_events_that_went_wrong() -> None:
    inside = (
        "<seda:Operation><seda:Event><seda:EventDateTime>2026-11-26</seda:EventDateTime>"
        "<seda:Outcome>OK</seda:Outcome><seda:OutcomeDetailMessage>Antivirus</seda:"
        "OutcomeDetailMessage></seda:Event><seda:Event><seda:Outcome>KO</seda:Outcome>"
        "<seda:OutcomeDetailMessage>Contrat d’entrée inconnu</seda:OutcomeDetailMessage>"
        "</seda:Event></seda:Operation>"
    )
    assert read_reply(transfer_reply("KO", inside=inside)).words == "Contrat d’entrée inconnu"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"bonjour", "pas du XML"),
        (b"<ArchiveTransferReply/>", "format SEDA"),
        (b'<!DOCTYPE x><a xmlns="fr:gouv:culture:archivesdefrance:seda:v2.1"/>', "DTD"),
        (
            b'<ArchiveTransfer xmlns="fr:gouv:culture:archivesdefrance:seda:v2.1"/>',
            "ArchiveTransfer",
        ),
        (transfer_reply(""), "pas de code"),
        (transfer_reply("OK").replace(b"TRANSFERT-1", b""), "quel versement"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(content: bytes, why: str) -> None:
    with pytest.raises(UnreadableReply, match=why):
        read_reply(content)
