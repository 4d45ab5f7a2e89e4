"""The ministry as the corridor sees it: archives out by HTTPS, answers in by mail."""

import hashlib
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from django.conf import settings
from django.utils import timezone

from socle.core.crypto import CannotUnseal
from socle.delivery.adapters import OperatorRefused, OperatorUnavailable, OutcomeUnknown, Return
from socle.delivery.models import TransmissionOperator
from socle.direct import actions, mailbox, policies, post, queries
from socle.direct.models import DirectLink, DirectMail
from socle.directory.models import Protocol

log = logging.getLogger(__name__)
TAKEN: Final = 200
_NEVER: Final = frozenset({400, 413, 415, 422})
"""Answers that will not change with time: the archive itself is not wanted."""
_BLOCK: Final = 1024 * 1024
_MARGIN: Final = 30.0
_SHORTEST: Final = 30.0
_FEW: Final = 3
"""Failures of one message after which it waits behind the others."""


class DirectAdapter:
    """The connection of a homologated syndicat. ACTES only: HELIOS has its own ways."""

    def __init__(self, operator: TransmissionOperator) -> None:
        self.operator = operator
        self._box: mailbox.Mailbox | None = None
        self._digests: dict[str, str] = {}

    # Out

    def send(self, *, protocol: str, name: str, content: BinaryIO, size: int) -> None:
        """POST the archive to the ministry, at its rescue address when the first takes nothing."""
        if protocol != Protocol.ACTES:
            raise OperatorRefused(
                f"L’opérateur {self.operator} n’achemine que les actes : choisissez un autre "
                "opérateur pour les flux comptables."
            )
        link = self._link()
        with tempfile.TemporaryFile() as archive:  # the rescue address reads it once more
            shutil.copyfileobj(content, archive, _BLOCK)
            self._deliver(link, name, archive, size)

    def _deliver(self, link: DirectLink, name: str, archive: BinaryIO, size: int) -> None:
        digest, problem = _digest(archive), ""
        for url in filter(None, (link.post_url, link.rescue_url)):
            with self._told(link, name):
                try:
                    status = self._post(link, url, name, digest, archive, size)
                except post.Unreachable as fault:
                    log.warning("%s: %s", name, fault)
                    problem = str(fault)
                    continue
            if status == TAKEN:
                actions.note_taken(self.operator, name=name, at=timezone.now())
                actions.note_problem(link, "")
                return
            actions.forget(self.operator, name=name)
            if status in _NEVER:
                raise OperatorRefused(
                    f"Le ministère n’a pas pris « {name} » (réponse {status}) : vérifiez "
                    "l’archive, puis relancez l’envoi."
                )
            problem = f"Le ministère a répondu {status} au lieu de prendre l’archive."
        actions.note_problem(link, problem)
        raise OperatorUnavailable(problem)

    def find(self, *, protocol: str, name: str) -> str | None:
        """The ministry cannot be asked: what we wrote before and after the bytes left says it.

        Raises OutcomeUnknown while the answer of the préfecture may still settle it.
        """
        row = queries.posted(self.operator, name)
        if row is None:
            return None
        if row.taken_at is not None:
            return row.sha256
        if policies.is_in_doubt(started_at=row.started_at, at=timezone.now()):
            raise OutcomeUnknown(
                "On ne sait pas si l’archive est arrivée : la réponse de la préfecture est "
                "attendue pendant deux heures, puis la même archive repartira d’elle-même."
            )
        return None

    def _post(
        self, link: DirectLink, url: str, name: str, digest: str, content: BinaryIO, size: int
    ) -> int:
        content.seek(0)
        return post.post(
            actions.target_of(link, url=url),
            name=name,
            content=content,
            size=size,
            starting=lambda: actions.start(
                self.operator, name=name, sha256=digest, at=timezone.now()
            ),
            deadline=max(_SHORTEST, settings.DELIVERY_LEASE - _MARGIN),
        )

    @contextmanager
    def _told(self, link: DirectLink, name: str) -> Iterator[None]:
        try:
            yield
        except post.CertificateRefused as fault:
            actions.forget(self.operator, name=name)
            actions.note_problem(link, str(fault))
            raise OperatorUnavailable(str(fault)) from fault
        except post.WrongServer as fault:
            actions.note_problem(link, str(fault))
            raise OperatorUnavailable(str(fault)) from fault
        except post.Doubtful as fault:
            raise OperatorUnavailable(str(fault)) from fault
        except CannotUnseal as fault:
            raise OperatorUnavailable("sealed under another key") from fault

    # In

    def returns(self) -> Iterator[Return]:
        """Every message of the mailbox that is not kept yet, oldest first.

        One that failed again and again comes last: it does not hide the others. Those kept at an
        earlier round, which a death left there, are removed.
        """
        link = queries.link_of(self.operator)
        if link is None:
            return
        try:
            with mailbox.Mailbox(actions.place_of(link)) as self._box:
                yield from self._waiting(self._box)
            actions.note_problem(link, "")
        except CannotUnseal as fault:
            raise OperatorUnavailable("sealed under another key") from fault
        except mailbox.MailboxUnavailable as fault:
            actions.note_problem(link, str(fault))
            raise OperatorUnavailable(str(fault)) from fault
        finally:
            self._box = None

    def fetch(self, external_id: str) -> bytes:
        """The raw mail."""
        box, uid = self._at(external_id)
        try:
            raw = box.fetch(uid, limit=policies.LONGEST_MAIL)
        except (mailbox.MailboxUnavailable, mailbox.MailGone) as fault:
            self._leave(box.validity, uid, 0, str(fault))
            raise OperatorUnavailable(str(fault)) from fault
        self._digests[external_id] = hashlib.sha256(raw).hexdigest()
        return raw

    def acknowledge(self, external_id: str) -> None:
        """Write that the mail is kept, then remove it there; twice changes nothing."""
        box, uid = self._at(external_id)
        actions.note_kept(
            self.operator,
            validity=box.validity,
            uid=uid,
            sha256=self._digests.pop(external_id),
            at=timezone.now(),
        )
        self._remove(box, uid)

    def _waiting(self, box: mailbox.Mailbox) -> Iterator[Return]:
        known = queries.known_mails(self.operator, box.validity)
        sizes = box.uids()
        for uid in sorted(sizes, key=lambda uid: (_is_stubborn(known.get(uid)), uid)):
            mail = known.get(uid)
            if mail is not None and mail.kept_at is not None:
                self._remove(box, uid)
            elif sizes[uid] > policies.LONGEST_MAIL:
                self._leave(box.validity, uid, sizes[uid], _TOO_LONG)
            else:
                external_id = f"{box.validity}-{uid}"
                yield Return(external_id, Protocol.ACTES, f"courriel-{external_id}.eml")

    def _remove(self, box: mailbox.Mailbox, uid: int) -> None:
        """A server that does not let us remove is no loss: the message is known by its number."""
        try:
            box.remove(uid)
        except mailbox.MailboxUnavailable as problem:
            log.warning("%s: message %s stays in the mailbox (%s)", self.operator, uid, problem)
            return
        actions.note_removed(self.operator, validity=box.validity, uid=uid, at=timezone.now())

    def _leave(self, validity: int, uid: int, size: int, why: str) -> None:
        actions.note_left_behind(
            self.operator, validity=validity, uid=uid, size=size, why=why, at=timezone.now()
        )

    def _at(self, external_id: str) -> tuple[mailbox.Mailbox, int]:
        validity, _, uid = external_id.partition("-")
        if self._box is None or str(self._box.validity) != validity:
            raise OperatorUnavailable("the mailbox is closed or was numbered anew")
        return self._box, int(uid)

    def _link(self) -> DirectLink:
        link = queries.link_of(self.operator)
        if link is None:
            raise OperatorRefused(
                f"Le raccordement de l’opérateur {self.operator} n’est pas enregistré : "
                "enregistrez-le, puis relancez l’envoi."
            )
        return link


_TOO_LONG: Final = "Message trop lourd pour être pris : ouvrez-le dans la boîte de l’opérateur."


def _is_stubborn(mail: DirectMail | None) -> bool:
    return mail is not None and mail.failures >= _FEW


def _digest(content: BinaryIO) -> str:
    content.seek(0)
    digest = hashlib.sha256()
    while block := content.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()
