"""`manage.py s2low_account OPÉRATEUR [--siren SIREN] …`: give Socle an account at S²LOW."""

import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from socle.core.refusals import Refusal
from socle.delivery.models import TransmissionOperator
from socle.directory.models import Organisation
from socle.s2low import actions
from socle.s2low.models import S2lowAccount

BY = "ligne de commande"


class Command(BaseCommand):
    help = (
        "Enregistre le compte S²LOW d'une collectivité, ou sans --siren le certificat que "
        "plusieurs comptes partagent ; avec --check, appelle S²LOW et dit pour qui il agit."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("operator", help="code de l'opérateur")
        parser.add_argument("--siren", help="SIREN de la collectivité")
        parser.add_argument("--url", default="", help="adresse de S²LOW (https://…)")
        parser.add_argument("--ca", type=Path, help="autorité du serveur, PEM")
        parser.add_argument("--certificate", type=Path, help="certificat, PKCS#12 ou PEM")
        parser.add_argument("--key", type=Path, help="clé du certificat, PEM")
        parser.add_argument("--login", default="", help="identifiant sur un certificat partagé")
        parser.add_argument("--check", action="store_true", help="appeler S²LOW avec ce compte")

    def handle(self, *args: Any, operator: str, siren: str | None, **options: Any) -> None:
        try:
            account = actions.save_account(
                operator=TransmissionOperator.objects.get(code=operator),
                organisation=Organisation.objects.get(siren=siren) if siren else None,
                by=BY,
                at=timezone.now(),
                **_given(options),
            )
            self._say(account, check=options["check"] and siren is not None)
        except (TransmissionOperator.DoesNotExist, Organisation.DoesNotExist) as fault:
            raise CommandError("Cet opérateur ou cette collectivité est inconnu ici.") from fault
        except (Refusal, OSError) as fault:
            raise CommandError(str(fault)) from fault

    def _say(self, account: S2lowAccount, *, check: bool) -> None:
        if check:
            account = actions.check_account(account_id=account.pk, by=BY, at=timezone.now())
            self.stdout.write(f"{account} : ouvert, agit pour « {account.authority} ».")
        else:
            self.stdout.write(f"{account} : enregistré.")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `save_account`. Passwords are asked for: a command line is seen by all."""
    certificate, key, ca = options["certificate"], options["key"], options["ca"]
    return {
        "base_url": options["url"],
        "ca_pem": ca.read_text(encoding="ascii") if ca else "",
        "certificate": certificate.read_bytes() if certificate else b"",
        "key": key.read_bytes() if key else b"",
        "certificate_password": getpass.getpass("Mot de passe du certificat : ")
        if certificate
        else "",
        "login": options["login"],
        "password": getpass.getpass("Mot de passe S²LOW : ") if options["login"] else "",
    }
