"""Requests to revoke, the rules of each offer, the codes of holders, the campaigns of elections."""

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from registration_authority.models import Certificate, Offer, RevocationReason, Usage
from socle.accounts.models import Person
from socle.directory.models import Organisation


class Asker(models.TextChoices):
    """Who asks: what a certification policy lists."""

    HOLDER = "holder", "La personne titulaire"
    REPRESENTATIVE = "representative", "Le représentant légal"
    OFFICER = "officer", "Le guichet"
    CALLER = "caller", "Un appel sans code"
    AUTHORITY = "authority", "L’autorité de certification"


def everybody() -> list[str]:
    """Whoever may ask when the policy of the authority says nothing."""
    return [one.value for one in Asker]


def signing_usages() -> list[str]:
    """What falls with a mandate when the policy says nothing: what signs in its name."""
    return [Usage.SIGNATURE.value, Usage.DUAL.value]


class RevocationRules(models.Model):
    """What an offer said of revocation before `PolicyProfile` did: kept for the release of before.

    Nothing reads or writes it any more; the table goes with the next release (ADR 0012).
    """

    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, related_name="revocation_rules")
    hours = models.PositiveSmallIntegerField("délai de publication, en heures", default=24)
    warn_after_hours = models.PositiveSmallIntegerField("alerte après, en heures", default=12)
    identify_within_hours = models.PositiveSmallIntegerField("décision sous, en heures", default=2)
    four_eyes = models.BooleanField("deux personnes au guichet, sauf urgence", default=True)
    may_ask = ArrayField(
        models.CharField(max_length=14, choices=Asker),
        verbose_name="qui peut demander",
        default=everybody,
    )
    wrong_codes = models.PositiveSmallIntegerField("essais du code", default=5)
    wrong_codes_minutes = models.PositiveSmallIntegerField("en combien de minutes", default=60)
    falls_with_mandate = ArrayField(
        models.CharField(max_length=14, choices=Usage),
        verbose_name="usages qui tombent avec le mandat",
        default=signing_usages,
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(hours__gt=F("warn_after_hours"))
                & Q(warn_after_hours__gte=F("identify_within_hours"))
                & Q(wrong_codes__gt=0, wrong_codes_minutes__gt=0),
                name="%(app_label)s_%(class)s_warns_before_it_is_late",
            ),
        )


class RevocationState(models.TextChoices):
    RECEIVED = "received", "À confirmer par une autre personne"
    CALL_BACK = "call_back", "À rappeler"
    ACCEPTED = "accepted", "Acceptée"
    REFUSED = "refused", "Refusée"


PENDING: Final = (RevocationState.RECEIVED, RevocationState.CALL_BACK)


