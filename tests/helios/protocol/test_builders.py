"""The synthetic files keep to the XSD, or every other test here would be about nothing."""

import pytest

from tests.helios.protocol import builders as pes
from tests.helios.protocol.shared_data import (
    ACQUIT_RETOUR_XSD,
    ACQUIT_V1_XSD,
    ACQUIT_V2_XSD,
    ALLER_XSD,
    VERSIONS,
    schema_errors,
)

RICH = pes.aller(
    pes.depense(
        pes.bordereau(
            pes.mandat(
                pes.line(), pes.line(number=2, tva="20.00"), references=pes.reference("PJ20261")
            ),
            ht="200.00",
            xml_id="B1",
            cumul="200.00",
        ),
        demat="0",
    ),
    pes.recette(),
    pes.attachments(pes.pj()),
)
NESTED = pes.acquit(
    pes.element("4", "1", IdUnique="PJ20261"),
    pes.element(
        "5",
        "0",
        pes.error(),
        pes.piece_error("20", pes.error(), lines=pes.line_error("1", pes.error())),
        NumBord="5",
        ExerciceBord="2026",
    ),
)
FLAT = pes.acquit(
    pes.element(
        "5",
        "0",
        ExerciceBord="2026",
        NumBord="5",
        NumPiece="20",
        NumLigne="1",
        NumAnoAck="ERREUR_AUTRE",
        LibelleAnoAck="1971 - Compte fonction présent à tort",
    ),
    namespace=pes.RETOUR,
)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("data", "xsd"),
    [
        pytest.param(pes.aller(), ALLER_XSD, id="aller"),
        pytest.param(RICH, ALLER_XSD, id="aller-rich"),
        pytest.param(NESTED, ACQUIT_V2_XSD, id="acquit-v2"),
        pytest.param(FLAT, ACQUIT_V1_XSD, id="acquit-v1"),
        pytest.param(pes.acquit_retour(), ACQUIT_RETOUR_XSD, id="acquit-retour"),
    ],
)
def test_a_synthetic_file_is_valid_in_every_version(data: bytes, xsd: str, version: str) -> None:
    assert schema_errors(data, version, xsd) == []
