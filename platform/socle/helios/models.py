"""The commune's budgets, its PES flows and what the trésorerie answered. All in its own schema."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from socle.documents.models import StoredFile
from socle.helios.protocol.acquit import AckElement, AckError, AcquitState
from socle.helios.protocol.aller import Domain as ProtocolDomain
from socle.helios.protocol.aller import DomainTotal, Signature
from socle.helios.protocol.deposit import DeclaredBudget, Finding, Level
from socle.helios.protocol.header import Header, read_amount

AMOUNT = {"max_digits": 24, "decimal_places": 2}  # euros


def _person() -> models.ForeignKey:  # type: ignore[type-arg]
    """A person lives in the public schema: a thousand schemas do not each bind her row."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
    )


class Budget(models.Model):
    """One budget of the commune as the trésorerie knows it: the HELIOS sheet."""

    label = models.CharField("libellé", max_length=140)
    siret = models.CharField("SIRET", max_length=14)
    cod_col = models.CharField("code collectivité", max_length=3)
    cod_bud = models.CharField("code budget", max_length=2)
    id_post = models.CharField("poste comptable", max_length=7)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("id_post", "cod_col", "cod_bud"), name="helios_one_budget_each"
            ),
            models.CheckConstraint(
                condition=Q(
                    siret__regex=r"^[0-9]{14}$",
                    cod_col__regex=r"^(?!000)[0-9]{3}$",
                    cod_bud__regex=r"^[0-9A-Z][0-9]$",
                    id_post__regex=r"^(02[AB][0-9]{3,4}|[0-9]{6,7})$",
                ),
                name="helios_budget_codes_can_exist",
            ),
        )
        ordering = ("cod_col", "cod_bud", "pk")

    def __str__(self) -> str:
        return self.label

    @property
    def declared(self) -> DeclaredBudget:
        """The budget as the rules of deposit look at it."""
        return DeclaredBudget(self.label, self.siret, self.cod_col, self.cod_bud, self.id_post)


class FlowState(models.TextChoices):
    DEPOSITED = "deposited", "À compléter avant l’envoi"
    READY = "ready", "Prêt à transmettre"
    SENDING = "sending", "En cours d’envoi"
    SENT = "sent", "Transmis, en attente de l’acquit"
    ACCEPTED = "accepted", "Accepté par la trésorerie"
    PARTIAL = "partial", "Accepté en partie"
    REFUSED = "refused", "Refusé par la trésorerie"
    UNREADABLE = "unreadable", "Acquit illisible"
    FAILED = "failed", "Non pris par l’opérateur"
    WITHDRAWN = "withdrawn", "Retiré"


NOT_GONE = ("deposited", "ready", "withdrawn")
FREED = ("failed", "refused", "withdrawn")
"""States in which the same content, or the same NomFic, may be deposited again."""


