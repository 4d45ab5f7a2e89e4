from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from socle.actes.protocol.build import (
    build_acte,
    build_cancellation,
    build_classification_request,
    build_envelope,
)
from socle.actes.protocol.identifiers import ActeId, parse_acte_id
from socle.actes.protocol.package import (
    pack_acte,
    pack_cancellation,
    pack_classification_request,
)
from socle.actes.protocol.read import read_message
from socle.actes.protocol.rules import (
    InvalidEmail,
    InvalidEmitter,
    InvalidNumber,
    InvalidObjet,
    accept,
)
from socle.actes.protocol.text import Untransmittable, is_transmittable, transliterate
from socle.actes.protocol.values import (
    ActeData,
    Cancellation,
    ClassificationRequest,
    Emitter,
    Envelope,
    Operator,
    Referent,
)
from tests.actes.protocol.givens import (
    ACTE,
    COMMUNE,
    DEFAULT_CLASSIFICATION,
    NOON,
    OPERATOR,
    SENDER,
    acte,
    draft,
    is_valid,
    schema,
)

NUMBERS = st.from_regex(r"\A([A-Z0-9][A-Z0-9_]{0,13})?[A-Z0-9]\Z")
OBJETS = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"])
    # Alone in a file, these two followed by a sign are indistinguishable from UTF-8.
    .filter(lambda character: character not in "ÂÃ"),
    min_size=1,
    max_size=500,
)


def read_acte(data: bytes) -> ActeData:
    message = read_message("acte.xml", data)
    assert isinstance(message, ActeData)
    return message


def envelope(**changes: object) -> bytes:
    parts = {"emitter": COMMUNE, "operator": OPERATOR, "messages": ["message.xml"], **changes}
    return build_envelope(**parts)  # type: ignore[arg-type]


