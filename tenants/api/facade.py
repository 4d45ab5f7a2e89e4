"""What every address of the façade has in common: who calls, what for, how one answers."""

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFilesSent
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt

from socle.accounts import queries as people
from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Access, Capability
from socle.core.refusals import Refusal
from socle.delivery.actions import NoCertificate
from socle.delivery.models import TransmissionOperator
from socle.journal.actions import record_refusal
from socle.s2low.protocol import served
from tenants.api import actions, posted
from tenants.api.authentication import Caller, NotAllowed, recognise
from tenants.api.posted import Refused

log = logging.getLogger(__name__)

TEXT: Final = f"text/plain; charset={served.LATIN}"
DENIED: Final = "Accès refusé"


@method_decorator(csrf_exempt, name="dispatch")
class FacadeView(CapabilityView):
    """An address of S²LOW: HTTP 200 whatever happens, ISO-8859-1, never a redirect.

    GET and POST are the same everywhere, as there; what it needs to be allowed is `capability`.
    Everything in it is done in the name of the person whose access the software bears.
    """

    caller: Caller
    shared_work = "looks for the software among everybody's logins, then raises the fence itself"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Recognise the software, look at what it may, serve; a refusal is « KO »."""
        posted.read_as_php(request)
        self.request, self.at = request, timezone.now()
        try:
            self.caller = recognise(request, at=self.at)
            connection.fence(up=True)
            self.check(self.capability)
            self.check_fields()
            actions.note_use(self.caller.access, at=self.at)
            return self.serve()
        except Refusal as refusal:
            self.note(refusal)
            return self.refuse(str(refusal))
        except (RequestDataTooBig, TooManyFilesSent):
            return self.refuse("La taille totale des fichiers est trop importante")
        except (MultiPartParserError, SuspiciousOperation):
            return self.refuse("La requête est illisible")
        except Exception:  # whatever it is, a software reads a line, never a page
            log.exception("the façade failed at %s", request.path)
            return self.refuse("Erreur interne : réessayez, puis prévenez votre syndicat")

    def serve(self) -> HttpResponseBase:
        """Do what the address is for. May raise a Refusal."""
        raise NotImplementedError

    def check_fields(self) -> None:
        """Refuse by name what the address does not know. Raises Refused."""

    def refuse(self, sentence: str) -> HttpResponse:
        """The answer that says why not."""
        return HttpResponse(served.ko(sentence), content_type=TEXT)

    def check(self, capability: Capability | Access) -> None:
        """Raises NotAllowed where the person may not do `capability` here."""
        if isinstance(capability, Capability) and capability not in self.caller.capabilities:
            raise NotAllowed(DENIED)

    def given(self, name: str) -> str:
        """A parameter, from the body first."""
        return posted.one(self.request, name)

    def numbered(self, name: str, *things: served.Thing) -> int:
        """The key of the thing a parameter names. Raises Refused for anything else."""
        found = served.Numbered.read(self.given(name))
        if found is None or found.thing not in things:
            raise Refused("Numéro de transaction invalide.")
        return found.key

    def may_leave(
        self, capability: Capability, operator_of: Callable[[], TransmissionOperator]
    ) -> bool:
        """Whether what is deposited leaves at once, or waits for a person to send it.

        A real operator wants the person's certificate on this very call, as does a commune that
        asks its agents to prove who they are before anything leaves; else a person presses the
        button (state 17 of S²LOW). `operator_of` says who would carry it; what it refuses for
        another reason than the certificate is raised: the convention binds a software too.
        """
        if capability not in self.caller.capabilities:
            return False
        try:
            operator = operator_of()
        except NoCertificate:
            return False
        siren = self.caller.access.organisation.siren
        strict = operator.requires_certificate or people.step_up_rule(siren) is not None
        return self.caller.with_certificate or not strict

    def note(self, refusal: Refusal) -> None:
        """Write the refusal in the commune's journal, in the name of the software's person."""
        caller = getattr(self, "caller", None)
        record_refusal(
            event="refused.api",
            subject=caller.access if caller else ("organisation", str(self._organisation)),
            by=caller.access.person if caller else "logiciel inconnu",
            at=self.at,
            sentence=str(refusal),
            code=refusal.code,
        )

    @property
    def _organisation(self) -> int:
        return int(self.request.tenant.organisation_id)  # type: ignore[attr-defined]


def text(content: bytes) -> HttpResponse:
    """Lines of text, as S²LOW writes them."""
    return HttpResponse(content, content_type=TEXT)


def json_answer(value: Any) -> HttpResponse:
    """ASCII JSON."""
    return HttpResponse(served.as_json(value), content_type="application/json")


def xml(content: bytes) -> HttpResponse:
    """A small XML document."""
    return HttpResponse(content, content_type="text/xml")


def pages(request: HttpRequest, *, longest: int = 100) -> Iterator[int]:
    """`offset` then `limit` of a list, within reason."""
    yield max(0, _whole(request.GET.get("offset"), 0))
    yield min(longest, max(1, _whole(request.GET.get("limit"), longest)))


def _whole(written: str | None, default: int) -> int:
    return int(written) if written and written.isascii() and written.isdigit() else default
