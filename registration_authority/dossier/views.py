"""What waits, batches, mandates, notes and policies, on the portal."""

from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from registration_authority import progress, todos
from registration_authority import queries as counter
from registration_authority.dossier import actions, batches, forms, queries
from registration_authority.dossier import policies as rules
from registration_authority.dossier.models import (
    Mandate,
    MandateKind,
    PieceRule,
    PolicyProfile,
)
from registration_authority.dossier.profiles import profile_of
from registration_authority.models import CertificateFile, Offer, PieceKind
from registration_authority.screens import AttemptView, PageForm
from registration_authority.slots import queries as slots
from registration_authority.views import CounterForm, PostView
from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.core.clock import legal_date
from socle.directory.models import Organisation

PER_PAGE = 25
MOST_CHOICES = 200
NAMESPACE = "registration_authority"


class Desk(CapabilityView):
    """What waits for this officer: the next step of each file, the longest waiting first."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        now = timezone.now()
        officer: Any = request.user
        page = Paginator(queries.waiting_for(officer, now), PER_PAGE).get_page(
            request.GET.get("page")
        )
        soon = list(slots.coming(now).filter(officer=officer)[:10])
        taken = slots.taken_in(soon)
        context = {
            "page": page,
            "rows": [(one, progress.tone(one), progress.next_step(one)) for one in page],
            "todos": [one for one in todos.of_the_counter(request) if one.count],
            "meetings": [(slot, taken[slot.pk]) for slot in soon if slot.pk in taken],
        }
        return render(request, f"{NAMESPACE}/dossier/desk.html", context)


# One file


class Release(PostView):
    """Leave the file to the others."""

    capability = Capability.RA_CHECK
    done = "Le dossier est libre pour vos collègues."
    action = staticmethod(actions.release)


class Resume(PostView):
    """Go on with a file that waited."""

    capability = Capability.RA_CHECK
    done = "Le dossier n’est plus en attente."
    action = staticmethod(actions.resume)


class Hold(CounterForm):
    """Stop a file until the commune answers."""

    capability = Capability.RA_CHECK
    form_class = forms.HoldForm
    title = "Mettre le dossier en attente"
    button = "Mettre en attente et prévenir"

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Stop it."""
        held = self.attempt_form(
            form, actions.hold, subject=file, file_id=file.pk, **form.cleaned_data
        )
        return held and self.finish(file, f"Le dossier attend ; {file.holder} est prévenu(e).")


class AddNote(CounterForm):
    """Tell the other officers something."""

    capability = Capability.RA_CHECK
    form_class = forms.NoteForm
    title = "Ajouter une note"
    button = "Ajouter la note"

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Keep it."""
        note = self.attempt_form(
            form, actions.add_note, subject=file, file_id=file.pk, **form.cleaned_data
        )
        return note and self.finish(file, "La note est au dossier.")


class Route(CounterForm):
    """Who signs for the body, and through whom the file goes."""

    capability = Capability.RA_CHECK
    form_class = forms.RouteForm
    title = "Signataire et mandataire"
    lead = "Les personnes proposées sont celles inscrites dans les mandats de la commune."

    def form_options(self, file: CertificateFile) -> dict[str, Any]:
        """The mandates of the body."""
        return {"organisation": file.organisation, "on": legal_date(timezone.now())}

    def initial(self, file: CertificateFile) -> dict[str, Any]:
        """What was said before."""
        return {"signed_by": file.signed_by_id, "proxy": file.proxy_id}

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Write it down."""
        done = self.attempt_form(
            form, actions.set_route, subject=file, file_id=file.pk, **form.cleaned_data
        )
        return done and self.finish(file, "Le signataire et le mandataire sont inscrits.")


# Mandates of a body


