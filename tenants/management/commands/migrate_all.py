"""Bring the public schema, then every commune, to this code."""

from typing import Any

from django.core.management import CommandParser, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tenants import fences
from tenants.everywhere import OnEveryServer
from tenants.owner import as_owner
from tenants.setup import ensure_public

OPEN = (
    "Attention : une commune peut encore appeler set_config() ; un superutilisateur de PostgreSQL "
    "doit taper les lignes de docs/operations/production.md, « Roles »."
)


class Command(OnEveryServer):
    help = "Met à jour le schéma public, puis toutes les communes."

    def add_arguments(self, parser: CommandParser) -> None:
        """The canary group, as `migrate_tenants` takes it."""
        for option in ("--only", "--first"):
            parser.add_argument(option, nargs="+", default=(), metavar="SCHÉMA")

    def handle_here(self, *args: Any, **options: Any) -> None:
        """Run both steps; what already stands at this code is not touched."""
        with as_owner():
            if _public_is_behind():
                call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
            ensure_public()
            fences.apply()
            if not fences.is_closed():
                self.stderr.write(OPEN)
            call_command(
                "migrate_tenants",
                only=options["only"],
                first=options["first"],
                stdout=self.stdout,
                stderr=self.stderr,
            )


def _public_is_behind() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
