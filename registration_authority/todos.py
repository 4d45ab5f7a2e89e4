"""What waits for whom: lines of the home pages."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from registration_authority import portal, queries
from registration_authority.dossier.profiles import required_kinds
from registration_authority.models import (
    CertificateFile,
    CertificateRequest,
    CertificateState,
    FileState,
    PieceState,
    RequestState,
)
from registration_authority.slots.models import Appointment
from registration_authority.stock.queries import shelves
from socle.accounts.capabilities import Capability
from socle.core.clock import legal_date
from socle.notices.todos import Provider, Todo


def to_check(request: HttpRequest) -> Iterable[Todo]:
    """Files with pieces to check, and certificates to issue."""
    pieces = Q(state=FileState.SUBMITTED, pieces__state=PieceState.PENDING) & Q(
        pieces__replaced_at=None
    )
    waiting = _not_mine(request).filter(pieces).distinct().count()
    ready = (
        CertificateRequest.objects.filter(
            state=RequestState.DEPOSITED, file__state=FileState.FACE_TO_FACE_DONE
        )
        .exclude(file__holder=request.user)
        .count()
    )
    yield Todo(
        waiting,
        _agreed(waiting, "dossier de certificat a", "dossiers de certificat ont")
        + " des pièces à vérifier",
        _list(FileState.SUBMITTED),
        "Vérifier",
    )
    yield Todo(
        ready,
        _agreed(ready, "certificat à établir", "certificats à établir"),
        _list(FileState.FACE_TO_FACE_DONE),
        "Établir",
    )


def to_carry(request: HttpRequest) -> Iterable[Todo]:
    """Requests to carry to the portal of an authority."""
    waiting = (
        CertificateRequest.objects.filter(
            state=RequestState.APPROVED, file__offer__authority__adapter=portal.ADAPTER
        )
        .exclude(file__holder=request.user)
        .count()
    )
    yield Todo(
        waiting,
        _agreed(waiting, "demande", "demandes") + " à suivre sur le portail de l’autorité",
        _list(FileState.FACE_TO_FACE_DONE),
        "Suivre",
    )


def to_revoke(request: HttpRequest) -> Iterable[Todo]:
    """Revocations to ask on the portal of an authority: it has twenty-four hours to publish."""
    count = queries.to_revoke_by_hand().count()
    yield Todo(
        count,
        _agreed(count, "certificat", "certificats") + " à révoquer sur le portail de l’autorité",
        reverse("registration_authority:lists"),
        "Révoquer",
        "danger",
    )


def to_receive(request: HttpRequest) -> Iterable[Todo]:
    """People to receive in person."""
    count = _not_mine(request).filter(state=FileState.PIECES_CHECKED).count()
    yield Todo(
        count,
        _agreed(count, "personne à recevoir", "personnes à recevoir") + " en face à face",
        _list(FileState.PIECES_CHECKED),
        "Recevoir",
    )


def to_hand_over(request: HttpRequest) -> Iterable[Todo]:
    """Certificates that wait for their holder."""
    count = _not_mine(request).filter(state=FileState.ISSUED).count()
    yield Todo(
        count,
        _agreed(count, "certificat à remettre", "certificats à remettre") + " en main propre",
        _list(FileState.ISSUED),
        "Remettre",
    )


def expiring(request: HttpRequest) -> Iterable[Todo]:
    """Certificates that expire soon and have no successor."""
    now = timezone.now()
    soon = queries.to_renew(now).filter(renewing=None, renewal__muted_at=None)
    count = soon.count()
    urgent = soon.filter(not_after__lte=now + timedelta(days=30)).exists()
    yield Todo(
        count,
        _agreed(count, "certificat à renouveler", "certificats à renouveler"),
        reverse("registration_authority:renewals"),
        "Renouveler",
        "danger" if urgent else "warning",
    )


def stock(request: HttpRequest) -> Iterable[Todo]:
    """Places where tokens run out."""
    low = [shelf for shelf in shelves() if shelf.is_low]
    names = ", ".join(str(shelf.location) for shelf in low)
    yield Todo(
        len(low),
        _agreed(len(low), "lieu manque", "lieux manquent") + f" de supports prêts ({names})",
        reverse("registration_authority:stock"),
        "Voir le stock",
        "warning",
    )


def to_retire(request: HttpRequest) -> Iterable[Todo]:
    """Former certificates still in service although the new one was handed over."""
    left = CertificateFile.objects.filter(
        state=FileState.HANDED_OVER,
        renews__state=CertificateState.VALID,
        renews__not_after__gt=timezone.now(),
    )
    count = left.count()
    first = left.order_by("pk").first() if count == 1 else None
    yield Todo(
        count,
        _agreed(count, "ancien certificat", "anciens certificats")
        + " à révoquer, le nouveau est remis",
        reverse("registration_authority:file", args=(first.pk,))
        if first
        else reverse("registration_authority:renewals"),
        "Voir",
    )


def meetings(request: HttpRequest) -> Iterable[Todo]:
    """Appointments of this officer in the next day."""
    now = timezone.now()
    count = Appointment.objects.filter(
        slot__officer=request.user,
        cancelled_at=None,
        honoured_at=None,
        slot__starts_at__range=(now, now + timedelta(days=1)),
    ).count()
    yield Todo(
        count,
        _agreed(count, "rendez-vous", "rendez-vous") + " dans les 24 heures",
        reverse("registration_authority:agenda"),
        "Voir l’agenda",
    )


def of_the_counter(request: HttpRequest) -> list[Todo]:
    """Every line of the counter this person may act on, for her desk."""
    return [
        line
        for capability, provider in COUNTER
        if capability in request.capabilities  # type: ignore[attr-defined]
        for line in provider(request)
    ]


def own(request: HttpRequest) -> Iterable[Todo]:
    """What the holder must do in the commune she is in."""
    organisation_id = request.tenant.organisation_id  # type: ignore[attr-defined]
    yield from _own_pieces(request, organisation_id)
    yield from _own_expiry(request, organisation_id, timezone.now())


def _own_pieces(request: HttpRequest, organisation_id: int) -> Iterator[Todo]:
    current = Q(pieces__replaced_at=None)
    open_file = (
        CertificateFile.objects.filter(
            holder=request.user,
            organisation_id=organisation_id,
            state__in=(FileState.DRAFT, FileState.SUBMITTED),
        )
        .annotate(
            usable=Count("pieces", filter=current & ~Q(pieces__state=PieceState.REFUSED)),
            refused=Count("pieces", filter=current & Q(pieces__state=PieceState.REFUSED)),
        )
        .select_related("offer", "signed_by")
        .first()
    )
    if open_file is None:
        return
    url = reverse("certificates:mine")
    refused = open_file.refused
    absent = len(required_kinds(open_file)) - open_file.usable - refused
    words = _agreed(refused, "pièce refusée", "pièces refusées")
    yield Todo(refused, f"{words}, à remplacer pour votre certificat", url, "Corriger", "danger")
    words = _agreed(absent, "pièce à déposer", "pièces à déposer")
    yield Todo(absent, f"{words} pour votre certificat", url, "Déposer")
    if open_file.state == FileState.DRAFT and not absent and not refused:
        yield Todo(1, "dossier de certificat prêt à envoyer", url, "Envoyer")


def _own_expiry(request: HttpRequest, organisation_id: int, at: datetime) -> Iterator[Todo]:
    soon = (
        queries.expiring(at)
        .filter(file__holder=request.user, file__organisation_id=organisation_id)
        .first()
    )
    if soon is not None:
        yield Todo(
            1,
            f"certificat à renouveler avant le {legal_date(soon.not_after):%d/%m/%Y}",
            reverse("certificates:mine"),
            "Voir",
            "warning",
        )


def _not_mine(request: HttpRequest) -> QuerySet[CertificateFile]:
    return CertificateFile.objects.exclude(holder=request.user)


def _list(state: FileState) -> str:
    return f"{reverse('registration_authority:files')}?etat={state.value}"


def _agreed(count: int, one: str, many: str) -> str:
    return one if count < 2 else many


COUNTER: Final[tuple[tuple[Capability, Provider], ...]] = (
    (Capability.RA_FACE_TO_FACE, meetings),
    (Capability.RA_CHECK, to_check),
    (Capability.RA_CHECK, to_carry),
    (Capability.RA_REVOKE, to_revoke),
    (Capability.RA_FACE_TO_FACE, to_receive),
    (Capability.RA_HAND_OVER, to_hand_over),
    (Capability.RA_HAND_OVER, to_retire),
    (Capability.RA_READ, expiring),
    (Capability.RA_STOCK, stock),
)
"""The lines of the counter, in its order, and who is asked to act on each."""
