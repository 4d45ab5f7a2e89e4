"""Slots the counter offers and the appointments taken in them. In the public schema."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from registration_authority.models import CertificateFile, holds_no_secret
from socle.accounts.models import Person
from socle.directory.models import Organisation


class SlotKind(models.TextChoices):
    ROOM = "room", "Au guichet"
    VISIT = "visit", "Dans la commune"


class Slot(models.Model):
    """One time at which an officer receives one person."""

    kind = models.CharField(max_length=5, choices=SlotKind)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """A visit is for the people of one commune; a slot at the counter is for all."""
    officer = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    place = models.CharField("lieu", max_length=120)
    starts_at = models.DateTimeField("début")
    ends_at = models.DateTimeField("fin")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    checklist = ArrayField(models.CharField(max_length=120), default=list)
    """What to take along, as the policies of the offers said when the visit was planned."""
    ticked = ArrayField(models.CharField(max_length=120), default=list)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="%(app_label)s_%(class)s_lasts"
            ),
            models.CheckConstraint(
                condition=Q(kind=SlotKind.ROOM, organisation=None)
                | Q(kind=SlotKind.VISIT, organisation__isnull=False),
                name="%(app_label)s_%(class)s_visits_a_commune",
            ),
            models.UniqueConstraint(
                fields=("officer", "starts_at"),
                condition=Q(closed_at=None),
                name="%(app_label)s_%(class)s_one_at_a_time",
            ),
            holds_no_secret("place"),
        )
        ordering = ("starts_at", "pk")
        indexes = (models.Index(fields=("starts_at",), name="ra_slot_start"),)


class Appointment(models.Model):
    """A slot taken for a file. Moved or cancelled, the line stays and the slot is free again."""

    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="appointments")
    file = models.ForeignKey(CertificateFile, on_delete=models.PROTECT, related_name="appointments")
    booked_at = models.DateTimeField()
    booked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    cancelled_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    honoured_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("slot",),
                condition=Q(cancelled_at=None),
                name="%(app_label)s_%(class)s_one_per_slot",
            ),
            models.UniqueConstraint(
                fields=("file",),
                condition=Q(cancelled_at=None, honoured_at=None),
                name="%(app_label)s_%(class)s_one_per_file",
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at=None, cancelled_by=None)
                | Q(cancelled_at__isnull=False, cancelled_by__isnull=False, honoured_at=None),
                name="%(app_label)s_%(class)s_cancelling_is_whole",
            ),
        )
        ordering = ("-booked_at", "-pk")
