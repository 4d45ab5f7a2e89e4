"""What an officer gives of an account. A secret goes in and is never shown again."""

from typing import Any

from django import forms

from socle.delivery.models import TransmissionOperator
from socle.s2low.models import S2lowAccount
from socle.web.forms import FileField

_KEPT = "Déjà enregistré : laissez vide pour le garder."
_SMALL = 100_000


class AccountForm(forms.Form):
    """An account; what is left empty stays as it was."""

    operator = forms.ModelChoiceField(
        TransmissionOperator.objects.filter(adapter="s2low").order_by("name"),
        label="Opérateur",
        empty_label=None,
    )
    base_url = forms.CharField(
        label="Adresse de S²LOW",
        max_length=200,
        required=False,
        help_text="Vide : celle du certificat partagé. Par exemple https://www.s2low.org.",
    )
    ca = FileField(
        label="Autorité du serveur",
        accept=[".pem", ".crt", ".cer"],
        max_bytes=_SMALL,
        required=False,
        help_text="À donner avec l’adresse.",
    )
    certificate = FileField(
        label="Certificat",
        accept=[".p12", ".pfx", ".pem", ".crt"],
        max_bytes=_SMALL,
        required=False,
        help_text="Vide : le certificat partagé.",
    )
    key = FileField(
        label="Clé du certificat",
        accept=[".pem", ".key"],
        max_bytes=_SMALL,
        required=False,
        help_text="Seulement si le certificat est un fichier PEM sans sa clé.",
    )
    certificate_password = forms.CharField(
        label="Mot de passe du certificat", widget=forms.PasswordInput, required=False
    )
    login = forms.CharField(
        label="Identifiant S²LOW",
        max_length=100,
        required=False,
        help_text="Ce qui distingue les comptes d’un même certificat.",
    )
    password = forms.CharField(
        label="Mot de passe S²LOW", widget=forms.PasswordInput, required=False
    )

    def __init__(self, *args: Any, account: S2lowAccount | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if account is None:
            return
        self.fields["operator"].initial = account.operator_id
        self.fields["base_url"].initial = account.base_url
        self.fields["login"].initial = account.login
        for name, kept in (
            ("ca", account.ca_pem),
            ("certificate", account.sealed_certificate),
            ("password", account.sealed_password),
        ):
            if kept:
                field = self.fields[name]
                announced = field.announcement() if isinstance(field, FileField) else ""
                field.help_text = f"{_KEPT} {announced}".strip()

    def facts(self) -> dict[str, Any]:
        """The arguments of `actions.save_account`; a login as it was needs no password again."""
        given = dict(self.cleaned_data)
        ca = given.pop("ca")
        given["ca_pem"] = ca.read().decode("ascii", errors="replace") if ca else ""
        for name in ("certificate", "key"):
            given[name] = given[name].read() if given[name] else b""
        if not given["password"] and given["login"] == (self.fields["login"].initial or ""):
            given["login"] = ""
        return given


class SharedForm(AccountForm):
    """The certificate several accounts share: it has no login of its own."""

    def __init__(self, *args: Any, account: S2lowAccount | None = None, **options: Any) -> None:
        super().__init__(*args, account=account, **options)
        for name in ("login", "password"):
            self.fields[name].widget = forms.HiddenInput()
