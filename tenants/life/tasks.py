"""Wake-up calls of the life of spaces; what is due stands in the tables."""

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from socle.core import queue, sweeps
from tenants.life import archives, destroying, queries


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
    done += sum(sweeps.each("Espace à détruire", queries.due_destructions(at=now), _destroy))
    return done


def _destroy(destruction_id: int) -> bool:
    """A lock that does not come is waited for at the next round."""
    return destroying.go_on(destruction_id=destruction_id, at=timezone.now())
