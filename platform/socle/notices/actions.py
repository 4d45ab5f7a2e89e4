"""Tell people things, once."""

from collections.abc import Iterable
from datetime import datetime

from django.core.mail import EmailMessage
from django.db import transaction

from socle.accounts.models import Person
from socle.core.names import legible, one_line
from socle.directory import queries as directory
from socle.directory.models import Organisation
from socle.notices.models import Notice

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
    Those of a space that stands still wait with it.
    """
    sent = 0
    for _ in range(BATCH):
        with transaction.atomic():
            notice = (
                Notice.objects.select_for_update(skip_locked=True, of=("self",))
                .filter(mailed_at=None)
                .exclude(organisation_id__in=directory.stopped())
                .select_related("person", "organisation")
                .order_by("created_at")
                .first()
            )
            if notice is None:
                break
            _mail(notice)
            notice.mailed_at = at
            notice.save(update_fields=["mailed_at"])
            sent += 1
    return sent


def _mail(notice: Notice) -> None:
    text = f"Bonjour {notice.person},\n\n{notice.body}\n\n{notice.url}\n\n{notice.organisation}\n"
    EmailMessage(
        subject=f"[{notice.organisation}] {notice.subject}",
        body=text,
        to=[notice.person.email],
    ).send()
