"""Print who can come in, where and how."""

from typing import Any

from django.core.management import BaseCommand

from tenants import demo


class Command(BaseCommand):
    help = "Affiche les comptes de la démonstration."

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each invented person."""
        for name, url, email, _ in demo.logins():
            self.stdout.write(f"  {name:<46} {email:<36} {url}")
        self.stdout.write(f"\n  Mot de passe de tous : {demo.PASSWORD}")
        self.stdout.write("  Le code à six chiffres s’affiche sur la page de connexion.")
