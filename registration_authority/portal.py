"""The adapter of an authority reached through its own web portal, by an operator.

No French authority publishes an interface for its delegated registration authorities: the operator
deposits the request on the authority's portal and brings back the certificate. The states and the
checks are those of an authority on line.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from registration_authority import link
from registration_authority.adapters import AuthorityUnavailable, Enrolment, Waiting
from registration_authority.models import CertificationAuthority
from registration_authority.pki.crl import MAX_BYTES

ADAPTER: Final = "portal"


class PortalAuthority:
    """Everything waits for a person, but the list of revoked certificates when it is published."""

    def __init__(self, authority: CertificationAuthority) -> None:
        self.authority = authority

    def enroll(self, enrolment: Enrolment, *, at: datetime) -> str | Waiting:
        """An operator carries the request, then the certificate."""
        return Waiting(until=None)

    def settle(self, key: UUID, pem: str, *, accepted: bool, reason: str, at: datetime) -> None:
        """The operator accepts, or has it withdrawn, on the portal."""

    def revoke(self, pem: str, *, reason: str, at: datetime) -> bool:
        """An operator asks on the portal; the list of revoked certificates will tell."""
        return False

    def crl(self, *, at: datetime) -> bytes:
        """The list the authority publishes, else the last one an operator brought."""
        return published_list(self.authority)


def published_list(authority: CertificationAuthority) -> bytes:
    """The list at the authority's address, else the last one received (AuthorityUnavailable)."""
    if authority.crl_url:
        return link.ask(authority.crl_url, limit=MAX_BYTES)
    kept = getattr(authority, "revocation_list", None)
    if kept is None:
        raise AuthorityUnavailable("no list of revoked certificates was brought yet")
    return bytes(kept.content)
