import pytest

from socle.helios.protocol import acquit_reader
from socle.helios.protocol.acquit import Acquit, AcquitState, Corrector
from socle.helios.protocol.acquit_reader import read_acquit
from socle.helios.protocol.refusals import (
    ForbiddenDoctype,
    MalformedXml,
    NotPes,
    UnreadableFile,
)
from tests.helios.protocol import builders as pes
from tests.helios.protocol.shared_data import sample

BORDEREAU = {"NumBord": "5", "ExerciceBord": "2026"}


def read(*elements: str) -> Acquit:
    return read_acquit(pes.acquit(*elements))


def test_the_acquit_repeats_the_keys_of_its_aller() -> None:
    header = read(pes.element("5", "1", **BORDEREAU)).header

    assert (header.nom_fic, header.cod_col) == ("PES-2026-001", "123")


def test_h083_an_acquit_all_ok_accepts() -> None:
    found = read(pes.element("5", "1", **BORDEREAU), pes.element("4", "1", IdUnique="PJ1"))

    assert found.state is AcquitState.ACCEPTED
    assert found.explanations() == ()


def test_an_acquit_all_ko_refuses() -> None:
    found = read(pes.element("5", "0", pes.error(), **BORDEREAU))

    assert found.state is AcquitState.REFUSED


def test_h103_an_acquit_mixing_ok_and_ko_accepts_in_part() -> None:
    found = read(
        pes.element("5", "1", **BORDEREAU), pes.element("4", "0", pes.error(), IdUnique="PJ1")
    )

    assert found.state is AcquitState.PARTIAL
    assert [element.name for element in found.accepted_elements] == [
        "Bordereau de dépense n° 5 de l’exercice 2026"
    ]
    assert [element.name for element in found.refused_elements] == ["Pièce jointe PJ1"]


def test_h084_an_acquit_without_its_block_decides_nothing() -> None:
    assert read_acquit(pes.acquit(block=False)).state is AcquitState.RECEIVED


@pytest.mark.parametrize("root", ["PES_NonAcquit", "pes_nonacquit"])
def test_h085_a_non_acquit_refuses(root: str) -> None:
    found = read_acquit(pes.acquit(block=False, root=root))

    assert found.state is AcquitState.REFUSED
    assert found.header.nom_fic == "PES-2026-001"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("1", AcquitState.ACCEPTED),
        ("true", AcquitState.ACCEPTED),
        ("1 ", AcquitState.ACCEPTED),
        ("0", AcquitState.REFUSED),
        ("false", AcquitState.REFUSED),
        ("2", AcquitState.UNREADABLE),
        ("", AcquitState.UNREADABLE),
        (None, AcquitState.UNREADABLE),
    ],
)
def test_every_spelling_of_the_verdict_is_understood_or_admitted(
    state: str | None, expected: AcquitState
) -> None:
    assert read(pes.element("5", state, **BORDEREAU)).state is expected


def test_h088_a_damaged_acquit_still_names_its_flux() -> None:
    found = read_acquit(pes.acquit(pes.element("5", "1", **BORDEREAU))[:-40])

    assert found.state is AcquitState.UNREADABLE
    assert found.header.nom_fic == "PES-2026-001"
    assert found.elements == ()


def test_h089_an_acquit_without_cod_col_is_read() -> None:
    found = read_acquit(pes.acquit(pes.element("5", "1", **BORDEREAU), CodCol=None))

    assert (found.header.nom_fic, found.header.cod_col) == ("PES-2026-001", "")


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        pytest.param(pes.aller(), NotPes, id="h091-wrong-root"),
        pytest.param(b"<PES_ACQUIT", MalformedXml, id="h092-truncated-early"),
        pytest.param(
            pes.acquit(declaration=pes.DECLARATION + "<!DOCTYPE x>"), ForbiddenDoctype, id="doctype"
        ),
    ],
)
def test_a_file_that_names_no_flux_is_refused(data: bytes, refusal: type[UnreadableFile]) -> None:
    with pytest.raises(refusal):
        read_acquit(data)


def test_errors_are_found_at_the_three_depths() -> None:
    found = read(
        pes.element(
            "5",
            "0",
            pes.error("3000 - Bordereau"),
            pes.piece_error(
                "20",
                pes.error("3001 - Mandat"),
                lines=pes.line_error("2", pes.error("3002 - Ligne")),
            ),
            pes.piece_error("21", pes.error("Sans numéro")),
            **BORDEREAU,
        )
    )

    assert [(error.piece, error.line, error.code, error.label) for error in found.errors] == [
        ("", "", 3000, "Bordereau"),
        ("20", "", 3001, "Mandat"),
        ("20", "2", 3002, "Ligne"),
        ("21", "", None, "Sans numéro"),
    ]
    assert found.explanations() == (
        "Bordereau de dépense n° 5 de l’exercice 2026 : Bordereau (code 3000)",
        "Bordereau de dépense n° 5 de l’exercice 2026, mandat 20 : Mandat (code 3001)",
        "Bordereau de dépense n° 5 de l’exercice 2026, mandat 20, ligne 2 : Ligne (code 3002)",
        "Bordereau de dépense n° 5 de l’exercice 2026, mandat 21 : Sans numéro",
    )


def test_version_1_gives_its_error_beside_the_element() -> None:
    flat = pes.element(
        "6",
        "0",
        ExerciceBord="2026",
        NumBord="5",
        NumPiece="20",
        NumLigne="1",
        NumAnoAck="ERREUR_DOUBLON_LIGNE",
        LibelleAnoAck="",
    )
    found = read_acquit(pes.acquit(flat, pes.element("4", "1"), namespace=pes.RETOUR))

    assert found.explanations() == (
        "Bordereau de recette n° 5 de l’exercice 2026, titre 20, ligne 1 : doublon ligne",
    )


