from datetime import date

import pytest

from socle.helios.protocol.header import Header
from socle.helios.protocol.names import (
    gateway_message,
    has_xml_extension,
    is_own_name,
    safe_file_name,
    transmitted_name,
)

MONDAY = date(2026, 1, 5)


def name(sequence: int, siren: str = "123456789") -> str:
    return transmitted_name(siren=siren, sent_on=MONDAY, sequence=sequence)


def test_h061_the_transmitted_name_holds_siren_day_and_sequence() -> None:
    assert name(1) == "PESALR2_123456789_260105_001.xml"


def test_the_sequence_widens_past_999() -> None:
    assert name(1000) == "PESALR2_123456789_260105_1000.xml"


def test_h072_names_of_two_days_never_collide() -> None:
    tomorrow = transmitted_name(siren="123456789", sent_on=date(2026, 1, 6), sequence=1)

    assert tomorrow != name(1)


@pytest.mark.parametrize(
    ("siren", "sequence"), [("12345678", 1), ("12345678A", 1), ("../456789", 1), ("123456789", 0)]
)
def test_a_name_that_cannot_be_is_a_fault(siren: str, sequence: int) -> None:
    with pytest.raises(ValueError, match="no gateway name"):
        name(sequence, siren)


def test_h078_our_own_files_are_recognised_in_the_mailbox() -> None:
    assert is_own_name(name(1))
    assert not is_own_name("079012_260105093000-ACK-001.xml")


def test_h061_the_gateway_message_is_in_the_order_of_the_gateway() -> None:
    header = Header(cod_col="123", id_post="034000", cod_bud="12")

    assert gateway_message(header) == "PES#123#034000#12"
    assert gateway_message(header, prefix="PESALR1") == "PESALR1#123#034000#12"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Mandats janvier.xml", "Mandats janvier.xml"),
        ("Été n°1 (v2).xml", "_t_ n_1 _v2_.xml"),
        ("../../etc/passwd", "passwd"),
        ("C:\\PES\\flux.xml", "flux.xml"),
        ("..", "flux.xml"),
        ("", "flux.xml"),
    ],
)
def test_h039_a_file_name_is_made_harmless(given: str, expected: str) -> None:
    assert safe_file_name(given) == expected


def test_a_long_file_name_keeps_its_extension() -> None:
    assert safe_file_name("a" * 200 + ".xml") == "a" * 96 + ".xml"


def test_h044_the_extension_is_looked_at_whatever_its_case() -> None:
    assert has_xml_extension("FLUX.XML")
    assert not has_xml_extension("flux.txt")
