"""What the counter does outside the requests. Each may be delivered twice."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from celery import shared_task
from django.utils import timezone

from registration_authority import actions, queries
from registration_authority.adapters import AuthorityUnavailable
from registration_authority.dossier import actions as file_actions
from registration_authority.models import CertificationAuthority
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
@in_tenant
def revoke(*, certificate_id: int) -> None:
    """Have the authority revoke what we already stopped using."""
    actions.revoke_at_authority(certificate_id, at=timezone.now())


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
    """What time alone decides: copies to destroy, certificates nobody came for."""
    now = timezone.now()
    for file_id in queries.files_to_purge(now):
        _quietly(_purge, file_id)
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


def _purge(file_id: int, *, at: datetime) -> None:
    file_actions.purge(file_id=file_id, at=at)


def _expire(file_id: int, *, at: datetime) -> None:
    actions.expire_uncollected(file_id=file_id, at=at)