def test_a_refusal_without_motive_says_so() -> None:
    found = read(pes.element("11", "0", IdMarche="2026MARCHE0001-001"))

    assert found.explanations() == (
        "Marché 2026MARCHE0001-001 : refus sans motif, demandez-le à votre trésorerie",
    )


def test_an_error_on_the_whole_flux_is_told_as_such() -> None:
    found = read(pes.element("0", "0", pes.error("", "ERREUR_FLUX_VIDE")))

    assert found.explanations() == ("Contrôle technique, flux entier : flux vide",)


def test_an_unknown_domain_keeps_its_code() -> None:
    (found,) = read(pes.element("42", "1")).elements

    assert found.domain_label == "Domaine 42"


def test_the_same_bordereau_twice_is_one_verdict() -> None:
    found = read(
        pes.element("5", "1", **BORDEREAU),
        pes.element("5", "0", pes.piece_error("20", pes.error()), **BORDEREAU),
        pes.element("5", "0", pes.piece_error("21", pes.error()), **BORDEREAU),
    )

    (only,) = found.elements
    assert only.accepted is False
    assert [error.piece for error in only.errors] == ["20", "21"]
    assert found.state is AcquitState.REFUSED


def test_only_duplicates_mean_already_integrated() -> None:
    duplicate = pes.error("1984 - Doublon", "ERREUR_DOUBLON_BORDEREAU")

    assert read(pes.element("5", "0", duplicate, **BORDEREAU)).only_duplicates
    assert not read(pes.element("5", "0", duplicate, pes.error(), **BORDEREAU)).only_duplicates
    assert not read(pes.element("5", "1", **BORDEREAU)).only_duplicates


@pytest.mark.parametrize(
    ("anomaly", "corrector"),
    [
        ("ERREUR_TIMEOUT", Corrector.NOBODY),
        ("ERREUR_ENCODING", Corrector.EDITOR),
        ("ERREUR_CODIQUE", Corrector.TRESORERIE),
        ("ERREUR_SIGNATURE_BORDEREAU_INVALIDE", Corrector.SIGNATORY),
        ("ERREUR_DOUBLON_PJ", Corrector.AGENT),
        ("ERREUR_AUTRE", Corrector.UNKNOWN),
        ("ERREUR_DE_DEMAIN", Corrector.UNKNOWN),
    ],
)
def test_an_anomaly_says_who_puts_it_right(anomaly: str, corrector: Corrector) -> None:
    (error,) = read(pes.element("5", "0", pes.error("x", anomaly), **BORDEREAU)).errors

    assert error.corrector is corrector
    assert error.corrector.label


def test_latin_bytes_under_a_utf8_declaration_are_read() -> None:
    data = pes.acquit(
        pes.element("5", "0", pes.error("1971 - présent à tort"), **BORDEREAU),
        declaration='<?xml version="1.0" encoding="UTF-8"?>',
    )

    (error,) = read_acquit(data).errors

    assert error.label == "présent à tort"


def test_an_endless_acquit_still_names_its_flux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acquit_reader, "MAX_ENTRIES", 1)

    found = read(pes.element("5", "1", **BORDEREAU), pes.element("4", "1"))

    assert found.state is AcquitState.UNREADABLE


# The sample files


def test_h102_the_ok_sample_accepts_everything() -> None:
    found = read_acquit(sample("acquit-ok.xml"))

    assert found.state is AcquitState.ACCEPTED
    assert len(found.accepted_elements) == 5


def test_h096_the_sample_with_line_errors_gives_all_six() -> None:
    found = read_acquit(sample("acquit-ko-lines.xml"))

    assert [(error.piece, error.line, error.code) for error in found.errors] == [
        ("20", "1", 1971),
        ("20", "2", 1971),
        ("20", "3", 1971),
        ("21", "1", 1971),
        ("21", "2", 2559),
        ("22", "1", 1971),
    ]
    assert found.state is AcquitState.PARTIAL


def test_h097_the_sample_with_piece_errors_groups_the_bordereau_given_twice() -> None:
    found = read_acquit(sample("acquit-ko-pieces.xml"))

    (refused,) = found.refused_elements
    assert [(error.piece, error.code) for error in refused.errors] == [
        ("5432", 2559),
        ("4321", 2559),
    ]
    assert len(found.accepted_elements) == 3


def test_h098_a_duplicate_attachment_does_not_hide_what_was_accepted() -> None:
    duplicate = pes.error("1984 - Pièce déjà intégrée", "ERREUR_DOUBLON_PJ")
    found = read(
        pes.element("5", "1", NumBord="123", ExerciceBord="2026"),
        pes.element("4", "0", duplicate, IdUnique="TI00064567"),
        pes.element("4", "1", IdUnique="TI00064568"),
    )

    assert found.state is AcquitState.PARTIAL
    assert found.explanations() == ("Pièce jointe TI00064567 : Pièce déjà intégrée (code 1984)",)
    assert len(found.accepted_elements) == 2


def test_h100_an_anonymised_cod_col_does_not_prevent_reading() -> None:
    assert read_acquit(sample("acquit-ko-lines.xml")).header.cod_col == "000"


def test_h101_an_acquit_with_an_empty_nom_fic_is_read_but_names_nobody() -> None:
    found = read_acquit(pes.acquit(pes.element("5", "1"), nom_fic="", namespace=pes.RETOUR))

    assert found.header.nom_fic == ""
