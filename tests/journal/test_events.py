import pytest

from socle.journal import events
from tests.journal.samples import entry


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_SENTENCES", {})
    monkeypatch.setattr(events, "_WORDS", {})
    events.register({"actes.deposited": "Acte {number} déposé par {actor}"})


def test_an_entry_reads_as_its_sentence() -> None:
    assert events.sentence(entry(3)) == "Acte DE-003 déposé par Zoé Ferré"


def test_a_missing_detail_leaves_a_mark() -> None:
    assert events.sentence(entry(3, detail={})) == "Acte … déposé par Zoé Ferré"


def test_a_value_with_braces_is_only_text() -> None:
    detail = {"number": "{actor.__class__}"}
    assert events.sentence(entry(3, detail=detail)).startswith("Acte {actor.__class__} ")


def test_codes_days_and_amounts_are_said_in_french() -> None:
    events.register(
        {"directory.granted": "Droits : {roles}, le {on}, {total} €"},
        words={"roles": {"reader": "Consultation"}},
    )
    detail = {"roles": ["reader", "trainer"], "on": "2026-11-25", "total": "600.00"}
    told = events.sentence(entry(3, event="directory.granted", detail=detail))
    assert told == "Droits : Consultation, trainer, le 25/11/2026, 600,00 €"
    nobody = events.sentence(entry(3, event="directory.granted", detail={**detail, "roles": []}))
    assert nobody.startswith("Droits : aucun, ")


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ("Andrée Laurent", "Dossier d’Andrée Laurent repris"),
        ("Élodie Roux", "Dossier d’Élodie Roux repris"),
        ("Claire Martin", "Dossier de Claire Martin repris"),
    ],
)
def test_de_is_elided_before_a_vowel(who: str, told: str) -> None:
    events.register({"ra.file_resumed": "Dossier de {holder} repris"})
    assert events.sentence(entry(3, event="ra.file_resumed", detail={"holder": who})) == told


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert events.sentence(entry(3, event="actes.lost")) == "actes.lost"


def test_a_refusal_reads_as_what_the_person_was_told() -> None:
    refused = entry(3, outcome="refused", detail={"sentence": "La convention est suspendue."})
    assert events.sentence(refused) == "Refusé : La convention est suspendue."


def test_a_refusal_without_sentence_reads_as_the_event_refused() -> None:
    assert events.sentence(entry(3, outcome="refused")).startswith("Refusé : Acte DE-003")


def test_the_same_sentence_may_be_registered_twice() -> None:
    events.register({"actes.deposited": "Acte {number} déposé par {actor}"})
    assert list(events.known()) == ["actes.deposited"]


def test_a_code_cannot_mean_two_things() -> None:
    with pytest.raises(ValueError, match="already means"):
        events.register({"actes.deposited": "Acte reçu"})


def test_a_malformed_code_cannot_be_registered() -> None:
    with pytest.raises(ValueError, match="not an event code"):
        events.register({"Deposited": "Acte reçu"})
