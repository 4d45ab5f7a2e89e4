"""The stock of tokens, on the portal."""

from typing import Any

from django import forms as django_forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from registration_authority.screens import PageForm
from registration_authority.stock import actions, forms, queries
from registration_authority.stock.models import (
    Count,
    Sleeve,
    Token,
    TokenBatch,
    TokenState,
)
from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.core.clock import legal_date
from socle.web.items import Event, Link, Tone

PER_PAGE = 50
NAMESPACE = "registration_authority"
STOCK = f"{NAMESPACE}:stock"
TONES: dict[str, Tone] = {
    TokenState.UNFORMATTED: "neutral",
    TokenState.FORMATTED: "success",
    TokenState.ACTIVE: "progress",
    TokenState.SUSPENDED: "warning",
    TokenState.DAMAGED: "danger",
    TokenState.LOST: "danger",
    TokenState.TERMINATED: "neutral",
}


class Stock(CapabilityView):
    """What is where."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the places, then the tokens."""
        state, text = request.GET.get("etat", ""), request.GET.get("q", "").strip()
        batch = request.GET.get("livraison", "")
        found = queries.tokens()
        if state in TokenState:
            found = found.filter(state=state)
        if batch.isdigit():
            found = found.filter(batch_id=int(batch))
        if text:
            found = found.filter(serial__icontains=text)
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        address = reverse(STOCK)
        context = {
            "shelves": queries.shelves(),
            "page": page,
            "rows": [(one, TONES[one.state]) for one in page],
            "tabs": [Link(label="Tous", url=address, current=state not in TokenState)]
            + [
                Link(label=one.label, url=f"{address}?etat={one.value}", current=state == one)
                for one in TokenState
            ],
            "batches": TokenBatch.objects.all()[:10],
            "counts": Count.objects.select_related("location", "counted_by")[:5],
            "may_keep": self.can(Capability.RA_STOCK),
            "searched": bool(text or state or batch),
        }
        return render(request, f"{NAMESPACE}/stock/stock.html", context)


class TokenPage(CapabilityView):
    """One token and its ledger."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show it."""
        token = get_object_or_404(queries.tokens(), pk=pk)
        lines = token.movements.select_related("by", "origin", "destination").order_by("-at", "-pk")
        context = {
            "token": token,
            "tone": TONES[token.state],
            "events": [
                Event(
                    at=one.at,
                    label=f"{one.get_after_display()}, {one.destination or 'hors du stock'}",
                    who=str(one.by),
                    detail=one.reason,
                )
                for one in lines
            ],
            "may_keep": self.can(Capability.RA_STOCK),
        }
        return render(request, f"{NAMESPACE}/stock/token.html", context)


class Kept(PageForm):
    """A form of whoever keeps the stock."""

    capability = Capability.RA_STOCK
    back_label = "Stock"
    back_to = STOCK


class AddLocation(Kept):
    """A new place."""

    form_class = forms.LocationForm
    title = "Ajouter un lieu"

    def carry_out(self, form: Any, **address: Any) -> HttpResponse | None:
        """Keep it."""
        place = self.attempt_form(
            form, actions.add_location, subject=("location", "new"), location=form.instance
        )
        return place and self.finish(f"« {place} » est ajouté.")


class Receive(Kept):
    """A delivery."""

    form_class = forms.ReceiveForm
    title = "Recevoir une livraison"
    button = "Entrer en stock"

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Take it in."""
        batch = self.attempt_form(
            form, actions.receive_batch, subject=("batch", "new"), **form.cleaned_data
        )
        return batch and self.finish(f"La livraison {batch} est en stock.")


class CountPage(Kept):
    """An inventory."""

    form_class = forms.CountForm
    title = "Faire l’inventaire d’un lieu"
    lead = "Par une personne qui n’a rien remis de ce lieu depuis le dernier inventaire."
    button = "Enregistrer l’inventaire"

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Compare."""
        counted = self.attempt_form(
            form, actions.count, subject=form.cleaned_data["location"], **form.cleaned_data
        )
        if counted is None:
            return None
        missing = ", ".join(counted.missing) or "aucun"
        unknown = ", ".join(counted.unknown) or "aucun"
        return self.finish(f"Inventaire fait. Absents : {missing}. En trop : {unknown}.")


