"""What a person may do with a file. Capabilities open the screens; these rules hold behind them."""

from datetime import datetime

from registration_authority.accreditation.identity import same_person
from registration_authority.accreditation.models import Power
from registration_authority.accreditation.permissions import check_power
from registration_authority.models import CertificateFile
from socle.accounts.models import Person
from socle.core.refusals import Refusal


class OwnFile(Refusal):
    """Nobody is the officer of her own certificate."""

    code = "ra.own_file"


class NotHer(Refusal):
    """Only the holder may do this from the commune's side."""

    code = "ra.not_her"


def check_can_serve(
    by: Person, file: CertificateFile, *, power: Power | None = None, at: datetime | None = None
) -> None:
    """Refuse an officer who is the holder, by whatever account, or lacks `power` at `at`.

    Raises OwnFile, and what `accreditation.permissions.check_power` raises.
    """
    if same_person(by, file.holder):
        raise OwnFile(
            "Ce dossier est le vôtre, ou celui d’une personne du même nom : un autre opérateur "
            "d’enregistrement doit le traiter."
        )
    if power is not None and at is not None:
        check_power(by, power, offer=file.offer, at=at)


def can_serve(by: Person, file: CertificateFile) -> bool:
    """Whether `by` may act as an officer on `file`."""
    try:
        check_can_serve(by, file)
    except OwnFile:
        return False
    return True


def check_is_holder(by: Person, file: CertificateFile) -> None:
    """Refuse anybody but the holder. Raises NotHer."""
    if by.pk != file.holder_id:
        raise NotHer(
            "Ce certificat n’est pas le vôtre : seule la personne titulaire ou votre syndicat "
            "peut agir."
        )
