"""Tokens received, moved, counted, given and lost: one function per event, one line each."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from registration_authority import actions as counter
from registration_authority.accreditation.identity import same_person
from registration_authority.accreditation.models import Power
from registration_authority.accreditation.permissions import check_not_denied
from registration_authority.models import (
    Certificate,
    CertificateState,
    CertificationAuthority,
    HandOver,
    RevocationReason,
)
from registration_authority.policies import (
    NeedsReason,
    NotReady,
    check_free_text,
    check_reason,
)
from registration_authority.stock import ledger, policies
from registration_authority.stock.models import (
    Count,
    Location,
    Sleeve,
    SleeveLine,
    Token,
    TokenBatch,
    TokenMovement,
    TokenState,
)
from socle.accounts.models import Person
from socle.core.refusals import Refusal
from socle.journal.actions import record

PUBLIC = "public"


class AlreadyInASleeve(Refusal):
    """The receipt left, or is about to leave, in another sleeve."""

    code = "ra.already_in_a_sleeve"


@transaction.atomic
def add_location(*, location: Location, by: Person, at: datetime) -> Location:
    """Keep a place as it was typed and checked."""
    check_not_denied(by, Power.STOCK, authority=None)
    location.save()
    _journal("ra.location_added", location, by, at, place=str(location))
    return location


@transaction.atomic
def receive_batch(
    *, reference: str, model: str, location: Location, serials: str, by: Person, at: datetime
) -> TokenBatch:
    """Take a delivery in; `serials` is one number a line. All or nothing.

    Raises UnknownToken, KnownToken naming every number known already, Denied.
    """
    check_not_denied(by, Power.STOCK, authority=None)
    check_free_text(reference=reference, model=model)
    numbers = policies.read_serials(serials)
    if TokenBatch.objects.filter(reference=reference.strip()).exists():
        raise policies.KnownToken(
            f"La livraison {reference.strip()} est déjà enregistrée.", field="reference"
        )
    known = list(Token.objects.filter(serial__in=numbers).values_list("serial", flat=True))
    if known:
        raise policies.KnownToken(
            f"Support déjà reçu : {', '.join(known)}. Vérifiez la livraison.", field="serials"
        )
    batch = TokenBatch.objects.create(
        reference=reference.strip(), model=model.strip(), received_at=at, received_by=by
    )
    made = Token.objects.bulk_create(
        Token(serial=one, batch=batch, state=TokenState.FORMATTED, location=location)
        for one in numbers
    )
    TokenMovement.objects.bulk_create(
        TokenMovement(
            token=one,
            after=TokenState.FORMATTED,
            destination=location,
            at=at,
            by=by,
            reason=f"Livraison {batch}",
        )
        for one in made
    )
    _journal("ra.tokens_received", batch, by, at, batch=str(batch), count=str(len(made)))
    return batch


@transaction.atomic
def move(
    *,
    token_ids: Iterable[int],
    location: Location,
    reason: str,
    by: Person,
    at: datetime,
    bag_number: str = "",
) -> list[Token]:
    """Carry tokens to another place, in a sealed bag perhaps. NeedsReason, ForbiddenMove."""
    check_not_denied(by, Power.STOCK, authority=None)
    told = check_reason(reason)
    check_free_text(bag_number=bag_number)
    tokens = list(ledger.locked().filter(pk__in=list(token_ids)).order_by("pk"))
    if not tokens:
        raise NeedsReason("Cochez au moins un support.", field="tokens")
    for token in tokens:
        if token.location is None:
            raise policies.ForbiddenMove(f"Le support {token} n’est pas en stock.")
        origin, token.location, token.bag_number = token.location, location, bag_number.strip()
        token.save(update_fields=["location", "bag_number"])
        ledger.write(token, before=token.state, origin=origin, by=by, at=at, reason=told)
    return tokens


@transaction.atomic
def change_state(*, token_id: int, to: TokenState, reason: str, by: Person, at: datetime) -> Token:
    """Suspend, retire or write off a token; one lost with a certificate in service revokes it.

    A suspended one whose certificate is revoked is not given back: its holder needs another
    (C66). Raises NeedsReason, ForbiddenMove, Denied, NothingToUnblock.
    """
    check_not_denied(by, Power.STOCK, authority=None)
    token = ledger.locked().get(pk=token_id)
    _check_may_serve_again(token, to)
    ledger.change(token, to, reason=check_reason(reason), by=by, at=at)
    _revoke_what_a_lost_one_carries(token, by, at)
    return token


@transaction.atomic
def count(*, location: Location, serials: str, by: Person, at: datetime) -> Count:
    """Count the tokens of a place; a missing one that carries a certificate is lost (C37).

    Raises CounterHandsOver when the counter handed over from this place since the last count.
    """
    check_not_denied(by, Power.STOCK, authority=None)
    _check_counts(by, location)
    found = policies.read_serials(serials) if serials.strip() else []
    tokens = {one.serial: one for one in ledger.locked().filter(location=location)}
    missing, unknown = policies.compare(tokens, found)
    counted = Count.objects.create(
        location=location,
        counted_by=by,
        counted_at=at,
        expected=len(tokens),
        found=len(found),
        missing=missing,
        unknown=unknown,
    )
    for serial in missing:
        reason = f"Absent à l’inventaire du {at:%d/%m/%Y}"
        ledger.change(tokens[serial], TokenState.LOST, reason=reason, by=by, at=at)
        _revoke_what_a_lost_one_carries(tokens[serial], by, at)
    _journal(
        "ra.stock_counted",
        counted,
        by,
        at,
        place=str(location),
        found=str(len(found)),
        missing=", ".join(missing) or "aucun",
    )
    return counted


# Sleeves of signed receipts


@transaction.atomic
def open_sleeve(
    *, number: str, authority: CertificationAuthority, by: Person, at: datetime
) -> Sleeve:
    """Begin a numbered sleeve for an authority. Raises KnownToken when the number was used."""
    check_free_text(number=number)
    if not number.strip() or Sleeve.objects.filter(number=number.strip()).exists():
        raise policies.KnownToken(
            "Donnez à la pochette un numéro qui n’a pas encore servi.", field="number"
        )
    sleeve = Sleeve.objects.create(
        number=number.strip(), authority=authority, opened_at=at, opened_by=by
    )
    _journal("ra.sleeve_opened", sleeve, by, at, sleeve=str(sleeve))
    return sleeve


@transaction.atomic
def put_in_sleeve(
    *, sleeve_id: int, hand_over_ids: Iterable[int], by: Person, at: datetime
) -> Sleeve:
    """Put signed receipts of its authority in a sleeve that did not leave.

    Raises NotReady, AlreadyInASleeve.
    """
    sleeve = Sleeve.objects.select_for_update(of=("self",)).get(pk=sleeve_id)
    if sleeve.sent_at is not None:
        raise NotReady("Cette pochette est partie : ouvrez-en une autre.")
    wanted = list(hand_over_ids)
    receipts = HandOver.objects.filter(
        pk__in=wanted,
        signed_at__isnull=False,
        signed_scan__isnull=False,
        certificate__file__offer__authority=sleeve.authority,
    )
    found = list(receipts.values_list("pk", flat=True))
    if not wanted or len(found) != len(set(wanted)):
        raise NotReady(
            "Cochez des procès-verbaux signés et scannés de cette autorité.", field="receipts"
        )
    if SleeveLine.objects.filter(hand_over__in=found).exists():
        raise AlreadyInASleeve("Un de ces procès-verbaux est déjà dans une pochette.")
    SleeveLine.objects.bulk_create(SleeveLine(sleeve=sleeve, hand_over_id=pk) for pk in found)
    return sleeve


@transaction.atomic
def send_sleeve(*, sleeve_id: int, tracking: str, by: Person, at: datetime) -> Sleeve:
    """The sleeve goes to the authority; twice is once. Raises NotReady when it is empty."""
    sleeve = Sleeve.objects.select_for_update(of=("self",)).get(pk=sleeve_id)
    check_free_text(tracking=tracking)
    lines = SleeveLine.objects.filter(sleeve=sleeve).count()
    if not lines:
        raise NotReady("Cette pochette est vide : mettez-y des procès-verbaux signés.")
    if sleeve.sent_at is None:
        sleeve.sent_at, sleeve.sent_by, sleeve.tracking = at, by, tracking.strip()
        sleeve.save(update_fields=["sent_at", "sent_by", "tracking"])
        _journal("ra.sleeve_sent", sleeve, by, at, sleeve=str(sleeve), count=str(lines))
    return sleeve


# What the functions above share


def _check_may_serve_again(token: Token, to: TokenState) -> None:
    """Refuse to give back a token that carries nothing any more. Raises NothingToUnblock."""
    if token.state != TokenState.SUSPENDED or to != TokenState.ACTIVE or token.file is None:
        return
    carried = Certificate.objects.filter(file=token.file).first()
    if carried is not None and carried.state != CertificateState.VALID:
        raise policies.NothingToUnblock(
            "Le certificat de ce support est révoqué : le débloquer ne servirait à rien. Retirez "
            f"le support et ouvrez un dossier de remplacement pour {token.file.holder}."
        )


def _revoke_what_a_lost_one_carries(token: Token, by: Person, at: datetime) -> None:
    if token.state != TokenState.LOST or token.file is None:
        return
    carried = Certificate.objects.filter(
        file=token.file, state=CertificateState.VALID, not_after__gt=at
    ).first()
    if carried is not None:
        counter.revoke(
            certificate_id=carried.pk, reason=RevocationReason.KEY_COMPROMISE, by=by, at=at
        )


def _check_counts(by: Person, location: Location) -> None:
    last = Count.objects.filter(location=location).aggregate(at=Max("counted_at"))["at"]
    given = TokenMovement.objects.filter(
        origin=location, destination=None, after=TokenState.ACTIVE
    ).select_related("by")
    if last is not None:
        given = given.filter(at__gt=last)
    if any(same_person(one.by, by) for one in given):
        raise policies.CounterHandsOver(
            f"Vous avez remis des supports de « {location} » depuis le dernier inventaire : une "
            "autre personne doit compter."
        )


def _journal(event: str, subject: object, by: Person, at: datetime, **detail: str) -> None:
    record(event=event, subject=subject, by=by, at=at, detail=detail, schema=PUBLIC)  # type: ignore[arg-type]
