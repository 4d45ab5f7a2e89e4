"""Numbers without gap when several officers issue at the same moment."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from billing import actions, policies
from billing.models import Counter, Invoice
from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.core.identifiers import siret_of
from socle.directory import queries as directory
from socle.directory.models import Organisation
from tests.billing.builders import draft
from tests.billing.databases import own_database
from tests.people import person

OFFICERS = 4


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with own_database(django_db_blocker):
        yield


@pytest.fixture
def clerk(committed: None) -> Person:
    return person(Role.BILLING_OFFICER, at=directory.syndicat())


@pytest.fixture
def communes(committed: None) -> list[Organisation]:
    found = list(Organisation.objects.filter(insee__isnull=False)[: 3 * OFFICERS])
    for one in found:
        one.siret = siret_of(one.siren)
        one.save()
    return found


def at_once(*calls: Any) -> list[Any]:
    """Run the calls in as many threads and connections, all released at the same moment."""
    ready = Barrier(len(calls))

    def run(call: Any) -> Any:
        ready.wait(timeout=10)
        try:
            return call()
        except policies.Refusal as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_officers_who_issue_together_leave_no_gap_and_no_double(
    clerk: Person, communes: list[Organisation], noon: datetime
) -> None:
    drafts = [draft(body, clerk, noon).pk for body in communes]

    def issue(share: list[int]) -> None:
        for pk in share:
            actions.issue(invoice_id=pk, by=clerk, at=noon)

    at_once(*(lambda n=n: issue(drafts[n::OFFICERS]) for n in range(OFFICERS)))

    ranks = sorted(Invoice.objects.values_list("rank", flat=True))
    assert ranks == list(range(1, len(communes) + 1))
    assert Counter.objects.get().last == len(communes)


def test_the_same_draft_issued_by_two_has_one_number(
    clerk: Person, communes: list[Organisation], noon: datetime
) -> None:
    made = draft(communes[0], clerk, noon)
    issue = lambda: actions.issue(invoice_id=made.pk, by=clerk, at=noon)  # noqa: E731
    numbers = {one.number for one in at_once(issue, issue)}
    assert numbers == {"2026-F-00001"}


def test_a_refused_draft_between_two_others_takes_no_number(
    clerk: Person, communes: list[Organisation], noon: datetime
) -> None:
    drafts = [draft(body, clerk, noon) for body in communes[:3]]
    Organisation.objects.filter(pk=communes[1].pk).update(siret="")
    found = at_once(
        *(lambda d=d: actions.issue(invoice_id=d.pk, by=clerk, at=noon) for d in drafts)
    )
    assert isinstance(found[1], policies.Incomplete)
    assert {found[0].number, found[2].number} == {"2026-F-00001", "2026-F-00002"}


def test_two_who_draft_for_one_commune_bill_each_item_once(
    clerk: Person, communes: list[Organisation], noon: datetime
) -> None:
    body = communes[0]
    made = draft(body, clerk, noon)
    actions.discard(invoice_id=made.pk, by=clerk, at=noon)
    prepare = lambda: actions.draft(organisation_id=body.pk, by=clerk, at=noon)  # noqa: E731
    found = at_once(prepare, prepare)
    assert sum(isinstance(one, Invoice) for one in found) == 1
    assert Invoice.objects.get().lines.count() == 1
