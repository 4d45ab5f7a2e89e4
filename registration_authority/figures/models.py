"""What a certificate costs, with the syndicat and without it."""

from django.db import models
from django.db.models import Q

from registration_authority.models import Offer


class OfferCost(models.Model):
    """The two prices of one certificate of an offer, in euros, as the syndicat compares them."""

    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, related_name="cost")
    member = models.DecimalField("prix pour la commune membre", max_digits=8, decimal_places=2)
    alone = models.DecimalField(
        "prix d’une commune seule chez l’autorité", max_digits=8, decimal_places=2
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(member__gte=0, alone__gte=0), name="%(app_label)s_%(class)s_counts"
            ),
        )
