"""Signed PDFs read as whoever received them would, with pdfsig as another judge."""

import io
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from socle.core import apart
from socle.documents import signatures
from socle.documents.signatures import AlteredPdf, BrokenSignature, UncheckedSignature, read
from socle.documents.sniff import inspect_pdf
from socle.documents.stamp import SignedPdf, stamp
from tests.documents import pdfs, signed_pdfs
from tests.documents.signed_pdfs import mayor, root, sign, signed_by, supplier

PDFSIG = shutil.which("pdfsig")
needs_pdfsig = pytest.mark.skipif(PDFSIG is None, reason="pdfsig manque (poppler-utils)")


def test_a_signature_says_who_when_and_whose_certificate() -> None:
    (one,) = read(signed_by(mayor()), name="délib.pdf", anchors=[root().pem])

    assert (one.signer, one.organisation) == ("Marie Dupont", "Commune de Melle")
    assert (one.issuer, one.day) == ("AC Élus", "20/11/2026 à 11 h 30")
    assert one.known
    assert not one.timestamp
    assert signatures.Signature(**one.kept()) == one


def test_an_authority_nobody_trusts_leaves_the_signature_whole_and_its_signer_unknown() -> None:
    (one,) = read(signed_by(supplier()), name="marché.pdf", anchors=[root().pem])

    assert (one.known, one.trouble) == (False, "NO_CERTIFICATE_CHAIN_FOUND")


def test_without_any_trusted_authority_nobody_is_known() -> None:
    (one,) = read(signed_by(mayor()), name="délib.pdf")

    assert not one.known


def test_an_authority_of_the_list_is_enough_without_its_root() -> None:
    """Trusted lists name the authorities that sign, seldom the roots over them."""
    authority = mayor().issuer
    assert authority is not None

    (one,) = read(signed_by(mayor()), name="délib.pdf", anchors=[authority.pem])

    assert one.known


def test_a_certificate_is_judged_on_the_day_of_the_signature() -> None:
    ended = signed_pdfs.certified("Paul Ancien", by=root(), until=datetime(2025, 6, 1, tzinfo=UTC))
    before, after = datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)
    plain = pdfs.plain(text="ancien")

    (good,) = read(sign(plain, ended, at=before), name="a.pdf", anchors=[root().pem])
    (late,) = read(sign(plain, ended, at=after), name="a.pdf", anchors=[root().pem])

    assert good.known
    assert not late.known
    assert "OUT_OF_BOUNDS" in late.trouble or "EXPIRED" in late.trouble


def test_what_only_adds_is_accepted() -> None:
    """Another signature, long-term proofs, a time-stamp: EN 319 142-1 levels B, LT, LTA."""
    once = signed_by(mayor())
    twice = sign(once, supplier(), field="Signature2")
    proven = signed_pdfs.with_proofs(twice, mayor())
    stamped = signed_pdfs.time_stamped(proven)

    found = read(stamped, name="délib.pdf", anchors=[root().pem])

    assert [(one.signer, one.known, one.timestamp) for one in found] == [
        ("Marie Dupont", True, False),
        ("Jean Martin", False, False),
        ("Horodatage d’essai", True, True),
    ]


def test_an_authority_kept_beside_the_signature_is_part_of_the_chain() -> None:
    """Some software puts nothing but the signer in the signature, the rest in the DSS."""
    bare = sign(pdfs.plain(text="seul"), mayor(), alone=True)
    (unknown,) = read(bare, name="a.pdf", anchors=[root().pem])

    (known,) = read(signed_pdfs.with_proofs(bare, mayor()), name="a.pdf", anchors=[root().pem])

    assert (unknown.known, known.known) == (False, True)


