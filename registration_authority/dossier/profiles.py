"""What the policy of an offer asks of one file."""

from registration_authority.dossier.models import (
    MandateKind,
    PieceRule,
    PolicyProfile,
    When,
)
from registration_authority.models import CertificateFile, Offer, PieceKind


def profile_of(offer: Offer) -> PolicyProfile:
    """The policy of an offer, the only place its delays, roles and pieces are read from.

    An offer cannot be ordered before its policy is written (`actions.open_file`). Until then the
    strictest roles hold: nobody acts for it without an accreditation.
    """
    written: PolicyProfile | None = getattr(offer, "profile", None)
    return written or PolicyProfile(offer=offer, accreditation_required=True)


def rules_of(file: CertificateFile) -> dict[str, PieceRule]:
    """The rules of the pieces of a file by kind, in one query."""
    if not hasattr(file, "_rules"):
        found = PieceRule.objects.filter(profile__offer_id=file.offer_id)
        file._rules = {rule.kind: rule for rule in found}  # type: ignore[attr-defined]
    rules: dict[str, PieceRule] = file._rules  # type: ignore[attr-defined]
    return rules


def required_kinds(file: CertificateFile) -> list[PieceKind]:
    """The kinds of piece a file needs, in the order of the counter.

    Those of the offer, those its policy adds always, and those that go with a delegate or a
    « mandataire de certification ».
    """
    wanted = set(file.offer.required_pieces)
    wanted |= {kind for kind, rule in rules_of(file).items() if _applies(file, rule)}
    if _signed_by_a_delegate(file):
        wanted.add(PieceKind.DELEGATION)
    if file.proxy_id is not None:
        wanted.add(PieceKind.PROXY)
    return [kind for kind in PieceKind if kind in wanted]


def _applies(file: CertificateFile, rule: PieceRule) -> bool:
    match When(rule.when):
        case When.ALWAYS:
            return True
        case When.DELEGATE:
            return _signed_by_a_delegate(file)
    return file.proxy_id is not None


def _signed_by_a_delegate(file: CertificateFile) -> bool:
    return file.signed_by is not None and file.signed_by.kind == MandateKind.DELEGATE
