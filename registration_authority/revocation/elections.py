"""After elections: who was re-elected, and what falls for those who were not.

Mayor and adjoints stay in office until the new council first meets (CGCT L2122-15); from then on a
certificate that signs in the name of the mandate must not serve. What only says who somebody is
does not fall with it. Which usages fall is written in the rules of each offer.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q

from registration_authority.dossier.profiles import profile_of
from registration_authority.models import Certificate, RevocationReason
from registration_authority.revocation import actions, queries
from registration_authority.revocation.models import (
    ElectionCampaign,
    ElectionLine,
    ElectionOutcome,
)
from registration_authority.revocation.policies import SamePerson
from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.core import queue, sweeps
from socle.core.clock import legal_date
from socle.directory.models import Grant
from socle.journal.actions import record
from socle.notices.actions import tell

log = logging.getLogger(__name__)
PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign is."""

    lines: int
    known: int
    validated: int
    done: int


@transaction.atomic
def open_campaign(*, name: str, by: Person, at: datetime) -> ElectionCampaign:
    """List every elected person of the members who holds a certificate in force."""
    campaign = ElectionCampaign.objects.create(name=name.strip(), opened_at=at, opened_by=by)
    today = legal_date(at)
    elected = (
        Grant.objects.filter(roles__contains=[Role.SIGNATORY.value], starts_on__lte=today)
        .filter(Q(ends_on=None) | Q(ends_on__gte=today))
        .values_list("organisation_id", "person_id")
    )
    holding = set(
        queries.in_force(at).values_list("file__organisation_id", "file__holder_id").distinct()
    )
    ElectionLine.objects.bulk_create(
        ElectionLine(campaign=campaign, organisation_id=organisation, holder_id=holder)
        for organisation, holder in sorted(set(elected) & holding)
    )
    _journal(campaign, "ra.campaign_opened", by, at, lines=str(campaign.lines.count()))
    return campaign


@transaction.atomic
def tell_outcomes(
    *, campaign_id: int, outcomes: Mapping[int, ElectionOutcome], by: Person, at: datetime
) -> int:
    """Write down outcomes, by line; what was validated does not change. How many changed."""
    lines = ElectionLine.objects.select_for_update(of=("self",)).filter(
        campaign_id=campaign_id, pk__in=outcomes, validated_at=None
    )
    changed = 0
    for line in lines:
        told = ElectionOutcome(outcomes[line.pk])
        if line.outcome == told:
            continue
        line.outcome = told
        known = told != ElectionOutcome.UNKNOWN
        line.told_at, line.told_by = (at, by) if known else (None, None)
        line.save(update_fields=["outcome", "told_at", "told_by"])
        changed += 1
    if changed:
        campaign = ElectionCampaign.objects.get(pk=campaign_id)
        _journal(campaign, "ra.outcomes_told", by, at, lines=str(changed))
    return changed


@transaction.atomic
def validate(*, campaign_id: int, by: Person, at: datetime) -> int:
    """A second officer confirms every outcome told by another; the revocations follow by a task.

    How many were validated. Raises SamePerson when all that waits was told by this very officer.
    """
    waiting = ElectionLine.objects.select_for_update(of=("self",)).filter(
        campaign_id=campaign_id, told_at__isnull=False, validated_at=None
    )
    others = [line.pk for line in waiting if line.told_by_id != by.pk]
    if not others and waiting:
        raise SamePerson(
            "Vous avez vous-même indiqué ces résultats : une autre personne du guichet doit les "
            "valider."
        )
    ElectionLine.objects.filter(pk__in=others).update(validated_at=at, validated_by=by)
    if others:
        campaign = ElectionCampaign.objects.get(pk=campaign_id)
        _journal(campaign, "ra.outcomes_validated", by, at, lines=str(len(others)))
        queue.after_commit("ra.apply_campaign", campaign_id=campaign_id)
    return len(others)


def apply(campaign_id: int, *, at: datetime) -> None:
    """Carry out the validated lines, each in a transaction of its own; twice changes nothing."""
    for line_id in waiting_lines(campaign_id):
        try:
            _apply(line_id, at)
        except sweeps.PASSING:
            raise
        except Exception as fault:
            log.warning("line %s was not carried out", line_id, exc_info=True)
            ElectionLine.objects.filter(pk=line_id).update(result=sweeps.cause(fault)[:300])


@transaction.atomic
def _apply(line_id: int, at: datetime) -> None:
    line = (
        ElectionLine.objects.select_for_update(of=("self",))
        .select_related("holder", "organisation", "told_by", "validated_by")
        .get(pk=line_id)
    )
    if line.done_at is not None or line.validated_by is None or line.told_by is None:
        return
    if line.outcome == ElectionOutcome.NOT_RE_ELECTED:
        ended = [one for one in _certificates(line, at) if _falls(one)]
        for one in ended:
            request = actions.ask_as_officer(
                certificate_id=one.pk,
                reason=RevocationReason.CESSATION,
                urgent=False,
                by=line.told_by,
                at=at,
            )
            if request.is_pending:
                actions.accept(request_id=request.pk, by=line.validated_by, at=at)
        line.result = _words(len(ended))
    else:
        _ask_for_proof(line, at)
        line.result = "Nouveau justificatif de fonction demandé"
    line.done_at = at
    line.save(update_fields=["done_at", "result"])


def _falls(certificate: Certificate) -> bool:
    offer = certificate.file.offer
    return offer.usage in profile_of(offer).falls_with_mandate


def _certificates(line: ElectionLine, at: datetime) -> Iterable[Certificate]:
    return queries.in_force(at).filter(
        file__holder=line.holder, file__organisation=line.organisation
    )


def _words(count: int) -> str:
    if not count:
        return "Aucun certificat ne tombe avec le mandat"
    return "1 certificat révoqué" if count == 1 else f"{count} certificats révoqués"


def _ask_for_proof(line: ElectionLine, at: datetime) -> None:
    tell(
        people=[line.holder],
        organisation=line.organisation,
        key=f"ra:election:{line.campaign_id}:{line.pk}",
        subject="Votre certificat après les élections",
        body=(
            "Votre certificat reste en service. Faites parvenir à votre syndicat le nouveau "
            "procès-verbal d’élection ou arrêté qui établit votre fonction."
        ),
        at=at,
    )


def waiting_lines(campaign_id: int) -> list[int]:
    """Validated lines of a campaign that are not carried out yet."""
    found = ElectionLine.objects.filter(
        campaign_id=campaign_id, validated_at__isnull=False, done_at=None
    )
    return list(found.order_by("pk").values_list("pk", flat=True))


def unfinished() -> list[int]:
    """Campaigns with validated lines that no message carried out."""
    found = ElectionLine.objects.filter(validated_at__isnull=False, done_at=None)
    return list(found.order_by().values_list("campaign_id", flat=True).distinct())


def progress(campaign: ElectionCampaign) -> Progress:
    """How far a campaign is, in one query."""
    counted = campaign.lines.aggregate(
        lines=Count("pk"),
        known=Count("pk", filter=~Q(outcome=ElectionOutcome.UNKNOWN)),
        validated=Count("pk", filter=Q(validated_at__isnull=False)),
        done=Count("pk", filter=Q(done_at__isnull=False)),
    )
    return Progress(**counted)


def _journal(
    campaign: ElectionCampaign, event: str, by: Person, at: datetime, **detail: str
) -> None:
    record(
        event=event,
        subject=campaign,
        by=by,
        at=at,
        detail={"campaign": campaign.name, **detail},
        schema=PUBLIC,
    )
