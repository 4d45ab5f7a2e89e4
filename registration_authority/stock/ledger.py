"""What happens to one token inside the action of a file or of the stock, line by line."""

from datetime import datetime

from django.db.models import QuerySet
from django_tenants.utils import get_public_schema_name, schema_context

from registration_authority.dossier.profiles import profile_of
from registration_authority.models import CertificateFile
from registration_authority.policies import NO_TOKEN
from registration_authority.stock import policies
from registration_authority.stock.models import Location, Token, TokenMovement, TokenState
from socle.accounts.models import Person
from socle.journal.actions import record


def check_for_file(serial: str, file: CertificateFile) -> Token | None:
    """The token of the stock a file may be given; None where the policy does not ask for one.

    A token known to the stock is checked in any case. Raises UnknownToken.
    """
    wanted = serial.strip().upper()
    token = locked().filter(serial=wanted).first()
    if token is None:
        if profile_of(file.offer).stock_required and wanted.casefold() != NO_TOKEN:
            raise policies.UnknownToken(
                f"Le support {serial} n’est pas au stock : relisez le numéro gravé dessus, ou "
                "enregistrez sa livraison.",
                field="token_serial",
            )
        if profile_of(file.offer).stock_required:
            raise policies.UnknownToken(
                "La politique de l’offre demande un support du stock.", field="token_serial"
            )
        return None
    mine = token.file_id in (None, file.pk)
    if not mine or token.state not in (TokenState.FORMATTED, TokenState.ACTIVE):
        whose = "réservé à un autre dossier" if not mine else token.get_state_display().lower()
        raise policies.UnknownToken(
            f"Le support {token} est {whose} : prenez celui de ce dossier.", field="token_serial"
        )
    if token.location_id is None:
        raise policies.UnknownToken(f"Le support {token} a déjà été remis.", field="token_serial")
    return token


def reserve(*, token: Token, file: CertificateFile, by: Person, at: datetime) -> None:
    """The token carries the certificate of this file from now on, and waits for its holder.

    Another one set aside for it by a receipt that is drawn up again is free as it was.
    """
    others = locked().filter(file=file, state=TokenState.ACTIVE).exclude(pk=token.pk)
    for other in others:
        other.state, other.file = TokenState.FORMATTED, None
        other.save(update_fields=["state", "file"])
        write(
            other,
            before=TokenState.ACTIVE,
            origin=other.location,
            by=by,
            at=at,
            reason="Procès-verbal refait avec un autre support",
        )
    token.file = file
    token.save(update_fields=["file"])
    if token.state == TokenState.FORMATTED:
        change(token, TokenState.ACTIVE, reason=f"Dossier de {file.holder}", by=by, at=at)


def give_to_holder(serial: str, file: CertificateFile, *, by: Person, at: datetime) -> None:
    """The token leaves the stock with its holder."""
    token = check_for_file(serial, file)
    if token is None:
        return
    reserve(token=token, file=file, by=by, at=at)
    origin, token.location, token.bag_number = token.location, None, ""
    token.save(update_fields=["location", "bag_number"])
    write(token, before=token.state, origin=origin, by=by, at=at, reason="Remis en main propre")


def retire_of(file: CertificateFile, *, by: Person | None, at: datetime, reason: str) -> None:
    """The certificate of a file is no more: its token that is still here is retired.

    The holder may have revoked it from her commune, which sees no stock: the platform does this.
    """
    with schema_context(get_public_schema_name()):
        here = locked().filter(file=file, state=TokenState.ACTIVE, location__isnull=False)
        for token in here:
            change(token, TokenState.TERMINATED, reason=reason, by=by or file.created_by, at=at)


def locked() -> QuerySet[Token]:
    """Tokens, locked until the end of the transaction."""
    return Token.objects.select_related("location", "file__holder").select_for_update(of=("self",))


def change(token: Token, to: TokenState, *, reason: str, by: Person, at: datetime) -> None:
    """Give a locked token another state, with its line in the ledger. Raises ForbiddenMove."""
    policies.check_move(
        token.state,
        to,
        came_from=_state_before_suspension(token),
        may_be_used_again=token.file is None or profile_of(token.file.offer).token_reuse_allowed,
    )
    before, token.state = token.state, to
    if to in (TokenState.FORMATTED, TokenState.UNFORMATTED):
        token.file = None
    origin = token.location
    if to == TokenState.LOST:
        token.location = None
    token.save(update_fields=["state", "file", "location"])
    write(token, before=before, origin=origin, by=by, at=at, reason=reason)
    record(
        event="ra.token_moved",
        subject=token,
        by=by,
        at=at,
        detail={"token": str(token), "state": to.label, "reason": reason},
        schema="public",
    )


def write(
    token: Token, *, before: str, origin: Location | None, by: Person, at: datetime, reason: str
) -> None:
    """One line of the ledger: what the token was and where, what it is and where now."""
    TokenMovement.objects.create(
        token=token,
        before=before,
        after=token.state,
        origin=origin,
        destination=token.location,
        at=at,
        by=by,
        reason=reason,
    )


def _state_before_suspension(token: Token) -> str:
    suspended = token.movements.filter(after=TokenState.SUSPENDED).exclude(
        before=TokenState.SUSPENDED
    )
    last = suspended.order_by("-at", "-pk").first()
    return last.before if last else ""
