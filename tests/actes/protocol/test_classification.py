from datetime import date

import pytest

from socle.actes.protocol.classification import (
    Classification,
    NoTypology,
    UnknownMatiere,
    check_matiere,
    format_matiere,
    parse_matiere,
)
from socle.actes.protocol.codes import Nature
from socle.actes.protocol.default_classification import DEFAULT_CLASSIFICATION
from socle.actes.protocol.read import read_classification
from tests.actes.protocol.givens import sample


@pytest.fixture(scope="module")
def of_2019() -> Classification:
    return read_classification(sample("classification-exemple.xml"))


@pytest.fixture(scope="module")
def of_2017() -> Classification:
    return read_classification(sample("exemple_codes_matieres.xml"))


def test_I01_the_2017_file_has_237_leaves_with_their_labels(of_2017: Classification) -> None:
    assert len(of_2017.leaves()) == 237
    assert of_2017.path(parse_matiere("1-1-1-0-0")) == (
        "Commande Publique",
        "Marchés publics",
        "marchés sur appel d'offres",
    )
    assert of_2017.date == date(2017, 12, 8)


def test_I02_nature_other_has_two_types(of_2017: Classification) -> None:
    assert [piece.code for piece in of_2017.typologies(Nature.OTHER)] == ["99_AU", "99_SE"]


def test_I03_generic_types_come_first_then_labels_in_order(of_2019: Classification) -> None:
    pieces = of_2019.typologies(Nature.CONTRACT)

    assert [piece.code for piece in pieces[:3]] == ["99_DC", "99_SE", "11_AE"]
    assert len(pieces) == 47
    assert "99_AU" not in {piece.code for piece in pieces}
    assert [piece.display for piece in pieces if piece.code in {"42_AC", "43_AC"}] == [
        "Avenant au contrat (42_AC)",
        "Avenant au contrat (43_AC)",
    ]


def test_I04_a_type_is_shown_with_its_code(of_2019: Classification) -> None:
    assert of_2019.default_typology(Nature.INDIVIDUAL).display == "Acte individuel (99_AI)"


def test_I06_each_nature_has_its_generic_type_by_default(
    of_2019: Classification, of_2017: Classification
) -> None:
    for classification in (of_2019, of_2017, DEFAULT_CLASSIFICATION):
        assert [classification.default_typology(nature).code for nature in Nature] == [
            "99_DE",
            "99_AR",
            "99_AI",
            "99_DC",
            "99_BU",
            "99_AU",
        ]


def test_I07_a_nature_without_types_has_no_default() -> None:
    bare = Classification(date(2004, 12, 1), (), DEFAULT_CLASSIFICATION.matieres)

    with pytest.raises(NoTypology, match="Impossible de trouver un typage par défaut"):
        bare.default_typology(Nature.BUDGET)


def test_I18_level_ten_comes_after_nine(of_2019: Classification) -> None:
    finances = of_2019.find((7,))

    assert finances is not None
    assert [child.code[1] for child in finances.children] == list(range(1, 11))


def test_I19_natures_are_ordered_whatever_the_file(of_2019: Classification) -> None:
    assert [nature.code for nature in of_2019.natures] == [1, 2, 3, 4, 5, 6]


def test_every_selectable_matiere_has_two_levels_at_least(of_2019: Classification) -> None:
    codes = [matiere.code for matiere in of_2019.selectable()]

    assert (7, 10) in codes
    assert (7,) not in codes
    for code in codes:
        check_matiere(code, of_2019)


@pytest.mark.parametrize(
    ("text", "code"),
    [("7.10", (7, 10)), ("1-1-1-0-0", (1, 1, 1)), (" 5.2 ", (5, 2)), ("3", (3,)), ("1-1", (1, 1))],
)
def test_A22_A36_matiere_codes_are_read_in_every_usual_writing(
    text: str, code: tuple[int, ...]
) -> None:
    assert parse_matiere(text) == code


@pytest.mark.parametrize("text", ["", "7.", ".1", "a.b", "1.1.1.1.1.1", "1..2", "7,10", "1.²"])
def test_A23_what_is_no_matiere_code_is_refused(text: str) -> None:
    with pytest.raises(UnknownMatiere):
        parse_matiere(text)


def test_A21_a_single_level_is_refused() -> None:
    with pytest.raises(UnknownMatiere, match="deux premiers niveaux"):
        check_matiere((3,), DEFAULT_CLASSIFICATION)


def test_A24_a_matiere_out_of_the_classification_is_refused() -> None:
    with pytest.raises(UnknownMatiere, match=r"9\.9"):
        check_matiere((9, 9), DEFAULT_CLASSIFICATION)


def test_an_unknown_matiere_has_no_path() -> None:
    assert DEFAULT_CLASSIFICATION.path((7, 10)) == ("Finances locales", "Divers")
    assert DEFAULT_CLASSIFICATION.path((7, 11)) == ()
    assert format_matiere((7, 10)) == "7.10"


def test_the_default_has_the_national_levels_of_a_real_file(of_2019: Classification) -> None:
    def two_levels(classification: Classification) -> set[tuple[int, ...]]:
        nodes = (node for top in classification.matieres for node in top.walk())
        return {node.code for node in nodes if len(node.code) <= 2}

    assert two_levels(DEFAULT_CLASSIFICATION) == two_levels(of_2019)
    assert len(DEFAULT_CLASSIFICATION.selectable()) == 57


def test_the_default_has_the_types_of_a_real_file(of_2019: Classification) -> None:
    for nature in Nature:
        ours = {piece.code for piece in DEFAULT_CLASSIFICATION.typologies(nature)}
        assert ours == {piece.code for piece in of_2019.typologies(nature)}


def test_the_default_has_115_types_in_all() -> None:
    counts = [len(DEFAULT_CLASSIFICATION.typologies(nature)) for nature in Nature]

    assert counts == [18, 9, 36, 47, 3, 2]
