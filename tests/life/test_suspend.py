"""A suspended space: its agents are told, its tasks wait, and it takes up where it stood."""

from datetime import datetime
from typing import Any

import pytest
from celery import shared_task
from django.db import connection
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.core import queue
from socle.core.queue import SpaceGone, in_tenant
from socle.journal.models import Entry
from socle.notices import actions as notices
from tenants.life import actions, policies
from tenants.life.models import Space, SpaceState
from tests.people import in_town, on_portal, person


@pytest.fixture
def administrator(portal: Any, syndicat: Any) -> Any:
    return person(Role.ADMINISTRATOR, at=syndicat)


def _suspend(tenant: Any, who: Any, **more: Any) -> Space:
    connection.set_schema_to_public()
    return actions.suspend(
        organisation=tenant.organisation,
        by=who,
        **{"reason": "Convention échue", "at": timezone.now(), **more},
    )


def test_agents_read_since_when_why_and_whom_to_call(
    administrator: Any, neighbour: Any, settings: Any
) -> None:
    settings.HELP_PHONE, settings.HELP_MAIL = "05 49 00 00 00", "aide@syndicat.test"
    agent = in_town(neighbour, person(Role.TRANSMITTER, at=neighbour.organisation))
    assert agent.get("/actes/").status_code == 200
    _suspend(neighbour, administrator)

    for address in ("/", "/actes/", "/helios/", "/journal/"):
        page = agent.get(address)
        assert page.status_code == 503, address
        text = page.content.decode()
        assert "Cet espace est suspendu" in text
        assert "Convention échue" in text
        assert "05 49 00 00 00" in text
        assert "aide@syndicat.test" in text
    assert agent.post("/actes/deposer/", {}).status_code == 503


def test_the_person_keeps_her_account_and_the_public_its_register(
    administrator: Any, neighbour: Any
) -> None:
    agent = in_town(neighbour, person(Role.TRANSMITTER, at=neighbour.organisation))
    _suspend(neighbour, administrator)
    assert agent.get("/compte/").status_code == 200
    assert in_town(neighbour).get("/connexion/").status_code == 200
    assert in_town(neighbour).get("/actes/registre/").status_code == 200


def test_others_are_not_touched(administrator: Any, neighbour: Any, town: Any) -> None:
    agent = in_town(town, person(Role.TRANSMITTER, at=town.organisation))
    _suspend(neighbour, administrator)
    connection.set_tenant(town)
    assert agent.get("/actes/").status_code == 200


def test_suspending_and_resuming_twice_changes_nothing(administrator: Any, neighbour: Any) -> None:
    for _ in range(2):
        _suspend(neighbour, administrator)
    who = {"organisation": neighbour.organisation, "by": administrator, "at": timezone.now()}
    for _ in range(2):
        actions.resume(reason="Convention renouvelée", **who)
    told = Entry.objects.filter(event__startswith="life.").values_list("event", flat=True)
    assert list(told) == ["life.suspended", "life.resumed"]
    assert Space.objects.get(organisation=neighbour.organisation).state == SpaceState.OPEN
    agent = in_town(neighbour, person(Role.TRANSMITTER, at=neighbour.organisation))
    assert agent.get("/actes/").status_code == 200


def test_mails_wait_with_the_space(administrator: Any, neighbour: Any, mailoutbox: Any) -> None:
    agent = person(Role.TRANSMITTER, at=neighbour.organisation)
    told = {"subject": "Acte reçu", "body": "Un acte.", "at": timezone.now()}
    notices.tell(people=[agent], organisation=neighbour.organisation, key="a:1", **told)
    _suspend(neighbour, administrator)
    assert notices.mail_due(at=timezone.now()) == 0
    who = {"organisation": neighbour.organisation, "by": administrator, "at": timezone.now()}
    actions.resume(reason="Réglé", **who)
    assert notices.mail_due(at=timezone.now()) == 1
    assert len(mailoutbox) == 1


def test_both_journals_say_why(administrator: Any, town: Any) -> None:
    _suspend(town, administrator)
    assert Entry.objects.get(event="life.suspended").detail == {"reason": "Convention échue"}
    connection.set_tenant(town)
    assert Entry.objects.get(event="life.suspended").actor_label == str(administrator)


def test_an_organisation_without_space_is_refused(administrator: Any) -> None:
    from socle.directory.models import Organisation

    lezay = Organisation.objects.get(insee="79148")
    with pytest.raises(policies.ForbiddenChange, match="n’a pas d’espace"):
        actions.suspend(organisation=lezay, reason="Essai", by=administrator, at=timezone.now())


@shared_task(name="tests.life.look")
@in_tenant
def look() -> str:
    """Say in which schema the task ran."""
    return str(connection.schema_name)


def test_tasks_leave_a_suspended_space_alone(administrator: Any, neighbour: Any) -> None:
    schema = neighbour.schema_name
    assert look(schema=schema) == schema
    _suspend(neighbour, administrator)
    assert look(schema=schema) is None


def test_tasks_are_told_that_a_space_is_gone(portal: Any) -> None:
    with pytest.raises(SpaceGone, match="n’existe plus"):
        look(schema="t_999999999")


def test_the_clock_of_the_acts_skips_it(administrator: Any, neighbour: Any, town: Any) -> None:
    from socle.actes import tasks

    assert neighbour in tasks._tenants()
    _suspend(neighbour, administrator)
    assert neighbour not in tasks._tenants()
    assert town in tasks._tenants()


def test_the_gate_is_registered_once() -> None:
    before = list(queue._gates)
    queue.register_gate(before[0])
    assert queue._gates == before


def test_the_portal_suspends_with_a_reason(
    administrator: Any, neighbour: Any, noon: datetime
) -> None:
    browser = on_portal(administrator)
    url = f"/espaces/{neighbour.organisation.siren}/suspendre/"
    assert browser.post(url, {"reason": ""}).status_code == 200
    assert not Space.objects.filter(state=SpaceState.SUSPENDED).exists()
    assert browser.post(url, {"reason": "Convention échue"}).status_code == 302
    page = browser.get(f"/espaces/{neighbour.organisation.siren}/").content.decode()
    assert "Suspendu" in page
    assert "Convention échue" in page
