"""What the syndicat gives of its connection. A secret goes in and is never shown again."""

from typing import Any, Final

from django import forms

from socle.direct.models import Credential, DirectLink
from socle.web.forms import FileField

_KEPT: Final = "Déjà enregistré : laissez vide pour le garder."
_SMALL: Final = 100_000
_SHOWN: Final = (
    "post_url", "rescue_url", "legacy_tls", "credential", "login", "imap_host", "imap_port",
    "imap_login", "mailbox", "auth_server",
)  # fmt: skip


class LinkForm(forms.Form):
    """The ministry's side, then the mailbox's; what is left empty stays as it was."""

    post_url = forms.CharField(label="Adresse d’envoi du ministère", max_length=300)
    rescue_url = forms.CharField(label="Adresse de secours", max_length=300, required=False)
    pins = forms.CharField(
        label="Empreintes du serveur",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        help_text="SHA-256 du certificat ou de la clé publique du ministère, une par ligne. Rien "
        "n’est envoyé à un serveur qui n’en montre aucune.",
    )
    legacy_tls = forms.BooleanField(
        label="Ancien serveur du ministère (protocole affaibli)", required=False
    )
    certificate = FileField(
        label="Certificat de l’opérateur",
        accept=[".p12", ".pfx", ".pem", ".crt"],
        max_bytes=_SMALL,
        required=False,
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
    credential = forms.ChoiceField(
        label="Identifiant demandé par le ministère", choices=Credential.choices
    )
    login = forms.CharField(label="Identifiant", max_length=100, required=False)
    password = forms.CharField(label="Mot de passe", widget=forms.PasswordInput, required=False)
    imap_host = forms.CharField(label="Serveur de courriel (IMAP)", max_length=200)
    imap_port = forms.IntegerField(label="Port", min_value=1, max_value=65535, initial=993)
    imap_ca = FileField(
        label="Autorité du serveur de courriel",
        accept=[".pem", ".crt", ".cer"],
        max_bytes=_SMALL,
        required=False,
        help_text="Vide : les autorités reconnues de tous.",
    )
    imap_login = forms.CharField(label="Identifiant de la boîte", max_length=200)
    imap_password = forms.CharField(
        label="Mot de passe de la boîte", widget=forms.PasswordInput, required=False
    )
    mailbox = forms.CharField(label="Dossier", max_length=100, initial="INBOX")
    senders = forms.CharField(
        label="Expéditeurs admis",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=4000,
        required=False,
        help_text="Les adresses d’où écrit la préfecture, ou un domaine comme « @exemple.fr », une "
        "par ligne. Ce que d’autres écrivent attend une personne.",
    )
    auth_server = forms.CharField(
        label="Serveur qui vérifie l’origine",
        max_length=200,
        required=False,
        help_text="Le nom par lequel commence l’en-tête « Authentication-Results » (DKIM, SPF) que "
        "votre serveur de courriel ajoute.",
    )

    def __init__(self, *args: Any, link: DirectLink | None, **options: Any) -> None:
        super().__init__(*args, **options)
        if link is None:
            return
        for name in _SHOWN:
            self.fields[name].initial = getattr(link, name)
        self.fields["pins"].initial = "\n".join(link.pins)
        self.fields["senders"].initial = "\n".join(link.senders)
        for name in ("certificate", "imap_password"):
            field = self.fields[name]
            announced = field.announcement() if isinstance(field, FileField) else ""
            field.help_text = f"{_KEPT} {announced}".strip()
        if link.sealed_password:
            self.fields["password"].help_text = _KEPT

    def facts(self) -> dict[str, Any]:
        """The `facts` of `actions.save_link`."""
        given = dict(self.cleaned_data)
        ca = given.pop("imap_ca")
        given["imap_ca_pem"] = ca.read().decode("ascii", errors="replace") if ca else ""
        for name in ("certificate", "key"):
            given[name] = given[name].read() if given[name] else b""
        return given
