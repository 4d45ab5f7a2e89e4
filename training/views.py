"""The trainer's screens, on the syndicat's portal."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from socle.accounts.access import CapabilityView, note_refusal
from socle.accounts.capabilities import Capability
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.directory import queries as directory
from socle.directory.models import Grant
from socle.web.items import Link
from training import actions, papers, queries, screens
from training.forms import CancelForm, MoveForm, PlanForm, ProgrammeForm
from training.models import (
    AttendanceSlot,
    Programme,
    Registration,
    SessionState,
    TrainingSession,
)
from training.responses import convocation, paper

PER_PAGE = 20
VIEWS = {"a-venir": "À venir", "a-terminer": "À émarger ou à clôturer", "passees": "Passées"}


class Sessions(CapabilityView):
    """The calendar of sessions, month by month, with the seats left."""

    capability = Capability.TRAINING_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        chosen = request.GET.get("vue", "a-venir")
        chosen = chosen if chosen in VIEWS else "a-venir"
        page = Paginator(_sessions(chosen), PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "page": page,
            "rows": [screens.SessionRow.of(session) for session in page],
            "views": [
                Link(label=label, url=f"?vue={key}", current=key == chosen)
                for key, label in VIEWS.items()
            ],
            "may_plan": self.can(Capability.TRAINING_PLAN),
        }
        return render(request, "training/sessions.html", context)


def _sessions(chosen: str) -> Any:
    at = timezone.now()
    if chosen == "passees":
        return queries.past()
    return queries.to_finish(at) if chosen == "a-terminer" else queries.upcoming(at)


class Programmes(CapabilityView):
    """What the syndicat teaches."""

    capability = Capability.TRAINING_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        page = Paginator(Programme.objects.all(), PER_PAGE).get_page(request.GET.get("page"))
        context = {"page": page, "may_plan": self.can(Capability.TRAINING_PLAN)}
        return render(request, "training/programmes.html", context)


class EditProgramme(CapabilityView):
    """Write a programme, new or not."""

    capability = Capability.TRAINING_PLAN

    def get(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        return self.show(request, ProgrammeForm(instance=self.programme(pk)))

    def post(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        form = ProgrammeForm(request.POST, instance=self.programme(pk))
        if not form.is_valid():
            return self.show(request, form)
        programme = self.attempt(actions.save_programme, programme_id=pk, facts=form.facts())
        if programme is None:
            return self.show(request, form)
        messages.success(request, f"Le programme « {programme} » est enregistré.")
        return redirect("training:programmes")

    def programme(self, pk: int | None) -> Programme | None:
        return get_object_or_404(Programme, pk=pk) if pk else None

    def show(self, request: HttpRequest, form: ProgrammeForm) -> HttpResponse:
        return render(request, "training/programme.html", {"form": form})


class Plan(CapabilityView):
    """Plan a session."""

    capability = Capability.TRAINING_PLAN

    def get(self, request: HttpRequest) -> HttpResponse:
        initial = {"trainer": request.user.pk, "seats": 10}
        form = PlanForm(on=legal_date(timezone.now()), initial=initial)
        return render(request, "training/plan.html", {"form": form})

    def post(self, request: HttpRequest) -> HttpResponse:
        at = timezone.now()
        form = PlanForm(request.POST, on=legal_date(at))
        if form.is_valid():
            try:
                session = actions.plan(by=request.user, at=at, **form.facts())
            except Refusal as refusal:
                note_refusal(request, refusal, event="plan")
                form.add_error(_field(form, refusal), str(refusal))
            else:
                messages.success(request, f"La session « {session} » est planifiée.")
                return redirect("training:session", pk=session.pk)
        return render(request, "training/plan.html", {"form": form})


class Move(CapabilityView):
    """Change the date, the place, the trainer or the seats."""

    capability = Capability.TRAINING_PLAN

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = _session(pk)
        return self.show(request, session, self.form(session))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = _session(pk)
        form = self.form(session, request.POST)
        if form.is_valid():
            try:
                actions.move(session_id=pk, by=request.user, at=timezone.now(), **form.facts())
            except Refusal as refusal:
                note_refusal(request, refusal, event="move", subject=session)
                form.add_error(_field(form, refusal), str(refusal))
            else:
                messages.success(request, "La session est modifiée : convoquez à nouveau.")
                return redirect("training:session", pk=pk)
        return self.show(request, session, form)

    def form(self, session: TrainingSession, *data: Any) -> MoveForm:
        return MoveForm(*data, session=session, on=legal_date(timezone.now()))

    def show(self, request: HttpRequest, session: TrainingSession, form: MoveForm) -> HttpResponse:
        return render(request, "training/move.html", {"session": session, "form": form})


class Session(CapabilityView):
    """One session: who comes, who waits, what is next."""

    capability = Capability.TRAINING_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = get_object_or_404(queries.sessions(), pk=pk)
        at = timezone.now()
        slots = list(queries.signed_slots(session))
        registrations = list(
            queries.current(session)
            .select_related("person", "organisation")
            .prefetch_related("attendances")
        )
        participants = screens.participants(session, registrations, slots)
        context = {
            "session": session,
            "tone": screens.SESSION_TONES[session.state],
            "seats": screens.seats_left(session),
            "slots": [(slot, slot.starts_at <= at, slot.signed >= session.taken) for slot in slots],
            "participants": participants,
            "to_convene": sum(
                1 for one in participants if one.tone == "success" and not one.is_convened
            ),
            "has_begun": session.starts_at <= at,
            "is_over": session.ends_at <= at,
            "all_signed": all(slot.signed >= session.taken for slot in slots),
            "states": SessionState,
            "may_plan": self.can(Capability.TRAINING_PLAN),
        }
        return render(request, "training/session.html", context)


class Open(CapabilityView):
    """Let agents register."""

    capability = Capability.TRAINING_PLAN
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = _session(pk)
        if self.attempt(actions.open_registrations, subject=session, session_id=pk):
            messages.success(request, "Les agents peuvent s’inscrire.")
        return redirect("training:session", pk=pk)


class Cancel(CapabilityView):
    """Call a session off, with a reason everybody reads."""

    capability = Capability.TRAINING_PLAN

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show(request, _session(pk), CancelForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = _session(pk)
        form = CancelForm(request.POST)
        if not form.is_valid():
            return self.show(request, session, form)
        reason = form.cleaned_data["reason"]
        if self.attempt(actions.cancel, subject=session, session_id=pk, reason=reason):
            messages.success(request, "La session est annulée, les agents sont prévenus.")
        return redirect("training:session", pk=pk)

    def show(self, request: HttpRequest, session: TrainingSession, form: Any) -> HttpResponse:
        return render(request, "training/cancel.html", {"session": session, "form": form})


class Enrol(CapabilityView):
    """Find an agent of a member body and give her a place."""

    capability = Capability.TRAINING_PLAN

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = get_object_or_404(queries.sessions(), pk=pk)
        text = request.GET.get("q", "")
        found = queries.agents(session, text, legal_date(timezone.now()))
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "session": session,
            "seats": screens.seats_left(session),
            "page": page,
            "q": text,
        }
        return render(request, "training/enrol.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = _session(pk)
        chosen = request.POST.get("agent", "")
        grant = get_object_or_404(
            Grant.objects.select_related("person", "organisation"),
            pk=chosen if chosen.isdecimal() else 0,
        )
        made = self.attempt(
            actions.register,
            subject=session,
            session_id=pk,
            person=grant.person,
            organisation=grant.organisation,
        )
        if made:
            messages.success(request, f"{made} : {made.get_state_display().lower()}.")
        return redirect("training:session", pk=pk)


class Withdraw(CapabilityView):
    """Give an agent's seat to the next one."""

    capability = Capability.TRAINING_PLAN
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        registration = get_object_or_404(Registration, pk=pk)
        gone = self.attempt(actions.withdraw, subject=registration, registration_id=pk)
        if gone:
            messages.success(request, f"{gone} ne vient plus.")
        return redirect("training:session", pk=registration.session_id)


