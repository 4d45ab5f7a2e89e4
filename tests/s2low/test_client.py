"""The client on a real TLS socket: a false answer is never taken for one."""

import hashlib
import os
import ssl
import time
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import pytest

from socle.s2low.client import Credentials, S2lowClient, Unreachable, tls_context
from socle.s2low.protocol.archive import Acte, opened
from socle.s2low.protocol.multipart import Upload
from socle.s2low.protocol.outcomes import AccountFault, NotAnAnswer, Refused
from tests.s2low import archives
from tests.s2low.pki import Authority, Pair
from tests.s2low.server import Account, S2lowServer

UNTRUE = ["redirect", "redirect-login", "html-200", "404", "500", "empty", "truncated", "huge"]


def create(client: S2lowClient, **changes: Any) -> str:
    with opened(BytesIO(archives.acte(**changes))) as parcel:
        assert isinstance(parcel.message, Acte)
        return client.create(parcel.message)


def test_k01_ok_666_gives_transaction_666(client: S2lowClient) -> None:
    assert create(client) == "666"


def test_the_act_arrives_field_by_field(client: S2lowClient, server: S2lowServer) -> None:
    create(client, subject="Tarif de l'été : 3 &amp; plus")
    posted = server.state.transactions[666]
    assert {name: values for name, values in posted.fields.items() if name != "type_pj[]"} == {
        "api": [b"1"],
        "nature_code": [b"1"],
        "number": [b"2026_017"],
        "subject": ["Tarif de l'été : 3 & plus".encode("iso-8859-1")],
        "decision_date": [b"2026-11-20"],
        "en_attente": [b"0"],
        "document_papier": [b"0"],
        "type_acte": [b"99_DE"],
        "classif1": [b"5"],
        "classif2": [b"2"],
        "classif3": [b"1"],
    }


def test_annexes_arrive_in_order_with_their_types(client: S2lowClient, server: S2lowServer) -> None:
    create(client)
    posted = server.state.transactions[666]
    assert posted.fields["type_pj[]"] == [b"21_RP", b"99_DE"]
    sent = archives.acte_files()
    assert posted.files == [
        ("acte_pdf_file", f"99_DE-{archives.STEM}_1.pdf", sent[f"99_DE-{archives.STEM}_1.pdf"]),
        ("acte_attachments[]", f"21_RP-{archives.STEM}_2.png", archives.PNG),
        (
            "acte_attachments[]",
            f"99_DE-{archives.STEM}_3.pdf",
            sent[f"99_DE-{archives.STEM}_3.pdf"],
        ),
    ]


def test_k02_the_reason_of_a_refusal_keeps_its_accents(
    client: S2lowClient, server: S2lowServer
) -> None:
    server.break_down("ko:Le numéro n'est pas correct, vérifiez l&#039;acte <br/> à déposer")
    with pytest.raises(Refused) as caught:
        create(client)
    assert str(caught.value) == "Le numéro n'est pas correct, vérifiez l'acte à déposer"


def test_a_number_taken_is_a_duplicate(client: S2lowClient) -> None:
    create(client)
    with pytest.raises(Refused) as caught:
        create(client)
    assert caught.value.is_duplicate
    assert "même numéro interne existe déjà" in str(caught.value)


@pytest.mark.parametrize("how", [*UNTRUE, "drop-before", "drop-after"])
def test_k03_no_answer_to_a_deposit_is_not_known(
    client: S2lowClient, server: S2lowServer, how: str
) -> None:
    server.break_down(how)
    with pytest.raises(NotAnAnswer):
        create(client)


def _every_question(client: S2lowClient) -> dict[str, Any]:
    return {
        "status": lambda: client.status("666"),
        "acknowledgement": lambda: client.acknowledgement("666"),
        "bordereau": lambda: client.bordereau("666"),
        "files": lambda: client.files("666"),
        "stamped": lambda: client.stamped("66601", original_sha256=""),
        "cancel": lambda: client.cancel("666"),
        "listing": lambda: list(client.listing(1, since=date(2020, 1, 1), until=date(2030, 1, 1))),
        "classification": client.classification,
        "request_classification": client.request_classification,
        "letters": client.letters,
        "letter": lambda: client.letter("70"),
        "mark_letter_read": lambda: client.mark_letter_read("70"),
        "import_flow": lambda: client.import_flow(Upload.of("a.xml", b"<PES_Aller/>")),
        "flow_status": lambda: client.flow_status("666"),
        "acquit": lambda: client.acquit("666"),
        "retours": client.retours,
        "retour": lambda: client.retour("5"),
        "mark_retour_read": lambda: client.mark_retour_read("5"),
        "check": client.check,
    }


