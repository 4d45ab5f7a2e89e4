"""What the journal says of the certificates that are watched."""

from typing import Final

SENTENCES: Final = {
    "ra.certificate_watched": "Certificat « {label} » ({serial}) mis sous surveillance",
    "ra.certificate_unwatched": "Certificat « {label} » ({serial}) sorti de la surveillance",
    "ra.watched_revoked": "Certificat « {label} » ({serial}) révoqué par son autorité",
    "ra.trusted_list_read": "Liste de confiance n° {number} lue : {authorities} autorité(s)",
}
