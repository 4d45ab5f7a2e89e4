"""What an officer says of an unavailability, or of a change of operator."""

from typing import Any

from django import forms

from socle.delivery.models import TransmissionOperator, Window
from socle.directory.models import Protocol, TransmissionRight
from socle.web.forms import DateInput, DateTimeInput

_MEGA = 1_000_000


class WindowForm(forms.Form):
    """From when to when an operator takes nothing, and why."""

    operator = forms.ModelChoiceField(
        TransmissionOperator.objects.order_by("name"), label="Opérateur", empty_label=None
    )
    protocol = forms.ChoiceField(
        label="Ce qui est suspendu",
        choices=[("", "Tout"), *Protocol.choices],
        required=False,
    )
    starts_at = forms.DateTimeField(label="Du", widget=DateTimeInput)
    ends_at = forms.DateTimeField(
        label="Au",
        widget=DateTimeInput,
        help_text="Les envois reprennent d’eux-mêmes à cette heure.",
    )
    reason = forms.CharField(
        label="Raison",
        max_length=Window._meta.get_field("reason").max_length,
        help_text="Montrée aux agents, par exemple « maintenance annoncée par le ministère ».",
    )
    hourly_limit = forms.IntegerField(
        label="Mo par heure",
        min_value=0,
        max_value=1_000_000,
        required=False,
        help_text="Vide : rien ne part. Sinon, ce que l’opérateur accepte par heure d’horloge.",
    )

    def facts(self) -> dict[str, Any]:
        """The arguments of `windows.declare`."""
        given = dict(self.cleaned_data)
        given["operator_id"] = given.pop("operator").pk
        given["hourly_limit"] = (given["hourly_limit"] or 0) * _MEGA
        return given


class ChangeForm(forms.Form):
    """Through whom a body transmits, from which day."""

    to = forms.ChoiceField(label="Nouvel opérateur")
    on = forms.DateField(
        label="À partir du",
        widget=DateInput,
        help_text="Demain au plus tôt. Ce qui est parti avant garde son opérateur.",
    )

    def __init__(self, *args: Any, right: TransmissionRight, present: str, **options: Any) -> None:
        super().__init__(*args, **options)
        others = TransmissionOperator.objects.exclude(code=present).order_by("name")
        self.fields["to"].choices = [(one.code, one.name) for one in others]  # type: ignore[attr-defined]