@pytest.mark.parametrize("how", ["redirect", "redirect-login", "html-200", "404", "empty"])
def test_no_question_takes_a_page_or_nothing_for_its_answer(
    client: S2lowClient, server: S2lowServer, how: str
) -> None:
    server.break_down(how)
    for name, question in _every_question(client).items():
        with pytest.raises(NotAnAnswer):
            question()
        assert server.state.calls, name


def test_a_page_that_is_well_formed_xml_is_no_file_of_the_tresorerie(
    client: S2lowClient, server: S2lowServer
) -> None:
    page = b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>'
    server.state.retours[5] = ("retour.xml", page)
    with pytest.raises(NotAnAnswer, match="HTML"):
        client.retour("5")


def test_the_redirect_of_a_letter_is_not_followed_elsewhere(
    client: S2lowClient, server: S2lowServer
) -> None:
    server.break_down("redirect", script="actes_transac_get_document.php")
    with pytest.raises(NotAnAnswer, match="redirection"):
        client.letter("70")
    assert server.called("index.php") == 0


def test_a_letter_is_fetched_by_the_number_of_its_envelope(
    client: S2lowClient, server: S2lowServer
) -> None:
    server.state.archives[9070] = archives.pack({"lettre.xml": b"<a/>"})
    assert client.letter("70") == server.state.archives[9070]


def test_a_cut_archive_is_given_as_it_came(client: S2lowClient, server: S2lowServer) -> None:
    """Its opening is the corridor's, which keeps it and says on its desk that it is damaged."""
    server.state.archives[9070] = archives.pack({"lettre.xml": os.urandom(5000)})[:-200]
    assert client.letter("70") == server.state.archives[9070]


def test_what_is_no_archive_is_no_letter(client: S2lowClient, server: S2lowServer) -> None:
    server.state.archives[9070] = b"<html></html>"
    with pytest.raises(NotAnAnswer):
        client.letter("70")


def test_a_server_that_says_nothing_is_left_in_time(
    credentials: Credentials, server: S2lowServer
) -> None:
    server.break_down("slow:1.5")
    started = time.monotonic()
    with pytest.raises(Unreachable):
        create(S2lowClient(credentials, silence=0.3))
    assert time.monotonic() - started < 1.2


def test_a_server_that_drips_bytes_is_cut_off(
    credentials: Credentials, server: S2lowServer
) -> None:
    server.break_down("drip:3")
    started = time.monotonic()
    with pytest.raises(Unreachable):
        S2lowClient(credentials, silence=1, deadline=0.5).status("666")
    assert time.monotonic() - started < 2


def test_nobody_listening_is_unreachable(credentials: Credentials, server: S2lowServer) -> None:
    server.close()
    server._thread.join()
    with pytest.raises(Unreachable):
        S2lowClient(credentials).check()
    server._http.server_close()


# TLS


def test_a_server_signed_by_another_authority_is_refused(credentials: Credentials) -> None:
    pinned = replace(credentials, ca=Authority("Une autre autorité").pem)
    with pytest.raises(Unreachable, match="TLS"):
        S2lowClient(pinned).check()


def test_a_certificate_for_another_host_is_refused(ca: Authority, pair: Pair) -> None:
    impostor = S2lowServer(ca.server("autre.example.fr"), ca.pem)
    try:
        with pytest.raises(Unreachable, match="TLS"):
            S2lowClient(Credentials(impostor.url, pair.certificate, pair.key, ca.pem)).check()
        assert impostor.state.calls == []
    finally:
        impostor.close()


def test_an_expired_certificate_of_ours_is_the_accounts_fault(
    credentials: Credentials, ca: Authority
) -> None:
    expired = ca.client("Syndicat mixte", expired=True)
    old = replace(credentials, certificate=expired.certificate, key=expired.key)
    with pytest.raises(AccountFault, match="refuse le certificat"):
        S2lowClient(old).check()


def test_a_certificate_nobody_declared_is_the_accounts_fault(
    credentials: Credentials, ca: Authority
) -> None:
    unknown = ca.client("Inconnu")
    with pytest.raises(AccountFault, match="ne reconnaît pas"):
        S2lowClient(replace(credentials, certificate=unknown.certificate, key=unknown.key)).check()


def test_the_key_is_never_on_a_disk(credentials: Credentials, monkeypatch: Any) -> None:
    places: list[str] = []
    load = ssl.SSLContext.load_cert_chain

    def spy(context: ssl.SSLContext, path: str) -> None:
        places.append(os.readlink(path))
        load(context, path)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    before = len(os.listdir("/proc/self/fd"))
    S2lowClient(credentials)
    assert [place.partition(":")[0] for place in places] == ["/memfd"]
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_key_of_another_certificate_cannot_be_used(
    credentials: Credentials, ca: Authority
) -> None:
    with pytest.raises(AccountFault, match="inutilisable"):
        S2lowClient(replace(credentials, key=ca.client("Autre").key))


