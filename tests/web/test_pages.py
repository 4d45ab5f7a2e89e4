"""Whole pages: the living guide, and those nobody wants to see."""

from collections import Counter
from itertools import pairwise

import pytest
from django.http import HttpRequest
from django.template.loader import get_template, render_to_string
from lxml import html

from socle.web import guide

GUIDE = "web/guide.html"


@pytest.fixture
def shown(request_of_nathalie: HttpRequest) -> html.HtmlElement:
    return html.fromstring(render_to_string(GUIDE, guide.context(), request_of_nathalie))


def test_no_identifier_of_the_guide_is_used_twice(shown: html.HtmlElement) -> None:
    assert [key for key, times in Counter(shown.xpath("//@id")).items() if times > 1] == []


def test_every_reference_of_the_guide_leads_somewhere(shown: html.HtmlElement) -> None:
    keys = " ".join(shown.xpath("//@aria-labelledby | //@aria-controls")).split()
    assert [key for key in keys if not shown.xpath(f"//*[@id='{key}']")] == []


def test_the_guide_has_one_main_heading_and_skips_no_level(shown: html.HtmlElement) -> None:
    levels = [int(heading.tag[1]) for heading in shown.xpath("//h1|//h2|//h3|//h4")]
    assert levels.count(1) == 1
    assert max(later - sooner for sooner, later in pairwise(levels)) <= 1


def test_nothing_of_the_guide_is_escaped_twice(shown: html.HtmlElement) -> None:
    assert "<span" not in shown.text_content()
    assert "&amp;" not in shown.text_content()


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_pages_django_renders_without_context_stand_alone(name: str) -> None:
    page = html.fromstring(get_template(name).render())
    assert page.get("lang") == "fr"
    assert page.xpath("//link[@rel='stylesheet']/@href") == ["/static/web/socle.css"]
    assert page.xpath("//main//a/@href") == ["/"]


@pytest.mark.parametrize("name", ["403.html", "403_csrf.html", "404.html", "web/errors/429.html"])
def test_refusals_say_what_to_do_to_anybody(name: str, anonymous: HttpRequest) -> None:
    page = html.fromstring(render_to_string(name, {}, anonymous))
    assert page.findtext(".//h1")
    assert page.findtext(".//p[@class='lead']")


def test_a_refusal_with_its_own_sentence_shows_it(anonymous: HttpRequest) -> None:
    page = render_to_string("403.html", {"exception": "Demandez l'accès au maire."}, anonymous)
    assert "Demandez l&#x27;accès au maire." in page


def test_the_accessibility_statement_says_how_to_complain(anonymous: HttpRequest) -> None:
    assert "Défenseur des droits" in render_to_string("web/accessibility.html", {}, anonymous)
