"""S²LOW as the corridor sees it. The corridor carries archives, S²LOW takes fields and documents.

Handing over: our archive is opened and its documents posted; the number S²LOW gives is kept under
the name of the archive. Coming back: the state of each open number is asked for, and the answer of
the préfecture or of the trésorerie handed to the corridor byte for byte.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from django.conf import settings
from django.utils import timezone

from socle.core import sweeps
from socle.delivery.adapters import OperatorRefused, OperatorUnavailable, Return
from socle.delivery.models import Outbound, TransmissionOperator
from socle.directory.models import Organisation
from socle.s2low import actions, polling, queries, sending
from socle.s2low.client import S2lowClient, Unreachable
from socle.s2low.models import S2lowAccount
from socle.s2low.protocol.outcomes import AccountFault, NotAnAnswer, Refused

log = logging.getLogger(__name__)

_MARGIN: Final = 5.0
"""Seconds left to write the outcome down before another worker may take the file over."""
_SHORTEST: Final = 5.0
_PATIENCE: Final = 3
"""Accounts without any answer after which a round ends: the whole service is silent."""


class S2lowAdapter:
    """All the accounts of one operator that speaks the S²LOW interface."""

    def __init__(self, operator: TransmissionOperator) -> None:
        self.operator = operator
        self._clients: dict[int, S2lowClient] = {}
        self._contents: dict[str, bytes] = {}

    def send(self, *, protocol: str, name: str, content: BinaryIO, size: int) -> None:
        """Post the documents of an archive, or a PES, once; the number is kept."""
        outbound = self._outbound(name)
        account = self._account(outbound.organisation)
        with self._told(account, name), sending.unpacked(outbound, content) as luggage:
            if luggage.what is None:
                return
            client = self._client(account)
            sending.hand_over(outbound, luggage, client, at=timezone.now())

    def find(self, *, protocol: str, name: str) -> str | None:
        """Ask S²LOW, by number or in its lists, whether it holds what left under `name`."""
        row = queries.transaction_named(self.operator, name)
        if row is None:
            return None
        account = self._account(row.organisation)
        with self._told(account, name):
            return sending.find(row, self._client(account))

    def returns(self) -> Iterator[Return]:
        """Poll account after account; one that does not answer does not stop the others.

        Raises OperatorUnavailable at the end when no account got any answer.
        """
        silent = polled = answering = 0
        for account in queries.accounts(self.operator):
            if silent >= _PATIENCE:
                break
            polled += 1
            actions.note_call(account, at=timezone.now())
            try:
                yield from self._poll(account, self._client(account))
                answering += 1
                actions.note_account(account, "")
            except NotAnAnswer as problem:
                silent += isinstance(problem, Unreachable)
                self._note(account, problem)
            except sweeps.PASSING:
                raise
            except Exception as fault:  # a strange account is no reason to leave the others
                log.exception("%s: not polled", account)
                actions.note_account(account, sweeps.cause(fault))
                answering += 1
        if polled and not answering:
            raise OperatorUnavailable("no account answered")

    def fetch(self, external_id: str) -> bytes:
        """The bytes `returns` found: they were read, and checked, with the state."""
        if external_id not in self._contents:
            raise OperatorUnavailable(f"{external_id} is to be polled again")
        return self._contents[external_id]

    def acknowledge(self, external_id: str) -> None:
        """Close the transaction here, or mark the letter as read there.

        A letter S²LOW does not mark comes back at the next round, and is known by its bytes.
        """
        self._contents.pop(external_id, None)
        try:
            polling.settle(external_id, self._clients, at=timezone.now())
        except (NotAnAnswer, Refused) as problem:
            log.warning("%s: not marked as read (%s)", external_id, problem)

    def _poll(self, account: S2lowAccount, client: S2lowClient) -> Iterator[Return]:
        for waiting in polling.poll(account, client, at=timezone.now()):
            self._contents[waiting.announced.external_id] = waiting.content
            yield waiting.announced

    def _outbound(self, name: str) -> Outbound:
        return Outbound.objects.select_related("organisation").get(
            operator=self.operator, name=name
        )

    def _account(self, organisation: Organisation) -> S2lowAccount:
        account = queries.account_of(self.operator, organisation)
        if account is None:
            raise OperatorRefused(
                f"Aucun compte {self.operator} n’est enregistré pour « {organisation} » : "
                "enregistrez-le, puis relancez l’envoi."
            )
        return account

    def _client(self, account: S2lowAccount) -> S2lowClient:
        if account.pk not in self._clients:
            deadline = max(_SHORTEST, settings.DELIVERY_LEASE - _MARGIN)
            self._clients[account.pk] = actions.open_client(
                account, at=timezone.now(), deadline=deadline
            )
        return self._clients[account.pk]

    @contextmanager
    def _told(self, account: S2lowAccount, name: str) -> Iterator[None]:
        """Outcomes of S²LOW in the words of the corridor."""
        try:
            yield
        except NotAnAnswer as problem:
            self._note(account, problem)
            alone = isinstance(problem, AccountFault)
            raise OperatorUnavailable(str(problem), is_whole=not alone) from problem
        except Refused as refusal:
            raise OperatorRefused(f"S²LOW n’a pas pris « {name} » : {refusal}") from refusal

    def _note(self, account: S2lowAccount, problem: NotAnAnswer) -> None:
        log.warning("%s: %s", account, problem)
        if isinstance(problem, AccountFault):
            actions.note_account(account, str(problem))
