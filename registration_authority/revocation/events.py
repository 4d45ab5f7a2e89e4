"""What the journal says of revocations."""

from typing import Final

SENTENCES: Final = {
    "ra.revocation_code_given": "Code de révocation remis à {holder}",
    "ra.revocation_asked": (
        "Révocation du certificat {serial} de {holder} demandée ({asker}) : {reason}"
    ),
    "ra.revocation_refused": "Révocation du certificat {serial} de {holder} refusée : {reason}",
    "ra.revocation_reviewed": "Révocation urgente du certificat {serial} relue",
    "ra.revocation_drags": "Révocation du certificat {serial} : la suite se fait attendre",
    "ra.revocation_late": "Révocation du certificat {serial} : délai dépassé",
    "ra.departure_declared": (
        "Départ de {person} : {certificates} certificat(s), suite : {successor}"
    ),
    "ra.loss_declared": (
        "Perte ou vol du support de {person} : {certificates} certificat(s) révoqué(s)"
    ),
    "ra.campaign_opened": "Campagne « {campaign} » ouverte : {lines} élu(s)",
    "ra.outcomes_told": "Campagne « {campaign} » : {lines} résultat(s) noté(s)",
    "ra.outcomes_validated": "Campagne « {campaign} » : {lines} résultat(s) validé(s)",
}
