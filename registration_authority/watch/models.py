"""The inventory of certificates that are not ours, and of the authorities that sign them."""

from django.db import models
from django.db.models import F, Q

from socle.accounts.models import Person
from socle.directory.models import Organisation


class Source(models.TextChoices):
    BROUGHT = "brought", "Apporté par la commune"
    CONNECTOR = "connector", "Liaison avec un opérateur"
    SITE = "site", "Site"


class Standing(models.TextChoices):
    """What the authority last said of a certificate."""

    UNKNOWN = "unknown", "Pas encore vérifié"
    GOOD = "good", "En règle"
    REVOKED = "revoked", "Révoqué"


class TrustedAuthority(models.Model):
    """An authority whose certificates are believed: read in a trusted list, or entered by us."""

    class Status(models.TextChoices):
        GRANTED = "granted", "Reconnue"
        WITHDRAWN = "withdrawn", "Retirée"

    provider = models.CharField("prestataire", max_length=300)
    name = models.CharField("service", max_length=300)
    pem = models.TextField()
    fingerprint = models.CharField(max_length=64, unique=True)
    subject = models.CharField(max_length=1000)
    not_after = models.DateTimeField("expire le")
    status = models.CharField(max_length=9, choices=Status)
    list_number = models.PositiveIntegerField("numéro de la liste de confiance", default=0)
    """0 when it came from no list."""
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("provider", "name", "pk")
        indexes = (models.Index(fields=("subject",), name="ra_trusted_subject"),)

    def __str__(self) -> str:
        return self.name


class TrustedList(models.Model):
    """The last trusted list (ETSI TS 119 612) we read, by territory."""

    territory = models.CharField(max_length=2, unique=True)
    number = models.PositiveIntegerField()
    issued_at = models.DateTimeField()
    next_update = models.DateTimeField(null=True)
    sha256 = models.CharField(max_length=64)
    signature = models.CharField("signature", max_length=200)
    """In words: whether the seal of the list was checked, and whose it is."""
    read_at = models.DateTimeField()
    read_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")


class WatchedCertificate(models.Model):
    """A certificate a commune depends on and that we did not hand over."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="watched_certificates"
    )
    source = models.CharField(max_length=9, choices=Source)
    label = models.CharField("à quoi il sert", max_length=160)
    pem = models.TextField()
    issuer_pem = models.TextField("autorité qui l’a signé", blank=True)
    """Empty as long as we know no authority that signed it: then nothing can be asked of it."""
    issuer = models.CharField(max_length=1000)
    subject = models.CharField(max_length=1000)
    serial = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField("expire le")
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True)
    standing = models.CharField(max_length=7, choices=Standing, default=Standing.UNKNOWN)
    checked_at = models.DateTimeField(null=True)
    checked_with = models.CharField(max_length=4, blank=True)
    """"ocsp" or "crl"."""
    trouble = models.CharField("ce qui a empêché la vérification", max_length=300, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "fingerprint"),
                condition=Q(removed_at=None),
                nulls_distinct=False,
                name="%(app_label)s_%(class)s_once",
            ),
            models.CheckConstraint(
                condition=Q(not_after__gt=F("not_before")),
                name="%(app_label)s_%(class)s_validity_is_ordered",
            ),
        )
        ordering = ("not_after", "pk")
        indexes = (
            models.Index(
                fields=("not_after",), condition=Q(removed_at=None), name="ra_watched_expiry"
            ),
        )

    def __str__(self) -> str:
        return self.label
