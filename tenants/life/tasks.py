"""Wake-up calls of the life of spaces; what is due stands in the tables."""

import logging

from celery import shared_task
from django.db import DatabaseError, transaction
from django.utils import timezone

from socle.core import queue
from tenants.life import archives, destroying, queries

log = logging.getLogger(__name__)


@shared_task(name="life.make_archive", acks_late=True)
def make_archive(*, schema: str, archive_id: int) -> bool:
    """Make one package, however many times this message is delivered."""
    return archives.make(archive_id=archive_id, at=timezone.now())


@shared_task(name="life.sweep")
def sweep() -> int:
    """Take up lost archives, erase old packages, begin and finish destructions that are due.

    Returns how many things were done. One that fails does not stop the others.
    """
    now, done = timezone.now(), 0
    done += archives.erase_old(at=now)
    with transaction.atomic():
        for archive_id in queries.lost_archives(at=now):
            queue.after_commit("life.make_archive", archive_id=archive_id)
    for destruction_id in queries.due_destructions(at=now):
        try:
            done += destroying.go_on(destruction_id=destruction_id, at=timezone.now())
        except DatabaseError:  # a lock that did not come: the next round tries again
            log.exception("the destruction %s goes on later", destruction_id)
    return done
