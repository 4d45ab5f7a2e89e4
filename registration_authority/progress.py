"""The path of a file as the screens tell it: steps, next step in words, tones."""

from datetime import datetime
from typing import Final, Literal

from registration_authority import policies
from registration_authority.models import (
    Certificate,
    CertificateFile,
    CertificateState,
    CertificationAuthority,
    FileState,
    RequestState,
)
from socle.core.clock import legal_date
from socle.web.items import Step, Tone

PATH: Final = (
    FileState.DRAFT,
    FileState.SUBMITTED,
    FileState.PIECES_CHECKED,
    FileState.FACE_TO_FACE_DONE,
    FileState.ISSUED,
    FileState.HANDED_OVER,
)
TONES: Final[dict[FileState, Tone]] = {
    FileState.DRAFT: "neutral",
    FileState.SUBMITTED: "progress",
    FileState.PIECES_CHECKED: "progress",
    FileState.FACE_TO_FACE_DONE: "progress",
    FileState.ISSUED: "warning",
    FileState.HANDED_OVER: "success",
    FileState.REFUSED: "danger",
    FileState.CANCELLED: "neutral",
}


def tone(file: CertificateFile) -> Tone:
    """The tone of a file's state."""
    return TONES[FileState(file.state)]


def next_step(file: CertificateFile) -> str:
    """What comes next, in words, for the officer; `file` comes from `queries.files`."""
    match FileState(file.state):
        case FileState.DRAFT:
            return "La commune dépose ses pièces"
        case FileState.SUBMITTED:
            return _about_pieces(file)
        case FileState.PIECES_CHECKED:
            return "Recevoir la personne en face à face"
        case FileState.FACE_TO_FACE_DONE:
            return _about_request(file.request_state)
        case FileState.ISSUED:
            return "Remettre le certificat en main propre"
        case FileState.HANDED_OVER:
            return "Terminé"
    return file.closing_reason


def steps(file: CertificateFile, *, for_holder: bool = False) -> list[Step]:
    """The five steps of a file; `owner` says whose turn it is."""
    counter = "Votre syndicat" if for_holder else "Le guichet"
    person = "Vous" if for_holder else str(file.holder)
    both = "Vous et votre syndicat" if for_holder else f"{file.holder} et le guichet"
    blocked = _is_blocked(file)
    told = (
        ("Pièces déposées", person, "", file.submitted_at),
        ("Pièces vérifiées", person if blocked else counter, _to_replace(file), file.checked_at),
        ("Face à face", both, "", _met_at(file)),
        ("Certificat établi", counter, "", _issued_at(file)),
        ("Remise en main propre", both, "", _handed_at(file)),
    )
    reached = PATH.index(FileState(file.state)) if file.state in PATH else -1
    return [
        Step(
            label=label,
            owner=owner,
            detail=detail,
            at=at,
            state=_state(rank, reached, blocked=blocked),
        )
        for rank, (label, owner, detail, at) in enumerate(told)
    ]


def certificate_badge(certificate: Certificate, *, at: datetime) -> tuple[str, Tone]:
    """The state of a certificate in words, and its tone, as it is at `at`."""
    if certificate.state == CertificateState.REVOKED:
        return "Révoqué", "danger"
    until = f"{legal_date(certificate.not_after):%d/%m/%Y}"
    if certificate.not_after <= at:
        return f"Expiré le {until}", "danger"
    return f"Expire le {until}", policies.urgency(certificate.not_after, at=at)


def list_badge(authority: CertificationAuthority, *, at: datetime) -> tuple[str, Tone]:
    """How fresh the kept list of revoked certificates of an authority is at `at`."""
    kept = getattr(authority, "revocation_list", None)
    if kept is None:
        return "Jamais reçue", "warning"
    until = f"{legal_date(kept.next_update):%d/%m/%Y}"
    return (
        (f"À jour jusqu’au {until}", "success")
        if kept.next_update > at
        else (
            f"Périmée depuis le {until}",
            "danger",
        )
    )


def _state(
    rank: int, reached: int, *, blocked: bool
) -> Literal["done", "current", "blocked", "later"]:
    if rank < reached:
        return "done"
    if rank > max(reached, 0):
        return "later"
    return "blocked" if blocked or reached < 0 else "current"


def _is_blocked(file: CertificateFile) -> bool:
    return file.state == FileState.SUBMITTED and file.refused > 0


def _to_replace(file: CertificateFile) -> str:
    if not file.refused:
        return ""
    return "1 pièce à remplacer" if file.refused == 1 else f"{file.refused} pièces à remplacer"


def _about_pieces(file: CertificateFile) -> str:
    if file.pending:
        plural = "s" if file.pending > 1 else ""
        return f"Vérifier {file.pending} pièce{plural}"
    return "La commune remplace une pièce refusée"


def _about_request(state: str | None) -> str:
    if state == RequestState.DEPOSITED:
        return "Établir le certificat"
    if state == RequestState.APPROVED:
        return "L’autorité établit le certificat"
    return "Déposer la demande de certificat"


def _met_at(file: CertificateFile) -> datetime | None:
    met = getattr(file, "face_to_face", None) or file.carried_face_to_face
    return met and met.held_at


def _issued_at(file: CertificateFile) -> datetime | None:
    certificate = getattr(file, "certificate", None)
    return certificate and certificate.issued_at


def _handed_at(file: CertificateFile) -> datetime | None:
    certificate = getattr(file, "certificate", None)
    receipt = certificate and getattr(certificate, "hand_over", None)
    return receipt and receipt.signed_at
