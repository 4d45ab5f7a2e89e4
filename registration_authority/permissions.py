"""What a person may do with a file. Capabilities open the screens; these rules hold behind them."""

from registration_authority.models import CertificateFile
from socle.accounts.models import Person
from socle.core.refusals import Refusal


class OwnFile(Refusal):
    """Nobody is the officer of her own certificate."""

    code = "ra.own_file"


class NotHer(Refusal):
    """Only the holder may do this from the commune's side."""

    code = "ra.not_her"


def check_can_serve(by: Person, file: CertificateFile) -> None:
    """Refuse an officer who is the holder, by account or by address. Raises OwnFile."""
    same = by.pk == file.holder_id or by.email.casefold() == file.holder.email.casefold()
    if same:
        raise OwnFile(
            "Ce dossier est le vôtre : un autre opérateur d’enregistrement doit le traiter."
        )


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
