"""What the syndicat publishes for all its communes together."""

from django.db import models

from socle.documents.models import StoredFile


class Edition(models.Model):
    """The délibérations every commune has posted, in one file, as they stood one night."""

    stored = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    """When this very content was first gathered."""
    checked_at = models.DateTimeField()
    """When it was last found to be still the same."""
    lines = models.PositiveIntegerField()
    bodies = models.JSONField(default=list)
    """One {"name", "siren", "host", "lines"} for each body with posted délibérations, by name."""

    class Meta:
        ordering = ("-made_at", "-pk")

    def __str__(self) -> str:
        return f"{self.lines} délibérations, {self.made_at:%d/%m/%Y}"
