"""The corridor through a real S²LOW: once out, once back, and nothing taken for what it is not."""

from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from socle.actes import mails
from socle.actes.protocol.classification import Classification
from socle.actes.protocol.read import read_message
from socle.delivery import actions as delivery
from socle.delivery import handlers
from socle.delivery import queries as corridor
from socle.delivery.adapters import OperatorRefused, OperatorUnavailable
from socle.delivery.models import Inbound, InboundState, Outbound, OutboundState
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.journal.models import Entry
from socle.s2low import actions, policies, polling
from socle.s2low.adapter import S2lowAdapter
from socle.s2low.client import S2lowClient
from socle.s2low.models import S2lowAccount, S2lowState, S2lowTransaction, What
from socle.s2low.protocol.outcomes import Forbidden, NotAnAnswer
from tests.s2low import archives
from tests.s2low.conftest import Post, Room, again, row_of
from tests.s2low.server import S2lowServer

CREATE = "actes_transac_create.php"
STATUS = "actes_transac_get_status.php"
IMPORT = "helios_importer_fichier.php"
FLOW = b'<?xml version="1.0" encoding="ISO-8859-1"?><PES_Aller/>'


def send_later(outbound: Outbound) -> int:
    """Let the corridor try again, once its wait is over."""
    with time_machine.travel(again(outbound).due_at + timedelta(seconds=1)):
        return delivery.send_due()


def collect(account: S2lowAccount, *, after: timedelta = timedelta(0)) -> int:
    """One round of the collector, in the public schema as in the worker."""
    tenant = connection.tenant
    connection.set_schema_to_public()
    try:
        with time_machine.travel(timezone.now() + after):
            return delivery.collect(account.operator)
    finally:
        connection.set_tenant(tenant)


def acknowledge(server: S2lowServer, number: int = 666) -> None:
    held = server.state.transactions[number]
    held.status, held.content = 4, archives.acknowledgement()
    held.acknowledgement = held.content


# Out


def test_k01_a_deposit_keeps_the_number_s2low_gave(
    post: Post, server: S2lowServer, room: Room
) -> None:
    outbound = post()
    assert delivery.send_due() == 1
    row = row_of(outbound)
    assert (row.number, row.state, row.what) == ("666", S2lowState.OPEN, What.ACTE)
    assert (row.identifier, row.act_number) == (archives.IDENTIFIER, archives.NUMBER)
    assert room.sent == [outbound.name]
    assert again(outbound).state == OutboundState.SENT


def test_k02_a_refusal_is_a_sentence_and_is_not_tried_again(
    post: Post, server: S2lowServer, room: Room
) -> None:
    server.break_down("ko:Le numéro n'est pas correct", script=CREATE)
    outbound = post()
    assert delivery.send_due() == 0
    assert again(outbound).state == OutboundState.REFUSED
    (why,) = room.refused
    assert why == f"S²LOW n’a pas pris « {outbound.name} » : Le numéro n'est pas correct"
    assert row_of(outbound).state == S2lowState.REFUSED


@pytest.mark.parametrize(
    "how", ["redirect-login", "html-200", "404", "500", "empty", "truncated", "drop-before"]
)
def test_k03_without_an_answer_nothing_changes_and_one_deposit_is_made(
    post: Post, server: S2lowServer, room: Room, how: str
) -> None:
    server.break_down(how, script=CREATE)
    outbound = post()
    assert delivery.send_due() == 0
    assert (again(outbound).state, row_of(outbound).state) == ("due", S2lowState.ASKED)
    assert (room.sent, room.refused) == ([], [])

    server.repair()
    assert send_later(outbound) == 1
    held = [one for one in server.state.transactions.values() if one.kind == "1"]
    assert len(held) == 1
    assert row_of(outbound).number == str(held[0].id)


@pytest.mark.parametrize("how", ["drop-after", "truncated"])
def test_a_lost_answer_is_looked_up_before_anything_is_sent_again(
    post: Post, server: S2lowServer, how: str
) -> None:
    server.break_down(how, script=CREATE)
    outbound = post()
    delivery.send_due()
    server.repair()
    assert send_later(outbound) == 1
    assert row_of(outbound).number == "666"
    assert server.called(CREATE) == 1


