"""What we know of a file kept in the vault."""

import uuid

from django.db import models
from django.db.models import F, Q


class StoredFile(models.Model):
    """One deposit of one file. Its content never changes: the database refuses it.

    The same content deposited twice is two rows and one encrypted blob, named by its digest.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField("nom d’origine", max_length=255)
    media_type = models.CharField("type", max_length=127)
    size = models.BigIntegerField("taille en octets")
    sha256 = models.CharField("empreinte SHA-256 du contenu", max_length=64, db_index=True)
    storage_key = models.CharField(max_length=200, editable=False)
    created_at = models.DateTimeField("déposé le")
    created_by_label = models.CharField("déposé par", max_length=200)

    class Meta:
        verbose_name = "fichier conservé"
        verbose_name_plural = "fichiers conservés"
        default_permissions = ()
        constraints = (
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_sha256_is_hex",
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
            ),
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_size_counts",
                condition=Q(size__gte=0),
            ),
            models.CheckConstraint(
                name="%(app_label)s_%(class)s_key_is_digest",
                condition=Q(storage_key__endswith=F("sha256")),
            ),
        )

    def __str__(self) -> str:
        return self.name
