"""What is brought to the watch."""

from django import forms

from registration_authority.pki.bundle import MAX_BYTES as CERTIFICATE_BYTES
from registration_authority.pki.trusted_list import MAX_BYTES as LIST_BYTES
from registration_authority.watch.models import Source
from socle.web.forms import FileField

ACCEPTED = (".cer", ".crt", ".pem", ".der", ".p7b", ".p7c")


class SelfTestForm(forms.Form):
    """A certificate, chosen or pasted."""

    certificate = FileField(
        label="Fichier du certificat",
        accept=ACCEPTED,
        max_bytes=CERTIFICATE_BYTES,
        required=False,
        help_text="Jamais le fichier avec votre mot de passe (« .p12 », « .pfx »).",
    )
    pasted = forms.CharField(
        label="Ou collez-le ici",
        required=False,
        max_length=CERTIFICATE_BYTES,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text="Il commence par « -----BEGIN CERTIFICATE----- ».",
    )

    def clean(self) -> None:
        """One of both."""
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("certificate") and not cleaned.get("pasted", "").strip():
            self.add_error("certificate", "Choisissez un fichier, ou collez le certificat.")

    def content(self) -> bytes:
        """What was brought."""
        chosen = self.cleaned_data["certificate"]
        return chosen.read() if chosen else self.cleaned_data["pasted"].strip().encode()


class AddForm(forms.Form):
    """A certificate to watch."""

    label = forms.CharField(
        label="À quoi sert-il ?", max_length=160, help_text="Par exemple : marchés publics."
    )
    certificate = FileField(
        label="Fichier du certificat", accept=ACCEPTED, max_bytes=CERTIFICATE_BYTES
    )


class CounterAddForm(AddForm):
    """The same at the counter, for whom and from where."""

    siren = forms.CharField(
        label="SIREN de l’organisme", required=False, max_length=11, help_text="Vide : le syndicat."
    )
    source = forms.ChoiceField(label="Nature", choices=Source.choices)
    field_order = ("source", "label", "siren", "certificate")


class TrustedListForm(forms.Form):
    """A trusted list, downloaded from the State's site."""

    trusted_list = FileField(label="Liste de confiance", accept=(".xml",), max_bytes=LIST_BYTES)
