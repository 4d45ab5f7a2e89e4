"""Tokens and their ledger, counts, and the sleeves in which signed receipts travel."""

from django.db import models
from django.db.models import F, Q

from registration_authority.models import (
    CertificateFile,
    CertificationAuthority,
    HandOver,
    holds_no_secret,
)
from socle.accounts.models import Person


class Location(models.Model):
    """A place where tokens are kept: the safe, an officer's bag."""

    code = models.SlugField(max_length=20, unique=True)
    name = models.CharField("lieu", max_length=120)
    low_stock = models.PositiveSmallIntegerField("alerte en dessous de", default=0)
    """How many ready tokens make the counter order more; 0: never."""

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class TokenBatch(models.Model):
    """One delivery of tokens."""

    reference = models.CharField("bon de livraison", max_length=60, unique=True)
    model = models.CharField("modèle", max_length=80)
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (holds_no_secret("reference", "model"),)
        ordering = ("-received_at", "-pk")

    def __str__(self) -> str:
        return self.reference


class TokenState(models.TextChoices):
    """The states of Dogtag's TPS (CS.cfg), in the words of the counter."""

    UNFORMATTED = "unformatted", "À préparer"
    FORMATTED = "formatted", "Prêt"
    ACTIVE = "active", "Attribué"
    SUSPENDED = "suspended", "Suspendu"
    DAMAGED = "damaged", "Endommagé"
    LOST = "lost", "Perdu"
    TERMINATED = "terminated", "Retiré"


class Token(models.Model):
    """One token, by the number engraved on it."""

    serial = models.CharField("numéro gravé", max_length=40)
    batch = models.ForeignKey(TokenBatch, on_delete=models.PROTECT, related_name="tokens")
    state = models.CharField(max_length=11, choices=TokenState)
    location = models.ForeignKey(
        Location, on_delete=models.PROTECT, null=True, related_name="tokens"
    )
    """Where it is kept; nowhere once it is with its holder."""
    file = models.ForeignKey(
        CertificateFile, on_delete=models.PROTECT, null=True, related_name="tokens"
    )
    """The file whose certificate it carries, or is kept for."""
    bag_number = models.CharField("pochette scellée", max_length=40, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                models.functions.Upper("serial"), name="registration_authority_token_one_serial"
            ),
            models.UniqueConstraint(
                fields=("file",),
                condition=Q(state="active"),
                name="%(app_label)s_%(class)s_one_active_per_file",
            ),
            models.CheckConstraint(
                condition=~Q(state=TokenState.ACTIVE) | Q(file__isnull=False),
                name="%(app_label)s_%(class)s_active_for_somebody",
            ),
            models.CheckConstraint(
                condition=Q(location__isnull=False)
                | ~Q(state__in=(TokenState.UNFORMATTED, TokenState.FORMATTED)),
                name="%(app_label)s_%(class)s_kept_somewhere",
            ),
            holds_no_secret("serial", "bag_number"),
        )
        ordering = ("serial",)
        indexes = (models.Index(fields=("location", "state"), name="ra_token_place"),)

    def __str__(self) -> str:
        return self.serial


class TokenMovement(models.Model):
    """One line of the ledger of tokens. The database lets nobody change or erase it."""

    token = models.ForeignKey(Token, on_delete=models.PROTECT, related_name="movements")
    before = models.CharField(max_length=11, choices=TokenState, blank=True)
    after = models.CharField(max_length=11, choices=TokenState)
    origin = models.ForeignKey(Location, on_delete=models.PROTECT, null=True, related_name="+")
    destination = models.ForeignKey(Location, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField("motif", max_length=300)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(reason=""), name="%(app_label)s_%(class)s_says_why"
            ),
            holds_no_secret("reason"),
        )
        ordering = ("at", "pk")


class Count(models.Model):
    """One inventory of one place, by somebody who hands nothing over from it."""

    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="counts")
    counted_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    counted_at = models.DateTimeField()
    expected = models.PositiveIntegerField()
    found = models.PositiveIntegerField()
    missing = models.JSONField(default=list)
    """The numbers that should have been there."""
    unknown = models.JSONField(default=list)
    """The numbers that should not."""

    class Meta:
        ordering = ("-counted_at", "-pk")


class Sleeve(models.Model):
    """The numbered sleeve in which signed receipts go back to the authority."""

    number = models.CharField("numéro", max_length=40, unique=True)
    authority = models.ForeignKey(
        CertificationAuthority, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(null=True)
    sent_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    tracking = models.CharField("numéro de suivi", max_length=60, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(sent_at=None, sent_by=None)
                | Q(sent_at__gte=F("opened_at"), sent_by__isnull=False),
                name="%(app_label)s_%(class)s_sending_is_whole",
            ),
        )
        ordering = ("-opened_at", "-pk")

    def __str__(self) -> str:
        return self.number


class SleeveLine(models.Model):
    """One signed receipt in a sleeve; it can be in one only."""

    sleeve = models.ForeignKey(Sleeve, on_delete=models.PROTECT, related_name="lines")
    hand_over = models.OneToOneField(HandOver, on_delete=models.PROTECT, related_name="sleeve_line")
