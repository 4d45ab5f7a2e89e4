"""Which software is calling: its certificate, its login, or both, as S²LOW tells them apart."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet
from django.http import HttpRequest

from socle.accounts import actions as accounts
from socle.accounts import gateway
from socle.accounts import queries as people
from socle.accounts.addresses import client_address
from socle.accounts.capabilities import Capability, capabilities_of
from socle.accounts.models import LoginCertificate
from socle.accounts.policies import CertificateRefused, TooManyAttempts
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.directory import queries as directory
from tenants.api.actions import digest
from tenants.api.models import SoftwareAccess

FAILED: Final = "Échec de l'authentification"


class NotAuthenticated(Refusal):
    """No access here has what the software showed."""

    code = "api.not_authenticated"


class NotAllowed(Refusal):
    """The person whose name the software bears may not do this here."""

    code = "api.not_allowed"


@dataclass(frozen=True, slots=True)
class Caller:
    """A software that was recognised, and what it may do now."""

    access: SoftwareAccess
    capabilities: frozenset[Capability]
    with_certificate: bool
    """Whether this very call came with the valid certificate of its person."""


def recognise(request: HttpRequest, *, at: datetime) -> Caller:
    """The software that makes this request. Raises NotAuthenticated.

    The session's cookie counts for nothing here: another site could make a browser send it.
    """
    shown = gateway.presented(request)
    given = _basic(request)
    access = _by_login(request, given, at=at) if given else _by_certificate(request, shown)
    if access is None:
        raise NotAuthenticated(FAILED)
    grant = directory.grants(access.person, legal_date(at)).filter(
        organisation=access.organisation_id
    )
    held = grant.first()
    if not access.person.is_active or held is None:
        raise NotAuthenticated(FAILED)
    return Caller(
        access=access,
        capabilities=capabilities_of(held.roles),
        with_certificate=shown is not None and _is_hers(access, shown, at=at),
    )


def _open(request: HttpRequest) -> QuerySet[SoftwareAccess]:
    organisation = request.tenant.organisation_id  # type: ignore[attr-defined]
    found = SoftwareAccess.objects.filter(organisation=organisation, closed_at=None)
    return found.select_related("person", "organisation")


def _by_login(
    request: HttpRequest, given: tuple[str, str], *, at: datetime
) -> SoftwareAccess | None:
    """The access with these login and secret; wrong ones are counted, and slowed down."""
    login, secret = given
    address = client_address(request)
    try:
        accounts.check_attempts(name=login, address=address, at=at)
    except TooManyAttempts as refusal:
        raise NotAuthenticated(str(refusal)) from refusal
    access = _open(request).filter(login=login).first()
    known = access.secret_digest if access else digest("")
    if not hmac.compare_digest(known, digest(secret)) or access is None:
        accounts.count_attempt(name=login, address=address, at=at)
        return None
    return access


def _by_certificate(request: HttpRequest, shown: gateway.Presented | None) -> SoftwareAccess | None:
    """The only access of the person who holds this certificate; with several, a login is needed."""
    if shown is None or shown.problem:
        return None
    holder = LoginCertificate.objects.filter(
        issuer=shown.issuer, serial=shown.serial, fingerprint=shown.fingerprint, withdrawn_at=None
    ).values("person")
    found = list(_open(request).filter(person__in=holder)[:2])
    return found[0] if len(found) == 1 else None


def _is_hers(access: SoftwareAccess, shown: gateway.Presented, *, at: datetime) -> bool:
    try:
        known = accounts.check_certificate(person=access.person, shown=shown, at=at)
    except CertificateRefused:
        return False
    usable = people.usable_certificate(access.person, siren=access.organisation.siren, at=at)
    return usable is not None and usable.person_id == known.person_id


def _basic(request: HttpRequest) -> tuple[str, str] | None:
    """Login and secret of HTTP Basic (RFC 7617)."""
    kind, _, encoded = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        login, colon, secret = (
            base64.b64decode(encoded, validate=True).decode("latin-1").partition(":")
        )
    except (binascii.Error, ValueError):
        return None
    return (login, secret) if colon else None
