"""The seam to the login with a certificate, which the accounts own.

A login made with a certificate leaves `Login.factor == "certificate"`, one confirmed with it since
(`accounts.views.StepUp`) leaves `confirmed_factor`; the certificate itself is the
`LoginCertificate` a hand-over registered. Nothing here opens a session.
"""

from datetime import datetime
from typing import Final

from django.db.models import Q

from socle.accounts.models import Login, LoginCertificate, Person

FACTOR: Final = "certificate"


def acts_with_certificate(person: Person, *, at: datetime) -> bool:
    """Whether the session in hand was proved with a certificate of `person` still in force.

    The session in hand is the one of the request under way (`Person.login_in_hand`): another one of
    the same person, open elsewhere with her certificate, lends this one nothing. Asked of the
    database, so that a login ended meanwhile counts no more.
    """
    if person.login_in_hand is None:
        return False
    logged_in = Login.objects.filter(
        Q(factor=FACTOR) | Q(confirmed_factor=FACTOR),
        pk=person.login_in_hand.pk,
        person=person,
        ended_at=None,
    )
    usable = LoginCertificate.objects.filter(
        person=person, withdrawn_at=None, not_before__lte=at, not_after__gte=at
    )
    return logged_in.exists() and usable.exists()
