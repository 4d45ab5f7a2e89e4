from datetime import date

import pytest

from socle.actes.protocol.build import file_names
from socle.actes.protocol.codes import FileKind, MessageType
from socle.actes.protocol.identifiers import ActeId, UnreadableIdentifier, parse_acte_id
from socle.actes.protocol.names import (
    EnvelopeSerialExhausted,
    archive_name,
    classification_request_name,
    document_name,
    envelope_name,
    message_name,
    parse_archive_name,
    parse_business_name,
    parse_envelope_name,
    refused_envelope,
)
from socle.actes.protocol.package import Sender, pack_acte
from socle.actes.protocol.values import Document, Emitter
from tests.actes.protocol.givens import ACTE, ANNEXE, COMMUNE, OPERATOR, PDF, acte

ACTE_ID = ActeId("034", "000000000", date(2025, 3, 10), "2025_017", "DE")


def envelope_of(day: date, serial: int, quadrigramme: str = "EACT") -> str:
    return envelope_name(quadrigramme=quadrigramme, siren="210600730", day=day, serial=serial)


def test_D01_D02_the_envelope_carries_the_day_and_its_serial() -> None:
    first = envelope_of(date(2018, 1, 15), 1)

    assert first == "EACT--210600730--20180115-1.xml"
    assert archive_name("SIC", first) == "SIC-EACT--210600730--20180115-1.tar.gz"
    assert envelope_of(date(2018, 1, 15), 2) == "EACT--210600730--20180115-2.xml"


@pytest.mark.parametrize("serial", [0, 10000])
def test_D04_a_serial_the_norm_cannot_write_is_refused(serial: int) -> None:
    with pytest.raises(EnvelopeSerialExhausted):
        envelope_of(date(2018, 1, 15), serial)


def test_D05_D06_names_carry_the_decision_date_and_the_generation_date_in_calendar_years() -> None:
    decided = acte(decided_on=date(2024, 12, 30))
    sender = Sender(COMMUNE, OPERATOR, day=date(2024, 12, 31), serial=1)

    package = pack_acte(decided, [lambda: None, lambda: None], sender=sender)  # type: ignore[list-item,return-value]

    assert package.envelope_name == "EACT--217901743--20241231-1.xml"
    assert package.message_name == "079-217901743-20241230-2025_017-DE-1-1_0.xml"
    assert str(decided.identifier) == "079-217901743-20241230-2025_017-DE"


def test_D07_twelve_annexes_keep_the_order_they_were_given_in() -> None:
    annexes = [Document(f"{letter}.pdf", FileKind.PDF, 1, "21_RP") for letter in "lkjihgfedcba"]

    names = file_names(acte(documents=(PDF, *annexes)))

    serials = [parsed.serial for name in names if (parsed := parse_business_name(name))]
    assert serials == list(range(1, 14))


def test_D08_documents_of_an_answer_count_from_one_beside_message_zero() -> None:
    sent = MessageType.PIECES_SENT
    names = [
        document_name(ACTE_ID, sent, serial=serial, kind=FileKind.PDF, typology="99_DE")
        for serial in (1, 2, 3)
    ]

    assert [name.removeprefix("99_DE-").removeprefix(str(ACTE_ID)) for name in names] == [
        "-3-4_1.pdf",
        "-3-4_2.pdf",
        "-3-4_3.pdf",
    ]
    assert message_name(ACTE_ID, sent) == f"{ACTE_ID}-3-4_0.xml"


def test_D09_a_typed_name_is_read_back() -> None:
    name = parse_business_name("99_DE-034-000000000-20250310-2025_017-DE-1-1_1.pdf")

    assert name is not None
    assert (name.typology, name.number, name.serial, name.extension) == (
        "99_DE",
        "2025_017",
        1,
        "pdf",
    )
    assert name.type is MessageType.ACTE


def test_D10_an_old_untyped_name_is_read_back() -> None:
    name = parse_business_name("045-214502494-20170717-D201717-DE-1-1_1.pdf")

    assert name is not None
    assert (name.typology, name.departement, name.number) == ("", "045", "D201717")


def test_D11_a_name_without_message_type_is_not_recognised() -> None:
    assert parse_business_name("044-214400152-20180905-4365-DE-4365-DE_0.xml") is None


