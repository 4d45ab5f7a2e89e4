"""What is typed about policies, mandates, notes and batches."""

from collections.abc import Iterator
from typing import Any

from django import forms

from registration_authority.dossier import queries
from registration_authority.dossier.models import (
    Mandate,
    MandateKind,
    PieceRule,
    PolicyProfile,
)
from registration_authority.models import IdentityDocument, Offer, Piece, Usage
from registration_authority.revocation.models import Asker
from socle.accounts.models import Person
from socle.web.forms import DateInput


class Lines(forms.CharField):
    """Sentences, one a line."""

    def __init__(self, *, longest: int, **options: Any) -> None:
        self.longest = longest
        options.setdefault("required", False)
        options.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        """The sentences one under the other."""
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:  # type: ignore[override]
        """The sentences; one that is too long is named."""
        found = [one.strip() for one in str(super().clean(value) or "").splitlines() if one.strip()]
        for one in found:
            if len(one) > self.longest:
                raise forms.ValidationError(
                    f"« {one[:40]}… » dépasse {self.longest} caractères : raccourcissez.",
                    code="long",
                )
        return list(dict.fromkeys(found))


SECTIONS = (
    ("Texte appliqué", ("document", "support")),
    (
        "Opérateurs et approbations",
        (
            "accreditation_required",
            "operator_certificate_required",
            "approvals_required",
            "lock_hours",
            "delegate_allowed",
            "proxy_allowed",
        ),
    ),
    (
        "Face à face",
        (
            "face_to_face_max_age_days",
            "identity_documents",
            "identity_features",
            "keeps_document_digest",
            "visit_checklist",
        ),
    ),
    (
        "Délivrance et renouvellement",
        (
            "answer_days",
            "stock_required",
            "token_reuse_allowed",
            "uncollected_days",
            "renewals_without_face_to_face",
            "renewal_window_days",
            "reminders",
        ),
    ),
    (
        "Révocation",
        (
            "may_ask",
            "revocation_four_eyes",
            "revocation_identify_hours",
            "revocation_warn_hours",
            "revocation_hours",
            "wrong_codes",
            "wrong_codes_by_address",
            "wrong_codes_minutes",
            "falls_with_mandate",
        ),
    ),
    (
        "Conservation",
        ("archive_location", "working_copy_days", "identity_copy_days", "retention_years"),
    ),
)
"""The policy of an offer as its screen asks for it: every field once."""


class Numbers(Lines):
    """Whole numbers, separated by commas, spaces or lines."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.TextInput)
        super().__init__(longest=40, **options)

    def prepare_value(self, value: Any) -> Any:
        """The numbers on one line."""
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[int]:  # type: ignore[override]
        """The numbers, the greatest first; what is not one is named."""
        found = super().clean("\n".join(str(value or "").replace(",", " ").split()))
        for one in found:
            if not (one.isascii() and one.isdecimal() and 0 < int(one) < 10_000):
                raise forms.ValidationError(
                    f"« {one} » n’est pas un nombre de jours : écrivez par exemple 90, 60, 30.",
                    code="number",
                )
        return sorted(map(int, found), reverse=True)


class ProfileForm(forms.ModelForm):
    """What the policy of an offer and the convention ask for, in sections."""

    identity_documents = forms.MultipleChoiceField(
        label="Pièces d’identité admises",
        choices=IdentityDocument.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    identity_features = Lines(
        label="À regarder sur l’original de la pièce d’identité",
        longest=120,
        help_text="Une ligne par élément ; chacun est coché au face à face.",
    )
    visit_checklist = Lines(
        label="À emporter pour une visite dans une commune", longest=120, help_text="Un par ligne."
    )
    reminders = Numbers(
        label="Rappels au titulaire (jours avant la fin)",
        help_text="Par exemple : 90, 60, 30, 15, 7. Vide : aucun rappel.",
    )
    may_ask = forms.MultipleChoiceField(
        label="Qui peut demander", choices=Asker.choices, widget=forms.CheckboxSelectMultiple
    )
    falls_with_mandate = forms.MultipleChoiceField(
        label="Ce qui tombe avec un mandat",
        choices=Usage.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = PolicyProfile
        fields = tuple(name for _, names in SECTIONS for name in names)
        help_texts = {
            "face_to_face_max_age_days": "Vide : sans limite.",
            "uncollected_days": "Vide : pas de révocation automatique.",
            "approvals_required": (
                "1 : l’autorité approuve. 2 : un second opérateur approuve d’abord."
            ),
            "answer_days": "Au-delà, le guichet est prévenu ; la demande reste partie.",
            "working_copy_days": "Quand l’autorité conserve le dossier, ou sans certificat.",
            "identity_copy_days": "Après la remise. Vide : elles partent avec le reste.",
            "retention_years": "Après la fin du certificat, quand le syndicat conserve le dossier.",
        }

    def sections(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """Each section with its fields."""
        for title, names in SECTIONS:
            yield title, [self[name] for name in names]

    def clean(self) -> dict[str, Any]:
        """What must agree between fields."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        self._in_order(
            given,
            ("revocation_identify_hours", "revocation_warn_hours", "revocation_hours"),
            "L’alerte vient après la décision et avant le délai de publication : vérifiez "
            "l’ordre des trois durées.",
        )
        window, reminders = given.get("renewal_window_days"), given.get("reminders") or []
        if window is not None and reminders and reminders[0] > window:
            self.add_error(
                "reminders",
                f"Un rappel à {reminders[0]} jours précède l’ouverture du renouvellement, "
                f"{window} jours avant la fin : avancez l’ouverture ou retirez ce rappel.",
            )
        for name in ("wrong_codes", "wrong_codes_by_address", "wrong_codes_minutes", "answer_days"):
            if given.get(name) == 0:
                self.add_error(name, "Indiquez un nombre supérieur à zéro.")
        return given

    def _in_order(self, given: dict[str, Any], names: tuple[str, ...], sentence: str) -> None:
        values = [given.get(name) for name in names]
        if None in values:
            return
        identify, warn, publish = values
        if not identify <= warn < publish:
            self.add_error(names[1], sentence)


