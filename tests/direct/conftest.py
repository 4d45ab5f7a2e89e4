"""The ministry and a mail server on real sockets, and a syndicat that is connected to both."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.delivery import actions as delivery
from socle.delivery import handlers
from socle.delivery.models import Outbound, TransmissionOperator
from socle.direct import actions
from socle.direct.models import DirectLink
from socle.directory.models import Protocol, TransmissionRight
from socle.documents import actions as documents
from tests.delivery.conftest import Room
from tests.direct.imap import ImapServer
from tests.direct.ministry import MinistryServer
from tests.people import person
from tests.s2low import archives
from tests.s2low.pki import Authority, Pair

PROVED = "mx.tdt.example.fr; dkim=pass header.d=interieur.example"
"""What the mail server writes on top of a mail whose origin is proved."""
ORIGIN = f"Authentication-Results: {PROVED}\r\nFrom: actes@interieur.example\r\n".encode()


@pytest.fixture(scope="session")
def ca() -> Authority:
    """Signs the servers and the clients."""
    return Authority("AC de l'État")


@pytest.fixture(scope="session")
def server_pair(ca: Authority) -> Pair:
    return ca.server()


@pytest.fixture(scope="session")
def pair(ca: Authority) -> Pair:
    """The certificate of the operator."""
    return ca.client("Syndicat mixte")


@pytest.fixture
def ministry(ca: Authority, server_pair: Pair) -> Iterator[MinistryServer]:
    running = MinistryServer(server_pair, ca.pem)
    yield running
    running.close()


@pytest.fixture
def imap(server_pair: Pair) -> Iterator[ImapServer]:
    running = ImapServer(server_pair)
    yield running
    running.close()


def pin_of(pair: Pair) -> str:
    """SHA-256 of the certificate."""
    found = x509.load_pem_x509_certificate(pair.certificate)
    return found.fingerprint(hashes.SHA256()).hex()


def key_pin_of(pair: Pair) -> str:
    """SHA-256 of the public key, which a renewal with the same key keeps."""
    key = x509.load_pem_x509_certificate(pair.certificate).public_key()
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize().hex()


@pytest.fixture
def operator(town: Any) -> TransmissionOperator:
    """The test platform of the ministry: no personal certificate is asked for."""
    made = TransmissionOperator.objects.create(
        code="direct",
        name="Syndicat homologué",
        adapter="direct",
        trigram="SYN",
        company="Syndicat",
        return_address="retours@tdt.example.fr",
        is_exercise=True,
        requires_certificate=False,
    )
    TransmissionRight.objects.create(
        organisation=town.organisation,
        protocol=Protocol.ACTES,
        operator="direct",
        natures=list("123456"),
        reference="Convention",
        starts_on=timezone.now().date() - timedelta(days=30),
    )
    return made


@pytest.fixture
def facts(
    ministry: MinistryServer, imap: ImapServer, ca: Authority, pair: Pair, server_pair: Pair
) -> dict[str, Any]:
    """What the syndicat writes in the form."""
    return {
        "post_url": ministry.url,
        "pins": pin_of(server_pair),
        "certificate": pair.certificate,
        "key": pair.key,
        "imap_host": "localhost",
        "imap_port": imap.port,
        "imap_ca_pem": ca.pem,
        "imap_login": imap.state.login,
        "imap_password": imap.state.password,
        "senders": "actes@interieur.example",
        "auth_server": "mx.tdt.example.fr",
    }


@pytest.fixture
def link(operator: TransmissionOperator, facts: dict[str, Any]) -> DirectLink:
    """The connection, saved."""
    return actions.save_link(operator=operator, facts=facts, by="tests", at=timezone.now())


@pytest.fixture
def room(town: Any, monkeypatch: pytest.MonkeyPatch) -> Room:
    probe = Room()
    probe.organisation_id = town.organisation_id
    monkeypatch.setattr(handlers, "_rooms", {"actes": probe.as_room()})
    return probe


Post = Callable[..., Outbound]


@pytest.fixture
def post(link: DirectLink, room: Room, town: Any) -> Post:
    """Put an archive in the outbox of Melle."""
    who = person(Role.TRANSMITTER, at=town.organisation)
    serial = iter(range(1, 100))

    def post(content: bytes = b"", *, protocol: str = "actes") -> Outbound:
        rank = next(serial)
        content = content or archives.acte()
        stored = documents.store(content=content, name="envoi", by="tests", at=timezone.now())
        return delivery.enqueue(
            organisation=town.organisation,
            protocol=protocol,
            operator=link.operator,
            name=f"SYN-TACT--{archives.SIREN}--20261124-{rank}.tar.gz",
            payload=stored,
            subject_id=rank,
            by=who,
            at=timezone.now(),
            nature="1",
        )

    return post
