"""The adapter of the embedded training authority, and its creation."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F

from registration_authority.adapters import AuthorityRefused, Enrolment
from registration_authority.models import (
    CertificationAuthority,
    RevocationReason,
    TrainingIssue,
    TrainingKey,
)
from registration_authority.pki import training_ca
from registration_authority.pki.certificate import facts_of, load_certificate
from registration_authority.pki.training_ca import Revoked, Root
from socle.core import crypto

ADAPTER: Final = "training"
PURPOSE: Final = "ra.training_ca"


@transaction.atomic
def ensure_authority(*, code: str, name: str, at: datetime) -> CertificationAuthority:
    """The training authority `code`, created with its key the first time; later calls find it."""
    known = CertificationAuthority.objects.filter(code=code).first()
    if known is not None:
        return known
    root = training_ca.create_root(name=name, at=at)
    authority = CertificationAuthority.objects.create(
        code=code, name=name, adapter=ADAPTER, certificate_pem=root.certificate_pem
    )
    TrainingKey.objects.create(
        authority=authority, sealed_key=crypto.seal(root.key_der, purpose=PURPOSE)
    )
    return authority


class TrainingAuthority:
    """Signs at once, keeps its own register, and answers the same question the same way."""

    def __init__(self, authority: CertificationAuthority) -> None:
        self.authority = authority

    @transaction.atomic
    def enroll(self, enrolment: Enrolment, *, at: datetime) -> str:
        """The certificate, signed once for `enrolment.key`. Raises AuthorityRefused."""
        key = TrainingKey.objects.select_for_update().get(authority=self.authority)
        issued = TrainingIssue.objects.filter(issuance_key=enrolment.key).first()
        if issued is None:
            issued = self._sign(self._root(key), enrolment, at)
        if load_certificate(issued.pem).public_key() != enrolment.request.key():
            raise AuthorityRefused(
                "L’autorité d’exercice a déjà signé une autre clé sous ce numéro de demande : "
                "déposez une nouvelle demande."
            )
        return issued.pem

    def settle(self, key: UUID, pem: str, *, accepted: bool, reason: str, at: datetime) -> None:
        """Revoke what is not kept; there is nothing to do for what is."""
        if not accepted:
            self.revoke(pem, reason=RevocationReason.UNSPECIFIED, at=at)

    def revoke(self, pem: str, *, reason: str, at: datetime) -> bool:
        """Revoke; the first date and reason stand. An unknown serial: AuthorityRefused."""
        serial = facts_of(load_certificate(pem)).serial
        issues = TrainingIssue.objects.filter(authority=self.authority, serial=serial)
        changed = issues.filter(revoked_at=None).update(revoked_at=at, reason=reason)
        if not changed and not issues.exists():
            raise AuthorityRefused(
                "L’autorité d’exercice ne connaît pas ce certificat : vérifiez son numéro de série."
            )
        return True

    @transaction.atomic
    def crl(self, *, at: datetime) -> bytes:
        """A fresh list, its number one more than the last."""
        TrainingKey.objects.filter(authority=self.authority).update(crl_number=F("crl_number") + 1)
        key = TrainingKey.objects.get(authority=self.authority)
        revoked = TrainingIssue.objects.filter(
            authority=self.authority, revoked_at__isnull=False
        ).order_by("revoked_at", "pk")
        return training_ca.revocation_list(
            root=self._root(key),
            revoked=(Revoked(int(one.serial, 16), one.revoked_at, one.reason) for one in revoked),
            number=key.crl_number,
            at=at,
        )

    def _sign(self, root: Root, enrolment: Enrolment, at: datetime) -> TrainingIssue:
        pem = training_ca.sign(
            root=root,
            key=enrolment.request.key(),
            holder=enrolment.holder,
            serial=training_ca.new_serial(),
            at=at,
            validity=enrolment.validity,
        )
        return TrainingIssue.objects.create(
            authority=self.authority,
            issuance_key=enrolment.key,
            serial=facts_of(load_certificate(pem)).serial,
            pem=pem,
        )

    def _root(self, key: TrainingKey) -> Root:
        clear = crypto.unseal(bytes(key.sealed_key), purpose=PURPOSE)
        return Root(certificate_pem=self.authority.certificate_pem, key_der=clear)
