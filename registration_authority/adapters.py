"""What the counter asks of an authority, and who answers for each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from registration_authority.models import CertificationAuthority
from registration_authority.pki.csr import Request
from registration_authority.pki.names import Holder
from socle.core.refusals import Refusal


class AuthorityUnavailable(Exception):
    """No answer: whether the authority signed is not known. The same question is asked again."""

    @property
    def for_the_desk(self) -> str:
        """What a person reads while it lasts."""
        return "L’autorité de certification ne répond pas : la question lui est reposée."


class AuthorityRefused(Refusal):
    """The authority answered that it will not sign or revoke this."""

    code = "ra.authority_refused"


class UntrustedAnswer(AuthorityUnavailable):
    """Something answered in place of the authority, or not to this question: it is not believed.

    `str(fault)` is a French sentence. What was asked stands, and is asked again.
    """

    @property
    def for_the_desk(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One question to an authority; `key` makes the same question recognisable.

    `known` says that the authority already certified this holder for this body; `former` is the
    certificate (PEM) of the same authority that this one replaces, with another key.
    """

    key: UUID
    request: Request
    holder: Holder
    validity: timedelta
    known: bool = False
    former: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The authority has the question and answers at `until`, or a person brings it (None)."""

    until: datetime | None


class Adapter(Protocol):
    """An authority as the counter sees it. Every method may raise AuthorityUnavailable."""

    def enroll(self, enrolment: Enrolment, *, at: datetime) -> str | Waiting:
        """The certificate (PEM); the same key gives the same one. Raises AuthorityRefused."""

    def settle(self, key: UUID, pem: str, *, accepted: bool, reason: str, at: datetime) -> None:
        """Tell whether the certificate answered to `key` is kept; one that is not is withdrawn.

        `reason` says in French why it is not. Twice changes nothing. Raises AuthorityRefused.
        """

    def revoke(self, pem: str, *, reason: str, at: datetime) -> bool:
        """Ask to revoke a certificate (PEM); twice changes nothing. Raises AuthorityRefused.

        True: it is revoked. False: only the list of revoked certificates will tell.
        """

    def crl(self, *, at: datetime) -> bytes:
        """The current list of revoked certificates, DER."""


_factories: dict[str, Callable[[CertificationAuthority], Adapter]] = {}


def register(name: str, factory: Callable[[CertificationAuthority], Adapter]) -> None:
    """Answer for authorities whose `adapter` is `name`."""
    _factories[name] = factory


def adapter_for(authority: CertificationAuthority) -> Adapter:
    """The adapter of an authority; raises KeyError when nobody answers for it."""
    return _factories[authority.adapter](authority)
