"""Conventions with the authorities, operators and their powers, denials. In the public schema."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from registration_authority.models import CertificationAuthority
from socle.accounts.models import Person


class Power(models.TextChoices):
    """What an operator may do for one authority; each is given by itself."""

    CHECK_FILE = "check_file", "Vérifier les dossiers"
    FACE_TO_FACE = "face_to_face", "Recevoir en face à face"
    HAND_OVER = "hand_over", "Remettre les certificats"
    APPROVE = "approve", "Approuver les demandes"
    STOCK = "stock", "Tenir le stock des supports"


class Convention(models.Model):
    """The agreement by which an authority delegates the registration to us (AED)."""

    authority = models.ForeignKey(
        CertificationAuthority, on_delete=models.PROTECT, related_name="conventions"
    )
    reference = models.CharField("référence", max_length=80)
    signed_on = models.DateField("signée le")
    starts_on = models.DateField("en vigueur à partir du")
    ends_on = models.DateField("jusqu’au", null=True)
    training_months = models.PositiveSmallIntegerField("formation valable (mois)", default=24)
    """How long an operator's training holds, as this convention says."""
    document = models.UUIDField()
    """The signed convention, in the public schema."""
    document_sha256 = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("authority", "reference"), name="%(app_label)s_%(class)s_one_reference"
            ),
            models.CheckConstraint(
                condition=Q(starts_on__gte=F("signed_on")),
                name="%(app_label)s_%(class)s_signed_before",
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="%(app_label)s_%(class)s_ends_after_it_starts",
            ),
        )
        ordering = ("authority", "-starts_on")

    def __str__(self) -> str:
        return f"{self.authority}, convention {self.reference}"


class Operator(models.Model):
    """One person, trained and named under one convention, and what she may do."""

    convention = models.ForeignKey(Convention, on_delete=models.PROTECT, related_name="operators")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="accreditations")
    powers = ArrayField(models.CharField(max_length=12, choices=Power))
    trained_on = models.DateField("formée le")
    charter_signed_on = models.DateField("charte signée le")
    starts_on = models.DateField("à partir du")
    ends_on = models.DateField("jusqu’au", null=True)
    named_at = models.DateTimeField()
    named_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    removal_reason = models.CharField("motif du retrait", max_length=300, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("convention", "person"),
                condition=Q(removed_at=None),
                name="%(app_label)s_%(class)s_named_once",
            ),
            models.CheckConstraint(
                condition=~Q(named_by=F("person")), name="%(app_label)s_%(class)s_four_eyes"
            ),
            models.CheckConstraint(
                condition=~Q(powers=[]), name="%(app_label)s_%(class)s_may_something"
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None, removed_by=None, removal_reason="")
                | Q(removed_at__isnull=False, removed_by__isnull=False) & ~Q(removal_reason=""),
                name="%(app_label)s_%(class)s_removal_is_whole",
            ),
        )
        ordering = ("person__last_name", "person__first_name", "pk")

    def __str__(self) -> str:
        return str(self.person)


class Denial(models.Model):
    """What a person may not do, whatever she was granted: a denial beats every grant."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    power = models.CharField(max_length=12, choices=Power)
    authority = models.ForeignKey(
        CertificationAuthority, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """Without an authority the denial holds for all of them."""
    reason = models.CharField("motif", max_length=300)
    denied_at = models.DateTimeField()
    denied_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("person", "power", "authority"),
                condition=Q(lifted_at=None),
                nulls_distinct=False,
                name="%(app_label)s_%(class)s_once",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None)
                | Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lifted_by=F("person")),
                name="%(app_label)s_%(class)s_not_lifted_by_herself",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="%(app_label)s_%(class)s_has_a_reason"
            ),
        )
