"""A S²LOW on a real TLS socket, accounts that open it, and files due to go there."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.delivery import actions as delivery
from socle.delivery import handlers
from socle.delivery.adapters import adapter_for
from socle.delivery.models import Outbound, TransmissionOperator
from socle.directory.models import Protocol, TransmissionRight
from socle.documents import actions as documents
from socle.s2low import actions
from socle.s2low.adapter import S2lowAdapter
from socle.s2low.client import Credentials, S2lowClient
from socle.s2low.models import S2lowAccount, S2lowTransaction
from tests.people import person
from tests.s2low import archives
from tests.s2low.pki import Authority, Pair
from tests.s2low.server import Account, S2lowServer


@pytest.fixture(scope="session")
def ca() -> Authority:
    """Signs the server and the clients."""
    return Authority("AC de la plateforme d'essai")


@pytest.fixture(scope="session")
def server_pair(ca: Authority) -> Pair:
    return ca.server()


@pytest.fixture(scope="session")
def pair(ca: Authority) -> Pair:
    """The certificate of the account."""
    return ca.client("Syndicat mixte")


@pytest.fixture
def server(ca: Authority, server_pair: Pair, pair: Pair) -> Iterator[S2lowServer]:
    running = S2lowServer(server_pair, ca.pem)
    running.state.accounts.append(Account("Melle", pair.fingerprint))
    yield running
    running.close()


@pytest.fixture
def credentials(server: S2lowServer, ca: Authority, pair: Pair) -> Credentials:
    return Credentials(server.url, pair.certificate, pair.key, ca.pem)


@pytest.fixture
def client(credentials: Credentials) -> S2lowClient:
    """Impatient: the tests that make it wait are short."""
    return S2lowClient(credentials, silence=2, deadline=4)


class Room:
    """Stands for the room above: remembers what it was told."""

    def __init__(self, organisation_id: int) -> None:
        self.organisation_id = organisation_id
        self.sent: list[str] = []
        self.refused: list[str] = []
        self.received: list[tuple[str, bytes]] = []

    def as_room(self) -> handlers.Room:
        return handlers.Room(
            sent=lambda outbound, at: self.sent.append(outbound.name),
            refused=lambda outbound, why, at: self.refused.append(why),
            receive=self.receive,
            check=lambda outbound, at: None,
        )

    def receive(self, name: str, raw: bytes, at: Any, origin: Any) -> int:
        self.received.append((name, raw))
        return self.organisation_id


@pytest.fixture
def operator(town: Any) -> TransmissionOperator:
    """A test platform of the operator: no personal certificate is asked for."""
    made = TransmissionOperator.objects.create(
        code="s2low",
        name="S²LOW",
        adapter="s2low",
        trigram="SLO",
        company="Éditeur",
        return_address="retours@tdt.example.fr",
        is_exercise=True,
        requires_certificate=False,
    )
    for protocol in Protocol:
        TransmissionRight.objects.create(
            organisation=town.organisation,
            protocol=protocol,
            operator="s2low",
            natures=list("123456") if protocol == Protocol.ACTES else [],
            reference="Convention",
            starts_on=timezone.now().date() - timedelta(days=30),
        )
    return made


@pytest.fixture
def room(town: Any, monkeypatch: pytest.MonkeyPatch) -> Room:
    probe = Room(town.organisation_id)
    rooms = dict.fromkeys((Protocol.ACTES, Protocol.HELIOS), probe.as_room())
    monkeypatch.setattr(handlers, "_rooms", rooms)
    return probe


@pytest.fixture
def account(
    server: S2lowServer, operator: TransmissionOperator, town: Any, ca: Authority, pair: Pair
) -> S2lowAccount:
    """The account of Melle."""
    return actions.save_account(
        operator=operator,
        organisation=town.organisation,
        base_url=server.url,
        ca_pem=ca.pem,
        certificate=pair.certificate,
        key=pair.key,
        by="tests",
        at=timezone.now(),
    )


@pytest.fixture
def adapter(operator: TransmissionOperator) -> S2lowAdapter:
    found = adapter_for(operator)
    assert isinstance(found, S2lowAdapter)
    return found


Post = Callable[..., Outbound]


@pytest.fixture
def post(account: S2lowAccount, room: Room, town: Any) -> Post:
    """Put a file in the outbox of Melle."""
    who = person(Role.TRANSMITTER, at=town.organisation)
    serial = iter(range(1, 100))

    def post(content: bytes | None = None, *, protocol: str = "actes") -> Outbound:
        rank = next(serial)
        content = archives.acte() if content is None else content
        stored = documents.store(content=content, name="envoi", by="tests", at=timezone.now())
        name = (
            f"SLO-TACT--{archives.SIREN}--20261124-{rank}.tar.gz"
            if protocol == "actes"
            else f"PESALR2_{archives.SIREN}_261124_{rank:03}.xml"
        )
        return delivery.enqueue(
            organisation=town.organisation,
            protocol=protocol,
            operator=account.operator,
            name=name,
            payload=stored,
            subject_id=rank + (1000 if protocol == "helios" else 0),
            by=who,
            at=timezone.now(),
            nature="1" if protocol == "actes" else "",
        )

    return post


def row_of(outbound: Outbound) -> S2lowTransaction:
    """What the room knows of a file."""
    return S2lowTransaction.objects.get(name=outbound.name)


def again(outbound: Outbound) -> Outbound:
    """The file as the database has it now."""
    outbound.refresh_from_db()
    return outbound
