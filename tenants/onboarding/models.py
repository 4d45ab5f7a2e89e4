"""One case per commune, with its steps and its papers. Public schema.

Files are stored in the public schema too, and named here by their identifier: a paper has been in
the syndicat's hands before the commune has a space of its own.
"""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from socle.delivery.models import TransmissionOperator
from socle.directory.models import Organisation
from tenants.onboarding.steps import BY_CODE, OWNER_LABELS, Owner

PERSON = settings.AUTH_USER_MODEL
OWNERS = [(owner.value, label) for owner, label in OWNER_LABELS.items()]


class CaseState(models.TextChoices):
    DRAFT = "draft", "À compléter"
    IN_PROGRESS = "in_progress", "En cours"
    AWAITING_SIGNATURE = "awaiting_signature", "À signer"
    AWAITING_STATE = "awaiting_state", "En préfecture"
    READY = "ready", "Prête à transmettre"
    LIVE = "live", "Raccordée"
    SUSPENDED = "suspended", "Suspendue"
    CLOSED = "closed", "Close"


class OnboardingCase(models.Model):
    """The connection of one body, from the first contact to the first acknowledgement."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="onboarding_cases"
    )
    state = models.CharField(max_length=20, choices=CaseState, default=CaseState.DRAFT)
    operator = models.ForeignKey(
        TransmissionOperator, on_delete=models.PROTECT, null=True, related_name="+"
    )
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    closing_reason = models.CharField("motif", max_length=300, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation",),
                condition=~Q(state="closed"),
                name="onboarding_one_open_case",
            ),
            models.CheckConstraint(
                condition=(
                    Q(state="closed", closed_at__gte=F("opened_at"), closed_by__isnull=False)
                    & ~Q(closing_reason="")
                )
                | (~Q(state="closed") & Q(closed_at=None, closed_by=None, closing_reason="")),
                name="onboarding_closing_is_whole",
            ),
        )
        ordering = ("organisation__sort_key", "pk")

    def __str__(self) -> str:
        return f"Raccordement de {self.organisation}"


class StepState(models.TextChoices):
    TODO = "todo", "Plus tard"
    CURRENT = "current", "En cours"
    BLOCKED = "blocked", "Bloquée"
    DONE = "done", "Faite"
    SKIPPED = "skipped", "Sans objet"


class StepRecord(models.Model):
    """Where one step of a case stands: what it waits for, and since when it is done."""

    case = models.ForeignKey(OnboardingCase, on_delete=models.CASCADE, related_name="steps")
    code = models.CharField(max_length=2, choices=[(code, BY_CODE[code].label) for code in BY_CODE])
    state = models.CharField(max_length=7, choices=StepState, default=StepState.TODO)
    waits_for = models.CharField(max_length=10, choices=OWNERS, blank=True)
    """Whose turn it is, while the step is current or blocked."""
    reason = models.CharField("motif", max_length=300, blank=True)
    """The first thing that is missing, or why somebody declared the step blocked or set aside."""
    set_aside = models.BooleanField(default=False)
    due_on = models.DateField("échéance", null=True)
    dated_on = models.DateField("fait le", null=True)
    note = models.CharField("précision", max_length=300, blank=True)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("case", "code"), name="onboarding_one_record_each"),
            models.CheckConstraint(
                condition=Q(state="done", done_at__isnull=False)
                | (~Q(state="done") & Q(done_at=None, done_by=None)),
                name="onboarding_done_has_its_time",
            ),
            models.CheckConstraint(
                condition=(
                    Q(state__in=("current", "blocked"), due_on__isnull=False)
                    & ~Q(waits_for="")
                    & ~Q(reason="")
                )
                | (~Q(state__in=("current", "blocked")) & Q(waits_for="")),
                name="onboarding_open_step_says_whose_turn",
            ),
            models.CheckConstraint(
                condition=Q(set_aside=False) | (Q(state="skipped") & ~Q(reason="")),
                name="onboarding_set_aside_has_a_reason",
            ),
        )
        indexes = (
            models.Index(
                fields=("waits_for", "due_on"),
                condition=Q(state__in=("current", "blocked")),
                name="onboarding_step_open",
            ),
        )
        ordering = ("pk",)

    def __str__(self) -> str:
        return BY_CODE[self.code].label

    @property
    def owner(self) -> str:
        """Whose turn it is, in French; "" when it is nobody's."""
        return OWNER_LABELS[Owner(self.waits_for)] if self.waits_for else ""


