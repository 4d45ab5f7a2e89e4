"""The inventory of everything that ends one day: ours, brought, connectors, authorities."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Q, QuerySet

from registration_authority.models import (
    Certificate,
    CertificateState,
    CertificationAuthority,
    CmpLink,
)
from registration_authority.pki.bundle import read_chain
from registration_authority.pki.certificate import load_certificate
from registration_authority.watch.models import Standing, TrustedAuthority, WatchedCertificate
from socle.core.text import fold
from socle.s2low.models import S2lowAccount

SOON: Final = timedelta(days=60)
ENDS_SOON: Final = timedelta(days=90)
"""For an authority: its successor has to be trusted everywhere before."""


@dataclass(frozen=True, slots=True)
class Ending:
    """One thing of ours that ends: what it is, whose, when."""

    label: str
    whose: str
    not_after: datetime


@dataclass(frozen=True, slots=True)
class AuthorityEnd:
    """An authority, the first of its chain to end, and the certificates that outlive it."""

    authority: CertificationAuthority
    not_after: datetime
    outliving: int
    last: datetime | None


def watched(text: str = "") -> QuerySet[WatchedCertificate]:
    """The certificates of the inventory that are not ours, the first to end first."""
    found = WatchedCertificate.objects.filter(removed_at=None).select_related("organisation")
    for word in text.split():
        found = found.filter(
            Q(organisation__sort_key__contains=fold(word))
            | Q(organisation__siren=word)
            | Q(label__icontains=word)
            | Q(subject__icontains=word)
        )
    return found


def troubled(at: datetime) -> QuerySet[WatchedCertificate]:
    """Those to replace: revoked, over, or over soon."""
    return watched().filter(Q(standing=Standing.REVOKED) | Q(not_after__lte=at + SOON))


def connectors() -> list[Ending]:
    """The certificates with which we reach operators and authorities, the first to end first."""
    accounts = S2lowAccount.objects.exclude(certificate_until=None).select_related(
        "operator", "organisation"
    )
    found = [
        Ending(
            f"Liaison {one.operator} : {one.certificate_subject}",
            str(one.organisation or "Commune à plusieurs comptes"),
            one.certificate_until,
        )
        for one in accounts
        if one.certificate_until
    ]
    for link in CmpLink.objects.select_related("authority"):
        ours = load_certificate(link.certificate_pem)
        found.append(
            Ending(f"Liaison CMP avec {link.authority}", "Syndicat", ours.not_valid_after_utc)
        )
    return sorted(found, key=lambda one: one.not_after)


def authorities(at: datetime) -> list[AuthorityEnd]:
    """Each authority with the end of its chain and how many certificates outlive it."""
    told = []
    for authority in CertificationAuthority.objects.order_by("name"):
        chain = [load_certificate(authority.certificate_pem)]
        chain += read_chain(authority.chain_pem) if authority.chain_pem else []
        end = min(one.not_valid_after_utc for one in chain)
        outliving = Certificate.objects.filter(
            file__offer__authority=authority,
            state=CertificateState.VALID,
            not_after__gt=max(end, at),
        ).aggregate(number=Count("pk"), last=Max("not_after"))
        told.append(AuthorityEnd(authority, end, outliving["number"], outliving["last"]))
    return told


def authorities_that_end_first(at: datetime) -> list[AuthorityEnd]:
    """Authorities that end before a certificate they signed, or soon."""
    return [one for one in authorities(at) if one.outliving or one.not_after <= at + ENDS_SOON]


def trusted(text: str = "") -> QuerySet[TrustedAuthority]:
    """The authorities of the trusted lists, by provider."""
    found = TrustedAuthority.objects.all()
    for word in text.split():
        found = found.filter(Q(provider__icontains=word) | Q(name__icontains=word))
    return found
