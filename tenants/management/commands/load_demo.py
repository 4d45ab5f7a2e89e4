"""Load the demonstration; running it again changes nothing."""

from typing import Any

from django.core.management import BaseCommand
from django.core.management.base import CommandParser
from django.utils import timezone

from tenants import demo


class Command(BaseCommand):
    help = "Charge le territoire de démonstration (58 communes du Mellois en Poitou)."

    def add_arguments(self, parser: CommandParser) -> None:
        """One option, for the impatient."""
        parser.add_argument(
            "--territory",
            default="",
            metavar="SIREN",
            help="n'importe de l'annuaire national que les communes de cet EPCI",
        )

    def handle(self, *args: Any, territory: str, **options: Any) -> None:
        """Load and tell each step."""
        demo.load(at=timezone.now(), say=self.say, territory=territory)

    def say(self, step: str) -> None:
        self.stdout.write(f"  · {step}")
        self.stdout.flush()
