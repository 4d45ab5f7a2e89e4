"""An act of the real room, through a real S²LOW, and what the person then reads."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.actes import actions as actes
from socle.actes.models import Act, ActState, ClassificationVersion
from socle.delivery import actions as delivery
from socle.delivery.models import Inbound, InboundState
from socle.documents import actions as documents
from socle.exercise.protocol.classification import CURRENT, full_return
from socle.s2low.models import S2lowAccount
from tests.actes.conftest import FACTS, PDF, somebody, upload
from tests.s2low import archives
from tests.s2low.server import S2lowServer


@pytest.fixture
def act(account: S2lowAccount, town: Any) -> Act:
    """An act deposited by a secretary and taken by S²LOW."""
    now = timezone.now()
    stored = documents.store(
        content=full_return(CURRENT), name="classification.xml", by="tests", at=now
    )
    ClassificationVersion.objects.create(date=CURRENT.day, content=stored, received_at=now)
    made = actes.deposit(
        facts=FACTS,
        main=upload(PDF),
        annexes=[upload(archives.PNG, "plan du cimetière.png", "21_RP")],
        by=somebody(Role.TRANSMITTER, town),
        at=now,
    )
    assert delivery.send_due() == 1
    made.refresh_from_db()
    assert made.state == ActState.SENT
    return made


def collect(account: S2lowAccount, town: Any) -> None:
    connection.set_schema_to_public()
    assert delivery.collect(account.operator) == 1
    assert Inbound.objects.get().state == InboundState.MATCHED, Inbound.objects.get().message
    connection.set_tenant(town)


def test_the_documents_of_the_person_are_what_s2low_receives(act: Act, server: S2lowServer) -> None:
    posted = server.state.transactions[666]
    assert posted.text("subject") == act.objet
    assert [content for _, _, content in posted.files] == [PDF, archives.PNG]


def test_k04_the_act_is_acknowledged_on_the_day_the_prefecture_said(
    act: Act, server: S2lowServer, account: S2lowAccount, town: Any
) -> None:
    server.state.transactions[666].status = 4
    server.state.transactions[666].content = archives.acknowledgement(identifier=act.identifier)
    collect(account, town)
    act.refresh_from_db()
    assert act.state == ActState.ACKNOWLEDGED
    assert f"{act.received_on:%d/%m/%Y}" == "24/11/2026"


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("Enveloppe invalide : fichier corrompu", "S²LOW : Enveloppe invalide : fichier corrompu"),
        ("042 - Le numéro a déjà été utilisé", "Le numéro a déjà été utilisé"),
        ("Enveloppe rejetée par le MI (5 : PREF-VERIF-02)", "PREF-VERIF-02"),
    ],
)
def test_k05_the_act_is_refused_with_the_reason_given(
    act: Act, server: S2lowServer, account: S2lowAccount, town: Any, reason: str, shown: str
) -> None:
    server.state.transactions[666].status = -1
    server.state.transactions[666].content = reason.encode("iso-8859-1")
    collect(account, town)
    act.refresh_from_db()
    assert act.state == ActState.ANOMALY
    assert act.transactions.get(kind="1-1").anomaly_detail == shown