class Paper(models.Model):
    """A document made from the commune's data: two files made, one signed copy received."""

    generated_pdf = models.UUIDField(null=True)
    generated_odt = models.UUIDField(null=True)
    generated_at = models.DateTimeField(null=True)
    signed_copy = models.UUIDField(null=True)

    class Meta:
        abstract = True
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            models.CheckConstraint(
                condition=Q(generated_pdf=None, generated_odt=None, generated_at=None)
                | Q(
                    generated_pdf__isnull=False,
                    generated_odt__isnull=False,
                    generated_at__isnull=False,
                ),
                name="%(app_label)s_%(class)s_generated_is_whole",
            ),
        )


class Scope(models.TextChoices):
    ACTS = "acts", "les actes soumis au contrôle de légalité"
    BUDGET = "budget", "les documents budgétaires"
    HELIOS = "helios", "les flux comptables HELIOS (PES V2)"


class Authorisation(models.TextChoices):
    USE = "use", "recourir à la télétransmission"
    CONTRACT = "contract", "signer le marché ou le contrat de l’opérateur"
    JOIN = "join", "adhérer au service mutualisé du syndicat"
    CONVENTION = "convention", "signer la convention avec le représentant de l’État"
    AMENDMENTS = "amendments", "signer les avenants à venir"
    TRANSMITTERS = "transmitters", "désigner les agents télétransmetteurs"


class Channel(models.TextChoices):
    PAPER = "paper", "Dépôt au guichet contre récépissé"
    POST = "post", "Courrier recommandé"
    MAIL = "mail", "Messagerie de la préfecture"
    FORMER = "former", "Dispositif de transmission précédent"


class Deliberation(Paper):
    """The decision of the assembly. What is not known before the session is None or ""."""

    case = models.OneToOneField(
        OnboardingCase, on_delete=models.CASCADE, related_name="deliberation"
    )
    number = models.CharField("numéro", max_length=40, blank=True)
    convened_on = models.DateField("convocation", null=True, blank=True)
    session_on = models.DateField("séance", null=True, blank=True)
    second_convocation = models.BooleanField("seconde convocation", default=False)
    place = models.CharField("lieu", max_length=200, blank=True)
    president = models.CharField("président de séance", max_length=120, blank=True)
    secretary = models.CharField("secrétaire de séance", max_length=120, blank=True)
    reporter = models.CharField("rapporteur", max_length=120, blank=True)
    in_office = models.PositiveSmallIntegerField("membres en exercice", null=True, blank=True)
    present = models.PositiveSmallIntegerField("présents", null=True, blank=True)
    represented = models.PositiveSmallIntegerField("représentés", null=True, blank=True)
    voting = models.PositiveSmallIntegerField("votants", null=True, blank=True)
    votes_for = models.PositiveSmallIntegerField("voix pour", null=True, blank=True)
    votes_against = models.PositiveSmallIntegerField("voix contre", null=True, blank=True)
    abstentions = models.PositiveSmallIntegerField("abstentions", null=True, blank=True)
    scope = ArrayField(models.CharField(max_length=10, choices=Scope), default=list)
    authorisations = ArrayField(
        models.CharField(max_length=12, choices=Authorisation), default=list
    )
    transmitted_on = models.DateField("transmise le", null=True, blank=True)
    transmitted_by = models.CharField("moyen", max_length=8, choices=Channel, blank=True)
    transmission_proof = models.UUIDField(null=True)

    class Meta(Paper.Meta):
        constraints = (
            *Paper.Meta.constraints,
            models.CheckConstraint(
                condition=Q(votes_for=None)
                | Q(voting=F("votes_for") + F("votes_against") + F("abstentions")),
                name="onboarding_votes_add_up",
            ),
            models.CheckConstraint(
                condition=Q(voting=None) | Q(voting__lte=F("present") + F("represented")),
                name="onboarding_voters_are_there",
            ),
            models.CheckConstraint(
                condition=Q(transmitted_on=None, transmission_proof=None, transmitted_by="")
                | (
                    Q(transmitted_on__gte=F("session_on"), transmission_proof__isnull=False)
                    & ~Q(transmitted_by="")
                ),
                name="onboarding_transmission_is_whole",
            ),
        )

    def __str__(self) -> str:
        return f"délibération n° {self.number}" if self.number else "délibération"