def test_secrets_are_not_shown(credentials: Credentials) -> None:
    shown = repr(replace(credentials, login="melle", password="très secret"))
    assert "PRIVATE KEY" not in shown
    assert "très secret" not in shown


def test_tls_1_3_is_spoken_to_a_server_that_offers_it(
    ca: Authority, server_pair: Pair, pair: Pair
) -> None:
    modern = S2lowServer(server_pair, ca.pem, newest=ssl.TLSVersion.TLSv1_3)
    modern.state.accounts.append(Account("Melle", pair.fingerprint))
    try:
        client = S2lowClient(Credentials(modern.url, pair.certificate, pair.key, ca.pem))
        assert client.check().authority == "Melle"
    finally:
        modern.close()


def test_tls_1_1_is_not_spoken(credentials: Credentials) -> None:
    assert tls_context(credentials).minimum_version is ssl.TLSVersion.TLSv1_2


# Accounts that share a certificate


@pytest.fixture
def shared(server: S2lowServer, pair: Pair) -> S2lowServer:
    server.state.accounts[:] = [
        Account("Melle", pair.fingerprint, "melle", "secret-melle"),
        Account("Celles", pair.fingerprint, "celles", "secret-celles"),
    ]
    return server


def test_two_accounts_on_one_certificate_are_told_apart_by_login(
    shared: S2lowServer, credentials: Credentials
) -> None:
    for login, authority in (("melle", "Melle"), ("celles", "Celles")):
        mine = replace(credentials, login=login, password=f"secret-{login}")
        assert S2lowClient(mine).check().authority == authority


def test_two_accounts_without_login_are_the_accounts_fault(
    shared: S2lowServer, client: S2lowClient
) -> None:
    with pytest.raises(AccountFault, match="Plusieurs comptes"):
        client.check()
    assert client.logins() == ["melle", "celles"]


def test_a_wrong_password_is_the_accounts_fault(
    shared: S2lowServer, credentials: Credentials
) -> None:
    wrong = S2lowClient(replace(credentials, login="melle", password="faux"))
    with pytest.raises(AccountFault, match="Échec de l'authentification"):
        create(wrong)


# Files


@pytest.fixture
def acknowledged(client: S2lowClient, server: S2lowServer) -> str:
    number = create(client)
    held = server.state.transactions[666]
    held.status, held.content = 4, archives.acknowledgement()
    held.acknowledgement = held.content
    return number


def test_k04_the_acknowledgement_is_kept_byte_for_byte(
    client: S2lowClient, acknowledged: str
) -> None:
    state = client.status(acknowledged)
    assert (state.status, state.content) == (4, archives.acknowledgement())
    assert client.acknowledgement(acknowledged) == archives.acknowledgement()


def test_a_stamped_copy_differs_from_what_was_sent(client: S2lowClient, acknowledged: str) -> None:
    message, act, *_ = client.files(acknowledged)
    assert message.name == "message.xml"
    digest = hashlib.sha256(archives.PDF).hexdigest()
    copy = client.stamped(act.id, original_sha256=digest, published_on=date(2026, 11, 25))
    assert copy != archives.PDF


def test_an_unstamped_copy_is_not_a_stamped_one(
    client: S2lowClient, server: S2lowServer, acknowledged: str
) -> None:
    server.state.stamping_works = False
    digest = hashlib.sha256(archives.PDF).hexdigest()
    with pytest.raises(NotAnAnswer, match="sans tampon"):
        client.stamped(client.files(acknowledged)[1].id, original_sha256=digest)


def test_k11_a_file_that_is_no_pdf_has_no_stamped_copy(
    client: S2lowClient, acknowledged: str
) -> None:
    with pytest.raises(NotAnAnswer, match="pas un PDF"):
        client.stamped(client.files(acknowledged)[2].id, original_sha256="")


def test_a_cut_pdf_is_not_kept(client: S2lowClient, server: S2lowServer, acknowledged: str) -> None:
    server.break_down("cut-pdf", script="actes_create_pdf.php")
    with pytest.raises(NotAnAnswer, match="PDF coupé"):
        client.bordereau(acknowledged)


def test_the_files_of_an_act_not_yet_acknowledged_are_refused(client: S2lowClient) -> None:
    with pytest.raises(Refused, match="Pas d'acquittement"):
        client.files(create(client))


def test_a_large_file_is_not_held_in_memory(client: S2lowClient, server: S2lowServer) -> None:
    asked: list[int] = []

    class Source(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            asked.append(size or -1)
            return super().read(size)

    body = os.urandom(1_000_000)
    client.import_flow(Upload("flux.xml", len(body), Source(body)))
    assert server.state.transactions[666].files == [("enveloppe", "flux.xml", body)]
    assert 0 < max(asked) <= 65536
    assert min(asked) > 0
