"""What is typed about conventions, operators and denials."""

from typing import Any

from django import forms

from registration_authority.accreditation import queries
from registration_authority.accreditation.models import Convention, Power
from registration_authority.files import EXTENSIONS, MAX_BYTES
from registration_authority.models import CertificationAuthority
from socle.accounts.models import Person
from socle.web.forms import DateInput, FileField


class ConventionForm(forms.Form):
    """A signed convention with an authority."""

    authority = forms.ModelChoiceField(
        CertificationAuthority.objects.order_by("name"), label="Autorité de certification"
    )
    reference = forms.CharField(label="Référence de la convention", max_length=80)
    signed_on = forms.DateField(label="Signée le", widget=DateInput)
    starts_on = forms.DateField(label="En vigueur à partir du", widget=DateInput)
    ends_on = forms.DateField(label="Jusqu’au", widget=DateInput, required=False)
    training_months = forms.IntegerField(
        label="Formation des opérateurs valable (mois)", min_value=1, max_value=120, initial=24
    )
    document = FileField(label="Convention signée, scannée", accept=EXTENSIONS, max_bytes=MAX_BYTES)


class OperatorForm(forms.Form):
    """A trained person and what she may do."""

    convention = forms.ModelChoiceField(
        Convention.objects.select_related("authority").order_by("authority__name", "-starts_on"),
        label="Convention",
    )
    person = forms.ModelChoiceField(Person.objects.none(), label="Opérateur")
    powers = forms.MultipleChoiceField(
        label="Pouvoirs", choices=Power.choices, widget=forms.CheckboxSelectMultiple
    )
    trained_on = forms.DateField(label="Formation suivie le", widget=DateInput)
    charter_signed_on = forms.DateField(label="Charte signée le", widget=DateInput)
    starts_on = forms.DateField(label="À partir du", widget=DateInput)
    ends_on = forms.DateField(label="Jusqu’au", widget=DateInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person: Any = self.fields["person"]
        person.queryset = queries.staff()


class RemovalForm(forms.Form):
    """Why an operator is removed."""

    reason = forms.CharField(
        label="Motif du retrait", max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )


class DenialForm(forms.Form):
    """What is forbidden to whom, and why."""

    person = forms.ModelChoiceField(Person.objects.none(), label="Personne")
    power = forms.ChoiceField(
        label="Pouvoir interdit", choices=Power.choices, widget=forms.RadioSelect
    )
    authority = forms.ModelChoiceField(
        CertificationAuthority.objects.order_by("name"),
        label="Pour cette autorité seulement",
        required=False,
        empty_label="Toutes les autorités",
    )
    reason = forms.CharField(label="Motif", max_length=300)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person: Any = self.fields["person"]
        person.queryset = queries.staff()
