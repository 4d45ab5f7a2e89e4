"""What is chosen about a transfer to the archive, and the answer that comes back."""

from typing import Any, Final

from django import forms

from socle.actes.models import SaeTransfer
from socle.actes.protocol.seda import Parties, Version
from socle.directory.models import Organisation
from socle.web.forms import MEGA, FileField

_KEPT: Final = (
    "version",
    "archival_agency",
    "agreement",
    "transferring_agency",
    "originating_agency",
    "profile",
    "service_level",
)


class ArchiveForm(forms.Form):
    """The identifiers the archive gave. What was said last time is proposed again."""

    version = forms.ChoiceField(
        label="Format du paquet",
        choices=[(one.value, f"SEDA {one.value}") for one in Version],
        help_text="Celui que demande votre service d’archives.",
    )
    archival_agency = forms.CharField(label="Identifiant du service d’archives", max_length=200)
    agreement = forms.CharField(
        label="Accord de versement",
        max_length=200,
        help_text="Appelé aussi contrat d’entrée.",
    )
    transferring_agency = forms.CharField(label="Identifiant du service versant", max_length=200)
    originating_agency = forms.CharField(label="Identifiant du service producteur", max_length=200)
    staff_producer = forms.CharField(
        label="Service producteur des actes de personnel",
        max_length=200,
        required=False,
        help_text="Seulement s’il est différent : ces actes partent alors dans un autre paquet.",
    )
    profile = forms.CharField(label="Profil d’archivage", max_length=200, required=False)
    service_level = forms.CharField(label="Niveau de service", max_length=200, required=False)

    def __init__(
        self, *args: Any, last: SaeTransfer | None, organisation: Organisation, **kwargs: Any
    ) -> None:
        said = {"transferring_agency": organisation.siren, "originating_agency": organisation.siren}
        if last is not None:
            said = {name: getattr(last, name) for name in _KEPT}
        super().__init__(*args, initial=said, **kwargs)

    def parties(self) -> Parties:
        """Who gives what to whom."""
        said = self.cleaned_data
        return Parties(**{name: said[name].strip() for name in _KEPT[1:]})


class AnswerForm(forms.Form):
    """The XML file the archive sent back."""

    reply = FileField(
        label="Réponse du service d’archives (fichier XML)", accept=[".xml"], max_bytes=32 * MEGA
    )
