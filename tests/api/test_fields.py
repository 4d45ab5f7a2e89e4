"""What a software posts is taken whole, or refused by the name of what is not; never dropped."""

import io
from typing import Any

import pytest

from socle.actes.models import Act, ActState
from socle.delivery.models import Outbound
from tenants.api import posted as reading
from tests.actes.conftest import PDF, PNG
from tests.api.conftest import BOUNDARY, FIELDS, Software
from tests.api.test_actes import created, refused

CREATE = "/modules/actes/actes_transac_create.php"
MAIN = ("acte_pdf_file", "delib.pdf", PDF)


def kept() -> list[tuple[str, str]]:
    """Name and type of each file of the one act, in their order."""
    files = Act.objects.get().files.select_related("stored").order_by("rank")
    return [(file.stored.name, file.typology) for file in files]


def raw(software: Software, *parts: bytes) -> Any:
    """A body written byte by byte."""
    start = f"--{BOUNDARY}\r\n".encode()
    body = b"".join(start + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return software.browser.generic("POST", CREATE, body, content_type=kind, **software._headers())


def field(name: str, value: str) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"\r\n\r\n'
    return (head + value).encode("iso-8859-1")


def posted(name: str, file_name: bytes, content: bytes) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"; '.encode()
    return (
        head + b'filename="' + file_name + b'"\r\nContent-Type: application/pdf\r\n\r\n' + content
    )


USUAL = [field(name, value) for name, value in FIELDS.items()]


def test_annexes_whose_field_has_an_index_are_part_of_the_act(software: Software) -> None:
    files = [MAIN, ("acte_attachments[1]", "b.png", PNG), ("acte_attachments[0]", "a.pdf", PDF)]
    created(software.create(files, **{"type_pj[0]": "99_DE", "type_pj[1]": "21_DO"}))
    assert kept() == [("delib.pdf", "99_DE"), ("a.pdf", "99_DE"), ("b.png", "21_DO")]


@pytest.mark.parametrize("name", ["annexe été.pdf".encode("iso-8859-1"), "annexe été.pdf".encode()])
def test_a_file_named_in_latin_1_or_utf_8_is_part_of_the_act(
    software: Software, name: bytes
) -> None:
    body = [
        *USUAL,
        field("type_pj[]", "99_DE"),
        posted("acte_pdf_file", "délibération.pdf".encode("iso-8859-1"), PDF),
        posted("acte_attachments[]", name, PDF + b"\n% \xe9"),
    ]
    created(raw(software, *body))
    assert [name for name, _ in kept()] == ["délibération.pdf", "annexe été.pdf"]


@pytest.mark.parametrize("block", [1, 7, 64 * 1024])
def test_only_headers_are_read_again_whatever_the_blocks(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(reading, "_BLOCK", block)
    content = b"%PDF \xe9\r\n--fronti\r\n\r\n" + b"\xff" * 3000 + b"\r\n-"
    body = b'--front\r\nname="\xe9"\r\n\r\n%s\r\n--front\r\n\r\nfin\r\n--front--\r\n'
    legible = reading._Legible(io.BytesIO(body.replace(b"%s", content)), b"--front\r\n")
    read = b"".join(iter(legible.read, b""))
    assert read == body.replace(b"\xe9", "é".encode()).replace(b"%s", content)


def test_the_type_chosen_for_the_act_itself_is_kept(software: Software) -> None:
    created(software.create(type_acte="21_DO"))
    assert kept() == [("delib.pdf", "21_DO")]


def test_a_type_of_another_nature_is_refused_for_the_act_itself(software: Software) -> None:
    assert "41_NC" in refused(software.create(type_acte="41_NC"))
    assert not Act.objects.exists()


def test_what_must_be_signed_waits_for_a_person(software: Software) -> None:
    created(software.create(must_signed="1"))
    assert Act.objects.get().state == ActState.DRAFT
    assert not Outbound.objects.exists()


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"objet_bis": "x"}, "objet_bis"),
        ({"broadcast_email[]": "maire@melle.test"}, "broadcast_email[]"),
        ({"batchfile": "12"}, "batchfile"),
        ({"acte_attachments[]": "un texte"}, "acte_attachments[]"),
        ({"type_pj[]": ["99_DE"]}, "type_pj"),
        ({"number": ["A1", "A2"]}, "number"),
        ({"subject": "nul\x00"}, "subject"),
        ({"classif3": "1" * 40}, "classif1"),
        ({"subject": "é" * 5000}, "500"),
    ],
)
def test_what_cannot_be_taken_is_named(
    software: Software, more: dict[str, Any], named: str
) -> None:
    assert named in refused(software.create(**more))
    assert not Act.objects.exists()


@pytest.mark.parametrize(
    ("file", "named"),
    [
        (("acte_pdf_file_sign", "d.p7s", b"0\x80"), "acte_pdf_file_sign"),
        (("acte_attachments_sign[]", "a.p7s", b"0\x80"), "acte_attachments_sign[]"),
        (("piece", "p.pdf", PDF), "piece"),
        (("acte_pdf_file", "deux.pdf", PDF), "acte_pdf_file"),
    ],
)
def test_a_file_that_cannot_be_taken_is_named(
    software: Software, file: tuple[str, str, bytes], named: str
) -> None:
    assert named in refused(software.create([MAIN, file]))
    assert not Act.objects.exists()


def test_what_is_empty_and_useless_is_no_obstacle(software: Software) -> None:
    created(software.create(**{"send_sources": "0", "broadcast_email[]": "", "must_signed": "0"}))


@pytest.mark.parametrize("more", [{}, {"en_attente": "1"}])
def test_the_same_deposit_twice_is_one_act(software: Software, more: dict[str, str]) -> None:
    files = [MAIN, ("acte_attachments[]", "a.pdf", PDF)]
    first, again = (created(software.create(files, **{"type_pj[]": "99_DE"}, **more)) for _ in "ab")
    assert first == again
    assert Act.objects.count() == 1


@pytest.mark.parametrize(
    ("files", "more", "said"),
    [
        ([MAIN], {}, "nombre de fichiers"),
        ([MAIN, ("acte_attachments[]", "a.pdf", PDF + b"\n")], {}, "fichier « a.pdf »"),
        ([MAIN, ("acte_attachments[]", "b.pdf", PDF)], {}, "fichier « b.pdf »"),
        (None, {"type_pj[]": "21_DO"}, "type de « a.pdf »"),
        (None, {"subject": "Autre objet"}, "objet"),
        (None, {"classif2": "3"}, "classification"),
    ],
)
def test_a_deposit_that_differs_is_refused_with_what_differs(
    software: Software, files: Any, more: dict[str, str], said: str
) -> None:
    usual = [MAIN, ("acte_attachments[]", "a.pdf", PDF)]
    created(software.create(usual, **{"type_pj[]": "99_DE"}))
    types = {} if files == [MAIN] else {"type_pj[]": "99_DE"}
    assert said in refused(software.create(files or usual, **{**types, **more}))
    assert Act.objects.count() == 1


def test_an_unforeseen_fault_is_a_line_too(
    software: Software, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenants.api import actes

    monkeypatch.setattr(actes.Create, "facts", lambda self: 1 / 0)
    assert "Erreur interne" in refused(software.create())
