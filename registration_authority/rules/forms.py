"""The rules as they are typed."""

from django import forms

from registration_authority.evidence.models import RetentionRules
from registration_authority.figures.models import OfferCost
from registration_authority.models import Usage
from registration_authority.revocation.models import Asker, RevocationRules
from socle.accounts.models import StepUpRule


class RevocationRulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the certification policy says of revocation."""

    may_ask = forms.MultipleChoiceField(
        label="Qui peut demander", choices=Asker.choices, widget=forms.CheckboxSelectMultiple
    )
    falls_with_mandate = forms.MultipleChoiceField(
        label="Ce qui tombe avec un mandat",
        choices=Usage.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = RevocationRules
        fields = (
            "hours",
            "warn_after_hours",
            "identify_within_hours",
            "four_eyes",
            "may_ask",
            "wrong_codes",
            "wrong_codes_minutes",
            "falls_with_mandate",
        )


class RetentionRulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the convention says of keeping."""

    class Meta:
        model = RetentionRules
        fields = ("place", "years_after_end", "working_copy_days")


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
