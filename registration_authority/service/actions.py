"""Does the certificate work where it will be used? Stores of operators, accounts paired again."""

from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding
from django.db import transaction

from registration_authority.models import Certificate
from registration_authority.pki.certificate import facts_of, load_certificate
from registration_authority.pki.path import NoPath, Store, find_path
from registration_authority.service.models import Pairing, PairingState, TrustStore
from registration_authority.trace import journal
from socle.accounts.models import Person
from socle.core.crypto import CannotUnseal, unseal
from socle.core.refusals import Refusal
from socle.delivery.models import TransmissionOperator
from socle.direct import actions as direct
from socle.direct.models import DirectLink
from socle.directory.models import TransmissionRight
from socle.journal.actions import record
from socle.s2low import actions as s2low
from socle.s2low.credentials import CERTIFICATE
from socle.s2low.models import S2lowAccount

MAX_STORE: Final = 4_000_000


class UnknownDownstream(Refusal):
    """An operator of the commune would refuse this certificate."""

    code = "ra.unknown_downstream"


class UnreadableStore(Refusal):
    """The file holds no list of authorities."""

    code = "ra.unreadable_store"


class NotPaired(Refusal):
    """An account still uses the former certificate."""

    code = "ra.not_paired"


@transaction.atomic
def bring_store(
    *, operator: TransmissionOperator, content: bytes, by: Person, at: datetime
) -> TrustStore:
    """Keep the authorities an operator accepts (PEM). Raises UnreadableStore."""
    try:
        store = Store.of(content[: MAX_STORE + 1])
    except ValueError as fault:
        raise UnreadableStore(
            "Ce fichier ne contient pas de certificats d’autorités au format PEM : demandez à "
            "l’opérateur le contenu de son magasin (« validca »).",
            field="store",
        ) from fault
    kept = [one for same_name in store.by_name.values() for one in same_name]
    written, _ = TrustStore.objects.update_or_create(
        operator=operator,
        defaults={
            "certificates_pem": "".join(one.public_bytes(Encoding.PEM).decode() for one in kept),
            "count": store.count,
            "brought_at": at,
            "brought_by": by,
        },
    )
    record(
        event="ra.store_brought",
        subject=written,
        by=by,
        at=at,
        detail={"operator": operator.name, "count": str(store.count)},
        schema="public",
    )
    return written


def operators_that_refuse(certificate: Certificate, *, at: datetime) -> list[str]:
    """The operators of the holder's body whose known store has no path to this certificate."""
    body = certificate.file.organisation_id
    codes = TransmissionRight.objects.filter(organisation_id=body).values("operator")
    stores = TrustStore.objects.filter(operator__code__in=codes).select_related("operator")
    leaf = load_certificate(certificate.pem)
    refusing = []
    for one in stores.order_by("operator__name"):
        try:
            find_path(leaf, Store.of(one.certificates_pem.encode()), at=at)
        except NoPath:
            refusing.append(one.operator.name)
    return refusing


# Renewal: every account that used the former certificate


@transaction.atomic
def open_pairings(*, certificate: Certificate, by: Person, at: datetime) -> list[Pairing]:
    """List the operator accounts that still present the certificate this one replaces."""
    former = Certificate.objects.get(pk=certificate.file.renews_id)
    made = [
        Pairing.objects.get_or_create(certificate=certificate, account=account)[0]
        for account in accounts_using(former)
    ]
    if made:
        journal(certificate.file, "ra.pairings_opened", by, at, count=str(len(made)))
    return made


def accounts_using(certificate: Certificate) -> list[S2lowAccount]:
    """The accounts, of any body, that present this very certificate.

    One of the same body whose certificate cannot be read any more is among them: nobody knows that
    it does not present this one.
    """
    body = certificate.file.organisation_id
    candidates = S2lowAccount.objects.exclude(sealed_certificate=b"").select_related(
        "operator", "organisation"
    )
    return [
        account
        for account in candidates.order_by("pk")
        if (shown := _presents(account)) == certificate.fingerprint
        or (shown is None and account.organisation_id == body)
    ]


