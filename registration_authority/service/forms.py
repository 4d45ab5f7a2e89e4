"""What is brought about the services downstream."""

from django import forms

from registration_authority.service.actions import MAX_STORE
from socle.delivery.models import TransmissionOperator
from socle.web.forms import FileField


class StoreForm(forms.Form):
    """The authorities an operator accepts."""

    operator = forms.ModelChoiceField(
        TransmissionOperator.objects.order_by("name"), label="Opérateur de télétransmission"
    )
    store = FileField(
        label="Autorités acceptées (PEM)",
        accept=(".pem", ".crt", ".cer", ".txt"),
        max_bytes=MAX_STORE,
        help_text="Les certificats des autorités, l’un après l’autre, tels que l’opérateur les "
        "publie.",
    )
