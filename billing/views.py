"""The billing officer's screens: a checked list before each button."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from billing import actions, policies, queries
from billing.forms import (
    CollectForm,
    CreditForm,
    IssuedForm,
    LineForm,
    NewPriceForm,
    PriceForm,
    ReferencesForm,
    SearchForm,
)
from billing.models import Invoice, InvoiceKind, InvoiceState, Line, Price
from socle.accounts.access import CapabilityView, note_refusal
from socle.accounts.capabilities import Capability
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.directory.models import Organisation
from socle.documents.responses import download
from socle.web.items import Link

PER_PAGE = 25
ROOMS = (
    ("to_bill", "À facturer"),
    ("drafts", "Brouillons"),
    ("issued", "Factures émises"),
    ("prices", "Tarifs"),
)


def rooms(current: str) -> list[Link]:
    """The four lists of billing, as tabs."""
    return [
        Link(label=label, url=reverse(f"billing:{name}"), current=name == current)
        for name, label in ROOMS
    ]


class ToBill(CapabilityView):
    """What each body is to be billed."""

    capability = Capability.BILLING_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form = SearchForm(request.GET if "q" in request.GET else None, auto_id="search_%s")
        found = queries.to_bill(request.GET.get("q", ""))
        context = {
            "rooms": rooms("to_bill"),
            "form": form,
            "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
            "collect": CollectForm(initial={"until": legal_date(timezone.now())}),
            "may_prepare": self.can(Capability.BILLING_PREPARE),
        }
        return render(request, "billing/to_bill.html", context)


class Collect(CapabilityView):
    """Read what the other rooms did."""

    capability = Capability.BILLING_PREPARE
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CollectForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Indiquez jusqu’à quel jour relever les faits à facturer.")
            return redirect("billing:to_bill")
        found = self.attempt(actions.collect, until=form.cleaned_data["until"])
        if found is not None:
            messages.success(request, f"Éléments relevés : {found.created}.")
            for sentence in found.problems:
                messages.warning(request, sentence)
        return redirect("billing:to_bill")


class Prepare(CapabilityView):
    """Make the drafts of the bodies that were ticked."""

    capability = Capability.BILLING_PREPARE
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        chosen = _ticked(request, "organisme")
        made = [
            self.attempt(actions.draft, subject=body, organisation_id=body.pk)
            for body in Organisation.objects.filter(pk__in=chosen)
        ]
        done = [one for one in made if one is not None]
        if done:
            messages.success(request, f"Brouillons prêts à vérifier : {len(done)}.")
            return redirect("billing:drafts")
        if not chosen:
            messages.error(request, "Cochez au moins un organisme à facturer.")
        return redirect("billing:to_bill")


class Drafts(CapabilityView):
    """Drafts to check, and to issue together."""

    capability = Capability.BILLING_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form = SearchForm(request.GET if "q" in request.GET else None, auto_id="search_%s")
        found = queries.drafts(request.GET.get("q", ""))
        context = {
            "rooms": rooms("drafts"),
            "form": form,
            "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
            "may_issue": self.can(Capability.BILLING_ISSUE),
        }
        return render(request, "billing/drafts.html", context)


class IssueTicked(CapabilityView):
    """Issue the drafts that were ticked, each on its own."""

    capability = Capability.BILLING_ISSUE
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        drafts = queries.drafts().filter(pk__in=_ticked(request, "facture"))
        made = [self.attempt(actions.issue, subject=one, invoice_id=one.pk) for one in list(drafts)]
        if not made:
            messages.error(request, "Cochez au moins un brouillon à émettre.")
        done = sum(one is not None for one in made)
        if done:
            messages.success(request, f"Factures émises : {done}.")
        return redirect("billing:drafts")


class Issued(CapabilityView):
    """Issued invoices and what they come to."""

    capability = Capability.BILLING_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form, found = _issued(request)
        summary = queries.summary(found)
        paginator = Paginator(found, PER_PAGE)
        paginator.count = summary.count  # already counted with the sums
        context = {
            "rooms": rooms("issued"),
            "form": form,
            "summary": summary,
            "page": paginator.get_page(request.GET.get("page")),
            "query": request.GET.urlencode(),
        }
        return render(request, "billing/issued.html", context)


class Export(CapabilityView):
    """The same list for the finance software."""

    capability = Capability.BILLING_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form, _ = _issued(request)
        chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
        content = actions.export(
            year=chosen.get("annee"), text=chosen.get("q", ""), by=request.user, at=timezone.now()
        )
        response = HttpResponse(content, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="factures.csv"'
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response


class Detail(CapabilityView):
    """One invoice: its lines, each with its rule, and what may be done now."""

    capability = Capability.BILLING_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        invoice = get_object_or_404(
            Invoice.objects.select_related(
                "organisation", "corrects", "credit_note", "file", "issued_by"
            ),
            pk=pk,
        )
        is_draft = invoice.state == InvoiceState.DRAFT
        lines = list(invoice.lines.all())
        context = {
            "invoice": invoice,
            "lines": lines,
            "mentions": policies.mentions(line.regime for line in lines),
            "note": getattr(invoice, "credit_note", None),
            "is_draft": is_draft,
            "is_invoice": invoice.kind == InvoiceKind.INVOICE,
            "line_form": LineForm(),
            "references_form": ReferencesForm(
                initial={
                    "chorus_service": invoice.chorus_service,
                    "engagement": invoice.engagement,
                }
            ),
            "may_prepare": self.can(Capability.BILLING_PREPARE),
            "may_issue": self.can(Capability.BILLING_ISSUE),
        }
        return render(request, "billing/invoice.html", context)


class AddLine(CapabilityView):
    """Add a product to a draft."""

    capability = Capability.BILLING_PREPARE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        invoice = get_object_or_404(Invoice, pk=pk)
        form = LineForm(request.POST)
        if form.is_valid():
            self.attempt(actions.add_line, subject=invoice, invoice_id=pk, **form.cleaned_data)
        else:
            messages.error(request, "Choisissez un produit et une quantité entière.")
        return redirect("billing:invoice", pk=pk)


class RemoveLine(CapabilityView):
    """Take a line off a draft."""

    capability = Capability.BILLING_PREPARE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        line = get_object_or_404(Line.objects.select_related("invoice"), pk=pk)
        self.attempt(actions.remove_line, subject=line.invoice, line_id=pk)
        return redirect("billing:invoice", pk=line.invoice_id)


class Refer(CapabilityView):
    """Write the references of the debtor."""

    capability = Capability.BILLING_PREPARE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        invoice = get_object_or_404(Invoice, pk=pk)
        form = ReferencesForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Ces références sont trop longues : relisez-les.")
        elif self.attempt(actions.refer, subject=invoice, invoice_id=pk, **form.cleaned_data):
            messages.success(request, "Les références sont enregistrées.")
        return redirect("billing:invoice", pk=pk)


class Discard(CapabilityView):
    """Throw a draft away."""

    capability = Capability.BILLING_PREPARE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        invoice = get_object_or_404(Invoice, pk=pk)
        body = self.attempt(actions.discard, subject=invoice, invoice_id=pk)
        if body is None:
            return redirect("billing:invoice", pk=pk)
        messages.success(request, f"Le brouillon est supprimé ; « {body} » reste à facturer.")
        return redirect("billing:drafts")


class Issue(CapabilityView):
    """Give a draft its number."""

    capability = Capability.BILLING_ISSUE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        invoice = get_object_or_404(Invoice, pk=pk)
        made = self.attempt(actions.issue, subject=invoice, invoice_id=pk)
        if made:
            messages.success(request, f"La facture {made.number} est émise.")
        return redirect("billing:invoice", pk=pk)


class Credit(CapabilityView):
    """Correct an issued invoice by a credit note."""

    capability = Capability.BILLING_ISSUE

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show(request, self.invoice(pk), CreditForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        invoice = self.invoice(pk)
        form = CreditForm(request.POST)
        if not form.is_valid():
            return self.show(request, invoice, form)
        note = self.attempt(actions.credit, subject=invoice, invoice_id=pk, **form.cleaned_data)
        if note is None:
            return redirect("billing:invoice", pk=pk)
        messages.success(request, f"L’avoir {note.number} annule la facture {invoice.number}.")
        return redirect("billing:invoice", pk=note.pk)

    def invoice(self, pk: int) -> Invoice:
        return get_object_or_404(Invoice.objects.select_related("organisation"), pk=pk)

    def show(self, request: HttpRequest, invoice: Invoice, form: CreditForm) -> HttpResponse:
        return render(request, "billing/credit.html", {"invoice": invoice, "form": form})


class Paper(CapabilityView):
    """The PDF as it was issued."""

    capability = Capability.BILLING_READ

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        invoice = get_object_or_404(
            Invoice.objects.select_related("file").filter(file__isnull=False), pk=pk
        )
        return download(invoice.file)


class Prices(CapabilityView):
    """The price list, with its versions."""

    capability = Capability.BILLING_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        page = Paginator(queries.price_list(), PER_PAGE).get_page(request.GET.get("page"))
        today = legal_date(timezone.now())
        context = {
            "rooms": rooms("prices"),
            "page": page,
            "rows": [(price, *_standing(price, today)) for price in page],
            "may_prepare": self.can(Capability.BILLING_PREPARE),
        }
        return render(request, "billing/prices.html", context)


class RevisePrice(CapabilityView):
    """A new version of a price."""

    capability = Capability.BILLING_PREPARE

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        price = self.price(pk)
        names = ("unit_price", "regime", "rate")
        initial = {name: getattr(price, name) for name in names}
        return self.show(request, price, PriceForm(initial=initial))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        price = self.price(pk)
        form = PriceForm(request.POST)
        if form.is_valid():
            facts = form.facts()
            try:
                actions.revise_price(price_id=pk, facts=facts, by=request.user, at=timezone.now())
            except Refusal as refusal:
                _refuse(request, form, refusal, subject=price)
            else:
                messages.success(request, f"Nouveau tarif de « {price.product} » enregistré.")
                return redirect("billing:prices")
        return self.show(request, price, form)

    def price(self, pk: int) -> Price:
        return get_object_or_404(Price.objects.select_related("product"), pk=pk)

    def show(self, request: HttpRequest, price: Price, form: PriceForm) -> HttpResponse:
        context = {"price": price, "stratum": policies.stratum(price), "form": form}
        return render(request, "billing/price.html", context)


class NewPrice(CapabilityView):
    """A product, or one more stratum."""

    capability = Capability.BILLING_PREPARE

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, NewPriceForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NewPriceForm(request.POST)
        if form.is_valid():
            data = form.cleaned_data
            try:
                price = actions.add_price(
                    code=data["code"],
                    label=data["label"],
                    facts=form.facts(),
                    by=request.user,
                    at=timezone.now(),
                )
            except Refusal as refusal:
                _refuse(request, form, refusal)
            else:
                messages.success(request, f"Le tarif de « {price.product} » est enregistré.")
                return redirect("billing:prices")
        return self.show(request, form)

    def show(self, request: HttpRequest, form: NewPriceForm) -> HttpResponse:
        return render(request, "billing/new_price.html", {"form": form})


def _refuse(request: HttpRequest, form: Any, refusal: Refusal, *, subject: Any = None) -> None:
    note_refusal(request, refusal, event="price", subject=subject)
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))


def _standing(price: Price, today: Any) -> tuple[str, str, str]:
    """The stratum, the standing and its tone."""
    words = policies.stratum(price) or "Tous"
    if price.valid_until is not None and price.valid_until < today:
        return words, "Remplacé", "neutral"
    if price.valid_from > today:
        return words, "À venir", "progress"
    return words, "En vigueur", "success"


def _issued(request: HttpRequest) -> tuple[IssuedForm, QuerySet[Invoice]]:
    used = "annee" in request.GET or "q" in request.GET
    form = IssuedForm(request.GET if used else None)
    chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
    return form, queries.issued(year=chosen.get("annee"), text=chosen.get("q", ""))


def _ticked(request: HttpRequest, name: str) -> list[int]:
    return [int(pk) for pk in _decimal(request.POST.getlist(name))]


def _decimal(values: Iterable[str]) -> Iterable[str]:
    return (value for value in values if value.isdecimal())
