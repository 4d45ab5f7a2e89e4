from django import forms


class AccessForm(forms.Form):
    """Which software the access is for."""

    software = forms.CharField(
        label="Nom du logiciel",
        help_text="Le nom que vous lui donnez : celui de votre logiciel de mairie, par exemple.",
        max_length=80,
    )
