"""Accounts given and checked; what became of each transaction, written once."""

import hashlib
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from socle.accounts.models import Person
from socle.core import fences, tls
from socle.core.crypto import CannotUnseal
from socle.core.refusals import Refusal
from socle.delivery import actions as delivery
from socle.delivery.models import Outbound, TransmissionOperator
from socle.directory.models import Organisation
from socle.documents import actions as documents
from socle.journal.actions import record
from socle.s2low import credentials, policies, queries
from socle.s2low.client import S2lowClient, Unreachable
from socle.s2low.models import (
    PaperKind,
    S2lowAccount,
    S2lowPaper,
    S2lowState,
    S2lowTransaction,
)
from socle.s2low.protocol.answers import File, Identity
from socle.s2low.protocol.outcomes import AccountFault, NotAnAnswer, Refused, SeveralAccounts

OPERATOR = "S²LOW"


class AccountNotOpen(Refusal):
    """S²LOW did not let the account in."""

    code = "s2low.account_not_open"


# Accounts


@transaction.atomic
def save_account(
    *,
    operator: TransmissionOperator,
    organisation: Organisation | None,
    by: Person | str,
    at: datetime,
    base_url: str = "",
    ca_pem: str = "",
    certificate: bytes = b"",
    key: bytes = b"",
    certificate_password: str = "",
    login: str = "",
    password: str = "",
) -> S2lowAccount:
    """Create or change an account; without organisation, the certificate several accounts share.

    `certificate` is PKCS#12 or PEM (then `key` too). What is left empty is kept as it was.
    Raises WrongAddress, WrongLogin, UnusableCertificate or IncompleteAccount.
    """
    account = S2lowAccount.objects.select_for_update(of=("self",)).filter(
        operator=operator, organisation=organisation
    ).first() or S2lowAccount(operator=operator, organisation=organisation)
    if base_url:
        account.base_url = policies.check_base_url(base_url)
    if ca_pem:
        account.ca_pem = tls.check_authority(ca_pem)
    if certificate:
        identity = tls.read_identity(
            certificate=certificate, key=key, password=certificate_password
        )
        credentials.seal_identity(account, identity)
    if login or password:
        policies.check_login(login, password)
        account.login, account.sealed_password = login, credentials.seal_password(password)
    _check_complete(account)
    account.problem = ""
    account.save()
    record(
        event="s2low.account_saved",
        subject=account,
        by=by,
        at=at,
        detail={
            "account": str(account),
            "certificate": account.certificate_subject or "celui que les comptes partagent",
        },
    )
    return account


def _check_complete(account: S2lowAccount) -> None:
    if bool(account.base_url) != bool(account.ca_pem):
        raise policies.IncompleteAccount(
            "L’adresse de S²LOW et l’autorité qui signe son certificat se donnent ensemble.",
            field="ca_pem",
        )
    if account.organisation is None:
        if not account.base_url or not account.sealed_certificate or account.login:
            raise policies.IncompleteAccount(
                "Le certificat partagé se donne avec l’adresse de S²LOW, et sans identifiant : "
                "chaque collectivité a le sien.",
                field="certificate",
            )
        return
    if not account.sealed_certificate and not account.login:
        raise policies.IncompleteAccount(
            "Donnez au compte son certificat, ou l’identifiant qui le distingue sur le certificat "
            "partagé.",
            field="login",
        )
    credentials.credentials_of(account, queries.shared_row(account.operator))


def open_client(account: S2lowAccount, *, at: datetime, **limits: float) -> S2lowClient:
    """The client of an account. Raises AccountFault when it cannot even be tried."""
    shared = queries.shared_row(account.operator)
    try:
        opened = credentials.credentials_of(account, shared)
        until = credentials.certificate_holder(account, shared).certificate_until
    except policies.IncompleteAccount as refusal:
        raise AccountFault(str(refusal)) from refusal
    except CannotUnseal as fault:
        raise AccountFault(
            f"Les secrets du compte « {account} » ne s’ouvrent plus avec la clé de la plateforme : "
            "enregistrez de nouveau son certificat et son mot de passe."
        ) from fault
    if until is not None and until <= at:
        raise AccountFault(
            f"Le certificat du compte S²LOW a expiré le {until:%d/%m/%Y} : renouvelez-le."
        )
    return S2lowClient(opened, **limits)


