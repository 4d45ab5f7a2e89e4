"""Certificates of accounts: read when they are given, sealed at rest, opened for a call."""

from typing import Final

from socle.core.crypto import seal, unseal
from socle.core.tls import Identity
from socle.s2low.client import Credentials
from socle.s2low.models import S2lowAccount
from socle.s2low.policies import IncompleteAccount

CERTIFICATE: Final = "s2low.certificate"
KEY: Final = "s2low.key"
PASSWORD: Final = "s2low.password"  # noqa: S105 - the purpose a password is sealed for
SEALED: Final = {
    "sealed_certificate": CERTIFICATE,
    "sealed_key": KEY,
    "sealed_password": PASSWORD,
}
"""The sealed columns of an account, and what each is sealed for."""


def seal_identity(account: S2lowAccount, identity: Identity) -> None:
    """Write an identity into an account; the caller saves it."""
    account.sealed_certificate = seal(identity.certificate, purpose=CERTIFICATE)
    account.sealed_key = seal(identity.key, purpose=KEY)
    account.certificate_subject, account.certificate_until = identity.subject, identity.until


def seal_password(password: str) -> bytes:
    """A password at rest; nothing stays nothing."""
    return seal(password.encode(), purpose=PASSWORD) if password else b""


def certificate_holder(account: S2lowAccount, shared: S2lowAccount | None) -> S2lowAccount:
    """The row whose certificate an account presents. Raises IncompleteAccount."""
    holder = account if account.sealed_certificate else shared
    if holder is None:
        raise IncompleteAccount(
            f"Le compte S²LOW « {account} » n’a pas de certificat : ajoutez-en un."
        )
    return holder


def credentials_of(account: S2lowAccount, shared: S2lowAccount | None) -> Credentials:
    """Everything it takes to open an account. Raises IncompleteAccount or CannotUnseal."""
    place = account if account.base_url else shared
    holder = certificate_holder(account, shared)
    if place is None:
        raise IncompleteAccount(f"Le compte S²LOW « {account} » n’a pas d’adresse : ajoutez-la.")
    password = bytes(account.sealed_password)
    return Credentials(
        base_url=place.base_url,
        ca=place.ca_pem,
        certificate=unseal(bytes(holder.sealed_certificate), purpose=CERTIFICATE),
        key=unseal(bytes(holder.sealed_key), purpose=KEY),
        login=account.login,
        password=unseal(password, purpose=PASSWORD).decode() if password else "",
    )
