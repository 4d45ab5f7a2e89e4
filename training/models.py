"""Programmes, sessions, who comes, who was there. All in the public schema.

An agent of one commune sits beside those of others: rows carry the organisation she comes for.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from socle.directory.models import Organisation
from training import wording

PERSON = settings.AUTH_USER_MODEL


class Programme(models.Model):
    """What is taught, however many times."""

    title = models.CharField("intitulé", max_length=160, unique=True)
    minutes = models.PositiveIntegerField("durée en minutes")
    objectives = models.TextField("objectifs")
    prerequisites = models.TextField("prérequis", blank=True)
    is_offered = models.BooleanField("proposé", default=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(minutes__gt=0), name="training_programme_takes_time"
            ),
        )
        ordering = ("title",)

    def __str__(self) -> str:
        return self.title

    @property
    def duration(self) -> str:
        """« 2 h 30 »."""
        return wording.duration(self.minutes)


class SessionState(models.TextChoices):
    PLANNED = "planned", "Préparée"
    OPEN = "open", "Inscriptions ouvertes"
    HELD = "held", "Tenue, à clôturer"
    CLOSED = "closed", "Clôturée"
    CANCELLED = "cancelled", "Annulée"


class TrainingSession(models.Model):
    """A programme given on some half-days, by one trainer, to as many agents as there are seats."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="sessions")
    trainer = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    seats = models.PositiveSmallIntegerField("places")
    place = models.CharField("lieu", max_length=300, blank=True)
    remote_link = models.URLField("lien de visioconférence", max_length=500, blank=True)
    state = models.CharField(
        max_length=9, choices=SessionState, default=SessionState.PLANNED, db_index=True
    )
    starts_at = models.DateTimeField(db_index=True)
    ends_at = models.DateTimeField()
    sequence = models.PositiveIntegerField(default=0)
    """How many times participants were told of a change (SEQUENCE of RFC 5545)."""
    cancelled_reason = models.CharField("motif", max_length=300, blank=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(seats__gt=0), name="training_session_has_seats"),
            models.CheckConstraint(
                condition=~Q(place="") | ~Q(remote_link=""), name="training_session_is_somewhere"
            ),
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at")), name="training_session_dates_are_ordered"
            ),
            models.CheckConstraint(
                condition=Q(state="cancelled") & ~Q(cancelled_reason="")
                | ~Q(state="cancelled") & Q(cancelled_reason=""),
                name="training_cancelled_session_says_why",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False, closed_by__isnull=False)
                | ~Q(state="closed") & Q(closed_at=None, closed_by=None),
                name="training_closing_is_whole",
            ),
        )
        ordering = ("starts_at", "pk")

    def __str__(self) -> str:
        return str(self.programme)

    @property
    def where(self) -> str:
        """The place, or that it is remote."""
        return self.place or "À distance"


class AttendanceSlot(models.Model):
    """One half-day of a session: the unit of attendance (émargement)."""

    session = models.ForeignKey(TrainingSession, on_delete=models.CASCADE, related_name="slots")
    rank = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("session", "rank"), name="training_one_slot_each_rank"),
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at")), name="training_slot_ends_after_it_starts"
            ),
        )
        ordering = ("session", "rank")

    @property
    def minutes(self) -> int:
        """How long it lasts."""
        return int((self.ends_at - self.starts_at).total_seconds()) // 60

    @property
    def said(self) -> str:
        """« 24/11/2026 de 9 h 00 à 11 h 30 »."""
        return wording.span(self.starts_at, self.ends_at)

    @property
    def half_day(self) -> str:
        """« 24/11/2026 matin »."""
        return wording.half_day(self.starts_at)


class RegistrationState(models.TextChoices):
    CONFIRMED = "confirmed", "Inscrit"
    WAITING = "waiting", "En liste d’attente"
    WITHDRAWN = "withdrawn", "Désisté"


class Registration(models.Model):
    """One agent of one organisation who comes to one session, or waits for a seat."""

    session = models.ForeignKey(
        TrainingSession, on_delete=models.PROTECT, related_name="registrations"
    )
    person = models.ForeignKey(
        PERSON, on_delete=models.PROTECT, related_name="training_registrations"
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="training_registrations"
    )
    state = models.CharField(max_length=9, choices=RegistrationState)
    registered_at = models.DateTimeField()
    registered_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    """What a calendar program knows this place by."""
    convened_at = models.DateTimeField(null=True)
    convened_sequence = models.PositiveIntegerField(null=True)
    """The session's `sequence` when the agent was last told where and when."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("session", "person"),
                condition=~Q(state="withdrawn"),
                name="training_one_registration_each",
            ),
            models.CheckConstraint(
                condition=Q(convened_at=None, convened_sequence=None)
                | Q(convened_at__isnull=False, convened_sequence__isnull=False),
                name="training_convocation_is_whole",
            ),
        )
        ordering = ("registered_at", "pk")
        indexes = (models.Index(fields=("organisation", "state"), name="training_reg_of_body"),)

    def __str__(self) -> str:
        return f"{self.person} ({self.organisation})"


class Attendance(models.Model):
    """One agent present or absent for one half-day, as the trainer wrote it down."""

    slot = models.ForeignKey(AttendanceSlot, on_delete=models.PROTECT, related_name="attendances")
    registration = models.ForeignKey(
        Registration, on_delete=models.PROTECT, related_name="attendances"
    )
    is_present = models.BooleanField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("slot", "registration"), name="training_one_mark_each_half_day"
            ),
        )


class TrainingCertificate(models.Model):
    """The « certificat de réalisation » of one agent, with its words as they were that day."""

    registration = models.OneToOneField(
        Registration, on_delete=models.PROTECT, related_name="certificate"
    )
    code = models.CharField(max_length=14, unique=True)
    minutes = models.PositiveIntegerField()
    trainee = models.CharField(max_length=200)
    body = models.CharField(max_length=200)
    title = models.CharField(max_length=160)
    objectives = models.TextField()
    periods = models.JSONField()
    """The half-days really attended, in words."""
    trainer = models.CharField(max_length=200)
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    collected_at = models.DateTimeField(null=True)
    """When the agent first took it."""

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(minutes__gt=0), name="training_certificate_proves_time"
            ),
            models.CheckConstraint(
                condition=Q(code__regex=r"^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$"),
                name="training_certificate_code_is_readable",
            ),
        )
        ordering = ("-issued_at", "-pk")

    def __str__(self) -> str:
        return f"{self.title} — {self.trainee}"

    @property
    def duration(self) -> str:
        """« 2 h 30 »."""
        return wording.duration(self.minutes)
