"""The official schemas and samples, kept beside the repository; tests skip without them."""

from functools import cache
from pathlib import Path

import pytest
from lxml import etree

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
SAMPLES = DATA / "samples" / "pes"
SCHEMAS = DATA / "schemas" / "pes"
VERSIONS = ("v5.11", "v5.12", "v5.14", "v5.16", "v5.17")
ALLER_XSD = "PES_V2/Rev0/PES_Aller.xsd"
ACQUIT_V1_XSD = "PES_V2/Rev0/PES_V2_Acquit_Autonome.xsd"
ACQUIT_V2_XSD = "PES_V2/Rev0/PES_V2_Acquit_Autonome_V2.xsd"
ACQUIT_RETOUR_XSD = "PES_V2/RETOUR/Rev0/PES_V2_Acquit_Retour.xsd"


def sample(name: str) -> bytes:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"sample {name} is absent")
    return path.read_bytes()


def schema_errors(data: bytes, version: str, xsd: str) -> list[str]:
    """What the schema of that version has to say; an empty list when the file is valid."""
    if not (SCHEMAS / version / xsd).exists():
        pytest.skip(f"schema {version} is absent")
    schema = _schema(version, xsd)
    schema.validate(etree.fromstring(data))
    return [str(error) for error in schema.error_log]


@cache
def _schema(version: str, xsd: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMAS / version / xsd))
