"""What the clock wakes exists, and what nobody wakes is known."""

from celery import current_app
from django.conf import settings

WOKEN_BY_A_COMMIT = {
    "actes.make_archive",
    "actes.make_bundle",
    "actes.read_text",
    "actes.send_batch",
    "delivery.wake",
    "journal.seal",
    "life.make_archive",
    "onboarding.open_cases",
    "ra.apply_campaign",
    "ra.issue",
    "ra.revoke",
}


def _ours() -> set[str]:
    """Tasks of the rooms; a test that ran before may have registered some of its own."""
    return {
        name
        for name, task in current_app.tasks.items()
        if not name.startswith("celery.") and not task.run.__module__.startswith("tests.")
    }


def test_every_line_of_the_clock_names_a_task() -> None:
    assert {line["task"] for line in settings.CELERY_BEAT_SCHEDULE.values()} <= _ours()


def test_a_task_without_a_clock_is_woken_by_a_commit() -> None:
    clocked = {line["task"] for line in settings.CELERY_BEAT_SCHEDULE.values()}
    assert _ours() - clocked == WOKEN_BY_A_COMMIT
