"""What a deployment needs before its first person comes in."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django_tenants.utils import get_public_schema_name

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.core import cells
from socle.core.identifiers import (
    actes_departement,
    check_actes_nature,
    check_siren,
    check_siret,
    format_siren,
    siren_of,
)
from socle.core.refusals import Refusal
from socle.core.text import normalise_spaces
from socle.directory.actions import grant
from socle.directory.models import Grant, Organisation, OrganisationKind
from tenants.models import Domain, Tenant
from tenants.provisioning import provision

BY: Final = "installation"
FIRST_ROLES: Final = (Role.ADMINISTRATOR, Role.OFFICER)


class CannotSetUp(Refusal):
    """The syndicat or its first administrator cannot be what was said."""

    code = "tenants.cannot_set_up"


@dataclass(frozen=True, slots=True)
class Beginning:
    """What `set_up` made or found; `password` is empty when the person had one already."""

    syndicat: Organisation
    person: Person
    password: str


def ensure_public() -> Tenant:
    """The tenant that stands for the portal, with its host; creating it twice changes nothing."""
    portal, _ = Tenant.objects.get_or_create(schema_name=get_public_schema_name())
    Domain.objects.get_or_create(
        domain=cells.portal_host(), defaults={"tenant": portal, "is_primary": True}
    )
    return portal


@transaction.atomic
def set_up(
    *,
    syndicat: Mapping[str, str],
    administrator: Mapping[str, str],
    at: datetime,
    new_password: bool = False,
) -> Beginning:
    """Create the syndicat, its space and its first administrator; what exists is left as it is.

    In a cell that is not the syndicat's own it has a portal, and no space for acts of its own.
    `syndicat` holds fields of Organisation (siren, name and departement at least), `administrator`
    those of Person (email, first_name and last_name at least). `new_password` gives her another
    first password as long as she never came in. Raises a Refusal.
    """
    organisation = _syndicat(_checked_syndicat(syndicat))
    place = cells.placed(departement=organisation.departement, siren=organisation.siren)
    if place == cells.here() and not Tenant.objects.filter(organisation=organisation).exists():
        provision(organisation=organisation, by=BY, at=at)
    facts = _checked_person(administrator)
    _check_first(facts["email"], organisation)
    person, password = _person(facts, new_password=new_password)
    if not Grant.objects.filter(person=person, organisation=organisation).exists():
        grant(person=person, organisation=organisation, roles=FIRST_ROLES, by=BY, at=at)
    return Beginning(organisation, person, password)


def _checked_syndicat(facts: Mapping[str, str]) -> dict[str, str]:
    checked = {field: normalise_spaces(value) for field, value in facts.items()}
    checked["siren"] = check_siren(checked["siren"])
    checked["departement"] = actes_departement(checked["departement"])
    if not checked["name"]:
        raise CannotSetUp("Le syndicat n’a pas de nom : donnez-le avec --name.")
    if checked.get("nature"):
        check_actes_nature(checked["nature"])
    if checked.get("siret"):
        checked["siret"] = check_siret(checked["siret"])
        if siren_of(checked["siret"]) != checked["siren"]:
            raise CannotSetUp(
                "Le SIRET ne commence pas par le SIREN : vérifiez que les deux sont du syndicat."
            )
    return checked


def _checked_person(facts: Mapping[str, str]) -> dict[str, str]:
    checked = {field: normalise_spaces(value) for field, value in facts.items()}
    checked["email"] = checked["email"].lower()
    try:
        validate_email(checked["email"])
    except ValidationError as problem:
        raise CannotSetUp(
            f"« {checked['email']} » n’est pas une adresse électronique : vérifiez la saisie."
        ) from problem
    if not (checked["first_name"] and checked["last_name"]):
        raise CannotSetUp("L’administrateur doit avoir un prénom et un nom : donnez les deux.")
    return checked


def _syndicat(facts: dict[str, str]) -> Organisation:
    """The syndicat with this SIREN, created unless it exists. Raises CannotSetUp."""
    there = Organisation.objects.filter(kind=OrganisationKind.SYNDICAT).first()
    if there is not None and there.siren != facts["siren"]:
        raise CannotSetUp(
            f"Cette installation a déjà son syndicat, « {there} » (SIREN "
            f"{format_siren(there.siren)}) : une installation n’en sert qu’un."
        )
    if there is not None:
        return there
    taken = Organisation.objects.filter(siren=facts["siren"]).first()
    if taken is not None:
        raise CannotSetUp(
            f"Le SIREN {format_siren(facts['siren'])} est celui de « {taken} » "
            f"({taken.get_kind_display()}) : donnez celui du syndicat."
        )
    organisation = Organisation(kind=OrganisationKind.SYNDICAT, **facts)
    try:
        organisation.full_clean(exclude=["sort_key"])
    except ValidationError as problem:
        field, (sentence, *_) = next(iter(problem.message_dict.items()))
        raise CannotSetUp(f"Syndicat, {_label(organisation, field)} : {sentence}") from problem
    organisation.save()
    return organisation


def _check_first(email: str, syndicat: Organisation) -> None:
    """Refuse a second administrator: the first adds the others, under her own name."""
    others = Grant.objects.filter(
        organisation=syndicat, roles__contains=[Role.ADMINISTRATOR.value], ends_on=None
    ).exclude(person__email__iexact=email)
    if (first := others.select_related("person").first()) is not None:
        raise CannotSetUp(
            f"« {syndicat} » a déjà une personne pour l’administrer ({first.person.email}) : "
            "c’est à elle d’ajouter les autres, depuis le portail."
        )


def _person(facts: dict[str, str], *, new_password: bool) -> tuple[Person, str]:
    """The person with this address, and her first password when one was given now."""
    password = secrets.token_urlsafe(15)
    person = Person.objects.filter(email__iexact=facts["email"]).first()
    if person is None:
        return Person.objects.create_user(password=password, **facts), password
    if not new_password:
        return person, ""
    if person.has_authenticator:
        raise CannotSetUp(
            f"{person} a déjà relié son téléphone à son compte : son mot de passe n’appartient "
            "plus qu’à elle et ne se change que depuis « Mon compte »."
        )
    person.set_password(password)
    person.save(update_fields=["password"])
    return person, password


def _label(instance: Any, field: str) -> str:
    return str(instance._meta.get_field(field).verbose_name)
