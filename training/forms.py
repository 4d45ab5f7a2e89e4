"""What a trainer types about programmes and sessions."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django import forms

from socle.accounts.models import Person
from socle.core.clock import PARIS
from socle.web.forms import DateTimeInput
from training import queries
from training.models import Programme, TrainingSession
from training.policies import Span

SLOTS = 4


class TimeInput(forms.TimeInput):
    """The browser's own picker of a time."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class ProgrammeForm(forms.ModelForm):  # type: ignore[type-arg]
    """A programme; its duration is typed in hours and minutes."""

    length = forms.RegexField(
        r"^\d{1,2}:[0-5]\d$",
        label="Durée",
        help_text="En heures et minutes, par exemple 2:30.",
        error_messages={"invalid": "Écrivez la durée en heures et minutes, par exemple 2:30."},
    )

    class Meta:
        model = Programme
        fields = ("title", "objectives", "prerequisites", "is_offered")

    field_order = ("title", "length", "objectives", "prerequisites", "is_offered")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            hours, minutes = divmod(self.instance.minutes, 60)
            self.initial["length"] = f"{hours}:{minutes:02d}"

    def clean_length(self) -> int:
        """The duration in minutes."""
        hours, minutes = self.cleaned_data["length"].split(":")
        total = int(hours) * 60 + int(minutes)
        if not total:
            raise forms.ValidationError("Une formation dure plus de zéro minute.")
        return total

    def facts(self) -> dict[str, Any]:
        """What to write down."""
        facts = {name: self.cleaned_data[name] for name in self.Meta.fields}
        return {**facts, "minutes": self.cleaned_data["length"]}


class SessionForm(forms.Form):
    """Where, when, by whom, for how many; up to four half-days."""

    programme = forms.ModelChoiceField(
        Programme.objects.filter(is_offered=True), label="Programme", empty_label="Choisissez"
    )
    trainer = forms.ModelChoiceField(
        Person.objects.none(), label="Formateur", empty_label="Choisissez"
    )
    seats = forms.IntegerField(label="Nombre de places", min_value=1, max_value=200)
    place = forms.CharField(
        label="Lieu", max_length=300, required=False, help_text="Salle et adresse, s’il y en a."
    )
    remote_link = forms.URLField(
        label="Lien de visioconférence", max_length=500, required=False, assume_scheme="https"
    )

    def __init__(self, *args: Any, on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["trainer"].queryset = queries.trainers(on)
        for rank in range(1, SLOTS + 1):
            self.fields[f"start_{rank}"] = forms.DateTimeField(
                label=f"Demi-journée n° {rank} : début",
                widget=DateTimeInput,
                required=rank == 1,
            )
            self.fields[f"end_{rank}"] = forms.TimeField(
                label=f"Demi-journée n° {rank} : heure de fin",
                widget=TimeInput,
                required=rank == 1,
            )

    def clean(self) -> dict[str, Any]:
        """Ask for the half of a half-day that is missing."""
        for rank in range(1, SLOTS + 1):
            start = self.cleaned_data.get(f"start_{rank}")
            end = self.cleaned_data.get(f"end_{rank}")
            missing = f"end_{rank}" if start and not end else f"start_{rank}"
            if bool(start) != bool(end) and missing not in self.errors:
                self.add_error(missing, "Complétez cette demi-journée : il en manque une moitié.")
        return self.cleaned_data

    def facts(self) -> dict[str, Any]:
        """What to plan."""
        wanted = ("programme", "trainer", "seats", "place", "remote_link")
        return {name: self.cleaned_data[name] for name in wanted if name in self.fields} | {
            "slots": list(self.slots())
        }

    def slots(self) -> Iterator[Span]:
        """The half-days that were filled in, each on the day it starts."""
        for rank in range(1, SLOTS + 1):
            start, end = self.cleaned_data[f"start_{rank}"], self.cleaned_data[f"end_{rank}"]
            if start and end:
                yield start, datetime.combine(start.astimezone(PARIS).date(), end, PARIS)


class PlanForm(SessionForm):
    """A new session."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["is_open"] = forms.BooleanField(
            label="Ouvrir les inscriptions tout de suite", required=False, initial=True
        )

    def facts(self) -> dict[str, Any]:
        """What to plan, and whether agents may register at once."""
        return {**super().facts(), "is_open": self.cleaned_data["is_open"]}


class MoveForm(SessionForm):
    """A session that exists: its programme stays."""

    def __init__(self, *args: Any, session: TrainingSession, **kwargs: Any) -> None:
        initial = {
            "trainer": session.trainer_id,
            "seats": session.seats,
            "place": session.place,
            "remote_link": session.remote_link,
        }
        slots = list(session.slots.all())
        for slot in slots:
            initial[f"start_{slot.rank}"] = slot.starts_at
            initial[f"end_{slot.rank}"] = slot.ends_at.astimezone(PARIS).time()
        super().__init__(*args, initial=initial, **kwargs)
        del self.fields["programme"]


class CancelForm(forms.Form):
    """Why a session is called off."""

    reason = forms.CharField(
        label="Motif de l’annulation",
        max_length=300,
        help_text="Les personnes inscrites et en attente le liront.",
    )
