"""Tell people things, once."""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.core.mail import EmailMessage
from django.db import transaction

from socle.accounts.models import Person
from socle.core import sweeps
from socle.core.names import legible, one_line
from socle.directory.models import Organisation
from socle.notices import policies, queries
from socle.notices.models import Notice

log = logging.getLogger(__name__)
BATCH = 50


def tell(
    *,
    people: Iterable[Person],
    organisation: Organisation,
    key: str,
    subject: str,
    body: str,
    at: datetime,
    url: str = "",
) -> None:
    """Leave each person a notice, to be mailed within a minute; the same `key` is told once.

    What subject and body quote may come from anybody: it is made fit for a mail here.
    """
    Notice.objects.bulk_create(
        (
            Notice(
                person=person,
                organisation=organisation,
                key=key,
                subject=one_line(subject, longest=200),
                body=legible(body),
                url=url,
                created_at=at,
            )
            for person in people
        ),
        ignore_conflicts=True,
    )


def mail_due(*, at: datetime) -> int:
    """Mail up to `BATCH` notices that were not; returns how many went out.

    A notice is marked in the transaction that sends it: a crash may mail one twice, never lose one.
    One that cannot be mailed is marked with its cause and tried later; a server that takes nothing
    twice in a row ends the round. Those of a space that stands still wait with it.
    """
    sent = silent = 0
    for _ in range(BATCH):
        with transaction.atomic():
            notice = (
                queries.to_mail(at=at).select_for_update(skip_locked=True, of=("self",)).first()
            )
            if notice is None:
                break
            problem = _try(notice, at=at)
        sent += problem is None
        silent = silent + 1 if problem is not None and policies.is_of_the_server(problem) else 0
        if silent > 1:
            break
    return sent


def _try(notice: Notice, *, at: datetime) -> Exception | None:
    """Mail one notice and write what became of it; what kept it from leaving."""
    try:
        with transaction.atomic():
            _mail(notice)
    except sweeps.PASSING:
        raise
    except Exception as fault:
        log.warning("notice %s was not mailed", notice.pk, exc_info=True)
        _note_problem(notice, fault, at=at)
        return fault
    notice.mailed_at, notice.mail_problem, notice.mail_after = at, "", None
    notice.save(update_fields=["mailed_at", "mail_problem", "mail_after"])
    return None


def _note_problem(notice: Notice, fault: Exception, *, at: datetime) -> None:
    if policies.is_of_the_server(fault):
        notice.mail_after = at + policies.SILENCE_WAIT
    else:
        notice.mail_failures += 1
        notice.mail_after = at + policies.wait_after(notice.mail_failures)
    notice.mail_problem = one_line(policies.problem(fault), longest=300)
    notice.save(update_fields=["mail_failures", "mail_after", "mail_problem"])


def _mail(notice: Notice) -> None:
    text = f"Bonjour {notice.person},\n\n{notice.body}\n\n{notice.url}\n\n{notice.organisation}\n"
    EmailMessage(
        subject=one_line(f"[{notice.organisation}] {notice.subject}", longest=300),
        body=text,
        to=[notice.person.email],
    ).send()
