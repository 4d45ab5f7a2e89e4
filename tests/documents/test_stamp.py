import io

import pikepdf
import pytest
from PIL import ImageChops, ImageStat

from socle.documents import sniff
from socle.documents.stamp import Corner, SignedPdf, stamp
from tests.documents import pdfs

LINES = (
    "AR Préfecture",
    "079-217901743-20260109-2026_012-DE",
    "Reçu en préfecture le 12/01/2026",
)
PORTRAIT, LANDSCAPE = (595, 842), (842, 595)
MARGIN = 22


def turned(size: tuple[int, int], turn: int, *, shifted: bool = False) -> bytes:
    """A blank page of `size`, shown turned; `shifted`: its visible part does not begin at 0."""
    with pikepdf.open(io.BytesIO(pdfs.plain(size=size))) as pdf:
        page = pdf.pages[0]
        page.rotate(turn, relative=False)
        if shifted:
            width, height = size
            page.mediabox = [-250, 80, width + 120, height + 400]
            page.cropbox = [-200, 100, width - 200, height + 100]
        return pdfs.saved(pdf)


def gaps(pdf: bytes) -> dict[str, int]:
    """Points between the ink of the first page and each edge of the page as shown."""
    image = pdfs.picture(pdf)
    left, top, right, bottom = pdfs.ink(image)
    return {
        "left": left,
        "top": top,
        "right": image.width - right,
        "bottom": image.height - bottom,
    }


@pytest.mark.parametrize("corner", list(Corner))
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("shifted", [False, True], ids=["", "shifted"])
@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE], ids=["portrait", "landscape"])
def test_the_stamp_stands_in_its_corner_of_the_page_as_shown(
    size: tuple[int, int], shifted: bool, turn: int, corner: Corner
) -> None:
    stamped = stamp(turned(size, turn, shifted=shifted), lines=LINES, corner=corner)

    edges = gaps(stamped)
    near, far = set(corner.value.split("-")), {"left", "right", "top", "bottom"}
    assert all(abs(edges[edge] - MARGIN) <= 2 for edge in near), edges
    assert all(edges[edge] > 200 for edge in far - near), edges


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_the_stamp_reads_upright_whatever_the_rotation(turn: int) -> None:
    pictures = [
        pdfs.picture(stamp(turned(PORTRAIT, each, shifted=each > 0), lines=LINES))
        for each in (0, turn)
    ]
    upright, other = (image.crop(pdfs.ink(image)).resize((190, 42)) for image in pictures)

    assert ImageStat.Stat(ImageChops.difference(upright, other)).mean[0] < 8


def test_two_stamps_stand_side_by_side() -> None:
    once = stamp(pdfs.plain(), lines=LINES)

    twice = stamp(once, lines=("Publié le 13/01/2026",), corner=Corner.TOP_LEFT)

    assert "Publié le 13/01/2026" in pdfs.words(twice)
    assert LINES[1] in pdfs.words(twice)


def test_every_page_is_stamped_and_its_words_can_be_searched() -> None:
    stamped = stamp(pdfs.plain(3, text="Article premier"), lines=LINES)

    for page in range(3):
        text = pdfs.words(stamped, page)
        assert "Article premier" in text
        for line in LINES:
            assert line in text


def test_the_drawing_is_shared_by_all_pages() -> None:
    ten, fifty = (stamp(pdfs.plain(pages), lines=LINES) for pages in (10, 50))
    grown = len(fifty) - len(ten) - (len(pdfs.plain(50)) - len(pdfs.plain(10)))

    assert grown < 40 * 600


def test_a_page_that_leaves_its_drawing_upside_down_does_not_move_the_stamp() -> None:
    with pikepdf.open(io.BytesIO(pdfs.plain())) as pdf:
        pdf.pages[0].contents_add(b"q 1 0 0 -1 0 842 cm q 0.2 0 0 0.2 0 0 cm")
        unbalanced = pdfs.saved(pdf)

    assert gaps(stamp(unbalanced, lines=LINES)) == gaps(stamp(pdfs.plain(), lines=LINES))


def test_a_page_scaled_by_its_user_unit_gets_a_stamp_of_the_same_printed_size() -> None:
    with pikepdf.open(io.BytesIO(pdfs.plain())) as pdf:
        pdf.pages[0].obj.UserUnit = 2
        scaled = pdfs.saved(pdf)

    def size(pdf: bytes) -> tuple[int, int]:
        left, top, right, bottom = pdfs.ink(pdfs.picture(pdf))
        return right - left, bottom - top

    width, height = size(stamp(pdfs.plain(), lines=LINES))
    inner_width, inner_height = size(stamp(scaled, lines=LINES))
    assert abs(inner_width * 2 - width) <= 3
    assert abs(inner_height * 2 - height) <= 3


def test_the_stamp_shrinks_to_stay_on_a_tiny_page() -> None:
    edges = gaps(stamp(pdfs.plain(size=(120, 60)), lines=LINES))

    assert min(edges.values()) >= 2


def test_exercise_is_written_across_the_page() -> None:
    stamped = stamp(pdfs.plain(), lines=LINES, exercise=True)
    image = pdfs.picture(stamped)
    left, top, right, bottom = pdfs.ink(image.crop((0, 150, 595, 842)))

    assert "EXERCICE" in pdfs.words(stamped).replace("\r", "").replace("\n", "")
    assert right - left > 300
    assert bottom - top > 300


def test_exercise_alone_needs_no_line() -> None:
    assert "EXERCICE" in pdfs.words(stamp(pdfs.plain(), lines=(), exercise=True))


def test_a_signed_pdf_is_refused_since_stamping_would_break_its_signature() -> None:
    with pytest.raises(SignedPdf, match=r"« marché\.pdf » porte une signature"):
        stamp(pdfs.with_signature_field(signed=True), lines=LINES, name="marché.pdf")


def test_an_empty_signature_field_does_not_prevent_the_stamp() -> None:
    assert stamp(pdfs.with_signature_field(signed=False), lines=LINES)


def test_a_protected_pdf_is_refused() -> None:
    with pytest.raises(sniff.LockedPdf):
        stamp(pdfs.locked(), lines=LINES)


def test_the_stamped_copy_is_sound_and_the_same_each_time() -> None:
    original = pdfs.plain(2)

    stamped = stamp(io.BytesIO(original), lines=LINES)

    assert sniff.inspect_pdf(stamped).pages == 2
    assert stamped == stamp(original, lines=LINES)
