"""Questions about notices and their mails."""

from datetime import datetime

from django.db.models import Q, QuerySet

from socle.directory import queries as directory
from socle.notices import policies
from socle.notices.models import Notice


def to_mail(*, at: datetime) -> QuerySet[Notice]:
    """What is to be mailed now, oldest first; a space that stands still keeps its own."""
    return (
        Notice.objects.filter(mailed_at=None, mail_failures__lt=policies.TRIES)
        .filter(Q(mail_after=None) | Q(mail_after__lte=at))
        .exclude(organisation_id__in=directory.stopped())
        .select_related("person", "organisation")
        .order_by("created_at", "pk")
    )


def unmailed() -> QuerySet[Notice]:
    """Mails that did not leave, those given up too. Oldest first."""
    return (
        Notice.objects.filter(mailed_at=None)
        .exclude(mail_problem="")
        .select_related("person", "organisation")
        .order_by("created_at", "pk")
    )
