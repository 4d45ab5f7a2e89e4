"""Why the State refused, in plain French, in the syndicat's words when it has some."""

from typing import Any

import pytest
from django_tenants.utils import schema_context

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes.explanations import actions, queries, texts
from socle.actes.models import Act
from socle.journal.models import Entry
from tests.actes.conftest import AT
from tests.actes.test_returns import anomaly
from tests.actes.test_screens import browser, sent, text  # noqa: F401
from tests.people import Browser, on_portal, person


@pytest.mark.parametrize(
    ("nature", "detail", "code"),
    [
        ("002", "ODT-VERIF-01 : la date n'est pas la bonne", "ODT-VERIF-01"),
        ("5", "PREF-VERIF-02 - émetteur non enregistré", "PREF-VERIF-02"),
        ("999", "ODT-VERIF-17", "ODT-VERIF-17"),
        ("999", "", "999"),
        ("042", "Ca ne fonctionne pas", "*"),
        ("", "", "*"),
    ],
)
def test_the_check_decides_then_the_nature_then_the_text_for_all(
    nature: str, detail: str, code: str
) -> None:
    assert texts.explain(nature, detail, texts.merged(())).code == code


def test_a_nature_is_the_same_with_or_without_zeros() -> None:
    known = texts.merged([texts.Text("005", "a", "b")])
    assert texts.explain("5", "", known).code == "005"


def test_the_longest_code_wins() -> None:
    known = texts.merged([texts.Text("ODT-VERIF-017", "a", "b")])
    assert texts.explain("1", "ODT-VERIF-017", known).code == "ODT-VERIF-017"


def test_every_text_socle_comes_with_is_whole() -> None:
    assert {one.code for one in texts.defaults()} >= {"*", "ODT-VERIF-01"}
    assert all(one.meaning.endswith(".") and one.remedy.endswith(".") for one in texts.defaults())


def test_F16_a_refusal_is_explained_on_the_page_of_the_act(
    browser: Browser,  # noqa: F811
    sent: Act,  # noqa: F811
) -> None:
    anomaly(sent, detail="PREF-VERIF-02 émetteur inconnu")
    shown = text(browser.get(f"/actes/{sent.pk}/"))
    assert "n’a pas encore enregistré le SIREN" in shown
    assert "le raccordement doit être terminé" in shown


def test_the_words_of_the_syndicat_are_read_by_every_commune(
    browser: Browser,  # noqa: F811
    sent: Act,  # noqa: F811
) -> None:
    anomaly(sent, detail="PREF-VERIF-02 émetteur inconnu")
    with schema_context("public"):
        by = person(first_name="Odile")
        said = {"meaning": "Votre SIREN manque.", "remedy": "Appelez-nous."}
        actions.write(code="PREF-VERIF-02", **said, by=by, at=AT)
    assert "Votre SIREN manque. Appelez-nous." in text(browser.get(f"/actes/{sent.pk}/"))


@pytest.fixture
def officer(portal: Any, syndicat: Any) -> Person:
    return person(Role.OFFICER, at=syndicat)


def test_an_officer_writes_and_resets_a_text_and_the_journal_says_so(officer: Person) -> None:
    desk = on_portal(officer)
    said = {"meaning": "Le SIREN manque.", "remedy": "Appelez."}
    assert desk.post("/refus/PREF-VERIF-02/", said).status_code == 302
    assert "Du syndicat" in text(desk.get("/refus/"))
    entry = Entry.objects.filter(event="explanations.written").get()
    assert "Le SIREN manque. Appelez." in entry.sentence
    assert "Revenir au texte d’origine" in text(desk.get("/refus/PREF-VERIF-02/"))
    desk.post("/refus/PREF-VERIF-02/origine/")
    assert not queries.texts()["PREF-VERIF-02"].own
    assert Entry.objects.filter(event="explanations.reset").exists()


def test_a_new_code_is_explained(officer: Person) -> None:
    desk = on_portal(officer)
    said = {"code": "odt-verif-09", "meaning": "Pièce illisible.", "remedy": "Refaites le PDF."}
    desk.post("/refus/nouveau/", said)
    assert texts.explain("1", "ODT-VERIF-09 x", queries.texts()).meaning == "Pièce illisible."


def test_half_a_text_is_refused_beside_its_field(officer: Person) -> None:
    answer = on_portal(officer).post(
        "/refus/nouveau/", {"code": "X", "meaning": " ", "remedy": "a"}
    )
    assert answer.status_code == 200
    assert queries.texts().get("X") is None


def test_an_auditor_reads_and_does_not_write(portal: Any, syndicat: Any) -> None:
    desk = on_portal(person(Role.AUDITOR, at=syndicat))
    shown = desk.get("/refus/")
    assert "ODT-VERIF-01" in text(shown)
    assert "Modifier" not in text(shown)
    assert desk.get("/refus/ODT-VERIF-01/").status_code == 403


def test_a_code_nobody_knows_is_not_found(officer: Person) -> None:
    assert on_portal(officer).get("/refus/INCONNU/").status_code == 404
