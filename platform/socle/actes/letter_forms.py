"""What a secretary chooses about a letter."""

from typing import Any, Final

from django import forms

from socle.actes import letter_queries as letters
from socle.actes.actions import Upload
from socle.actes.forms import ANNEX_ACCEPT, USUAL, type_choices
from socle.actes.models import LETTERS, Kind
from socle.actes.protocol.archive import SIZE_LIMIT
from socle.actes.protocol.classification import Classification
from socle.actes.protocol.codes import MessageType
from socle.actes.protocol.letters import SEVERAL
from socle.web.forms import FileField

ROWS: Final = 5


class LetterFilters(forms.Form):
    """Filters above the letters."""

    q = forms.CharField(label="Acte ou texte", required=False)
    vue = forms.ChoiceField(
        label="À faire",
        choices=[
            ("", "Tous"),
            (letters.UNREAD, "À lire"),
            (letters.WAITING, "À répondre"),
            (letters.DONE, "Répondus"),
        ],
        required=False,
    )
    type = forms.ChoiceField(
        label="Type",
        choices=[("", "Tous"), *((kind.value, kind.label) for kind in LETTERS)],
        required=False,
    )

    def criteria(self) -> dict[str, str]:
        """The arguments of `letter_queries.search`."""
        said = self.cleaned_data if self.is_bound and self.is_valid() else {}
        return {
            "view": said.get("vue") or "",
            "kind": said.get("type") or "",
            "text": (said.get("q") or "").strip(),
        }


class AnswerForm(forms.Form):
    """The documents of an answer, each with its type of piece."""

    def __init__(
        self, *args: Any, kind: Kind, classification: Classification, nature: int, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rows = ROWS if MessageType(kind) in SEVERAL else 1
        types = [USUAL, *type_choices(classification, nature)[1:]]
        for row in range(1, self.rows + 1):
            label = "Document" if self.rows == 1 else f"Pièce n° {row}"
            self.fields[f"document_{row}"] = FileField(
                label=label,
                accept=ANNEX_ACCEPT,
                max_bytes=SIZE_LIMIT,
                required=row == 1,
                allow_empty_file=True,
            )
            self.fields[f"type_{row}"] = forms.ChoiceField(
                label=f"Type : {label.lower()}", choices=types, required=False
            )

    def uploads(self) -> list[Upload]:
        """The chosen files, in their order."""
        rows = range(1, self.rows + 1)
        said = self.cleaned_data
        return [
            Upload(file.name or "", file.file, said.get(f"type_{row}") or "")
            for row in rows
            if (file := said.get(f"document_{row}"))
        ]

    def pairs(self) -> list[tuple[Any, Any]]:
        """Each file with its type, as the page shows them."""
        return [(self[f"document_{row}"], self[f"type_{row}"]) for row in range(1, self.rows + 1)]
