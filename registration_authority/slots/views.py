"""The agenda of the counter, on the portal."""

from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from registration_authority.models import CertificateFile
from registration_authority.screens import PageForm
from registration_authority.slots import actions, forms, queries
from registration_authority.slots.models import Slot, SlotKind
from registration_authority.views import CounterForm, PostView
from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability

PER_PAGE = 30
MOST = 60
NAMESPACE = "registration_authority"


class Agenda(CapabilityView):
    """The slots to come, and who took them."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        page = Paginator(queries.coming(timezone.now()), PER_PAGE).get_page(request.GET.get("page"))
        taken = queries.taken_in(list(page))
        context = {
            "page": page,
            "rows": [(slot, taken.get(slot.pk)) for slot in page],
            "may_plan": self.can(Capability.RA_FACE_TO_FACE),
        }
        return render(request, f"{NAMESPACE}/slots/agenda.html", context)


class Open(PageForm):
    """Offer slots."""

    capability = Capability.RA_FACE_TO_FACE
    form_class = forms.OpenForm
    title = "Ouvrir des créneaux"
    button = "Ouvrir les créneaux"
    back_label = "Agenda"
    back_to = "registration_authority:agenda"

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Open them."""
        given = dict(form.cleaned_data)
        kind = SlotKind(given.pop("kind"))
        opened = self.attempt_form(
            form, actions.open_slots, subject=given["officer"], kind=kind, **given
        )
        return opened and self.finish(f"{len(opened)} créneaux sont proposés aux communes.")


class Close(CapabilityView):
    """Withdraw a slot."""

    capability = Capability.RA_FACE_TO_FACE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Withdraw it."""
        slot = get_object_or_404(Slot, pk=pk)
        if self.attempt(actions.close_slot, subject=slot, slot_id=pk) is not None:
            messages.success(request, "Le créneau est retiré.")
        return redirect(f"{NAMESPACE}:agenda")


class Checklist(PageForm):
    """What to take along for a visit."""

    capability = Capability.RA_FACE_TO_FACE
    form_class = forms.ChecklistForm
    title = "À emporter pour la visite"
    back_label = "Agenda"
    back_to = "registration_authority:agenda"

    def form_options(self, **address: Any) -> dict[str, Any]:
        """The slot of the address."""
        return {"slot": get_object_or_404(Slot, pk=address["pk"], kind=SlotKind.VISIT)}

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Keep what is ready."""
        slot = self.attempt_form(
            form,
            actions.tick,
            subject=("slot", str(address["pk"])),
            slot_id=address["pk"],
            ticked=form.cleaned_data["ticked"],
        )
        return slot and self.finish("La liste est à jour.")


class Book(CounterForm):
    """Take a slot for a file."""

    capability = Capability.RA_FACE_TO_FACE
    form_class = forms.BookForm
    title = "Fixer le rendez-vous"
    button = "Prendre ce créneau"

    def form_options(self, file: CertificateFile) -> dict[str, Any]:
        """The slots that are free."""
        return {"slots": list(queries.free_slots(file, timezone.now())[:MOST])}

    def carry_out(self, file: CertificateFile, form: django_forms.Form) -> HttpResponse | None:
        """Take it."""
        booked = self.attempt_form(
            form,
            actions.book,
            subject=file,
            file_id=file.pk,
            slot_id=int(form.cleaned_data["slot"]),
        )
        return booked and self.finish(file, f"Rendez-vous fixé : {forms.told(booked.slot)}.")


class Cancel(PostView):
    """Give the slot of a file back."""

    capability = Capability.RA_FACE_TO_FACE
    done = "Le rendez-vous est annulé, la personne est prévenue."
    action = staticmethod(actions.cancel)