class PesFlow(models.Model):
    """One PES aller, byte for byte as the finance software wrote it, and what became of it."""

    stored = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    nom_fic = models.CharField("nom du flux", max_length=100)
    typ_fic = models.CharField("type de flux", max_length=100, blank=True)
    id_post = models.CharField("poste comptable", max_length=7)
    libelle_poste = models.CharField(max_length=200, blank=True)
    id_coll = models.CharField("SIRET", max_length=14)
    cod_col = models.CharField("code collectivité", max_length=3)
    cod_bud = models.CharField("code budget", max_length=2)
    libelle_col_bud = models.CharField("collectivité", max_length=200, blank=True)
    dated = models.DateField("daté du", null=True)
    editor = models.CharField(max_length=100, blank=True)
    software = models.CharField("logiciel", max_length=200, blank=True)
    budget = models.ForeignKey(Budget, on_delete=models.PROTECT, null=True, related_name="flows")
    domains = ArrayField(models.CharField(max_length=10), default=list)
    totals = models.JSONField(default=list)
    """One object for each accounting domain, amounts written as text (see `domain_totals`)."""
    signature = models.CharField(max_length=20)
    attachments_count = models.PositiveIntegerField(default=0)
    attachments_size = models.BigIntegerField(default=0)
    findings = models.JSONField(default=list)
    expects_acquit = models.BooleanField(default=True)
    """False for the acquit of a PES_Retour, which the DGFiP never answers."""
    state = models.CharField("état", max_length=10, choices=FlowState, default=FlowState.DEPOSITED)
    deposited_at = models.DateTimeField("déposé le")
    deposited_by = _person()
    deposited_by_label = models.CharField("déposé par", max_length=200)
    transmitted_name = models.CharField("nom transmis", max_length=60, blank=True)
    transmitted_at = models.DateTimeField("transmis le", null=True)
    transmitted_by = _person()
    transmitted_by_label = models.CharField("transmis par", max_length=200, blank=True)
    sent_at = models.DateTimeField("remis à l’opérateur le", null=True)
    answered_at = models.DateTimeField("acquitté le", null=True)
    error = models.CharField(max_length=500, blank=True)
    settled_at = models.DateTimeField("traité le", null=True)
    """When somebody said that what was refused has been put right."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("sha256",), condition=~Q(state__in=FREED), name="helios_content_once"
            ),
            models.UniqueConstraint(
                fields=("nom_fic", "cod_col"),
                condition=~Q(state__in=FREED),
                name="helios_nom_fic_once",
            ),
            models.UniqueConstraint(
                fields=("transmitted_name",),
                condition=~Q(transmitted_name=""),
                name="helios_transmitted_name_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=NOT_GONE)
                | (Q(transmitted_at__isnull=False) & ~Q(transmitted_name="")),
                name="helios_transmitted_has_name_and_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(error=""), name="helios_failed_says_why"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("accepted", "partial", "refused", "unreadable"))
                | Q(answered_at__isnull=False),
                name="helios_verdict_has_its_time",
            ),
        )
        indexes = (models.Index(fields=("state",), name="helios_flow_state"),)
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.nom_fic

    def get_absolute_url(self) -> str:
        """The one page of the flow."""
        return reverse("helios:flow", args=[self.pk])

    @property
    def state_label(self) -> str:
        """The state in words."""
        if self.state == FlowState.SENT and not self.expects_acquit:
            return "Transmis, aucun acquit attendu"
        return FlowState(self.state).label

    @property
    def budget_label(self) -> str:
        """The budget as the commune calls it, else as the file does."""
        if self.budget is not None:
            return self.budget.label
        return self.libelle_col_bud or f"Budget {self.cod_bud}"

    @property
    def header(self) -> Header:
        """What the rules of identity look at."""
        return Header(
            nom_fic=self.nom_fic,
            id_post=self.id_post,
            id_coll=self.id_coll,
            cod_col=self.cod_col,
            cod_bud=self.cod_bud,
        )

    @property
    def found(self) -> tuple[Finding, ...]:
        """What the checks of the deposit had to say, most pressing first."""
        return tuple(
            Finding(Level(one["level"]), one["code"], one["sentence"]) for one in self.findings
        )

    @property
    def domain_totals(self) -> tuple[DomainTotal, ...]:
        """The totals of each accounting domain."""
        return tuple(
            DomainTotal(
                domain=ProtocolDomain(one["domain"]),
                dematerialised=one["dematerialised"],
                bordereaux=one["bordereaux"],
                pieces=one["pieces"],
                lines=one["lines"],
                total_ht=read_amount(one["ht"]),
                total_tva=read_amount(one["tva"]),
            )
            for one in self.totals
        )

    @property
    def signed(self) -> Signature:
        """How much of the flux is signed."""
        return Signature(self.signature)


class PesBordereau(models.Model):
    """One bordereau of a flow: what it declares, what its lines add up to, what was answered."""

    flow = models.ForeignKey(PesFlow, on_delete=models.CASCADE, related_name="bordereaux")
    domain = models.CharField(max_length=10)
    exercice = models.CharField(max_length=20, blank=True)
    type_code = models.CharField(max_length=20, blank=True)
    number = models.CharField("numéro", max_length=50, blank=True)
    issued_on = models.DateField(null=True)
    pieces = models.PositiveIntegerField()
    lines = models.PositiveIntegerField()
    total_ht = models.DecimalField(**AMOUNT)
    total_tva = models.DecimalField(**AMOUNT)
    signed = models.BooleanField(default=False)
    accepted = models.BooleanField(null=True)
    """The verdict of the trésorerie, None until it gives one."""
    answered_on = models.DateField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(accepted=None, answered_on=None)
                | Q(accepted__isnull=False, answered_on__isnull=False),
                name="helios_bordereau_verdict_is_whole",
            ),
        )
        indexes = (
            models.Index(
                fields=("exercice", "number"),
                condition=Q(accepted=True),
                name="helios_bordereau_accepted",
            ),
        )
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"Bordereau n° {self.number}"


class PesAttachment(models.Model):
    """One pièce jointe carried by a flow. `size` in bytes, still compressed."""

    flow = models.ForeignKey(PesFlow, on_delete=models.CASCADE, related_name="attachments")
    id_unique = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=200, blank=True)
    mime_type = models.CharField(max_length=100, blank=True)
    size = models.BigIntegerField()
    accepted = models.BooleanField(null=True)
    answered_on = models.DateField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(accepted=None, answered_on=None)
                | Q(accepted__isnull=False, answered_on__isnull=False),
                name="helios_attachment_verdict_is_whole",
            ),
        )
        indexes = (
            models.Index(
                fields=("id_unique",),
                condition=Q(accepted=True),
                name="helios_attachment_accepted",
            ),
        )
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.name or self.id_unique


class PesAcquit(models.Model):
    """One PES_ACQUIT, kept as it came; a flow may get several and loses none."""

    flow = models.ForeignKey(PesFlow, on_delete=models.PROTECT, related_name="acquits")
    stored = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    verdict = models.CharField(
        max_length=10, choices=[(state.value, state.label) for state in AcquitState]
    )
    elements = models.JSONField(default=list)
    """The facts of each element, in the order of the file (see `read_elements`)."""
    received_at = models.DateTimeField("reçu le")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("flow", "sha256"), name="helios_acquit_once"),
        )
        ordering = ("-received_at", "-pk")

    def __str__(self) -> str:
        return f"Acquit de {self.flow}"

    def read_elements(self) -> tuple[AckElement, ...]:
        """The elements as the protocol reads them, which knows the words for them."""
        return tuple(
            AckElement(
                **{name: value for name, value in one.items() if name != "errors"},
                errors=tuple(AckError(**error) for error in one["errors"]),
            )
            for one in self.elements
        )


class PesRetour(models.Model):
    """One PES_Retour, kept as it came for the finance software."""

    stored = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64, unique=True)
    nom_fic = models.CharField("nom", max_length=200, blank=True)
    kinds = ArrayField(models.CharField(max_length=100), default=list)
    dated = models.DateField("daté du", null=True)
    cod_bud = models.CharField(max_length=20, blank=True)
    received_at = models.DateTimeField("reçu le")
    taken_at = models.DateTimeField("pris par le logiciel le", null=True)

    class Meta:
        ordering = ("-received_at", "-pk")

    def __str__(self) -> str:
        return self.nom_fic or self.stored.name


class SendingDay(models.Model):
    """How many flows the commune has sent on one day: the number in the next one's name."""

    day = models.DateField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.day}: {self.last}"
