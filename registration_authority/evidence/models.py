"""How long each thing is kept, and what remains when it is gone."""

from django.db import models

from registration_authority.dossier.models import Clock
from registration_authority.models import CertificateFile, Offer


class ArchivePlace(models.TextChoices):
    AUTHORITY = "authority", "chez l’autorité de certification"
    COUNTER = "counter", "au syndicat"


class RetentionRules(models.Model):
    """What an offer said of keeping before `PolicyProfile` did: kept for the release of before.

    Nothing reads or writes it any more; the table goes with the next release (ADR 0012).
    """

    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, related_name="retention_rules")
    place = models.CharField(
        "l’original est gardé", max_length=9, choices=ArchivePlace, default=ArchivePlace.COUNTER
    )
    years_after_end = models.PositiveSmallIntegerField(
        "années de conservation après la fin du certificat", default=7
    )
    working_copy_days = models.PositiveSmallIntegerField(
        "jours de conservation de notre copie, quand l’autorité archive", default=60
    )


class Tombstone(models.Model):
    """What remains of a purged document: which it was and its hash, nobody's name."""

    file = models.ForeignKey(CertificateFile, on_delete=models.PROTECT, related_name="tombstones")
    what = models.CharField(max_length=80)
    content = models.UUIDField(unique=True)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    clock = models.CharField(max_length=9, choices=Clock, blank=True, default="", db_default="")
    """Which clock ran out; empty for what was purged before it was noted."""
    kept_from = models.DateTimeField()
    purged_at = models.DateTimeField()

    class Meta:
        ordering = ("file", "pk")
