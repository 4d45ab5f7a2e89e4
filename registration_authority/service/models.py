"""What the services downstream trust, and their accounts to pair with a new certificate."""

from django.db import models
from django.db.models import Q

from registration_authority.models import Certificate
from socle.accounts.models import Person
from socle.delivery.models import TransmissionOperator
from socle.s2low.models import S2lowAccount


class TrustStore(models.Model):
    """The authorities an operator of transmission accepts certificates from (S²LOW: validca)."""

    operator = models.OneToOneField(
        TransmissionOperator, on_delete=models.PROTECT, related_name="trust_store"
    )
    certificates_pem = models.TextField()
    count = models.PositiveIntegerField()
    brought_at = models.DateTimeField()
    brought_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(count__gt=0), name="%(app_label)s_%(class)s_trusts_somebody"
            ),
        )


class PairingState(models.TextChoices):
    WAITING = "waiting", "À appairer"
    PAIRED = "paired", "Appairé, appel réussi"
    FAILED = "failed", "Appel refusé"


class Pairing(models.Model):
    """An account that used the former certificate, until a live call worked with the new one."""

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="pairings")
    """The new certificate."""
    account = models.ForeignKey(S2lowAccount, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=7, choices=PairingState, default=PairingState.WAITING)
    tried_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("certificate", "account"), name="%(app_label)s_%(class)s_once"
            ),
            models.CheckConstraint(
                condition=Q(state=PairingState.WAITING, tried_at=None)
                | ~Q(state=PairingState.WAITING) & Q(tried_at__isnull=False),
                name="%(app_label)s_%(class)s_tried_is_whole",
            ),
        )
