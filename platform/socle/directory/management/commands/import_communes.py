"""Load or refresh the national list of communes and EPCI that ships with Socle."""

from typing import Any

from django.core.management import BaseCommand
from django.utils import timezone

from socle.directory import imports


class Command(BaseCommand):
    help = "Charge ou met à jour toutes les communes et tous les EPCI de France (sans réseau)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Import and report what was created, changed and closed."""
        report = imports.run(by="import_communes", at=timezone.now())
        self.stdout.write(str(report))