WITHOUT = {
    "face_to_face_max_age_days": "sans limite",
    "uncollected_days": "sans limite",
    "identity_copy_days": "avec le reste du dossier",
}
"""What a value that was left empty means."""


def in_words(profile: PolicyProfile, name: str) -> str:
    """What one field of a policy says, for a page; empty when it says nothing."""
    value = getattr(profile, name)
    field = ProfileForm.base_fields[name]
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, list):
        labels = dict(getattr(field, "choices", ()))
        return " ; ".join(str(labels.get(one, one)) for one in value)
    if value is None:
        return WITHOUT[name]
    display = getattr(profile, f"get_{name}_display", None)
    return str(display() if display else value)


class RuleForm(forms.ModelForm):
    """How one kind of piece is asked for and examined."""

    checks = Lines(
        label="À cocher avant d’accepter",
        longest=160,
        help_text="Une ligne par élément, par exemple : copie annotée « conforme à l’original ».",
    )

    class Meta:
        model = PieceRule
        fields = ("when", "max_age_days", "checks")
        labels = {"when": "Demandée"}
        help_texts = {"max_age_days": "Vide : la date du document n’est pas regardée."}


class ExamineForm(forms.Form):
    """What the policy wants seen on one piece."""

    def __init__(self, *args: Any, piece: Piece, rule: PieceRule | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        file = piece.file
        if piece.kind in ("identity", "legal_id"):
            self.fields["expires_on"] = forms.DateField(label="Valable jusqu’au", widget=DateInput)
        aged = rule is not None and rule.max_age_days is not None
        if aged or (piece.kind == "terms" and file.signed_by_id is not None):
            label = "Signée le" if piece.kind == "terms" else "Date écrite sur le document"
            self.fields["dated_on"] = forms.DateField(label=label, widget=DateInput)
        if piece.kind == "mandate" and file.signed_by is not None:
            self.fields["name_read"] = forms.CharField(
                label="Personne désignée par le document",
                max_length=160,
                help_text="Recopiez le prénom et le nom tels que vous les lisez.",
            )
        if rule is not None and rule.checks:
            self.fields["checks"] = forms.MultipleChoiceField(
                label="J’ai vu",
                choices=[(one, one) for one in rule.checks],
                widget=forms.CheckboxSelectMultiple,
            )


class NoteForm(forms.Form):
    """A note between officers."""

    text = forms.CharField(
        label="Note pour les autres opérateurs",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="La commune ne la voit pas.",
    )


class HoldForm(forms.Form):
    """Why a file waits."""

    reason = forms.CharField(
        label="Qu’attendez-vous de la commune ?",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="La personne lira cette phrase : dites ce qui manque et comment le fournir.",
    )


class RouteForm(forms.Form):
    """Who signs, and through whom the file goes."""

    signed_by = forms.ModelChoiceField(
        Mandate.objects.none(), label="Signataire", required=False, empty_label="Non précisé"
    )
    proxy = forms.ModelChoiceField(
        Mandate.objects.none(),
        label="Mandataire de certification",
        required=False,
        empty_label="Aucun : la personne traite avec le guichet",
    )

    def __init__(self, *args: Any, organisation: Any, on: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        signed_by: Any = self.fields["signed_by"]
        signed_by.queryset = Mandate.objects.filter(
            organisation=organisation, kind__in=(MandateKind.LEGAL, MandateKind.DELEGATE)
        )
        proxy: Any = self.fields["proxy"]
        proxy.queryset = queries.mandates_in_force(organisation, MandateKind.PROXY, on=on)


class MandateForm(forms.Form):
    """Who may sign for a body, or deal with its certificates."""

    kind = forms.ChoiceField(label="Qualité", choices=MandateKind.choices, widget=forms.RadioSelect)
    given_name = forms.CharField(label="Prénom", max_length=80)
    surname = forms.CharField(label="Nom", max_length=80)
    person = forms.ModelChoiceField(
        Person.objects.none(),
        label="Compte dans Socle",
        required=False,
        empty_label="Aucun",
        help_text="Nécessaire pour un mandataire de certification.",
    )
    starts_on = forms.DateField(label="À partir du", widget=DateInput)
    ends_on = forms.DateField(label="Jusqu’au", widget=DateInput, required=False)
    proof = forms.CharField(
        label="Acte qui le donne",
        max_length=200,
        help_text="Par exemple : procès-verbal d’élection du 28 mars 2026.",
    )

    def __init__(self, *args: Any, organisation: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person: Any = self.fields["person"]
        person.queryset = Person.objects.filter(grants__organisation=organisation).distinct()


class EndForm(forms.Form):
    """The last day of a mandate."""

    ends_on = forms.DateField(label="Dernier jour du mandat", widget=DateInput)


class BatchForm(forms.Form):
    """Files to open together."""

    label = forms.CharField(
        label="Intitulé", max_length=120, help_text="Par exemple : nouveaux élus, printemps 2026."
    )
    offer = forms.ModelChoiceField(
        Offer.objects.filter(is_open=True, profile__isnull=False), label="Certificat"
    )
    wanted = forms.MultipleChoiceField(
        label="Personnes", widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wanted: Any = self.fields["wanted"]
        wanted.choices = choices
        offer: Any = self.fields["offer"]
        offer.initial = offer.queryset.first()
