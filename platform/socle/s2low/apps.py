from django.apps import AppConfig

from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Scope
from socle.core import crypto
from socle.journal import events
from socle.notices import todos


class S2lowConfig(AppConfig):
    name = "socle.s2low"
    label = "s2low"
    verbose_name = "S²LOW"

    def ready(self) -> None:
        from socle.delivery import adapters
        from socle.s2low import credentials, queries
        from socle.s2low.adapter import S2lowAdapter

        for field, purpose in credentials.SEALED.items():
            crypto.register("s2low.S2lowAccount", field, purpose=purpose)
        todos.register(Scope.PORTAL, Capability.DELIVERY_READ, queries.todos)
        adapters.register("s2low", S2lowAdapter, obstacle=queries.obstacle)
        account = "s2low.S2lowAccount"
        crypto.register(account, "sealed_certificate", purpose=credentials.CERTIFICATE)
        crypto.register(account, "sealed_key", purpose=credentials.KEY)
        crypto.register(account, "sealed_password", purpose=credentials.PASSWORD)
        events.register(
            {
                "s2low.account_saved": "Compte {account} enregistré avec le certificat "
                "{certificate}",
                "s2low.account_checked": "Compte {account} vérifié : il agit pour {authority}",
                "s2low.numbered": "Numéro S²LOW {number} donné à {name}",
            }
        )