@pytest.mark.parametrize(
    "change",
    [signed_pdfs.touched, signed_pdfs.rewritten_content, signed_pdfs.annotated],
    ids=["a byte", "the words, at the end", "an annotation, at the end"],
)
def test_B07_a_pdf_altered_after_its_signature_is_refused_by_name(
    change: Callable[[bytes], bytes],
) -> None:
    with pytest.raises(AlteredPdf, match=r"« Courrier\.pdf » a été modifié après .* Marie Dupont"):
        read(change(signed_by(mayor())), name="Courrier.pdf", anchors=[root().pem])


def test_B07_the_first_signature_counts_as_much_as_the_last() -> None:
    """Altered, then signed again by somebody else: the last signature is whole, not the first."""
    altered = signed_pdfs.rewritten_content(signed_by(mayor()))

    with pytest.raises(AlteredPdf, match="Marie Dupont"):
        read(sign(altered, supplier(), field="Signature2"), name="c.pdf", anchors=[root().pem])


def test_a_signature_of_another_key_is_refused() -> None:
    with pytest.raises(BrokenSignature, match="Marie Dupont"):
        read(signed_pdfs.foreign_key(mayor()), name="faux.pdf", anchors=[root().pem])


def test_a_signature_without_its_bytes_is_refused() -> None:
    with pytest.raises(UncheckedSignature, match=r"« vide\.pdf »"):
        read(pdfs.with_signature_field(signed=True), name="vide.pdf")


def test_a_reader_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "TIME_LIMIT", 0)
    began = time.monotonic()

    with pytest.raises(UncheckedSignature, match="réessayez dans quelques minutes"):
        read(signed_by(mayor()), name="lent.pdf")
    assert time.monotonic() - began < 5


def test_a_pdf_that_asks_for_too_much_memory_is_refused_not_fatal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    greedy = apart.Reader("tests.core.reader", memory=256 * 1024**2)
    monkeypatch.setattr(signatures, "_READER", greedy)

    with pytest.raises(UncheckedSignature):
        signatures._checked(io.BytesIO(b"fill memory"), name="gros.pdf", anchors=[])


@pytest.mark.slow
def test_a_heavy_signed_pdf_is_read_in_seconds_and_left_at_its_start() -> None:
    """As heavy as @CTES takes: what limits memory must not refuse it."""
    heavy = io.BytesIO(sign(pdfs.heavy(140), mayor()))

    (one,) = read(heavy, name="gros.pdf", anchors=[root().pem])

    assert one.known
    assert heavy.tell() == 0


# Stamping.


def test_no_stamp_is_printed_on_a_signed_pdf() -> None:
    with pytest.raises(SignedPdf, match=r"« signé\.pdf » porte une signature"):
        stamp(signed_by(mayor()), lines=["Accusé"], name="signé.pdf")


@needs_pdfsig
def test_pdfsig_finds_what_we_find_whole(tmp_path: Path) -> None:
    said = judged(sign(signed_by(mayor()), supplier(), field="Signature2"), tmp_path)

    assert said.count("Signature is Valid") == 2
    assert "Marie Dupont" in said


@needs_pdfsig
def test_pdfsig_refuses_a_changed_byte(tmp_path: Path) -> None:
    assert "Digest Mismatch" in judged(signed_pdfs.touched(signed_by(mayor())), tmp_path)


@needs_pdfsig
def test_pdfsig_no_longer_finds_the_whole_document_signed_once_stamped_at_its_end(
    tmp_path: Path,
) -> None:
    """Why nothing is added to a signed file: its bytes hold, the document is said to go beyond."""
    before, after = signed_by(mayor()), signed_pdfs.annotated(signed_by(mayor()))

    assert "Total document signed" in judged(before, tmp_path)
    assert "Not total document signed" in judged(after, tmp_path)


def judged(pdf: bytes, folder: Path) -> str:
    """What pdfsig (poppler) says of the signatures; the certificates are another matter."""
    path = folder / "judged.pdf"
    path.write_bytes(pdf)
    assert inspect_pdf(pdf).signed
    command = [PDFSIG or "pdfsig", "-nocert", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
