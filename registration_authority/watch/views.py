"""The watch at the counter: everything that ends one day."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from registration_authority.forms import SearchForm
from registration_authority.screens import AttemptView
from registration_authority.watch import actions, forms, queries
from registration_authority.watch.models import Source, TrustedList, WatchedCertificate
from registration_authority.watch.screens import end_badge, rows
from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.directory.models import Organisation
from socle.web.items import Link

PER_PAGE = 25
SPACE = "registration_authority"
ALERTS, CONNECTORS, AUTHORITIES, TRUST = "alertes", "liaisons", "autorites", "confiance"


class Watch(CapabilityView):
    """The inventory beyond our own certificates, by kind."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show one tab."""
        now, tab = timezone.now(), request.GET.get("vue", "")
        text = request.GET.get("q", "")
        context: dict[str, Any] = {
            "tab": tab,
            "form": SearchForm(request.GET or None, auto_id="search_%s"),
            "may_act": self.can(Capability.RA_CHECK),
            "tabs": _tabs(tab),
        }
        if tab == CONNECTORS:
            context["connectors"] = [
                (one, *end_badge(one.not_after, now)) for one in queries.connectors()
            ]
        elif tab == AUTHORITIES:
            context["authorities"] = [
                (one, *end_badge(one.not_after, now)) for one in queries.authorities(now)
            ]
        elif tab == TRUST:
            context["lists"] = TrustedList.objects.order_by("territory")
            page = Paginator(queries.trusted(text), PER_PAGE).get_page(request.GET.get("page"))
            context |= {
                "page": page,
                "trusted": [(one, *end_badge(one.not_after, now)) for one in page],
            }
        else:
            found = queries.troubled(now) if tab == ALERTS else queries.watched(text)
            page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
            context |= {"page": page, "rows": rows(page, now)}
        return render(request, f"{SPACE}/watch/watch.html", context)


def _tabs(current: str) -> list[Link]:
    address = reverse(f"{SPACE}:watch")
    told = [
        ("", "Certificats suivis"),
        (ALERTS, "À remplacer"),
        (CONNECTORS, "Liaisons"),
        (AUTHORITIES, "Autorités"),
        (TRUST, "Liste de confiance"),
    ]
    return [
        Link(label=label, url=f"{address}?vue={key}", current=key == current) for key, label in told
    ]


class Add(AttemptView):
    """Put a certificate in the inventory."""

    capability = Capability.RA_CHECK

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        return self.show(forms.CounterAddForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep it."""
        form = forms.CounterAddForm(request.POST, request.FILES)
        if form.is_valid():
            given = form.cleaned_data
            siren = given["siren"].replace(" ", "")
            organisation = Organisation.objects.filter(siren=siren).first() if siren else None
            if siren and organisation is None:
                form.add_error("siren", "Aucun organisme de ce SIREN : vérifiez les neuf chiffres.")
                return self.show(form)
            watched = self.attempt_form(
                form,
                actions.add,
                subject=organisation,
                organisation=organisation,
                source=Source(given["source"]),
                label=given["label"],
                content=given["certificate"].read(),
            )
            if watched is not None:
                messages.success(request, "Ce certificat est suivi.")
                return redirect(f"{SPACE}:watch")
        return self.show(form)

    def show(self, form: forms.CounterAddForm) -> HttpResponse:
        """The page."""
        return render(
            self.request,
            f"{SPACE}/form.html",
            _page("Suivre un certificat", "Vérifier et suivre", form),
        )


def _page(title: str, button: str, form: Any) -> dict[str, Any]:
    return {
        "title": title,
        "button": button,
        "form": form,
        "back_label": "Surveillance",
        "back_url": reverse(f"{SPACE}:watch"),
    }


class OneWatched(CapabilityView):
    """A button of one line: ask its authority now, or stop watching."""

    capability = Capability.RA_CHECK
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do what the button says."""
        watched = get_object_or_404(WatchedCertificate, pk=pk)
        if "retirer" in request.POST:
            self.attempt(actions.remove, subject=watched, watched_id=pk)
            messages.success(request, "Ce certificat n’est plus suivi.")
        else:
            checked = actions.check(pk, at=timezone.now())
            words = str(checked.get_standing_display()).lower()
            messages.info(request, f"{checked} : {words}. {checked.trouble}")
        return redirect(f"{SPACE}:watch")


class ReadTrustedList(AttemptView):
    """Read the State's list."""

    capability = Capability.RA_CHECK

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask for the file."""
        return self.show(forms.TrustedListForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Read it."""
        form = forms.TrustedListForm(request.POST, request.FILES)
        if form.is_valid():
            content = form.cleaned_data["trusted_list"].read()
            kept = self.attempt_form(
                form, actions.read_list_of_trust, subject=("trusted_list", "FR"), content=content
            )
            if kept is not None:
                messages.success(request, f"Liste n° {kept.number} lue : {kept.signature}.")
                return redirect(f"{reverse(f'{SPACE}:watch')}?vue={TRUST}")
        return self.show(form)

    def show(self, form: forms.TrustedListForm) -> HttpResponse:
        """The page."""
        context = _page("Lire une liste de confiance", "Vérifier et lire", form)
        context["lead"] = (
            "Téléchargez la liste française sur le site de l’ANSSI. Comparez l’empreinte du sceau, "
            "affichée ensuite, à celle publiée au Journal officiel de l’Union européenne."
        )
        return render(self.request, f"{SPACE}/form.html", context)
