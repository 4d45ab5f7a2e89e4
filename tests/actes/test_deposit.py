"""Depositing an act: everything that leaves, or nothing."""

import io
import re
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import actions, permissions, policies, queries, sending
from socle.actes.actions import Facts, Upload
from socle.actes.models import Act, ActFile, ActState, EnvelopeDay, Transaction
from socle.actes.protocol import rules
from socle.actes.protocol.archive import read_archive
from socle.actes.protocol.budget import NotABudget
from socle.actes.protocol.package import check_package
from socle.core.refusals import Refusal
from socle.delivery.actions import NoCertificate
from socle.delivery.models import Outbound, TransmissionOperator
from socle.directory import policies as rights
from socle.directory.models import TransmissionRight
from socle.documents import actions as documents
from socle.documents import sniff
from socle.documents.models import StoredFile
from socle.journal.models import Entry
from tests.actes.conftest import AT, FACTS, PDF, PNG, somebody, upload
from tests.documents import pdfs

Deposit = Callable[..., Act]


def archive_of(act: Act) -> dict[str, bytes]:
    stored = act.transactions.get(kind="1-1").archive
    assert stored is not None
    return read_archive(documents.read(stored))


def test_an_act_deposited_is_in_the_outbox(deposit: Deposit, town: Any) -> None:
    act = deposit()
    outbound = Outbound.objects.get()
    assert act.state == ActState.QUEUED
    assert act.identifier == "079-200081511-20261120-2026_017-DE"
    assert outbound.name == "EXE-TACT--200081511--20261124-1.tar.gz"
    assert (outbound.schema, outbound.nature) == (town.schema_name, "1")
    assert outbound.subject_id == act.transactions.get().pk


def test_the_archive_tells_one_story(deposit: Deposit) -> None:
    act = deposit(annexes=(upload(PNG, "plan du cimetière.png", "21_RP"), upload(name="b.pdf")))
    files = archive_of(act)
    check_package({n: c for n, c in files.items() if n.endswith(".xml")}, files.keys())
    stem = "079-200081511-20261120-2026_017-DE-1-1"
    assert list(files)[2:] == [f"99_DE-{stem}_1.pdf", f"21_RP-{stem}_2.png", f"99_DE-{stem}_3.pdf"]
    assert files[f"99_DE-{stem}_1.pdf"] == PDF


def test_the_archive_is_the_very_file_the_corridor_will_send(deposit: Deposit) -> None:
    act = deposit()
    outbound = Outbound.objects.get()
    archive = act.transactions.get().archive
    assert archive is not None
    assert (outbound.payload, outbound.sha256) == (archive.pk, archive.sha256)


def test_files_keep_the_name_she_gave_beside_the_one_that_leaves(deposit: Deposit) -> None:
    file = deposit().files.select_related("stored").get()
    assert file.stored.name == "délib n°1 (v2).pdf"
    assert file.transmitted_name.isascii()


def test_the_objet_is_kept_as_it_left(deposit: Deposit) -> None:
    act = deposit(objet="L’œuvre – 100 €\nsuite")
    message = next(content for name, content in archive_of(act).items() if name.endswith("_0.xml"))
    assert act.objet == "L'oeuvre - 100 EUR suite"
    assert act.objet.encode() in message


def test_the_journal_says_who_sent_which_files(deposit: Deposit, ready: Person) -> None:
    act = deposit()
    entry = Entry.objects.get(event="actes.deposited")
    assert entry.actor_id == ready.pk
    assert entry.detail["files"][0]["sha256"] == act.files.get().stored.sha256
    assert entry.sentence.startswith("Acte 2026_017 transmis")


def test_envelopes_are_numbered_by_day(deposit: Deposit) -> None:
    deposit()
    deposit(number="2026_018")
    deposit(number="2026_019", at=datetime(2026, 11, 25, 9, tzinfo=UTC))
    assert list(Transaction.objects.values_list("envelope_name", flat=True)) == [
        "TACT--200081511--20261124-1.xml",
        "TACT--200081511--20261124-2.xml",
        "TACT--200081511--20261125-1.xml",
    ]


def test_the_day_of_an_envelope_is_the_day_in_paris(deposit: Deposit) -> None:
    deposit(at=datetime(2026, 11, 24, 23, 30, tzinfo=UTC))
    assert "--20261125-1" in Transaction.objects.get().envelope_name


