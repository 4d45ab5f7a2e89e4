"""What the journal says of the register and of what is purged."""

from typing import Final

SENTENCES: Final = {
    "ra.evidence_exported": "Registre de l’autorité d’enregistrement exporté : {reason}",
    "ra.rules_set": "Règles de l’offre {offer} enregistrées",
    "accounts.body_agreed": "Certificat {serial} admis aussi pour le SIREN {siren}",
    "accounts.step_up_set": "Confirmation avant transmission pour {siren} : {minutes} minutes",
    "ra.purged": "Documents du dossier de certificat purgés : {documents}",
}
