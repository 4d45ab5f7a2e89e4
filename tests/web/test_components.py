"""What each component promises to the eye and to the ear."""

from datetime import UTC, datetime

import pytest
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.template import TemplateSyntaxError

from socle.web import charts, guide
from socle.web.items import Step, Todo
from socle.web.templatetags.socle import TONES
from tests.web.conftest import Render


@pytest.mark.parametrize("tone", TONES)
def test_a_badge_is_never_colour_alone(render: Render, tone: str) -> None:
    badge = render('{% badge "Acquitté" tone %}', tone=tone).find("span")
    assert badge.text_content() == "Acquitté"
    assert badge.find("svg").get("aria-hidden") == "true"
    assert f"badge-{tone}" in badge.classes


def test_tones_are_told_apart_by_their_icon() -> None:
    assert len(set(TONES.values())) == len(TONES)


def test_an_unknown_tone_is_a_fault_of_the_template(render: Render) -> None:
    with pytest.raises(TemplateSyntaxError, match="'purple' is none of"):
        render('{% badge "Acquitté" "purple" %}')


def test_a_badge_escapes_what_it_shows(render: Render) -> None:
    assert not render("{% badge text %}", text="<b>x</b>").xpath("//b")


def test_an_icon_that_means_something_has_a_name(render: Render) -> None:
    icon = render('{% icon "lock" "Scellé" %}').find("svg")
    assert (icon.get("role"), icon.get("aria-label")) == ("img", "Scellé")


TABLE = """{% table "Factures" "Objet" "#Montant" %}
<tr><th scope="row">Cotisation</th><td class="nowrap">12</td></tr>{% endtable %}"""


def test_each_cell_carries_the_label_of_its_column(render: Render) -> None:
    cells = render(TABLE).xpath("//tbody/tr/*")
    assert [cell.get("data-label") for cell in cells] == ["Objet", "Montant"]


def test_cells_keep_their_roles_when_the_table_folds(render: Render) -> None:
    table = render(TABLE)
    assert [cell.get("role") for cell in table.xpath("//tbody/tr/*")] == ["rowheader", "cell"]
    assert table.xpath("//tbody/tr/@role") == ["row"]


def test_a_numeric_column_is_announced_by_a_hash_nobody_sees(render: Render) -> None:
    table = render(TABLE)
    assert table.xpath("//*[@data-numeric]/text()") == ["Montant", "12"]


def test_a_cell_keeps_its_own_attributes(render: Render) -> None:
    assert render(TABLE).xpath("//tbody//td/@class") == ["nowrap"]


def test_a_table_is_named_by_its_caption(render: Render) -> None:
    table = render(TABLE)
    frame = table.xpath("//*[@role='region']")[0]
    assert table.get_element_by_id(frame.get("aria-labelledby")).text == "Factures"


def test_a_cell_without_heading_is_a_fault_of_the_template(render: Render) -> None:
    with pytest.raises(ValueError, match="no heading"):
        render('{% table "T" "Un" %}<tr><td>1</td><td>2</td></tr>{% endtable %}')


def test_pages_keep_the_filters_of_the_query_string(render: Render, anonymous: HttpRequest) -> None:
    page = Paginator(range(60), 20).page(2)
    links = render("{% pagination page %}", anonymous, page=page).xpath("//a/@href")
    assert links == ["?q=cantine&page=1", "?q=cantine&page=3"]


def test_the_first_page_has_no_previous_one(render: Render, anonymous: HttpRequest) -> None:
    page = Paginator(range(60), 20).page(1)
    nav = render("{% pagination page %}", anonymous, page=page)
    assert nav.xpath("//a/@rel") == ["next"]
    assert nav.findtext(".//p") == "Page 1 sur 3"


def test_a_single_page_shows_no_pagination(render: Render, anonymous: HttpRequest) -> None:
    page = Paginator(range(3), 20).page(1)
    assert not render("{% pagination page %}", anonymous, page=page).xpath("//nav")


CHART = '{% bar_chart "Actes" rows unit="actes" target=40 label="Commune" value="Envoyés" %}'


def test_a_chart_is_said_and_tabulated_as_well_as_drawn(render: Render) -> None:
    chart = render(CHART, rows=[("Melle", 62), ("Lezay", 21)])
    picture = chart.find(".//svg")
    named = [chart.get_element_by_id(key) for key in picture.get("aria-labelledby").split()]
    assert [element.tag for element in named] == ["title", "desc"]
    assert "Melle : 62\u00a0actes ; Lezay : 21\u00a0actes." in named[1].text
    assert chart.xpath("//tbody/tr/th/text()") == ["Melle", "Lezay"]
    assert chart.xpath("//thead//th/text()") == ["Commune", "Envoyés"]


def test_the_longest_bar_is_full_and_the_others_are_in_proportion() -> None:
    bars = charts.draw([("a", 50), ("b", 25), ("c", 0)]).bars
    assert [bar.width for bar in bars] == ["100.00%", "50.00%", "0.00%"]


def test_a_target_above_every_value_sets_the_scale() -> None:
    chart = charts.draw([("a", 35)], target=70)
    assert (chart.bars[0].width, chart.target) == ("50.00%", "100.00%")


