"""Questions about people and their certificates."""

from datetime import datetime

from django.db.models import Q

from socle.accounts.models import LoginCertificate, Person, StepUpRule


def usable_certificate(person: Person, *, siren: str, at: datetime) -> LoginCertificate | None:
    """The certificate with the latest end that `person` may use for the body `siren` at `at`."""
    return (
        LoginCertificate.objects.filter(
            Q(siren=siren) | Q(bodies__siren=siren),
            person=person,
            withdrawn_at=None,
            not_before__lte=at,
            not_after__gte=at,
        )
        .order_by("-not_after")
        .first()
    )


def step_up_rule(siren: str) -> StepUpRule | None:
    """What the body `siren` asks before something leaves in its name, if anything."""
    return StepUpRule.objects.filter(siren=siren).first()
