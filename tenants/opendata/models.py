"""What the syndicat publishes for all its communes together."""

from django.db import models


class Edition(models.Model):
    """The délibérations every commune has posted, in one file, as they stood one night."""

    stored = models.UUIDField()
    """The file, in the vault of the portal. No foreign key: a commune that forgets a file of hers
    would have to look in this table, which is not hers."""
    sha256 = models.CharField(max_length=64)
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
