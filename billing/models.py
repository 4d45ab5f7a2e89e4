"""Prices, what is to be billed, invoices. All in the public schema, and no issued word changes.

The triggers of the first migration refuse to change or delete an issued invoice and its lines.
"""

from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    BigIntegerRangeField,
    DateRangeField,
    IntegerRangeField,
    RangeField,
    RangeOperators,
)
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Round

from socle.directory.models import Organisation
from socle.documents.models import StoredFile

PERSON = settings.AUTH_USER_MODEL


class VatRegime(models.TextChoices):
    OUT_OF_SCOPE = "out_of_scope", "Hors champ (contribution statutaire)"
    EXEMPT = "exempt", "Exonéré (groupement, art. 261 B)"
    FRANCHISE = "franchise", "Franchise en base (art. 293 B)"
    TAXED = "taxed", "Taxable"


class Product(models.Model):
    """Something the syndicat bills."""

    code = models.SlugField("code", max_length=20, unique=True)
    label = models.CharField("libellé", max_length=160)

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return self.label


class Taxed(models.Model):
    """A price and how the law taxes it."""

    unit_price = models.DecimalField("prix unitaire HT", max_digits=10, decimal_places=2)
    regime = models.CharField("régime de TVA", max_length=12, choices=VatRegime)
    rate = models.DecimalField("taux de TVA", max_digits=4, decimal_places=2, default=Decimal(0))

    class Meta:
        abstract = True
        constraints = (
            models.CheckConstraint(
                condition=Q(unit_price__gte=0), name="%(app_label)s_%(class)s_price_is_no_gift"
            ),
            models.CheckConstraint(
                condition=Q(regime="taxed", rate__gt=0) | ~Q(regime="taxed") & Q(rate=0),
                name="%(app_label)s_%(class)s_only_taxed_has_a_rate",
            ),
        )


def _range(field: RangeField, kind: str, low: str, high: str) -> Func:
    return Func(F(low), F(high), Value("[]"), function=kind, output_field=field)


