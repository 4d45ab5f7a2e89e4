"""Why the register leaves."""

from django import forms


class ExportForm(forms.Form):
    """The reason of an export, which the journal keeps."""

    reason = forms.CharField(
        label="Pour quel contrôle ?",
        max_length=200,
        help_text="Par exemple : audit annuel de l’autorité. Le journal le garde.",
    )
