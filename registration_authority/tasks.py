"""What the counter does outside the requests. Each may be delivered twice."""

from collections.abc import Callable, Iterable
from datetime import datetime

from celery import shared_task
from django.utils import timezone
from django_tenants.utils import get_public_schema_name, schema_context

from registration_authority import actions, queries
from registration_authority.adapters import AuthorityUnavailable
from registration_authority.evidence import retention
from registration_authority.models import CertificationAuthority
from registration_authority.revocation import actions as revocations
from registration_authority.revocation import elections
from registration_authority.revocation import queries as queries_of_revocation
from registration_authority.watch import actions as watching
from socle.core import sweeps
from socle.core.queue import in_tenant


@shared_task(
    name="ra.issue", acks_late=True, autoretry_for=(AuthorityUnavailable,), retry_backoff=True
)
@in_tenant
def issue(*, request_id: int) -> None:
    """Obtain the certificate once, however many times this message is delivered."""
    actions.issue_now(request_id, at=timezone.now())


@shared_task(
    name="ra.revoke", acks_late=True, autoretry_for=(AuthorityUnavailable,), retry_backoff=True
)
def revoke(*, schema: str, certificate_id: int) -> None:
    """Have the authority revoke what we already stopped using.

    Asked from a commune too, done by the counter: no commune sees how we speak to an authority.
    """
    with schema_context(get_public_schema_name()):
        actions.revoke_at_authority(certificate_id, at=timezone.now())


@shared_task(name="ra.apply_campaign", acks_late=True)
@in_tenant
def apply_campaign(*, campaign_id: int) -> None:
    """Revoke what falls with the mandates of a validated campaign."""
    elections.apply(campaign_id, at=timezone.now())


@shared_task(name="ra.watch_revocations")
def watch_revocations() -> None:
    """Look whether the authorities published what we asked; warn when it drags."""
    watching.look_for_revocations(at=timezone.now())
    _each("Suivi d’une révocation", queries_of_revocation.to_watch, revocations.watch)
    _each("Campagne d’élections à appliquer", _unfinished, elections.apply)


@shared_task(name="ra.watch_certificates")
def watch_certificates() -> None:
    """Ask the authorities about the certificates that are not ours."""
    _each("Certificat suivi à vérifier", watching.to_check, watching.check)


@shared_task(name="ra.purge")
def purge() -> None:
    """Take away what the policy of each offer says is kept no longer."""
    _each("Dossier de certificat à purger", retention.due, retention.purge)
    retention.sweep(at=timezone.now())


@shared_task(name="ra.sweep")
def sweep() -> None:
    """Ask again what no message asked; one authority that does not answer stops no other."""
    _each("Certificat à demander", queries.requests_to_send, actions.issue_now)
    _each("Certificat à confirmer", _to_settle, actions.settle_now)
    _each("Révocation à demander", _to_revoke, actions.revoke_at_authority)


@shared_task(name="ra.remind_renewals")
def remind_renewals() -> None:
    """Tell the holders whose certificate ends; a replaced or muted one is left alone."""
    _each("Renouvellement à rappeler", _to_renew, actions.remind)


@shared_task(name="ra.clocks")
def clocks() -> None:
    """What time alone decides: certificates nobody came for, authorities that do not answer."""
    _each("Demande sans réponse à signaler", queries.requests_unanswered, actions.warn_unanswered)
    _each("Certificat non retiré", _uncollected, _expire)


@shared_task(name="ra.watch_lists")
def watch_lists() -> None:
    """Fetch the revocation lists; one authority that does not answer stops no other."""
    authorities = CertificationAuthority.objects.order_by("pk")
    watching.refresh_lists("Liste de révocation à relire", authorities, at=timezone.now())


def _each(
    what: str, due: Callable[[datetime], Iterable[int]], action: Callable[..., object]
) -> None:
    """Do `action` on each key that is due now: see `core.sweeps`."""
    sweeps.each(
        what,
        list(due(timezone.now())),
        lambda key: action(key, at=timezone.now()),
        named=lambda key: f"n° {key}",
    )


def _unfinished(at: datetime) -> list[int]:
    return elections.unfinished()


def _to_settle(at: datetime) -> list[int]:
    return queries.requests_to_settle()


def _to_revoke(at: datetime) -> list[int]:
    return queries.revocations_to_confirm()


def _to_renew(at: datetime) -> list[int]:
    return list(queries.to_renew(at).values_list("pk", flat=True))


def _uncollected(at: datetime) -> list[int]:
    return queries.files_uncollected()


def _expire(file_id: int, *, at: datetime) -> None:
    actions.expire_uncollected(file_id=file_id, at=at)
