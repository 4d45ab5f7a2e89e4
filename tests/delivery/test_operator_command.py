"""`manage operator` writes an operator down, and refuses one through whom nothing could leave."""

import io
from datetime import date
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from socle.delivery import adapters
from socle.delivery.models import TransmissionOperator
from socle.journal.models import Entry
from tenants.onboarding.policies import check_operator

REAL = {
    "name": "Opérateur de l’Exemple",
    "adapter": "essai",
    "trigram": "EXO",
    "company": "Exemple SAS",
    "return_address": "retours@exemple.fr",
    "homologation": "DGCL 2026-7",
    "homologated_on": "2026-01-15",
    "homologated_until": "2029-01-14",
}


@pytest.fixture(autouse=True)
def adapter(portal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter somebody answers for."""
    monkeypatch.setitem(adapters._factories, "essai", lambda operator: None)


def run(code: str = "exemple", *, exercise: bool = False, **facts: str) -> str:
    words = [f"--{name.replace('_', '-')}={value}" for name, value in facts.items()]
    out = io.StringIO()
    switch = ["--exercise"] if exercise else []
    call_command("operator", f"--code={code}", *words, *switch, stdout=out)
    return out.getvalue()


def test_an_operator_is_ready_for_the_first_convention() -> None:
    assert "« Opérateur de l’Exemple » enregistré" in run(**REAL)
    operator = TransmissionOperator.objects.get(code="exemple")
    assert operator.requires_certificate
    assert not operator.is_exercise
    check_operator(operator, on=date(2026, 11, 24))


def test_running_again_changes_nothing_else() -> None:
    run(**REAL)
    before = TransmissionOperator.objects.filter(code="exemple").values().get()
    run(**REAL)
    assert TransmissionOperator.objects.filter(code="exemple").values().get() == before


def test_only_what_is_given_is_corrected() -> None:
    run(**REAL)
    run(phone="05 00 00 00 00", homologated_until="2030-12-31")
    operator = TransmissionOperator.objects.get(code="exemple")
    assert (operator.phone, operator.name) == ("05 00 00 00 00", REAL["name"])
    assert operator.homologated_until == date(2030, 12, 31)


def test_the_journal_keeps_it() -> None:
    run(**REAL)
    entry = Entry.objects.filter(event="delivery.operator_saved").latest("position")
    assert entry.detail["name"] == REAL["name"]


def test_a_practice_operator_needs_neither_homologation_nor_certificate() -> None:
    facts = {name: REAL[name] for name in ("name", "trigram", "company", "return_address")}
    run("essais", exercise=True, adapter="exercise", **facts)
    operator = TransmissionOperator.objects.get(code="essais")
    assert operator.is_exercise
    assert not operator.requires_certificate


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"adapter": "inconnu"}, "Le connecteur « inconnu » n’existe pas"),
        ({"adapter": "exercise"}, "ajoutez --exercise"),
        ({"trigram": "E-O"}, "Le trigramme « E-O »"),
        ({"trigram": "EXEMPLE"}, "trigramme : "),
        ({"return_address": "retours"}, "adresse de retour : "),
        ({"name": ""}, "nom : "),
        ({"homologation": ""}, "n’a pas d’homologation"),
        ({"homologated_until": "2025-01-01"}, "avant d’avoir commencé"),
        ({"homologated_on": "15/01/2026"}, "AAAA-MM-JJ"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(changes: dict[str, str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(**REAL | changes)
    assert not TransmissionOperator.objects.filter(code="exemple").exists()


def test_a_real_operator_without_homologation_is_refused() -> None:
    bare = {name: value for name, value in REAL.items() if not name.startswith("homolog")}
    with pytest.raises(CommandError, match="n’a pas d’homologation"):
        run(**bare)


def test_a_practice_operator_never_becomes_a_real_one() -> None:
    with pytest.raises(CommandError, match="déjà connu comme d’exercice"):
        run("exercice", **REAL)  # the one of the tests' world


def test_there_is_no_practice_operator_without_practice_offices(settings: Any) -> None:
    settings.EXERCISE_URL = ""
    with pytest.raises(CommandError, match="SOCLE_EXERCISE_URL"):
        run(exercise=True, **REAL | {"adapter": "exercise"})
