"""How a form speaks: label, hint, error, each tied to its field."""

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict

from socle.web.forms import MEGA, DateInput, FileField, FilesField
from socle.web.guide import SampleFilters, SampleForm
from tests.web.conftest import Render

SMALL = 10


class Files(forms.Form):
    act = FileField(label="Acte", accept=[".PDF"], max_bytes=SMALL, help_text="Signé.")
    annexes = FilesField(label="Annexes", accept=[".pdf", ".png"], max_bytes=SMALL, required=False)


def filled(*annexes: str, act: str = "acte.pdf", size: int = 1) -> Files:
    uploads = {
        "act": [SimpleUploadedFile(act, b"x" * size)],
        "annexes": [SimpleUploadedFile(name, b"x") for name in annexes],
    }
    return Files(data={}, files=MultiValueDict(uploads))


@pytest.fixture
def refused(render: Render) -> object:
    return render("{{ form }}", form=SampleForm(data={"nature": "DE"}))


def test_a_field_is_described_by_its_hint_then_its_error(render: Render) -> None:
    form = render("{{ form }}", form=SampleForm(data={}))
    field = form.get_element_by_id("id_subject")
    described = [form.get_element_by_id(key) for key in field.get("aria-describedby").split()]
    assert described[0].text_content() == "Tel qu'il figure sur l'acte."
    assert "Erreur : Ce champ est obligatoire." in described[1].text_content()
    assert field.get("aria-invalid") == "true"


def test_every_description_of_every_field_exists(render: Render) -> None:
    form = render("{{ form }}", form=SampleForm(data={}))
    keys = " ".join(form.xpath("//@aria-describedby")).split()
    assert len(keys) > 5
    assert [key for key in keys if not form.xpath(f"//*[@id='{key}']")] == []


def test_every_field_has_a_label(render: Render) -> None:
    form = render("{{ form }}", form=SampleForm())
    alone = form.xpath("//input[@id] | //select | //textarea")
    named = form.xpath("//label/@for")
    assert [field.get("id") for field in alone if field.get("id") not in named] == []


def test_the_summary_comes_first_takes_focus_and_leads_to_the_fields(render: Render) -> None:
    form = render("{{ form }}", form=SampleForm(data={}))
    summary = form.find("div")
    assert (summary.get("role"), summary.get("tabindex")) == ("alert", "-1")
    targets = [link.removeprefix("#") for link in summary.xpath(".//a/@href")]
    assert targets == ["id_subject", "id_nature", "id_decided_on", "id_route_0", "id_act"]
    assert [key for key in targets if not form.xpath(f"//*[@id='{key}']")] == []


def test_a_form_without_error_has_no_summary(render: Render) -> None:
    assert not render("{{ form }}", form=SampleForm()).xpath("//*[@role='alert']")


def test_an_error_of_the_whole_form_is_in_the_summary(render: Render) -> None:
    form = SampleFilters(data={})
    form.add_error(None, "Choisissez au moins un critère.")
    assert (
        "Choisissez au moins un critère."
        in render("{{ form }}", form=form).find("div").text_content()
    )


def test_choices_are_a_named_group(render: Render) -> None:
    groups = render("{{ form }}", form=SampleForm()).xpath("//fieldset")
    assert [group.findtext("legend").strip() for group in groups] == ["Signature", "Prévenir"]
    assert groups[0].get("aria-describedby") == "id_route_helptext"


def test_optional_fields_say_so_in_words(render: Render) -> None:
    form = render("{{ form }}", form=SampleForm())
    optional = form.xpath("//*[contains(@class, 'optional')]/parent::*")
    assert [label.text.strip() for label in optional] == ["Prévenir", "Annexes", "Remarque"]


def test_a_date_uses_the_picker_of_the_browser(render: Render) -> None:
    form = SampleForm(initial={"decided_on": "2026-11-24"})
    field = render("{{ form }}", form=form).get_element_by_id("id_decided_on")
    assert (field.get("type"), field.get("value")) == ("date", "2026-11-24")
    assert DateInput().format == "%Y-%m-%d"


def test_a_file_field_announces_formats_and_limit(render: Render) -> None:
    form = render("{{ form }}", form=SampleForm())
    field = form.get_element_by_id("id_act")
    hint = form.get_element_by_id(field.get("aria-describedby"))
    assert hint.text.replace("\u00a0", " ") == "Format accepté : PDF ; 150 Mo au plus."
    assert (field.get("accept"), field.get("data-max-bytes")) == (".pdf", str(150 * MEGA))


def test_a_whole_form_with_files_is_sent_as_multipart(
    render: Render, anonymous: HttpRequest
) -> None:
    form = render('{% post_form form "Déposer" cancel="/" %}', anonymous, form=SampleForm())
    assert form.find("form").get("enctype") == "multipart/form-data"
    assert form.xpath("//input[@name='csrfmiddlewaretoken']/@value")


def test_files_of_the_announced_kind_pass() -> None:
    form = filled("a.pdf", "b.PNG")
    assert form.is_valid(), form.errors
    assert [file.name for file in form.cleaned_data["annexes"]] == ["a.pdf", "b.PNG"]


def test_no_annex_is_an_empty_list() -> None:
    form = filled()
    assert form.is_valid(), form.errors
    assert form.cleaned_data["annexes"] == []


def test_a_file_of_another_kind_is_named_in_the_refusal() -> None:
    form = filled(act="acte.docx")
    assert form.errors["act"] == [
        "« acte.docx » n'est pas dans un format accepté (PDF) : choisissez un autre fichier."
    ]


def test_one_wrong_annex_among_good_ones_is_named() -> None:
    assert "« b.exe »" in filled("a.pdf", "b.exe").errors["annexes"][0]


def test_a_file_one_octet_too_large_is_refused() -> None:
    assert filled(size=SMALL).is_valid()
    assert "la limite est de 10\u00a0octets" in filled(size=SMALL + 1).errors["act"][0]


def test_filters_stay_on_their_page_and_can_be_cleared(
    render: Render, anonymous: HttpRequest
) -> None:
    source = "{% filters form %}"
    used = render(source, anonymous, form=SampleFilters(data={"q": "cantine"}))
    assert used.find("form").get("method") == "get"
    assert used.xpath("//a/@href") == ["/actes/"]
    assert not render(source, anonymous, form=SampleFilters()).xpath("//a")
