from django.apps import AppConfig

from socle.core import crypto


class AccountsConfig(AppConfig):
    name = "socle.accounts"
    label = "accounts"
    verbose_name = "Comptes"

    def ready(self) -> None:
        from socle.accounts.models import TOTP_PURPOSE

        crypto.register("accounts.Authenticator", "sealed_key", purpose=TOTP_PURPOSE)
