"""People are told once, in the application and by mail."""

from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from socle.accounts.capabilities import Capability, Role
from socle.accounts.navigation import Scope
from socle.notices import actions, todos
from socle.notices.models import Notice
from tests.people import in_town, person


def _tell(town: Any, who: Any, key: str = "actes.acknowledged:1") -> None:
    actions.tell(
        people=[who],
        organisation=town.organisation,
        key=key,
        subject="Acte acquitté",
        body="Votre délibération 2026_001 est exécutoire.",
        at=timezone.now(),
        url="/actes/1/",
    )


def test_the_same_thing_is_told_once(town: Any) -> None:
    who = person(Role.TRANSMITTER, at=town.organisation)
    _tell(town, who)
    _tell(town, who)
    assert Notice.objects.count() == 1
    assert actions.mail_due(at=timezone.now()) == 1
    assert actions.mail_due(at=timezone.now()) == 0
    assert [message.to for message in mail.outbox] == [[who.email]]
    assert "exécutoire" in mail.outbox[0].body


def test_the_list_shows_it_until_it_is_read(town: Any) -> None:
    who = person(Role.TRANSMITTER, at=town.organisation)
    _tell(town, who)
    browser = in_town(town, who)
    assert "Acte acquitté" in browser.get("/notifications/").content.decode()
    browser.post("/notifications/lues/")
    assert "Tout est lu" in browser.get("/notifications/").content.decode()


def test_nobody_reads_the_notices_of_another(town: Any) -> None:
    _tell(town, person(Role.TRANSMITTER, at=town.organisation))
    browser = in_town(town, person(Role.TRANSMITTER, at=town.organisation))
    assert "Acte acquitté" not in browser.get("/notifications/").content.decode()


def test_the_gravest_thing_to_do_comes_first(rf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = [
        todos.Todo(1, "courant", "/a/", "Voir"),
        todos.Todo(0, "vide", "/b/", "Voir", "danger"),
        todos.Todo(1, "à surveiller", "/c/", "Voir", "warning"),
        todos.Todo(1, "urgent", "/d/", "Voir", "danger"),
        todos.Todo(1, "courant aussi", "/e/", "Voir"),
    ]
    provider = (Scope.COMMUNE, Capability.ACTS_READ, lambda request: waiting)
    monkeypatch.setattr(todos, "_providers", [provider])
    request = rf.get("/")
    request.scope, request.capabilities = Scope.COMMUNE, {Capability.ACTS_READ}
    found = [one.sentence for one in todos.collect(request)]
    assert found == ["urgent", "à surveiller", "courant", "courant aussi"]
