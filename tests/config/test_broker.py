"""A broker that is silent, or gone, must not take the site with it."""

import time
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from django.test import Client

from socle.config import celery as ours
from socle.config import health
from socle.config.environment import BROKER_PATIENCE, Environment
from socle.core import queue
from tests.config.silence import KINDS, silent_broker
from tests.config.test_environment import GOOD

LIMIT = BROKER_PATIENCE + 2  # what a slow machine adds

Capture = Any


@pytest.fixture(params=KINDS, ids=["redis", "amqp"])
def silent(request: pytest.FixtureRequest) -> Any:
    with silent_broker(request.param) as app:
        yield app


def test_celery_is_told_the_limits_of_the_environment() -> None:
    told = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    assert told == settings.ENVIRONMENT.broker_options()
    assert settings.CELERY_BROKER_CONNECTION_TIMEOUT == BROKER_PATIENCE


@pytest.mark.parametrize(
    "url", ["redis://b/0", "rediss://b/0", "sentinel://b", "redis+socket:///b"]
)
def test_redis_has_two_limits(url: str) -> None:
    options = Environment.read(GOOD | {"SOCLE_BROKER_URL": url}).broker_options()
    assert 2 <= options["socket_connect_timeout"] <= 5
    assert 2 <= options["socket_timeout"] <= 5


@pytest.mark.parametrize("url", ["amqp://b//", "amqps://b//"])
def test_rabbitmq_has_three_limits(url: str) -> None:
    options = Environment.read(GOOD | {"SOCLE_BROKER_URL": url}).broker_options()
    assert all(2 <= options[name] <= 5 for name in ("connect_timeout", "read_timeout"))
    assert 2 <= options["write_timeout"] <= 5


def test_the_probe_does_not_wait_for_a_silent_broker(
    silent: Celery, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "app", silent)
    health.check_serves("main")  # the first look at the schema reads the migrations of the code
    start = time.monotonic()
    ready = Client(HTTP_HOST="10.1.2.3").get(health.READY)
    assert time.monotonic() - start < LIMIT
    assert ready.status_code == 200
    assert ready.json() == {
        "base": True,
        "cellules": {"main": "ok"},
        "courtier": False,
        "antivirus": "aucun",
    }


def test_a_request_waits_once_for_a_silent_broker_however_much_it_queues(
    silent: Celery,
    portal: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Capture,
) -> None:
    monkeypatch.setattr(queue, "current_app", silent)
    start = time.monotonic()
    for _ in range(2):  # two requests of one process
        with django_capture_on_commit_callbacks(execute=True) as queued:
            for _ in range(3):
                queue.after_commit("silence.wake")
        assert len(queued) == 3
    assert time.monotonic() - start < LIMIT


def test_a_broker_that_is_back_is_asked_again(
    portal: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Capture
) -> None:
    sent: list[dict[str, Any]] = []
    with silent_broker(KINDS[0]) as app:
        monkeypatch.setattr(queue, "current_app", app)
        monkeypatch.setattr(
            app.tasks["silence.wake"], "apply_async", lambda **how: sent.append(how["kwargs"])
        )
        monkeypatch.setitem(queue._silent_until, app.conf.broker_url, time.monotonic() - 1)
        with django_capture_on_commit_callbacks(execute=True):
            queue.after_commit("silence.wake", number=7)
    assert sent == [{"schema": connection.schema_name, "number": 7}]
