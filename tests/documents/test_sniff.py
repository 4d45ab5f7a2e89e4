import io
import zipfile
from contextlib import nullcontext
from typing import Any

import pikepdf
import pytest

from socle.core.refusals import Refusal
from socle.documents import sniff
from socle.documents.sniff import Kind
from tests.documents import pdfs
from tests.field import sample

MEBIBYTE = 1024 * 1024


def zipped(*entries: str, first: tuple[str, bytes] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in [first] if first else []:
            archive.writestr(name, content)
        for name in entries:
            archive.writestr(name, b"<x/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", Kind.EMPTY),
        (pdfs.plain(), Kind.PDF),
        (b"\xef\xbb\xbf junk from a mail\n" + pdfs.plain(), Kind.PDF),
        (b" " * 1024 + b"%PDF-1.4", Kind.UNKNOWN),
        (b"\xff\xd8\xff\xe0JFIF", Kind.JPEG),
        (b"\x89PNG\r\n\x1a\n....", Kind.PNG),
        (b'<?xml version="1.0"?><a/>', Kind.XML),
        (b"\xef\xbb\xbf  <PES_Aller/>", Kind.XML),
        ("<?xml version='1.0'?><a/>".encode("utf-16"), Kind.XML),
        (b"<html><body>", Kind.UNKNOWN),
        (b"<!DOCTYPE html>", Kind.UNKNOWN),
        (zipped("a.txt"), Kind.ZIP),
        (zipped("[Content_Types].xml", "word/document.xml"), Kind.DOCX),
        (zipped("content.xml", first=("mimetype", Kind.ODT.encode())), Kind.ODT),
        (b"Bonjour", Kind.UNKNOWN),
    ],
)
def test_a_file_is_known_by_its_content(content: bytes, kind: Kind) -> None:
    assert sniff.sniff(content) is kind


def test_a_stream_is_left_at_its_start() -> None:
    stream = io.BytesIO(pdfs.plain())
    stream.seek(10)

    sniff.check_pdf(stream, name="a.pdf", limit=MEBIBYTE)

    assert stream.tell() == 0


def test_the_facts_of_a_plain_pdf() -> None:
    facts = sniff.inspect_pdf(pdfs.plain(3))

    assert (facts.pages, facts.encrypted, facts.signed, facts.landscape) == (3, False, False, False)
    assert facts.version.startswith("1.")


@pytest.mark.parametrize(
    ("size", "turn", "landscape"),
    [
        ((595, 842), 0, False),
        ((595, 842), 90, True),
        ((842, 595), 0, True),
        ((842, 595), 270, False),
    ],
)
def test_landscape_is_what_the_reader_sees(
    size: tuple[int, int], turn: int, landscape: bool
) -> None:
    with pikepdf.open(io.BytesIO(pdfs.plain(size=size))) as pdf:
        pdf.pages[0].rotate(turn, relative=False)
        turned = pdfs.saved(pdf)

    assert sniff.inspect_pdf(turned).landscape is landscape


@pytest.mark.parametrize("signed", [True, False])
def test_only_a_filled_signature_field_is_a_signature(signed: bool) -> None:
    assert sniff.inspect_pdf(pdfs.with_signature_field(signed=signed)).signed is signed


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(sniff.EmptyFile, match=r"« délib\.pdf » est vide"):
        sniff.check_pdf(b"", name="délib.pdf", limit=MEBIBYTE)


def test_a_file_at_the_limit_passes_and_one_byte_more_does_not() -> None:
    content = pdfs.plain()

    sniff.check_pdf(content, name="a.pdf", limit=len(content))
    with pytest.raises(sniff.FileTooBig, match="plus que les 2 Ko acceptés"):
        sniff.check_pdf(content + b"\n" * 2048, name="a.pdf", limit=2048)


def test_sizes_are_written_in_french() -> None:
    with pytest.raises(sniff.FileTooBig, match="pèse 2,1 Mo, plus que les 2 Mo"):
        sniff.check_pdf(b"x" * (2 * MEBIBYTE + 1), name="a.pdf", limit=2 * MEBIBYTE)


def test_a_picture_called_pdf_is_named_for_what_it_is() -> None:
    with pytest.raises(sniff.WrongKind, match=r"« scan\.pdf » n’est pas un PDF mais une image"):
        sniff.check_pdf(b"\xff\xd8\xff\xe0JFIF", name="scan.pdf", limit=MEBIBYTE)


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.95])
def test_a_truncated_pdf_is_refused(keep: float) -> None:
    content = pdfs.plain(5)

    with pytest.raises(sniff.UnreadablePdf, match="exportez-le de nouveau en PDF"):
        sniff.check_pdf(content[: int(len(content) * keep)], name="délib.pdf", limit=MEBIBYTE)


def test_a_pdf_whose_middle_was_lost_is_refused() -> None:
    content = pdfs.plain(5)
    cut = content[:200] + content[400:]

    with pytest.raises(sniff.UnreadablePdf):
        sniff.check_pdf(cut, name="délib.pdf", limit=MEBIBYTE)


def test_a_pdf_without_page_is_refused() -> None:
    with pytest.raises(sniff.UnreadablePdf):
        sniff.check_pdf(pdfs.saved(pikepdf.new()), name="vide.pdf", limit=MEBIBYTE)


