"""What a billing officer types."""

from typing import Any

from django import forms

from billing.models import Product, VatRegime
from socle.web.forms import DateInput


class CollectForm(forms.Form):
    """Up to which day facts are collected."""

    until = forms.DateField(
        label="Faits jusqu’au",
        widget=DateInput,
        help_text="Remises de certificats et adhésions de l’année, jusqu’à ce jour inclus.",
    )


class SearchForm(forms.Form):
    """Find a body by its name."""

    q = forms.CharField(label="Commune ou organisme", required=False)


class IssuedForm(SearchForm):
    """Find issued invoices."""

    annee = forms.IntegerField(label="Année", required=False, min_value=2000, max_value=2999)


class LineForm(forms.Form):
    """A product of the price list on a draft."""

    product = forms.ModelChoiceField(
        Product.objects.all(), label="Produit", empty_label="Choisissez"
    )
    quantity = forms.IntegerField(label="Quantité", initial=1)


class ReferencesForm(forms.Form):
    """What the debtor wants to read on the invoice."""

    chorus_service = forms.CharField(
        label="Code service Chorus Pro", max_length=100, required=False
    )
    engagement = forms.CharField(label="Numéro d’engagement", max_length=50, required=False)


class CreditForm(forms.Form):
    """Why an invoice is cancelled, and what becomes of what it billed."""

    reason = forms.CharField(
        label="Motif de l’avoir", max_length=300, help_text="Il est imprimé sur l’avoir."
    )
    bill_again = forms.BooleanField(
        label="Remettre ses lignes à facturer",
        required=False,
        initial=True,
        help_text="Décochez si la somme n’était pas due du tout.",
    )


class PriceForm(forms.Form):
    """A new version of a price: it holds from a day on."""

    unit_price = forms.DecimalField(
        label="Prix unitaire HT", max_digits=10, decimal_places=2, help_text="En euros hors taxes."
    )
    regime = forms.ChoiceField(label="Régime de TVA", choices=VatRegime.choices)
    rate = forms.DecimalField(
        label="Taux de TVA",
        max_digits=4,
        decimal_places=2,
        initial=0,
        help_text="En pour cent ; 0 pour les régimes sans TVA.",
    )
    valid_from = forms.DateField(label="À partir du", widget=DateInput)

    def facts(self) -> dict[str, Any]:
        """What to write down."""
        wanted = ("unit_price", "regime", "rate", "valid_from")
        return {name: self.cleaned_data[name] for name in wanted}


class NewPriceForm(PriceForm):
    """A product, or one more stratum of a product."""

    code = forms.SlugField(
        label="Code du produit",
        max_length=20,
        help_text="Un code déjà connu ajoute une strate à ce produit.",
    )
    label = forms.CharField(label="Libellé", max_length=160)
    population_from = forms.IntegerField(label="À partir de (habitants)", min_value=0, initial=0)
    population_until = forms.IntegerField(
        label="Jusqu’à (habitants)", min_value=0, required=False, help_text="Vide : sans limite."
    )

    field_order = ("code", "label")

    def clean(self) -> dict[str, Any]:
        """Refuse a stratum that ends before it starts."""
        low, high = (self.cleaned_data.get(f"population_{end}") for end in ("from", "until"))
        if low is not None and high is not None and high < low:
            self.add_error("population_until", "La strate finit avant de commencer : inversez.")
        return self.cleaned_data

    def facts(self) -> dict[str, Any]:
        """What to write down, stratum included."""
        wanted = ("population_from", "population_until")
        return super().facts() | {name: self.cleaned_data[name] for name in wanted}
