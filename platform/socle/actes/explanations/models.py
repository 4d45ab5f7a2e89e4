"""The texts the syndicat wrote; what it did not write is in `texts.json`."""

from django.db import models


class Explanation(models.Model):
    """What a code of the State means and what to do, in the syndicat's words."""

    code = models.CharField("code", max_length=40, unique=True)
    meaning = models.TextField("ce que cela veut dire")
    remedy = models.TextField("ce qu’il faut faire")
    written_at = models.DateTimeField("écrit le")
    written_by_label = models.CharField("écrit par", max_length=200)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(code="") & ~models.Q(meaning="") & ~models.Q(remedy=""),
                name="explanations_whole",
            ),
        )
        ordering = ("code",)

    def __str__(self) -> str:
        return self.code
