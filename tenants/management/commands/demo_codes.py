"""Print the six digits each invented phone shows now."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from socle.accounts.models import Person
from socle.accounts.views import demo_code
from tenants import demo


class Command(BaseCommand):
    help = "Affiche les codes à six chiffres de la démonstration."

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each invented person; refused outside the demonstration."""
        if not settings.DEMO:
            raise CommandError("Les codes ne s’affichent que dans la démonstration.")
        for character in demo.CHARACTERS:
            person = Person.objects.get(email=character.email)
            self.stdout.write(f"  {demo_code(person)}  {character.email}")