def test_a_deposit_that_fails_leaves_no_hole_in_the_numbers(deposit: Deposit) -> None:
    with pytest.raises(Refusal):
        deposit(main=upload(b"", "vide.pdf"))
    with transaction.atomic():
        assert sending.next_serial(date(2026, 11, 24)) == 1


def test_deposits_at_once_never_share_a_number(town: Any) -> None:
    day = date(2031, 1, 1)
    given: list[int] = []

    def take() -> None:
        with transaction.atomic():
            given.append(sending.next_serial(day))

    in_threads(town, *[take] * 6)
    in_threads(town, lambda: EnvelopeDay.objects.filter(day=day).delete())
    assert sorted(given) == [1, 2, 3, 4, 5, 6]


def in_threads(town: Any, *works: Callable[[], Any]) -> None:
    """Do these at once, each on a connection of its own that commits."""

    def alone(work: Callable[[], Any]) -> None:
        connection.set_tenant(town)
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=alone, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


WRONG: list[tuple[str, dict[str, Any], type[Refusal], str]] = [
    (
        "a PDF that is not one",
        {"main": upload(b"Bonjour, ceci est du texte", "délib.pdf")},
        sniff.WrongKind,
        "« délib.pdf » est un fichier d’un format inconnu",
    ),
    ("an empty file", {"main": upload(b"", "vide.pdf")}, sniff.EmptyFile, "« vide.pdf » est vide"),
    (
        "a locked PDF",
        {"main": upload(pdfs.locked(), "bloqué.pdf")},
        sniff.LockedPdf,
        "protégé par un mot de passe",
    ),
    (
        "a damaged PDF",
        {"main": upload(PDF[:300], "coupé.pdf")},
        sniff.UnreadablePdf,
        "n’est pas un PDF lisible",
    ),
    (
        "a decision to come",
        {"decided_on": date(2026, 11, 25)},
        rules.InvalidDecisionDate,
        "dans le futur",
    ),
    ("no objet", {"objet": "  "}, rules.InvalidObjet, "Indiquez l'objet"),
    ("a long objet", {"objet": "x" * 501}, rules.InvalidObjet, "raccourcissez-le à 500"),
    ("a number in disorder", {"number": "2026-017"}, rules.InvalidNumber, "2025_017"),
    ("half a matter", {"matter": "5"}, Refusal, "deux premiers niveaux"),
    ("a matter nobody knows", {"matter": "5.42"}, Refusal, "n'existe pas dans la classification"),
    ("a nature nobody knows", {"nature": 8}, rules.UnknownNature, "inconnue"),
    (
        "a type of another nature",
        {"annexes": (upload(PNG, "plan.png", "99_AU"),)},
        rules.InvalidTypology,
        "n'est pas permis",
    ),
    (
        "an image as act",
        {"main": upload(PNG, "acte.png")},
        rules.InvalidDocument,
        "n'est pas un PDF",
    ),
    (
        "XML that is no budget",
        {"main": upload(b"<a><b/></a>", "budget.xml"), "nature": 5, "matter": "7.1"},
        NotABudget,
        "document budgétaire",
    ),
]


