"""Accounts at S²LOW, and under which number it knows what we handed over. In the public schema."""

from django.db import models
from django.db.models import F, Q

from socle.delivery.models import TransmissionOperator
from socle.directory.models import Organisation, Protocol


class S2lowAccount(models.Model):
    """One account at one S²LOW.

    The row of an organisation is the account that transmits for it. The row without organisation
    is nobody's account: it holds the address and the certificate of the accounts that share one,
    so that renewing it is one change. An account takes from it what it does not have itself.
    """

    operator = models.ForeignKey(TransmissionOperator, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    base_url = models.CharField("adresse", max_length=200, blank=True)
    ca_pem = models.TextField("autorité du serveur", blank=True)
    sealed_certificate = models.BinaryField(default=bytes)
    sealed_key = models.BinaryField(default=bytes)
    certificate_subject = models.CharField("titulaire du certificat", max_length=300, blank=True)
    certificate_until = models.DateTimeField("certificat valable jusqu’au", null=True)
    login = models.CharField("identifiant", max_length=100, blank=True)
    sealed_password = models.BinaryField(default=bytes)
    authority = models.CharField("collectivité sur S²LOW", max_length=200, blank=True)
    checked_at = models.DateTimeField("vérifié le", null=True)
    problem = models.CharField("difficulté", max_length=500, blank=True)
    listed_at = models.DateTimeField("courriers relevés le", null=True)
    called_at = models.DateTimeField("interrogé le", null=True)
    """The last round that came to this account: those it did not reach come first in the next."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("operator", "organisation"),
                nulls_distinct=False,
                name="s2low_one_account_each",
            ),
            models.CheckConstraint(
                condition=Q(sealed_certificate=b"", sealed_key=b"", certificate_until=None)
                | (
                    ~Q(sealed_certificate=b"")
                    & ~Q(sealed_key=b"")
                    & Q(certificate_until__isnull=False)
                ),
                name="s2low_certificate_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(base_url="", ca_pem="")
                | (Q(base_url__startswith="https://") & ~Q(ca_pem="")),
                name="s2low_address_is_pinned",
            ),
            models.CheckConstraint(
                condition=Q(login="", sealed_password=b"")
                | (~Q(login="") & ~Q(sealed_password=b"")),
                name="s2low_login_has_its_password",
            ),
            models.CheckConstraint(
                condition=Q(organisation__isnull=False)
                | (Q(login="") & ~Q(sealed_certificate=b"") & ~Q(base_url="")),
                name="s2low_shared_row_is_a_certificate",
            ),
            models.CheckConstraint(
                condition=Q(organisation=None) | ~Q(sealed_certificate=b"") | ~Q(login=""),
                name="s2low_account_can_be_told_apart",
            ),
        )

    def __str__(self) -> str:
        return f"{self.operator} — {self.organisation or 'certificat partagé'}"


class What(models.TextChoices):
    """What a transaction carries."""

    ACTE = "acte", "Acte"
    CANCELLATION = "cancellation", "Annulation"
    CLASSIFICATION = "classification", "Demande de classification"
    REPLY = "reply", "Réponse à un courrier"
    FLOW = "flow", "Flux PES"


class S2lowState(models.TextChoices):
    ASKED = "asked", "Remise en cours"
    OPEN = "open", "En attente de réponse"
    UNNUMBERED = "unnumbered", "Pris, numéro inconnu"
    ANSWERED = "answered", "Répondu"
    REFUSED = "refused", "Refusé"


class S2lowTransaction(models.Model):
    """One file handed over, and what S²LOW calls it.

    The row is written before the bytes leave: a question without answer leaves it ASKED, and S²LOW
    is asked what became of it before anything is sent again.
    """

    operator = models.ForeignKey(TransmissionOperator, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    protocol = models.CharField(max_length=8, choices=Protocol)
    what = models.CharField(max_length=14, choices=What)
    name = models.CharField("nom", max_length=200)
    """The name of the outbound file."""
    sha256 = models.CharField(max_length=64)
    number = models.CharField("numéro S²LOW", max_length=20, blank=True)
    state = models.CharField(max_length=10, choices=S2lowState, default=S2lowState.ASKED)
    status = models.SmallIntegerField("statut S²LOW", null=True)
    problem = models.CharField("difficulté", max_length=500, blank=True)
    asked_at = models.DateTimeField()
    polled_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    envelope_name = models.CharField(max_length=200, blank=True)
    message_name = models.CharField(max_length=255, blank=True)
    identifier = models.CharField("IDActe", max_length=60, blank=True)
    act_number = models.CharField(max_length=60, blank=True)
    decided_on = models.DateField(null=True)
    nature = models.PositiveSmallIntegerField(null=True)
    files = models.JSONField(default=list)
    """Name and SHA-256 of the documents, in sending order: the stamped copies must differ."""
    papers_at = models.DateTimeField(null=True)
    """When the papers were last asked for; they are no longer once `papers_kept`."""
    papers_kept = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("operator", "name"), name="s2low_one_transaction_each"),
            models.UniqueConstraint(
                fields=("operator", "protocol", "number"),
                condition=~Q(number=""),
                name="s2low_a_number_is_one_transaction",
            ),
            models.CheckConstraint(
                condition=~Q(state="open") | ~Q(number="") | Q(what="classification"),
                name="s2low_open_has_its_number",
            ),
            models.CheckConstraint(
                condition=Q(state="answered", answered_at__gte=F("asked_at"))
                | (~Q(state="answered") & Q(answered_at=None)),
                name="s2low_answered_has_its_time",
            ),
        )
        indexes = (
            models.Index(
                fields=("operator", "organisation", "polled_at"),
                condition=Q(state__in=("open", "unnumbered")),
                name="s2low_transaction_open",
            ),
        )

    def __str__(self) -> str:
        return self.name


class PaperKind(models.TextChoices):
    BORDEREAU = "bordereau", "Bordereau d’acquittement"
    STAMPED = "stamped", "Copie tamponnée"


class S2lowPaper(models.Model):
    """A paper S²LOW made of an acknowledged act, kept with the files of its organisation."""

    transaction = models.ForeignKey(
        S2lowTransaction, on_delete=models.CASCADE, related_name="papers"
    )
    kind = models.CharField(max_length=9, choices=PaperKind)
    rank = models.PositiveSmallIntegerField(default=0)
    """0 for the bordereau, else the place of the document among those sent, from 1."""
    stored = models.UUIDField()
    """The stored file, in the schema of the organisation."""
    sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ("rank",)
        constraints = (
            models.UniqueConstraint(fields=("transaction", "rank"), name="s2low_one_paper_each"),
            models.CheckConstraint(
                condition=Q(kind="bordereau", rank=0) | Q(kind="stamped", rank__gte=1),
                name="s2low_bordereau_comes_first",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} — {self.transaction}"
