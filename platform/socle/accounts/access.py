"""Views that name the capability they need, and refusals that reach the person and the journal."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views import View

from socle.accounts import policies, queries
from socle.accounts.capabilities import TRANSMITTING, Access, Capability
from socle.core.refusals import Refusal
from socle.journal.actions import record_refusal

Result = TypeVar("Result")


class CapabilityView(View):
    """A view that only opens to a person with `capability` in the current organisation."""

    capability: ClassVar[Capability | Access]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask for a login, refuse, or serve."""
        if self.capability is not Access.ANYONE:
            if not (request.user.is_authenticated and request.user.is_verified()):
                return _to_login(request)
            request.user.login_in_hand = getattr(request, "login", None)  # type: ignore[union-attr]
            if not allows(request, self.capability):
                raise PermissionDenied(self.capability)
            if request.method == "POST" and not is_confirmed(request, self.capability):
                return _to_step_up(request)
        return super().dispatch(request, *args, **kwargs)

    def can(self, capability: Capability) -> bool:
        """Whether the person may also do `capability`, for what the page offers."""
        return allows(self.request, capability)

    def attempt(
        self, action: Callable[..., Result], *, subject: Any = None, **arguments: Any
    ) -> Result | None:
        """Call `action(by=…, at=…, **arguments)`; on a refusal show and journal it, return None.

        `subject` is what the attempt was about, for the journal; by default the organisation.
        """
        try:
            return action(by=self.request.user, at=timezone.now(), **arguments)
        except Refusal as refusal:
            note_refusal(self.request, refusal, subject=subject, event=action.__name__)
            messages.error(self.request, str(refusal))
            return None


def is_confirmed(request: HttpRequest, capability: Capability | Access) -> bool:
    """Whether the person proved lately enough that it is she, for what transmits.

    The body she acts for says how lately, and with what; most say nothing.
    """
    if capability not in TRANSMITTING:
        return True
    organisation = getattr(getattr(request, "tenant", None), "organisation", None)
    rule = queries.step_up_rule(organisation.siren) if organisation else None
    if rule is None:
        return True
    login = getattr(request, "login", None)
    return login is not None and policies.is_fresh(
        proved_at=login.confirmed_at or login.started_at,
        factor=login.confirmed_factor or login.factor,
        minutes=rule.minutes,
        certificate_only=rule.factor == rule.Factor.CERTIFICATE,
        at=timezone.now(),
    )


def allows(request: HttpRequest, capability: Capability | Access) -> bool:
    """Whether the current person may do `capability` here."""
    return capability is Access.LOGGED_IN or capability in request.capabilities  # type: ignore[attr-defined]


def note_refusal(
    request: HttpRequest, refusal: Refusal, *, event: str, subject: Any = None
) -> None:
    """Write a refused attempt in the journal of the current schema."""
    tenant = getattr(request, "tenant", None)
    record_refusal(
        event=f"refused.{event}",
        subject=subject or ("organisation", str(getattr(tenant, "organisation_id", ""))),
        by=request.user if request.user.is_authenticated else "anonyme",
        at=timezone.now(),
        sentence=str(refusal),
        code=refusal.code,
    )


def _to_step_up(request: HttpRequest) -> HttpResponse:
    """Ask for the proof, then come back to the page of the button: she presses it again."""
    came_from = urlsplit(request.META.get("HTTP_REFERER", ""))
    here = came_from.netloc == request.get_host()
    back = came_from.path if here and came_from.path else "/"
    return redirect(f"{reverse('accounts:step_up')}?{urlencode({'suite': back})}")


def _to_login(request: HttpRequest) -> HttpResponse:
    step = "accounts:second_factor" if request.user.is_authenticated else "accounts:login"
    back = request.get_full_path() if request.method == "GET" else "/"
    return redirect(f"{reverse(step)}?{urlencode({'suite': back})}")
