"""Bring a certificate file to any point of its path, the way the counter does."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pikepdf

from registration_authority import actions, defaults
from registration_authority.dossier.profiles import required_kinds
from registration_authority.models import (
    Certificate,
    CertificateFile,
    CertificateRequest,
    FileState,
    IdentityDocument,
    PieceKind,
)
from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.directory.models import Organisation
from tests.people import person
from tests.registration_authority.holder_keys import request_pem

NOON = datetime(2026, 11, 24, 11, tzinfo=UTC)
NEXT_YEAR = date(2027, 11, 24)


def pdf() -> bytes:
    """A small but whole PDF."""
    out = BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        made.save(out)
    return out.getvalue()


PDF = pdf()


@dataclass
class Counter:
    """An operator, a holder of a commune, and her file."""

    officer: Person
    holder: Person
    organisation: Organisation
    file: CertificateFile
    token: str = "TK-0001"

    def deposit(self, kind: PieceKind, **changes: Any) -> Any:
        """Put one piece in the file."""
        given = {"file_id": self.file.pk, "content": PDF, "name": "piece.pdf", "at": NOON}
        return actions.deposit_piece(**(given | {"kind": kind, "by": self.holder} | changes))

    def submit(self) -> None:
        """Bring every piece and send the file."""
        for kind in required_kinds(self.file):
            self.deposit(kind)
        actions.submit(file_id=self.file.pk, by=self.holder, at=NOON)

    def accept_all(self) -> None:
        """Accept every piece."""
        for piece in self.file.pieces.filter(replaced_at=None, state="pending"):
            actions.accept_piece(piece_id=piece.pk, by=self.officer, at=NOON, expires_on=NEXT_YEAR)

    def meet(self, **changes: Any) -> Any:
        """Receive the holder."""
        given = {
            "file_id": self.file.pk,
            "held_at": NOON,
            "place": "Mairie de Melle",
            "document_kind": IdentityDocument.CNI,
            "document_number": "X4RTBPFW4",
            "document_expires_on": NEXT_YEAR,
            "recognised": True,
            "by": self.officer,
            "at": NOON,
        }
        return actions.hold_face_to_face(**(given | changes))

    def ask(self, content: bytes | None = None, **changes: Any) -> CertificateRequest:
        """Deposit a certificate request."""
        given = {"file_id": self.file.pk, "by": self.holder, "at": NOON}
        return actions.deposit_request(content=content or request_pem(), **(given | changes))

    def issue(self, content: bytes | None = None) -> Certificate:
        """Have the request signed."""
        request = self.ask(content)
        actions.issue(request_id=request.pk, by=self.officer, at=NOON)
        certificate = actions.issue_now(request.pk, at=NOON)
        assert certificate is not None
        return certificate

    def prepare(self, **changes: Any) -> Any:
        """Draw up the receipt."""
        given = {
            "file_id": self.file.pk,
            "place": "Mairie de Melle",
            "token_serial": self.token,
            "by": self.officer,
            "at": NOON,
        }
        return actions.prepare_hand_over(**(given | changes))

    def hand_over(self, **changes: Any) -> Any:
        """Both sign."""
        given = {
            "file_id": self.file.pk,
            "signed": True,
            "accepted": True,
            "by": self.officer,
            "at": NOON,
        }
        return actions.hand_over(**(given | changes))

    def bring_to(self, state: FileState) -> "Counter":
        """Walk the path up to `state`."""
        walk = (
            (FileState.SUBMITTED, self.submit),
            (FileState.PIECES_CHECKED, self.accept_all),
            (FileState.FACE_TO_FACE_DONE, self.meet),
            (FileState.ISSUED, self.issue),
            (FileState.HANDED_OVER, lambda: (self.prepare(), self.hand_over())),
        )
        order = [FileState.DRAFT, *(reached for reached, _ in walk)]
        for reached, step in walk:
            if order.index(FileState(self.state)) < order.index(reached) <= order.index(state):
                step()
                assert self.state == reached
        return self

    @property
    def state(self) -> str:
        """The state of the file, as stored."""
        self.file.refresh_from_db()
        return self.file.state


def open_counter(organisation: Organisation, syndicat: Organisation, **holder: Any) -> Counter:
    """An operator opens a file for a transmitter of a commune."""
    officer = person(Role.RA_OPERATOR, at=syndicat, last_name="Guichard")
    given = {"first_name": "Hélène", "last_name": "Épinay"} | holder
    who = person(Role.TRANSMITTER, at=organisation, **given)
    # Grants start today, tests live on the day of NOON.
    who.grants.update(starts_on=date(2026, 1, 1))
    officer.grants.update(starts_on=date(2026, 1, 1))
    file = actions.open_file(
        organisation=organisation,
        holder=who,
        function="Secrétaire de mairie",
        offer=defaults.ensure(at=NOON),
        by=officer,
        at=NOON,
    )
    return Counter(officer, who, organisation, file)
