"""« Mon raccordement »: what the commune does itself, and what it waits for."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from socle.core.clock import legal_date
from tenants.onboarding import screens, steps
from tenants.onboarding.views import shared
from tenants.onboarding.views.shared import InCommune

AT_ONCE = 3
"""How many things to do are shown at a time."""


class Home(InCommune):
    """Three things to do at most, the papers to sign, what others owe us."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.find() is None:
            return render(request, "onboarding/none.html")
        case = self.catch_up()
        mine, others = screens.tasks(case, self.space, legal_date(timezone.now()))
        context = {
            "case": case,
            "tone": screens.TONES[case.state],
            "mine": mine[:AT_ONCE],
            "later": len(mine[AT_ONCE:]),
            "others": others,
            **screens.progress(case),
            "to_sign": screens.to_sign(case, self.space),
            "files": screens.files(case, self.space),
            "tracks": screens.tracks(case, self.space),
        }
        return render(request, "onboarding/mine.html", context)


class WriteDeliberation(shared.WriteDeliberation, InCommune):
    pass


class SignDeliberation(shared.SignDeliberation, InCommune):
    pass


class Transmission(shared.Transmission, InCommune):
    pass


class AcceptTariff(shared.AcceptTariff, InCommune):
    pass


class SignContract(shared.SignContract, InCommune):
    pass


class SignConvention(shared.SignConvention, InCommune):
    pass


class WriteHelios(shared.WriteHelios, InCommune):
    pass


class SignHelios(shared.SignHelios, InCommune):
    pass


class DateStep(shared.DateStep, InCommune):
    """Only the steps that are the commune's own."""

    @property
    def step(self) -> steps.Step:
        found: steps.Step = super().step
        if found.owner is not steps.Owner.COMMUNE:
            raise PermissionDenied(found.code)
        return found


class Step(shared.Step, InCommune):
    pass


class File(shared.File, InCommune):
    pass


class Sheet(shared.Sheet, InCommune):
    pass
