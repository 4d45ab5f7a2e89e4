"""The commune's desk: what stands still, why, who can act, and the one button."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import policies, stuck
from socle.actes.models import Act
from socle.actes.permissions import NotAllowed
from socle.delivery import actions as delivery
from socle.delivery.models import Outbound, OutboundState
from socle.directory.models import TransmissionRight
from socle.directory.policies import RightSuspended
from socle.documents import actions as documents
from socle.journal.models import Entry
from tests.actes.conftest import AT, somebody
from tests.actes.test_returns import LATER, acknowledge
from tests.actes.test_screens import text
from tests.people import Browser, in_town

Deposit = Callable[..., Act]


@pytest.fixture
def browser(ready: Person, town: Any) -> Browser:
    return in_town(town, ready)


def stop(act: Act, state: OutboundState, why: str, *, attempts: int = 1) -> Outbound:
    """The corridor could not hand the act over."""
    outbound = Outbound.objects.get(subject_id=act.transactions.get().pk)
    outbound.state, outbound.last_error, outbound.attempts = state, why, attempts
    outbound.save()
    return outbound


def only() -> stuck.Item:
    [item] = stuck.items(at=LATER)
    return item


def test_an_operator_that_does_not_answer_is_tried_again_by_itself_or_by_her(
    deposit: Deposit, browser: Browser
) -> None:
    act = deposit()
    outbound = stop(act, OutboundState.DUE, "L’opérateur ne répond pas.")
    item = only()
    assert (item.why, item.who, item.retry) == (
        "L’opérateur ne répond pas.",
        stuck.NOBODY,
        outbound.pk,
    )
    page = text(browser.get("/actes/en-attente/"))
    assert "2026_017 — Règlement intérieur" in page
    assert "Relancer" in page


def test_the_same_bytes_go_again_under_the_same_name(deposit: Deposit, browser: Browser) -> None:
    outbound = stop(deposit(), OutboundState.DUE, "L’opérateur ne répond pas.")
    before = (outbound.name, outbound.sha256, outbound.payload)
    said = text(browser.post(f"/actes/en-attente/{outbound.pk}/relancer/", follow=True))
    assert "exactement le même fichier" in said
    outbound.refresh_from_db()
    assert (outbound.name, outbound.sha256, outbound.payload) == before
    assert (outbound.state, outbound.maybe_received) == (OutboundState.DUE, True)
    assert Entry.objects.get(event="delivery.retried").detail == {"name": outbound.name}
    kept = documents.StoredFile.objects.get(pk=outbound.payload)
    assert kept.sha256 == outbound.sha256


def test_what_the_operator_refused_is_for_the_syndicat(deposit: Deposit, ready: Person) -> None:
    outbound = stop(deposit(), OutboundState.REFUSED, "Archive illisible.")
    item = only()
    assert (item.who, item.retry) == (stuck.SYNDICAT, None)
    with pytest.raises(policies.CannotRetryHere, match="votre syndicat regarde"):
        stuck.retry(outbound_id=outbound.pk, by=ready, at=LATER)


def test_what_is_held_says_whether_the_cause_is_over(
    deposit: Deposit, right: TransmissionRight, ready: Person
) -> None:
    outbound = stop(deposit(), OutboundState.HELD, "La convention est suspendue.")
    TransmissionRight.objects.update(
        suspended_on=date(2026, 11, 20), suspension_reason="Courrier du préfet"
    )
    item = only()
    assert (item.who, item.retry) == (stuck.SYNDICAT, None)
    with pytest.raises(RightSuspended):
        stuck.retry(outbound_id=outbound.pk, by=ready, at=LATER)
    TransmissionRight.objects.update(suspended_on=None, suspension_reason="")
    item = only()
    assert (item.who, item.retry) == (stuck.YOU, outbound.pk)
    stuck.retry(outbound_id=outbound.pk, by=ready, at=LATER)
    outbound.refresh_from_db()
    assert outbound.state == OutboundState.DUE


def test_what_has_gone_is_not_sent_again(sent_act: Act, ready: Person) -> None:
    outbound = Outbound.objects.get()
    with pytest.raises(policies.NothingToSend):
        stuck.retry(outbound_id=outbound.pk, by=ready, at=LATER)


def test_silence_is_on_the_desk_after_two_working_days(sent_act: Act, browser: Browser) -> None:
    assert stuck.items(at=AT + timedelta(days=2)) == []
    [item] = stuck.items(at=AT + timedelta(days=3))
    assert "Ne déposez pas l’acte une seconde fois" in item.why
    acknowledge(sent_act)
    assert stuck.items(at=AT + timedelta(days=3)) == []


def test_an_act_that_waits_for_the_classification_since_yesterday(
    right: TransmissionRight, secretary: Person, town: Any
) -> None:
    from socle.actes import actions
    from tests.actes.conftest import FACTS, upload

    actions.deposit(facts=FACTS, main=upload(), annexes=(), by=secretary, at=AT)
    assert not [item for item in stuck.items(at=LATER) if "matières" in item.why]
    later = stuck.items(at=AT + timedelta(days=2))
    assert [item.who for item in later if "matières" in item.why] == [stuck.SYNDICAT]


def test_who_may_not_transmit_sees_and_does_nothing(deposit: Deposit, town: Any) -> None:
    outbound = stop(deposit(), OutboundState.DUE, "L’opérateur ne répond pas.")
    reader = somebody(Role.READER, town)
    page = in_town(town, reader)
    assert "Relancer</" not in page.get("/actes/en-attente/").content.decode()
    assert page.post(f"/actes/en-attente/{outbound.pk}/relancer/").status_code == 403
    with pytest.raises(NotAllowed):
        stuck.retry(outbound_id=outbound.pk, by=reader, at=timezone.now())


def test_the_neighbour_sees_and_moves_nothing_of_ours(deposit: Deposit, neighbour: Any) -> None:
    outbound = stop(deposit(), OutboundState.DUE, "L’opérateur ne répond pas.")
    theirs = in_town(neighbour, somebody(Role.TRANSMITTER, neighbour))
    assert "rien n’est arrêté" in text(theirs.get("/actes/en-attente/"))
    assert theirs.post(f"/actes/en-attente/{outbound.pk}/relancer/").status_code == 404
    outbound.refresh_from_db()
    assert not outbound.maybe_received


def test_her_home_page_leads_to_the_desk(deposit: Deposit, browser: Browser) -> None:
    stop(deposit(), OutboundState.DUE, "L’opérateur ne répond pas.")
    assert 'href="/actes/en-attente/"' in browser.get("/").content.decode()


def test_the_desk_costs_a_bounded_number_of_queries(
    deposit: Deposit, browser: Browser, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for serial in range(5):
        stop(deposit(number=f"2026_{serial:03d}"), OutboundState.DUE, "Silence.")
    browser.get("/actes/en-attente/")
    with django_assert_max_num_queries(15):
        browser.get("/actes/en-attente/")


def test_the_syndicat_still_has_the_same_item_on_its_own_desk(deposit: Deposit) -> None:
    from socle.delivery import queries as corridor

    outbound = stop(deposit(), OutboundState.DUE, "L’opérateur ne répond pas.")
    assert list(corridor.stuck_outbound()) == [outbound]
    assert delivery.check_may_go(outbound, at=LATER) is None
