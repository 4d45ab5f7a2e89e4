"""What surrounds a screen: where one is, as whom, and where one may go."""

from django.http import HttpRequest

from socle.web import shell
from socle.web.items import Link
from tests.web.conftest import Render

PAGE = '{% extends "web/page.html" %}{% block title %}Actes{% endblock %}'


def test_initials_skip_the_words_every_commune_shares() -> None:
    assert shell.initials("Commune de Melle") == "ME"
    assert shell.initials("Commune de Celles-sur-Belle") == "CB"
    assert shell.initials("Commune de L'Absie") == "AB"


def test_initials_of_nothing_but_little_words_still_exist() -> None:
    assert shell.initials("La Commune") == "LC"
    assert shell.initials("") == "?"


def test_a_name_always_has_the_same_colour() -> None:
    assert shell.tint("Melle") == shell.tint("MELLE")


def test_eight_communes_of_one_person_have_eight_colours() -> None:
    places = shell.places_of(Link(label=f"Commune {n}", url="/") for n in range(8))
    assert {place.tint for place in places} == set(range(shell.TINTS))


def test_a_ninth_commune_is_coloured_all_the_same() -> None:
    places = shell.places_of(Link(label=f"Commune {n}", url="/") for n in range(9))
    assert places[8].tint in range(shell.TINTS)


def test_the_title_names_the_organisation(render: Render, request_of_nathalie: HttpRequest) -> None:
    page = render(PAGE, request_of_nathalie)
    assert page.findtext(".//title") == "Actes · Commune de Melle · Socle"


def test_the_page_is_french_and_its_first_link_skips_to_the_content(
    render: Render, request_of_nathalie: HttpRequest
) -> None:
    page = render(PAGE, request_of_nathalie)
    first = page.find(".//body//a")
    assert page.get("lang") == "fr"
    assert page.get_element_by_id(first.get("href").removeprefix("#")).tag == "main"


def test_the_switcher_lists_every_place_and_marks_the_current_one(
    render: Render, request_of_nathalie: HttpRequest
) -> None:
    links = render(PAGE, request_of_nathalie).xpath("//details[contains(@class, 'place')]//a")
    assert [link.get("href") for link in links] == [
        "//melle.test/",
        "//celles.test/",
        "//lezay.test/",
    ]
    assert [link.get("aria-current") for link in links] == ["true", None, None]


def test_a_single_place_needs_no_switcher(render: Render, request_of_nathalie: HttpRequest) -> None:
    request_of_nathalie.places = request_of_nathalie.places[:1]  # type: ignore[attr-defined]
    page = render(PAGE, request_of_nathalie)
    assert not page.xpath("//details[contains(@class, 'place')]")
    assert "Commune de Melle" in page.find(".//header").text_content()


def test_without_a_current_place_one_is_in_the_portal(
    render: Render, request_of_nathalie: HttpRequest
) -> None:
    request_of_nathalie.places = []  # type: ignore[attr-defined]
    header = render(PAGE, request_of_nathalie).find(".//header")
    assert "Portail du syndicat" in header.text_content()


def test_logging_out_is_a_post(render: Render, request_of_nathalie: HttpRequest) -> None:
    form = render(PAGE, request_of_nathalie).xpath("//header//form")[0]
    assert (form.method, form.action) == ("POST", "/a/sortie/")
    assert form.fields["csrfmiddlewaretoken"]


def test_every_page_leads_to_the_accessibility_statement(
    render: Render, anonymous: HttpRequest
) -> None:
    link = render(PAGE, anonymous).xpath("//footer//a[@href='/accessibilite/']")
    assert link[0].text == "Accessibilité : non conforme"


def test_the_current_entry_of_the_menu_is_announced(
    render: Render, request_of_nathalie: HttpRequest
) -> None:
    current = render(PAGE, request_of_nathalie).xpath("//nav[@id='navigation']//a[@aria-current]")
    assert [" ".join(link.text_content().split()) for link in current] == ["Actes 3 à traiter"]


def test_the_exercise_says_so_on_every_page(
    render: Render, request_of_nathalie: HttpRequest
) -> None:
    assert "EXERCICE" not in render(PAGE, request_of_nathalie).text_content()
    request_of_nathalie.demo = True  # type: ignore[attr-defined]
    assert "EXERCICE" in render(PAGE, request_of_nathalie).text_content()


def test_an_anonymous_page_shows_neither_menu_nor_account(
    render: Render, anonymous: HttpRequest
) -> None:
    page = render('{% extends "web/plain.html" %}', anonymous)
    assert not page.xpath("//nav | //details")


def test_the_full_shell_stands_an_anonymous_request(render: Render, anonymous: HttpRequest) -> None:
    assert render(PAGE, anonymous).findtext(".//title") == "Actes · Socle"


def test_a_lead_starts_with_a_capital_whatever_its_count(render: Render) -> None:
    lead = '{% load socle %}{% block lead %}{{ n|compte:"acte,actes,aucun acte" }}{% endblock %}'
    assert render(PAGE + lead, n=0).findtext(".//p[@class='lead']") == "Aucun acte"
