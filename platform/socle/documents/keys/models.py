"""The wrapped data keys."""

import uuid

from django.db import models


class DataKey(models.Model):
    """The key of all the files of one schema, sealed by the master key `master_id` names."""

    scope = models.CharField("schéma", max_length=63, unique=True)
    key_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    wrapped = models.BinaryField()
    master_id = models.CharField(max_length=16)

    class Meta:
        verbose_name = "clé de données"
        verbose_name_plural = "clés de données"
        default_permissions = ()

    def __str__(self) -> str:
        return self.scope
