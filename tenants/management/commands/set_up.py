"""Open a new installation: the syndicat, its space, its first administrator."""

from typing import Any, Final

from django.core.management import BaseCommand, CommandError
from django.core.management.base import CommandParser
from django.utils import timezone

from socle.core import cells
from socle.core.identifiers import format_siren
from socle.core.refusals import Refusal
from tenants.middleware import origin
from tenants.setup import set_up

SYNDICAT: Final = {
    "siret": "SIRET du siège",
    "nature": "nature ACTES : 41 syndicat mixte fermé, 42 syndicat mixte ouvert",
    "arrondissement": "code de l’arrondissement dans ACTES, un chiffre",
    "address": "numéro et rue",
    "postal_code": "code postal",
    "phone": "téléphone",
}


class Command(BaseCommand):
    help = (
        "Crée le syndicat, son espace et son premier administrateur, dont le mot de passe est "
        "montré une fois. Relancée, la commande laisse ce qui existe."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The syndicat, then the person. No password is ever taken from the command line."""
        parser.add_argument("--siren", required=True, help="SIREN du syndicat")
        parser.add_argument("--name", required=True, help="nom du syndicat")
        parser.add_argument("--departement", required=True, help="par exemple 79, 2A ou 971")
        for field, meaning in SYNDICAT.items():
            parser.add_argument(f"--{field.replace('_', '-')}", default="", help=meaning)
        parser.add_argument("--email", required=True, help="adresse de l’administrateur")
        parser.add_argument("--first-name", required=True, help="son prénom")
        parser.add_argument("--last-name", required=True, help="son nom")
        parser.add_argument("--function", default="", help="sa fonction")
        parser.add_argument(
            "--new-password",
            action="store_true",
            help="redonne un premier mot de passe à qui n’est encore jamais entré",
        )

    def handle(self, *args: Any, new_password: bool, **options: Any) -> None:
        """Set up and say how to come in, or refuse in one sentence."""
        syndicat = {field: options[field] for field in ("siren", "name", "departement", *SYNDICAT)}
        person = {
            field: options[field] for field in ("email", "first_name", "last_name", "function")
        }
        try:
            done = set_up(
                syndicat=syndicat,
                administrator=person,
                at=timezone.now(),
                new_password=new_password,
            )
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"Syndicat : {done.syndicat} (SIREN {format_siren(done.syndicat.siren)})\n"
            f"Portail : {origin(cells.portal_host())}/\n"
            f"Identifiant : {done.person.email}"
        )
        if done.password:
            self.stdout.write(
                f"Premier mot de passe : {done.password}\n"
                "Il n’est montré qu’ici. À la première connexion, elle relie son téléphone à son "
                "compte, puis change ce mot de passe."
            )
        else:
            self.stdout.write("Ce compte existait déjà : son mot de passe n’est pas changé.")
