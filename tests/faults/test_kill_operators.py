"""kill -9 while S²LOW, or the ministry itself, holds the bytes: both count what they took."""

from collections.abc import Iterator

import pytest

from tests.actes.answers import MELLE
from tests.direct.conftest import ORIGIN, pin_of
from tests.direct.imap import ImapServer
from tests.direct.ministry import MinistryServer
from tests.faults.conftest import Ground
from tests.s2low import archives
from tests.s2low.pki import Authority, Pair
from tests.s2low.server import Account, S2lowServer

pytestmark = pytest.mark.xdist_group("faults")

PREPARE = """
from datetime import timedelta
from pathlib import Path
from django.utils import timezone
from django_tenants.utils import tenant_context
from socle.accounts.capabilities import Role
from socle.actes import actions
from socle.actes.models import ClassificationVersion
from socle.delivery.models import TransmissionOperator
from socle.directory.models import TransmissionRight
from socle.documents import actions as documents
from socle.exercise.protocol.classification import CURRENT, full_return
from tenants.models import Tenant
from tests.actes.conftest import FACTS, PDF, somebody, upload

now, folder = timezone.now(), Path({folder!r})
tenant = Tenant.objects.select_related("organisation").get(organisation__insee="79174")
operator = TransmissionOperator.objects.create(code="essai", name="Essai", adapter={adapter!r},
    trigram="ESS", company="Essai", return_address="retours@tdt.example.fr", is_exercise=True,
    requires_certificate=False)
TransmissionRight.objects.create(organisation=tenant.organisation, protocol="actes",
    operator="essai", natures=list("123456"), reference="Essai",
    starts_on=now.date() - timedelta(days=9))
{connect}
with tenant_context(tenant):
    stored = documents.store(content=full_return(CURRENT), name="c.xml", by="Essai", at=now)
    ClassificationVersion.objects.create(date=CURRENT.day, content=stored, received_at=now)
    actions.deposit(facts=FACTS, main=upload(PDF), by=somebody(Role.TRANSMITTER, tenant), at=now)
"""
S2LOW = """
from socle.s2low.actions import save_account
save_account(operator=operator, organisation=tenant.organisation, base_url={url!r},
    ca_pem=(folder / "ca.pem").read_text(), certificate=(folder / "pair.pem").read_bytes(),
    key=(folder / "pair.key").read_bytes(), by="Essai", at=now)
"""
DIRECT = """
from socle.direct.actions import save_link
save_link(operator=operator, by="Essai", at=now, facts=dict(post_url={url!r}, pins={pin!r},
    certificate=(folder / "pair.pem").read_bytes(), key=(folder / "pair.key").read_bytes(),
    imap_host="localhost", imap_port={port}, imap_ca_pem=(folder / "ca.pem").read_text(),
    imap_login={login!r}, imap_password={password!r}, senders="actes@interieur.example",
    auth_server="mx.tdt.example.fr"))
"""
OUTBOUND = "SELECT state FROM delivery_outbound"
ACT = "SELECT state FROM t_200081511.actes_act"
IDENTIFIER = f"079-{MELLE}-20261120-2026_017-DE"


@pytest.fixture(scope="module")
def ca() -> Authority:
    return Authority("AC des pannes")


@pytest.fixture
def pair(ca: Authority, ground: Ground) -> Pair:
    """The certificate of the account, where the worker's preparation finds it."""
    made = ca.client("Syndicat")
    (ground.folder / "ca.pem").write_text(ca.pem)
    (ground.folder / "pair.pem").write_bytes(made.certificate)
    (ground.folder / "pair.key").write_bytes(made.key)
    return made


def _prepare(ground: Ground, adapter: str, connect: str) -> None:
    script = PREPARE.format(folder=str(ground.folder), adapter=adapter, connect=connect)
    ground.python(script)


@pytest.fixture
def s2low(ca: Authority, pair: Pair, ground: Ground) -> Iterator[S2lowServer]:
    server = S2lowServer(ca.server(), ca.pem)
    server.state.accounts.append(Account("Melle", pair.fingerprint))
    _prepare(ground, "s2low", S2LOW.format(url=server.url))
    yield server
    server.close()


def test_s2low_killed_between_the_bytes_and_the_number(ground: Ground, s2low: S2lowServer) -> None:
    s2low.break_down("slow-answer:60", script="actes_transac_create.php")
    ground.start_beat()
    worker = ground.start_worker()
    ground.wait(lambda: len(s2low.state.transactions) == 1)
    ground.kill(worker)
    assert ground.query(OUTBOUND) == [("sending",)]

    s2low.repair()
    worker = ground.start_worker()
    ground.wait(lambda: ground.query(OUTBOUND) == [("sent",)])
    assert len(s2low.state.transactions) == 1

    # And between the answer read and the answer kept.
    (posted,) = s2low.state.transactions.values()
    posted.content, posted.status = archives.acknowledgement(identifier=IDENTIFIER), 4
    s2low.break_down("slow-answer:60", script="actes_transac_get_status.php")
    calls = s2low.called("actes_transac_get_status.php")
    ground.wait(lambda: s2low.called("actes_transac_get_status.php") > calls, seconds=90)
    ground.kill(worker)
    s2low.repair()
    ground.start_worker()
    ground.wait(lambda: ground.query(ACT) == [("acknowledged",)], seconds=90)
    assert ground.query("SELECT count(*) FROM delivery_inbound") == [(1,)]


@pytest.fixture
def mail(ca: Authority) -> Iterator[ImapServer]:
    server = ImapServer(ca.server())
    yield server
    server.close()


@pytest.fixture
def ministry(
    ca: Authority, pair: Pair, mail: ImapServer, ground: Ground
) -> Iterator[MinistryServer]:
    its = ca.server()
    server = MinistryServer(its, ca.pem)
    connect = DIRECT.format(
        url=server.url,
        pin=pin_of(its),
        port=mail.port,
        login=mail.state.login,
        password=mail.state.password,
    )
    _prepare(ground, "direct", connect)
    yield server
    server.close()


def test_direct_killed_with_the_bytes_at_the_ministry_then_with_the_mail_half_taken(
    ground: Ground, ministry: MinistryServer, mail: ImapServer
) -> None:
    ministry.break_down("slow-answer", 60)
    ground.start_beat()
    worker = ground.start_worker()
    ground.wait(lambda: len(ministry.state.taken) == 1)
    ground.kill(worker)

    ministry.repair()
    worker = ground.start_worker()  # in doubt: the answer of the préfecture is waited for
    doubt = "SELECT last_error LIKE 'On ne sait pas%' FROM delivery_outbound"
    ground.wait(lambda: ground.query(doubt) == [(True,)])
    assert len(ministry.names) == 1

    mail.break_down("slow-store", 60)  # kept here, not yet removed there
    mail.deliver(
        ORIGIN
        + b"Subject: AR\r\nContent-Type: application/xml\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + archives.acknowledgement(identifier=IDENTIFIER)
    )
    ground.wait(lambda: mail.state.storing > 0)
    ground.kill(worker)
    assert ground.query("SELECT count(*) FROM delivery_inbound") == [(1,)]
    mail.repair()
    ground.start_worker()
    ground.wait(lambda: not mail.state.mails)
    ground.wait(lambda: ground.query(ACT) == [("acknowledged",)])
    assert ground.query("SELECT count(*) FROM delivery_inbound") == [(1,)]
    assert set(mail.state.fetched) == {1}  # two rounds at once may read it; one return is kept
    ground.wait(lambda: ground.query(OUTBOUND) == [("sent",)], seconds=90)
    assert len(ministry.names) == 1  # the AR is the proof: nothing went twice
