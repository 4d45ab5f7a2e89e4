"""The policy of each offer, who may sign, what officers write to each other, sealed copies."""

import uuid
from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from registration_authority.models import (
    CertificateFile,
    IdentityDocument,
    Offer,
    PieceKind,
    Usage,
    holds_no_secret,
)
from registration_authority.revocation.models import Asker, everybody, signing_usages
from socle.accounts.models import Person
from socle.directory.models import Organisation


class ArchiveLocation(models.TextChoices):
    """Who keeps the file for the years its policy asks for."""

    AUTHORITY = "authority", "L’autorité de certification conserve le dossier"
    COUNTER = "counter", "Le syndicat conserve le dossier"


def reminder_days() -> list[int]:
    """When a holder is reminded that her certificate ends, when the policy says nothing."""
    return [90, 60, 30, 15, 7]


def every_document() -> list[str]:
    """The originals the counter accepts when the policy says nothing."""
    return [one.value for one in IdentityDocument]


class PolicyProfile(models.Model):
    """What the policy (PC, DPC) of an offer and the convention ask for.

    Every delay, role, piece and retention is read here, through `profiles.profile_of`. What is a
    rule of a protocol or of the law stays in the code: docs/ra-policy.md lists it.
    """

    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, related_name="profile")
    document = models.CharField("politique appliquée", max_length=120, blank=True)
    support = models.CharField("support", max_length=60, blank=True)
    # Roles
    accreditation_required = models.BooleanField("opérateurs accrédités seulement", default=False)
    operator_certificate_required = models.BooleanField(
        "l’opérateur agit avec son certificat", default=False
    )
    approvals_required = models.PositiveSmallIntegerField("approbations", default=1)
    """1: the authority approves; 2: an operator who did not check the file approves first."""
    lock_hours = models.PositiveSmallIntegerField("dossier réservé (heures)", default=4)
    proxy_allowed = models.BooleanField("mandataire de certification admis", default=False)
    delegate_allowed = models.BooleanField("délégataire admis", default=False)
    # Face to face
    face_to_face_max_age_days = models.PositiveSmallIntegerField(
        "face à face valable (jours)", null=True, blank=True
    )
    identity_documents = ArrayField(
        models.CharField(max_length=8, choices=IdentityDocument),
        verbose_name="pièces d’identité admises",
        default=every_document,
        db_default=every_document(),
    )
    keeps_document_digest = models.BooleanField(
        "empreinte du numéro de la pièce d’identité", default=False
    )
    identity_features = ArrayField(models.CharField(max_length=120), default=list)
    """What the officer looks at on the original: each is ticked, and kept as evidence."""
    visit_checklist = ArrayField(models.CharField(max_length=120), default=list)
    """What to take along for a visit to a commune."""
    # Delivery and renewal
    answer_days = models.PositiveSmallIntegerField(
        "alerte sans réponse de l’autorité (jours)", default=5, db_default=5
    )
    stock_required = models.BooleanField("support du stock seulement", default=False)
    token_reuse_allowed = models.BooleanField("support réutilisable", default=False)
    uncollected_days = models.PositiveSmallIntegerField(
        "retrait au plus tard (jours)", null=True, blank=True
    )
    renewals_without_face_to_face = models.PositiveSmallIntegerField(
        "renouvellements sans nouveau face à face", default=0, db_default=0
    )
    """In a row, after a certificate handed over in person, nothing about the person changed."""
    renewal_window_days = models.PositiveSmallIntegerField(
        "renouvellement ouvert (jours avant la fin)", default=90, db_default=90
    )
    reminders = ArrayField(
        models.PositiveSmallIntegerField(),
        verbose_name="rappels (jours avant la fin)",
        default=reminder_days,
        db_default=reminder_days(),
    )
    # Revocation
    revocation_hours = models.PositiveSmallIntegerField(
        "délai de publication, en heures", default=24, db_default=24
    )
    revocation_warn_hours = models.PositiveSmallIntegerField(
        "alerte après, en heures", default=12, db_default=12
    )
    revocation_identify_hours = models.PositiveSmallIntegerField(
        "décision sous, en heures", default=2, db_default=2
    )
    revocation_four_eyes = models.BooleanField(
        "deux personnes au guichet, sauf urgence", default=True, db_default=True
    )
    may_ask = ArrayField(
        models.CharField(max_length=14, choices=Asker),
        verbose_name="qui peut demander",
        default=everybody,
        db_default=everybody(),
    )
    wrong_codes = models.PositiveSmallIntegerField(
        "essais du code par personne", default=5, db_default=5
    )
    wrong_codes_by_address = models.PositiveSmallIntegerField(
        "essais du code par adresse Internet", default=25, db_default=25
    )
    """One address serves a whole town hall."""
    wrong_codes_minutes = models.PositiveSmallIntegerField(
        "en combien de minutes", default=60, db_default=60
    )
    falls_with_mandate = ArrayField(
        models.CharField(max_length=14, choices=Usage),
        verbose_name="usages qui tombent avec le mandat",
        default=signing_usages,
        db_default=signing_usages(),
        blank=True,
    )
    # Retention
    archive_location = models.CharField(
        "conservation du dossier",
        max_length=9,
        choices=ArchiveLocation,
        default=ArchiveLocation.COUNTER,
    )
    working_copy_days = models.PositiveSmallIntegerField("copie de travail (jours)", default=60)
    retention_years = models.PositiveSmallIntegerField("conservation (années)", default=7)
    identity_copy_days = models.PositiveSmallIntegerField(
        "copies d’identité (jours)", null=True, blank=True, default=60, db_default=60
    )
    """They leave before the rest, some days after the file closed; None: with the rest."""

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(approvals_required__range=(1, 2)),
                name="%(app_label)s_%(class)s_one_or_two_approvals",
            ),
        )

    def __str__(self) -> str:
        return f"{self.offer} ({self.document})"

    @property
    def revocation_delay(self) -> timedelta:
        """From the request to revoke to the authority's list."""
        return timedelta(hours=self.revocation_hours)