class AboutToken(Kept):
    """A form about one token."""

    def token(self) -> Token:
        """The token of the address."""
        return get_object_or_404(Token, pk=self.kwargs["pk"])

    def back_url(self) -> str:
        """Its page."""
        return reverse(f"{NAMESPACE}:token", args=(self.kwargs["pk"],))


class Move(AboutToken):
    """Carry it elsewhere."""

    form_class = forms.MoveForm
    title = "Déplacer le support"

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Move it."""
        moved = self.attempt_form(
            form,
            actions.move,
            subject=self.token(),
            token_ids=[address["pk"]],
            **form.cleaned_data,
        )
        return moved and self.finish("Le support est déplacé.")


class ChangeState(AboutToken):
    """Suspend it, retire it, write it off."""

    form_class = forms.StateForm
    title = "Changer l’état du support"
    lead = "Un support perdu qui porte un certificat en service le fait révoquer."

    def form_options(self, **address: Any) -> dict[str, Any]:
        """What it may become."""
        return {"token": self.token()}

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Change it."""
        changed = self.attempt_form(
            form,
            actions.change_state,
            subject=self.token(),
            token_id=address["pk"],
            to=TokenState(form.cleaned_data["to"]),
            reason=form.cleaned_data["reason"],
        )
        return changed and self.finish(f"Le support est « {changed.get_state_display()} ».")


# Sleeves


class Sleeves(CapabilityView):
    """The sleeves of receipts, those that did not leave first."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        page = Paginator(queries.sleeves(), PER_PAGE).get_page(request.GET.get("page"))
        context = {"page": page, "may_keep": self.can(Capability.RA_STOCK)}
        return render(request, f"{NAMESPACE}/stock/sleeves.html", context)


class OpenSleeve(Kept):
    """Begin a sleeve."""

    form_class = forms.SleeveForm
    title = "Commencer une pochette"
    back_label = "Pochettes"
    back_to = f"{NAMESPACE}:sleeves"

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Begin it."""
        sleeve = self.attempt_form(
            form,
            actions.open_sleeve,
            subject=form.cleaned_data["authority"],
            **form.cleaned_data,
        )
        return sleeve and self.finish(f"La pochette {sleeve} est ouverte.")


class AboutSleeve(Kept):
    """A form about one sleeve."""

    back_label = "Pochettes"
    back_to = f"{NAMESPACE}:sleeves"

    def sleeve(self) -> Sleeve:
        """The sleeve of the address."""
        return get_object_or_404(Sleeve, pk=self.kwargs["pk"])


class FillSleeve(AboutSleeve):
    """Put receipts in."""

    form_class = forms.FillForm
    title = "Mettre des procès-verbaux dans la pochette"
    lead = "Ceux qui sont signés, scannés, et dans aucune autre pochette."
    button = "Mettre dans la pochette"

    def form_options(self, **address: Any) -> dict[str, Any]:
        """The receipts of its authority that wait."""
        waiting = queries.receipts_to_send(self.sleeve().authority_id)[:200]
        return {
            "choices": [
                (
                    str(one.pk),
                    f"{one.holder}, {one.certificate.file.organisation}, "
                    f"remis le {legal_date(one.signed_at or timezone.now()):%d/%m/%Y}",
                )
                for one in waiting
            ]
        }

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Put them in."""
        sleeve = self.attempt_form(
            form,
            actions.put_in_sleeve,
            subject=self.sleeve(),
            sleeve_id=address["pk"],
            hand_over_ids=[int(one) for one in form.cleaned_data["receipts"]],
        )
        return sleeve and self.finish(f"La pochette {sleeve} est complétée.")


class SendSleeve(AboutSleeve):
    """Send it to the authority."""

    form_class = forms.SendForm
    title = "Envoyer la pochette à l’autorité"
    button = "Elle est partie"

    def carry_out(self, form: django_forms.Form, **address: Any) -> HttpResponse | None:
        """Send it."""
        sent = self.attempt_form(
            form,
            actions.send_sleeve,
            subject=self.sleeve(),
            sleeve_id=address["pk"],
            **form.cleaned_data,
        )
        return sent and self.finish(f"La pochette {sent} est partie.")
