"""Which software may act for a commune, and in whose name."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from socle.directory.models import Organisation


class SoftwareAccess(models.Model):
    """A login with which one software does, in the name of one person, what she may do here.

    It gives no right of its own: what the person may not do, or not any more, it may not.
    """

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="software_accesses"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="software_accesses"
    )
    software = models.CharField("logiciel", max_length=80)
    login = models.SlugField("identifiant", max_length=60, unique=True)
    secret_digest = models.CharField(max_length=64)
    """SHA-256 of a secret of 256 random bits: no dictionary holds it, nothing slower is needed."""
    opened_at = models.DateTimeField("ouvert le")
    last_used_at = models.DateTimeField("dernier passage", null=True)
    closed_at = models.DateTimeField("fermé le", null=True)

    class Meta:
        ordering = ("closed_at", "software", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(closed_at__gte=models.F("opened_at")),
                name="api_access_closed_after_opened",
            ),
        )

    def __str__(self) -> str:
        return self.software
