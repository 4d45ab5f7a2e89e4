"""kill -9 in the middle of an export of hundreds of acts: what was made stays, the rest follows."""

import pytest

from tests.faults.conftest import Ground

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

PREPARE = """
from datetime import date
from django.utils import timezone
from django_tenants.utils import tenant_context
from socle.accounts.capabilities import Role
from socle.actes import bundles
from socle.actes.models import Act, ActFile
from socle.documents import actions as documents
from tenants.models import Tenant
from tests.people import person

now = timezone.now()
tenant = Tenant.objects.select_related("organisation").get(organisation__insee="79174")
who = person(Role.READER, at=tenant.organisation)
with tenant_context(tenant):
    stored = documents.store(content=b"%PDF-1.7", name="acte.pdf", by="essai", at=now)
    acts = Act.objects.bulk_create(
        Act(number=f"2026_{n:04}", nature=1, matter="5.2", objet=f"Acte {n}", state="queued",
            decided_on=date(2026, 1, 5), created_at=now, deposited_at=now)
        for n in range(300)
    )
    ActFile.objects.bulk_create(ActFile(act=a, role="main", rank=1, stored=stored) for a in acts)
    bundles.ask(acts=[act.pk for act in acts], by=who, at=now)
"""
GO_ON = """
from datetime import timedelta
from django.utils import timezone
from socle.actes import bundles
from socle.actes.models import Bundle
from socle.core import fences

with fences.inside("t_200081511"):
    later = timezone.now() + timedelta(minutes=5)
    print(bundles.make(bundle_id=Bundle.objects.get().pk, at=later))
"""
VOLUMES = "SELECT rank, acts, content_id FROM t_200081511.actes_bundlevolume ORDER BY rank"
STATE = "SELECT state, done FROM t_200081511.actes_bundle"


def test_an_export_killed_in_its_second_volume_keeps_the_first(ground: Ground) -> None:
    ground.python(PREPARE)
    worker = ground.start_worker()
    ground.wait(lambda: len(ground.query(VOLUMES)) == 1)
    ground.kill(worker)
    [first] = ground.query(VOLUMES)
    [(state, done)] = ground.query(STATE)
    assert (state, done >= 200) == ("waiting", True)

    assert ground.python(GO_ON).strip() == "True"

    volumes = ground.query(VOLUMES)
    assert volumes[0] == first
    assert [(rank, acts) for rank, acts, _ in volumes] == [(1, 200), (2, 100)]
    assert ground.query(STATE) == [("done", 300)]
