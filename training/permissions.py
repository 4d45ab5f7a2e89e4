"""What a person may do with sessions: `check_…` refuses with a sentence, `can_…` answers."""

from datetime import date

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.core.refusals import Refusal
from socle.directory import queries as directory
from socle.directory.models import Organisation, OrganisationKind


class NotATrainer(Refusal):
    """The person may not plan or hold sessions."""

    code = "training.not_a_trainer"


class NotAnAgent(Refusal):
    """The person does not work for this member body."""

    code = "training.not_an_agent"


class NotYours(Refusal):
    """Somebody else's registration."""

    code = "training.not_yours"


def can_plan(person: Person, on: date) -> bool:
    """Whether the syndicat lets the person plan sessions on that day."""
    return any(
        Capability.TRAINING_PLAN in grant.capabilities
        for grant in directory.grants(person, on)
        if grant.organisation.kind == OrganisationKind.SYNDICAT
    )


def check_can_plan(person: Person, on: date) -> None:
    """Refuse one who is not a trainer of the syndicat."""
    if not can_plan(person, on):
        raise NotATrainer(
            f"{person} n’est pas formateur du syndicat : demandez à un administrateur de lui "
            "donner ce rôle.",
            field="trainer",
        )


def check_can_attend(person: Person, organisation: Organisation, on: date) -> None:
    """Refuse one who has no current role in `organisation`, or a body that left the syndicat."""
    current = [
        grant
        for grant in directory.grants(person, on)
        if grant.organisation_id == organisation.pk and grant.roles
    ]
    if not current or not directory.members().filter(pk=organisation.pk).exists():
        raise NotAnAgent(
            f"{person} n’a pas de rôle en cours à « {organisation} », ou cet organisme n’est pas "
            "adhérent : complétez d’abord sa fiche dans l’annuaire."
        )


def check_can_speak_for(by: Person, person: Person, on: date) -> bool:
    """Whether `by` acts as a trainer; refuse one who acts for somebody else without being one."""
    if by.pk == person.pk:
        return False
    if not can_plan(by, on):
        raise NotYours("Vous ne pouvez inscrire ou désister que vous-même.")
    return True