def check_account(*, account_id: int, by: Person | str, at: datetime) -> S2lowAccount:
    """Call S²LOW with an account and note which collectivité it acts for.

    Raises AccountNotOpen with what S²LOW, or the network, said.
    """
    account = S2lowAccount.objects.select_related("operator", "organisation").get(pk=account_id)
    try:
        client = open_client(account, at=at)
        found = _identify(client)
        client.check_certificate()
    except NotAnAnswer as fault:
        note_account(account, str(fault))
        raise AccountNotOpen(f"Le compte S²LOW ne s’ouvre pas : {fault}") from fault
    with transaction.atomic():
        account.authority, account.checked_at, account.problem = found.authority[:200], at, ""
        account.save(update_fields=["authority", "checked_at", "problem"])
        record(
            event="s2low.account_checked",
            subject=account,
            by=by,
            at=at,
            detail={"account": str(account), "authority": found.authority},
        )
    return account


def _identify(client: S2lowClient) -> Identity:
    """Who the account is; one that must be told apart is told among which logins."""
    try:
        return client.check()
    except SeveralAccounts as fault:
        known = ", ".join(filter(None, client.logins()))
        raise SeveralAccounts(f"{fault} S²LOW connaît : {known}.") from fault


def note_account(account: S2lowAccount, problem: str) -> None:
    """Write what keeps an account out, or that nothing does."""
    problem = problem[:500]
    if account.problem != problem:
        S2lowAccount.objects.filter(pk=account.pk).update(problem=problem)
        account.problem = problem


def note_listed(account: S2lowAccount, *, at: datetime) -> None:
    """Write that the letters and PES retour of an account were listed."""
    S2lowAccount.objects.filter(pk=account.pk).update(listed_at=at)


def note_call(account: S2lowAccount, *, at: datetime) -> None:
    """Write that a round comes to this account."""
    S2lowAccount.objects.filter(pk=account.pk).update(called_at=at)


# Transactions


@transaction.atomic
def ask(outbound: Outbound, *, at: datetime, **facts: Any) -> tuple[S2lowTransaction, bool]:
    """Write that a file is about to be handed over, before any byte leaves.

    True as well when an earlier attempt went without an answer: a duplicate is then our own. A file
    S²LOW is known to hold keeps its state.
    """
    row, created = S2lowTransaction.objects.select_for_update(of=("self",)).get_or_create(
        operator=outbound.operator,
        name=outbound.name,
        defaults={
            "organisation": outbound.organisation,
            "protocol": outbound.protocol,
            "sha256": outbound.sha256,
            "asked_at": at,
            **facts,
        },
    )
    unanswered = not created and row.state == S2lowState.ASKED
    if row.state == S2lowState.REFUSED:
        row.state, row.asked_at = S2lowState.ASKED, at
        row.number, row.status, row.problem = "", None, ""
        row.save()
    return row, unanswered


def number(row: S2lowTransaction, given: str) -> None:
    """Write the number S²LOW gave. A number that is another file's already is no answer."""
    try:
        with transaction.atomic():
            _move(row, S2lowState.OPEN, number=given, problem="")
    except IntegrityError as fault:
        if "s2low_a_number_is_one_transaction" not in str(fault):
            raise
        row.refresh_from_db()
        raise NotAnAnswer(f"le numéro {given} est déjà celui d’un autre envoi") from fault


def leave_unnumbered(row: S2lowTransaction) -> None:
    """Write that S²LOW holds the file without saying under which number."""
    _move(
        row,
        S2lowState.UNNUMBERED,
        problem="S²LOW détient ce fichier mais n’a pas dit sous quel numéro : relevez-le sur S²LOW "
        "et indiquez-le.",
    )


def refuse(row: S2lowTransaction, why: str) -> None:
    """Write that S²LOW does not take the file."""
    _move(row, S2lowState.REFUSED, problem=why[:500])


def note_poll(
    row: S2lowTransaction, *, at: datetime, status: int | None = None, problem: str = ""
) -> None:
    """Write what S²LOW says of a transaction now, or why it said nothing."""
    row.polled_at, row.problem = at, problem[:500]
    if status is not None:
        row.status = status
    row.save(update_fields=["polled_at", "problem", "status"])


def settle(*, transaction_id: int, at: datetime) -> None:
    """Write that the answer is kept; settling twice changes nothing."""
    row = S2lowTransaction.objects.get(pk=transaction_id)
    _move(row, S2lowState.ANSWERED, answered_at=at, problem="")


@transaction.atomic
def refuse_late(row: S2lowTransaction, why: str, *, at: datetime) -> None:
    """Write that S²LOW, having taken a flow, refuses it after its own checks, and tell its room.

    The file is on the desk again, refused, as if it had been so at once.
    """
    if not _move(row, S2lowState.REFUSED, problem=why[:500], status=-1, polled_at=at):
        return
    outbound = Outbound.objects.get(operator=row.operator_id, name=row.name)
    delivery.refuse_late(outbound_id=outbound.pk, why=why, at=at)


