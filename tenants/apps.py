from django.apps import AppConfig

from socle.accounts import navigation
from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Door, Scope
from socle.config.celery import app as celery_app
from socle.journal import events


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Communes"

    def ready(self) -> None:
        navigation.register(
            Door(Scope.PORTAL, "Journal", "audit:journal", Capability.JOURNAL_READ, 90, "list"),
            Door(Scope.COMMUNE, "Journal", "audit:journal", Capability.JOURNAL_READ, 90, "list"),
        )
        events.register(
            {
                "journal.altered": "Le journal {journal} a été altéré : {fault}",
                "tenants.provisioned": "Espace de la commune ouvert",
            }
        )
        # Celery imports task modules in workers only; `after_commit` looks them up in the web too.
        celery_app.autodiscover_tasks(force=True)
