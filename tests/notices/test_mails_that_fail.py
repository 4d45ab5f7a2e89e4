"""One mail that cannot leave stops no other, is seen, tried again, then given up."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.directory.models import Organisation
from socle.notices import actions, policies, queries
from socle.notices.models import Notice
from tests.notices.smtp import SmtpServer, serving
from tests.people import on_portal, person


@pytest.fixture
def smtp(settings: Any) -> Iterator[SmtpServer]:
    with serving(settings) as server:
        yield server


def _tell(town: Any, subject: str = "Acte acquitté") -> Notice:
    who = person(Role.TRANSMITTER, at=town.organisation)
    actions.tell(
        people=[who],
        organisation=town.organisation,
        key="k",
        subject=subject,
        body="Votre délibération\0 est \ud800exécutoire.",
        at=timezone.now(),
    )
    return Notice.objects.get(person=who)


def test_an_address_the_server_refuses_keeps_no_other_mail_back(
    town: Any, smtp: SmtpServer, syndicat: Organisation
) -> None:
    bad, good = _tell(town), _tell(town)
    smtp.refused = {bad.person.email}
    now = timezone.now()

    assert actions.mail_due(at=now) == 1

    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.mailed_at, bad.mail_failures) == (None, 1)
    assert "550 5.1.1 no such user" in bad.mail_problem
    assert bad.mail_after == now + policies.wait_after(1)
    assert good.mailed_at == now
    connection.set_schema_to_public()
    page = on_portal(person(Role.OFFICER, at=syndicat)).get("/envois/").content.decode()
    assert "Courriels" in page
    assert "refuse cette adresse" in page


def test_it_is_tried_again_further_and_further_apart_then_given_up(
    town: Any, smtp: SmtpServer
) -> None:
    bad = _tell(town)
    smtp.refused = {bad.person.email}
    at = timezone.now()
    for _ in range(policies.TRIES):
        actions.mail_due(at=at)
        actions.mail_due(at=at)  # not before its time
        at += policies.wait_after(12)
    bad.refresh_from_db()
    assert bad.mail_failures == policies.TRIES

    smtp.refused = set()
    assert actions.mail_due(at=at) == 0
    assert list(queries.unmailed()) == [bad]


def test_what_leaves_at_last_leaves_the_desk(town: Any, smtp: SmtpServer) -> None:
    bad = _tell(town)
    smtp.refused = {bad.person.email}
    actions.mail_due(at=timezone.now())
    smtp.refused = set()
    assert actions.mail_due(at=timezone.now() + timedelta(hours=1)) == 1
    assert not queries.unmailed().exists()


def test_a_mail_the_server_hangs_up_on_keeps_no_other_back(town: Any, smtp: SmtpServer) -> None:
    bad, good = _tell(town), _tell(town)
    smtp.hung_up = {bad.person.email}
    assert actions.mail_due(at=timezone.now()) == 1
    good.refresh_from_db()
    assert good.mailed_at is not None
    assert Notice.objects.get(pk=bad.pk).mail_problem


def test_a_server_that_is_away_is_no_mails_fault(town: Any, settings: Any) -> None:
    with serving(settings):
        pass  # its port is nobody's now
    told = [_tell(town) for _ in range(5)]
    assert actions.mail_due(at=timezone.now()) == 0
    failures = Notice.objects.filter(pk__in=[one.pk for one in told])
    assert {one.mail_failures for one in failures} == {0}
    assert queries.unmailed().count() == 2  # the round ended there


@pytest.mark.parametrize("fault", [ValueError(), MemoryError(), UnicodeError(), KeyError("x")])
def test_a_mail_that_raises_anything_keeps_no_other_back(
    town: Any, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    bad, good = _tell(town), _tell(town)
    real = actions._mail

    def mail(notice: Notice) -> None:
        if notice.pk == bad.pk:
            raise fault
        real(notice)

    monkeypatch.setattr(actions, "_mail", mail)
    assert actions.mail_due(at=timezone.now()) == 1
    assert Notice.objects.get(pk=bad.pk).mail_problem
    assert Notice.objects.get(pk=good.pk).mailed_at


@pytest.mark.parametrize("subject", ["Flux PES\nX-Second-Header: mine", "a\r\n\0\ud800", "é" * 400])
def test_a_subject_from_outside_fits_in_a_mail(town: Any, smtp: SmtpServer, subject: str) -> None:
    notice = _tell(town, subject)
    assert len(notice.subject) <= 200
    assert "\n" not in notice.subject
    assert actions.mail_due(at=timezone.now()) == 1
    (taken,) = smtp.taken
    assert "\nX-Second-Header" not in taken


def test_a_subject_kept_before_it_was_made_safe_is_mailed(town: Any, smtp: SmtpServer) -> None:
    _tell(town)
    Notice.objects.update(subject="Flux\nX-Second-Header: mine")
    assert actions.mail_due(at=timezone.now()) == 1
