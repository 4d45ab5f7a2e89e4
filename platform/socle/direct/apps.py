from django.apps import AppConfig

from socle.core import crypto
from socle.journal import events


class DirectConfig(AppConfig):
    name = "socle.direct"
    label = "direct"
    verbose_name = "Raccordement direct"

    def ready(self) -> None:
        from socle.delivery import adapters
        from socle.direct import actions, queries
        from socle.direct.adapter import DirectAdapter

        for field, purpose in actions.SEALED.items():
            crypto.register("direct.DirectLink", field, purpose=purpose)
        adapters.register("direct", DirectAdapter, obstacle=queries.obstacle, doubt=queries.doubt)
        events.register(
            {
                "direct.link_saved": "Raccordement direct de {operator} enregistré avec le "
                "certificat {certificate} (expéditeurs admis : {senders} ; vérifiés par "
                "{auth_server})",
                "direct.link_checked": "Raccordement direct de {operator} vérifié : {waiting} "
                "message(s) en attente",
            }
        )
