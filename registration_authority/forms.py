"""What is typed at the counter and by the holder."""

import base64
import binascii
from typing import Any, Final, cast

from django import forms
from django.utils import timezone

from registration_authority.dossier.models import Mandate, PolicyProfile
from registration_authority.files import EXTENSIONS, MAX_BYTES
from registration_authority.models import FileState, IdentityDocument, Offer, RevocationReason
from registration_authority.pki.bundle import MAX_BYTES as CERTIFICATE_BYTES
from registration_authority.pki.crl import MAX_BYTES as LIST_BYTES
from registration_authority.pki.csr import MAX_BYTES as REQUEST_BYTES
from registration_authority.policies import NO_TOKEN
from registration_authority.signing import MAX_BYTES as MAX_DRAWING
from socle.accounts.models import Person
from socle.web.forms import DateInput, DateTimeInput, FileField


class SearchForm(forms.Form):
    """Find a file or a certificate by its body or its person, inside the current tab."""

    q = forms.CharField(label="Commune ou personne", required=False)
    etat = forms.CharField(widget=forms.HiddenInput, required=False)


class BodyForm(forms.Form):
    """First half of a new file: for which commune."""

    q = forms.CharField(label="Nom, SIREN ou code INSEE de la commune", required=False)


class NewFileForm(forms.Form):
    """Second half: for whom, and what."""

    holder = forms.ModelChoiceField(Person.objects.none(), label="Personne titulaire")
    function = forms.CharField(
        label="Fonction",
        max_length=120,
        help_text="Telle qu’elle figure sur le justificatif : maire, secrétaire de mairie…",
    )
    offer = forms.ModelChoiceField(
        Offer.objects.filter(is_open=True, profile__isnull=False), label="Certificat"
    )

    def __init__(self, *args: Any, holders: list[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        holder: Any = self.fields["holder"]
        holder.queryset = Person.objects.filter(pk__in=[one.pk for one in holders])
        if len(holders) == 1:
            holder.initial = holders[0]
            self.fields["function"].initial = holders[0].function
        offer: Any = self.fields["offer"]
        offer.initial = offer.queryset.first()


class PieceForm(forms.Form):
    """One piece, scanned or photographed."""

    piece = FileField(
        label="Document scanné ou photographié", accept=EXTENSIONS, max_bytes=MAX_BYTES
    )


class AcceptForm(forms.Form):
    """A question answered by its button alone."""


class ReasonForm(forms.Form):
    """Why something is refused, for the person who will correct it."""

    reason = forms.CharField(
        label="Motif du refus",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="La commune lira cette phrase : dites ce qui ne va pas et quoi fournir.",
    )


class CloseForm(ReasonForm):
    """Refuse or abandon a whole file."""

    to = forms.ChoiceField(
        label="Décision",
        choices=[
            (FileState.CANCELLED.value, "Abandonner : la demande n’a plus lieu d’être"),
            (FileState.REFUSED.value, "Refuser : la demande ne peut pas être acceptée"),
        ],
        widget=forms.RadioSelect,
    )
    field_order = ("to", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = "Motif"


class FaceToFaceForm(forms.Form):
    """What the officer saw with her own eyes."""

    held_at = forms.DateTimeField(label="Reçue le", widget=DateTimeInput)
    place = forms.CharField(label="Lieu", max_length=120)
    document_kind = forms.ChoiceField(label="Original présenté", widget=forms.RadioSelect)
    document_number = forms.CharField(
        label="Numéro du document",
        max_length=40,
        help_text="Seuls les quatre derniers caractères sont conservés.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    document_expires_on = forms.DateField(label="Valable jusqu’au", widget=DateInput)
    recognised = forms.BooleanField(
        label="J’ai comparé le visage, le nom et les prénoms avec l’original", required=False
    )

    def __init__(self, *args: Any, policy: PolicyProfile, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = cast(forms.ChoiceField, self.fields["document_kind"])
        kinds.choices = [
            (kind, label)
            for kind, label in IdentityDocument.choices
            if kind in policy.identity_documents
        ]
        if policy.identity_features:
            self.fields["features"] = forms.MultipleChoiceField(
                label="Vu sur l’original",
                choices=[(one, one) for one in policy.identity_features],
                widget=forms.CheckboxSelectMultiple,
            )
        self.fields["held_at"].initial = timezone.localtime().replace(second=0, microsecond=0)


class RequestForm(forms.Form):
    """The request made with the holder's token."""

    csr = FileField(
        label="Demande de certificat (PKCS#10)",
        accept=(".csr", ".p10", ".pem", ".der", ".req"),
        max_bytes=REQUEST_BYTES,
        help_text="Le fichier produit par le logiciel du support, jamais la clé elle-même.",
    )


class CertificateForm(forms.Form):
    """What an operator brings back from the authority's portal."""

    certificate = FileField(
        label="Certificat reçu",
        accept=(".cer", ".crt", ".pem", ".der", ".p7b", ".p7c"),
        max_bytes=CERTIFICATE_BYTES,
    )
    revocation_list = FileField(
        label="Liste de révocation de l’autorité",
        accept=(".crl", ".pem"),
        max_bytes=LIST_BYTES,
        required=False,
        help_text="Seulement si l’autorité ne la publie pas à une adresse connue de Socle.",
    )


class RevocationListForm(forms.Form):
    """A list of revoked certificates, downloaded from the authority."""

    revocation_list = FileField(
        label="Liste de révocation", accept=(".crl", ".pem"), max_bytes=LIST_BYTES
    )


class ReceiptForm(forms.Form):
    """What the receipt still needs."""

    place = forms.CharField(label="Lieu de la remise", max_length=120)
    token_serial = forms.CharField(
        label="Numéro gravé sur le support",
        max_length=40,
        help_text=f"Pour un certificat d’exercice sans support, écrivez « {NO_TOKEN} ».",
    )
    collected_by = forms.ModelChoiceField(
        Mandate.objects.none(),
        label="Retiré par",
        required=False,
        empty_label="La personne titulaire elle-même",
    )
    override_reason = forms.CharField(
        label="Remis malgré le contrôle, parce que",
        max_length=300,
        required=False,
        help_text="Seulement si un opérateur ne connaît pas encore l’autorité du certificat.",
    )

    def __init__(
        self, *args: Any, proxy: Mandate | None, refused_by: list[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if proxy is None:
            del self.fields["collected_by"]
        else:
            collected_by: Any = self.fields["collected_by"]
            collected_by.queryset = Mandate.objects.filter(pk=proxy.pk)
        if not refused_by:
            del self.fields["override_reason"]


class HandOverForm(forms.Form):
    """Both have signed."""

    accepted = forms.BooleanField(
        label="La personne a lu le contenu du certificat et l’accepte", required=False
    )
    signed = forms.BooleanField(
        label="La personne et moi avons signé le procès-verbal", required=False
    )
    signed_on = forms.DateField(
        label="Date écrite sur le procès-verbal", widget=DateInput, required=False
    )
    scan = FileField(
        label="Procès-verbal signé, scanné",
        accept=EXTENSIONS,
        max_bytes=MAX_BYTES,
        required=False,
        help_text="Vous pouvez aussi le verser plus tard.",
    )


class DrawingField(forms.CharField):
    """A signature drawn on the screen: the bytes of a PNG, none when nothing was drawn."""

    prefix: Final = "data:image/png;base64,"

    def __init__(self, *, label: str) -> None:
        pad = forms.HiddenInput(attrs={"data-signature": label})
        super().__init__(label=label, required=False, widget=pad, max_length=MAX_DRAWING * 2)

    def clean(self, value: Any) -> bytes:  # type: ignore[override]
        """The bytes of the drawing."""
        text = super().clean(value)
        if not text.startswith(self.prefix):
            return b""
        try:
            return base64.b64decode(text.removeprefix(self.prefix), validate=True)
        except binascii.Error:
            return b""


class DrawForm(forms.Form):
    """Both sign on the screen."""

    accepted = forms.BooleanField(
        label="La personne a lu le contenu du certificat et l’accepte", required=False
    )
    holder_drawing = DrawingField(label="Signature de la personne qui reçoit le certificat")
    officer_drawing = DrawingField(label="Signature de l’opérateur d’enregistrement")


class OwnRevokeForm(forms.Form):
    """The reasons a holder knows of."""

    reason = forms.ChoiceField(
        label="Motif",
        choices=[
            (one.value, one.label)
            for one in (
                RevocationReason.KEY_COMPROMISE,
                RevocationReason.AFFILIATION_CHANGED,
                RevocationReason.CESSATION,
            )
        ],
        widget=forms.RadioSelect,
    )
