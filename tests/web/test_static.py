"""The style sheet: light, ours, readable, and nothing fetched from elsewhere."""

import re
from pathlib import Path

import pytest
from lxml import html

from socle import web
from socle.web.shell import TINTS

HERE = Path(web.__file__).parent
STATIC = HERE / "static" / "web"
CSS = (STATIC / "socle.css").read_text()
TEMPLATES = sorted((HERE / "templates").rglob("*.html"))
TONES = ("neutral", "progress", "success", "warning", "danger")
WHITE = "#ffffff"

COLOURS = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", CSS))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


TEXT_PAIRS = [
    *(
        (text, ground)
        for text in ("ink", "ink-soft", "link", "pine")
        for ground in ("paper", "sheet")
    ),
    *((text, "pine-pale") for text in ("ink", "pine", "ink-soft")),
    *((tone, f"{tone}-pale") for tone in TONES),
    *((tone, "sheet") for tone in TONES),
    ("warning", "ochre-pale"),
]
WHITE_ON = ["pine", "pine-deep", "danger", *(f"tint-{n}" for n in range(TINTS))]
SHAPE_PAIRS = [
    ("line-strong", "sheet"),
    ("line-strong", "paper"),
    ("focus", "paper"),
    ("focus", "sheet"),
    ("ochre", "pine-deep"),
    ("ochre", "pine"),
]


def test_black_on_white_is_twenty_one_to_one() -> None:
    assert contrast("#000000", WHITE) == pytest.approx(21)


@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_stands_out_from_its_ground(text: str, ground: str) -> None:
    assert contrast(COLOURS[text], COLOURS[ground]) >= 4.5


@pytest.mark.parametrize("ground", WHITE_ON)
def test_white_text_stands_out(ground: str) -> None:
    assert contrast(WHITE, COLOURS[ground]) >= 4.5


@pytest.mark.parametrize(("shape", "ground"), SHAPE_PAIRS)
def test_outlines_and_focus_stand_out(shape: str, ground: str) -> None:
    assert contrast(COLOURS[shape], COLOURS[ground]) >= 3


def test_the_blue_of_the_state_is_not_ours() -> None:
    assert "#000091" not in CSS.lower()
    assert "marianne" not in CSS.lower()


def test_the_style_sheet_weighs_less_than_forty_kilobytes() -> None:
    assert (STATIC / "socle.css").stat().st_size < 40_000


def test_a_first_visit_weighs_less_than_a_hundred_kilobytes() -> None:
    sent = [path for path in STATIC.rglob("*") if path.is_file() and path.suffix != ".txt"]
    assert sum(path.stat().st_size for path in sent) < 100_000


def test_every_colour_used_is_defined() -> None:
    used = set(re.findall(r"var\(--([\w-]+)", CSS))
    defined = set(re.findall(r"--([\w-]+):", CSS))
    assert used <= defined


def test_motion_forced_colours_and_paper_are_thought_of() -> None:
    for query in ("prefers-reduced-motion", "forced-colors: active", "@media print"):
        assert query in CSS


def test_transitions_only_run_for_those_who_accept_them() -> None:
    before, after = CSS.split("@media (prefers-reduced-motion: no-preference)")
    assert "transition" not in before
    assert "transition:" in after


@pytest.mark.parametrize(
    "path",
    [*TEMPLATES, STATIC / "socle.css", STATIC / "socle.js", STATIC / "favicon.svg"],
    ids=lambda path: path.name,
)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    addresses = re.findall(r"https?://[^\s\"')]+", path.read_text())
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_needs_an_exception_to_the_content_policy(path: Path) -> None:
    source = path.read_text()
    assert "<style" not in source
    assert not re.search(r"\s(style|on[a-z]+)=", source)
    assert all("src=" in tag for tag in re.findall(r"<script\b[^>]*>", source))


def test_the_font_carries_its_licence() -> None:
    assert "SIL OPEN FONT LICENSE" in (STATIC / "fonts" / "OFL.txt").read_text()


def test_the_logo_has_no_text_to_translate() -> None:
    logo = html.fromstring((HERE / "templates/web/components/logo.html").read_text())
    assert logo.get("aria-hidden") == "true"
