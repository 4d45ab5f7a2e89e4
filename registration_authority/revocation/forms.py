"""What is typed to revoke."""

from typing import Any

from django import forms

from registration_authority.models import RevocationReason
from socle.accounts.models import Person

KNOWN_REASONS = (
    RevocationReason.KEY_COMPROMISE,
    RevocationReason.AFFILIATION_CHANGED,
    RevocationReason.CESSATION,
)


def _reason(reasons: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label="Motif",
        choices=[(one.value, one.label) for one in reasons],
        widget=forms.RadioSelect,
    )


class PublicForm(forms.Form):
    """The holder, without a login, with the code she was given."""

    email = forms.EmailField(
        label="Adresse électronique du certificat",
        help_text="Celle que votre syndicat connaît.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    code = forms.CharField(
        label="Code de révocation",
        max_length=40,
        help_text="Douze caractères, remis sur papier avec votre certificat. Les tirets et les "
        "majuscules ne comptent pas.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    reason = _reason(KNOWN_REASONS)


class CallBackForm(forms.Form):
    """Somebody without the code."""

    email = forms.EmailField(
        label="Adresse électronique du certificat",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    reason = _reason(KNOWN_REASONS)


class OfficerForm(forms.Form):
    """An officer asks for one certificate."""

    reason = _reason(RevocationReason)
    urgent = forms.BooleanField(
        label="Urgent : perte, vol ou clé compromise",
        required=False,
        help_text="La révocation prend effet tout de suite ; une autre personne du guichet la "
        "relit ensuite.",
    )


class TokenForm(OfficerForm):
    """Every certificate of one token."""

    token_serial = forms.CharField(label="Numéro gravé sur le support", max_length=40)
    field_order = ("token_serial", "reason", "urgent")


class RepresentativeForm(forms.Form):
    """The legal representative asks."""

    reason = _reason(KNOWN_REASONS)


class AcceptForm(forms.Form):
    """Confirm a request; a caller was recognised somehow."""

    proof = forms.CharField(
        label="Comment avez-vous reconnu la personne ?",
        max_length=120,
        help_text="Par exemple : rappelée au numéro du dossier, elle a confirmé sa fonction et la "
        "date de sa remise.",
    )


class RefuseForm(forms.Form):
    """Refuse a request."""

    reason = forms.CharField(
        label="Motif du refus", max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )


LOSS, DEPARTURE = "loss", "departure"


class EventForm(forms.Form):
    """What happened to a holder."""

    event = forms.ChoiceField(
        label="Que s’est-il passé ?",
        choices=[
            (LOSS, "Support perdu ou volé : la personne reste, un nouveau certificat est commandé"),
            (DEPARTURE, "La personne quitte la collectivité : ses accès ferment aussi"),
        ],
        widget=forms.RadioSelect,
    )
    successor = forms.ModelChoiceField(
        label="Qui prend la suite ?",
        queryset=Person.objects.none(),
        required=False,
        empty_label="Personne pour l’instant",
        help_text="Pour un départ : ses dossiers et brouillons changent de main et son certificat "
        "est commandé.",
    )

    def __init__(self, *args: Any, colleagues: list[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["successor"]
        field.queryset = Person.objects.filter(pk__in=[one.pk for one in colleagues])  # type: ignore[attr-defined]


class CampaignForm(forms.Form):
    """A new campaign."""

    name = forms.CharField(
        label="Nom de la campagne", max_length=120, help_text="Par exemple : Municipales 2026."
    )
