"""What an officer types about organisations and people."""

from django import forms

from socle.accounts.capabilities import COMMUNE_ROLES, ROLE_LABELS, SYNDICAT_ROLES
from socle.accounts.models import Person
from socle.core.identifiers import check_siret
from socle.core.refusals import Refusal
from socle.directory.models import Contact, Organisation, OrganisationKind


class SearchForm(forms.Form):
    """What one types to find an organisation."""

    q = forms.CharField(label="Nom, SIREN ou code INSEE", required=False, max_length=100)
    tous = forms.BooleanField(label="Chercher dans toute la France", required=False)


class OrganisationForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Organisation
        fields = (
            "siret", "arrondissement", "postal_code", "address", "email", "phone",
            "accounting_office",
        )  # fmt: skip

    def clean_siret(self) -> str:
        """The SIRET without spaces, of this very organisation."""
        text: str = self.cleaned_data["siret"]
        if not text:
            return ""
        try:
            siret = check_siret(text)
        except Refusal as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        if not siret.startswith(self.instance.siren):
            raise forms.ValidationError(
                f"Ce SIRET n’est pas celui de « {self.instance} » : il doit commencer par le "
                f"SIREN {self.instance.siren}."
            )
        return siret


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Contact
        fields = (
            "first_name",
            "last_name",
            "function",
            "email",
            "phone",
            "is_legal_representative",
        )


class GrantForm(forms.Form):
    """A person and her roles in one organisation."""

    email = forms.EmailField(label="Adresse électronique")
    first_name = forms.CharField(label="Prénom", max_length=80)
    last_name = forms.CharField(label="Nom", max_length=80)
    function = forms.CharField(label="Fonction", max_length=120, required=False)
    roles = forms.MultipleChoiceField(label="Rôles", widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: object, organisation: Organisation, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        roles = COMMUNE_ROLES
        if organisation.kind == OrganisationKind.SYNDICAT:
            roles = SYNDICAT_ROLES + COMMUNE_ROLES
        self.fields["roles"].choices = [(role.value, ROLE_LABELS[role]) for role in roles]

    def person(self) -> Person:
        """The person with this address, created without password if she is new."""
        data = self.cleaned_data
        known = Person.objects.filter(email__iexact=data["email"]).first()
        return known or Person.objects.create_user(
            data["email"],
            first_name=data["first_name"],
            last_name=data["last_name"],
            function=data["function"],
        )