@pytest.mark.parametrize("user", ["", "secret"])
def test_a_protected_pdf_is_refused_with_or_without_password(user: str) -> None:
    with pytest.raises(sniff.LockedPdf, match="retirez la protection"):
        sniff.check_pdf(pdfs.locked(user=user), name="délib.pdf", limit=MEBIBYTE)


def test_form_fields_in_a_circle_are_refused_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sniff, "MAX_FORM_FIELDS", 50)
    with pikepdf.open(io.BytesIO(pdfs.plain())) as pdf:
        field = pdf.make_indirect(pikepdf.Dictionary(T="a"))
        field.Kids = [field]
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[field])
        circular = pdfs.saved(pdf)

    with pytest.raises(sniff.UnreadablePdf):
        sniff.inspect_pdf(circular)


def test_too_many_pages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sniff, "MAX_PAGES", 2)

    with pytest.raises(sniff.TooManyPages, match="compte 3 pages"):
        sniff.check_pdf(pdfs.plain(3), name="a.pdf", limit=MEBIBYTE)


def test_a_file_of_an_accepted_kind_passes() -> None:
    kind = sniff.check_file(
        b"\x89PNG\r\n\x1a\n", name="plan.png", allowed={Kind.PDF, Kind.PNG}, limit=MEBIBYTE
    )

    assert kind is Kind.PNG


def test_another_kind_is_refused_with_those_accepted() -> None:
    expected = (
        "est une archive ZIP, .*fournissez plutôt un document PDF, une image JPEG ou une image"
    )
    with pytest.raises(sniff.WrongKind, match=expected):
        sniff.check_file(
            zipped("a"), name="a.pdf", allowed={Kind.PNG, Kind.PDF, Kind.JPEG}, limit=MEBIBYTE
        )


def test_an_accepted_pdf_is_opened_too() -> None:
    with pytest.raises(sniff.LockedPdf):
        sniff.check_file(pdfs.locked(), name="a.pdf", allowed={Kind.PDF}, limit=MEBIBYTE)


def test_every_refusal_is_one_french_sentence() -> None:
    cases = [b"", b"x" * 5000, b"GIF89a", pdfs.plain()[:700], pdfs.locked()]
    for content in cases:
        with pytest.raises(Refusal) as caught:
            sniff.check_pdf(content, name="a.pdf", limit=4000)
        sentence = str(caught.value)
        assert sentence.startswith("Le fichier « a.pdf »")
        assert sentence.endswith(".")
        assert ". " not in sentence.replace("a.pdf", "")
        assert caught.value.code.startswith("documents.")


@pytest.mark.parametrize("padding", [b"\0" * 1000, b"\0" * 4845, b" \r\n" * 9000, b"\0"])
def test_what_a_copier_writes_after_the_end_is_no_fault(padding: bytes) -> None:
    content = pdfs.plain() + padding
    assert sniff.check_pdf(content, name="scan.pdf", limit=10**7).pages == 1
    assert sniff.check_pdf(io.BytesIO(content), name="scan.pdf", limit=10**7).pages == 1


@pytest.mark.parametrize("padding", [b"", b"\0" * 4845])
def test_a_cut_pdf_is_refused_padded_or_not(padding: bytes) -> None:
    with pytest.raises(sniff.UnreadablePdf):
        sniff.check_pdf(pdfs.plain()[:-60] + padding, name="scan.pdf", limit=10**7)


def _with(**root: Any) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdfs.plain())) as pdf:
        for key, value in root.items():
            pdf.Root[f"/{key}"] = value
        pdf.save(out)
    return out.getvalue()


def _action(kind: str) -> pikepdf.Dictionary:
    return pikepdf.Dictionary(S=pikepdf.Name(kind), JS=pikepdf.String("app.alert(1)"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            _with(
                AcroForm=pikepdf.Dictionary(XFA=pikepdf.Array(), Fields=pikepdf.Array()),
                NeedsRendering=True,
            ),
            "XFA",
        ),
        (_with(Collection=pikepdf.Dictionary()), "portefeuille"),
        (_with(OpenAction=_action("/JavaScript")), "JavaScript"),
        (_with(OpenAction=_action("/Launch")), "lance un logiciel"),
        (_with(Names=pikepdf.Dictionary(JavaScript=pikepdf.Dictionary())), "JavaScript"),
    ],
)
def test_a_pdf_that_acts_or_hides_its_pages_is_refused_by_name(content: bytes, said: str) -> None:
    with pytest.raises(sniff.TrappedPdf, match=said):
        sniff.check_pdf(content, name="formulaire.pdf", limit=10**7)


def test_a_form_that_also_has_pages_is_an_ordinary_pdf() -> None:
    form = pikepdf.Dictionary(XFA=pikepdf.Array(), Fields=pikepdf.Array())
    assert not sniff.inspect_pdf(_with(AcroForm=form)).trap


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("pdf_trailing_1000.pdf", None),
        ("pdf_trailing_4845.pdf", None),
        ("pdf_xfa_dynamic.pdf", sniff.TrappedPdf),
    ],
)
def test_pdfs_of_the_field(name: str, refusal: type[Exception] | None) -> None:
    content = sample(f"field/{name}")
    with pytest.raises(refusal) if refusal else nullcontext():
        sniff.check_pdf(content, name=name, limit=10**7)
