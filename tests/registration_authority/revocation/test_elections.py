"""After elections: what falls with a mandate, what stays, and who says so."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from registration_authority import tasks
from registration_authority.dossier.models import PolicyProfile
from registration_authority.models import (
    Certificate,
    CertificateFile,
    CertificateState,
    FileState,
    Offer,
)
from registration_authority.revocation import elections
from registration_authority.revocation.models import (
    ElectionCampaign,
    ElectionLine,
    ElectionOutcome,
)
from socle.accounts.capabilities import Role
from socle.core.refusals import Refusal
from socle.notices.models import Notice
from tests.people import on_portal, person
from tests.registration_authority.counter import NOON, Counter, open_counter
from tests.registration_authority.test_screens import text

FALLS, STAYS = ElectionOutcome.NOT_RE_ELECTED, ElectionOutcome.RE_ELECTED


@pytest.fixture
def second(syndicat: Any) -> Any:
    """Another officer."""
    who = person(Role.RA_OPERATOR, at=syndicat, last_name="Secondes")
    who.grants.update(starts_on=date(2026, 1, 1))
    return who


@pytest.fixture
def mayor(counter: Counter) -> Counter:
    """The holder of `counter` is elected, and her certificate signs in the mandate's name."""
    counter.holder.grants.update(roles=["signatory", "transmitter"])
    counter.bring_to(FileState.HANDED_OVER)
    offer = Offer.objects.get(pk=counter.file.offer_id)
    offer.pk, offer.code, offer.usage = None, "double-usage", "dual"
    offer.save()
    CertificateFile.objects.filter(pk=counter.file.pk).update(offer=offer)
    counter.file.refresh_from_db()
    return counter


@pytest.fixture
def campaign(mayor: Counter) -> ElectionCampaign:
    """A campaign with one line."""
    return elections.open_campaign(name="Municipales 2026", by=mayor.officer, at=NOON)


def told(campaign: ElectionCampaign, outcome: ElectionOutcome, by: Any) -> ElectionLine:
    line = campaign.lines.get()
    elections.tell_outcomes(campaign_id=campaign.pk, outcomes={line.pk: outcome}, by=by, at=NOON)
    line.refresh_from_db()
    return line


def certificate() -> Certificate:
    return Certificate.objects.get()


def test_case_c54_two_officers_end_what_signs_and_nothing_else(
    mayor: Counter, campaign: ElectionCampaign, second: Any, town: Any, syndicat: Any
) -> None:
    connection.set_schema_to_public()
    agent = open_counter(mayor.organisation, syndicat, first_name="Anne", last_name="Agent")
    agent.token = "TK-0002"
    agent.bring_to(FileState.HANDED_OVER)
    told(campaign, FALLS, mayor.officer)
    assert elections.validate(campaign_id=campaign.pk, by=second, at=NOON) == 1
    tasks.apply_campaign(schema="public", campaign_id=campaign.pk)
    hers = Certificate.objects.get(file=mayor.file)
    assert hers.state == CertificateState.REVOKED
    assert hers.revocation_reason == "cessationOfOperation"
    request = hers.revocations.get()
    assert {request.asked_by, request.decided_by} == {mayor.officer, second}
    assert Certificate.objects.get(file=agent.file).state == CertificateState.VALID
    assert campaign.lines.get().result == "1 certificat révoqué"


def test_a_certificate_that_only_says_who_one_is_does_not_fall(
    mayor: Counter, campaign: ElectionCampaign, second: Any
) -> None:
    Offer.objects.update(usage="authentication")
    told(campaign, FALLS, mayor.officer)
    elections.validate(campaign_id=campaign.pk, by=second, at=NOON)
    elections.apply(campaign.pk, at=NOON)
    assert certificate().state == CertificateState.VALID
    assert "Aucun certificat" in campaign.lines.get().result


def test_what_falls_with_a_mandate_is_a_rule_of_the_offer(
    mayor: Counter, campaign: ElectionCampaign, second: Any
) -> None:
    offer = Offer.objects.get(pk=mayor.file.offer_id)
    PolicyProfile.objects.create(offer=offer, falls_with_mandate=[])
    told(campaign, FALLS, mayor.officer)
    elections.validate(campaign_id=campaign.pk, by=second, at=NOON)
    elections.apply(campaign.pk, at=NOON)
    assert certificate().state == CertificateState.VALID


