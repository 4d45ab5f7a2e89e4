"""What a secretary types about an act. A draft may miss anything: `policies` judge it, not this."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile

from socle.actes import policies, queries
from socle.actes.actions import Facts, Upload
from socle.actes.models import NATURES, Act, ActFile, ActState, NumberPattern
from socle.actes.protocol.archive import SIZE_LIMIT
from socle.actes.protocol.classification import Classification, Matiere, format_matiere
from socle.actes.protocol.codes import Nature
from socle.actes.protocol.default_classification import DEFAULT_CLASSIFICATION
from socle.actes.protocol.rules import OBJET_LIMIT
from socle.core.refusals import Refusal
from socle.web.forms import DateInput, FileField

Choices = list[tuple[str, Any]]

ANNEX_ROWS: Final = 5
MAIN_ACCEPT: Final = (".pdf", ".xml")
ANNEX_ACCEPT: Final = (".pdf", ".jpg", ".jpeg", ".png", ".xml")
USUAL: Final = ("", "Type habituel de cette nature d’acte")
_FIELDS: Final = {"documents": "main", "matiere": "matter"}
"""Names of the norm's rules → names of the form."""


class ActForm(forms.Form):
    """The draft of an act: its facts, its file, its annexes.

    Fields are marked as the préfecture wants them; what was understood is saved all the same.
    """

    nature = forms.TypedChoiceField(
        label="Nature de l’acte",
        choices=[("", "Choisissez"), *NATURES],
        coerce=int,
        empty_value=None,
    )
    number = forms.CharField(
        label="Numéro de l’acte",
        help_text="Celui de l’acte signé, en capitales, chiffres et tirets bas, 15 au plus : "
        "« 2026-017 » sera écrit 2026_017.",
    )
    decided_on = forms.DateField(
        label="Date de la décision",
        widget=DateInput,
        help_text="Le jour de la séance ou de la signature.",
    )
    objet = forms.CharField(label="Objet", widget=forms.Textarea(attrs={"rows": 3}))
    matter = forms.ChoiceField(label="Matière", help_text="La plus précise qui convient.")
    main = FileField(label="Fichier de l’acte", accept=MAIN_ACCEPT, max_bytes=SIZE_LIMIT)
    paper_complement = forms.BooleanField(
        label="Des pièces partent aussi sur papier, par la poste", required=False
    )

    def __init__(
        self,
        *args: Any,
        classification: Classification,
        act: Act | None = None,
        kept: Sequence[ActFile] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kept = [file for file in kept if file.role == "annex"]
        self.fields["matter"].choices = matter_choices(classification)
        self.fields["objet"].help_text = _objet_hint(act)
        self.fields["main"].allow_empty_file = True
        self.fields["main"].required = len(self.kept) == len(kept)
        types = type_choices(classification, act.nature if act else None)
        for file in self.kept:
            self._add_kept(file, types)
        for row in range(1, ANNEX_ROWS + 1):
            self._add_row(row, types)

    def _add_kept(self, file: ActFile, types: Choices) -> None:
        self.fields[f"type_of_{file.pk}"] = forms.ChoiceField(
            label=f"Type de « {file} »", choices=types, required=False, initial=file.typology
        )
        self.fields[f"remove_{file.pk}"] = forms.BooleanField(
            label=f"Retirer « {file} »", required=False
        )

    def _add_row(self, row: int, types: Choices) -> None:
        self.fields[f"annexe_{row}"] = FileField(
            label=f"Annexe à ajouter, n° {row}",
            accept=ANNEX_ACCEPT,
            max_bytes=SIZE_LIMIT,
            required=False,
            allow_empty_file=True,
        )
        self.fields[f"type_{row}"] = forms.ChoiceField(
            label=f"Type de l’annexe n° {row}", choices=types, required=False
        )

    def offer(self, proposed: Iterable[tuple[NumberPattern, str]]) -> None:
        """Say the next number of each service under the field."""
        said = " ; ".join(f"{one.service} {number}" for one, number in proposed)
        if said:
            self.fields["number"].help_text += f" Prochains numéros : {said}."

    def facts(self) -> Facts:
        """What was understood of the facts; what was not is left out."""
        said = self.cleaned_data
        return Facts(
            number=policies.tidy_number(said.get("number") or ""),
            nature=said.get("nature"),
            matter=said.get("matter") or "",
            decided_on=said.get("decided_on"),
            objet=said.get("objet") or "",
            paper_complement=bool(said.get("paper_complement")),
        )

    def new_main(self) -> Upload | None:
        """The file chosen for the act, if any."""
        chosen = self.cleaned_data.get("main")
        return _upload(chosen) if chosen else None

    def new_annexes(self) -> list[Upload]:
        """The files chosen as annexes, in their order."""
        rows = range(1, ANNEX_ROWS + 1)
        chosen = [(self.cleaned_data.get(f"annexe_{row}"), f"type_{row}") for row in rows]
        return [_upload(file, self.cleaned_data.get(kind) or "") for file, kind in chosen if file]

    def typologies(self) -> dict[int, str]:
        """The types chosen for the annexes already there."""
        return {file.pk: self.cleaned_data.get(f"type_of_{file.pk}") or "" for file in self.kept}

    def removed(self) -> list[int]:
        """The annexes to drop."""
        return [file.pk for file in self.kept if self.cleaned_data.get(f"remove_{file.pk}")]

    def unread_files(self) -> list[str]:
        """What was wrong with the files that were not even looked at."""
        return [str(sentences[0]) for name, sentences in self.errors.items() if name in self.files]

    def show(self, problems: Iterable[Refusal]) -> None:
        """Put each problem beside the field that can cure it."""
        self.errors.clear()
        for problem in problems:
            field = _FIELDS.get(problem.field, problem.field)
            self.add_error(field if field in self.fields else None, str(problem))

    def kept_rows(self) -> list[tuple[ActFile, Any, Any]]:
        """The annexes already there, each with its two fields."""
        return [(file, self[f"type_of_{file.pk}"], self[f"remove_{file.pk}"]) for file in self.kept]

    def new_rows(self) -> list[tuple[Any, Any]]:
        """The empty rows for annexes, file and type."""
        return [(self[f"annexe_{row}"], self[f"type_{row}"]) for row in range(1, ANNEX_ROWS + 1)]


FIRST_LEVELS: Final = [
    ("", "Toutes"),
    *((str(one.code[0]), f"{one.code[0]}. {one.label}") for one in DEFAULT_CLASSIFICATION.matieres),
]
"""The nine national levels: the only ones every préfecture shares."""


class ActFilters(forms.Form):
    """Filters above the list."""

    q = forms.CharField(label="Numéro ou objet", required=False)
    state = forms.ChoiceField(
        label="État",
        choices=[
            ("", "Tous"),
            *ActState.choices,
            (queries.UNPUBLISHED, "Acquitté, sans date de publication"),
        ],
        required=False,
    )
    nature = forms.TypedChoiceField(
        label="Nature",
        choices=[("", "Toutes"), *NATURES],
        coerce=int,
        empty_value=None,
        required=False,
    )
    matter = forms.ChoiceField(label="Matière", choices=FIRST_LEVELS, required=False)
    year = forms.TypedChoiceField(label="Année", coerce=int, empty_value=None, required=False)
    since = forms.DateField(label="Transmis depuis le", widget=DateInput, required=False)
    until = forms.DateField(label="Transmis jusqu’au", widget=DateInput, required=False)

    def __init__(self, *args: Any, years: Iterable[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["year"].choices = [("", "Toutes"), *((year, str(year)) for year in years)]

    def criteria(self) -> Mapping[str, Any]:
        """The arguments of `queries.search`."""
        said = self.cleaned_data if self.is_bound and self.is_valid() else {}
        return {
            "state": said.get("state") or "",
            "nature": said.get("nature"),
            "matter": said.get("matter") or "",
            "year": said.get("year"),
            "since": said.get("since"),
            "until": said.get("until"),
            "text": (said.get("q") or "").strip(),
        }


class PublicationForm(forms.Form):
    """When the act was published. Once there is a date, an empty one takes it back."""

    published_on = forms.DateField(
        label="Publié le",
        widget=DateInput,
        help_text="Affichage ou mise en ligne, selon le choix de votre commune. Cette date n’est "
        "pas envoyée à la préfecture.",
    )

    def __init__(self, *args: Any, known: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if known:
            self.fields["published_on"].required = False
            self.fields["published_on"].help_text += " Effacez-la pour la retirer."


def stored_data(act: Act, kept: Sequence[ActFile]) -> dict[str, Any]:
    """A draft as its form would send it."""
    data: dict[str, Any] = {
        "nature": act.nature or "",
        "number": act.number,
        "decided_on": act.decided_on or "",
        "objet": act.objet,
        "matter": act.matter,
        **({"paper_complement": "on"} if act.paper_complement else {}),
    }
    return data | {f"type_of_{file.pk}": file.typology for file in kept}


def matter_choices(classification: Classification) -> Choices:
    """Matières an act may quote, grouped under their first level."""
    groups = [
        (f"{group.code[0]}. {group.label}", [_option(one) for one in group.walk() if one != group])
        for group in classification.matieres
    ]
    return [("", "Choisissez"), *groups]


def type_choices(classification: Classification, nature: int | None) -> Choices:
    """Types of pieces: those of the nature, or of each nature while none is chosen."""
    if nature in set(Nature):
        return [USUAL, *_types(classification, Nature(nature))]
    return [USUAL, *((one.label, _types(classification, one)) for one in Nature)]


def _types(classification: Classification, nature: Nature) -> list[tuple[str, str]]:
    return [(piece.code, piece.display) for piece in classification.typologies(nature)]


def _option(matiere: Matiere) -> tuple[str, str]:
    code = format_matiere(matiere.code)
    return code, f"{code} {matiere.label}"


def _objet_hint(act: Act | None) -> str:
    count = f" Il en compte {len(act.objet)}." if act and act.objet else ""
    return f"Tel qu’il figure sur l’acte, {OBJET_LIMIT} caractères au plus.{count}"


def _upload(file: UploadedFile, typology: str = "") -> Upload:
    return Upload(file.name or "", file.file or file, typology)
