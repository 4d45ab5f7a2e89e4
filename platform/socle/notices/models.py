"""One thing a person was told. Public schema: a person is told things by several communes."""

from django.conf import settings
from django.db import models

from socle.directory.models import Organisation


class Notice(models.Model):
    """A sentence for one person, shown in the application and sent by mail once."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices"
    )
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=200)
    body = models.TextField()
    url = models.CharField(max_length=500, blank=True)
    key = models.CharField(max_length=120)
    """What happened, e.g. "actes.acknowledged:41": telling it twice is telling it once."""
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    mail_failures = models.PositiveSmallIntegerField(default=0, db_default=0)
    """How often the server took no mail of this notice; see `policies.TRIES`."""
    mail_after = models.DateTimeField(null=True)
    """Not before: the last attempt failed."""
    mail_problem = models.CharField(max_length=300, blank=True, default="", db_default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("person", "organisation", "key"), name="notices_told_once"
            ),
        )
        ordering = ("-created_at", "-pk")
        indexes = (
            models.Index(
                fields=("created_at",),
                condition=models.Q(mailed_at=None),
                name="notices_to_mail",
            ),
        )

    def __str__(self) -> str:
        return self.subject
