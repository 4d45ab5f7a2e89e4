"""Requests and answers as bytes."""

import re
from datetime import date
from io import BytesIO
from typing import Any

import pytest

from socle.actes import mails
from socle.actes.protocol.read import read_message
from socle.actes.protocol.values import Anomaly, EnvelopeAnomaly
from socle.s2low.protocol import answers, requests, returns
from socle.s2low.protocol.answers import Answer
from socle.s2low.protocol.archive import (
    Acte,
    Cancellation,
    ClassificationRequest,
    UnusableArchive,
    opened,
)
from socle.s2low.protocol.multipart import Form, Upload
from socle.s2low.protocol.outcomes import AccountFault, NotAnAnswer, Refused
from socle.s2low.protocol.returns import Sent
from socle.s2low.protocol.statuses import (
    ACTE_ANSWERED,
    FLOW_ANSWERED,
    ActeStatus,
    HeliosStatus,
    acte_label,
    flow_label,
)
from tests.s2low import archives

SENT = Sent(
    envelope_name=archives.ENVELOPE,
    message_name=f"{archives.STEM}_0.xml",
    number=archives.NUMBER,
    decided_on=date(2026, 11, 20),
    nature=1,
)


def ok(body: bytes) -> Answer:
    return Answer(200, body)


# Statuses


def test_every_documented_state_has_words() -> None:
    assert {status.value for status in ActeStatus} == set(range(-1, 23))
    assert all(status.label for status in (*ActeStatus, *HeliosStatus))


def test_k07_an_unknown_state_is_shown_and_is_no_crash() -> None:
    assert acte_label(99) == flow_label(99) == "Statut inconnu (99)"
    assert answers.acte_state_in(ok(b"OK\n99\n")).status == 99


def test_k06_a_state_on_the_way_is_no_answer() -> None:
    assert acte_label(3) == "Transmis"
    assert ActeStatus.TRANSMITTED not in ACTE_ANSWERED
    assert not FLOW_ANSWERED & {HeliosStatus.POSTED, HeliosStatus.WAITING, HeliosStatus.TRANSMITTED}


# Text answers


@pytest.mark.parametrize("body", [b"OK\n666\n\n", b"OK\r\n666\r\n", b"\xef\xbb\xbfOK\n 666 \n"])
def test_a_number_is_read_however_its_line_ends(body: bytes) -> None:
    assert answers.number_in(ok(body)) == "666"


@pytest.mark.parametrize(
    "body",
    [b"OK", b"OK\n\n", b"OK\nabc\n", b"OK\n0\n", b"OK : 666", b"OKAY\n6", b"666", b"\n OK\n6"],
)
def test_k08_ok_without_a_number_is_no_answer(body: bytes) -> None:
    with pytest.raises(NotAnAnswer):
        answers.number_in(ok(body))


def test_the_acknowledgement_after_a_state_is_untouched() -> None:
    raw = archives.acknowledgement()
    assert answers.acte_state_in(ok(b"OK\n4\n" + raw)).content == raw


def test_an_error_may_hold_a_dash_and_accents() -> None:
    state = answers.acte_state_in(ok("OK\n-1\nEnveloppe invalide : é - è".encode("latin-1")))
    assert (state.status, state.reason) == (-1, "Enveloppe invalide : é - è")


def test_a_text_already_in_utf8_is_not_garbled() -> None:
    assert answers.plain("Échec à l’étape œ".encode()) == "Échec à l’étape œ"


@pytest.mark.parametrize(
    "reason",
    [
        "Échec de l'authentification",
        "Accès refusé",
        "La télétransmission nécessite un certificat RGS<br/>unable to get issuer",
        "Mode « papier » actif. Accès interdit.",
    ],
)
def test_what_keeps_an_account_out_is_not_a_refusal_of_the_file(reason: str) -> None:
    with pytest.raises(AccountFault):
        answers.lines_of(ok(f"KO\n{reason}\n".encode("cp1252")))


@pytest.mark.parametrize(
    ("reason", "duplicate"),
    [
        ("Un acte portant le même numéro interne existe déjà dans la base", True),
        ("Une transaction avec le même numéro existe déjà dans la base.", True),
        ("doublon détecté. Ce fichier a déjà été posté.", True),
        ("Une demande d'annulation est déjà en cours pour cette transaction.", True),
        ("Le numéro n'est pas correct", False),
    ],
)
def test_duplicates_are_recognised(reason: str, duplicate: bool) -> None:
    assert Refused(reason).is_duplicate is duplicate


