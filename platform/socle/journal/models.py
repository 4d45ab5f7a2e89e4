"""Entries and seals. The migration's triggers refuse UPDATE, DELETE, TRUNCATE and gaps."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact, GreaterThan

from socle.journal import events
from socle.journal.canonical import EVENT_CODE, EntryLine, SealLine
from socle.journal.merkle import HASH_SIZE


class Outcome(models.TextChoices):
    DONE = "done", "fait"
    REFUSED = "refused", "refusé"


class Entry(models.Model):
    """One event. Written by `actions.record` only; `position` counts from 1 without gap."""

    position = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    event = models.TextField()
    subject_type = models.TextField()
    subject_id = models.TextField()
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.TextField()
    outcome = models.TextField(choices=Outcome)
    detail = models.JSONField()
    leaf_hash = models.BinaryField(max_length=HASH_SIZE)

    class Meta:
        ordering = ("position",)
        verbose_name = "écriture"
        indexes = (
            models.Index(
                name="journal_entry_of_subject", fields=["subject_type", "subject_id", "position"]
            ),
            models.Index(
                name="journal_entry_of_event",
                fields=["event", "position"],
                opclasses=["text_pattern_ops", "int8_ops"],
            ),
            models.Index(name="journal_entry_at", fields=["at"]),
        )
        constraints = (
            models.CheckConstraint(name="journal_entry_from_one", condition=Q(position__gte=1)),
            models.CheckConstraint(
                name="journal_entry_event_code", condition=Q(event__regex=EVENT_CODE)
            ),
            models.CheckConstraint(
                name="journal_entry_outcome", condition=Q(outcome__in=Outcome.values)
            ),
            models.CheckConstraint(
                name="journal_entry_named",
                condition=~Q(subject_type="") & ~Q(actor_label=""),
            ),
            models.CheckConstraint(
                name="journal_entry_leaf_hash", condition=Exact(Length("leaf_hash"), HASH_SIZE)
            ),
        )

    def __str__(self) -> str:
        return f"{self.position} {self.event}"

    @property
    def sentence(self) -> str:
        """Return what a screen shows: the sentence of the event, in French."""
        return events.sentence(self)

    def line(self) -> EntryLine:
        """Return what this row says now, whatever it said when it was written."""
        return EntryLine(
            position=self.position,
            at=self.at,
            event=self.event,
            subject_type=self.subject_type,
            subject_id=self.subject_id,
            actor_id=self.actor_id,
            actor_label=self.actor_label,
            outcome=self.outcome,
            detail=self.detail,
        )


class Seal(models.Model):
    """The root over the first `tree_size` entries, chained to the seal before it."""

    number = models.BigIntegerField(primary_key=True)
    journal = models.TextField()
    tree_size = models.BigIntegerField(unique=True)
    root = models.BinaryField(max_length=HASH_SIZE)
    peaks = models.BinaryField()
    previous_hash = models.BinaryField(max_length=HASH_SIZE, unique=True)
    sealed_at = models.DateTimeField()
    seal_hash = models.BinaryField(max_length=HASH_SIZE, unique=True)

    class Meta:
        ordering = ("number",)
        verbose_name = "scellement"
        constraints = (
            models.CheckConstraint(
                name="journal_seal_hashes",
                condition=Q(
                    Exact(Length("root"), HASH_SIZE),
                    Exact(Length("previous_hash"), HASH_SIZE),
                    Exact(Length("seal_hash"), HASH_SIZE),
                ),
            ),
            models.CheckConstraint(
                name="journal_seal_covers_something",
                condition=Q(tree_size__gte=models.F("number")) & Q(GreaterThan(Length("peaks"), 0)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.number} ({self.tree_size})"

    def line(self) -> SealLine:
        """Return what this row says now, whatever it said when it was made."""
        return SealLine(
            number=self.number,
            journal=self.journal,
            tree_size=self.tree_size,
            root=bytes(self.root),
            peaks=bytes(self.peaks),
            previous_hash=bytes(self.previous_hash),
            sealed_at=self.sealed_at,
        )
