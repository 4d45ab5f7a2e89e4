"""A pod that is told to leave finishes what it holds; two clocks wake the same work once."""

import contextlib
import http.client
import threading
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from socle.config.celery import app
from socle.core.roles import WEB
from socle.stack.postgres import SUPERUSER
from tests.faults.conftest import Ground
from tests.faults.test_kill_worker import PREPARE, STATES, _sent

pytestmark = pytest.mark.xdist_group("faults")

SESSION = """
from tenants.models import Tenant
from socle.accounts.models import Person
from django.contrib.sessions.backends.db import SessionStore
store = SessionStore()
store["essai"] = 1
store.save()
print(store.session_key)
"""


def test_a_worker_that_is_told_to_leave_sends_what_it_holds(ground: Ground) -> None:
    ground.python(PREPARE.format(count=1))
    ground.operator.break_down("slow-answer:2")
    worker = ground.start_worker()
    ground.wait(lambda: ground.operator.counters()["deposits"] == 1)
    assert ground.query(STATES) == [("sending", 1)]

    assert ground.end(worker) == 0

    assert ground.query(STATES) == [("sent", 1)]
    assert ground.operator.counters()["deposits"] == 1
    assert ground.query("SELECT maybe_received, attempts FROM delivery_outbound") == [(False, 1)]


def test_a_web_process_that_is_told_to_leave_answers_what_it_was_asked(ground: Ground) -> None:
    key = ground.python(SESSION).strip()
    web, port = ground.start_web()
    got: list[int] = []

    def ask() -> None:
        headers = {"Host": "localhost", "Cookie": f"socle_session={key}"}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as client:
            client.request("GET", "/", headers=headers)
            got.append(client.getresponse().status)

    superuser = ground.database.replace(WEB, SUPERUSER)
    with psycopg.connect(superuser) as db:
        db.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")  # the request waits
        asking = threading.Thread(target=ask)
        asking.start()
        asking.join(1)
        web.terminate()
        ground.wait(lambda: "Handling signal: term" in ground.log.read_text())
        assert got == []
        assert web.poll() is None, "it waits for the page"
    asking.join(30)
    assert web.wait(30) == 0
    assert got == [302]


def test_two_clocks_and_two_workers_send_each_file_once(ground: Ground) -> None:
    ground.python(PREPARE.format(count=4))
    for _ in range(2):
        ground.start_beat()
        ground.start_worker()
    ground.wait(lambda: _sent(ground, 4))
    inbound = (
        "SELECT count(*), count(DISTINCT sha256) FROM delivery_inbound WHERE state = 'matched'"
    )
    ground.wait(lambda: ground.query(inbound) == [(4, 4)])

    assert ground.operator.counters()["deposits"] == 4
    assert ground.operator.counters()["doubles"] == 0
    told = "SELECT count(*) FROM t_200081511.journal_entry WHERE event = 'delivery.sent'"
    assert ground.query(told) == [(4,)]


@pytest.mark.parametrize("task", sorted({sweep["task"] for sweep in settings.SWEEPS.values()}))
def test_a_sweep_that_comes_twice_changes_nothing_the_second_time(town: Any, task: str) -> None:
    connection.set_schema_to_public()
    sweep = app.tasks[task]
    sweep()
    before = _rows()
    sweep()
    assert _rows() == before, f"{task} at {timezone.now()}"


def _rows() -> dict[str, int]:
    """How many rows every table holds, in the public schema and in every commune's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
            "WHERE schemaname = 'public' OR schemaname LIKE 't\\_%'"
        )
        tables = [row[0] for row in cursor.fetchall()]
        counts = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 -- names of the catalogue
            counts[table] = cursor.fetchone()[0]
    return counts
