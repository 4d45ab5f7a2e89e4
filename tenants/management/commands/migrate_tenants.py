"""Bring every commune to this code, in batches, with progress; safe to interrupt and to repeat."""

from typing import Any

from django.core.management import CommandError, CommandParser

from tenants import upgrades
from tenants.everywhere import OnEveryServer
from tenants.owner import as_owner


class Command(OnEveryServer):
    help = "Met à jour le schéma de toutes les communes, par lots, avec reprise."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--only` names the schemas of a canary group."""
        parser.add_argument("--only", nargs="*", default=(), metavar="SCHÉMA")

    def handle_here(self, *args: Any, **options: Any) -> None:
        """Upgrade, tell each batch, report who failed and why."""
        with as_owner():
            report = upgrades.upgrade(say=self.say, only=options["only"])
        self.stdout.write(str(report))
        for schema, problem in report.failed.items():
            self.stderr.write(f"  {schema} : {problem}")
        if report.failed:
            raise CommandError("Certaines communes n’ont pas été mises à jour : relancez.")

    def say(self, progress: upgrades.Progress) -> None:
        self.stdout.write(
            f"  {progress.done} sur {progress.total}, encore {progress.eta:.0f} s environ"
        )
        self.stdout.flush()
