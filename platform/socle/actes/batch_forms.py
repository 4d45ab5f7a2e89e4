"""Forms of a batch: the files with what they share, then one row for each draft."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms

from socle.actes import policies
from socle.actes.actions import Facts, Upload
from socle.actes.batches import Common, Row
from socle.actes.models import NATURES, Act, NumberPattern
from socle.actes.protocol.archive import SIZE_LIMIT
from socle.documents.stamp import Corner
from socle.web.forms import DateInput, FilesField

FILES_ACCEPTED: Final = (".pdf", ".xml", ".zip")
PATTERN_ROWS: Final = 6


class BatchFiles(forms.Form):
    """The files of a batch, and what their acts have in common."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    files = FilesField(
        label="Fichiers des actes",
        accept=FILES_ACCEPTED,
        max_bytes=SIZE_LIMIT,
        allow_empty_file=True,
        help_text="Un fichier par acte, ou un ZIP qui les contient. Un nom comme « 2026-017 Tarifs "
        "de la cantine.pdf » remplit le numéro et l’objet.",
    )
    nature = forms.TypedChoiceField(
        label="Nature, pour ceux dont le nom ne la dit pas",
        choices=[("", "À compléter ensuite"), *NATURES],
        coerce=int,
        empty_value=None,
        required=False,
    )
    decided_on = forms.DateField(
        label="Date de la décision",
        widget=DateInput,
        required=False,
        help_text="Celle de la séance, quand tous les actes en viennent.",
    )
    matter = forms.CharField(
        label="Matière",
        required=False,
        widget=forms.TextInput(attrs={"list": "matters", "autocomplete": "off"}),
        help_text="Son code, comme 7.1, quand elle est la même pour tous.",
    )
    service = forms.ModelChoiceField(
        label="Service, pour les numéros",
        queryset=NumberPattern.objects.none(),
        required=False,
        empty_label="La commune",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"key": uuid.uuid4()})
        super().__init__(*args, **kwargs)
        patterns = NumberPattern.objects.all()
        if patterns:
            self.fields["service"].queryset = patterns
        else:
            del self.fields["service"]

    def common(self) -> Common:
        """What the acts share."""
        said = self.cleaned_data
        return Common(
            nature=said["nature"],
            matter=said["matter"].strip(),
            decided_on=said["decided_on"],
            pattern=said.get("service"),
        )

    def uploads(self) -> list[Upload]:
        """The files, in the order they were chosen."""
        return [Upload(file.name or "", file.file or file) for file in self.cleaned_data["files"]]


class RowForm(forms.Form):
    """One draft in the table of a batch."""

    number = forms.CharField(label="Numéro")
    nature = forms.TypedChoiceField(
        label="Nature",
        choices=[("", "Choisissez"), *NATURES],
        coerce=int,
        empty_value=None,
    )
    decided_on = forms.DateField(label="Date de la décision", widget=DateInput)
    objet = forms.CharField(label="Objet", widget=forms.Textarea(attrs={"rows": 2}))
    matter = forms.CharField(
        label="Matière",
        widget=forms.TextInput(attrs={"list": "matters", "autocomplete": "off", "size": 8}),
    )

    def facts(self, act: Act) -> Facts:
        """What the row says; what it does not ask stays as it is."""
        said = self.cleaned_data
        return Facts(
            number=policies.tidy_number(said.get("number") or ""),
            nature=said.get("nature"),
            matter=(said.get("matter") or "").strip(),
            decided_on=said.get("decided_on"),
            objet=said.get("objet") or "",
            paper_complement=act.paper_complement,
        )


def row_form(row: Row, data: Mapping[str, Any] | None = None) -> RowForm | None:
    """The form of a draft; None for what is no draft."""
    act = row.act
    if act is None or act.state != "draft":
        return None
    initial = {
        "number": act.number,
        "nature": act.nature or "",
        "decided_on": act.decided_on,
        "objet": act.objet,
        "matter": act.matter,
    }
    return RowForm(data, prefix=f"acte-{act.pk}", initial=initial, auto_id="id_%s")


class HabitsForm(forms.Form):
    """How the services number their acts, and where the stamp stands."""

    stamp_corner = forms.ChoiceField(
        label="Place du tampon sur les copies",
        choices=[(one.value, one.label.capitalize()) for one in Corner],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, patterns: Sequence[NumberPattern] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in range(PATTERN_ROWS):
            known = patterns[row] if row < len(patterns) else None
            self.fields[f"service_{row}"] = forms.CharField(
                label=f"Service n° {row + 1}",
                max_length=60,
                required=False,
                initial=known.service if known else "",
            )
            self.fields[f"pattern_{row}"] = forms.CharField(
                label=f"Modèle n° {row + 1}",
                max_length=20,
                required=False,
                initial=known.pattern if known else "",
            )

    def rows(self) -> list[tuple[Any, Any]]:
        """The two fields of each service."""
        return [(self[f"service_{row}"], self[f"pattern_{row}"]) for row in range(PATTERN_ROWS)]

    def patterns(self) -> list[tuple[str, str]]:
        """(service, pattern) of the rows that are filled."""
        said = self.cleaned_data
        pairs = [(said[f"service_{row}"], said[f"pattern_{row}"]) for row in range(PATTERN_ROWS)]
        return [(service.strip(), pattern.strip().upper()) for service, pattern in pairs if service]
