"""What a person may do with the acts of the commune whose schema is the current one."""

from datetime import datetime

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.directory import queries as directory
from socle.directory.models import Grant, Organisation


class NotAllowed(Refusal):
    """The person has not the right this needs in this commune."""

    code = "actes.not_allowed"


_WANTED = {
    Capability.ACTS_PREPARE: "préparer des actes",
    Capability.ACTS_TRANSMIT: "transmettre des actes",
}


def check_may(
    by: Person, capability: Capability, *, organisation: Organisation, at: datetime
) -> None:
    """Refuse a person without `capability` in `organisation` at `at`. Raises NotAllowed."""
    check_granted(_granted(by, organisation, at), capability, by=by, organisation=organisation)


def check_granted(
    granted: Grant | None, capability: Capability, *, by: Person, organisation: Organisation
) -> None:
    """Refuse a person whose right in `organisation` does not give `capability`. Raises NotAllowed.

    `granted` is her present right there, None when she has none.
    """
    if granted is None or capability not in granted.capabilities:
        raise NotAllowed(
            f"{by} n’est pas habilité à {_WANTED[capability]} pour « {organisation} » : demandez "
            "ce droit à votre syndicat."
        )


def can(by: Person, capability: Capability, *, organisation: Organisation, at: datetime) -> bool:
    """Whether the person may do `capability` there now."""
    granted = _granted(by, organisation, at)
    return granted is not None and capability in granted.capabilities


def _granted(by: Person, organisation: Organisation, at: datetime) -> Grant | None:
    return directory.grants(by, legal_date(at)).filter(organisation=organisation).first()