def test_an_acte_follows_the_schema_and_the_skeleton_of_the_norm() -> None:
    data = build_acte(acte(objet='Objet <é> & "co"', paper_complement=True))

    assert data.startswith(b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<actes:Acte ')
    assert b"\xe9" in data
    assert b"<actes:DocumentPapier>O</actes:DocumentPapier>" in data
    assert is_valid(data)


def test_C01_attributes_without_prefix_are_invalid_and_ours_have_it() -> None:
    data = build_acte(ACTE)

    assert is_valid(data)
    assert not is_valid(data.replace(b"actes:Date=", b"Date="))


def test_A20_markup_and_accents_come_back_as_they_were_written() -> None:
    objet = "é & < > \" ' ç"

    assert read_acte(build_acte(acte(objet=objet))).objet == objet


def test_A22_a_two_digit_level_is_sent_whole() -> None:
    data = build_acte(acte(matiere=(7, 10)))

    assert b'<actes:CodeMatiere2 actes:CodeMatiere="10"/>' in data
    assert read_acte(data).matiere == (7, 10)


def test_A01_an_acte_with_two_annexes_is_read_back_whole() -> None:
    pdf, annexe = ACTE.documents
    sent = acte(matiere=(1, 1, 1), documents=(pdf, annexe, annexe))

    received = read_acte(build_acte(sent))

    assert (received.number, received.decided_on, received.nature) == (
        "2025_017",
        date(2025, 3, 10),
        1,
    )
    assert received.matiere == (1, 1, 1)
    assert received.classification_date == DEFAULT_CLASSIFICATION.date
    assert received.document == "99_DE-079-217901743-20250310-2025_017-DE-1-1_1.pdf"
    assert received.announced_annexes == len(received.annexes) == 2
    assert received.paper_complement is False


@given(NUMBERS, OBJETS)
@settings(max_examples=40)
def test_any_number_and_objet_we_accept_is_valid_and_read_back(number: str, objet: str) -> None:
    text = transliterate(objet).text
    if not text or len(text) > 500:
        return
    sent = accept(
        draft(number=number, objet=objet),
        emitter=COMMUNE,
        classification=DEFAULT_CLASSIFICATION,
        at=NOON,
    )
    data = build_acte(sent)

    assert is_valid(data)
    assert (read_acte(data).number, read_acte(data).objet) == (number, text)
    assert parse_acte_id(str(sent.identifier)) == sent.identifier
    assert is_valid(build_cancellation(sent.identifier))
    assert is_valid(build_cancellation(sent.identifier), "actes-2017-older")


def test_an_acte_may_name_the_one_it_replaces() -> None:
    before = ActeId("079", "217901743", date(2025, 1, 6), "2025_001", "DE")

    data = build_acte(acte(replaces=before))

    assert (
        b'<actes:PrecedentIdentifiantActe actes:IDActe="079-217901743-20250106-2025_001-DE"' in data
    )
    assert is_valid(data)


def test_an_objet_that_would_change_on_the_way_is_refused() -> None:
    with pytest.raises(Untransmittable):
        build_acte(acte(objet="L’œuvre"))


def test_A16_an_objet_of_501_characters_is_never_built() -> None:
    assert is_valid(build_acte(acte(objet="x" * 500)))
    with pytest.raises(InvalidObjet):
        build_acte(acte(objet="x" * 501))


def test_C10_a_number_the_schema_lets_through_is_still_refused() -> None:
    with pytest.raises(InvalidNumber):
        build_acte(acte(number="2025-017 x"))


def test_the_envelope_follows_the_schema_with_and_without_referent() -> None:
    referent = Referent("Durand Alice – œuvres", "0549000000", "ref@example.fr")

    for data in (envelope(), envelope(referent=referent), envelope(referent=Referent("Durand"))):
        assert is_valid(data)
        assert is_valid(data, "actes-2017-older")


def test_the_envelope_is_read_back() -> None:
    data = envelope(
        referent=Referent("Durand Alice", "0549000000", "ref@example.fr"),
        extra_addresses=("mairie@melle.example.fr", "retour@tdt.example.fr"),
        messages=["a.xml", "b.xml"],
    )

    assert read_message("EACT.xml", data) == Envelope(
        emitter=COMMUNE,
        referent=Referent("Durand Alice", "0549000000", "ref@example.fr"),
        return_addresses=("retour@tdt.example.fr", "mairie@melle.example.fr"),
        messages=("a.xml", "b.xml"),
    )


@pytest.mark.parametrize(
    ("case", "part", "value"),
    [
        ("C04", "departement", "2A0"),
        ("C04", "departement", "02a"),
        ("C05", "nature", "4"),
        ("C06", "siren", "12"),
        ("XSD", "arrondissement", "12"),
    ],
)
def test_C04_C05_C06_an_identity_the_schema_refuses_is_refused(
    case: str, part: str, value: str
) -> None:
    with pytest.raises(InvalidEmitter) as refused:
        envelope(emitter=replace(COMMUNE, **{part: value}))
    assert refused.value.field == part


@pytest.mark.parametrize("departement", ["02A", "034", "971", "999"])
def test_C04_departements_of_three_characters_are_valid(departement: str) -> None:
    assert is_valid(envelope(emitter=Emitter("000000000", departement, "1", "31")))


def test_C07_an_address_with_a_long_final_label_is_refused() -> None:
    with pytest.raises(InvalidEmail):
        envelope(extra_addresses=("x@y.solutions",))
    template = envelope(extra_addresses=("x@y.museum",))
    assert is_valid(template)
    assert not is_valid(template.replace(b"x@y.museum", b"x@y.solutions"))


def test_C08_an_envelope_without_return_address_is_refused() -> None:
    with pytest.raises(InvalidEmail):
        envelope(operator=Operator("TRI", "EACT", ()))


def test_H01_a_cancellation_quotes_the_identifier_only() -> None:
    data = build_cancellation(ACTE.identifier)

    assert is_valid(data)
    assert read_message("x.xml", data) == Cancellation(ACTE.identifier)


def test_C15_a_classification_request_always_carries_a_date() -> None:
    data = build_classification_request()

    assert is_valid(data)
    assert read_message("x.xml", data) == ClassificationRequest(date(2001, 1, 1))
    assert read_message("x.xml", build_classification_request(date(2019, 3, 1))) == (
        ClassificationRequest(date(2019, 3, 1))
    )


def test_every_package_holds_the_envelope_first_then_its_message() -> None:
    packages = [
        pack_acte(ACTE, [lambda: BytesIO(b""), lambda: BytesIO(b"")], sender=SENDER),
        pack_cancellation(ACTE.identifier, sender=SENDER),
        pack_classification_request(sender=SENDER),
    ]

    for package in packages:
        envelope_entry, message_entry, *_ = package.entries
        assert package.archive_name == "TRI-EACT--217901743--20250312-1.tar.gz"
        assert envelope_entry.name == package.envelope_name
        assert package.message_name.encode() in envelope_entry.open().read()
        assert message_entry.name == package.message_name
        assert schema().validate(etree.parse(message_entry.open()))
    assert [len(package.entries) for package in packages] == [4, 2, 2]


def test_what_is_built_holds_no_windows_1252_control() -> None:
    text = build_acte(acte(objet=transliterate("l’été…").text)).decode("iso-8859-1")

    assert is_transmittable(text.replace("\n", ""))
