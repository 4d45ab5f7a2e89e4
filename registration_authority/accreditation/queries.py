"""Questions about conventions and operators."""

from django.db.models import QuerySet

from registration_authority.accreditation.models import Convention, Denial, Operator
from socle.accounts.capabilities import SYNDICAT_ROLES
from socle.accounts.models import Person
from socle.directory import queries as directory


def conventions() -> QuerySet[Convention]:
    """Every convention with its authority, the newest of each first."""
    return Convention.objects.select_related("authority", "recorded_by").order_by(
        "authority__name", "-starts_on"
    )


def operators() -> QuerySet[Operator]:
    """Every accreditation, those removed last."""
    return Operator.objects.select_related(
        "person", "convention__authority", "removed_by", "named_by"
    ).order_by("removed_at", "person__last_name", "person__first_name", "pk")


def denials() -> QuerySet[Denial]:
    """What is forbidden to somebody now."""
    return (
        Denial.objects.filter(lifted_at=None)
        .select_related("person", "authority", "denied_by")
        .order_by("person__last_name", "pk")
    )


def staff() -> QuerySet[Person]:
    """The people who work for the syndicat, by name."""
    codes = [role.value for role in SYNDICAT_ROLES]
    return (
        Person.objects.filter(
            grants__organisation=directory.syndicat(), grants__roles__overlap=codes, is_active=True
        )
        .distinct()
        .order_by("last_name", "first_name")
    )
