"""What the counter does outside the requests. Each may be delivered twice."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

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
from socle.core.queue import in_tenant
from socle.core.refusals import Refusal

log = logging.getLogger(__name__)


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
    for request_id in queries_of_revocation.to_watch(timezone.now()):
        _quietly(revocations.watch, request_id)
    for campaign_id in elections.unfinished():
        elections.apply(campaign_id, at=timezone.now())


@shared_task(name="ra.watch_certificates")
def watch_certificates() -> None:
    """Ask the authorities about the certificates that are not ours."""
    for watched_id in watching.to_check(timezone.now()):
        _quietly(watching.check, watched_id)


@shared_task(name="ra.purge")
def purge() -> None:
    """Take away what the policy of each offer says is kept no longer."""
    for file_id in retention.due(timezone.now()):
        _quietly(retention.purge, file_id)
    retention.sweep(at=timezone.now())


@shared_task(name="ra.sweep")
def sweep() -> None:
    """Ask again what no message asked; one authority that does not answer stops no other."""
    for request_id in queries.requests_to_send(timezone.now()):
        _quietly(actions.issue_now, request_id)
    for request_id in queries.requests_to_settle():
        _quietly(actions.settle_now, request_id)
    for certificate_id in queries.revocations_to_confirm():
        _quietly(actions.revoke_at_authority, certificate_id)


@shared_task(name="ra.remind_renewals")
def remind_renewals() -> None:
    """Tell the holders whose certificate ends; a replaced or muted one is left alone."""
    now = timezone.now()
    for certificate_id in list(queries.to_renew(now).values_list("pk", flat=True)):
        actions.remind(certificate_id, at=now)


@shared_task(name="ra.clocks")
def clocks() -> None:
    """What time alone decides: certificates nobody came for, authorities that do not answer."""
    for request_id in queries.requests_unanswered(timezone.now()):
        _quietly(actions.warn_unanswered, request_id)
    for file_id in queries.files_uncollected():
        _quietly(_expire, file_id)


@shared_task(name="ra.watch_lists")
def watch_lists() -> None:
    """Fetch the revocation lists; one authority that does not answer stops no other."""
    for authority in CertificationAuthority.objects.order_by("pk"):
        try:
            actions.refresh_revocations(authority=authority, at=timezone.now())
        except Refusal as refusal:
            log.warning("%s: %s", authority.code, refusal)


def _quietly(action: Callable[..., Any], identifier: int) -> None:
    try:
        action(identifier, at=timezone.now())
    except (AuthorityUnavailable, Refusal) as fault:
        log.warning("%s(%s): %s", action.__name__, identifier, fault)


def _expire(file_id: int, *, at: datetime) -> None:
    actions.expire_uncollected(file_id=file_id, at=at)
