"""What an auditor types."""

from django import forms

from socle.web.forms import DateInput


class JournalFilter(forms.Form):
    since = forms.DateField(label="Depuis le", required=False, widget=DateInput)
    until = forms.DateField(label="Jusqu’au", required=False, widget=DateInput)
    event = forms.CharField(label="Événement", required=False, max_length=60)


class SearchForm(forms.Form):
    q = forms.CharField(label="Nom de la commune", required=False, max_length=100)


class ExportForm(forms.Form):
    reason = forms.CharField(
        label="Motif de l’export",
        help_text="Il sera écrit dans le journal et sur la première page du paquet.",
        max_length=200,
    )
