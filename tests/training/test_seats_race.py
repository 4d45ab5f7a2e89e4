"""The last seat, when several agents want it at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

from django.db import connections

from socle.accounts.capabilities import Role
from socle.directory import queries as directory
from socle.directory.models import Organisation
from tests.billing.databases import own_database
from tests.training.builders import agent, enrol, plan, someone

AGENTS = 4


def test_the_last_seat_is_given_once(
    django_db_setup: None, django_db_blocker: Any, noon: datetime
) -> None:
    with own_database(django_db_blocker):
        melle = Organisation.objects.get(siren="200081511")
        trainer = someone(Role.TRAINER, at=directory.syndicat())
        session = plan(trainer, noon.replace(day=30), at=noon, seats=1)
        people = [agent(melle) for _ in range(AGENTS)]
        ready = Barrier(AGENTS)

        def join(number: int) -> str:
            ready.wait(timeout=10)
            try:
                return str(enrol(session, people[number], melle, noon).state)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(AGENTS) as pool:
            states = sorted(pool.map(join, range(AGENTS)))
    assert states == ["confirmed", *["waiting"] * (AGENTS - 1)]
