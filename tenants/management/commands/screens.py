"""Photograph every screen of the running demonstration."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.core.management.base import CommandParser

from socle.stack import browser
from tenants import photographs


class Command(BaseCommand):
    help = "Photographie tous les écrans de la démonstration en marche."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where, and whose."""
        parser.add_argument("--into", type=Path, default=settings.REPOSITORY / "screens")
        parser.add_argument(
            "--only", default="", metavar="PRÉNOM", help="une seule personne, par son prénom"
        )

    def handle(self, *args: Any, into: Path, only: str, **options: Any) -> None:
        """Take the pictures and say where they are; an error page makes the command fail."""
        try:
            from playwright.sync_api import sync_playwright
        except ImportError:
            raise CommandError(
                "Playwright n’est pas installé : lancez « make screens », qui l’installe."
            ) from None
        program = browser.find()
        if program is None:
            raise CommandError(browser.SENTENCE)
        chosen = [one for one in photographs.walkers() if one.name.startswith(only)]
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(
                executable_path=program, args=list(browser.ARGUMENTS)
            )
            album = photographs.take(started, chosen, into, self.say)
            started.close()
        self.say(f"\n{len(album.pictures)} écrans : {into / 'index.html'}")
        if album.broken:
            raise CommandError(
                "Ces pages ont répondu par une erreur : "
                + ", ".join(f"{one.path} ({one.status})" for one in album.broken)
            )

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
