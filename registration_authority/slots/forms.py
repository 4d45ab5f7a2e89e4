"""What is typed to offer slots and to take one."""

from typing import Any

from django import forms

from registration_authority.accreditation.queries import staff
from registration_authority.slots.models import Slot, SlotKind
from socle.accounts.models import Person
from socle.core.clock import PARIS
from socle.directory.models import Organisation
from socle.web.forms import DateInput


class TimeInput(forms.TimeInput):
    """The browser's own picker of an hour."""

    input_type = "time"


class OpenForm(forms.Form):
    """Slots to offer on one day."""

    kind = forms.ChoiceField(label="Où", choices=SlotKind.choices, widget=forms.RadioSelect)
    commune = forms.CharField(
        label="SIREN de la commune visitée",
        required=False,
        max_length=11,
        help_text="Pour une visite seulement.",
    )
    officer = forms.ModelChoiceField(Person.objects.none(), label="Opérateur")
    place = forms.CharField(label="Lieu", max_length=120)
    day = forms.DateField(label="Jour", widget=DateInput)
    first = forms.TimeField(label="De", widget=TimeInput)
    last = forms.TimeField(label="à", widget=TimeInput)
    minutes = forms.IntegerField(
        label="Durée d’un rendez-vous (minutes)", min_value=10, max_value=240, initial=30
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        officer: Any = self.fields["officer"]
        officer.queryset = staff()

    def clean(self) -> dict[str, Any]:
        """The commune of a visit, found by its SIREN."""
        given: dict[str, Any] = super().clean() or {}
        written = given.pop("commune", "").replace(" ", "")
        given["organisation"] = Organisation.objects.filter(siren=written).first()
        if written and given["organisation"] is None:
            self.add_error("commune", "Aucune commune ne porte ce SIREN : relisez-le.")
        return given


class BookForm(forms.Form):
    """The slot to take."""

    slot = forms.ChoiceField(label="Créneaux libres", widget=forms.RadioSelect)

    def __init__(self, *args: Any, slots: list[Slot], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        slot: Any = self.fields["slot"]
        slot.choices = [(str(one.pk), told(one)) for one in slots]


def told(slot: Slot) -> str:
    """A slot in words."""
    start = slot.starts_at.astimezone(PARIS)
    return f"{start:%d/%m/%Y à %H h %M}, {slot.place}, avec {slot.officer}"


class ChecklistForm(forms.Form):
    """What is ready for a visit."""

    ticked = forms.MultipleChoiceField(
        label="Prêt", widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, *args: Any, slot: Slot, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ticked: Any = self.fields["ticked"]
        ticked.choices = [(one, one) for one in slot.checklist]
        ticked.initial = slot.ticked
