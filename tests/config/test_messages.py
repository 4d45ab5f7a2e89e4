"""What a message says beside its task: the server, and how often it was tried."""

from typing import Any

import pytest
from django.conf import settings

from registration_authority.adapters import AuthorityUnavailable
from socle.config.celery import app
from socle.core import cells
from socle.core.messages import CELL, message_to, queue_of


def test_a_task_that_fails_is_tried_again_with_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    task = app.tasks["ra.issue"]
    seen: list[Any] = []

    def fail(**_: Any) -> None:
        seen.append((task.request.retries, task.request.headers[CELL]))
        raise AuthorityUnavailable("no answer")

    monkeypatch.setattr(task, "_orig_run", fail)
    task.apply(kwargs={"schema": "public", "request_id": 1}, headers={CELL: "main"})
    assert seen == [(number, "main") for number in range(task.max_retries + 1)]


def test_every_sweep_has_a_message_for_every_cell() -> None:
    lines = settings.CELERY_BEAT_SCHEDULE
    assert set(lines) == {f"{name}@{cell}" for name in settings.SWEEPS for cell in cells.names()}
    assert all(line["options"] == message_to("main") for line in lines.values())
    assert {queue.name for queue in settings.CELERY_TASK_QUEUES} == {queue_of("main")}
