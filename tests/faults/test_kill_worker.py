"""kill -9 of the worker loses nothing and sends nothing twice: the operator itself counts."""

import random
import time

import pytest

from tests.faults.conftest import Ground

pytestmark = pytest.mark.xdist_group("faults")

PREPARE = """
from datetime import timedelta
from django.utils import timezone
from django_tenants.utils import tenant_context
from socle.accounts.capabilities import Role
from socle.directory.models import TransmissionRight
from tenants.models import Tenant
from tests.people import person
from tests.faults.flows import prepare_flow

now = timezone.now()
tenant = Tenant.objects.select_related("organisation").get(organisation__insee="79174")
TransmissionRight.objects.create(organisation=tenant.organisation, protocol="helios",
    operator="exercice", reference="Essai", starts_on=now.date() - timedelta(days=9))
tenant.organisation.siret = "20008151100012"
tenant.organisation.save()
who = person(Role.TRANSMITTER, at=tenant.organisation)
with tenant_context(tenant):
    for number in range({count}):
        prepare_flow(number, by=who, at=now)
"""
MORE = """
from django.utils import timezone
from django_tenants.utils import tenant_context
from socle.accounts.models import Person
from tenants.models import Tenant
from tests.faults.flows import prepare_flow

tenant = Tenant.objects.get(organisation__insee="79174")
who = Person.objects.get(grants__organisation=tenant.organisation)
with tenant_context(tenant):
    for number in range({first}, {first} + {count}):
        prepare_flow(number, by=who, at=timezone.now())
"""
STATES = "SELECT state, count(*) FROM delivery_outbound GROUP BY state"


COLLECT = """
from socle.delivery import tasks
print(tasks.collect())
"""


def _sent(ground: Ground, count: int) -> bool:
    return ground.query(STATES) == [("sent", count)]


def test_killed_between_bytes_sent_and_result_stored(ground: Ground) -> None:
    ground.python(PREPARE.format(count=1))
    ground.operator.break_down("slow-answer:60")
    ground.start_beat()
    worker = ground.start_worker()
    ground.wait(lambda: ground.operator.counters()["deposits"] == 1)
    ground.kill(worker)
    assert ground.query(STATES) == [("sending", 1)]

    ground.operator.break_down("ok")
    ground.start_worker()
    ground.wait(lambda: _sent(ground, 1))

    assert ground.operator.counters()["deposits"] == 1
    assert ground.operator.counters()["doubles"] == 0
    ground.wait(lambda: ground.query("SELECT count(*) FROM delivery_inbound") == [(1,)])
    told = "SELECT count(*) FROM t_200081511.journal_entry WHERE event = 'delivery.sent'"
    assert ground.query(told) == [(1,)]
    flows = "SELECT state FROM t_200081511.helios_pesflow"
    ground.wait(lambda: ground.query(flows) == [("accepted",)])


def test_killed_before_the_result_and_answered_before_the_lease_ends(ground: Ground) -> None:
    ground.python(PREPARE.format(count=1))
    ground.operator.break_down("slow-answer:60")
    ground.start_beat()
    worker = ground.start_worker()
    ground.wait(lambda: ground.operator.counters()["deposits"] == 1)
    ground.kill(worker)

    ground.operator.break_down("ok")
    ground.operator.wait_until_treated()
    assert ground.python(COLLECT).strip() == "1"  # the acquit is here, the outcome is not
    assert ground.query(STATES) == [("sending", 1)]
    ground.start_worker()
    ground.wait(lambda: _sent(ground, 1))
    assert ground.operator.counters()["deposits"] == 1


@pytest.mark.slow
def test_killed_at_any_moment(ground: Ground) -> None:
    rounds, each, moments = 4, 4, random.Random(20261124)  # noqa: S311 - moments, not secrets
    ground.python(PREPARE.format(count=0))
    ground.operator.break_down("slow-answer:0.3")
    ground.start_beat()
    for number in range(rounds):
        # However fast the worker before was, this one finds some work to be killed at.
        ground.python(MORE.format(first=number * each, count=each))
        worker = ground.start_worker()
        before = ground.operator.counters()["deposits"]
        ground.wait(lambda before=before: ground.operator.counters()["deposits"] > before)
        time.sleep(moments.uniform(0, 0.8))
        ground.kill(worker)
        time.sleep(3.1)  # the lease of whatever it held

    ground.start_worker()
    ground.wait(lambda: _sent(ground, rounds * each))
    assert ground.operator.counters()["deposits"] == rounds * each
    assert ground.operator.counters()["doubles"] == 0