def test_the_unit_of_a_chart_agrees_with_its_number() -> None:
    bars = charts.draw([("a", 0), ("b", 1), ("c", 2)], unit="dossier,dossiers").bars
    assert [bar.written for bar in bars] == [
        "0\N{NO-BREAK SPACE}dossier",
        "1\N{NO-BREAK SPACE}dossier",
        "2\N{NO-BREAK SPACE}dossiers",
    ]
    assert charts.written(2, "€") == "2\N{NO-BREAK SPACE}€"


def test_a_chart_of_nothing_says_so() -> None:
    assert charts.draw([]).description == "Aucune donnée."


def test_a_chart_of_zeros_has_empty_bars() -> None:
    assert charts.draw([("a", 0)]).bars[0].width == "0.00%"


def test_a_negative_value_has_no_bar() -> None:
    with pytest.raises(ValueError, match="negative"):
        charts.draw([("a", -1)])


def test_what_is_done_leaves_the_list_of_things_to_do(render: Render) -> None:
    items = [
        Todo(count=0, sentence="réponses", url="/r/", button="Lire"),
        Todo(count=1, sentence="acte refusé", url="/a/", button="Corriger"),
    ]
    assert render("{% todo items %}", items=items).xpath("//a/@href") == ["/a/"]


def test_nothing_to_do_is_good_news(render: Render) -> None:
    assert "tout est à jour" in render("{% todo items %}", items=[]).text_content()


def test_a_step_says_its_state_in_words(render: Render) -> None:
    steps = [Step(label="Convention", state="blocked", owner="Préfecture")]
    said = render("{% steps steps %}", steps=steps).text_content()
    assert "Bloqué" in said
    assert "Préfecture" in said


def test_only_the_step_under_way_is_current(render: Render) -> None:
    current = render("{% steps steps %}", steps=guide.steps()).xpath("//li[@aria-current='step']")
    assert len(current) == 1


def test_a_history_dates_each_event_for_machines_too(render: Render) -> None:
    times = render("{% timeline events %}", events=guide.events()).xpath("//time/@datetime")
    assert times[1] == "2026-11-24T14:05:00+01:00"


def test_an_empty_value_is_said_in_a_summary(render: Render) -> None:
    shown = render('{% summary %}{% row "Téléphone" %} {{ phone }} {% endrow %}{% endsummary %}')
    assert shown.findtext(".//dd/span") == "non renseigné"


def test_a_summary_escapes_values_and_keeps_components(render: Render) -> None:
    source = '{% summary %}{% row "A" %}{{ a }}{% badge "B" %}{% endrow %}{% endsummary %}'
    value = render(source, a="<i>x</i>").find(".//dd")
    assert [child.tag for child in value] == ["span"]
    assert value.text == "<i>x</i>"


def test_a_confirmation_names_the_organisation(
    render: Render, request_of_nathalie: HttpRequest
) -> None:
    panel = render('{% confirm "Sûr ?" "Oui" %}{% endconfirm %}', request_of_nathalie)
    assert panel.findtext(".//strong") == "Commune de Melle"
    assert panel.xpath("//input[@name='csrfmiddlewaretoken']/@value")


def test_the_confirmation_has_the_colour_of_the_header(
    render: Render, request_of_nathalie: HttpRequest
) -> None:
    source = (
        '{% extends "web/page.html" %}{% block content %}{% confirm "?" "Oui" %}{% endconfirm %}'
    )
    page = render(source + "{% endblock %}", request_of_nathalie)
    tint = next(name for name in page.find(".//header").classes if name.startswith("tint-"))
    assert tint in page.xpath("//p[@class='confirm-place']/span")[0].classes


def test_a_progress_bar_takes_plain_numbers_whatever_the_language(render: Render) -> None:
    bar = render('{% progress 1200 1500 "1 200 sur 1 500" %}').find(".//progress")
    assert (bar.get("value"), bar.get("max")) == ("1200", "1500")


def test_a_download_link_names_its_file(render: Render) -> None:
    row = render('{% file_row "acte.pdf" 12400000 url="/f/1" digest=digest %}', digest="ab" * 32)
    assert row.find(".//a").text_content().split() == ["Télécharger", "acte.pdf"]
    assert row.findtext(".//code") == "abababababab…"


def test_a_breadcrumb_ends_on_the_page_itself(render: Render) -> None:
    trail = render('{% breadcrumb "Actes" "/actes/" "Dépôt" %}')
    assert trail.xpath("//a/@href") == ["/actes/"]
    assert trail.xpath("//li[@aria-current='page']/text()") == ["Dépôt"]


def test_messages_that_need_attention_interrupt(render: Render) -> None:
    class Message(str):
        level_tag = ""

    refused, done = Message("Refusé"), Message("Envoyé")
    refused.level_tag, done.level_tag = "error", "success"
    shown = render('{% include "web/components/messages.html" %}', messages=[refused, done])
    assert shown.xpath("//div/@role") == ["alert", "status"]


def test_filters_write_nothing_for_what_is_unknown(render: Render) -> None:
    source = "{{ x|euros }}{{ x|siren }}{{ x|octets }}{{ x|jour }}{{ x|instant }}{{ x|nombre }}"
    assert render(source, x=None).text_content() == ""


def test_filters_are_written_as_the_screens_write_them(render: Render) -> None:
    source = "{{ n|compte:'acte,actes' }} | {{ at|instant }}"
    said = render(source, n=2, at=datetime(2026, 11, 24, 13, 5, tzinfo=UTC)).text_content()
    assert said.replace("\u00a0", " ") == "2 actes | 24/11/2026 à 14 h 05"
