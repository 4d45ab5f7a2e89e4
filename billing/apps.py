from django.apps import AppConfig

from socle.accounts import navigation
from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Door, Scope
from socle.journal import events


class BillingConfig(AppConfig):
    name = "billing"
    label = "billing"
    verbose_name = "Facturation"

    def ready(self) -> None:
        from billing import queries
        from socle.notices import todos

        navigation.register(
            Door(
                Scope.PORTAL, "Facturation", "billing:to_bill", Capability.BILLING_READ, 50, "euro"
            )
        )
        todos.register(Scope.PORTAL, Capability.BILLING_PREPARE, queries.preparer_todos)
        todos.register(Scope.PORTAL, Capability.BILLING_ISSUE, queries.issuer_todos)
        events.register(
            {
                "billing.collected": "Faits à facturer relevés jusqu’au {until} : {created}",
                "billing.drafted": "Brouillon de facture pour {body} : {total} €",
                "billing.line_added": "Ligne ajoutée au brouillon de {body} : {label}",
                "billing.line_removed": "Ligne retirée du brouillon de {body} : {label}",
                "billing.referred": "Références de facturation de {body} enregistrées",
                "billing.discarded": "Brouillon de facture de {body} supprimé",
                "billing.issued": "Facture {number} émise pour {body} : {total} €",
                "billing.credited": "Avoir {number} émis pour {body} : {total} €",
                "billing.price_added": "Tarif ajouté : {label}, {unit_price} €",
                "billing.price_revised": "Tarif changé : {label}, {unit_price} €, {valid_from}",
                "billing.exported": "Factures exportées vers le logiciel financier : {invoices}",
            }
        )