class RevocationRequest(models.Model):
    """One request to revoke one certificate, from the minute it came to the authority's list."""

    certificate = models.ForeignKey(
        Certificate, on_delete=models.PROTECT, related_name="revocations"
    )
    asker = models.CharField("demandée par", max_length=14, choices=Asker)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    proof = models.CharField("preuve de la qualité", max_length=120)
    """How the request was known to come from who asks: a code, a session, a call back."""
    reason = models.CharField("motif", max_length=24, choices=RevocationReason)
    urgent = models.BooleanField("vol, perte ou clé compromise", default=False)
    four_eyes = models.BooleanField(default=False)
    """Whether the rules asked for a second person when it came."""
    received_at = models.DateTimeField("reçue le")
    deadline = models.DateTimeField("à publier avant le")
    state = models.CharField(max_length=9, choices=RevocationState)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    """Nobody when the proof decided alone."""
    refusal = models.CharField("motif du refus", max_length=300, blank=True)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    """The second pair of eyes of an urgent revocation, afterwards."""
    published_at = models.DateTimeField(null=True)
    """When we first saw the authority say it: its list, or its OCSP responder."""
    published_by = models.CharField(max_length=4, blank=True)
    warned_at = models.DateTimeField(null=True)
    overdue_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("certificate",),
                condition=Q(state__in=PENDING),
                name="%(app_label)s_%(class)s_one_pending",
            ),
            models.UniqueConstraint(
                fields=("certificate",),
                condition=Q(state=RevocationState.ACCEPTED),
                name="%(app_label)s_%(class)s_one_accepted",
            ),
            models.CheckConstraint(
                condition=Q(deadline__gt=F("received_at")),
                name="%(app_label)s_%(class)s_deadline_follows",
            ),
            models.CheckConstraint(
                condition=Q(state__in=PENDING, decided_at=None, decided_by=None)
                | (~Q(state__in=PENDING) & Q(decided_at__isnull=False)),
                name="%(app_label)s_%(class)s_decision_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(four_eyes=False)
                | ~Q(state=RevocationState.ACCEPTED)
                | (Q(decided_by__isnull=False) & ~Q(decided_by=F("asked_by"))),
                name="%(app_label)s_%(class)s_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("decided_by")),
                name="%(app_label)s_%(class)s_reviewed_by_another",
            ),
            models.CheckConstraint(
                condition=Q(state=RevocationState.REFUSED) & ~Q(refusal="")
                | ~Q(state=RevocationState.REFUSED) & Q(refusal=""),
                name="%(app_label)s_%(class)s_refused_with_a_reason",
            ),
        )
        ordering = ("-received_at", "-pk")
        indexes = (
            models.Index(
                fields=("deadline",),
                condition=Q(state="accepted", published_at=None),
                name="ra_revocation_to_publish",
            ),
        )

    def __str__(self) -> str:
        return f"Révocation du certificat {self.certificate.serial}"

    @property
    def is_pending(self) -> bool:
        """Whether somebody must still decide."""
        return self.state in PENDING


class RevocationCode(models.Model):
    """The code a holder keeps to revoke without a login. Only its hash is here."""

    certificate = models.OneToOneField(
        Certificate, on_delete=models.PROTECT, related_name="revocation_code"
    )
    hashed = models.CharField(max_length=200)
    given_at = models.DateTimeField()


class RevocationAttempt(models.Model):
    """One wrong code, or one request without a code, kept to slow the next ones down."""

    email_digest = models.CharField(max_length=64)
    address = models.GenericIPAddressField()
    at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=("email_digest", "at"), name="ra_attempt_email"),
            models.Index(fields=("address", "at"), name="ra_attempt_address"),
        )


class ElectionCampaign(models.Model):
    """New councils: which elected holders stay, and whose certificates fall."""

    name = models.CharField("nom", max_length=120)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-opened_at", "-pk")

    def __str__(self) -> str:
        return self.name


class ElectionOutcome(models.TextChoices):
    UNKNOWN = "unknown", "Pas encore connu"
    RE_ELECTED = "re_elected", "Réélu(e)"
    NOT_RE_ELECTED = "not_re_elected", "Non réélu(e)"


class ElectionLine(models.Model):
    """One elected holder in one body, and what became of her."""

    campaign = models.ForeignKey(ElectionCampaign, on_delete=models.PROTECT, related_name="lines")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    holder = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(
        max_length=14, choices=ElectionOutcome, default=ElectionOutcome.UNKNOWN
    )
    told_at = models.DateTimeField(null=True)
    told_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    validated_at = models.DateTimeField(null=True)
    validated_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("campaign", "organisation", "holder"),
                name="%(app_label)s_%(class)s_once",
            ),
            models.CheckConstraint(
                condition=Q(validated_by=None) | ~Q(validated_by=F("told_by")),
                name="%(app_label)s_%(class)s_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(validated_at=None)
                | (Q(told_at__isnull=False) & ~Q(outcome=ElectionOutcome.UNKNOWN)),
                name="%(app_label)s_%(class)s_known_before_validated",
            ),
        )
        ordering = ("organisation__sort_key", "holder__last_name", "pk")
