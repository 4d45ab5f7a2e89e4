"""The accounts at S²LOW, on the portal: who has one, whether it opens, what was fetched."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from socle.accounts.access import CapabilityView, note_refusal
from socle.accounts.capabilities import Capability
from socle.core.refusals import Refusal
from socle.delivery.models import TransmissionOperator
from socle.directory.models import Organisation
from socle.s2low import actions, queries
from socle.s2low.forms import AccountForm, SharedForm
from socle.s2low.models import S2lowAccount

PER_PAGE = 25


class Accounts(CapabilityView):
    """Each account in one line, those in trouble first."""

    capability = Capability.DELIVERY_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        operators = list(TransmissionOperator.objects.filter(adapter="s2low").order_by("name"))
        context = {
            "page": Paginator(queries.accounts_shown(), PER_PAGE).get_page(request.GET.get("page")),
            "shared": [(one, queries.shared_row(one)) for one in operators],
            "now": timezone.now(),
            "may_manage": self.can(Capability.DELIVERY_MANAGE),
        }
        return render(request, "s2low/accounts.html", context)


class AccountView(CapabilityView):
    """What saving an account and saving the shared certificate have in common."""

    capability = Capability.DELIVERY_MANAGE
    form_class: type[AccountForm] = AccountForm
    organisation: Organisation | None = None
    account: S2lowAccount | None = None

    def get(self, request: HttpRequest, **place: str) -> HttpResponse:
        self.find(**place)
        return self.show(self.form_class(account=self.account))

    def post(self, request: HttpRequest, **place: str) -> HttpResponse:
        self.find(**place)
        form = self.form_class(request.POST, request.FILES, account=self.account)
        if form.is_valid() and (saved := self.saved(form)) is not None:
            messages.success(request, "Le compte est enregistré. Essayez-le maintenant.")
            return redirect(self.address(saved))
        return self.show(form)

    def find(self, **place: str) -> None:
        raise NotImplementedError

    def address(self, saved: S2lowAccount) -> str:
        raise NotImplementedError

    def saved(self, form: AccountForm) -> S2lowAccount | None:
        """The account; a refusal goes beside the field it is about."""
        try:
            return actions.save_account(
                organisation=self.organisation,
                by=self.request.user,
                at=timezone.now(),
                **form.facts(),
            )
        except Refusal as refusal:
            note_refusal(self.request, refusal, event="save_account", subject=self.organisation)
            field = {"ca_pem": "ca"}.get(refusal.field, refusal.field)
            form.add_error(field if field in form.fields else None, str(refusal))
            return None

    def show(self, form: AccountForm) -> HttpResponse:
        return render(self.request, "s2low/account.html", self.context() | {"form": form})

    def context(self) -> dict[str, Any]:
        return {"organisation": self.organisation, "account": self.account, "now": timezone.now()}


class Account(AccountView):
    """The account of one organisation: state, test call, what was fetched, and the form."""

    def find(self, *, siren: str = "", **_: str) -> None:  # type: ignore[override]
        self.organisation = get_object_or_404(Organisation, siren=siren)
        self.account = queries.accounts_shown().filter(organisation=self.organisation).first()

    def address(self, saved: S2lowAccount) -> str:
        return reverse("s2low:account", args=[saved.organisation.siren])

    def context(self) -> dict[str, Any]:
        fetched = queries.fetched(self.account) if self.account else None
        return super().context() | {"fetched": fetched}


class Shared(AccountView):
    """The certificate the accounts of one operator share."""

    form_class = SharedForm

    def find(self, *, code: str = "", **_: str) -> None:  # type: ignore[override]
        operator = get_object_or_404(TransmissionOperator, code=code, adapter="s2low")
        self.account = queries.shared_row(operator)

    def address(self, saved: S2lowAccount) -> str:
        return "s2low:accounts"


class Check(CapabilityView):
    """Call S²LOW with an account and say in words what it answered."""

    capability = Capability.DELIVERY_MANAGE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        account = get_object_or_404(
            S2lowAccount.objects.select_related("organisation"), pk=pk, organisation__isnull=False
        )
        checked = self.attempt(actions.check_account, subject=account, account_id=pk)
        if checked is not None:
            messages.success(
                request, f"S²LOW ouvre ce compte : il agit pour « {checked.authority} »."
            )
        return redirect("s2low:account", siren=account.organisation.siren)