class Route(models.TextChoices):
    MEMBERSHIP = "membership", "Adhésion au service du syndicat"
    IN_HOUSE = "in_house", "Quasi-régie"
    JOINT = "joint", "Groupement de commandes"
    CENTRAL = "central", "Centrale d’achat"
    DIRECT = "direct", "Marché sans publicité ni mise en concurrence"
    ADAPTED = "adapted", "Marché à procédure adaptée (MAPA)"


MARKETS = (Route.DIRECT, Route.ADAPTED)


class ProcurementRoute(Paper):
    """How the body gets the service: adhesion to the syndicat's, or a contract of its own."""

    case = models.OneToOneField(OnboardingCase, on_delete=models.CASCADE, related_name="route")
    kind = models.CharField("voie d’accès", max_length=12, choices=Route)
    tariff = models.CharField("tarif", max_length=200)
    amount = models.DecimalField("montant annuel HT", max_digits=9, decimal_places=2)
    tariff_accepted_on = models.DateField("tarif accepté le", null=True, blank=True)
    tariff_accepted_by = models.CharField("accepté par", max_length=120, blank=True)
    signed_by_commune_on = models.DateField("signé par la commune le", null=True)
    signed_by_commune_name = models.CharField("signataire", max_length=120, blank=True)
    commune_copy = models.UUIDField(null=True)
    signed_by_counterparty_on = models.DateField("signé par l’autre partie le", null=True)
    signed_by_counterparty_name = models.CharField("signataire", max_length=120, blank=True)

    class Meta(Paper.Meta):
        constraints = (
            *Paper.Meta.constraints,
            models.CheckConstraint(
                condition=Q(tariff_accepted_on=None, tariff_accepted_by="")
                | (Q(tariff_accepted_on__isnull=False) & ~Q(tariff_accepted_by="")),
                name="onboarding_tariff_is_accepted_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(signed_by_commune_on=None, signed_by_commune_name="", commune_copy=None)
                | (
                    Q(signed_by_commune_on__isnull=False, commune_copy__isnull=False)
                    & ~Q(signed_by_commune_name="")
                ),
                name="onboarding_commune_signature_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(
                    signed_by_counterparty_on=None, signed_by_counterparty_name="", signed_copy=None
                )
                | (
                    Q(signed_by_counterparty_on__isnull=False, signed_copy__isnull=False)
                    & Q(signed_by_commune_on__isnull=False)
                    & ~Q(signed_by_counterparty_name="")
                ),
                name="onboarding_other_signature_is_whole",
            ),
        )

    def __str__(self) -> str:
        return "contrat" if self.kind in MARKETS else "convention d’adhésion"


class ConventionState(models.TextChoices):
    TO_PREPARE = "to_prepare", "À préparer"
    GENERATED = "generated", "À signer par la collectivité"
    SIGNED_BY_COLLECTIVITE = "signed_by_collectivite", "À envoyer à la préfecture"
    SENT_TO_PREFECTURE = "sent_to_prefecture", "À signer par le préfet"
    SIGNED_BY_PREFET = "signed_by_prefet", "Exemplaire signé attendu"
    COPY_RECEIVED = "copy_received", "Signée des deux parties"
    COPY_SENT_TO_OPERATOR = "copy_sent_to_operator", "Copie chez l’opérateur"
    ACTIVE = "active", "En vigueur"
    SUSPENDED = "suspended", "Suspendue"
    RENOUNCED = "renounced", "Renoncée"


