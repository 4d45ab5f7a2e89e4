"""The connection to the ministry, what was handed over, what the mailbox held: all public."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from socle.delivery.models import TransmissionOperator


class Credential(models.TextChoices):
    """How the ministry wants a name and a password besides the certificate."""

    NONE = "none", "Aucun"
    BASIC = "basic", "Authentification HTTP"
    POST = "post", "Paramètres de l’adresse"


class DirectLink(models.Model):
    """How one homologated operator reaches the ministry: where acts go, where answers come."""

    operator = models.OneToOneField(
        TransmissionOperator, on_delete=models.PROTECT, related_name="+"
    )
    post_url = models.CharField("adresse d’envoi", max_length=300)
    rescue_url = models.CharField("adresse de secours", max_length=300, blank=True)
    pins = ArrayField(models.CharField(max_length=64))
    """SHA-256 of the server's certificate, or of its public key: one of them must be shown."""
    legacy_tls = models.BooleanField("protocole ancien", default=False)
    sealed_certificate = models.BinaryField()
    sealed_key = models.BinaryField()
    certificate_subject = models.CharField("titulaire du certificat", max_length=300)
    certificate_until = models.DateTimeField("certificat valable jusqu’au")
    credential = models.CharField(max_length=5, choices=Credential, default=Credential.NONE)
    login = models.CharField("identifiant", max_length=100, blank=True)
    sealed_password = models.BinaryField(default=bytes)
    imap_host = models.CharField("serveur de courriel", max_length=200)
    imap_port = models.PositiveIntegerField("port", default=993)
    imap_ca_pem = models.TextField("autorité du serveur de courriel", blank=True)
    imap_login = models.CharField("identifiant de la boîte", max_length=200)
    sealed_imap_password = models.BinaryField()
    mailbox = models.CharField("dossier", max_length=100, default="INBOX")
    senders = ArrayField(models.CharField(max_length=254), default=list, db_default=[])
    """Who writes for the State: addresses, or domains as « @exemple.fr »."""
    auth_server = models.CharField("serveur qui vérifie", max_length=200, blank=True, db_default="")
    """The name the mail server signs its `Authentication-Results` with (RFC 8601)."""
    checked_at = models.DateTimeField("vérifié le", null=True)
    problem = models.CharField("difficulté", max_length=500, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(post_url__startswith="https://") & ~Q(pins=[]),
                name="direct_address_is_pinned",
            ),
            models.CheckConstraint(
                condition=Q(rescue_url="") | Q(rescue_url__startswith="https://"),
                name="direct_rescue_is_https",
            ),
            models.CheckConstraint(
                condition=Q(credential="none", login="", sealed_password=b"")
                | (~Q(credential="none") & ~Q(login="") & ~Q(sealed_password=b"")),
                name="direct_login_has_its_password",
            ),
        )

    def __str__(self) -> str:
        return f"{self.operator} — raccordement direct"


class DirectPost(models.Model):
    """One archive handed to the ministry, which gives no number and cannot be asked.

    The row is committed before the first byte leaves: an attempt without answer stays in doubt.
    """

    operator = models.ForeignKey(TransmissionOperator, on_delete=models.PROTECT, related_name="+")
    name = models.CharField("nom", max_length=200)
    sha256 = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("operator", "name"), name="direct_one_post_each"),
            models.CheckConstraint(
                condition=Q(taken_at=None) | Q(taken_at__gte=F("started_at")),
                name="direct_taken_after_it_started",
            ),
        )

    def __str__(self) -> str:
        return self.name


class DirectMail(models.Model):
    """One message of the mailbox that is kept here, or could not be.

    (UIDVALIDITY, UID) names a message for ever (RFC 3501 §2.3.1.1). The row is committed after the
    raw mail and before the message is removed there.
    """

    operator = models.ForeignKey(TransmissionOperator, on_delete=models.PROTECT, related_name="+")
    uid_validity = models.BigIntegerField()
    uid = models.BigIntegerField()
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    failures = models.PositiveIntegerField(default=0)
    problem = models.CharField("difficulté", max_length=300, blank=True)
    seen_at = models.DateTimeField()
    kept_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("operator", "uid_validity", "uid"), name="direct_one_mail_each"
            ),
            models.CheckConstraint(
                condition=Q(sha256="", kept_at=None) | (~Q(sha256="") & Q(kept_at__isnull=False)),
                name="direct_kept_has_its_digest",
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None) | Q(kept_at__isnull=False),
                name="direct_removed_was_kept",
            ),
        )
        indexes = (
            models.Index(
                fields=("operator",), condition=Q(kept_at=None), name="direct_mail_left_behind"
            ),
        )

    def __str__(self) -> str:
        return f"{self.uid_validity}-{self.uid}"
