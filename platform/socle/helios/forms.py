"""What a person gives about flows and budgets."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from socle.helios.models import Budget, FlowState
from socle.helios.protocol.streaming import MAX_DEPOSIT
from socle.web.forms import FilesField

MAX_FILES = 20
VIEWS = (
    ("", "Tous"),
    ("a-corriger", "À corriger"),
    ("sans-reponse", "Sans réponse depuis plus de 24 heures"),
)


class FlowFilters(forms.Form):
    """How to look for a flow."""

    state = forms.ChoiceField(label="État", required=False, choices=(*VIEWS, *FlowState.choices))
    budget = forms.ModelChoiceField(
        label="Budget", required=False, queryset=Budget.objects.none(), empty_label="Tous"
    )
    q = forms.CharField(label="Nom du flux", required=False, max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["budget"].queryset = Budget.objects.order_by("cod_col", "cod_bud")


class FlowFilesField(FilesField):
    """PES files; what each really is, is judged by its content, and a refusal is journaled."""

    def check(self, file: UploadedFile) -> None:
        """Let every file reach the rules of deposit."""


class DepositForm(forms.Form):
    """One or several PES exported by the finance software."""

    files = FlowFilesField(
        label="Fichiers PES",
        accept=[".xml"],
        max_bytes=MAX_DEPOSIT,
        allow_empty_file=True,
        help_text="Les fichiers exportés par votre logiciel de gestion financière, sans les "
        "modifier. Chacun devient un flux.",
        error_messages={"required": "Choisissez au moins un fichier PES à déposer."},
    )

    def clean_files(self) -> list[UploadedFile]:
        """The files, in the order chosen."""
        files: list[UploadedFile] = self.cleaned_data["files"]
        if len(files) > MAX_FILES:
            raise forms.ValidationError(
                f"Vous avez choisi {len(files)} fichiers : déposez-en {MAX_FILES} au plus à la "
                "fois."
            )
        return files


class TransmitForm(forms.Form):
    """What must be said before a flow that will probably be rejected leaves."""

    confirmed = forms.BooleanField(
        label="J’ai lu les points signalés et je transmets quand même ce flux.", required=False
    )


class BudgetForm(forms.ModelForm):  # type: ignore[type-arg]
    """A budget; what its codes may be is the policies' business."""

    siret = forms.CharField(
        label="SIRET du budget", max_length=20, help_text="14 chiffres, avec ou sans espaces."
    )
    cod_col = forms.CharField(
        label="Code collectivité (CodCol)", max_length=10, help_text="3 chiffres, par exemple 123."
    )
    cod_bud = forms.CharField(
        label="Code budget (CodBud)",
        max_length=10,
        help_text="2 caractères ; 00 est en général le budget principal.",
    )
    id_post = forms.CharField(
        label="Poste comptable (codique, IdPost)",
        max_length=12,
        help_text="6 ou 7 chiffres : le numéro de votre trésorerie.",
    )

    class Meta:
        model = Budget
        fields = ("label", "siret", "cod_col", "cod_bud", "id_post")

    def _post_clean(self) -> None:
        """Leave the instance alone: the action writes it."""
