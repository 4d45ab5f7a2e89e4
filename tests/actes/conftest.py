"""A commune that may transmit, a secretary, and what the préfecture would send back."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import actions
from socle.actes.actions import Facts, Upload
from socle.actes.models import Act, ClassificationVersion, Transaction
from socle.delivery.models import Outbound, OutboundState
from socle.directory.models import Protocol, TransmissionRight
from socle.documents import actions as documents
from socle.exercise.protocol.classification import CURRENT, full_return
from tests.documents import pdfs
from tests.people import person

FACTS = Facts(
    number="2026_017",
    nature=1,
    matter="5.2",
    decided_on=date(2026, 11, 20),
    objet="Règlement intérieur du conseil municipal",
)
PDF = pdfs.plain(text="Le conseil municipal, après en avoir délibéré")
PNG = b"\x89PNG\r\n\x1a\n" + b"plan" * 20
AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
def right(town: Any) -> TransmissionRight:
    """Melle has its convention with the exercise operator."""
    return TransmissionRight.objects.create(
        organisation=town.organisation,
        protocol=Protocol.ACTES,
        operator="exercice",
        natures=list("123456"),
        reference="Convention du 5 janvier 2020",
        starts_on=date(2020, 1, 5),
    )


@pytest.fixture
def classification(town: Any) -> ClassificationVersion:
    """The préfecture has sent its classification already."""
    stored = documents.store(
        content=full_return(CURRENT), name="079-200081511----7-2_1.xml", by="Préfecture", at=AT
    )
    return ClassificationVersion.objects.create(date=CURRENT.day, content=stored, received_at=AT)


@pytest.fixture
def secretary(town: Any) -> Person:
    return somebody(Role.TRANSMITTER, town, phone="0549000000")


def somebody(role: Role, town: Any, **fields: Any) -> Person:
    """A person with this role in the commune for years."""
    made = person(role, at=town.organisation, **fields)
    made.grants.update(starts_on=date(2020, 1, 1))
    return made


@pytest.fixture
def ready(right: Any, classification: Any, secretary: Person) -> Person:
    """The secretary of a commune where nothing prevents a deposit."""
    return secretary


def upload(content: bytes = PDF, name: str = "délib n°1 (v2).pdf", typology: str = "") -> Upload:
    return Upload(name, content, typology)


@pytest.fixture
def deposit(ready: Person) -> Callable[..., Act]:
    """Deposit the usual act, changed where the test wants."""

    def deposit_one(*, at: datetime = AT, annexes: Any = (), main: Any = None, **facts: Any) -> Act:
        return actions.deposit(
            facts=Facts(**{**vars_of(FACTS), **facts}),
            main=main or upload(),
            annexes=annexes,
            by=ready,
            at=at,
        )

    return deposit_one


def vars_of(facts: Facts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in Facts.__slots__}


@pytest.fixture
def sent_act(deposit: Callable[..., Act]) -> Act:
    """An act the operator holds."""
    act = deposit()
    hand_over(act)
    act.refresh_from_db()
    return act


def hand_over(act: Act, kind: str = "1-1") -> Outbound:
    """Do what the corridor does when the operator took the file of this message."""
    from socle.actes import returns

    outbound = Outbound.objects.get(subject_id=act.transactions.filter(kind=kind).last().pk)
    outbound.state, outbound.sent_at = OutboundState.SENT, AT
    outbound.save()
    returns.sent(outbound, AT)
    return outbound


def transaction_of(act: Act, kind: str = "1-1") -> Transaction:
    return act.transactions.get(kind=kind)