def test_case_c55_who_is_re_elected_brings_a_new_proof(
    mayor: Counter, campaign: ElectionCampaign, second: Any
) -> None:
    told(campaign, STAYS, mayor.officer)
    elections.validate(campaign_id=campaign.pk, by=second, at=NOON)
    elections.apply(campaign.pk, at=NOON)
    assert certificate().state == CertificateState.VALID
    assert Notice.objects.filter(person=mayor.holder, body__contains="procès-verbal").count() == 1


def test_nobody_validates_what_she_told(
    mayor: Counter, campaign: ElectionCampaign, second: Any
) -> None:
    line = told(campaign, FALLS, mayor.officer)
    with pytest.raises(Refusal, match="une autre personne"):
        elections.validate(campaign_id=campaign.pk, by=mayor.officer, at=NOON)
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        ElectionLine.objects.filter(pk=line.pk).update(
            validated_at=NOON, validated_by=mayor.officer
        )


def test_an_unknown_outcome_is_never_validated(campaign: ElectionCampaign, second: Any) -> None:
    assert elections.validate(campaign_id=campaign.pk, by=second, at=NOON) == 0
    with pytest.raises(IntegrityError, match="known_before"), transaction.atomic():
        ElectionLine.objects.update(validated_at=NOON, validated_by=second)


def test_carried_out_twice_is_once_and_validated_outcomes_stand(
    mayor: Counter, campaign: ElectionCampaign, second: Any
) -> None:
    told(campaign, FALLS, mayor.officer)
    elections.validate(campaign_id=campaign.pk, by=second, at=NOON)
    assert elections.unfinished() == [campaign.pk]
    for _ in range(2):
        elections.apply(campaign.pk, at=NOON)
    assert certificate().revocations.count() == 1
    assert elections.unfinished() == []
    line = campaign.lines.get()
    changed = elections.tell_outcomes(
        campaign_id=campaign.pk, outcomes={line.pk: STAYS}, by=second, at=NOON
    )
    assert changed == 0


def test_a_line_that_raises_anything_does_not_stop_the_others(
    mayor: Counter, campaign: ElectionCampaign, second: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = told(campaign, FALLS, mayor.officer)
    elections.validate(campaign_id=campaign.pk, by=second, at=NOON)
    bad = ElectionLine.objects.get(pk=good.pk)
    bad.pk, bad.holder = None, person(Role.SIGNATORY, at=mayor.file.organisation)
    bad.save()
    real = elections._apply

    def raises(line_id: int, at: Any) -> None:
        if line_id == bad.pk:
            raise ValueError("\0")
        real(line_id, at)

    monkeypatch.setattr(elections, "_apply", raises)
    monkeypatch.setattr(elections, "waiting_lines", lambda campaign_id: [bad.pk, good.pk])
    elections.apply(campaign.pk, at=NOON)
    bad.refresh_from_db()
    good.refresh_from_db()
    assert "ValueError" in bad.result
    assert good.done_at == NOON


def test_the_screens_of_a_campaign(mayor: Counter, second: Any) -> None:
    desk, other = on_portal(mayor.officer), on_portal(second)
    address = "/certificats/elections/"
    assert "Nouvelle campagne" in text(desk.get(address))
    desk.post(f"{address}nouvelle/", {"name": "Municipales 2026"})
    campaign = ElectionCampaign.objects.get()
    page, line = f"{address}{campaign.pk}/", campaign.lines.get()
    desk.post(f"{page}resultats/", {f"line-{line.pk}": "not_re_elected", "line-x": "re_elected"})
    assert "une autre personne du guichet les valide" in text(desk.get(page))
    assert "1 résultat à valider" in text(other.get(page)).replace("\xa0", " ")
    other.post(f"{page}valider/")
    elections.apply(campaign.pk, at=NOON)
    assert "1 certificat révoqué" in text(desk.get(page))
    assert "Municipales 2026" in text(desk.get(address))
