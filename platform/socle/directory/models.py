"""Bodies and people's rights in them. All in the public schema."""

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from socle.accounts.capabilities import Capability, Role, capabilities_of


class OrganisationKind(models.TextChoices):
    COMMUNE = "commune", "Commune"
    EPCI = "epci", "EPCI à fiscalité propre"
    SYNDICAT = "syndicat", "Syndicat mixte"
    CCAS = "ccas", "CCAS"
    OTHER = "other", "Autre établissement"


class OfficeKind(models.TextChoices):
    PREFECTURE = "prefecture", "Préfecture"
    SOUS_PREFECTURE = "sous_prefecture", "Sous-préfecture"
    SGC = "sgc", "Service de gestion comptable"


class StateOffice(models.Model):
    """A préfecture, a sous-préfecture or an accounting service."""

    kind = models.CharField(max_length=16, choices=OfficeKind)
    name = models.CharField("nom", max_length=160)
    departement = models.CharField("département", max_length=3)
    arrondissement = models.CharField("arrondissement", max_length=1, blank=True)
    address = models.CharField("adresse", max_length=300, blank=True)
    email = models.EmailField("adresse électronique", blank=True)
    verified = models.BooleanField("vérifié", default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("kind", "name"), name="directory_one_office"),
        )
        ordering = ("departement", "kind", "name")

    def __str__(self) -> str:
        return self.name


class Organisation(models.Model):
    """A public body, known by its SIREN."""

    siren = models.CharField("SIREN", max_length=9, unique=True)
    siret = models.CharField("SIRET", max_length=14, blank=True)
    insee = models.CharField("code INSEE", max_length=5, null=True, blank=True)  # noqa: DJ001 - unique
    name = models.CharField("nom", max_length=200)
    sort_key = models.CharField(max_length=200, editable=False, db_index=True)
    kind = models.CharField("type", max_length=10, choices=OrganisationKind)
    nature = models.CharField("nature ACTES", max_length=2, blank=True)
    departement = models.CharField("département", max_length=3, blank=True)
    arrondissement = models.CharField("arrondissement", max_length=1, blank=True)
    postal_code = models.CharField("code postal", max_length=5, blank=True)
    address = models.CharField("adresse", max_length=300, blank=True)
    email = models.EmailField("adresse électronique", blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    population = models.PositiveIntegerField("population", null=True, blank=True)
    epci = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="communes"
    )
    accounting_office = models.ForeignKey(
        StateOffice, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_on = models.DateField("fermée le", null=True, blank=True)
    successor = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(siren__regex=r"^[0-9]{9}$"), name="directory_siren_is_nine_digits"
            ),
            models.UniqueConstraint(
                fields=("insee",), condition=Q(closed_on=None), name="directory_one_open_per_code"
            ),
            models.CheckConstraint(
                condition=Q(siret="") | Q(siret__startswith=F("siren")),
                name="directory_siret_starts_with_siren",
            ),
            models.CheckConstraint(
                condition=Q(departement="") | Q(departement__regex=r"^[0-9][0-9][0-9AB]$"),
                name="directory_departement_is_three_characters",
            ),
            models.CheckConstraint(
                condition=Q(successor=None) | Q(closed_on__isnull=False),
                name="directory_only_closed_has_successor",
            ),
        )
        ordering = ("sort_key", "pk")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the sort key in step: « Éa » sorts between « eau » and « école »."""
        from socle.core.text import fold

        self.sort_key = fold(self.name)[:200]
        super().save(*args, **kwargs)


class FormerCommune(models.Model):
    """A commune déléguée or associée: no legal person any more, but people still say its name."""

    insee = models.CharField("code INSEE", max_length=5, unique=True)
    name = models.CharField("nom", max_length=200)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="former_communes"
    )

    class Meta:
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """Somebody to call in an organisation, with or without an account."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="contacts"
    )
    first_name = models.CharField("prénom", max_length=80)
    last_name = models.CharField("nom", max_length=80)
    function = models.CharField("fonction", max_length=120)
    email = models.EmailField("adresse électronique", blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    is_legal_representative = models.BooleanField("représentant légal", default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation",),
                condition=Q(is_legal_representative=True),
                name="directory_one_legal_representative",
            ),
        )
        ordering = ("last_name", "first_name", "pk")

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Membership(models.Model):
    """The adhesion of a body to the syndicat."""

    organisation = models.OneToOneField(
        Organisation, on_delete=models.PROTECT, related_name="membership"
    )
    joined_on = models.DateField("adhérente depuis le")
    left_on = models.DateField("partie le", null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(left_on=None) | Q(left_on__gte=F("joined_on")),
                name="directory_leaves_after_joining",
            ),
        )