class Mandates(CapabilityView):
    """Who may sign for a commune, from when to when."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest, siren: str) -> HttpResponse:
        """Show them."""
        organisation = get_object_or_404(Organisation, siren=siren)
        today = legal_date(timezone.now())
        context = {
            "organisation": organisation,
            "rows": [
                (one, rules.is_in_force(one, on=today)) for one in queries.mandates(organisation)
            ],
            "may_write": self.can(Capability.RA_CHECK),
        }
        return render(request, f"{NAMESPACE}/dossier/mandates.html", context)


class MandatePage(PageForm):
    """A form about a mandate."""

    capability = Capability.RA_CHECK
    back_label = "Mandats"

    def back_url(self) -> str:
        """The mandates of the body."""
        return reverse(f"{NAMESPACE}:mandates", args=(self.kwargs["siren"],))


class RecordMandate(MandatePage):
    """Write a mandate down."""

    form_class = forms.MandateForm
    title = "Inscrire un mandat"

    def form_options(self, **address: Any) -> dict[str, Any]:
        """The body of the address."""
        return {"organisation": get_object_or_404(Organisation, siren=address["siren"])}

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Keep it."""
        organisation = get_object_or_404(Organisation, siren=address["siren"])
        given = dict(form.cleaned_data)
        kept = self.attempt_form(
            form,
            actions.record_mandate,
            subject=organisation,
            organisation=organisation,
            kind=MandateKind(given.pop("kind")),
            **given,
        )
        return kept and self.finish(f"Le mandat de {kept} est inscrit.")


class EndMandate(MandatePage):
    """Write down the last day of a mandate."""

    form_class = forms.EndForm
    title = "Fin du mandat"

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Keep it."""
        mandate = get_object_or_404(Mandate, pk=address["pk"], organisation__siren=address["siren"])
        ended = self.attempt_form(
            form,
            actions.end_mandate,
            subject=mandate,
            mandate_id=mandate.pk,
            **form.cleaned_data,
        )
        return ended and self.finish(f"Le mandat de {ended} prend fin.")


# Batches


class Batches(CapabilityView):
    """Files opened together."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        page = Paginator(queries.batches(), PER_PAGE).get_page(request.GET.get("page"))
        context = {"page": page, "may_open": self.can(Capability.RA_CHECK)}
        return render(request, f"{NAMESPACE}/dossier/batches.html", context)


class BatchPage(CapabilityView):
    """One batch: where each of its files stands."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show it."""
        batch = get_object_or_404(queries.batches(), pk=pk)
        page = Paginator(queries.lines(batch), PER_PAGE).get_page(request.GET.get("page"))
        wanted = [line.file_id for line in page if line.file_id]
        files = {one.pk: one for one in counter.files().filter(pk__in=wanted)}
        rows = []
        for line in page:
            file = files.get(line.file_id or 0)
            rows.append(
                (
                    line,
                    file,
                    progress.tone(file) if file else "danger",
                    progress.next_step(file) if file else line.refusal,
                )
            )
        context = {"batch": batch, "page": page, "rows": rows}
        return render(request, f"{NAMESPACE}/dossier/batch.html", context)


class NewBatch(AttemptView):
    """Choose who gets a file."""

    capability = Capability.RA_CHECK

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask, among the people who have neither a certificate nor a file."""
        return self.show(request, forms.BatchForm(choices=self.choices(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Open what can be."""
        form = forms.BatchForm(request.POST, choices=self.choices(request))
        if form.is_valid():
            wanted = set(form.cleaned_data["wanted"])
            chosen = [
                batches.Wanted(one.organisation, one.person, one.person.function or "Agent")
                for one in self.people(request)
                if str(one.pk) in wanted
            ]
            batch = self.attempt_form(
                form,
                batches.open_batch,
                subject=form.cleaned_data["offer"],
                label=form.cleaned_data["label"],
                offer=form.cleaned_data["offer"],
                wanted=chosen,
            )
            if batch is not None:
                messages.success(request, "Les dossiers sont ouverts : voici où en est chacun.")
                return redirect(f"{NAMESPACE}:batch", pk=batch.pk)
        return self.show(request, form)

    def people(self, request: HttpRequest) -> list[Any]:
        """The people of the communes that answer to the search."""
        found = queries.without_certificate(timezone.now(), request.GET.get("q", ""))
        return list(found[:MOST_CHOICES])

    def choices(self, request: HttpRequest) -> list[tuple[str, str]]:
        """The same as a list of choices."""
        return [
            (str(one.pk), f"{one.organisation} : {one.person}, {one.person.function or 'agent'}")
            for one in self.people(request)
        ]

    def show(self, request: HttpRequest, form: forms.BatchForm) -> HttpResponse:
        """The page with its form."""
        context = {"form": form, "searched": request.GET.get("q", "")}
        return render(request, f"{NAMESPACE}/dossier/new_batch.html", context)