class Price(Taxed):
    """What a product costs, from one day to another, to bodies of a population stratum."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="prices")
    population_from = models.PositiveIntegerField("à partir de (habitants)", default=0)
    population_until = models.PositiveIntegerField("jusqu’à (habitants)", null=True, blank=True)
    """Included; None for no limit."""
    valid_from = models.DateField("à partir du")
    valid_until = models.DateField("jusqu’au", null=True, blank=True)
    """Included; None until a new version."""

    class Meta(Taxed.Meta):
        constraints = (
            *Taxed.Meta.constraints,
            models.CheckConstraint(
                condition=Q(population_until=None) | Q(population_until__gte=F("population_from")),
                name="billing_stratum_is_ordered",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="billing_price_validity_is_ordered",
            ),
            # A range of one number stands for equality: no extension of PostgreSQL is needed.
            ExclusionConstraint(
                name="billing_one_price_for_a_body_on_a_day",
                expressions=[
                    (
                        _range(BigIntegerRangeField(), "int8range", "product", "product"),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        _range(DateRangeField(), "daterange", "valid_from", "valid_until"),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        _range(
                            IntegerRangeField(), "int4range", "population_from", "population_until"
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        )
        ordering = ("product__code", "population_from", "-valid_from")


class InvoiceKind(models.TextChoices):
    INVOICE = "invoice", "Facture"
    CREDIT_NOTE = "credit_note", "Avoir"


class InvoiceState(models.TextChoices):
    DRAFT = "draft", "Brouillon"
    ISSUED = "issued", "Émise"


class Invoice(models.Model):
    """What a body owes (invoice) or is given back (credit note). Issued, it never changes."""

    kind = models.CharField(max_length=11, choices=InvoiceKind, default=InvoiceKind.INVOICE)
    state = models.CharField(max_length=6, choices=InvoiceState, default=InvoiceState.DRAFT)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="invoices"
    )
    created_at = models.DateTimeField()
    chorus_service = models.CharField("code service Chorus Pro", max_length=100, blank=True)
    engagement = models.CharField("numéro d’engagement", max_length=50, blank=True)
    corrects = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="credit_note"
    )
    reason = models.CharField("motif", max_length=300, blank=True)

    year = models.PositiveSmallIntegerField(null=True)
    rank = models.PositiveIntegerField(null=True)
    number = models.CharField("numéro", max_length=20, unique=True, null=True)  # noqa: DJ001
    """None for a draft: a unique column lets NULL repeat."""
    issued_on = models.DateField("émise le", null=True)
    issued_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    due_on = models.DateField("échéance", null=True)
    seller = models.JSONField(default=dict)
    buyer = models.JSONField(default=dict)
    """Name, address and SIRET of both, as they were when it was issued."""
    total_ht = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal(0))
    total_vat = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal(0))
    total_ttc = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal(0))
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    state="draft",
                    number=None,
                    year=None,
                    rank=None,
                    issued_on=None,
                    issued_by=None,
                    due_on=None,
                    file=None,
                )
                | Q(
                    state="issued",
                    number__isnull=False,
                    year__isnull=False,
                    rank__gt=0,
                    issued_on__isnull=False,
                    issued_by__isnull=False,
                    due_on__gte=F("issued_on"),
                    file__isnull=False,
                ),
                name="billing_only_issued_is_numbered",
            ),
            models.CheckConstraint(
                condition=Q(kind="credit_note", corrects__isnull=False) & ~Q(reason="")
                | Q(kind="invoice", corrects=None, reason=""),
                name="billing_credit_note_corrects_an_invoice",
            ),
            models.CheckConstraint(
                condition=Q(total_ttc=F("total_ht") + F("total_vat")),
                name="billing_totals_add_up",
            ),
            models.UniqueConstraint(
                fields=("kind", "year", "rank"), name="billing_one_invoice_each_rank"
            ),
            models.UniqueConstraint(
                fields=("organisation",),
                condition=Q(state="draft", kind="invoice"),
                name="billing_one_draft_each_body",
            ),
        )
        ordering = ("-issued_on", "-number", "-pk")
        indexes = (models.Index(fields=("state", "year", "kind"), name="billing_invoice_of_year"),)

    def __str__(self) -> str:
        return self.number or f"Brouillon pour {self.organisation}"

    @property
    def sign(self) -> int:
        """-1 for what is given back."""
        return -1 if self.kind == InvoiceKind.CREDIT_NOTE else 1

    @property
    def signed_ttc(self) -> Decimal:
        """What it adds to what the body owes."""
        return self.sign * self.total_ttc


class Line(Taxed):
    """One line of an invoice. Its words and its price are its own."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    label = models.CharField("désignation", max_length=300)
    rule = models.CharField("règle de prix", max_length=160)
    quantity = models.PositiveIntegerField("quantité")
    ht = models.DecimalField(max_digits=12, decimal_places=2)
    vat = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta(Taxed.Meta):
        constraints = (
            *Taxed.Meta.constraints,
            models.CheckConstraint(condition=Q(quantity__gt=0), name="billing_line_counts_some"),
            models.CheckConstraint(
                condition=Q(ht=F("quantity") * F("unit_price")), name="billing_line_multiplies"
            ),
            models.CheckConstraint(
                condition=Q(vat=Round(F("ht") * F("rate") / Value(Decimal(100)), precision=2)),
                name="billing_line_tax_is_rounded_half_up",
            ),
        )
        ordering = ("pk",)


class BillableItem(Taxed):
    """A fact that is to be billed once: a hand-over, a year of membership."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="billable_items"
    )
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=80, unique=True)
    """What it comes from, e.g. "certificate:41" or "membership:12:2026": collected once."""
    happened_on = models.DateField("date du fait")
    label = models.CharField("désignation", max_length=300)
    rule = models.CharField("règle de prix", max_length=160)
    is_first_free = models.BooleanField(default=False)
    quantity = models.PositiveIntegerField("quantité", default=1)
    line = models.OneToOneField(Line, on_delete=models.SET_NULL, null=True, related_name="item")
    """The line that bills it; None while it is to be billed."""
    collected_at = models.DateTimeField()

    class Meta(Taxed.Meta):
        constraints = (
            *Taxed.Meta.constraints,
            models.CheckConstraint(condition=Q(quantity__gt=0), name="billing_item_counts_some"),
            models.UniqueConstraint(
                fields=("organisation",),
                condition=Q(is_first_free=True),
                name="billing_one_free_certificate_each",
            ),
        )
        ordering = ("happened_on", "pk")
        indexes = (
            models.Index(
                fields=("organisation",), condition=Q(line=None), name="billing_item_to_bill"
            ),
        )

    def __str__(self) -> str:
        return self.label


class Counter(models.Model):
    """The last number given in one series and one year; its row is the lock of the series."""

    kind = models.CharField(max_length=11, choices=InvoiceKind)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("kind", "year"), name="billing_one_counter_each"),
        )