@pytest.mark.parametrize("name", ["message_body.html", "logo.jpg", "", "../034-1-1.xml"])
def test_what_is_not_a_name_of_the_norm_is_not_recognised(name: str) -> None:
    assert parse_business_name(name) is None
    assert parse_envelope_name(name) is None
    assert parse_archive_name(name) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("044-214400152----7-1_0.xml", MessageType.CLASSIFICATION_REQUEST),
        ("044-214400152----1-3_1.xml", MessageType.ACTE_ANOMALY),
        ("999-1234----7-2_1.xml", MessageType.CLASSIFICATION),
    ],
)
def test_D12_names_with_empty_fields_are_read_back(name: str, expected: MessageType) -> None:
    parsed = parse_business_name(name)

    assert parsed is not None
    assert (parsed.decided_on, parsed.number, parsed.nature) == (None, "", "")
    assert parsed.type is expected


def test_D12_our_classification_request_leaves_four_dashes() -> None:
    assert classification_request_name("044", "214400152") == "044-214400152----7-1_0.xml"


def test_D13_corse_du_sud_writes_02A_everywhere() -> None:
    corse = acte(emitter=Emitter("212000012", "02A", "1", "31"))

    assert str(corse.identifier).startswith("02A-212000012-")
    parsed = parse_business_name(file_names(corse)[0])
    assert parsed is not None
    assert parsed.departement == "02A"


def test_D14_trigramme_and_quadrigramme_are_given_not_known() -> None:
    name = archive_name("abc", envelope_of(date(2018, 10, 24), 4, "TACT"))

    parsed = parse_archive_name(name)
    assert parsed is not None
    trigramme, envelope = parsed
    assert (trigramme, envelope.quadrigramme, envelope.serial) == ("abc", "TACT", 4)


def test_A43_business_names_are_ascii_whatever_the_original_name() -> None:
    assert PDF.original_name == "délib n°1 (v2).pdf"
    assert all(name.isascii() for name in file_names(ACTE))


def test_document_names_carry_the_extension_of_the_content() -> None:
    disguised = Document("scan.pdf", FileKind.JPEG, 10, "21_RP")

    assert file_names(acte(documents=(PDF, disguised)))[1].endswith("_2.jpg")


def test_every_message_name_we_build_is_read_back() -> None:
    for message in MessageType:
        parsed = parse_business_name(message_name(ACTE_ID, message))
        assert parsed is not None
        assert (parsed.type, parsed.serial, parsed.decided_on) == (message, 0, date(2025, 3, 10))


def test_F25_a_serial_of_the_ministry_may_have_any_length_or_be_absent() -> None:
    long = parse_business_name("006-210600235-20180522-684-AI-1-2_1234567.xml")
    none = parse_business_name("034-491011698-20171207-CL20171227_06-DE-1-2.xml")

    assert long is not None
    assert none is not None
    assert (long.serial, none.serial) == (1234567, None)


def test_the_envelope_of_a_sous_prefecture_is_read_back() -> None:
    parsed = parse_envelope_name("EACT--SPREF0441-214400152-20181012-9.xml")

    assert parsed is not None
    assert (parsed.office, parsed.siren, parsed.serial) == ("SPREF0441", "214400152", 9)
    assert parsed.date == date(2018, 10, 12)


def test_F11_an_anomaly_file_names_the_envelope_it_refuses() -> None:
    name = "ANO_EACT--214400152--20180925-1.xml"

    assert refused_envelope(name) == "EACT--214400152--20180925-1.xml"
    parsed = parse_envelope_name(name)
    assert parsed is not None
    assert parsed.is_anomaly
    assert refused_envelope("EACT--214400152--20180925-1.xml") == ""


@pytest.mark.parametrize("number", ["2025_017", "A", "A" * 15, "A-B", "a b", "_A", "A_", "1-2-3"])
def test_C11_a_received_identifier_is_split_from_both_ends(number: str) -> None:
    text = f"034-000000000-20250310-{number}-DE"

    parsed = parse_acte_id(text)

    assert parsed.number == number
    assert str(parsed) == text


@pytest.mark.parametrize("number", ["", "A" * 16, "-A", "A-", "É1", "A.B"])
def test_C11_a_number_no_schema_accepts_is_refused(number: str) -> None:
    with pytest.raises(UnreadableIdentifier):
        parse_acte_id(f"034-000000000-20250310-{number}-DE")


def test_an_identifier_with_an_impossible_date_is_refused() -> None:
    with pytest.raises(UnreadableIdentifier):
        parse_acte_id("034-000000000-20250231-1-DE")


def test_a_document_name_is_made_of_typology_stem_serial_and_kind() -> None:
    assert file_names(ACTE) == (
        "99_DE-079-217901743-20250310-2025_017-DE-1-1_1.pdf",
        "21_RP-079-217901743-20250310-2025_017-DE-1-1_2.png",
    )
    assert ANNEXE.typology == "21_RP"