def test_the_lookup_takes_no_other_act(post: Post, server: S2lowServer, room: Room) -> None:
    server.break_down("drop-after", script=CREATE)
    outbound = post()
    delivery.send_due()
    server.state.transactions[666].fields["decision_date"] = [b"2026-11-19"]
    server.repair()
    assert send_later(outbound) == 0
    assert (row_of(outbound).number, row_of(outbound).state) == ("", S2lowState.REFUSED)
    assert "même numéro interne existe déjà" in room.refused[0]


def test_an_account_that_may_not_list_relies_on_the_guard_of_numbers(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    server.break_down("drop-after", script=CREATE)
    server.state.lists_allowed = False
    outbound = post()
    delivery.send_due()
    server.repair()
    assert send_later(outbound) == 1
    assert row_of(outbound).state == S2lowState.UNNUMBERED
    assert len(server.state.transactions) == 1

    acknowledge(server)
    assert collect(account, after=timedelta(hours=1)) == 1
    assert room.received == [(f"{archives.IDENTIFIER}-1-2_0.xml", archives.acknowledgement())]


def test_a_trouble_of_the_lists_holds_the_deposit_back(post: Post, server: S2lowServer) -> None:
    server.break_down("drop-after", script=CREATE)
    outbound = post()
    delivery.send_due()
    server.repair()
    server.break_down("html-200", script="list_actes.php")
    assert send_later(outbound) == 0
    assert server.called(CREATE) == 1


def test_a_number_taken_by_another_tool_is_a_refusal(
    post: Post, server: S2lowServer, room: Room
) -> None:
    first, second = post(), post()
    assert delivery.send_due() == 1
    assert again(first).state == OutboundState.SENT
    assert again(second).state == OutboundState.REFUSED
    assert "même numéro interne existe déjà" in room.refused[0]


def test_a_worker_that_died_after_the_number_was_kept_sends_nothing_again(
    post: Post, server: S2lowServer, adapter: S2lowAdapter
) -> None:
    outbound = post()
    claimed = delivery.claim(at=timezone.now())
    assert claimed is not None
    delivery._hand_over(claimed, adapter)
    assert adapter.find(protocol="actes", name=outbound.name) == outbound.sha256
    delivery._hand_over(claimed, adapter)
    assert server.called(CREATE) == 1


def test_a_refused_file_sent_again_is_a_new_question(
    post: Post, server: S2lowServer, town: Any
) -> None:
    server.break_down("ko:Erreur de validation du fichier de l'acte", script=CREATE)
    outbound = post()
    delivery.send_due()
    server.repair()
    delivery.retry(outbound_id=outbound.pk, by=outbound.asked_by, at=timezone.now())
    assert send_later(outbound) == 1
    assert row_of(outbound).number == "666"


def test_without_an_account_the_sentence_says_so(
    post: Post, account: S2lowAccount, room: Room
) -> None:
    account.delete()
    post()
    delivery.send_due()
    assert room.refused == [
        "Aucun compte S²LOW n’est enregistré pour « Melle » : enregistrez-le, puis relancez "
        "l’envoi."
    ]


def test_an_archive_in_the_name_of_another_body_does_not_leave(
    post: Post, server: S2lowServer, room: Room
) -> None:
    post(archives.acte(siren="217900612"))
    delivery.send_due()
    assert "217900612" in room.refused[0]
    assert server.called(CREATE) == 0


def test_a_fault_of_the_account_waits_for_its_cure(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    server.break_down("ko:La télétransmission nécessite un certificat RGS<br/>", script=CREATE)
    outbound = post()
    delivery.send_due()
    account.refresh_from_db()
    assert "certificat RGS" in account.problem
    assert again(outbound).state == OutboundState.DUE
    assert room.refused == []


def test_an_expired_certificate_is_told_without_calling(
    post: Post, server: S2lowServer, account: S2lowAccount
) -> None:
    S2lowAccount.objects.update(certificate_until=timezone.now() - timedelta(days=1))
    outbound = post()
    delivery.send_due()
    account.refresh_from_db()
    assert "a expiré le" in account.problem
    assert again(outbound).state == OutboundState.DUE
    assert server.state.calls == []


# Back, @CTES


def test_k04_the_acknowledgement_reaches_the_room_byte_for_byte(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    outbound = post()
    delivery.send_due()
    acknowledge(server)
    assert collect(account) == 1
    assert room.received == [(f"{archives.IDENTIFIER}-1-2_0.xml", archives.acknowledgement())]
    inbound = Inbound.objects.get()
    assert inbound.state == InboundState.MATCHED
    connection.set_schema_to_public()
    kept = documents.read(StoredFile.objects.get(pk=inbound.payload))
    assert kept == archives.acknowledgement()
    assert (row_of(outbound).state, row_of(outbound).status) == (S2lowState.ANSWERED, 4)


def test_k05_an_error_reaches_the_room_with_its_reason_and_its_proof(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    post()
    delivery.send_due()
    held = server.state.transactions[666]
    held.status = -1
    held.content = "Enveloppe invalide : fichier corrompu, réessayez".encode("iso-8859-1")
    assert collect(account) == 1
    ((name, raw),) = room.received
    assert archives.unpack(raw)["reponse-s2low.txt"] == b"OK\n-1\n" + held.content
    ((message_name, data),) = mails.messages_of(mails.files_in(name, raw)).items()
    message = read_message(message_name, data)
    assert message.detail == "S²LOW : Enveloppe invalide : fichier corrompu, réessayez"  # type: ignore[union-attr]


@pytest.mark.parametrize("status", [1, 2, 3, 99])
def test_k06_a_state_on_the_way_changes_nothing(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room, status: int
) -> None:
    outbound = post()
    delivery.send_due()
    server.state.transactions[666].status = status
    assert collect(account) == 0
    row = row_of(outbound)
    assert (row.state, row.status) == (S2lowState.OPEN, status)
    assert row.problem == ("Statut inconnu (99)." if status == 99 else "")
    assert room.received == []


def test_an_act_somebody_must_confirm_says_who_can(
    post: Post, server: S2lowServer, account: S2lowAccount
) -> None:
    outbound = post()
    delivery.send_due()
    server.state.transactions[666].status = 17
    collect(account)
    assert "doit confirmer l’envoi sur S²LOW" in row_of(outbound).problem


@pytest.mark.parametrize("how", ["redirect", "html-200", "empty", "404", "truncated", "500"])
def test_no_page_is_ever_kept_as_an_answer(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room, how: str
) -> None:
    outbound = post()
    delivery.send_due()
    acknowledge(server)
    server.break_down(how, script=STATUS)
    try:
        collect(account)
    except OperatorUnavailable:
        pass
    assert Inbound.objects.count() == 0
    assert row_of(outbound).state == S2lowState.OPEN
    assert row_of(outbound).problem

    server.repair()
    assert collect(account, after=timedelta(minutes=2)) == 1
    assert row_of(outbound).problem == ""


def test_k10_an_acknowledgement_of_another_act_is_not_taken(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    outbound = post()
    delivery.send_due()
    other = archives.acknowledgement(identifier="079-217900612-20261120-2026_017-DE")
    server.state.transactions[666].status = 4
    server.state.transactions[666].content = other
    assert collect(account) == 0
    assert row_of(outbound).state == S2lowState.OPEN
    assert room.received == []


def test_one_answer_that_cannot_be_read_does_not_hide_the_others(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    post()
    post(FLOW, protocol="helios")
    assert delivery.send_due() == 2
    server.break_down("html-200", script=STATUS)
    server.state.transactions[667].status = 4
    server.state.transactions[667].acknowledgement = archives.acquit()
    assert collect(account) == 1
    assert room.received == [("acquit-s2low-667.xml", archives.acquit())]


def test_an_open_transaction_is_not_asked_about_all_the_time(
    post: Post, server: S2lowServer, account: S2lowAccount
) -> None:
    post()
    delivery.send_due()
    for seconds in (0, 10, 20, 70):
        collect(account, after=timedelta(seconds=seconds))
    assert server.called(STATUS) == 2


def test_a_cancellation_finds_the_number_of_its_act(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    post()
    delivery.send_due()
    acknowledge(server)
    collect(account)
    outbound = post(archives.cancellation())
    assert delivery.send_due() == 1
    assert row_of(outbound).number == "667"
    assert server.state.transactions[667].text("id") == "666"

    held = server.state.transactions[667]
    held.status, held.content = 4, archives.cancellation_acknowledgement()
    assert collect(account) == 1
    name, raw = room.received[-1]
    assert name == f"{archives.IDENTIFIER}-6-2_0.xml"
    assert raw == archives.cancellation_acknowledgement()


def test_a_cancellation_whose_answer_was_lost_is_looked_up(
    post: Post, server: S2lowServer, account: S2lowAccount
) -> None:
    post()
    delivery.send_due()
    acknowledge(server)
    collect(account)
    server.break_down("drop-after", script="actes_transac_cancel.php")
    outbound = post(archives.cancellation())
    delivery.send_due()
    server.repair()
    assert send_later(outbound) == 1
    assert row_of(outbound).number == "667"
    assert server.called("actes_transac_cancel.php") == 1


def test_an_act_sent_with_another_tool_is_not_cancelled_here(post: Post, room: Room) -> None:
    post(archives.cancellation())
    delivery.send_due()
    assert "n’a pas été transmis par ce compte" in room.refused[0]


@pytest.mark.parametrize("recent", [False, True])
def test_a_classification_reaches_the_room_named_for_its_body(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room, recent: bool
) -> None:
    server.state.classification = archives.classification()
    server.state.classification_is_recent = recent
    post(archives.classification_request())
    assert delivery.send_due() == 1
    if not recent:
        assert collect(account) == 0
        server.state.transactions[666].status = 4
    assert collect(account, after=timedelta(minutes=2)) == 1
    name, raw = room.received[-1]
    ((inner, data),) = mails.messages_of(mails.files_in(name, raw)).items()
    assert inner == f"079-{archives.SIREN}----7-2_0.xml"
    assert data == archives.classification()
    assert isinstance(read_message(inner, data), Classification)


def test_two_requests_answered_by_one_classification_are_two_returns(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    server.state.classification = archives.classification()
    for _ in range(2):
        post(archives.classification_request())
    assert delivery.send_due() == 2
    for held in server.state.transactions.values():
        held.status = 4
    server.state.transactions[667].content = b"\n"
    assert collect(account) == 2


def test_letters_are_kept_then_marked_as_read(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    letter = archives.pack({f"{archives.IDENTIFIER}-3-1_1.xml": b"<a/>"})
    server.state.archives |= {9070: letter, 9071: letter + b""}
    server.state.letters = {
        70: {"id": 70, "type": 3, "unique_id": archives.IDENTIFIER, "last_status_id": 7},
        71: {"id": 71, "type": 2, "unique_id": archives.IDENTIFIER, "last_status_id": 7},
    }
    assert collect(account) == 1
    assert room.received == [("courrier-s2low-70.tar.gz", letter)]
    assert server.state.read == ["70"]


def test_a_letter_that_could_not_be_marked_is_not_received_twice(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    server.state.archives[9070] = archives.pack({"lettre.xml": b"<a/>"})
    server.state.letters[70] = {"id": 70, "type": 3, "unique_id": "", "last_status_id": 7}
    server.break_down("html-200", script="document_prefecture_mark_as_read.php")
    assert collect(account) == 1
    server.repair()
    assert collect(account, after=policies.LIST_EVERY) == 0
    assert server.state.read == ["70"]
    assert len(room.received) == 1


def _letter(server: S2lowServer, rank: int, content: bytes) -> None:
    server.state.archives[9000 + rank] = content
    server.state.letters[rank] = {"id": rank, "type": 3, "unique_id": "", "last_status_id": 7}


def test_a_page_in_place_of_a_letter_is_asked_for_again_and_told(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    _letter(server, 70, b"<html></html>")
    _letter(server, 71, archives.pack({"lettre.xml": b"<a/>"}))
    assert collect(account) == 1
    assert server.state.read == ["71"]
    (told,) = corridor.stumbles()
    assert "Courriers de la préfecture" in told.what
    assert "S²LOW" in told.cause

    server.state.archives[9070] = archives.pack({"autre.xml": b"<a/>"})
    assert collect(account, after=policies.LIST_EVERY) == 1
    assert not corridor.stumbles().exists()


def test_a_strange_line_of_the_list_hides_no_letter(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    _letter(server, 70, archives.pack({"lettre.xml": b"<a/>"}))
    _letter(server, 71, b"")
    server.state.letters[71]["type"] = "?"
    assert collect(account) == 1
    assert server.state.read == ["70"]


def test_a_damaged_letter_is_kept_and_on_the_desk(
    post: Post,
    server: S2lowServer,
    account: S2lowAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the real room of @CTES: its archive is opened by nobody before it is kept."""
    from socle.actes import returns

    room = handlers.Room(returns.sent, returns.refused, returns.receive, returns.check)
    monkeypatch.setattr(handlers, "_rooms", {"actes": room, "helios": room})
    _letter(server, 70, archives.pack({"lettre.xml": b"<a/>" * 900})[:-30])
    assert collect(account) == 1
    assert server.state.read == ["70"]
    (damaged,) = corridor.unread_inbound(at=timezone.now())
    assert damaged.state == InboundState.FAILED
    assert "tar.gz lisible" in damaged.message


@pytest.mark.parametrize("status", ["forbidden", "strange"])
def test_one_transaction_that_goes_wrong_does_not_end_the_round_of_its_account(
    post: Post,
    server: S2lowServer,
    account: S2lowAccount,
    room: Room,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
) -> None:
    first = post(FLOW, protocol="helios")
    second = post(FLOW.replace(b"/>", b" />"), protocol="helios")
    delivery.send_due()
    rows = {row.name: row for row in S2lowTransaction.objects.all()}
    bad, good = rows[first.name], rows[second.name]
    fault: Exception = ValueError("\0") if status == "strange" else Forbidden("pas la vôtre")
    real = polling._flow

    def ask(row: S2lowTransaction, client: S2lowClient, at: datetime) -> polling.Waiting | None:
        if row.pk == bad.pk:
            raise fault
        return real(row, client, at)

    monkeypatch.setattr(polling, "_flow", ask)
    collect(account, after=timedelta(hours=1))

    bad.refresh_from_db()
    good.refresh_from_db()
    assert bad.problem
    assert good.polled_at is not None
    assert good.problem == ""
    account.refresh_from_db()
    assert account.problem == ""


# HELIOS


def test_a_flow_goes_out_whole_and_its_acquit_comes_back(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    outbound = post(FLOW, protocol="helios")
    assert delivery.send_due() == 1
    assert server.state.transactions[666].files == [("enveloppe", outbound.name, FLOW)]
    assert (row_of(outbound).number, row_of(outbound).what) == ("666", What.FLOW)

    server.state.transactions[666].status = 8
    server.state.transactions[666].acknowledgement = archives.acquit()
    assert collect(account) == 1
    assert room.received == [("acquit-s2low-666.xml", archives.acquit())]
    assert row_of(outbound).state == S2lowState.ANSWERED


def test_a_flow_already_posted_by_somebody_is_refused(
    post: Post, server: S2lowServer, room: Room
) -> None:
    for _ in range(2):
        post(FLOW, protocol="helios")
    assert delivery.send_due() == 1
    assert "doublon détecté" in room.refused[0]


def test_a_flow_whose_answer_was_lost_is_ours_and_waits_for_its_number(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    server.break_down("drop-after", script=IMPORT)
    outbound = post(FLOW, protocol="helios")
    delivery.send_due()
    server.repair()
    assert send_later(outbound) == 1
    row = row_of(outbound)
    assert (row.state, row.number) == (S2lowState.UNNUMBERED, "")
    assert "sous quel numéro" in row.problem
    assert room.refused == []

    actions.give_number(transaction_id=row.pk, given="666", by="tests", at=timezone.now())
    server.state.transactions[666].status = 4
    server.state.transactions[666].acknowledgement = archives.acquit()
    assert collect(account) == 1
    assert Entry.objects.filter(event="s2low.numbered").count() == 1


def test_the_command_lists_what_waits_for_a_number_and_takes_it(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    server.break_down("drop-after", script=IMPORT)
    outbound = post(FLOW, protocol="helios")
    delivery.send_due()
    server.repair()
    send_later(outbound)
    said = StringIO()
    call_command("s2low_number", stdout=said)
    assert outbound.name in said.getvalue()
    call_command("s2low_number", "s2low", outbound.name, "666", stdout=said)
    assert row_of(outbound).number == "666"
    with pytest.raises(CommandError, match="n’attend pas de numéro"):
        call_command("s2low_number", "s2low", outbound.name, "667")


@pytest.mark.parametrize("given", ["", "abc", "-1"])
def test_a_number_that_is_none_is_refused(post: Post, server: S2lowServer, given: str) -> None:
    server.break_down("drop-after", script=IMPORT)
    outbound = post(FLOW, protocol="helios")
    delivery.send_due()
    with pytest.raises(policies.CannotNumber):
        actions.give_number(
            transaction_id=row_of(outbound).pk, given=given, by="tests", at=timezone.now()
        )


def test_a_number_is_never_two_files(post: Post, server: S2lowServer) -> None:
    first = post(FLOW, protocol="helios")
    delivery.send_due()
    server.break_down("drop-before", script=IMPORT)
    second = post(FLOW + b"\n", protocol="helios")
    delivery.send_due()
    with pytest.raises(policies.CannotNumber, match="déjà celui d’un autre envoi"):
        actions.give_number(
            transaction_id=row_of(second).pk, given="666", by="tests", at=timezone.now()
        )
    assert row_of(first).number == "666"
    with pytest.raises(NotAnAnswer):
        actions.number(row_of(second), "666")


def test_a_flow_s2low_refuses_after_its_checks_is_back_on_the_desk(
    post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    outbound = post(FLOW, protocol="helios")
    delivery.send_due()
    server.state.transactions[666].status = -1
    server.state.transactions[666].content = b"Encodage non ISO-8859-1"
    assert collect(account) == 0
    assert room.refused == ["S²LOW a refusé ce flux : Encodage non ISO-8859-1"]
    assert (again(outbound).state, outbound.sent_at) == (OutboundState.REFUSED, None)
    assert row_of(outbound).state == S2lowState.REFUSED
    assert Entry.objects.filter(event="delivery.refused").count() == 1


@pytest.mark.parametrize("how", ["redirect", "html-200", "empty"])
def test_no_page_is_ever_kept_as_an_acquit(
    post: Post, server: S2lowServer, account: S2lowAccount, how: str
) -> None:
    outbound = post(FLOW, protocol="helios")
    delivery.send_due()
    server.state.transactions[666].status = 4
    server.break_down(how, script="helios_download_acquit.php")
    assert collect(account) == 0
    assert Inbound.objects.count() == 0
    assert row_of(outbound).state == S2lowState.OPEN


def test_pes_retours_are_kept_then_marked_as_read(
    server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    server.state.retours[5] = ("PESRETOUR.xml", b"<PES_Retour/>")
    assert collect(account) == 1
    assert room.received == [("PESRETOUR.xml", b"<PES_Retour/>")]
    assert server.state.read == ["r5"]


# Trouble


def test_a_silent_operator_is_said_to_be_unavailable(
    server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    server.break_down("drop-before")
    server.close()
    with pytest.raises(OperatorUnavailable):
        collect(account)


def test_find_knows_nothing_of_what_never_left(adapter: S2lowAdapter) -> None:
    assert adapter.find(protocol="actes", name="rien.tar.gz") is None


def test_bytes_that_were_not_polled_are_not_given(adapter: S2lowAdapter) -> None:
    with pytest.raises(OperatorUnavailable):
        adapter.fetch("tr-1")


def test_an_operator_without_account_has_nothing_waiting(adapter: S2lowAdapter) -> None:
    assert list(adapter.returns()) == []


def test_telling_twice_changes_nothing(
    post: Post, server: S2lowServer, account: S2lowAccount, adapter: S2lowAdapter
) -> None:
    outbound = post()
    delivery.send_due()
    acknowledge(server)
    (waiting,) = adapter.returns()
    adapter.acknowledge(waiting.external_id)
    first = row_of(outbound).answered_at
    adapter.acknowledge(waiting.external_id)
    assert row_of(outbound).answered_at == first
    assert list(adapter.returns()) == []


def test_the_database_keeps_an_open_transaction_numbered(post: Post, room: Room) -> None:
    outbound = post()
    delivery.send_due()
    with pytest.raises(IntegrityError, match="open_has_its_number"), transaction.atomic():
        S2lowTransaction.objects.filter(pk=row_of(outbound).pk).update(number="")


def test_every_state_has_its_transitions() -> None:
    assert policies.TRANSITIONS.keys() == set(S2lowState)


def test_a_send_outside_the_corridor_is_refused_with_a_sentence(
    post: Post, adapter: S2lowAdapter, server: S2lowServer
) -> None:
    outbound = post(b"pas une archive")
    stored = StoredFile.objects.get(pk=outbound.payload)
    with documents.open_file(stored) as content, pytest.raises(OperatorRefused) as caught:
        adapter.send(protocol="actes", name=outbound.name, content=content, size=outbound.size)
    assert str(caught.value).endswith("l’archive est illisible.")
