"""Revoke at any hour, without a login: the code given with the certificate is enough."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from registration_authority.models import RevocationReason
from registration_authority.revocation import actions, forms, policies
from socle.accounts.access import CapabilityView, note_refusal
from socle.accounts.addresses import client_address
from socle.accounts.capabilities import Access

PAGE = "registration_authority/revocation/public.html"
DONE = "registration_authority/revocation/public_done.html"


class Public(CapabilityView):
    """The form with the code."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        return self.show(request, forms.PublicForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Revoke, or say what was wrong without saying which."""
        form = forms.PublicForm(request.POST)
        status = 200
        if form.is_valid():
            given = form.cleaned_data
            try:
                ended = actions.ask_with_code(
                    email=given["email"],
                    code=given["code"],
                    reason=RevocationReason(given["reason"]),
                    address=client_address(request),
                    at=timezone.now(),
                )
            except (policies.WrongCode, policies.NotAllowedToAsk) as refusal:
                note_refusal(request, refusal, event="revoke_with_code")
                form.add_error(refusal.field or None, str(refusal))
            except policies.TooManyCodes as refusal:
                note_refusal(request, refusal, event="revoke_with_code")
                form.add_error(None, str(refusal))
                status = 429
            else:
                return render(request, DONE, {"ended": ended})
        return self.show(request, form, status=status)

    def show(self, request: HttpRequest, form: forms.PublicForm, status: int = 200) -> HttpResponse:
        """The page."""
        return render(request, PAGE, {"form": form}, status=status)


class CallBack(CapabilityView):
    """No code: be called back."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        return self.show(request, forms.CallBackForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Note it; the answer is the same whoever asks."""
        form = forms.CallBackForm(request.POST)
        if not form.is_valid():
            return self.show(request, form)
        try:
            actions.ask_call_back(
                email=form.cleaned_data["email"],
                reason=RevocationReason(form.cleaned_data["reason"]),
                address=client_address(request),
                at=timezone.now(),
            )
        except policies.TooManyCodes as refusal:
            note_refusal(request, refusal, event="ask_call_back")
            form.add_error(None, str(refusal))
            return self.show(request, form, status=429)
        except policies.NotAllowedToAsk:
            pass  # the policy wants the code: the page says the same to everybody
        return render(request, DONE, {"ended": None})

    def show(
        self, request: HttpRequest, form: forms.CallBackForm, status: int = 200
    ) -> HttpResponse:
        """The page."""
        context = {"form": form, "calls_back": True}
        return render(request, PAGE, context, status=status)
