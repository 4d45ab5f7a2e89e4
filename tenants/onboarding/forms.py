"""What an officer or a secretary types about a case."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import forms

from socle.delivery.models import TransmissionOperator
from socle.directory import queries as directory
from socle.directory.models import Contact, Organisation
from socle.web.forms import DateInput, FileField
from tenants.onboarding import queries, wording
from tenants.onboarding.facts import transmitters
from tenants.onboarding.files import LIMIT
from tenants.onboarding.models import (
    ActesConvention,
    Authorisation,
    CaseState,
    Channel,
    Deliberation,
    HeliosAdhesion,
    OnboardingCase,
    ProcurementRoute,
    Scope,
)
from tenants.onboarding.papers.convention import NATURES
from tenants.onboarding.steps import OWNER_LABELS, TRACK_LABELS

SCAN = {"accept": [".pdf"], "max_bytes": LIMIT}
EVERY_NATURE = ["1", "2", "3", "4", "6"]


def day(label: str, **options: Any) -> forms.DateField:
    """A date the browser helps to choose."""
    return forms.DateField(label=label, widget=DateInput, **options)


class CaseFilter(forms.Form):
    q = forms.CharField(label="Commune", required=False, max_length=80)
    state = forms.ChoiceField(label="État", required=False)
    track = forms.ChoiceField(label="Volet", required=False)
    owner = forms.ChoiceField(label="Attend", required=False)
    late = forms.BooleanField(label="En retard seulement", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (
            ("state", CaseState.choices),
            ("track", [(track.value, label) for track, label in TRACK_LABELS.items()]),
            ("owner", [(owner.value, label) for owner, label in OWNER_LABELS.items()]),
        ):
            self.fields[name].choices = [("", "Tous"), *choices]


class OpenForm(forms.Form):
    """The body whose case is opened: a member of the syndicat that has none."""

    organisation = forms.ModelChoiceField(
        Organisation.objects.none(),
        label="Collectivité",
        empty_label="Choisissez une collectivité",
        help_text="Les membres du syndicat qui n’ont pas de dossier ouvert.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organisation"].queryset = queries.without_case()


class BulkForm(forms.Form):
    """The EPCI whose members all get their case."""

    epci = forms.ModelChoiceField(
        Organisation.objects.none(),
        label="Groupement",
        empty_label="Choisissez un groupement",
        help_text="Un dossier est ouvert pour chaque commune adhérente qui n’en a pas.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["epci"].queryset = queries.epcis()


class RouteForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ProcurementRoute
        fields = ("kind", "tariff", "amount")
        labels = {"kind": "Voie d’accès", "tariff": "Ligne de tarif"}
        help_texts = {
            "tariff": "Telle qu’elle figure dans la grille, par exemple « de 1 000 à 3 499 hab. ».",
            "amount": "En euros, hors taxes.",
        }


class AcceptForm(forms.Form):
    on = day("Accepté le")
    name = forms.CharField(label="Par", max_length=120, help_text="Nom et qualité.")


class OperatorForm(forms.Form):
    operator = forms.ModelChoiceField(
        TransmissionOperator.objects.order_by("name"),
        label="Opérateur de transmission",
        empty_label="Choisissez un opérateur",
        help_text="Son homologation est vérifiée à la date du jour.",
    )


class DeliberationForm(forms.ModelForm):  # type: ignore[type-arg]
    """Before the session the last part stays empty, and the document is a project."""

    scope = forms.MultipleChoiceField(
        label="Ce qui sera transmis",
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.ACTS, Scope.HELIOS],
    )
    authorisations = forms.MultipleChoiceField(
        label="Ce que l’assemblée autorise",
        choices=Authorisation.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[choice for choice in Authorisation if choice != Authorisation.CONTRACT],
    )

    class Meta:
        model = Deliberation
        fields = (
            "scope", "authorisations", "convened_on", "session_on", "place", "president",
            "secretary", "reporter", "number", "second_convocation", "in_office", "present",
            "represented", "voting", "votes_for", "votes_against", "abstentions",
        )  # fmt: skip
        labels = {
            "convened_on": "Date de convocation",
            "session_on": "Date de la séance",
            "place": "Lieu de la séance",
            "number": "Numéro de la délibération",
            "second_convocation": "Séance sur seconde convocation, faute de quorum",
        }
        help_texts = {
            "number": "À remplir après la séance, comme tout ce qui suit.",
        }
        widgets = {"convened_on": DateInput, "session_on": DateInput}

    _VOTE = (
        "in_office", "present", "represented", "voting", "votes_for", "votes_against",
        "abstentions",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """All the numbers of the vote, or none."""
        data = super().clean() or {}
        given = [name for name in self._VOTE if data.get(name) is not None]
        if given and len(given) < len(self._VOTE):
            for name in self._VOTE:
                if name not in given and name not in self.errors:
                    self.add_error(name, "Donnez tous les nombres du vote, zéro compris, ou aucun.")
        return data

    def _post_clean(self) -> None:
        """The instance is written by the action, under lock: never by the form."""


class CopyForm(forms.Form):
    copy = FileField(label="Exemplaire signé, numérisé en PDF", **SCAN)


class SignatureForm(forms.Form):
    on = day("Date de la signature")
    signatory = forms.CharField(label="Signataire", max_length=120, help_text="Nom et qualité.")
    copy = FileField(label="Exemplaire signé, numérisé en PDF", **SCAN)


class TransmissionForm(forms.Form):
    on = day("Date de transmission à la préfecture")
    channel = forms.ChoiceField(label="Moyen", choices=Channel.choices)
    proof = FileField(
        label="Preuve",
        help_text="Le récépissé, l’accusé de réception postal ou la délibération tamponnée.",
        **SCAN,
    )


class ConventionForm(forms.ModelForm):  # type: ignore[type-arg]
    natures = forms.MultipleChoiceField(
        label="Actes transmis par voie électronique",
        choices=list(NATURES.items()),
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = ActesConvention
        fields = (
            "prefet_name", "prefet_title", "prefecture_address", "prefecture_email",
            "state_referent", "representative_name", "representative_quality", "referent_name",
            "referent_function", "referent_phone", "referent_email", "natures", "budget_from",
            "exclusions", "starts_on",
        )  # fmt: skip
        labels = {
            "prefet_name": "Nom du préfet ou de la préfète",
            "prefet_title": "Sa qualité",
            "prefecture_address": "Adresse de la préfecture",
            "prefecture_email": "Boîte fonctionnelle des conventions",
            "representative_name": "Représentant de la collectivité",
            "representative_quality": "Sa qualité",
            "referent_name": "Référent de la collectivité",
            "referent_function": "Fonction du référent",
            "referent_phone": "Téléphone du référent",
            "referent_email": "Courriel du référent",
            "budget_from": "Documents budgétaires à partir de l’exercice",
            "exclusions": "Restent sur papier",
            "starts_on": "Début de la transmission",
        }
        help_texts = {"exclusions": "Par exemple les dossiers d’urbanisme."}
        widgets = {"starts_on": DateInput}

    def _post_clean(self) -> None:
        """The instance is written by the action, under lock: never by the form."""


class SendForm(forms.Form):
    on = day("Envoyée le")
    channel = forms.ChoiceField(label="Moyen", choices=Channel.choices)


class PrefetForm(forms.Form):
    on = day("Signée par le préfet le")
    signatory = forms.CharField(label="Signataire", max_length=120, help_text="Nom et qualité.")
    starts_on = day("Début de la transmission")


class ReasonForm(forms.Form):
    reason = forms.CharField(label="Motif", max_length=300)


class SuspendForm(forms.Form):
    on = day("Suspendue à compter du")
    reason = forms.CharField(
        label="Motif", max_length=300, help_text="Tel que le préfet l’a notifié."
    )


class DayForm(forms.Form):
    on = day("À compter du")


class DatedForm(forms.Form):
    on = day("Fait le")
    text = forms.CharField(label="Précision", max_length=300, required=False)


class BlockForm(forms.Form):
    owner = forms.ChoiceField(label="Qui bloque", choices=[(o, t) for o, t in OWNER_LABELS.items()])
    reason = forms.CharField(label="Pourquoi", max_length=300)


class HeliosForm(forms.ModelForm):  # type: ignore[type-arg]
    siret = forms.CharField(
        label="SIRET du budget", max_length=20, help_text="14 chiffres, avec ou sans espaces."
    )

    class Meta:
        model = HeliosAdhesion
        fields = (
            "budget_label", "siret", "cod_col", "cod_bud", "id_post", "nomenclature", "software",
            "signs_pes", "starts_on",
        )  # fmt: skip
        labels = {
            "budget_label": "Nom du budget",
            "cod_col": "Code collectivité (CodCol)",
            "cod_bud": "Code budget (CodBud)",
            "id_post": "Poste comptable (IdPost)",
            "starts_on": "Début des échanges",
        }
        help_texts = {
            "cod_col": "3 chiffres, sur les documents de la trésorerie.",
            "cod_bud": "2 caractères, par exemple 00 pour le budget principal.",
            "id_post": "6 ou 7 caractères, le codique de la trésorerie.",
            "nomenclature": "Par exemple M57 ou M49.",
        }
        widgets = {"starts_on": DateInput}

    def _post_clean(self) -> None:
        """The instance is written by the action, under lock: never by the form."""


class AgreementForm(forms.Form):
    on = day("Accord donné le")
    name = forms.CharField(label="Par", max_length=120, help_text="Service et interlocuteur.")


class ReceiveForm(forms.Form):
    on = day("Reçu par le comptable le")
    name = forms.CharField(label="Par", max_length=120)
    starts_on = day("Début des échanges")


# What the directory already knows


def deliberation_initial(case: OnboardingCase) -> dict[str, Any]:
    """Place and president, as the directory knows them."""
    body = case.organisation
    head = _representative(body)
    return {"place": wording.address(body), "president": str(head or "")}


def convention_initial(case: OnboardingCase, *, today: date) -> dict[str, Any]:
    """The parties of the convention, from the directory; the start is a month away."""
    body = case.organisation
    office = directory.prefecture_of(body)
    head = _representative(body)
    scope = case.deliberation.scope
    return {
        "prefet_title": wording.prefet_title(body),
        "prefecture_address": office.address if office else "",
        "prefecture_email": office.email if office else "",
        "representative_name": str(head or ""),
        "representative_quality": head.function if head else wording.head(body).capitalize(),
        "natures": sorted([*EVERY_NATURE, *(["5"] if Scope.BUDGET in scope else [])]),
        "starts_on": today + timedelta(days=30),
        **_referent(body, today),
    }


def _referent(body: Organisation, today: date) -> Mapping[str, str]:
    people = transmitters(body, today)
    one = people[0] if people else body.contacts.exclude(email="").first()
    if one is None:
        return {}
    return {
        "referent_name": str(one),
        "referent_function": one.function,
        "referent_phone": one.phone,
        "referent_email": one.email,
    }


def helios_initial(case: OnboardingCase, *, today: date) -> dict[str, Any]:
    """The main budget of the body."""
    return {
        "budget_label": "Budget principal",
        "siret": case.organisation.siret,
        "cod_bud": "00",
        "nomenclature": "M57",
        "starts_on": today + timedelta(days=60),
    }


def signatory_initial(case: OnboardingCase) -> dict[str, Any]:
    """The legal representative, with his function."""
    head = _representative(case.organisation)
    return {"signatory": f"{head}, {head.function.lower()}" if head else ""}


def _representative(body: Organisation) -> Contact | None:
    contacts = body.contacts.all()
    return next((one for one in contacts if one.is_legal_representative), None)
