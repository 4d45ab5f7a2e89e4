"""What is chosen about the public register."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms

from socle.actes import policies
from socle.actes.models import NATURES, ActFile
from socle.actes.register import Author
from socle.documents.sniff import Kind


class PostingForm(forms.Form):
    """Who signed the act, and which annexes go with it."""

    author_name = forms.CharField(
        label="Prénom et nom de l’auteur de l’acte",
        max_length=200,
        help_text="La loi les veut au registre : par exemple le maire, qui a signé.",
    )
    author_quality = forms.CharField(
        label="Qualité de l’auteur", max_length=200, help_text="Par exemple : maire."
    )

    def __init__(
        self, *args: Any, last: Author | None, files: Sequence[ActFile], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if last:
            self.fields["author_name"].initial = last.name
            self.fields["author_quality"].initial = last.quality
        self.annexes = [
            file for file in files if file.role == "annex" and file.stored.media_type == Kind.PDF
        ]
        for file in self.annexes:
            self.fields[f"annexe_{file.pk}"] = forms.BooleanField(
                label=f"Publier aussi l’annexe « {file} »",
                required=False,
                help_text="Seulement si elle ne contient aucune donnée personnelle.",
            )

    def author(self) -> Author:
        """The author as it will be shown."""
        said = self.cleaned_data
        return Author(
            " ".join(said["author_name"].split()), " ".join(said["author_quality"].split())
        )

    def chosen(self) -> list[int]:
        """Keys of the annexes to publish."""
        return [file.pk for file in self.annexes if self.cleaned_data.get(f"annexe_{file.pk}")]


class RegisterFilters(forms.Form):
    """Filters above the public register."""

    q = forms.CharField(label="Numéro, objet ou mots du texte", required=False, max_length=200)
    nature = forms.TypedChoiceField(
        label="Nature",
        choices=[
            ("", "Toutes"),
            *((code, label) for code, label in NATURES if code in policies.PUBLIC_NATURES),
        ],
        coerce=int,
        empty_value=None,
        required=False,
    )
    annee = forms.TypedChoiceField(label="Année", coerce=int, empty_value=None, required=False)

    def __init__(self, *args: Any, years: Iterable[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["annee"].choices = [("", "Toutes"), *((year, str(year)) for year in years)]

    def criteria(self) -> Mapping[str, Any]:
        """The arguments of `register.search`."""
        said = self.cleaned_data if self.is_bound and self.is_valid() else {}
        return {
            "text": (said.get("q") or "").strip(),
            "nature": said.get("nature"),
            "year": said.get("annee"),
        }
