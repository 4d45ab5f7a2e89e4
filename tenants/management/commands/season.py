"""Fill the running demonstration with some weeks of work."""

from collections.abc import Collection
from typing import Any

import pikepdf
from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.core.management.base import CommandParser

from socle.core.refusals import Refusal
from tenants import season
from tenants.tour import Broken


class Command(BaseCommand):
    help = "Remplit la démonstration : communes raccordées et en chemin, actes, agenda, stock."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which communes go all the way; by default those where Claire Martin works."""
        parser.add_argument("--communes", nargs="+", metavar="INSEE", default=season.CONNECTED)

    def handle(self, *args: Any, communes: Collection[str], **options: Any) -> None:
        """Say each thing as it is done; the command fails with the sentence of what breaks."""
        if not settings.DEMO:
            raise CommandError("La saison ne se joue que dans la démonstration.")
        try:
            for done in season.tell(communes):
                self.stdout.write(f"  {done}")
                self.stdout.flush()
        except (Broken, Refusal, pikepdf.PdfError) as problem:
            raise CommandError(str(problem)) from problem
