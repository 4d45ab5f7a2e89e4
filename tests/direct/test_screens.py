"""The connection on the portal: given, tried, told in words, never shown again."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django_tenants.utils import schema_context

from socle.accounts.capabilities import Role
from socle.delivery.models import Inbound, InboundState, TransmissionOperator
from socle.direct import actions
from socle.direct.models import DirectLink, DirectPost
from socle.documents import actions as documents
from tests.direct.imap import ImapServer
from tests.people import Browser, on_portal, person

PAGE = "/envois/direct/direct/"


@pytest.fixture
def officer(syndicat: Any) -> Browser:
    return on_portal(person(Role.OFFICER, at=syndicat))


def test_the_connection_is_given_and_tried(
    officer: Browser, operator: TransmissionOperator, facts: dict[str, Any], imap: ImapServer
) -> None:
    assert PAGE in officer.get("/envois/operateurs/").content.decode()
    given = facts | {
        "credential": "none",
        "mailbox": "INBOX",
        "certificate": SimpleUploadedFile("c.pem", facts["certificate"]),
        "key": SimpleUploadedFile("k.pem", facts["key"]),
        "imap_ca": SimpleUploadedFile("ac.pem", facts["imap_ca_pem"].encode()),
    }
    imap.deliver(b"Subject: a\r\n\r\nb")
    saved = officer.post(PAGE, given, follow=True).content.decode()
    assert "Le raccordement est enregistré" in saved
    assert imap.state.password not in saved
    tried = officer.post(f"{PAGE}essayer/", follow=True).content.decode()
    assert "1 message(s) y attendent" in tried


def test_a_trial_that_fails_says_why(officer: Browser, link: DirectLink, imap: ImapServer) -> None:
    imap.state.password = "changed"
    page = officer.post(f"{PAGE}essayer/", follow=True).content.decode()
    assert "n’accepte pas l’identifiant" in page


def test_saving_again_without_secrets_keeps_them(
    officer: Browser, link: DirectLink, facts: dict[str, Any]
) -> None:
    before = DirectLink.objects.values().get()
    shown = {
        name: facts[name] for name in ("post_url", "pins", "imap_host", "imap_port", "imap_login")
    }
    officer.post(PAGE, shown | {"credential": "none", "mailbox": "INBOX"})
    assert DirectLink.objects.values().get() == before


def test_what_is_wrong_stands_beside_its_field(
    officer: Browser, link: DirectLink, facts: dict[str, Any]
) -> None:
    given = {
        **{name: facts[name] for name in ("post_url", "imap_host", "imap_port", "imap_login")},
        "pins": "zz",
        "credential": "none",
        "mailbox": "INBOX",
    }
    assert "64 chiffres hexadécimaux" in officer.post(PAGE, given).content.decode()


def test_what_is_in_doubt_or_left_behind_is_shown(officer: Browser, link: DirectLink) -> None:
    now = timezone.now()
    DirectPost.objects.create(operator=link.operator, name="SYN-1.tar.gz", started_at=now)
    actions.note_left_behind(
        link.operator, validity=1, uid=12, size=3_000_000_000, why="Message trop lourd.", at=now
    )
    page = officer.get(PAGE).content.decode()
    assert "SYN-1.tar.gz" in page
    assert "Message trop lourd." in page


def test_F18_a_mail_nobody_understands_is_opened_as_it_arrived(
    officer: Browser, link: DirectLink, syndicat: Any
) -> None:
    now, raw = timezone.now(), b"Subject: r\xe9ponse\r\n\r\nBonjour"
    with schema_context("public"):
        stored = documents.store(content=raw, name="courriel-1-1.eml", by="Socle", at=now)
        inbound = Inbound.objects.create(
            operator=link.operator,
            protocol="actes",
            external_id="1-1",
            name="courriel-1-1.eml",
            payload=stored.pk,
            sha256=stored.sha256,
            received_at=now,
            state=InboundState.UNMATCHED,
            handled_at=now,
            message="Ce courriel ne contient aucun message de la préfecture.",
        )
    page = officer.get("/envois/").content.decode()
    assert f"/envois/retour/{inbound.pk}/" in page
    answer = officer.get(f"/envois/retour/{inbound.pk}/")
    with schema_context("public"):
        assert b"".join(answer.streaming_content) == raw
    assert "attachment" in answer["Content-Disposition"]
    auditor = on_portal(person(Role.AUDITOR, at=syndicat))
    assert auditor.get(f"/envois/retour/{inbound.pk}/").status_code == 403
