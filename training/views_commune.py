"""The agent's screens, in her commune."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.core.refusals import Refusal
from socle.directory import queries as directory
from training import actions, papers, queries, screens
from training.models import Registration, SessionState, TrainingSession
from training.responses import convocation, paper

PER_PAGE = 10
SEATS = "the seats and the waiting list of a session are shared by all communes"


class Mine(CapabilityView):
    """My sessions, my certificates, and the sessions I may join."""

    capability = Capability.TRAINING_ATTEND
    shared_work = SEATS

    def get(self, request: HttpRequest) -> HttpResponse:
        mine = queries.registrations_of(request.user, request.tenant.organisation)
        offered = queries.open_to(request.user, timezone.now())
        context = {
            "mine": Paginator(mine, PER_PAGE).get_page(request.GET.get("page")),
            "offered": [screens.SessionRow.of(session) for session in offered[:PER_PAGE]],
            "states": SessionState,
            "tones": screens.REGISTRATION_TONES,
        }
        return render(request, "training/mine.html", context)


class Join(CapabilityView):
    """Register myself."""

    capability = Capability.TRAINING_ATTEND
    shared_work = SEATS

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = get_object_or_404(queries.open_to(request.user, timezone.now()), pk=pk)
        context = {
            "session": session,
            "seats": screens.seats_left(session),
            "slots": session.slots.all(),
        }
        return render(request, "training/join.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = get_object_or_404(TrainingSession, pk=pk)
        made = self.attempt(
            actions.register,
            subject=session,
            session_id=pk,
            person=request.user,
            organisation=request.tenant.organisation,
        )
        if made:
            messages.success(request, f"« {session} » : {made.get_state_display().lower()}.")
        return redirect("training_commune:mine")


class Leave(CapabilityView):
    """Give my seat back."""

    capability = Capability.TRAINING_ATTEND
    shared_work = SEATS
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        registration = _own(request, pk)
        if self.attempt(actions.withdraw, subject=registration, registration_id=pk):
            messages.success(request, "Votre désistement est enregistré.")
        return redirect("training_commune:mine")


class Convocation(CapabilityView):
    """My convocation, on paper or for my calendar."""

    capability = Capability.TRAINING_ATTEND
    as_calendar = False

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        registration = _own(request, pk)
        try:
            return convocation(registration, as_calendar=self.as_calendar, at=timezone.now())
        except Refusal as refusal:
            messages.error(request, str(refusal))
            return redirect("training_commune:mine")


class Certificate(CapabilityView):
    """My certificate."""

    capability = Capability.TRAINING_ATTEND

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        registration = _own(request, pk)
        made = self.attempt(actions.collect, subject=registration, registration_id=pk)
        if made is None:
            return redirect("training_commune:mine")
        document = papers.certificate(made, directory.syndicat())
        return paper(document, name=f"attestation-{made.code}.pdf")


def _own(request: HttpRequest, pk: int) -> Any:
    """A registration of the person for the commune she is in; anybody else's does not exist."""
    return get_object_or_404(
        Registration.objects.select_related(
            "person", "organisation", "session__programme", "session__trainer"
        ),
        pk=pk,
        person=request.user,
        organisation=request.tenant.organisation,
    )
