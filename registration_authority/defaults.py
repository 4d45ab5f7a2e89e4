"""The authority and the offers a deployment starts with."""

from datetime import datetime
from typing import Final

from registration_authority import training
from registration_authority.dossier.models import PolicyProfile
from registration_authority.models import Offer, PieceKind
from registration_authority.pki.training_ca import EXERCISE_POLICY
from socle.accounts.models import CertificateLevel

TRAINING_CODE: Final = "exercice"
TRAINING_OFFER: Final = "exercice-authentification"
FIRST_PIECES: Final = (
    PieceKind.IDENTITY,
    PieceKind.FUNCTION,
    PieceKind.MANDATE,
    PieceKind.TERMS,
)
VISIT: Final = (
    "Supports et câbles",
    "Procès-verbaux imprimés en deux exemplaires",
    "Ordinateur avec lecteur et partage de connexion",
)


def ensure(*, at: datetime) -> Offer:
    """The training authority and its offer, created when missing; asking again changes nothing."""
    authority = training.ensure_authority(code=TRAINING_CODE, name="AC EXERCICE du syndicat", at=at)
    offer, _ = Offer.objects.get_or_create(
        code=TRAINING_OFFER,
        defaults={
            "authority": authority,
            "name": "Certificat d’exercice, authentification, 3 ans",
            "level": CertificateLevel.TRAINING,
            "policy": EXERCISE_POLICY,
            "duration_months": 36,
            "required_pieces": list(FIRST_PIECES),
            "price_code": "certificat-exercice",
        },
    )
    PolicyProfile.objects.get_or_create(
        offer=offer,
        defaults={
            "document": "Politique d’exercice",
            "support": "Sans support, ou un support d’exercice",
            "proxy_allowed": True,
            "delegate_allowed": True,
            "visit_checklist": list(VISIT),
        },
    )
    return offer
