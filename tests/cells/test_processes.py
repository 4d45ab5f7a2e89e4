"""Real workers for communes on two servers: a message says where its work is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from socle.core.roles import WEB
from socle.stack.broker import Broker
from tests.cells.clusters import NAME
from tests.cells.conftest import MELLE, Servers
from tests.faults.conftest import Ground, ground_on
from tests.faults.test_kill_worker import PREPARE, STATES

OPEN = """
from django.utils import timezone
from socle.directory.models import Organisation
from tenants.models import Tenant
from tenants.provisioning import provision
if not Tenant.objects.filter(organisation__siren="{siren}").exists():
    provision(organisation=Organisation.objects.get(siren="{siren}"), by="tests", at=timezone.now())
"""


@pytest.fixture
def ground(two_servers: Servers, tmp_path: Path) -> Iterator[Ground]:
    """Processes that know both servers; the questions of the test go to "est"."""
    told = {name: value for name, value in two_servers.environment().items() if "SOCLE" in name}
    told = {name: told[name] for name in told if "DATABASE" in name or "CELL" in name}
    told["SOCLE_PLACEMENT"] = f"est={MELLE}"
    # One mailbox for one cell: the practice office of this test is for "est".
    with two_servers.main.connect(NAME) as db:
        db.execute("UPDATE delivery_transmissionoperator SET adapter = 's2low'")
    with Broker(tmp_path / "broker") as broker:
        for ground in ground_on(two_servers.est.url(NAME, WEB), broker, tmp_path, told):
            ground.environment["SOCLE_DATABASE_URL"] = told["SOCLE_DATABASE_URL"]
            yield ground
    with two_servers.main.connect(NAME) as db:
        db.execute("UPDATE delivery_transmissionoperator SET adapter = 'exercise'")


def _in_est(ground: Ground, code: str) -> None:
    ground.environment["SOCLE_CELL"] = "est"
    try:
        ground.python(code)
    finally:
        del ground.environment["SOCLE_CELL"]


def test_a_file_of_the_second_server_travels_there_and_back(
    ground: Ground, two_servers: Servers
) -> None:
    _in_est(ground, OPEN.format(siren=MELLE))
    _in_est(ground, PREPARE.format(count=1))
    assert ground.query(STATES) == [("due", 1)]

    worker = ground.start_worker()  # begins in "main"; woken by the commit's message alone
    ground.wait(lambda: ground.query(STATES) == [("sent", 1)])
    ground.start_beat()
    flows = f"SELECT state FROM t_{MELLE}.helios_pesflow"  # noqa: S608 -- our own name
    ground.wait(lambda: ground.query(flows) == [("accepted",)])

    with two_servers.main.connect(NAME) as db:
        for table in ("public.delivery_outbound", "public.delivery_inbound"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608

    two_servers.est.stop()
    try:
        told = len(ground.log.read_text())
        ground.wait(lambda: "delivery.collect" in _succeeded(ground.log.read_text()[told:]))
        assert worker.poll() is None
    finally:
        two_servers.est.start()


def _succeeded(log: str) -> str:
    """The lines of `log` about work that ended well."""
    return "\n".join(line for line in log.splitlines() if " succeeded in " in line)