def links_using(certificate: Certificate) -> list[str]:
    """The operators whose direct connection to the ministry presents this very certificate."""
    links = DirectLink.objects.select_related("operator").order_by("pk")
    return [
        link.operator.name
        for link in links
        if _fingerprint(link.sealed_certificate, direct.CERTIFICATE) == certificate.fingerprint
    ]


def try_pairing(*, pairing_id: int, by: Person, at: datetime) -> Pairing:
    """Call the operator for good with the account; it must present the new certificate.

    No transaction is held during the call. Raises NotPaired with what to do.
    """
    pairing = Pairing.objects.select_related(
        "account__operator", "account__organisation", "certificate__file__organisation"
    ).get(pk=pairing_id)
    if pairing.state == PairingState.PAIRED:
        return pairing
    problem = _call(pairing, by, at)
    with transaction.atomic():
        locked = Pairing.objects.select_for_update(of=("self",)).get(pk=pairing_id)
        locked.state = PairingState.FAILED if problem else PairingState.PAIRED
        locked.tried_at, locked.problem = at, problem[:500]
        locked.save(update_fields=["state", "tried_at", "problem"])
        journal(
            pairing.certificate.file,
            "ra.pairing_failed" if problem else "ra.paired",
            by,
            at,
            account=str(pairing.account),
            reason=problem,
            outcome="refused" if problem else "done",
        )
    if problem:
        raise NotPaired(problem)
    return locked


def _call(pairing: Pairing, by: Person, at: datetime) -> str:
    """What keeps the account from working with the new certificate, in French, or nothing."""
    shown = _presents(pairing.account)
    if shown is None:
        return (
            f"Le certificat du compte « {pairing.account} » ne se laisse plus lire ici : "
            "enregistrez le nouveau dans « Envois bloqués, comptes S²LOW », puis recommencez."
        )
    if shown != pairing.certificate.fingerprint:
        return (
            f"Le compte « {pairing.account} » présente encore l’ancien certificat : enregistrez-y "
            "le nouveau dans « Envois bloqués, comptes S²LOW », puis recommencez."
        )
    try:
        s2low.check_account(account_id=pairing.account_id, by=by, at=at)
    except Refusal as refusal:
        return str(refusal)
    return ""


def still_to_pair(certificate: Certificate) -> list[Pairing]:
    """The accounts that do not work with the new certificate yet."""
    waiting = certificate.pairings.exclude(state=PairingState.PAIRED)
    return list(waiting.select_related("account__operator", "account__organisation"))


def check_all_paired(certificate: Certificate) -> None:
    """Refuse to revoke the former certificate while an account needs it. Raises NotPaired."""
    waiting = still_to_pair(certificate)
    if waiting:
        raise NotPaired(
            "L’ancien certificat sert encore : "
            f"{' ; '.join(str(one.account) for one in waiting)}. Appairez d’abord ces comptes."
        )
    former = Certificate.objects.filter(pk=certificate.file.renews_id).first()
    links = links_using(former) if former else []
    if links:
        raise NotPaired(
            f"La connexion directe de {', '.join(links)} présente encore l’ancien certificat : "
            "enregistrez-y le nouveau dans « Opérateurs et interruptions », essayez-la, puis "
            "recommencez."
        )


def _presents(account: S2lowAccount) -> str | None:
    """The fingerprint of the certificate an account presents; None when its seal is broken."""
    return _fingerprint(account.sealed_certificate, CERTIFICATE)


def _fingerprint(sealed: bytes, purpose: str) -> str | None:
    try:
        pem = unseal(bytes(sealed), purpose=purpose)
    except CannotUnseal:
        return None
    return facts_of(load_certificate(pem.decode())).fingerprint