@transaction.atomic
def give_number(
    *, transaction_id: int, given: str, by: Person | str, at: datetime
) -> S2lowTransaction:
    """Write the number a person read on S²LOW for a file whose answer was lost.

    Raises CannotNumber.
    """
    row = S2lowTransaction.objects.select_for_update(of=("self",)).get(pk=transaction_id)
    if row.state not in {S2lowState.ASKED, S2lowState.UNNUMBERED} or not given.isdecimal():
        raise policies.CannotNumber(
            f"« {row.name} » n’attend pas de numéro, ou « {given} » n’en est pas un : vérifiez "
            "l’envoi et le numéro lu sur S²LOW."
        )
    try:
        number(row, given)
    except NotAnAnswer as fault:
        raise policies.CannotNumber(f"Ce numéro ne convient pas : {fault}.") from fault
    record(
        event="s2low.numbered",
        subject=row,
        by=by,
        at=at,
        detail={"name": row.name, "number": given},
    )
    return row


def _move(row: S2lowTransaction, to: S2lowState, **facts: Any) -> bool:
    allowed = S2lowTransaction.objects.filter(pk=row.pk, state__in=policies.sources(to))
    moved = bool(allowed.update(state=to, **facts))
    row.refresh_from_db()
    return moved


# Papers


def fetch_papers(row: S2lowTransaction, client: S2lowClient, *, at: datetime) -> bool:
    """Fetch and keep the bordereau and the stamped copies of an act; True when none is missing.

    A paper that does not come, or comes unstamped, is asked for again later; the others are kept.
    """
    S2lowTransaction.objects.filter(pk=row.pk).update(papers_at=at)
    missing = [*_fetch_bordereau(row, client, at=at), *_fetch_stamped(row, client, at=at)]
    S2lowTransaction.objects.filter(pk=row.pk).update(
        papers_kept=not missing, problem="; ".join(missing)[:500]
    )
    return not missing


def _fetch_bordereau(row: S2lowTransaction, client: S2lowClient, *, at: datetime) -> list[str]:
    if row.papers.filter(rank=0).exists():
        return []
    try:
        content = client.bordereau(row.number)
    except Unreachable:
        raise
    except (NotAnAnswer, Refused) as fault:
        return [f"Bordereau non repris : {fault}"]
    name = f"Bordereau S²LOW {row.act_number}.pdf"
    _keep_paper(row, PaperKind.BORDEREAU, rank=0, name=name, content=content, at=at)
    return []


def _fetch_stamped(row: S2lowTransaction, client: S2lowClient, *, at: datetime) -> list[str]:
    wanted = {
        rank: sent
        for rank, sent in enumerate(row.files, start=1)
        if sent["name"].endswith(".pdf") and not row.papers.filter(rank=rank).exists()
    }
    if not wanted:
        return []
    try:
        held = client.files(row.number)
    except Unreachable:
        raise
    except (NotAnAnswer, Refused) as fault:
        return [f"Copies tamponnées non reprises : {fault}"]
    missing = []
    for rank, sent in wanted.items():
        try:
            copy = _stamped_copy(client, held, rank, sent["sha256"])
        except Unreachable:
            raise
        except (NotAnAnswer, Refused) as fault:
            missing.append(f"« {sent['name']} » : {fault}")
            continue
        name = f"{sent['name'].removesuffix('.pdf')} (tamponné par S²LOW).pdf"
        _keep_paper(row, PaperKind.STAMPED, rank=rank, name=name, content=copy, at=at)
    return missing


def _stamped_copy(client: S2lowClient, held: list[File], rank: int, sha256: str) -> bytes:
    """The list opens with the business message: the act is at 1, then its annexes."""
    if len(held) <= rank:
        raise NotAnAnswer("S²LOW ne cite pas ce fichier")
    return client.stamped(held[rank].id, original_sha256=sha256)


@transaction.atomic
def _keep_paper(
    row: S2lowTransaction, kind: PaperKind, *, rank: int, name: str, content: bytes, at: datetime
) -> None:
    schema = Outbound.objects.get(operator=row.operator_id, name=row.name).schema
    with fences.inside(schema):
        stored = documents.store(content=content, name=name, by=OPERATOR, at=at)
    S2lowPaper.objects.create(
        transaction=row,
        kind=kind,
        rank=rank,
        stored=stored.pk,
        sha256=hashlib.sha256(content).hexdigest(),
        received_at=at,
    )
