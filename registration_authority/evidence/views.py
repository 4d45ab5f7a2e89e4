"""The register for the authority's auditor: what it holds, and the sealed parcel."""

import tempfile
from typing import cast

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from registration_authority.dossier.profiles import profile_of
from registration_authority.evidence import register, retention
from registration_authority.evidence.forms import ExportForm
from registration_authority.evidence.models import Tombstone
from registration_authority.models import CertificateFile, Offer
from socle.accounts.access import CapabilityView
from socle.accounts.capabilities import Capability
from socle.accounts.models import Person

SPACE = "registration_authority"
SPOOL = 8 << 20


class Register(CapabilityView):
    """What the register holds, how long things are kept, and the button."""

    capability = Capability.RA_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        return self.show(request, ExportForm())

    def show(self, request: HttpRequest, form: ExportForm) -> HttpResponse:
        """The page."""
        offers = Offer.objects.select_related("profile", "authority")
        context = {
            "form": form,
            "files": CertificateFile.objects.count(),
            "offers": [(one, profile_of(one)) for one in offers],
            "due": len(retention.due(timezone.now())),
            "purged": Tombstone.objects.count(),
            "may_export": self.can(Capability.JOURNAL_EXPORT),
        }
        return render(request, f"{SPACE}/evidence/register.html", context)


class Export(Register):
    """The register in a parcel that verifies itself."""

    capability = Capability.JOURNAL_EXPORT
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Build it: outside any transaction, so that the journal stays free for others."""
        form = ExportForm(request.POST)
        if not form.is_valid():
            return self.show(request, form)
        out = tempfile.SpooledTemporaryFile(SPOOL)
        register.export(
            out=out,  # type: ignore[arg-type]
            by=cast(Person, request.user),
            at=timezone.now(),
            reason=form.cleaned_data["reason"],
        )
        out.seek(0)
        name = f"registre-autorite-enregistrement-{timezone.localdate():%Y-%m-%d}.zip"
        return FileResponse(out, as_attachment=True, filename=name)
