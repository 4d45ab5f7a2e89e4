"""A commune, an acte, the official schemas and real files, for the tests of the protocol."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from socle.actes.protocol.codes import FileKind, Nature
from socle.actes.protocol.default_classification import DEFAULT_CLASSIFICATION
from socle.actes.protocol.package import Sender
from socle.actes.protocol.values import Acte, Document, Draft, Emitter, Operator

REPO = Path(__file__).resolve().parents[3]
DATA = REPO.parent / "shared" / "data"
SAMPLES = DATA / "samples" / "actes"

NOON = datetime(2025, 3, 12, 11, 0, tzinfo=UTC)
DECISION = date(2025, 3, 10)
COMMUNE = Emitter(siren="217901743", departement="079", arrondissement="2", nature="31")
OPERATOR = Operator("TRI", "EACT", ("retour@tdt.example.fr",))
SENDER = Sender(COMMUNE, OPERATOR, day=date(2025, 3, 12), serial=1)
PDF = Document("délib n°1 (v2).pdf", FileKind.PDF, 1200, "99_DE")
ANNEXE = Document("plan.png", FileKind.PNG, 300, "21_RP")
DRAFT = Draft(
    number="2025_017",
    decided_on=DECISION,
    nature=1,
    matiere="5.2",
    objet="Règlement intérieur du conseil",
    documents=(PDF, ANNEXE),
)
ACTE = Acte(
    emitter=COMMUNE,
    number="2025_017",
    decided_on=DECISION,
    nature=Nature.DELIBERATION,
    matiere=(5, 2),
    objet="Règlement intérieur du conseil",
    classification_date=DEFAULT_CLASSIFICATION.date,
    documents=(PDF, ANNEXE),
)


def acte(**changes: Any) -> Acte:
    return replace(ACTE, **changes)


def draft(**changes: Any) -> Draft:
    return replace(DRAFT, **changes)


def sample(name: str) -> bytes:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"no sample {name}")
    return path.read_bytes()


@cache
def schema(generation: str = "actes") -> etree.XMLSchema:
    path = DATA / "schemas" / generation / "actesv1_1.xsd"
    if not path.exists():
        pytest.skip("no official schema")
    return etree.XMLSchema(etree.parse(path))


def is_valid(data: bytes, generation: str = "actes") -> bool:
    return bool(schema(generation).validate(etree.fromstring(data)))


@cache
def sae_schema(version: str) -> etree.XMLSchema:
    """The official schema of the SEDA."""
    path = DATA / "schemas" / "seda" / f"seda-{version}-main.xsd"
    if not path.exists():
        pytest.skip("no schema of the SEDA")
    return etree.XMLSchema(etree.parse(path))
