"""The bordereau and the stamped copies: wanted until they come, and never something else."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from socle.delivery import actions as delivery
from socle.delivery.models import Outbound
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.s2low import papers, policies
from socle.s2low.models import S2lowAccount, S2lowPaper, S2lowState
from tests.s2low import archives
from tests.s2low.conftest import Post, row_of
from tests.s2low.server import S2lowServer

BORDEREAU = "actes_create_pdf.php"


@pytest.fixture
def answered(
    post: Post, server: S2lowServer, account: S2lowAccount, town: Any
) -> Iterator[Outbound]:
    """An act whose acknowledgement is kept; the connection is in the public schema."""
    outbound = post()
    delivery.send_due()
    server.state.transactions[666].status = 4
    server.state.transactions[666].content = archives.acknowledgement()
    connection.set_schema_to_public()
    assert delivery.collect(account.operator) == 1
    yield outbound
    connection.set_tenant(town)


def fetch(*, after: timedelta = timedelta(0)) -> int:
    return papers.fetch_due(at=timezone.now() + after)


def papers_of(outbound: Outbound) -> QuerySet[S2lowPaper]:
    mine = {"transaction__operator": outbound.operator, "transaction__name": outbound.name}
    return S2lowPaper.objects.filter(**mine)


def test_k04_bordereau_and_stamped_copies_are_kept(
    answered: Outbound, town: Any, server: S2lowServer
) -> None:
    assert fetch() == 1
    kept = papers_of(answered)
    assert [(one.kind, one.rank) for one in kept] == [
        ("bordereau", 0),
        ("stamped", 1),
        ("stamped", 3),
    ]
    connection.set_tenant(town)
    for paper in kept:
        content = documents.read(StoredFile.objects.get(pk=paper.stored))
        assert content.startswith(b"%PDF-")
        assert hashlib.sha256(content).hexdigest() == paper.sha256
        assert b"bordereau 666" in content or b"Recu en prefecture" in content


def test_papers_that_are_all_there_are_not_asked_for_again(
    answered: Outbound, server: S2lowServer
) -> None:
    fetch()
    fetch(after=policies.PAPERS_EVERY)
    assert server.called(BORDEREAU) == 1


@pytest.mark.parametrize("how", ["redirect", "html-200", "empty", "500", "cut-pdf", "truncated"])
def test_k09_a_bordereau_that_does_not_come_is_asked_for_again(
    answered: Outbound, server: S2lowServer, how: str
) -> None:
    server.break_down(how, script=BORDEREAU)
    assert fetch() == 0
    assert not S2lowPaper.objects.filter(kind="bordereau").exists()
    assert row_of(answered).state == S2lowState.ANSWERED  # the AR did not wait for its papers

    server.repair()
    assert fetch() == 0  # too soon
    assert fetch(after=policies.PAPERS_EVERY) == 1
    assert S2lowPaper.objects.filter(kind="bordereau").count() == 1


def test_an_unstamped_copy_is_not_kept_as_stamped(answered: Outbound, server: S2lowServer) -> None:
    server.state.stamping_works = False
    assert fetch() == 0
    assert [one.kind for one in S2lowPaper.objects.all()] == ["bordereau"]
    assert "sans tampon" in row_of(answered).problem

    server.state.stamping_works = True
    assert fetch(after=policies.PAPERS_EVERY) == 1
    assert row_of(answered).problem == ""
    assert S2lowPaper.objects.filter(kind="stamped").count() == 2


def test_k11_a_file_that_is_no_pdf_gets_no_stamped_copy(answered: Outbound) -> None:
    fetch()
    assert not S2lowPaper.objects.filter(rank=2).exists()


def test_papers_are_given_up_after_a_month(answered: Outbound, server: S2lowServer) -> None:
    assert fetch(after=policies.PAPERS_FOR + timedelta(minutes=1)) == 0
    assert server.called(BORDEREAU) == 0


def test_an_account_that_is_gone_stops_nothing(answered: Outbound, account: S2lowAccount) -> None:
    account.delete()
    assert fetch() == 0