NOT_SIGNED_YET = ("to_prepare", "generated")


class ActesConvention(Paper):
    """The convention with the préfet (CGCT R2131-3): parties, device, scope, dates, signatures."""

    case = models.OneToOneField(OnboardingCase, on_delete=models.CASCADE, related_name="convention")
    state = models.CharField(
        max_length=24, choices=ConventionState, default=ConventionState.TO_PREPARE
    )
    prefet_name = models.CharField("préfet", max_length=120)
    prefet_title = models.CharField("qualité", max_length=160)
    prefecture_address = models.CharField("adresse", max_length=300)
    prefecture_email = models.EmailField("boîte fonctionnelle", blank=True)
    state_referent = models.CharField("référent de l’État", max_length=200, blank=True)
    representative_name = models.CharField("représentant", max_length=120)
    representative_quality = models.CharField("qualité", max_length=120)
    referent_name = models.CharField("référent de la collectivité", max_length=120)
    referent_function = models.CharField("fonction", max_length=120)
    referent_phone = models.CharField("téléphone", max_length=20)
    referent_email = models.EmailField("adresse électronique")
    natures = ArrayField(models.CharField(max_length=1))
    budget_from = models.PositiveSmallIntegerField("à partir de l’exercice", null=True, blank=True)
    exclusions = models.CharField("exclusions", max_length=300, blank=True)
    starts_on = models.DateField("date de début")
    letter = models.UUIDField(null=True)
    letter_odt = models.UUIDField(null=True)
    signed_by_collectivite_on = models.DateField(null=True)
    signed_by_collectivite_name = models.CharField(max_length=120, blank=True)
    collectivite_copy = models.UUIDField(null=True)
    sent_to_prefecture_on = models.DateField(null=True)
    sent_by = models.CharField("moyen", max_length=8, choices=Channel, blank=True)
    returned_reason = models.CharField("motif du retour", max_length=300, blank=True)
    signed_by_prefet_on = models.DateField(null=True)
    signed_by_prefet_name = models.CharField(max_length=120, blank=True)
    copy_received_on = models.DateField(null=True)
    sent_to_operator_on = models.DateField(null=True)
    suspended_on = models.DateField(null=True)
    suspension_reason = models.CharField(max_length=300, blank=True)
    renounced_on = models.DateField(null=True)

    class Meta(Paper.Meta):
        constraints = (
            *Paper.Meta.constraints,
            models.CheckConstraint(
                condition=Q(state__in=NOT_SIGNED_YET)
                | (
                    Q(signed_by_collectivite_on__isnull=False, collectivite_copy__isnull=False)
                    & ~Q(signed_by_collectivite_name="")
                ),
                name="onboarding_convention_signed_by_body",
            ),
            models.CheckConstraint(
                condition=Q(signed_by_prefet_on=None, signed_by_prefet_name="")
                | (
                    Q(signed_by_prefet_on__gte=F("signed_by_collectivite_on"))
                    & ~Q(signed_by_prefet_name="")
                ),
                name="onboarding_prefet_signs_after_body",
            ),
            models.CheckConstraint(
                condition=Q(signed_by_prefet_on=None) | Q(starts_on__gte=F("signed_by_prefet_on")),
                name="onboarding_convention_starts_after_signatures",
            ),
            models.CheckConstraint(
                condition=Q(copy_received_on=None, signed_copy=None)
                | Q(
                    copy_received_on__isnull=False,
                    signed_copy__isnull=False,
                    signed_by_prefet_on__isnull=False,
                ),
                name="onboarding_both_signatures_are_proven",
            ),
            models.CheckConstraint(
                condition=(
                    Q(state="suspended", suspended_on__isnull=False) & ~Q(suspension_reason="")
                )
                | (~Q(state="suspended") & Q(suspended_on=None, suspension_reason="")),
                name="onboarding_convention_suspension_is_whole",
            ),
        )

    def __str__(self) -> str:
        if self.signed_by_prefet_on:
            return f"convention @CTES du {self.signed_by_prefet_on:%d/%m/%Y}"
        return "convention @CTES"