class When(models.TextChoices):
    """In which files a piece is asked for."""

    ALWAYS = "always", "Toujours"
    DELEGATE = "delegate", "Le signataire est un délégataire"
    PROXY = "proxy", "Un mandataire de certification intervient"


class PieceRule(models.Model):
    """How one kind of piece is asked for and examined under one policy."""

    profile = models.ForeignKey(PolicyProfile, on_delete=models.CASCADE, related_name="rules")
    kind = models.CharField(max_length=12, choices=PieceKind)
    when = models.CharField(max_length=8, choices=When, default=When.ALWAYS)
    max_age_days = models.PositiveSmallIntegerField(
        "ancienneté admise (jours)", null=True, blank=True
    )
    checks = ArrayField(models.CharField(max_length=160), default=list)
    """What must be seen on the document; each is ticked before it is accepted."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("profile", "kind"), name="%(app_label)s_%(class)s_one_per_kind"
            ),
        )


class MandateKind(models.TextChoices):
    LEGAL = "legal", "Représentant légal"
    DELEGATE = "delegate", "Délégataire"
    PROXY = "proxy", "Mandataire de certification"


class Mandate(models.Model):
    """Who may sign for a body, or deal with its certificates, from when to when."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="certificate_mandates"
    )
    kind = models.CharField(max_length=8, choices=MandateKind)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    """The account of this person, where she has one; a « mandataire » needs it to act."""
    given_name = models.CharField("prénom", max_length=80)
    surname = models.CharField("nom", max_length=80)
    starts_on = models.DateField("à partir du")
    ends_on = models.DateField("jusqu’au", null=True)
    proof = models.CharField("acte", max_length=200)
    """The délibération, the arrêté or the letter that gives it."""
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="%(app_label)s_%(class)s_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=~Q(kind=MandateKind.PROXY) | Q(person__isnull=False),
                name="%(app_label)s_%(class)s_proxy_has_an_account",
            ),
        )
        ordering = ("organisation", "kind", "-starts_on")

    def __str__(self) -> str:
        return f"{self.given_name} {self.surname}"


class Note(models.Model):
    """What officers tell each other about a file; the commune never sees it."""

    file = models.ForeignKey(CertificateFile, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text = models.CharField(max_length=1000)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(text=""), name="%(app_label)s_%(class)s_says"),
            holds_no_secret("text"),
        )
        ordering = ("at", "pk")


class Clock(models.TextChoices):
    """Which clock ran out for a copy of an identity document."""

    COUNTER = "counter", "copie de travail du syndicat"
    AUTHORITY = "authority", "conservation demandée par l’autorité"


class IdentityCopy(models.Model):
    """A copy of an identity document under a key of its own; purged, its row stays as a tombstone.

    The key is sealed with the master key. Forgetting it makes every copy of the bytes unreadable,
    backups included.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    media_type = models.CharField(max_length=127)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    key_id = models.UUIDField(unique=True)
    sealed_key = models.BinaryField()
    kept_at = models.DateTimeField()
    purged_at = models.DateTimeField(null=True)
    clock = models.CharField(max_length=9, choices=Clock, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(purged_at=None, clock="") & ~Q(sealed_key=b"")
                | Q(purged_at__isnull=False, sealed_key=b"") & ~Q(clock=""),
                name="%(app_label)s_%(class)s_purge_is_whole",
            ),
        )


class OpeningBatch(models.Model):
    """Files opened together, for as many people of as many communes."""

    label = models.CharField("intitulé", max_length=120)
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-opened_at", "-pk")

    def __str__(self) -> str:
        return self.label


class OpeningLine(models.Model):
    """One file of a batch, or why it could not be opened."""

    batch = models.ForeignKey(OpeningBatch, on_delete=models.PROTECT, related_name="lines")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    holder = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    file = models.OneToOneField(
        CertificateFile, on_delete=models.PROTECT, null=True, related_name="batch_line"
    )
    refusal = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("batch", "organisation", "holder"), name="%(app_label)s_%(class)s_once"
            ),
            models.CheckConstraint(
                condition=Q(file=None) & ~Q(refusal="") | Q(file__isnull=False, refusal=""),
                name="%(app_label)s_%(class)s_opened_or_refused",
            ),
        )
        ordering = ("organisation__sort_key", "pk")
