"""The directory of the portal: organisations, their contacts and their people."""

import secrets

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import ROLE_LABELS, Capability, Role
from socle.directory import actions, imports, queries
from socle.directory.forms import ContactForm, GrantForm, OrganisationForm, SearchForm
from socle.directory.models import Organisation, OrganisationKind

PER_PAGE = 25


class Members(CapabilityView):
    """The members of the syndicat, searched by name, SIREN or INSEE code."""

    capability = Capability.DIRECTORY_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form = SearchForm(request.GET if request.GET else None)
        chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
        text, everyone = chosen.get("q", ""), chosen.get("tous", False)
        found = queries.search(text)
        if not everyone:
            found = found.filter(membership__isnull=False, membership__left_on=None)
        page = Paginator(found.select_related("epci"), PER_PAGE).get_page(request.GET.get("page"))
        context = {"page": page, "q": text, "everyone": everyone, "form": form}
        return render(request, "directory/members.html", context)


class Detail(CapabilityView):
    """One organisation: identifiers, contacts, people, rights."""

    capability = Capability.DIRECTORY_READ

    def get(self, request: HttpRequest, siren: str) -> HttpResponse:
        organisation = get_object_or_404(
            Organisation.objects.select_related(
                "epci", "accounting_office", "successor", "tenant", "space_stop"
            ),
            siren=siren,
        )
        grants = organisation.grants.select_related("person").order_by("person__last_name")
        context = {
            "organisation": organisation,
            "contacts": organisation.contacts.all(),
            "former": organisation.former_communes.all(),
            "grants": [
                (grant, [ROLE_LABELS[Role(role)] for role in grant.roles]) for grant in grants
            ],
            "rights": organisation.transmission_rights.all(),
            "office": queries.prefecture_of(organisation),
            "members_count": organisation.communes.count(),
            "is_epci": organisation.kind == OrganisationKind.EPCI,
            "may_manage": self.can(Capability.DIRECTORY_MANAGE),
            "may_grant": self.can(Capability.PEOPLE_MANAGE),
            "stop": getattr(organisation, "space_stop", None),
            "may_see_space": self.can(Capability.SPACES_READ)
            and getattr(organisation, "tenant", None) is not None,
            "may_see_routes": self.can(Capability.DELIVERY_READ),
            "may_run_routes": self.can(Capability.DELIVERY_MANAGE),
        }
        return render(request, "directory/detail.html", context)


class Edit(CapabilityView):
    """Complete what the national list does not say."""

    capability = Capability.DIRECTORY_MANAGE

    def get(self, request: HttpRequest, siren: str) -> HttpResponse:
        organisation = get_object_or_404(Organisation, siren=siren)
        return self.show(request, organisation, OrganisationForm(instance=organisation))

    def post(self, request: HttpRequest, siren: str) -> HttpResponse:
        organisation = get_object_or_404(Organisation, siren=siren)
        form = OrganisationForm(request.POST, instance=organisation)
        if not form.is_valid():
            return self.show(request, organisation, form)
        self.attempt(
            actions.edit,
            subject=organisation,
            organisation_id=organisation.pk,
            changes={name: form.cleaned_data[name] for name in form.changed_data},
        )
        messages.success(request, f"La fiche de « {organisation} » est à jour.")
        return redirect("directory:detail", siren=siren)

    def show(
        self, request: HttpRequest, organisation: Organisation, form: OrganisationForm
    ) -> HttpResponse:
        context = {"organisation": organisation, "form": form, "title": "Compléter la fiche"}
        return render(request, "directory/form.html", context)


class AddContact(CapabilityView):
    """Write down somebody to call."""

    capability = Capability.DIRECTORY_MANAGE

    def get(self, request: HttpRequest, siren: str) -> HttpResponse:
        return self.show(request, get_object_or_404(Organisation, siren=siren), ContactForm())

    def post(self, request: HttpRequest, siren: str) -> HttpResponse:
        organisation = get_object_or_404(Organisation, siren=siren)
        form = ContactForm(request.POST)
        if not form.is_valid():
            return self.show(request, organisation, form)
        contact = self.attempt(
            actions.add_contact,
            subject=organisation,
            organisation_id=organisation.pk,
            facts=form.cleaned_data,
        )
        messages.success(request, f"{contact} est dans les contacts.")
        return redirect("directory:detail", siren=siren)

    def show(
        self, request: HttpRequest, organisation: Organisation, form: ContactForm
    ) -> HttpResponse:
        context = {"organisation": organisation, "form": form, "title": "Ajouter un contact"}
        return render(request, "directory/form.html", context)


class Join(CapabilityView):
    """Make all communes of an EPCI members, in one action."""

    capability = Capability.DIRECTORY_MANAGE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, siren: str) -> HttpResponse:
        epci = get_object_or_404(Organisation, siren=siren, kind=OrganisationKind.EPCI)
        new = self.attempt(actions.join_members_of, subject=epci, epci=epci)
        if new is not None:
            messages.success(request, f"{len(new)} communes de « {epci} » ont rejoint le syndicat.")
        return redirect("directory:detail", siren=siren)


class Import(CapabilityView):
    """Refresh the national list from the facts that ship with Socle."""

    capability = Capability.DIRECTORY_MANAGE
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        report = imports.run(by=request.user, at=timezone.now())
        messages.success(request, f"Annuaire national : {report}.")
        return redirect("directory:members")


class GrantRoles(CapabilityView):
    """Give a person her roles; a new person gets a first password, shown once."""

    capability = Capability.PEOPLE_MANAGE

    def get(self, request: HttpRequest, siren: str) -> HttpResponse:
        organisation = get_object_or_404(Organisation, siren=siren)
        return self.show(request, organisation, GrantForm(organisation=organisation))

    def post(self, request: HttpRequest, siren: str) -> HttpResponse:
        organisation = get_object_or_404(Organisation, siren=siren)
        form = GrantForm(request.POST, organisation=organisation)
        if not form.is_valid():
            return self.show(request, organisation, form)
        person = form.person()
        given = self.attempt(
            actions.grant,
            subject=organisation,
            person=person,
            organisation=organisation,
            roles=form.cleaned_data["roles"],
        )
        if given is None:
            return self.show(request, organisation, form)
        if person.has_usable_password():
            messages.success(request, f"{person} peut travailler pour « {organisation} ».")
            return redirect("directory:detail", siren=siren)
        password = secrets.token_urlsafe(12)
        person.set_password(password)
        person.save(update_fields=["password"])
        context = {"person": person, "password": password, "organisation": organisation}
        return render(request, "directory/first_password.html", context)

    def show(
        self, request: HttpRequest, organisation: Organisation, form: GrantForm
    ) -> HttpResponse:
        context = {"organisation": organisation, "form": form, "title": "Habiliter une personne"}
        return render(request, "directory/form.html", context)
