"""Questions about organisations, members and rights."""

from datetime import date

from django.db.models import Q, QuerySet
from django_tenants.utils import get_public_schema_name

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.core.text import fold
from socle.directory.models import (
    Grant,
    OfficeKind,
    Organisation,
    OrganisationKind,
    SpaceStop,
    StateOffice,
    TransmissionRight,
)


def syndicat() -> Organisation:
    """The syndicat of this deployment; raises Organisation.DoesNotExist before it is set up."""
    return Organisation.objects.get(kind=OrganisationKind.SYNDICAT)


def members() -> QuerySet[Organisation]:
    """The bodies that belong to the syndicat today."""
    return Organisation.objects.filter(
        membership__isnull=False, membership__left_on=None, closed_on=None
    )


def search(text: str) -> QuerySet[Organisation]:
    """Open organisations whose name, SIREN, INSEE code or former commune answers to `text`."""
    found = Organisation.objects.filter(closed_on=None)
    if not text.strip():
        return found
    digits = text.replace(" ", "")
    if digits.isdigit():
        return found.filter(Q(siren=digits) | Q(insee=digits) | Q(siret=digits))
    return found.filter(
        Q(sort_key__contains=fold(text)) | Q(former_communes__name__icontains=text.strip())
    ).distinct()


def right(organisation_id: int, protocol: str) -> TransmissionRight | None:
    """The transmission right of a body for a protocol, if any."""
    return TransmissionRight.objects.filter(
        organisation_id=organisation_id, protocol=protocol
    ).first()


def stopped() -> QuerySet[SpaceStop, dict[str, int]]:
    """The keys of bodies whose space stands still, to be excluded by a query."""
    return SpaceStop.objects.values("organisation_id")


def is_stopped(organisation_id: int) -> bool:
    """Whether the space of a body stands still."""
    return SpaceStop.objects.filter(organisation_id=organisation_id).exists()


def grants(person: Person, on: date) -> QuerySet[Grant]:
    """The current grants of a person with their organisations, by name."""
    return (
        Grant.objects.filter(person=person, starts_on__lte=on)
        .filter(Q(ends_on=None) | Q(ends_on__gte=on))
        .select_related("organisation__space_stop")
        .order_by("organisation__sort_key")
    )


def journal_of(organisation: Organisation) -> str:
    """The schema whose journal tells what happens to a body: its own, else the portal's."""
    tenant = getattr(organisation, "tenant", None)
    return str(tenant.schema_name) if tenant else get_public_schema_name()


def prefecture_of(organisation: Organisation) -> StateOffice | None:
    """The office that controls the body's acts: its sous-préfecture, else the préfecture."""
    offices = StateOffice.objects.filter(departement=organisation.departement).exclude(
        kind=OfficeKind.SGC
    )
    own = offices.filter(arrondissement=organisation.arrondissement).exclude(arrondissement="")
    return own.first() or offices.filter(kind=OfficeKind.PREFECTURE).first()


def people_who_may(organisation: Organisation, capability: Capability, *, on: date) -> list[Person]:
    """The active people who may do `capability` in `organisation` then, first grant first."""
    grants = (
        Grant.objects.filter(organisation=organisation, starts_on__lte=on, person__is_active=True)
        .filter(Q(ends_on=None) | Q(ends_on__gte=on))
        .select_related("person")
        .order_by("pk")
    )
    found = [grant.person for grant in grants if capability in grant.capabilities]
    return list(dict.fromkeys(found))
