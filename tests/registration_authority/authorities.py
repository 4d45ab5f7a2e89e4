"""An authority outside Socle, as the tests play it: its key, what it signs, what it revokes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from registration_authority import actions
from registration_authority.dossier.models import PolicyProfile
from registration_authority.models import CertificateRequest, CertificationAuthority, Offer
from registration_authority.pki import training_ca
from registration_authority.pki.csr import read_request
from tests.registration_authority.counter import NOON, Counter


@dataclass
class Outside:
    """A root that signs what a test asks, right or wrong."""

    root: training_ca.Root = field(
        default_factory=lambda: training_ca.create_root(name="AC du dehors", at=NOON)
    )
    revoked: list[training_ca.Revoked] = field(default_factory=list)
    number: int = 0

    def sign(self, request: CertificateRequest, **changes: Any) -> str:
        """The certificate (PEM) of a request, as asked but for `changes`."""
        holder = {
            name: changes.pop(name)
            for name in ("given_name", "surname", "email", "organisation", "siren")
            if name in changes
        }
        asked = actions.holder_of(request.file)
        given = {
            "root": self.root,
            "key": read_request(request.csr_pem.encode()).key(),
            "holder": type(asked)(**(_fields(asked) | holder)),
            "serial": training_ca.new_serial(),
            "at": NOON,
            "validity": timedelta(days=1095),
        }
        return training_ca.sign(**(given | changes))

    def resigned(
        self, pem: str, kind: type[x509.ExtensionType], value: x509.ExtensionType | None
    ) -> str:
        """`pem` with one extension changed or left out, signed again."""
        good = x509.load_pem_x509_certificate(pem.encode())
        builder = x509.CertificateBuilder(
            good.issuer,
            good.subject,
            good.public_key(),
            good.serial_number,
            good.not_valid_before_utc,
            good.not_valid_after_utc,
        )
        for extension in good.extensions:
            kept = value if isinstance(extension.value, kind) else extension.value
            if kept is not None:
                builder = builder.add_extension(kept, critical=extension.critical)
        signed = builder.sign(self.root.key(), hashes.SHA256())
        return signed.public_bytes(Encoding.PEM).decode()

    def crl(self, *serials: str, at: datetime = NOON) -> bytes:
        """A fresh list with these serials (hexadecimal) too."""
        self.number += 1
        self.revoked += [training_ca.Revoked(int(s, 16), at, "keyCompromise") for s in serials]
        return training_ca.revocation_list(
            root=self.root, revoked=self.revoked, number=self.number, at=at
        )


def p7b(*pems: str) -> bytes:
    """These certificates in one PKCS#7, DER."""
    certificates = [x509.load_pem_x509_certificate(pem.encode()) for pem in pems]
    return pkcs7.serialize_certificates(certificates, Encoding.DER)


def behind(counter: Counter, outside: Outside, *, adapter: str, **fields: Any) -> Offer:
    """Make the file of `counter` ask an authority that is `outside`, through `adapter`."""
    authority = CertificationAuthority.objects.create(
        code=f"dehors-{adapter}",
        name="AC du dehors",
        adapter=adapter,
        certificate_pem=outside.root.certificate_pem,
        **fields,
    )
    former = counter.file.offer
    offer = Offer.objects.create(
        authority=authority,
        code=f"authentification-{adapter}",
        name="Authentification, trois ans",
        level="rgs2",
        policy=former.policy,
        duration_months=36,
        required_pieces=former.required_pieces,
        price_code="certificat",
    )
    PolicyProfile.objects.create(offer=offer)
    counter.file.offer = offer
    counter.file.save(update_fields=["offer"])
    return offer


def _fields(holder: Any) -> dict[str, str]:
    return {name: getattr(holder, name) for name in holder.__slots__}