# Offers and their policies


class Offers(CapabilityView):
    """What the authorities sell, and under which policy."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        rows = [(one, profile_of(one)) for one in queries.offers()]
        return render(request, f"{NAMESPACE}/dossier/offers.html", {"rows": rows})


class OfferPage(CapabilityView):
    """One offer, its policy and the rules of its pieces."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        """Show it."""
        offer = get_object_or_404(queries.offers(), code=code)
        profile = profile_of(offer)
        known = {one.kind: one for one in PieceRule.objects.filter(profile__offer=offer)}
        context = {
            "offer": offer,
            "profile": profile,
            "rules": [(kind, known.get(kind), kind in offer.required_pieces) for kind in PieceKind],
            "may_write": self.can(Capability.RA_RULES),
            "sections": told(profile),
        }
        return render(request, f"{NAMESPACE}/dossier/offer.html", context)


def told(profile: PolicyProfile) -> list[tuple[str, list[tuple[str, Any]]]]:
    """What a policy says, section by section, in the words of its form."""
    form = forms.ProfileForm(instance=profile)
    return [
        (title, [(field.label, forms.in_words(profile, field.name)) for field in fields])
        for title, fields in form.sections()
    ]


class PolicyPage(PageForm):
    """A form about the policy of an offer."""

    capability = Capability.RA_RULES
    back_label = "Offre"

    def offer(self) -> Offer:
        """The offer of the address, or 404."""
        return get_object_or_404(queries.offers(), code=self.kwargs["code"])

    def back_url(self) -> str:
        """The page of the offer."""
        return reverse(f"{NAMESPACE}:offer", args=(self.kwargs["code"],))


class WriteProfile(PolicyPage):
    """Write what the policy asks for."""

    form_class = forms.ProfileForm
    template_name = f"{NAMESPACE}/dossier/profile.html"
    title = "Politique de l’offre"

    @property
    def lead(self) -> str:  # type: ignore[override]
        """Which offer, and what to copy."""
        return f"{self.offer()} : recopiez ce que demandent la PC et la DPC de l’autorité."

    def form_options(self, **address: Any) -> dict[str, Any]:
        """The policy that holds now."""
        return {"instance": profile_of(self.offer())}

    def carry_out(self, form: Any, **address: Any) -> HttpResponse | None:
        """Keep it."""
        profile: PolicyProfile = form.save(commit=False)
        kept = self.attempt_form(
            form, actions.write_profile, subject=profile.offer, profile=profile
        )
        return kept and self.finish("La politique est enregistrée.")


class WriteRule(PolicyPage):
    """Write how one kind of piece is examined."""

    form_class = forms.RuleForm

    @property
    def title(self) -> str:  # type: ignore[override]
        """The kind of piece."""
        return PieceKind(self.kwargs["kind"]).label

    def form_options(self, **address: Any) -> dict[str, Any]:
        """The rule that holds now, or a new one."""
        if address["kind"] not in PieceKind:
            raise Http404(address["kind"])
        profile = profile_of(self.offer())
        if profile.pk is None:
            raise Http404("no policy yet")
        known = PieceRule.objects.filter(profile=profile, kind=address["kind"]).first()
        return {"instance": known or PieceRule(profile=profile, kind=address["kind"])}

    def carry_out(self, form: Any, **address: Any) -> HttpResponse | None:
        """Keep it."""
        rule: PieceRule = form.save(commit=False)
        kept = self.attempt_form(form, actions.write_rule, subject=rule.profile.offer, rule=rule)
        return kept and self.finish("La règle est enregistrée.")
