"""Bring the public schema, the blueprint and every commune to this code."""

from typing import Any

from django.core.management import BaseCommand, call_command

from tenants import blueprints
from tenants.models import Tenant
from tenants.setup import ensure_public


class Command(BaseCommand):
    help = "Migre le schéma public, enregistre le gabarit, met à jour les communes."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the three steps; a commune that already stands at this code is not touched."""
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
        ensure_public()
        blueprint = blueprints.current()
        behind = Tenant.objects.exclude(organisation=None).exclude(blueprint=blueprint.pk)
        for tenant in behind.order_by("pk"):
            call_command(
                "migrate_schemas",
                schema_name=tenant.schema_name,
                interactive=False,
                verbosity=0,
            )
            Tenant.objects.filter(pk=tenant.pk).update(blueprint=blueprint.pk)
            self.stdout.write(f"{tenant.schema_name} : à jour")
        self.stdout.write(f"Gabarit {blueprint.pk[:12]} : toutes les communes sont à jour.")
