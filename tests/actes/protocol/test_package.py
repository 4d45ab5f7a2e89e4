from io import BytesIO

import pytest

from socle.actes.protocol.archive import read_archive, write_archive
from socle.actes.protocol.build import build_envelope
from socle.actes.protocol.package import InconsistentPackage, check_package, pack_acte
from tests.actes.protocol.givens import ACTE, COMMUNE, NOON, OPERATOR, PDF, SENDER, acte


def packed() -> dict[str, bytes]:
    """The files of the archive of ACTE, read back from its bytes."""
    openers = [lambda size=document.size: BytesIO(b"x" * size) for document in ACTE.documents]
    out = BytesIO()
    write_archive(pack_acte(ACTE, openers, sender=SENDER).entries, out, at=NOON)
    return read_archive(out.getvalue())


def checked(files: dict[str, bytes]) -> None:
    xml = {name: data for name, data in files.items() if name.endswith(".xml")}
    check_package(xml, files.keys())


def names(files: dict[str, bytes]) -> tuple[str, str]:
    envelope, message = list(files)[:2]
    return envelope, message


def test_B01_the_archive_of_an_acte_tells_one_story() -> None:
    files = packed()

    checked(files)
    assert list(files) == [
        "EACT--217901743--20250312-1.xml",
        "079-217901743-20250310-2025_017-DE-1-1_0.xml",
        "99_DE-079-217901743-20250310-2025_017-DE-1-1_1.pdf",
        "21_RP-079-217901743-20250310-2025_017-DE-1-1_2.png",
    ]
    assert [len(data) for data in files.values()][2:] == [1200, 300]


def test_the_same_acte_packed_twice_gives_the_same_archive() -> None:
    archives = []
    for _ in range(2):
        out = BytesIO()
        openers = [lambda: BytesIO(b"x" * PDF.size)]
        package = pack_acte(acte(documents=(PDF,)), openers, sender=SENDER)
        write_archive(package.entries, out, at=NOON)
        archives.append(out.getvalue())

    assert archives[0] == archives[1]


def test_a_document_without_its_content_is_never_packed() -> None:
    with pytest.raises(ValueError, match="shorter"):
        pack_acte(ACTE, [lambda: BytesIO(b"")], sender=SENDER)


def test_B16_a_wrong_number_of_annexes_is_refused() -> None:
    files = packed()
    _, message = names(files)
    files[message] = files[message].replace(b'actes:Nombre="1"', b'actes:Nombre="7"')

    with pytest.raises(InconsistentPackage, match="annonce 7 annexes"):
        checked(files)


def test_B17_a_listed_message_absent_from_the_archive_is_refused() -> None:
    files = packed()
    _, message = names(files)
    del files[message]

    with pytest.raises(InconsistentPackage, match="absent"):
        checked(files)


def test_B17_a_cited_document_absent_from_the_archive_is_refused() -> None:
    files = packed()
    files.popitem()

    with pytest.raises(InconsistentPackage, match="manque"):
        checked(files)


def test_B17_a_file_nobody_announces_is_refused() -> None:
    with pytest.raises(InconsistentPackage, match=r"« logo\.jpg »"):
        checked({**packed(), "logo.jpg": b""})


def test_B18_the_second_message_of_an_envelope_is_checked_too() -> None:
    files = packed()
    envelope, message = names(files)
    files["second.xml"] = b"<broken"
    files[envelope] = build_envelope(
        emitter=COMMUNE, operator=OPERATOR, messages=[message, "second.xml"]
    )

    with pytest.raises(InconsistentPackage, match=r"« second\.xml »"):
        checked(files)


def test_F04_an_archive_without_envelope_is_refused() -> None:
    files = packed()
    envelope, _ = names(files)
    del files[envelope]

    with pytest.raises(InconsistentPackage, match="une enveloppe"):
        checked(files)
