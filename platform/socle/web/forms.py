"""How forms look, and the three fields whose bare Django version serves our readers badly."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms.renderers import DjangoTemplates

from socle.web import formats

MEGA: Final = 1_000_000  # octets; `|octets` counts in the same unit


class Renderer(DjangoTemplates):
    """Renders `{{ form }}` and `{{ field.as_field_group }}` with Socle's templates."""

    form_template_name = "web/forms/form.html"
    field_template_name = "web/forms/field.html"


class DateInput(forms.DateInput):
    """The browser's own date picker; its value is always written YYYY-MM-DD."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DateTimeInput(forms.DateTimeInput):
    """The browser's own picker of a day and a time, to the minute."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


class FileInput(forms.FileInput):
    """A file chooser that offers the accepted files first; `socle.js` warns of too large a file."""

    def __init__(self, *, accept: Sequence[str], max_bytes: int, **attrs: Any) -> None:
        announced = {"accept": ",".join(accept), "data-max-bytes": str(max_bytes)}
        super().__init__(announced | attrs)


class FilesInput(FileInput):
    """The same for several files at once."""

    allow_multiple_selected = True


class FileField(forms.FileField):
    """One uploaded file, refused when its extension or its size is not announced.

    `accept` lists extensions with their dot (".pdf"); `max_bytes` is in octets. This is a courtesy
    to the person who chose the wrong file: what the file really is, is checked where it is kept.
    """

    widget_class: type[FileInput] = FileInput

    def __init__(self, *, accept: Sequence[str], max_bytes: int, **options: Any) -> None:
        self.accept = tuple(extension.lower() for extension in accept)
        self.max_bytes = max_bytes
        options.setdefault("widget", self.widget_class(accept=self.accept, max_bytes=max_bytes))
        options["help_text"] = f"{options.get('help_text', '')} {self.announcement()}".strip()
        super().__init__(**options)

    def announcement(self) -> str:
        """Say which files are taken: « Formats acceptés : PDF, XML ; 150 Mo au plus. »."""
        wording = "Format accepté" if len(self.accept) == 1 else "Formats acceptés"
        return f"{wording} : {self.kinds()} ; {formats.size(self.max_bytes)} au plus."

    def kinds(self) -> str:
        """Write the extensions as people say them: « PDF, XML »."""
        return ", ".join(extension.strip(".").upper() for extension in self.accept)

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return the uploaded file, or raise ValidationError in one French sentence."""
        file = super().clean(data, initial)
        if isinstance(file, UploadedFile):
            self.check(file)
        return file

    def check(self, file: UploadedFile) -> None:
        """Refuse a file of another kind or too large."""
        name, size = file.name or "", file.size or 0
        if not name.lower().endswith(self.accept):
            raise ValidationError(
                f"« {name} » n'est pas dans un format accepté ({self.kinds()}) : "
                "choisissez un autre fichier.",
                code="kind",
            )
        if size > self.max_bytes:
            raise ValidationError(
                f"« {name} » pèse {formats.size(size)}, la limite est de "
                f"{formats.size(self.max_bytes)} : réduisez le fichier "
                "ou scannez-le en noir et blanc.",
                code="size",
            )


class FilesField(FileField):
    """Several uploaded files; the cleaned value is a list, empty when none was chosen."""

    widget_class = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        """Check each file; the first one at fault is named."""
        chosen = [file for file in data or [] if file]
        if not chosen and self.required:
            raise ValidationError(self.error_messages["required"], code="required")
        return [super(FilesField, self).clean(file) for file in chosen]
