"""The programme a deployment starts with."""

from typing import Final

from training.models import Programme

TITLE: Final = "Télétransmettre ses actes"


def ensure() -> Programme:
    """The programme « Télétransmettre ses actes », created when missing; again changes nothing."""
    programme, _ = Programme.objects.get_or_create(
        title=TITLE,
        defaults={
            "minutes": 150,
            "objectives": (
                "Préparer, signer et transmettre un acte à la préfecture ; lire un accusé de "
                "réception ; réagir à une anomalie ou à une demande de pièces."
            ),
            "prerequisites": (
                "Venir avec son certificat et son code PIN, ou demander un certificat d’exercice."
            ),
        },
    )
    return programme
