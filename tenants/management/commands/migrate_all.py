"""Bring the public schema, then every commune, to this code."""

from typing import Any

from django.core.management import BaseCommand, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tenants.setup import ensure_public


class Command(BaseCommand):
    help = "Met à jour le schéma public, puis toutes les communes."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run both steps; what already stands at this code is not touched."""
        if _public_is_behind():
            call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
        ensure_public()
        call_command("migrate_tenants", stdout=self.stdout, stderr=self.stderr)


def _public_is_behind() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
