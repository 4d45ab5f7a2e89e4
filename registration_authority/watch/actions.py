"""What is done with certificates that are not ours, and how the published states are followed."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding
from django.db import transaction
from django.db.models import F, Q

from registration_authority import actions as counter
from registration_authority.models import Certificate, CertificationAuthority
from registration_authority.pki.bundle import leaf_of, read_bundle
from registration_authority.pki.certificate import facts_of, load_certificate
from registration_authority.pki.trusted_list import read_trusted_list
from registration_authority.revocation import queries as revocations
from registration_authority.revocation.models import RevocationRequest
from registration_authority.revocation.records import note_published
from registration_authority.watch import status, trust
from registration_authority.watch.models import (
    Source,
    Standing,
    TrustedAuthority,
    TrustedList,
    WatchedCertificate,
)
from socle.accounts.models import Person
from socle.core import sweeps
from socle.core.refusals import Refusal
from socle.directory import queries as directory
from socle.directory.models import Organisation
from socle.journal.actions import record

log = logging.getLogger(__name__)
PUBLIC: Final = "public"
ASK_AGAIN: Final = timedelta(hours=12)


class AlreadyWatched(Refusal):
    """The certificate is in the inventory of this body."""

    code = "ra.already_watched"


class OlderList(Refusal):
    """The trusted list is older than the one we read."""

    code = "ra.older_trusted_list"


@transaction.atomic
def add(
    *,
    organisation: Organisation | None,
    source: Source,
    label: str,
    content: bytes,
    by: Person,
    at: datetime,
) -> WatchedCertificate:
    """Put a certificate (.cer, .pem, .p7b) in the inventory. Raises AlreadyWatched, and what
    `read_bundle` raises."""
    bundle = read_bundle(content)
    leaf = leaf_of(bundle)
    facts = facts_of(leaf)
    issuer = trust.issuer_of(leaf)
    known = WatchedCertificate.objects.filter(
        organisation=organisation, fingerprint=facts.fingerprint, removed_at=None
    )
    if known.exists():
        raise AlreadyWatched(
            "Ce certificat est déjà suivi pour cet organisme.", field="certificate"
        )
    watched = WatchedCertificate.objects.create(
        organisation=organisation,
        source=source,
        label=label.strip(),
        pem=leaf.public_bytes(Encoding.PEM).decode(),
        issuer_pem=issuer.public_bytes(Encoding.PEM).decode() if issuer else "",
        issuer=facts.issuer[:1000],
        subject=facts.subject[:1000],
        serial=facts.serial,
        fingerprint=facts.fingerprint,
        not_before=facts.not_before,
        not_after=facts.not_after,
        added_at=at,
        added_by=by,
    )
    _journal(watched, "ra.certificate_watched", by, at)
    return watched


@transaction.atomic
def remove(*, watched_id: int, by: Person, at: datetime) -> WatchedCertificate:
    """Take a certificate out of the inventory; its line stays on record. Twice is once."""
    watched = WatchedCertificate.objects.select_for_update(of=("self",)).get(pk=watched_id)
    if watched.removed_at is None:
        watched.removed_at = at
        watched.save(update_fields=["removed_at"])
        _journal(watched, "ra.certificate_unwatched", by, at)
    return watched


def check(watched_id: int, *, at: datetime) -> WatchedCertificate:
    """Ask its authority about a certificate and write down what it said.

    No lock is held while it answers. Nothing is asked of an authority we do not know: the address
    was written by whoever made the certificate.
    """
    watched = WatchedCertificate.objects.get(pk=watched_id)
    certificate = load_certificate(watched.pem)
    issuer = trust.issuer_of(certificate)
    if issuer is None:
        said = status.Said(None, trouble="son autorité n’est dans aucune liste de confiance lue")
    else:
        watched.issuer_pem = issuer.public_bytes(Encoding.PEM).decode()
        said = status.ask(certificate, issuer, at)
    former = watched.standing
    if said.revoked is not None:
        watched.standing = Standing.REVOKED if said.revoked else Standing.GOOD
        watched.checked_with = said.how
    elif former != Standing.REVOKED:  # what was revoked once stays so
        watched.standing = Standing.UNKNOWN
    watched.trouble, watched.checked_at = said.trouble[:300], at
    with transaction.atomic():
        watched.save(
            update_fields=["issuer_pem", "standing", "checked_with", "trouble", "checked_at"]
        )
        if watched.standing == Standing.REVOKED != former:
            _journal(watched, "ra.watched_revoked", "Socle", at)
    return watched


def to_check(at: datetime) -> list[int]:
    """Certificates of the inventory not asked about for half a day, the longest ago first."""
    waiting = WatchedCertificate.objects.filter(removed_at=None, not_after__gt=at).filter(
        Q(checked_at=None) | Q(checked_at__lte=at - ASK_AGAIN)
    )
    ordered = waiting.order_by(F("checked_at").asc(nulls_first=True), "pk")
    return list(ordered.values_list("pk", flat=True)[:500])


def look_for_revocations(*, at: datetime) -> None:
    """Look at lists and responders until the authorities show what was asked of them.

    One that does not answer stops no other.
    """
    waiting = list(revocations.unpublished(at))
    refresh_lists("Liste où une révocation est attendue", _authorities(waiting), at=at)
    sweeps.each(
        "Publication d’une révocation à constater",
        list(revocations.unpublished(at)),
        lambda one: _look_at_responder(one.certificate, at),
        named=lambda one: f"certificat n° {one.certificate.serial}",
    )


def _authorities(requests: Iterable[RevocationRequest]) -> set[CertificationAuthority]:
    return {one.certificate.file.offer.authority for one in requests}


def refresh_lists(
    what: str, authorities: Iterable[CertificationAuthority], *, at: datetime
) -> None:
    """Fetch the list of revoked certificates of each authority, under this name on the desk."""
    sweeps.each(what, authorities, lambda authority: _refresh(authority, at))


def _refresh(authority: CertificationAuthority, at: datetime) -> None:
    try:
        counter.refresh_revocations(authority=authority, at=at)
    except Refusal as refusal:  # the delay runs: `revocation.actions.watch` warns of it
        log.warning("%s: %s", authority.code, refusal)


def _look_at_responder(certificate: Certificate, at: datetime) -> None:
    authority = certificate.file.offer.authority
    issuer = load_certificate(authority.certificate_pem)
    said = status.ask_responder(load_certificate(certificate.pem), issuer, at)
    if said.revoked:
        note_published({certificate.serial: at}, authority_id=authority.pk, by="ocsp", at=at)


@transaction.atomic
def read_list_of_trust(*, content: bytes, by: Person, at: datetime) -> TrustedList:
    """Read a trusted list (ETSI TS 119 612) and keep the authorities it recognises.

    One the list names no more is withdrawn. Raises UnreadableTrustedList, OlderList.
    """
    read = read_trusted_list(content)
    former = TrustedList.objects.select_for_update().filter(territory=read.territory).first()
    if former is not None and read.number < former.number:
        raise OlderList(
            f"Cette liste porte le numéro {read.number}, plus ancien que celle déjà lue "
            f"({former.number}) : téléchargez la dernière.",
            field="trusted_list",
        )
    seen = []
    for service in read.services:
        facts = facts_of(service.certificate)
        seen.append(facts.fingerprint)
        TrustedAuthority.objects.update_or_create(
            fingerprint=facts.fingerprint,
            defaults={
                "provider": service.provider[:300],
                "name": service.name[:300],
                "pem": service.certificate.public_bytes(Encoding.PEM).decode(),
                "subject": facts.subject[:1000],
                "not_after": facts.not_after,
                "status": TrustedAuthority.Status.GRANTED
                if service.granted
                else TrustedAuthority.Status.WITHDRAWN,
                "list_number": read.number,
                "seen_at": at,
            },
        )
    TrustedAuthority.objects.filter(list_number__gt=0).exclude(fingerprint__in=seen).update(
        status=TrustedAuthority.Status.WITHDRAWN
    )
    kept, _ = TrustedList.objects.update_or_create(
        territory=read.territory,
        defaults={
            "number": read.number,
            "issued_at": read.issued_at,
            "next_update": read.next_update,
            "sha256": read.sha256,
            "signature": read.signature,
            "read_at": at,
            "read_by": by,
        },
    )
    record(
        event="ra.trusted_list_read",
        subject=kept,
        by=by,
        at=at,
        detail={"number": str(read.number), "authorities": str(len(seen)), "sha256": read.sha256},
        schema=PUBLIC,
    )
    return kept


def _journal(watched: WatchedCertificate, event: str, by: Person | str, at: datetime) -> None:
    record(
        event=event,
        subject=watched,
        by=by,
        at=at,
        detail={"label": watched.label, "serial": watched.serial},
        schema=directory.journal_of(watched.organisation) if watched.organisation else PUBLIC,
    )
