"""What people say when they change the life of a space."""

from django import forms

from tenants.life import policies
from tenants.life.models import SpaceState


class SpacesFilter(forms.Form):
    q = forms.CharField(label="Nom de la collectivité", required=False, max_length=100)
    etat = forms.ChoiceField(
        label="État", required=False, choices=[("", "Tous"), *SpaceState.choices]
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Motif",
        help_text="Il est écrit dans le journal du syndicat et dans celui de la collectivité.",
        max_length=300,
    )


class SuspendForm(ReasonForm):
    reason = forms.CharField(
        label="Motif",
        help_text="Les agents le liront sur la page qui leur dit que l’espace est suspendu.",
        max_length=300,
    )


class DestroyForm(forms.Form):
    reason = forms.CharField(
        label="Motif",
        help_text="Par exemple : retrait du syndicat au 31 décembre, délibération n° 2026-41.",
        max_length=300,
    )
    visa = forms.CharField(
        label="Visa du directeur des Archives départementales",
        help_text="Sa référence et sa date, ou pourquoi il n’est pas dû (Code du patrimoine, "
        "L212-2).",
        max_length=200,
    )
    wait_days = forms.IntegerField(
        label="Délai avant la destruction, en jours",
        help_text="Pendant ce délai, la destruction peut être annulée.",
        initial=policies.WAIT_DAYS,
        min_value=policies.SHORTEST_WAIT,
        max_value=policies.LONGEST_WAIT,
    )
    waiver = forms.CharField(
        label="Renonciation écrite de la collectivité à son archive",
        help_text="À remplir seulement si aucune archive ne lui est remise : référence et date.",
        max_length=300,
        required=False,
    )
