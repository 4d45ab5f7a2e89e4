"""Bring the archive of a space back to life on this deployment."""

import getpass
import sys
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from socle.core.refusals import Refusal
from tenants.life import restoring
from tenants.life.package.container import Package
from tenants.owner import as_owner


class Command(BaseCommand):
    help = (
        "Restaure l’espace d’une collectivité depuis son archive, en entier ou pas du tout. La "
        "phrase secrète est demandée, ou lue sur l’entrée standard ; jamais sur la ligne de "
        "commande. L’espace revient suspendu."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--check` verifies every piece and writes nothing."""
        parser.add_argument("package", type=Path, metavar="PAQUET")
        parser.add_argument("--check", action="store_true", help="vérifier sans rien écrire")
        parser.add_argument("--by", default=restoring.BY, help="qui restaure, pour le journal")

    def handle(self, *, package: Path, check: bool, by: str, **_: Any) -> None:
        """Open, verify, restore, say what came back."""
        try:
            with package.open("rb") as source, as_owner():
                opened = Package.opened(source, _passphrase())
                if check:
                    opened.check()
                    self._said(opened)
                    return
                report = restoring.restore(opened, by=by, at=timezone.now())
        except OSError as problem:
            raise CommandError(f"Le paquet ne se lit pas : {problem}") from problem
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"Espace de « {report.organisation} » restauré, suspendu : {report.rows} lignes, "
            f"{report.files} fichiers ; journal et scellements vérifiés."
        )
        if report.renumbered:
            told = ", ".join(f"{name} {count}" for name, count in report.renumbered.items())
            self.stdout.write(f"Lignes partagées renumérotées : {told}.")
        if report.upgraded:
            self.stdout.write("Schéma mis à jour à la version de cette installation.")
        self.stdout.write("Vérifiez-le, puis rouvrez-le depuis « Vie des espaces ».")

    def _said(self, package: Package) -> None:
        body = package.manifest["organisation"]
        self.stdout.write(
            f"OK : {body['name']} (SIREN {body['siren']}), {len(package.members)} pièces, "
            f"manifeste {package.manifest_sha256}."
        )


def _passphrase() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Phrase secrète : ")
    return sys.stdin.readline().strip()
