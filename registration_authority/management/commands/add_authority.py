"""Make an authority known: reached by its portal, or spoken to in CMP."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from registration_authority import cmp, portal
from registration_authority.models import CertificationAuthority, CmpLink
from registration_authority.pki.bundle import read_bundle
from socle.core.refusals import Refusal


class Command(BaseCommand):
    """`manage.py add_authority CODE NAME --certificate FILE …`; again replaces what it says."""

    help = "Enregistrer une autorité de certification, par son portail ou par CMP."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The options; files are PEM."""
        parser.add_argument("code")
        parser.add_argument("name")
        parser.add_argument("--certificate", type=Path, required=True, help="son certificat")
        parser.add_argument("--chain", type=Path, help="les autorités au-dessus, jusqu’à la racine")
        parser.add_argument("--crl-url", default="", help="où elle publie sa liste de révocation")
        parser.add_argument("--portal-url", default="", help="son portail")
        parser.add_argument("--cmp-url", default="", help="son adresse CMP ; absente : portail")
        parser.add_argument("--cmp-certificate", type=Path, help="notre certificat")
        parser.add_argument("--cmp-key", type=Path, help="notre clé, PKCS#8 sans mot de passe")
        parser.add_argument(
            "--cmp-responder", type=Path, help="le certificat qui signe ses réponses"
        )
        parser.add_argument(
            "--carries", choices=CmpLink.Carries.values, default=CmpLink.Carries.PKCS10
        )
        parser.add_argument("--implicit-confirm", action="store_true")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Keep it."""
        if options["cmp_url"] and not (options["cmp_certificate"] and options["cmp_key"]):
            raise CommandError("--cmp-url demande --cmp-certificate et --cmp-key.")
        chain = options["chain"]
        authority, _ = CertificationAuthority.objects.update_or_create(
            code=options["code"],
            defaults={
                "name": options["name"],
                "adapter": cmp.ADAPTER if options["cmp_url"] else portal.ADAPTER,
                "certificate_pem": _certificates(options["certificate"]),
                "chain_pem": _certificates(chain) if chain else "",
                "crl_url": options["crl_url"],
                "portal_url": options["portal_url"],
            },
        )
        if options["cmp_url"]:
            _join(authority, options)
        self.stdout.write(f"« {authority} » est enregistrée.")


def _join(authority: CertificationAuthority, options: dict[str, Any]) -> None:
    responder = options["cmp_responder"]
    try:
        cmp.join(
            authority=authority,
            url=options["cmp_url"],
            certificate_pem=_certificates(options["cmp_certificate"]),
            key_der=_key(options["cmp_key"]),
            responder_pem=_certificates(responder) if responder else "",
            carries=options["carries"],
            implicit_confirm=options["implicit_confirm"],
        )
    except ValueError as fault:
        raise CommandError("--cmp-key n’est pas la clé de --cmp-certificate.") from fault


def _certificates(path: Path) -> str:
    try:
        found = read_bundle(path.read_bytes())
    except (OSError, Refusal) as fault:
        raise CommandError(f"{path} : {fault}") from fault
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in found)


def _key(path: Path) -> bytes:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as fault:
        raise CommandError(f"{path} n’est pas une clé PKCS#8 sans mot de passe.") from fault
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