class HeliosAdhesion(Paper):
    """The budget sheet, the DGFiP's agreement and the form by which a body adheres to the PES."""

    case = models.OneToOneField(OnboardingCase, on_delete=models.CASCADE, related_name="helios")
    budget_label = models.CharField("budget", max_length=120)
    siret = models.CharField("SIRET du budget", max_length=14)
    cod_col = models.CharField("code collectivité", max_length=3)
    cod_bud = models.CharField("code budget", max_length=2)
    id_post = models.CharField("poste comptable", max_length=7)
    nomenclature = models.CharField("nomenclature", max_length=20)
    software = models.CharField("logiciel financier", max_length=120)
    signs_pes = models.BooleanField("bordereaux signés électroniquement", default=False)
    starts_on = models.DateField("date de début")
    agreed_on = models.DateField("accord de la DGFiP", null=True)
    agreed_by = models.CharField("donné par", max_length=120, blank=True)
    signed_on = models.DateField("signé le", null=True)
    signed_by = models.CharField("signataire", max_length=120, blank=True)
    received_on = models.DateField("reçu par le comptable le", null=True)
    received_by = models.CharField("reçu par", max_length=120, blank=True)

    class Meta(Paper.Meta):
        constraints = (
            *Paper.Meta.constraints,
            models.CheckConstraint(
                condition=Q(cod_col__regex=r"^[0-9]{3}$") & ~Q(cod_col="000"),
                name="onboarding_cod_col",
            ),
            models.CheckConstraint(
                condition=Q(cod_bud__regex=r"^[0-9A-Z][0-9]$"), name="onboarding_cod_bud"
            ),
            models.CheckConstraint(
                condition=Q(id_post__regex=r"^(02[AB][0-9]{3,4}|[0-9]{6,7})$"),
                name="onboarding_id_post",
            ),
            models.CheckConstraint(
                condition=Q(signed_on=None, signed_copy=None, signed_by="")
                | (Q(signed_on__gte=F("agreed_on"), signed_copy__isnull=False) & ~Q(signed_by="")),
                name="onboarding_pes_form_after_agreement",
            ),
            models.CheckConstraint(
                condition=Q(received_on=None, received_by="")
                | (Q(received_on__gte=F("signed_on")) & ~Q(received_by="")),
                name="onboarding_pes_form_received_after_signed",
            ),
        )

    def __str__(self) -> str:
        return (
            f"adhésion au PES du {self.signed_on:%d/%m/%Y}" if self.signed_on else "adhésion au PES"
        )


class CaseBatch(models.Model):
    """Cases to open for all members of one EPCI."""

    epci = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-asked_at",)

    def __str__(self) -> str:
        return f"Ouverture des dossiers de {self.epci}"


class RowState(models.TextChoices):
    TODO = "todo", "À faire"
    OPENED = "opened", "Dossier ouvert"
    REFUSED = "refused", "Refusé"


class CaseBatchRow(models.Model):
    """One commune of a batch."""

    batch = models.ForeignKey(CaseBatch, on_delete=models.CASCADE, related_name="rows")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=7, choices=RowState, default=RowState.TODO)
    message = models.CharField(max_length=300, blank=True)
    handled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("batch", "organisation"), name="onboarding_one_row_each"
            ),
            models.CheckConstraint(
                condition=Q(state="todo", handled_at=None)
                | (~Q(state="todo") & Q(handled_at__isnull=False)),
                name="onboarding_row_has_its_time",
            ),
        )
        ordering = ("organisation__sort_key", "pk")

    def __str__(self) -> str:
        return str(self.organisation)
