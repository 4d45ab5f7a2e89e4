"""What is to go out and what came in, for all communes: one public table each.

A sweep costs the same with 3 communes or 3 000; row-level security keeps each commune to its rows.
"""

from django.db import models
from django.db.models import F, Q

from socle.directory.models import Organisation, Protocol


class TransmissionOperator(models.Model):
    """An operator through whom bodies transmit (tiers de télétransmission, or the exercise one)."""

    code = models.SlugField(max_length=20, unique=True)
    name = models.CharField("nom", max_length=120)
    adapter = models.CharField(max_length=20)
    trigram = models.CharField("trigramme", max_length=3)
    company = models.CharField("exploitant", max_length=200)
    address = models.CharField("adresse", max_length=300, blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    email = models.EmailField("adresse électronique", blank=True)
    return_address = models.EmailField("adresse de retour")
    homologation = models.CharField("référence d’homologation", max_length=120, blank=True)
    homologated_on = models.DateField("homologué le", null=True, blank=True)
    homologated_until = models.DateField("homologué jusqu’au", null=True, blank=True)
    is_exercise = models.BooleanField("exercice", default=False)
    requires_certificate = models.BooleanField("certificat exigé", default=True)
    unsent_since = models.DateTimeField("ne prend plus rien depuis", null=True, editable=False)
    unread_since = models.DateTimeField("ne répond plus depuis", null=True, editable=False)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(is_exercise=True) | Q(requires_certificate=True),
                name="delivery_real_operator_requires_certificate",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Window(models.Model):
    """A time in which an operator takes nothing, or only so much an hour.

    Announced by the ministry or the operator, written down by the syndicat; it ends by itself.
    """

    operator = models.ForeignKey(
        TransmissionOperator, on_delete=models.PROTECT, related_name="windows"
    )
    protocol = models.CharField(max_length=8, choices=Protocol, blank=True)
    """Which files it holds up; empty: all."""
    starts_at = models.DateTimeField("du")
    ends_at = models.DateTimeField("au")
    reason = models.CharField("raison", max_length=200)
    hourly_limit = models.PositiveBigIntegerField("octets par heure", default=0)
    """How many octets may leave within one hour of the clock; 0: nothing leaves."""
    declared_by = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, related_name="+"
    )
    declared_at = models.DateTimeField()
    ended_at = models.DateTimeField("levé le", null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="delivery_window_ends_after_it_starts"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="delivery_window_has_its_reason"),
        )
        indexes = (
            models.Index(
                fields=("ends_at",), condition=Q(ended_at=None), name="delivery_window_standing"
            ),
        )

    def __str__(self) -> str:
        return f"{self.operator} : {self.reason}"


class OutboundState(models.TextChoices):
    DUE = "due", "À envoyer"
    SENDING = "sending", "Envoi en cours"
    SENT = "sent", "Envoyé"
    REFUSED = "refused", "Refusé par l’opérateur"
    HELD = "held", "Retenu"


class Outbound(models.Model):
    """One file to hand to an operator once: the same bytes under the same name at every attempt."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    schema = models.CharField(max_length=48)
    protocol = models.CharField(max_length=8, choices=Protocol)
    operator = models.ForeignKey(TransmissionOperator, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    payload = models.UUIDField()
    """The stored file, in the schema of the organisation."""
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    subject_id = models.BigIntegerField()
    """The transaction (ACTES) or flow (HELIOS) in the schema of the organisation."""
    nature = models.CharField(max_length=1, blank=True)
    """The ACTES nature the convention must cover, or nothing."""
    asked_by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=OutboundState, default=OutboundState.DUE)
    attempts = models.PositiveIntegerField(default=0)
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    maybe_received = models.BooleanField(default=False)
    """An attempt ended without an answer: the operator is asked before anything is sent again."""
    last_error = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("operator", "name"), name="delivery_one_name"),
            models.UniqueConstraint(
                fields=("schema", "protocol", "subject_id"), name="delivery_one_outbound_each"
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at=None)),
                name="delivery_sent_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(state="sending", lease__isnull=False, lease_until__isnull=False)
                | (~Q(state="sending") & Q(lease=None, lease_until=None)),
                name="delivery_lease_is_whole",
            ),
        )
        indexes = (
            models.Index(
                fields=("due_at",),
                condition=Q(state__in=("due", "sending")),
                name="delivery_outbound_due",
            ),
            models.Index(fields=("organisation", "-created_at"), name="delivery_outbound_body"),
        )

    def __str__(self) -> str:
        return self.name


class InboundState(models.TextChoices):
    RECEIVED = "received", "Reçu"
    MATCHED = "matched", "Traité"
    UNMATCHED = "unmatched", "Non reconnu"
    DOUBTFUL = "doubtful", "À confirmer"
    DISMISSED = "dismissed", "Écarté"
    FAILED = "failed", "En échec"

    @classmethod
    def settled(cls) -> frozenset["InboundState"]:
        """What is not read again."""
        return frozenset({cls.MATCHED, cls.DISMISSED})


class Inbound(models.Model):
    """One return of an operator, written down raw before it is understood."""

    operator = models.ForeignKey(TransmissionOperator, on_delete=models.PROTECT, related_name="+")
    protocol = models.CharField(max_length=8, choices=Protocol)
    external_id = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    payload = models.UUIDField()
    """The stored file, in the public schema: whose it is is not known yet."""
    sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=InboundState, default=InboundState.RECEIVED)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    attempts = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=500, blank=True)
    handled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("operator", "sha256"), name="delivery_received_once"),
            models.CheckConstraint(
                condition=Q(state="received", handled_at=None)
                | (~Q(state="received") & Q(handled_at__gte=F("received_at"))),
                name="delivery_handled_has_its_time",
            ),
        )
        indexes = (
            models.Index(
                fields=("received_at",),
                condition=~Q(state="matched"),
                name="delivery_inbound_open",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Stumble(models.Model):
    """One item that failed in a round of the clock, until it goes: see `core.sweeps`."""

    what = models.CharField(max_length=100)
    item = models.CharField(max_length=200)
    cause = models.CharField(max_length=500, default="")
    since = models.DateTimeField()
    last_at = models.DateTimeField(null=True)
    times = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("what", "item"), name="delivery_stumbles_once"),
        )

    def __str__(self) -> str:
        return f"{self.what} : {self.item}"


class Decision(models.Model):
    """Who looked at a doubtful return, and confirmed it or set it aside: once."""

    inbound = models.OneToOneField(Inbound, on_delete=models.PROTECT, related_name="decision")
    confirmed = models.BooleanField()
    by = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.inbound)


class Answered(models.Model):
    """Which of what went out a return answers: both are the same operator's, says a trigger."""

    inbound = models.ForeignKey(Inbound, on_delete=models.PROTECT, related_name="answered")
    outbound = models.ForeignKey(Outbound, on_delete=models.PROTECT, related_name="answers")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("inbound", "outbound"), name="delivery_answered_once"),
        )

    def __str__(self) -> str:
        return f"{self.inbound} → {self.outbound}"
