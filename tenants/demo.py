"""The demonstration: the real communes of the Mellois, invented people, the exercise operator.

Everything here may run again: what exists is left as people changed it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from billing import defaults as prices
from registration_authority import defaults as counter
from socle.accounts.capabilities import Role
from socle.accounts.models import Authenticator, Person
from socle.core.clock import legal_date
from socle.core.identifiers import siret_of
from socle.delivery.models import TransmissionOperator
from socle.directory import actions as directory
from socle.directory import cog, facts, imports
from socle.directory.models import (
    Contact,
    Grant,
    OfficeKind,
    Organisation,
    OrganisationKind,
    StateOffice,
)
from tenants import provisioning
from tenants.middleware import origin
from tenants.models import Tenant
from training import defaults as programmes

BY: Final = "démonstration"
PASSWORD: Final = "socle-demonstration"  # noqa: S105 - shown to everybody, refused elsewhere
MELLOIS: Final = "200069755"
MELLE: Final = "200081511"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Character:
    """One invented person: where she works and what she is there."""

    email: str
    first_name: str
    last_name: str
    function: str
    roles: tuple[Role, ...]
    places: tuple[str, ...]
    """INSEE codes of communes; empty for the syndicat."""
    phone: str = "05 00 00 00 00"


CHARACTERS: Final = (
    Character(
        "odile.renard@syndicat.test", "Odile", "Renard", "Chargée de raccordement",
        (Role.OFFICER, Role.ADMINISTRATOR), (),
    ),
    Character(
        "rachid.benali@syndicat.test", "Rachid", "Benali", "Opérateur d’enregistrement",
        (Role.RA_OPERATOR,), (),
    ),
    Character(
        "nadia.colin@syndicat.test", "Nadia", "Colin", "Opératrice d’enregistrement",
        (Role.RA_OPERATOR,), (),
    ),
    Character(
        "thomas.petit@syndicat.test", "Thomas", "Petit", "Formateur", (Role.TRAINER,), (),
    ),
    Character(
        "beatrice.morin@syndicat.test", "Béatrice", "Morin", "Chargée de facturation",
        (Role.BILLING_OFFICER,), (),
    ),
    Character(
        "aude.lambert@syndicat.test", "Aude", "Lambert", "Auditrice", (Role.AUDITOR,), (),
    ),
    Character(
        "claire.martin@melle.test", "Claire", "Martin", "Secrétaire générale de mairie",
        (Role.TRANSMITTER,), ("79174", "79061", "79148"),
    ),
    Character(
        "sylvie.girard@melle.test", "Sylvie", "Girard", "Agent d’accueil",
        (Role.PREPARER,), ("79174",),
    ),
    Character(
        "marc.fournier@melle.test", "Marc", "Fournier", "Maire", (Role.SIGNATORY,), ("79174",),
    ),
)  # fmt: skip


def email_of(first_name: str) -> str:
    """The e-mail address of the invented person with this first name."""
    return next(one.email for one in CHARACTERS if one.first_name == first_name)


def load(*, at: datetime, say: Say, territory: str = "") -> None:
    """Bring the demonstration to its starting point, telling each step to `say`.

    `territory` is the SIREN of the only EPCI whose communes are imported; empty for all of France.
    """
    if not settings.DEMO:
        raise RuntimeError("the demonstration only loads where SOCLE_DEMO is 1")
    say("annuaire national des communes")
    if not Organisation.objects.filter(siren=MELLOIS).exists():
        wanted = cog.territory(facts.load(), epcis=[territory]) if territory else None
        imports.run(by=BY, at=at, wanted=wanted)
    syndicat = _syndicat(at)
    _operator()
    say("adhésion des 58 communes du Mellois en Poitou")
    epci = Organisation.objects.get(siren=MELLOIS)
    directory.join_members_of(epci=epci, by=BY, at=at)
    _number_establishments(epci)
    _complete_melle()
    for number, total, name in provision_all([syndicat, *epci.communes.all()], at=at):
        if number % 10 == 0 or number == total:
            say(f"espaces des communes : {number} sur {total} ({name})")
    say("autorité d’exercice, programme de formation, liste des prix")
    counter.ensure(at=at)
    programmes.ensure()
    prices.ensure(valid_from=date(at.year, 1, 1), exercise_price=Decimal("60.00"))
    say("personnes de la démonstration")
    for character in CHARACTERS:
        welcome(character, _places(character, syndicat), at=at)


def provision_all(
    organisations: list[Organisation], *, at: datetime
) -> Iterator[tuple[int, int, str]]:
    """Give each its space unless it has one; yields (number, total, name) as they are ready."""
    ready = set(Tenant.objects.values_list("organisation_id", flat=True))
    for number, organisation in enumerate(organisations, 1):
        if organisation.pk not in ready:
            provisioning.provision(organisation=organisation, by=BY, at=at)
        yield number, len(organisations), organisation.name


def logins() -> Iterator[tuple[str, str, str, str]]:
    """(who, address of the page, e-mail, password) of each character."""
    for character in CHARACTERS:
        host = settings.BASE_HOST
        if character.places:
            tenant = Tenant.objects.get(organisation__insee=character.places[0])
            host = tenant.get_primary_domain().domain
        name = f"{character.first_name} {character.last_name}, {character.function}"
        yield name, origin(host) + "/", character.email, PASSWORD


def _syndicat(at: datetime) -> Organisation:
    syndicat, _ = Organisation.objects.get_or_create(
        kind=OrganisationKind.SYNDICAT,
        defaults={
            "siren": "257902338",
            "siret": siret_of("257902338"),
            "name": "Syndicat mixte numérique du Mellois (démonstration)",
            "nature": "41",
            "departement": "079",
            "arrondissement": "2",
            "address": "1 place de l’Exercice",
            "postal_code": "79500",
            "email": "contact@syndicat.test",
            "phone": "05 00 00 00 00",
        },
    )
    return syndicat


def _operator() -> TransmissionOperator:
    operator, _ = TransmissionOperator.objects.get_or_create(
        code="exercice",
        defaults={
            "name": "Opérateur d’exercice",
            "adapter": "exercise",
            "trigram": "EXE",
            "company": "Socle, opérateur d’exercice",
            "address": "1 place de l’Exercice, 79500 Melle",
            "phone": "05 00 00 00 00",
            "email": "exercice@syndicat.test",
            "return_address": "retours@exercice.test",
            "homologation": "EXERCICE — aucun acte réel",
            "is_exercise": True,
            "requires_certificate": False,
        },
    )
    return operator


def _number_establishments(epci: Organisation) -> None:
    """Give each commune a SIRET: the national list has none, and nothing is billed without one."""
    nameless = list(epci.communes.filter(siret=""))
    for commune in nameless:
        commune.siret = siret_of(commune.siren)
    Organisation.objects.bulk_update(nameless, ["siret"])


@transaction.atomic
def _complete_melle() -> None:
    melle = Organisation.objects.get(siren=MELLE)
    if melle.address:
        return
    melle.address, melle.email = "Quartier Mairie", "mairie@melle.test"
    melle.phone = "05 00 00 00 01"
    melle.accounting_office = StateOffice.objects.filter(
        kind=OfficeKind.SGC, departement="079"
    ).first()
    melle.save()
    Contact.objects.create(
        organisation=melle,
        first_name="Marc",
        last_name="Fournier",
        function="Maire",
        email="marc.fournier@melle.test",
        is_legal_representative=True,
    )
    Contact.objects.create(
        organisation=melle,
        first_name="Claire",
        last_name="Martin",
        function="Secrétaire générale de mairie",
        email="claire.martin@melle.test",
        phone="05 00 00 00 01",
    )


@transaction.atomic
def welcome(character: Character, places: list[Organisation], *, at: datetime) -> Person:
    """Give an invented person her account, phone and roles; the account she had is left alone."""
    person, created = Person.objects.get_or_create(
        email=character.email,
        defaults={
            "first_name": character.first_name,
            "last_name": character.last_name,
            "function": character.function,
            "phone": character.phone,
            "password": lambda: make_password(PASSWORD),
        },
    )
    if created:
        device = Authenticator.prepare(person)
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        Grant.objects.bulk_create(
            Grant(
                person=person,
                organisation=place,
                roles=[role.value for role in character.roles],
                starts_on=legal_date(at),
            )
            for place in places
        )
    return person


def _places(character: Character, syndicat: Organisation) -> list[Organisation]:
    if not character.places:
        return [syndicat]
    return list(Organisation.objects.filter(insee__in=character.places, closed_on=None))
