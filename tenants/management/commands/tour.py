"""Walk one commune of the running demonstration through the whole main job."""

from typing import Any

import pikepdf
from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.core.management.base import CommandParser

from socle.core.refusals import Refusal
from socle.directory.models import Organisation
from tenants.tour import Broken, Done, Tour, next_commune


class Command(BaseCommand):
    help = "Déroule le parcours complet d'une commune, sans navigateur."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which commune; by default the next one without a case."""
        parser.add_argument("--commune", metavar="INSEE", help="code INSEE de la commune")

    def handle(self, *args: Any, commune: str | None, **options: Any) -> None:
        """Run every stage; the command fails with the sentence of the first that breaks."""
        if not settings.DEMO:
            raise CommandError("Le tour ne se fait que dans la démonstration.")
        tour = Tour(_chosen(commune))
        self.stdout.write(f"Tour de {tour.commune} ({tour.commune.insee})\n")
        done: list[Done] = []
        try:
            for stage in tour.run():
                done.append(stage)
                self._say(stage)
        except (Broken, Refusal, pikepdf.PdfError) as problem:
            name = tour.stages()[len(done)][0]
            raise CommandError(f"{name} : {problem}") from problem
        self.stdout.write(f"\n{_table(done)}\n")

    def _say(self, stage: Done) -> None:
        self.stdout.write(f"  {stage.stage} : fait en {_seconds(stage.seconds)}")
        self.stdout.flush()


def _chosen(insee: str | None) -> Organisation:
    if insee is None:
        found = next_commune()
        if found is None:
            raise CommandError("Toutes les communes du Mellois ont déjà leur dossier.")
        return found
    asked = Organisation.objects.filter(insee=insee, closed_on=None).first()
    if asked is None:
        raise CommandError(f"Aucune commune de l’annuaire ne porte le code INSEE {insee}.")
    return asked


def _table(done: list[Done]) -> str:
    width = max(len(stage.stage) for stage in done)
    wide = max(len(stage.product) for stage in done)
    lines = [f"  {'Étape':<{width}}  {'Produit':<{wide}}  {'Durée':>8}", ""]
    lines += [
        f"  {stage.stage:<{width}}  {stage.product:<{wide}}  {_seconds(stage.seconds):>8}"
        for stage in done
    ]
    total = sum(stage.seconds for stage in done)
    return "\n".join([*lines, "", f"  {'Total':<{width}}  {'':<{wide}}  {_seconds(total):>8}"])


def _seconds(value: float) -> str:
    return f"{value:.1f} s".replace(".", ",")
