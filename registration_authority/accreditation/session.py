"""The seam to the login with a certificate, which the accounts own.

A login made with a certificate leaves `Login.factor == "certificate"`; the certificate itself is
the `LoginCertificate` a hand-over registered. Nothing here opens a session.
"""

from datetime import datetime
from typing import Final

from socle.accounts.models import Login, LoginCertificate, Person

FACTOR: Final = "certificate"


def acts_with_certificate(person: Person, *, at: datetime) -> bool:
    """Whether `person` has a login under way made with a certificate of hers still in force."""
    logged_in = Login.objects.filter(person=person, ended_at=None, factor=FACTOR)
    usable = LoginCertificate.objects.filter(
        person=person, withdrawn_at=None, not_before__lte=at, not_after__gte=at
    )
    return logged_in.exists() and usable.exists()
