"""Questions about people and their certificates."""

from datetime import datetime

from socle.accounts.models import LoginCertificate, Person


def usable_certificate(person: Person, *, siren: str, at: datetime) -> LoginCertificate | None:
    """The certificate with the latest end that `person` may use for the body `siren` at `at`."""
    return (
        LoginCertificate.objects.filter(
            person=person, siren=siren, withdrawn_at=None, not_before__lte=at, not_after__gte=at
        )
        .order_by("-not_after")
        .first()
    )
