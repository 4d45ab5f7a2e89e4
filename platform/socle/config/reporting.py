"""Errors reported to Sentry: off without a DSN, and never a person, a form or a file in them."""

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration

from socle.config.environment import Environment

_PRIVATE = ("cookies", "data", "env", "headers", "query_string")


def start_reporting(environment: Environment) -> None:
    """Start the SDK when a DSN is given; each event carries its tenant as a tag."""
    if not environment.sentry_dsn:
        return
    sentry_sdk.init(
        dsn=environment.sentry_dsn,
        integrations=[DjangoIntegration(), CeleryIntegration()],
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=20,
        before_send=without_private_data,
        before_breadcrumb=lambda crumb, hint: None if crumb.get("category") == "query" else crumb,
    )


def without_private_data(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """The event without what could name a person or show what she sent."""
    event.pop("user", None)
    request = event.get("request", {})
    for part in _PRIVATE:
        request.pop(part, None)
    for exception in event.get("exception", {}).get("values", []):
        exception.pop("value", None)
    return event
