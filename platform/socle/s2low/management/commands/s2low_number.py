"""`manage.py s2low_number OPÉRATEUR FICHIER NUMÉRO`: give the number read on S²LOW."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from socle.core.refusals import Refusal
from socle.s2low import actions, queries
from socle.s2low.models import S2lowTransaction


class Command(BaseCommand):
    help = (
        "Sans argument, liste les envois qui attendent une décision ; avec un opérateur, un "
        "fichier et un numéro, indique sous quel numéro S²LOW détient ce fichier."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("operator", nargs="?", help="code de l'opérateur")
        parser.add_argument("name", nargs="?", help="nom du fichier envoyé")
        parser.add_argument("number", nargs="?", help="numéro lu sur S²LOW")

    def handle(
        self, *args: Any, operator: str | None, name: str | None, number: str | None, **options: Any
    ) -> None:
        if not (operator and name and number):
            for row in queries.in_trouble():
                self.stdout.write(f"{row.operator.code} {row.name} : {row.problem}")
            return
        try:
            row = S2lowTransaction.objects.get(operator__code=operator, name=name)
            actions.give_number(
                transaction_id=row.pk, given=number, by="ligne de commande", at=timezone.now()
            )
        except S2lowTransaction.DoesNotExist as fault:
            raise CommandError("Aucun envoi ne porte ce nom chez cet opérateur.") from fault
        except Refusal as fault:
            raise CommandError(str(fault)) from fault
        self.stdout.write(f"{name} : numéro {number}.")
