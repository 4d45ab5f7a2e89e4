"""What a file says, in one digest: an approval binds to it, and is void when it changes (T10)."""

import hashlib
import json

from registration_authority.models import CertificateFile


def digest_of(file: CertificateFile) -> str:
    """SHA-256 of what is checked and approved: who, for which body, which offer, which pieces."""
    holder, body = file.holder, file.organisation
    said = {
        "holder": [holder.pk, holder.first_name, holder.last_name, holder.email],
        "body": [body.siren, body.name],
        "function": file.function,
        "offer": [file.offer.code, file.offer.policy],
        "signed_by": file.signed_by_id,
        "proxy": file.proxy_id,
        "pieces": sorted(file.pieces.filter(replaced_at=None).values_list("kind", "sha256")),
    }
    canonical = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
