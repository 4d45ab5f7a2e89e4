from django import forms


class NameFilter(forms.Form):
    """Find one commune."""

    q = forms.CharField(label="Nom de la commune", required=False, max_length=100)
