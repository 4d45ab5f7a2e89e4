import pytest
from lxml import etree

from socle.actes.protocol.build import build_cancellation
from socle.actes.protocol.codes import Direction, MessageType, Nature
from socle.actes.protocol.identifiers import ActeId, UnreadableIdentifier, parse_acte_id
from tests.actes.protocol.givens import DATA, DECISION, is_valid


def test_every_message_type_is_an_element_of_the_official_schema() -> None:
    path = DATA / "schemas" / "actes" / "actesv1_1.xsd"
    if not path.exists():
        pytest.skip("no official schema")
    declared = set(etree.parse(path).xpath("/*/*[local-name()='element']/@name"))

    assert {message.root for message in MessageType} <= declared


def test_the_first_message_of_each_transaction_has_the_expected_direction() -> None:
    to_state = [message.value for message in MessageType if message.direction is Direction.TO_STATE]

    assert to_state == ["1-1", "2-2", "3-2", "3-3", "3-4", "4-2", "4-3", "4-4", "6-1", "7-1"]


def test_labels_tell_message_types_apart() -> None:
    assert len({message.label for message in MessageType}) == len(MessageType) == 21


def test_natures_have_the_abbreviations_of_the_norm() -> None:
    assert [nature.abbreviation for nature in Nature] == ["DE", "AR", "AI", "CC", "BF", "AU"]
    assert Nature.of_abbreviation("CC") is Nature.CONTRACT
    assert Nature.of_abbreviation("XX") is None


@pytest.mark.parametrize(
    "number",
    ["2025_017", "A", "A" * 15, "A-B", "a b", "_A", "A_", "-A", "A" * 16, "", "É1", "A.B"],
)
def test_C21_a_received_number_is_accepted_when_one_of_the_two_schemas_does(number: str) -> None:
    message = build_cancellation(ActeId("079", "217901743", DECISION, number, "DE"))
    expected = is_valid(message) or is_valid(message, "actes-2017-older")

    try:
        parse_acte_id(f"079-217901743-20250310-{number}-DE")
        accepted = True
    except UnreadableIdentifier:
        accepted = False

    assert accepted is expected
