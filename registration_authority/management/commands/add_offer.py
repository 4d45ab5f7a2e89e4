"""Make an offer of an authority known: its certification policy, as data."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from registration_authority.dossier.actions import write_profile
from registration_authority.dossier.models import PolicyProfile
from registration_authority.dossier.profiles import profile_of
from registration_authority.models import CertificationAuthority, Offer, PieceKind, Usage
from socle.accounts.models import CertificateLevel


class Command(BaseCommand):
    """`manage.py add_offer CODE NAME --authority CODE --policy OID …`; again replaces it."""

    help = "Enregistrer une offre de certificat d’une autorité."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The options."""
        parser.add_argument("code")
        parser.add_argument("name")
        parser.add_argument("--authority", required=True, help="code de l’autorité")
        parser.add_argument("--policy", required=True, help="OID de la politique de certification")
        parser.add_argument(
            "--level", choices=CertificateLevel.values, default=CertificateLevel.RGS2
        )
        parser.add_argument("--usage", choices=Usage.values, default=Usage.AUTHENTICATION)
        parser.add_argument("--months", type=int, default=36, help="durée, 36 mois au plus")
        parser.add_argument("--min-rsa-bits", type=int, default=3072)
        parser.add_argument("--price-code", required=True)
        parser.add_argument(
            "--renewals", type=int, default=0, help="sans nouveau face à face, à la première fois"
        )
        parser.add_argument(
            "--pieces", nargs="+", choices=PieceKind.values, default=PieceKind.values
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Keep it, with the policy it starts with: a real authority names its operators."""
        authority = CertificationAuthority.objects.filter(code=options["authority"]).first()
        if authority is None:
            raise CommandError(f"L’autorité « {options['authority']} » n’est pas enregistrée.")
        if not 1 <= options["months"] <= 36 or options["min_rsa_bits"] < 2048:
            raise CommandError("36 mois au plus, clés RSA de 2048 bits au moins.")
        offer, _ = Offer.objects.update_or_create(
            code=options["code"],
            defaults={
                "authority": authority,
                "name": options["name"],
                "policy": options["policy"],
                "level": options["level"],
                "usage": options["usage"],
                "duration_months": options["months"],
                "min_rsa_bits": options["min_rsa_bits"],
                "price_code": options["price_code"],
                "required_pieces": options["pieces"],
            },
        )
        if profile_of(offer).pk is None:
            accredited = options["level"] != CertificateLevel.TRAINING
            write_profile(
                profile=PolicyProfile(
                    offer=offer,
                    accreditation_required=accredited,
                    renewals_without_face_to_face=options["renewals"],
                ),
                by="Socle",
                at=timezone.now(),
            )
        self.stdout.write(
            f"« {offer} » est enregistrée. Relisez sa politique dans « Règles des certificats »."
        )
