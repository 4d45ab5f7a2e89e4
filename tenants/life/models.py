"""What becomes of spaces. In the public schema: it outlives them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from socle.directory.models import Organisation

PERSON = settings.AUTH_USER_MODEL


class SpaceState(models.TextChoices):
    OPEN = "open", "Ouvert"
    SUSPENDED = "suspended", "Suspendu"
    CONDEMNED = "condemned", "Destruction en cours"
    DESTROYED = "destroyed", "Détruit"


class Space(models.Model):
    """One life of one commune's space; a commune that comes back begins another."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="spaces")
    schema = models.CharField(max_length=48)
    state = models.CharField(max_length=9, choices=SpaceState, default=SpaceState.OPEN)
    reason = models.CharField("motif", max_length=300, blank=True)
    changed_at = models.DateTimeField()
    changed_by_label = models.CharField(max_length=200)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation",),
                condition=~Q(state="destroyed"),
                name="life_one_living_space",
            ),
            models.CheckConstraint(
                condition=Q(state="open") | ~Q(reason=""), name="life_space_says_why"
            ),
        )

    def __str__(self) -> str:
        return str(self.organisation)


class ArchiveState(models.TextChoices):
    WAITING = "waiting", "Demandée"
    BUILDING = "building", "En préparation"
    READY = "ready", "Prête"
    FAILED = "failed", "Échouée"
    EXPIRED = "expired", "Effacée"


class Archive(models.Model):
    """One package of a whole space, asked for by a person and made in the background."""

    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="archives")
    reason = models.CharField("motif", max_length=300)
    asked_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=ArchiveState, default=ArchiveState.WAITING)
    preamble = models.BinaryField()
    """The clear beginning of the package: what a passphrase is needed for, and how."""
    sealed_secret = models.BinaryField()
    """The key of the package, sealed for the worker that makes it; emptied when it is made."""
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    storage_key = models.CharField(max_length=200, blank=True)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    journal_position = models.BigIntegerField(default=0)
    """The last entry of the commune's journal that the package holds."""
    finished_at = models.DateTimeField(null=True)
    message = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("space",),
                condition=Q(state__in=("waiting", "building")),
                name="life_one_archive_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="building", lease__isnull=False, lease_until__isnull=False)
                | (~Q(state="building") & Q(lease=None, lease_until=None)),
                name="life_archive_lease_is_whole",
            ),
            models.CheckConstraint(
                condition=~Q(state="ready")
                | (~Q(storage_key="") & ~Q(manifest_sha256="") & Q(finished_at__isnull=False)),
                name="life_ready_archive_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("waiting", "building")) | Q(sealed_secret=b""),
                name="life_secret_is_forgotten",
            ),
        )

    def __str__(self) -> str:
        return f"{self.space} ({self.asked_at:%d/%m/%Y})"


class Download(models.Model):
    """One person took the package away."""

    archive = models.ForeignKey(Archive, on_delete=models.PROTECT, related_name="downloads")
    person = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()


class DestructionState(models.TextChoices):
    ASKED = "asked", "À confirmer par une seconde personne"
    CONFIRMED = "confirmed", "Confirmée"
    RUNNING = "running", "En cours"
    DONE = "done", "Terminée"
    CANCELLED = "cancelled", "Annulée"


class Destruction(models.Model):
    """Destroying one space: asked by one person, confirmed by another, after a wait."""

    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="destructions")
    reason = models.CharField("motif", max_length=300)
    archive = models.ForeignKey(Archive, on_delete=models.PROTECT, null=True, related_name="+")
    waiver = models.CharField("renonciation écrite à l’archive", max_length=300, blank=True)
    visa = models.CharField("visa du directeur des Archives départementales", max_length=200)
    asked_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    wait_days = models.PositiveSmallIntegerField("délai en jours")
    not_before = models.DateTimeField()
    confirmed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=9, choices=DestructionState, default=DestructionState.ASKED)
    message = models.CharField(max_length=500, blank=True)
    finished_at = models.DateTimeField(null=True)
    certificate = models.UUIDField(null=True)
    """The certificate of destruction (PDF), in the public schema."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("space",),
                condition=Q(state__in=("asked", "confirmed", "running")),
                name="life_one_destruction_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(archive__isnull=False, waiver="") | (Q(archive=None) & ~Q(waiver="")),
                name="life_archive_or_waiver",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("asked_by")),
                name="life_destruction_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("asked", "cancelled"))
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="life_destruction_is_confirmed",
            ),
            models.CheckConstraint(
                condition=~Q(state="done")
                | Q(finished_at__isnull=False, certificate__isnull=False),
                name="life_destruction_is_certified",
            ),
            models.CheckConstraint(
                condition=Q(not_before__gte=F("asked_at")), name="life_destruction_waits"
            ),
        )


class DestructionStep(models.Model):
    """One step that was done, with what it counted: a run that was killed goes on after it."""

    destruction = models.ForeignKey(Destruction, on_delete=models.PROTECT, related_name="steps")
    name = models.CharField(max_length=12)
    done_at = models.DateTimeField()
    detail = models.JSONField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("destruction", "name"), name="life_step_once"),
        )
