"""What is typed about tokens, places, counts and sleeves."""

from typing import Any

from django import forms

from registration_authority.models import CertificationAuthority
from registration_authority.stock.models import Location, Token, TokenState
from registration_authority.stock.policies import TOKEN_TRANSITIONS


class LocationForm(forms.ModelForm):
    """A place where tokens are kept."""

    class Meta:
        model = Location
        fields = ("code", "name", "low_stock")
        labels = {"code": "Code"}
        help_texts = {
            "code": "Court, sans espace : coffre, sac-durand.",
            "low_stock": "Supports prêts en dessous desquels le guichet est prévenu ; 0 : jamais.",
        }


class ReceiveForm(forms.Form):
    """A delivery."""

    reference = forms.CharField(label="Bon de livraison", max_length=60)
    model = forms.CharField(label="Modèle du support", max_length=80)
    location = forms.ModelChoiceField(Location.objects.order_by("name"), label="Rangés")
    serials = forms.CharField(
        label="Numéros gravés",
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="Un par ligne ; un lecteur de codes-barres convient.",
    )


class MoveForm(forms.Form):
    """Where a token goes."""

    location = forms.ModelChoiceField(Location.objects.order_by("name"), label="Vers")
    bag_number = forms.CharField(
        label="Numéro de la pochette scellée", max_length=40, required=False
    )
    reason = forms.CharField(label="Motif", max_length=300)


class StateForm(forms.Form):
    """What becomes of a token."""

    to = forms.ChoiceField(label="Devient", widget=forms.RadioSelect)
    reason = forms.CharField(label="Motif", max_length=300)

    def __init__(self, *args: Any, token: Token, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reached = TOKEN_TRANSITIONS[TokenState(token.state)]
        to: Any = self.fields["to"]
        to.choices = [
            (state.value, state.label)
            for state in TokenState
            if state in reached and state != TokenState.ACTIVE
        ]


class CountForm(forms.Form):
    """What was found in a place."""

    location = forms.ModelChoiceField(Location.objects.order_by("name"), label="Lieu compté")
    serials = forms.CharField(
        label="Numéros trouvés",
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=(
            "Un par ligne. Un support absent est déclaré perdu ; s’il portait un certificat en "
            "service, ce certificat est révoqué."
        ),
    )


class SleeveForm(forms.Form):
    """A sleeve to begin."""

    number = forms.CharField(label="Numéro de la pochette", max_length=40)
    authority = forms.ModelChoiceField(
        CertificationAuthority.objects.order_by("name"), label="Pour l’autorité"
    )


class FillForm(forms.Form):
    """What goes into a sleeve."""

    receipts = forms.MultipleChoiceField(
        label="Procès-verbaux signés", widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        receipts: Any = self.fields["receipts"]
        receipts.choices = choices


class SendForm(forms.Form):
    """How a sleeve leaves."""

    tracking = forms.CharField(label="Numéro de suivi postal", max_length=60, required=False)