@pytest.mark.parametrize(
    ("changes", "kind", "words"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_what_cannot_be_sent_is_refused_in_one_sentence(
    deposit: Deposit, changes: dict[str, Any], kind: type[Refusal], words: str
) -> None:
    with pytest.raises(kind, match=re.escape(words)):
        deposit(**changes)


@pytest.mark.parametrize("changes", [case[1] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_refused_deposit_leaves_nothing_behind(deposit: Deposit, changes: dict[str, Any]) -> None:
    files = StoredFile.objects.count()
    with pytest.raises(Refusal):
        deposit(**changes)
    assert not Act.objects.exists()
    assert not ActFile.objects.exists()
    assert not Outbound.objects.exists()
    assert StoredFile.objects.count() == files
    assert not EnvelopeDay.objects.exists()


def test_too_heavy_a_deposit_is_refused(deposit: Deposit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "SIZE_LIMIT", 2 * len(PDF) - 1)
    with pytest.raises(rules.DepositTooLarge, match="la limite est de 150 Mio"):
        deposit(annexes=(upload(),))


def test_files_that_weigh_exactly_the_limit_are_sent(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "SIZE_LIMIT", 2 * len(PDF))
    assert deposit(annexes=(upload(),)).state == ActState.QUEUED


def test_one_file_over_the_limit_is_refused_before_it_is_kept(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "SIZE_LIMIT", len(PDF) - 1)
    with pytest.raises(sniff.FileTooBig):
        deposit()


def test_a_number_already_used_is_refused(deposit: Deposit) -> None:
    deposit()
    with pytest.raises(policies.NumberTaken, match="2026_017 est déjà celui de l’acte « Règlement"):
        deposit(nature=2, objet="Un autre")


def test_the_database_keeps_one_holder_of_a_number(
    deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    deposit()
    monkeypatch.setattr(queries, "holder_of", lambda *_, **__: None)
    with pytest.raises(policies.NumberTaken, match="vient d’être pris"):
        deposit()
    assert Act.objects.count() == 1


def test_the_database_refuses_two_live_acts_of_one_number(deposit: Deposit) -> None:
    act = deposit()
    act.pk, act._state.adding = None, True
    with pytest.raises(IntegrityError, match="actes_number_once"), transaction.atomic():
        act.save()


def test_a_draft_takes_no_number(deposit: Deposit, ready: Person) -> None:
    actions.save_draft(facts=FACTS, by=ready, at=AT)
    assert deposit().state == ActState.QUEUED


def test_another_commune_may_use_the_same_number(
    deposit: Deposit, neighbour: Any, right: TransmissionRight
) -> None:
    from django_tenants.utils import tenant_context

    deposit()
    with tenant_context(neighbour):
        assert queries.holder_of("2026_017") is None


def test_a_suspended_convention_refuses_with_its_reason(
    deposit: Deposit, right: TransmissionRight
) -> None:
    right.suspended_on, right.suspension_reason = date(2026, 11, 1), "incident de sécurité"
    right.save()
    with pytest.raises(rights.RightSuspended, match="incident de sécurité"):
        deposit()
    assert not Act.objects.exists()


def test_a_nature_outside_the_convention_is_refused(
    deposit: Deposit, right: TransmissionRight
) -> None:
    right.natures = ["2", "3"]
    right.save()
    with pytest.raises(rights.OutOfScope, match="ne couvre pas"):
        deposit()


def test_a_commune_without_convention_is_told_so(deposit: Deposit, right: Any) -> None:
    right.delete()
    with pytest.raises(rights.NoRight, match="la convention n’est pas"):
        deposit()


def test_a_convention_with_an_unknown_operator_is_told_so(deposit: Deposit, right: Any) -> None:
    TransmissionRight.objects.update(operator="disparu")
    with pytest.raises(policies.NoOperator, match="n’est pas installé"):
        deposit()


def test_a_real_operator_wants_a_certificate(deposit: Deposit) -> None:
    TransmissionOperator.objects.update(is_exercise=False, requires_certificate=True)
    with pytest.raises(NoCertificate, match="prenez rendez-vous"):
        deposit()


def test_a_real_operator_gets_real_names(deposit: Deposit) -> None:
    TransmissionOperator.objects.update(is_exercise=False, requires_certificate=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sending.delivery, "check_certificate", lambda **_: None)
        deposit()
    assert Outbound.objects.get().name == "EXE-EACT--200081511--20261124-1.tar.gz"


def test_a_preparer_may_not_transmit(ready: Person, town: Any) -> None:
    preparer = somebody(Role.PREPARER, town)
    act = actions.save_draft(facts=FACTS, main=upload(), by=preparer, at=AT)
    with pytest.raises(permissions.NotAllowed, match="habilité à transmettre des actes"):
        actions.transmit(act_id=act.pk, by=preparer, at=AT)


def test_a_reader_may_not_prepare(right: Any, town: Any) -> None:
    reader = somebody(Role.READER, town)
    with pytest.raises(permissions.NotAllowed, match="préparer des actes"):
        actions.save_draft(facts=FACTS, by=reader, at=AT)


def test_an_act_is_transmitted_once(deposit: Deposit, ready: Person) -> None:
    act = deposit()
    with pytest.raises(policies.NotADraft, match="n’est plus un brouillon"):
        actions.transmit(act_id=act.pk, by=ready, at=AT)
    assert Outbound.objects.count() == 1


def test_a_draft_may_miss_everything(ready: Person) -> None:
    act = actions.save_draft(facts=Facts(), by=ready, at=AT)
    said = [str(problem) for problem in queries.problems(act, [], at=AT)]
    assert len(said) == 6
    assert "Joignez le fichier de l'acte, au format PDF." in said


def test_a_new_main_file_takes_the_place_of_the_former(ready: Person) -> None:
    act = actions.save_draft(facts=FACTS, main=upload(name="a.pdf"), by=ready, at=AT)
    actions.save_draft(
        act_id=act.pk, facts=FACTS, main=upload(pdfs.plain(2), "b.pdf"), by=ready, at=AT
    )
    assert [str(file) for file in queries.files_of(act)] == ["b.pdf"]
    assert not StoredFile.objects.filter(name="a.pdf").exists()


def test_annexes_are_added_and_removed(ready: Person) -> None:
    act = actions.save_draft(
        facts=FACTS,
        main=upload(),
        annexes=(upload(name="1.pdf"), upload(name="2.pdf")),
        by=ready,
        at=AT,
    )
    first = act.files.get(stored__name="1.pdf")
    actions.save_draft(
        act_id=act.pk,
        facts=FACTS,
        removed=[first.pk],
        annexes=(upload(name="3.pdf"),),
        by=ready,
        at=AT,
    )
    assert [str(file) for file in queries.files_of(act)] == ["délib n°1 (v2).pdf", "2.pdf", "3.pdf"]


def test_a_change_of_nature_drops_the_types_it_does_not_know(ready: Person) -> None:
    act = actions.save_draft(
        facts=FACTS,
        main=upload(),
        annexes=(upload(typology="21_RP"), upload(typology="70_DE")),
        by=ready,
        at=AT,
    )
    actions.save_draft(act_id=act.pk, facts=replace(FACTS, nature=2), by=ready, at=AT)
    assert [file.typology for file in queries.files_of(act)] == ["99_AR", "21_RP", "99_AR"]


def test_a_kept_annexe_takes_the_type_she_chooses(ready: Person) -> None:
    act = actions.save_draft(facts=FACTS, main=upload(), annexes=(upload(),), by=ready, at=AT)
    annexe = act.files.get(role="annex")
    actions.save_draft(act_id=act.pk, facts=FACTS, typologies={annexe.pk: "21_RP"}, by=ready, at=AT)
    assert act.files.get(role="annex").typology == "21_RP"


def test_a_draft_thrown_away_takes_its_files_with_it(ready: Person) -> None:
    act = actions.save_draft(facts=FACTS, main=upload(), by=ready, at=AT)
    before = StoredFile.objects.count()
    actions.discard(act_id=act.pk, by=ready, at=AT)
    assert not Act.objects.exists()
    assert StoredFile.objects.count() == before - 1
    assert Entry.objects.filter(event="actes.discarded").exists()


def test_a_stream_is_taken_as_well_as_bytes(deposit: Deposit) -> None:
    assert deposit(main=Upload("acte.pdf", io.BytesIO(PDF))).state == ActState.QUEUED


def test_the_envelope_names_whom_to_call(deposit: Deposit, ready: Person) -> None:
    files = archive_of(deposit())
    envelope = next(content for name, content in files.items() if name.startswith("TACT"))
    assert str(ready).encode() in envelope
    assert b"0549000000" in envelope
    address = TransmissionOperator.objects.get().return_address
    assert f"<actes:Email>{address}</actes:Email>".encode() in envelope


def test_a_mail_address_the_norm_refuses_is_left_out(deposit: Deposit, ready: Person) -> None:
    ready.email = "secretaire@melle.solutions"
    ready.save()
    envelope = next(c for n, c in archive_of(deposit()).items() if n.startswith("TACT"))
    assert b"melle.solutions" not in envelope


def test_a_heavy_deposit_never_stands_in_memory(deposit: Deposit, tmp_path: Path) -> None:
    heavy = tmp_path / "plan.png"
    with heavy.open("wb") as out:
        out.write(PNG)
        out.truncate(60 * 1024 * 1024)
    tracemalloc.start()
    try:
        with heavy.open("rb") as content:
            deposit(annexes=(Upload("plan.png", content),))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * 1024 * 1024