# JSON and XML answers


def test_numbers_are_read_whether_json_writes_them_as_texts_or_not() -> None:
    body = b'[{"id": "70", "type": "3", "unique_id": null, "last_status_id": 7}]'
    assert answers.letters_in(ok(body)) == [answers.Letter("70", 3, "", 7)]


@pytest.mark.parametrize("body", [b"{}", b'{"id": 1}', b"[1]", b"null", b'[{"id": "../1"}]', b"{"])
def test_json_of_another_shape_is_no_answer(body: bytes) -> None:
    with pytest.raises(NotAnAnswer):
        answers.letters_in(ok(body))


def test_an_empty_list_of_retours_is_no_error() -> None:
    body = b"<liste><idColl>1</idColl><resultat></resultat><message>ok</message></liste>"
    assert answers.retours_in(ok(body)) == []


def test_an_import_refused_says_why() -> None:
    body = (
        "<import><id></id><resultat>KO</resultat><message>Le fichier présenté est vide (0 octet)"
        "</message></import>"
    )
    with pytest.raises(Refused, match="Le fichier présenté est vide"):
        answers.import_number_in(ok(body.encode()))


def test_a_plain_ko_to_an_import_is_understood() -> None:
    with pytest.raises(AccountFault):
        answers.import_number_in(ok("KO\nÉchec de l'authentification\n".encode("latin-1")))


def test_xml_with_a_dtd_is_no_answer() -> None:
    bomb = b'<!DOCTYPE transaction [<!ENTITY a "b">]><transaction>&a;</transaction>'
    with pytest.raises(NotAnAnswer):
        answers.flow_state_in(ok(bomb))


def test_the_only_redirect_with_a_meaning_gives_a_number() -> None:
    base = "https://www.s2low.example"
    download = "/modules/actes/actes_download_file.php?env=12"
    assert answers.envelope_in(Answer(302, b"", download), base_url=base) == "12"
    assert answers.envelope_in(Answer(302, b"", base + download), base_url=base) == "12"
    for elsewhere in (
        f"https://www.s2low.example.org{download}",
        f"http://www.s2low.example{download}",
        "/modules/actes/actes_download_file.php?env=12&env=13",
        "/modules/actes/actes_download_file.php?env=../1",
        "/login.php",
        "",
    ):
        with pytest.raises(NotAnAnswer):
            answers.envelope_in(Answer(302, b"", elsewhere), base_url=base)


# Requests


def test_a_form_is_exactly_as_long_as_it_says() -> None:
    form = Form([("subject", "été"), ("a[]", Upload.of("a.pdf", b"%PDF")), ("a[]", "2")])
    body = b"".join(form)
    assert len(body) == len(form)
    assert b"\xe9t\xe9" in body
    assert body.endswith(f"--{form.boundary}--\r\n".encode())


def test_a_file_shorter_than_announced_is_not_sent() -> None:
    with pytest.raises(ValueError, match="not 9 bytes"):
        b"".join(Form([("a", Upload("a.pdf", 9, BytesIO(b"%PDF")))]))


