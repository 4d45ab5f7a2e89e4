"""The rules as they are typed."""

from django import forms

from registration_authority.figures.models import OfferCost
from socle.accounts.models import StepUpRule


class OfferCostForm(forms.ModelForm):  # type: ignore[type-arg]
    """What one certificate costs, with the syndicat and without it."""

    class Meta:
        model = OfferCost
        fields = ("member", "alone")


class StepUpForm(forms.Form):
    """What a commune asks before something leaves in its name."""

    siren = forms.CharField(label="SIREN de la commune", max_length=11)
    minutes = forms.IntegerField(
        label="Redemander au bout de combien de minutes ?",
        min_value=0,
        max_value=720,
        help_text="0 : ne rien redemander.",
    )
    factor = forms.ChoiceField(label="Avec quoi ?", choices=StepUpRule.Factor.choices)


class BodyForm(forms.Form):
    """Another body that lets a certificate be used for it."""

    siren = forms.CharField(
        label="SIREN de l’autre organisme",
        max_length=11,
        help_text="La personne doit déjà y être habilitée, et l’organisme l’avoir accepté.",
    )