class Convene(CapabilityView):
    """Send the convocations that were not sent."""

    capability = Capability.TRAINING_PLAN
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        sent = self.attempt(actions.convene, subject=_session(pk), session_id=pk)
        if sent:
            messages.success(request, f"Convocations envoyées : {sent}.")
        return redirect("training:session", pk=pk)


class SignIn(CapabilityView):
    """The sign-in sheet of one half-day: present or absent, agent by agent."""

    capability = Capability.TRAINING_PLAN

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        slot = self.slot(pk)
        registrations = queries.confirmed(slot.session).prefetch_related("attendances__recorded_by")
        context = {
            "slot": slot,
            "session": slot.session,
            "rows": screens.sheet_rows(slot, list(registrations)),
            "has_begun": slot.starts_at <= timezone.now(),
            "is_open": slot.session.state in (SessionState.OPEN, SessionState.HELD),
        }
        return render(request, "training/sign_in.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        slot = self.slot(pk)
        marks = {
            int(name.removeprefix("agent-")): value == "present"
            for name, value in request.POST.items()
            if name.removeprefix("agent-").isdecimal() and value in ("present", "absent")
        }
        if self.attempt(actions.sign, subject=slot.session, slot_id=pk, marks=marks):
            messages.success(request, f"Émargement enregistré : {len(marks)} sur la feuille.")
        return redirect("training:session", pk=slot.session_id)

    def slot(self, pk: int) -> AttendanceSlot:
        return get_object_or_404(
            AttendanceSlot.objects.select_related("session__programme", "session__trainer"), pk=pk
        )


class Close(CapabilityView):
    """Close the session and attest the hours attended."""

    capability = Capability.TRAINING_PLAN
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        made = self.attempt(actions.close, subject=_session(pk), session_id=pk)
        if made is not None:
            messages.success(
                request, f"La session est clôturée. Attestations délivrées : {len(made)}."
            )
        return redirect("training:session", pk=pk)


class Sheet(CapabilityView):
    """The sheet to sign on paper."""

    capability = Capability.TRAINING_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = _session(pk)
        document = papers.sheet(
            session, list(queries.confirmed(session)), directory.syndicat(), at=timezone.now()
        )
        return paper(document, name=f"emargement-{pk}.pdf")


class Convocation(CapabilityView):
    """The convocation of one agent, on paper or for a calendar."""

    capability = Capability.TRAINING_READ
    as_calendar = False

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        registration = get_object_or_404(_registrations(), pk=pk)
        try:
            return convocation(registration, as_calendar=self.as_calendar, at=timezone.now())
        except Refusal as refusal:
            messages.error(request, str(refusal))
            return redirect("training:session", pk=registration.session_id)


class Certificate(CapabilityView):
    """The certificate of one agent."""

    capability = Capability.TRAINING_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        registration = get_object_or_404(Registration, pk=pk)
        made = self.attempt(actions.collect, subject=registration, registration_id=pk)
        if made is None:
            return redirect("training:session", pk=registration.session_id)
        document = papers.certificate(made, directory.syndicat())
        return paper(document, name=f"attestation-{made.code}.pdf")


class Verify(CapabilityView):
    """Whether a code answers to a certificate, for one who was shown a paper."""

    capability = Capability.TRAINING_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        code = request.GET.get("code", "").strip()
        context = {
            "code": code,
            "found": queries.certificate(code) if code else None,
            "back": reverse("training:sessions"),
        }
        return render(request, "training/verify.html", context)


def _registrations() -> Any:
    return Registration.objects.select_related(
        "person", "organisation", "session__programme", "session__trainer"
    )


def _session(pk: int) -> TrainingSession:
    return get_object_or_404(TrainingSession.objects.select_related("programme", "trainer"), pk=pk)


def _field(form: Any, refusal: Refusal) -> str | None:
    return refusal.field if refusal.field in form.fields else None
