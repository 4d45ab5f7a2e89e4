"""Bring every commune to this code, in batches, with progress; safe to interrupt and to repeat."""

from typing import Any

from django.core.management import CommandError, CommandParser
from django.db import Error, connection

from tenants import upgrades
from tenants.everywhere import OnEveryServer
from tenants.owner import as_owner


class Command(OnEveryServer):
    help = "Met à jour le schéma de toutes les communes, par lots, avec reprise."

    def add_arguments(self, parser: CommandParser) -> None:
        """Who goes, who goes first, how fast; or only where everybody stands."""
        parser.add_argument("--only", nargs="+", default=(), metavar="SCHÉMA")
        parser.add_argument(
            "--first", nargs="+", default=(), metavar="SCHÉMA", help="le groupe témoin"
        )
        parser.add_argument("--batch", type=int, default=upgrades.BATCH, metavar="COMMUNES")
        parser.add_argument(
            "--workers", type=int, default=upgrades.WORKERS, help="pour les migrations en Python"
        )
        parser.add_argument(
            "--where", action="store_true", help="dit où en est chaque commune, ne change rien"
        )

    def handle_here(self, *args: Any, **options: Any) -> None:
        """Upgrade, tell each batch, report who failed, why, and where everybody stands."""
        with as_owner():
            if options["where"]:
                self.tell_where()
                return
            report = self.upgrade(options)
            self.stdout.write(str(report))
            for schema, problem in report.failed.items():
                self.stderr.write(f"  {schema} : {problem}")
            if report.failed or report.stopped:
                if connection.is_usable():
                    self.tell_where()
                raise CommandError(
                    report.stopped or "Certaines communes n’ont pas été mises à jour : relancez."
                )

    def upgrade(self, options: dict[str, Any]) -> upgrades.Report:
        """Run the upgrade as the options say."""
        try:
            return upgrades.upgrade(
                say=self.say,
                only=options["only"],
                first=options["first"],
                pace=upgrades.Pace(options["batch"], options["workers"]),
            )
        except upgrades.UnknownSchema as problem:
            raise CommandError(str(problem)) from problem
        except Error as problem:
            raise CommandError(
                f"La mise à jour n’a pas pu être préparée, aucune commune n’est à moitié faite : "
                f"{upgrades.first_line(problem)}"
            ) from problem

    def tell_where(self) -> None:
        """One line for each place where communes stand."""
        for standing in upgrades.whereabouts():
            self.stdout.write(f"  {standing}")

    def say(self, progress: upgrades.Progress) -> None:
        """One line for each batch."""
        self.stdout.write(
            f"  {progress.step} : {progress.done} sur {progress.total}, "
            f"encore {progress.eta:.0f} s environ"
        )
        self.stdout.flush()
