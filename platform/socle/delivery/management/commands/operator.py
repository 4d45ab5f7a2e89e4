"""Write down the operator through whom the communes transmit."""

from datetime import date
from typing import Any, Final

from django.core.management import BaseCommand, CommandError
from django.core.management.base import CommandParser
from django.utils import timezone

from socle.core.refusals import Refusal
from socle.delivery import adapters
from socle.delivery.operators import save_operator

TEXTS: Final = {
    "name": "nom montré aux agents",
    "trigram": "trigramme attribué par la DGCL, trois caractères",
    "company": "société ou organisme qui exploite le service",
    "return_address": "adresse électronique où l’État répond",
    "address": "adresse postale de l’exploitant",
    "phone": "téléphone de l’exploitant",
    "email": "adresse électronique de l’exploitant",
    "homologation": "référence de l’homologation",
}
DAYS: Final = {
    "homologated_on": "jour de l’homologation (AAAA-MM-JJ)",
    "homologated_until": "dernier jour de l’homologation (AAAA-MM-JJ)",
}


class Command(BaseCommand):
    help = (
        "Crée un opérateur de transmission, ou corrige celui qui porte ce code : seules les "
        "informations données sont changées."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """One option for each field."""
        parser.add_argument("--code", required=True, help="nom court, par exemple s2low")
        parser.add_argument("--adapter", help=f"connecteur : {', '.join(adapters.names())}")
        for field, meaning in TEXTS.items():
            parser.add_argument(f"--{field.replace('_', '-')}", help=meaning)
        for field, meaning in DAYS.items():
            parser.add_argument(f"--{field.replace('_', '-')}", type=_day, help=meaning)
        parser.add_argument(
            "--exercise",
            action="store_true",
            help="opérateur d’exercice : ni homologation ni certificat, rien n’a de valeur",
        )

    def handle(self, *args: Any, code: str, exercise: bool, **options: Any) -> None:
        """Save and say so, or refuse in one sentence."""
        fields = ("adapter", *TEXTS, *DAYS)
        facts = {field: options[field] for field in fields if options[field] is not None}
        try:
            operator = save_operator(
                code=code, facts=facts, exercise=exercise, by="installation", at=timezone.now()
            )
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Opérateur « {operator} » enregistré sous le code {operator.code}.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"« {text} » n’est pas un jour : écrivez-le AAAA-MM-JJ, par exemple 2026-01-31."
        ) from None
