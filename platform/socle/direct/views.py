"""The connection to the ministry, on the portal: its state, what was left behind, the form."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from socle.accounts.access import CapabilityView, note_refusal
from socle.accounts.capabilities import Capability
from socle.core.refusals import Refusal
from socle.delivery.models import TransmissionOperator
from socle.direct import actions, queries
from socle.direct.forms import LinkForm

SHOWN = 25


class Link(CapabilityView):
    """The connection of one operator."""

    capability = Capability.DELIVERY_MANAGE

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        self.operator = get_object_or_404(TransmissionOperator, code=code, adapter="direct")
        return self.show(LinkForm(link=queries.link_of(self.operator)))

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        self.operator = get_object_or_404(TransmissionOperator, code=code, adapter="direct")
        form = LinkForm(request.POST, request.FILES, link=queries.link_of(self.operator))
        if form.is_valid() and self.saved(form):
            messages.success(request, "Le raccordement est enregistré. Essayez-le maintenant.")
            return redirect("direct:link", code=code)
        return self.show(form)

    def saved(self, form: LinkForm) -> bool:
        """Save; a refusal goes beside the field it is about."""
        try:
            actions.save_link(
                operator=self.operator,
                facts=form.facts(),
                by=self.request.user,
                at=timezone.now(),
            )
        except Refusal as refusal:
            note_refusal(self.request, refusal, event="save_link", subject=self.operator)
            field = {"ca_pem": "imap_ca"}.get(refusal.field, refusal.field)
            form.add_error(field if field in form.fields else None, str(refusal))
            return False
        return True

    def show(self, form: LinkForm) -> HttpResponse:
        context = {
            "operator": self.operator,
            "link": queries.link_of(self.operator),
            "left": queries.left_behind(self.operator)[:SHOWN],
            "doubtful": queries.doubtful(self.operator)[:SHOWN],
            "form": form,
        }
        return render(self.request, "direct/link.html", context)


class Check(CapabilityView):
    """Greet the ministry, open the mailbox; nothing is sent nor taken."""

    capability = Capability.DELIVERY_MANAGE
    http_method_names = ("post",)

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        operator = get_object_or_404(TransmissionOperator, code=code, adapter="direct")
        link = queries.link_of(operator)
        if link is not None and (found := self.attempt(actions.check_link, link_id=link.pk)):
            messages.success(
                request,
                "Le serveur du ministère est bien celui que l’on connaît. La boîte s’ouvre : "
                f"{found[1]} message(s) y attendent.",
            )
        return redirect("direct:link", code=code)