@pytest.mark.parametrize(
    ("subject", "words"),
    [("L’été", "« ’ »"), ("a" * 500, "499"), ("", "499"), ("1\x80", "ne sait pas lire")],
)
def test_a_subject_s2low_would_harm_is_refused_before_any_call(subject: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        requests.check_subject(subject)


def test_parameters_cannot_break_out_of_the_address() -> None:
    assert requests.acte_status("6&api=1").target.endswith("?transaction=6%26api%3D1")


# Our archive


def test_an_archive_tells_the_act() -> None:
    with opened(BytesIO(archives.acte(subject="L'été à Melle"))) as parcel:
        acte = parcel.message
        assert isinstance(acte, Acte)
        assert (parcel.envelope_name, acte.identifier) == (archives.ENVELOPE, archives.IDENTIFIER)
        assert (acte.subject, acte.matiere, acte.nature) == ("L'été à Melle", (5, 2, 1), 1)
        assert [piece.typology for piece in (acte.document, *acte.annexes)] == [
            "99_DE",
            "21_RP",
            "99_DE",
        ]
        assert acte.document.upload.content.read() == archives.PDF


def test_an_archive_tells_a_cancellation_and_a_classification_request() -> None:
    with opened(BytesIO(archives.cancellation())) as parcel:
        assert parcel.message == Cancellation(archives.SIREN, archives.IDENTIFIER)
    with opened(BytesIO(archives.classification_request())) as parcel:
        assert parcel.message == ClassificationRequest(archives.SIREN, "079")


def _without(name: str) -> bytes:
    return archives.pack({key: data for key, data in archives.acte_files().items() if key != name})


def _with(name: str, data: bytes) -> bytes:
    return archives.pack(archives.acte_files() | {name: data})


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"not an archive",
        archives.acte()[:-40],
        _without(archives.ENVELOPE),
        _without(f"{archives.STEM}_0.xml"),
        _without(f"99_DE-{archives.STEM}_1.pdf"),
        _with("../evil.pdf", b"%PDF"),
        _with(archives.ENVELOPE, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"),
        _with(f"{archives.STEM}_0.xml", b"<actes:Other xmlns:actes='urn:x'/>"),
    ],
)
def test_an_archive_that_is_not_whole_is_not_sent(archive: bytes) -> None:
    with pytest.raises(UnusableArchive), opened(BytesIO(archive)):
        pytest.fail("it was opened")


# What the room of @CTES reads


def _anomaly(reason: str, sent: Sent = SENT) -> tuple[str, Any]:
    raw = f"OK\n-1\n{reason}".encode("cp1252")
    archive = returns.anomaly_archive(reason, raw, sent)
    assert archives.unpack(archive)[returns.RAW_NAME] == raw
    ((name, data),) = mails.messages_of(mails.files_in("anomalie.tar.gz", archive)).items()
    return name, read_message(name, data)


def test_k05_a_refusal_of_s2low_reads_as_an_anomaly_of_our_envelope() -> None:
    name, message = _anomaly("Enveloppe invalide : le fichier « délib.pdf » est corrompu")
    assert isinstance(message, EnvelopeAnomaly)
    assert message.envelope_name == archives.ENVELOPE
    assert message.detail == "S²LOW : Enveloppe invalide : le fichier « délib.pdf » est corrompu"
    assert name == f"ANO_{archives.ENVELOPE}"


def test_an_anomaly_of_the_state_reads_as_one_of_the_act() -> None:
    name, message = _anomaly("002 - ODT-VERIF-01 la classification - périmée")
    assert isinstance(message, Anomaly)
    assert (message.nature, message.detail) == ("002", "ODT-VERIF-01 la classification - périmée")
    assert message.is_stale_classification
    assert message.data is not None
    assert (message.data.number, message.data.decided_on, message.data.nature) == (
        archives.NUMBER,
        date(2026, 11, 20),
        1,
    )
    assert re.fullmatch(rf"{archives.IDENTIFIER}-1-3_0\.xml", name)


def test_an_envelope_the_state_refused_keeps_its_code() -> None:
    _, message = _anomaly("Enveloppe rejetée par le MI (5 : PREF-VERIF-02 SIREN inconnu)")
    assert isinstance(message, EnvelopeAnomaly)
    assert (message.nature, message.detail) == ("5", "PREF-VERIF-02 SIREN inconnu")


def test_the_same_anomaly_twice_is_the_same_file() -> None:
    made = {returns.anomaly_archive("Virus", b"OK\n-1\nVirus", SENT) for _ in range(2)}
    assert len(made) == 1


@pytest.mark.parametrize(
    "raw",
    [
        archives.acknowledgement(identifier="079-200081511-20261120-AUTRE-DE"),
        archives.acknowledgement(on=""),
        archives.acknowledgement(on="bientôt"),
        archives.cancellation_acknowledgement(),
        b"<html/>",
        b"",
    ],
)
def test_k10_an_acknowledgement_that_does_not_say_what_it_must_is_none(raw: bytes) -> None:
    with pytest.raises(NotAnAnswer):
        returns.check_acknowledgement(raw, identifier=archives.IDENTIFIER, cancellation=False)


def test_blank_lines_before_the_declaration_are_passed_over() -> None:
    raw = b'\n \n<?xml version="1.0" encoding="ISO-8859-1"?><actes:ARActe xmlns:actes="x"/>'
    assert returns.is_acknowledgement(raw, cancellation=False)