class SpaceStop(models.Model):
    """The space of a body stands still: nothing is sent for it, its agents are told so.

    Written by the room that suspends spaces; obeyed by the corridor and by tasks.
    """

    organisation = models.OneToOneField(
        Organisation, on_delete=models.PROTECT, related_name="space_stop"
    )
    since = models.DateTimeField()
    reason = models.CharField("motif", max_length=300)
    is_final = models.BooleanField(default=False)
    """The space is being destroyed: returns do not enter it any more either."""

    def __str__(self) -> str:
        return f"{self.organisation} : {self.reason}"


class Grant(models.Model):
    """The roles of one person in one organisation (habilitation)."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="grants"
    )
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="grants")
    roles = ArrayField(models.CharField(max_length=20, choices=[(r, r) for r in Role]))
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("person", "organisation"), name="directory_one_grant_each"
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="directory_grant_ends_after_it_starts",
            ),
        )

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the roles allow together."""
        return capabilities_of(self.roles)

    def is_current(self, on: date) -> bool:
        """Whether the grant holds on that day."""
        return self.starts_on <= on and (self.ends_on is None or on <= self.ends_on)


class Protocol(models.TextChoices):
    ACTES = "actes", "@CTES"
    HELIOS = "helios", "HELIOS"


class TransmissionRight(models.Model):
    """What a body's convention lets it transmit, from when, through whom.

    Written by the room that saw the signatures; obeyed by ACTES, HELIOS and the corridor.
    """

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="transmission_rights"
    )
    protocol = models.CharField(max_length=8, choices=Protocol)
    operator = models.SlugField("opérateur", max_length=20)
    next_operator = models.SlugField("opérateur suivant", max_length=20, blank=True)
    next_from = models.DateField("à partir du", null=True, blank=True)
    """From that day what leaves goes through `next_operator`; what left before keeps its own."""
    natures = ArrayField(models.CharField(max_length=1), default=list, blank=True)
    """ACTES natures the convention covers ("1".."6"); empty for HELIOS."""
    reference = models.CharField("convention", max_length=200)
    starts_on = models.DateField("à partir du")
    suspended_on = models.DateField("suspendu le", null=True, blank=True)
    suspension_reason = models.CharField("motif", max_length=300, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "protocol"), name="directory_one_right_each"
            ),
            models.CheckConstraint(
                condition=Q(suspended_on=None, suspension_reason="")
                | (Q(suspended_on__isnull=False) & ~Q(suspension_reason="")),
                name="directory_suspension_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(next_operator="", next_from=None)
                | (~Q(next_operator="") & Q(next_from__isnull=False)),
                name="directory_next_operator_has_its_day",
            ),
            models.CheckConstraint(
                condition=Q(next_operator="") | ~Q(next_operator=F("operator")),
                name="directory_next_operator_is_another",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_protocol_display()} — {self.reference}"

    def operator_on(self, day: date) -> str:
        """The code of the operator through whom what leaves on that day goes."""
        begun = self.next_from is not None and day >= self.next_from
        return self.next_operator if begun else self.operator
