"""The HELIOS addresses of S²LOW, on the room of Socle."""

from typing import Final

from django.db import transaction
from django.http import HttpResponse, HttpResponseBase

from socle.accounts.capabilities import Capability
from socle.core.clock import legal_date
from socle.delivery.models import TransmissionOperator
from socle.documents.responses import download
from socle.helios import actions, ground, queries, returns
from socle.helios.models import FlowState, PesFlow, PesRetour
from socle.s2low.protocol import served
from tenants.api import posted
from tenants.api.facade import FacadeView, xml
from tenants.api.posted import Refused

STATES: Final = {
    FlowState.DEPOSITED: 14,
    FlowState.READY: 14,
    FlowState.SENDING: 1,
    FlowState.SENT: 3,
    FlowState.ACCEPTED: 4,
    FlowState.PARTIAL: 8,
    FlowState.REFUSED: 6,
    FlowState.UNREADABLE: 8,
    FlowState.FAILED: -1,
    FlowState.WITHDRAWN: 0,
}
"""14: a person has to send it; 8: information available, the acquit says which."""


class Import(FacadeView):
    """Take in a PES aller; it leaves at once, or waits for a person with her certificate."""

    capability = Capability.FLOWS_PREPARE

    def serve(self) -> HttpResponse:
        file = posted.file(self.request, "enveloppe")
        if file is None:
            raise Refused("Aucune enveloppe trouvée")
        by = self.caller.access.person
        with transaction.atomic():
            flow = actions.deposit(file=file, by=by, at=self.at)
            waits = self.given("must_signed") == "1"
            if (
                not waits
                and flow.state == FlowState.READY
                and self.may_leave(Capability.FLOWS_TRANSMIT, self.operator)
            ):
                flow = actions.transmit(flow_id=flow.pk, by=by, at=self.at)
        return xml(served.imported(flow.pk, "Téléchargement du fichier réussi.", ok=True))

    def check_fields(self) -> None:
        """The flow, and whether it must be signed first. Raises Refused."""
        posted.check_fields(self.request, known={"enveloppe", "must_signed", "api"})

    def operator(self) -> TransmissionOperator:
        """Who would carry the flow. Raises what keeps it from leaving today."""
        access = self.caller.access
        return ground.operator_for(organisation=access.organisation, by=access.person, at=self.at)

    def refuse(self, sentence: str) -> HttpResponse:
        """In XML once the software is known, as S²LOW."""
        if not hasattr(self, "caller"):
            return super().refuse(sentence)
        return xml(served.imported(0, sentence, ok=False))


class GetStatus(FacadeView):
    """Where a flow stands."""

    capability = Capability.FLOWS_READ

    def serve(self) -> HttpResponse:
        flow = _flow(self.given("transaction"))
        told = flow.error or flow.get_state_display()
        return xml(served.helios_status(str(flow.pk), STATES[FlowState(flow.state)], told))

    def refuse(self, sentence: str) -> HttpResponse:
        """In XML once the software is known, as S²LOW."""
        if not hasattr(self, "caller"):
            return super().refuse(sentence)
        return xml(served.helios_status(self.given("transaction"), None, sentence))


class DownloadAcquit(FacadeView):
    """The last acquit of a flow, byte for byte."""

    capability = Capability.FLOWS_READ

    def serve(self) -> HttpResponseBase:
        last = queries.acquits(_flow(self.given("id"))).select_related("stored").last()
        if last is None:
            raise Refused("Pas d'acquit pour ce flux")
        return download(last.stored)


class DownloadFile(FacadeView):
    """The PES aller, byte for byte."""

    capability = Capability.FLOWS_READ

    def serve(self) -> HttpResponseBase:
        return download(_flow(self.given("id")).stored)


class ListRetours(FacadeView):
    """The PES_Retour no software took yet."""

    capability = Capability.FLOWS_READ

    def serve(self) -> HttpResponse:
        waiting = PesRetour.objects.filter(taken_at=None).select_related("stored").order_by("pk")
        rows = ((one.pk, one.stored.name, legal_date(one.received_at)) for one in waiting[:500])
        siren = self.caller.access.organisation.siren
        return xml(served.retours(siren, rows, on=legal_date(self.at)))


class GetRetour(FacadeView):
    """One PES_Retour, byte for byte."""

    capability = Capability.FLOWS_READ

    def serve(self) -> HttpResponseBase:
        return download(_retour(self.given("id")).stored)


class TakeRetour(FacadeView):
    """Say that a PES_Retour was taken: the list shows it no more."""

    capability = Capability.FLOWS_PREPARE

    def serve(self) -> HttpResponse:
        found = _retour(self.given("id"))
        returns.take(retour_id=found.pk, by=self.caller.access.person, at=self.at)
        return xml(served.retour_read(str(found.pk), ok=True, message="Statut modifié"))


def _flow(written: str) -> PesFlow:
    if not written:
        raise Refused("Pas de numéro de transaction.")
    found = PesFlow.objects.select_related("stored").filter(pk=_number(written)).first()
    if found is None:
        raise Refused("Numéro de transaction invalide")
    return found


def _retour(written: str) -> PesRetour:
    found = PesRetour.objects.select_related("stored").filter(pk=_number(written)).first()
    if found is None:
        raise Refused("Numéro de retour invalide")
    return found


def _number(written: str) -> int:
    """0, which names nothing, for what is no number."""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 19 else 0
