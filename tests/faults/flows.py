"""Real flows of a commune, deposited and on their way."""

from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile

from socle.accounts.models import Person
from socle.helios import actions
from tests.exercise.builders import Pes

SIRET = "20008151100012"


def prepare_flow(number: int, *, by: Person, at: datetime) -> Any:
    """Deposit and transmit one PES of Melle; `number` tells it from the others."""
    name = f"PESALR2_{number:03}"
    pes = Pes(name=name, siret=SIRET, bordereaux={str(100 + number): ("Fournitures",)})
    flow = actions.deposit(file=ContentFile(pes.xml(), f"{name}.xml"), by=by, at=at)
    return actions.transmit(flow_id=flow.pk, by=by, at=at, confirmed=True)
