"""Acts given to an electronic archive: what the package holds, and what the archive answers."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from lxml import etree

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import archives, policies, sae_package, tasks
from socle.actes.models import Act, ArchivedAct, SaeState, SaeTransfer
from socle.actes.permissions import NotAllowed
from socle.actes.policies import CannotArchive
from socle.actes.protocol.seda import Parties, Version
from socle.actes.protocol.seda_reply import UnreadableReply
from socle.core import queue
from socle.documents import actions as documents
from socle.journal import merkle
from socle.journal.actions import seal
from socle.journal.models import Entry
from tests.actes import answers
from tests.actes.conftest import AT, PNG, hand_over, somebody, upload
from tests.actes.protocol.givens import sae_schema
from tests.actes.test_returns import LATER, acknowledge, receive
from tests.actes.test_screens import text
from tests.people import Browser, in_town

PARTIES = Parties("SAE-79", "200081511", "ACTES-2026", "200081511")
Make = Callable[..., Act]


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was queued, instead of queueing it."""
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(
        queue, "after_commit", lambda task, **message: asked.append({"task": task, **message})
    )
    return asked


@pytest.fixture
def acknowledged(deposit: Make) -> Make:
    """Deposit an act, and have the préfecture acknowledge it."""

    def make(**facts: Any) -> Act:
        act = deposit(**facts)
        hand_over(act)
        acknowledge(act)
        act.refresh_from_db()
        return act

    return make


def ask(*acts: Act, by: Person, at: Any = LATER, **changes: Any) -> SaeTransfer:
    asked = {"version": Version.V2_2, "parties": PARTIES, **changes}
    [transfer] = archives.ask(acts=[act.pk for act in acts], by=by, at=at, **asked)
    return transfer


def made(*acts: Act, by: Person, **changes: Any) -> SaeTransfer:
    transfer = ask(*acts, by=by, **changes)
    assert archives.make(transfer_id=transfer.pk, at=LATER)
    transfer.refresh_from_db()
    return transfer


def package(transfer: SaeTransfer) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(documents.read(transfer.content)))


def reply(
    transfer: SaeTransfer, code: str = "OK", *, words: str = "", version: str = "2.2"
) -> bytes:
    """An `ArchiveTransferReply`, as the standard writes it."""
    comment = f"<Comment>{words}</Comment>" if words else ""
    return (
        f'<ArchiveTransferReply xmlns="fr:gouv:culture:archivesdefrance:seda:v{version}">{comment}'
        "<Date>2026-11-26T08:00:00Z</Date><MessageIdentifier>ATR-1</MessageIdentifier>"
        f"<CodeListVersions/><ReplyCode>{code}</ReplyCode>"
        f"<MessageRequestIdentifier>{transfer.identifier}</MessageRequestIdentifier>"
        "<GrantDate>2026-11-26T08:00:00Z</GrantDate><ArchivalAgency><Identifier>SAE-79"
        "</Identifier></ArchivalAgency><TransferringAgency><Identifier>200081511</Identifier>"
        "</TransferringAgency></ArchiveTransferReply>"
    ).encode()


def answer(transfer: SaeTransfer, by: Person, *said: Any, **more: Any) -> SaeTransfer:
    return archives.answer(content=reply(transfer, *said, **more), name="atr.xml", by=by, at=LATER)


# The package.


@pytest.mark.parametrize("version", list(Version))
def test_the_package_holds_the_act_with_everything_about_it(
    acknowledged: Make, ready: Person, version: Version
) -> None:
    act = acknowledged(annexes=(upload(PNG, name="vue.png"),))
    papers = {f"{act.identifier}-3-1_8.pdf": b"%PDF-1.7 lettre"}
    code = f"{act.identifier}-3-1_9.xml"
    content = answers.letter(act, "3-1", text="Le plan", papers=tuple(papers))
    receive(f"{code}.eml", answers.returned(code, content, papers=papers))
    transfer = made(act, by=ready, version=version)
    archive = package(transfer)
    root = etree.fromstring(archive.read("manifest.xml"))
    spaces = {"s": version.namespace}
    titles = root.xpath("//s:ArchiveUnit/s:Content/s:Title/text()", namespaces=spaces)
    assert titles[0] == "2026_017 — Règlement intérieur du conseil municipal"
    assert {
        "Acte : délib n°1 (v2).pdf",
        "Annexe : vue.png",
        "Bordereau d’acquittement",
        "Transmission de l’acte (1-1)",
        "Accusé de réception (1-2)",
        "Accusé de réception de la demande de pièces (3-2)",
        "Demande de pièces complémentaires du 24/11/2026",
        "Demande de pièces complémentaires (3-1)",
        "Envoi de la préfecture",
        "Journal de Socle et ses preuves",
    } <= set(titles)
    formats = dict(
        zip(
            root.xpath("//s:FileInfo/s:Filename/text()", namespaces=spaces),
            root.xpath("//s:FormatId/text()", namespaces=spaces),
            strict=True,
        )
    )
    assert formats["vue.png"] == "fmt/11"
    assert formats[next(iter(papers))] == "fmt/276"
    assert root.xpath("count(//s:DataObjectVersion[.='Dissemination_1'])", namespaces=spaces) == 1


@pytest.mark.parametrize("version", list(Version))
def test_the_manifest_obeys_the_official_schema(
    acknowledged: Make, ready: Person, version: Version
) -> None:
    schema = sae_schema(version)
    transfer = made(acknowledged(), acknowledged(number="2026_018"), by=ready, version=version)
    manifest = etree.fromstring(package(transfer).read("manifest.xml"))
    assert schema.validate(manifest), schema.error_log


def test_the_journal_is_in_the_package_with_its_proofs(acknowledged: Make, ready: Person) -> None:
    act = acknowledged()
    kept = seal(at=LATER)
    assert kept is not None
    archive = package(made(act, by=ready))
    [name] = [one for one in archive.namelist() if one.endswith(".json")]
    said = json.loads(archive.read(name))
    sealed = [one for one in said["entries"] if one["proof"] is not None]
    assert [one["line"]["event"] for one in sealed][:2] == ["actes.drafted", "actes.deposited"]
    for one in sealed:
        assert merkle.verify_inclusion(
            leaf=bytes.fromhex(one["leaf"]),
            index=one["line"]["position"] - 1,
            size=kept.tree_size,
            proof=[bytes.fromhex(step) for step in one["proof"]],
            root=bytes(kept.root),
        )
    assert said["entries"][-1]["line"]["event"] == "actes.archive_asked"
    assert said["entries"][-1]["proof"] is None


@pytest.mark.parametrize("size", range(1, 20))
def test_a_short_path_is_the_path_of_the_rfc(size: int) -> None:
    from socle.journal import proofs

    leaves = [merkle.leaf_hash(bytes([one])) for one in range(size)]
    tree = proofs.SealedTree.__new__(proofs.SealedTree)
    tree.seal = type("Seal", (), {"tree_size": size})()
    tree._levels = proofs._levels(leaves)
    paths = [tree.proof(position) for position in range(1, size + 1)]
    assert paths == [merkle.inclusion_proof(index, leaves) for index in range(size)]


def test_J14b_acts_of_staff_go_to_their_own_producer(acknowledged: Make, ready: Person) -> None:
    acts = [
        acknowledged(matter="1.1"),
        acknowledged(number="2026_018", nature=3, matter="1.1"),
        acknowledged(number="2026_019", nature=3, matter="4.2"),
    ]
    transfers = archives.ask(
        acts=[act.pk for act in acts],
        version=Version.V2_1,
        parties=PARTIES,
        staff_producer="RH",
        by=ready,
        at=LATER,
    )
    producers = [
        (one.originating_agency, [line.act.number for line in one.lines.all()]) for one in transfers
    ]
    assert producers == [("200081511", ["2026_017", "2026_018"]), ("RH", ["2026_019"])]


def test_a_package_the_standard_refuses_leaves_nobodys_hands(
    acknowledged: Make, ready: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = acknowledged()
    transfer = ask(act, by=ready)
    monkeypatch.setattr(sae_package._Packer, "below", lambda self, act: iter(()))
    assert not archives.make(transfer_id=transfer.pk, at=LATER)
    transfer.refresh_from_db()
    assert transfer.state == SaeState.FAILED
    assert "DataObjectGroup" in transfer.words
    assert transfer.content is None
    assert ask(act, by=ready, at=LATER + timedelta(minutes=1)).state == SaeState.WAITING


def test_a_package_made_twice_is_made_once(acknowledged: Make, ready: Person, town: Any) -> None:
    transfer = ask(acknowledged(), by=ready)
    twice = [tasks.make_archive(schema=town.schema_name, transfer_id=transfer.pk) for _ in "ab"]
    assert twice == [True, False]


def test_a_package_that_lost_its_worker_is_started_again(
    acknowledged: Make, ready: Person, queued: list[dict[str, Any]]
) -> None:
    transfer = ask(acknowledged(), by=ready, at=AT)
    SaeTransfer.objects.update(seen_at=AT)
    queued.clear()
    archives.sweep(at=AT + timedelta(minutes=1))
    assert queued == []
    archives.sweep(at=AT + timedelta(minutes=10))
    assert queued == [{"task": "actes.make_archive", "transfer_id": transfer.pk}]


# Once, and only with its proof.


def test_J13_an_act_without_acknowledgement_is_not_archived(sent_act: Act, ready: Person) -> None:
    with pytest.raises(CannotArchive, match="Seul un acte acquitté"):
        ask(sent_act, by=ready)


def test_J13_in_a_batch_it_is_left_aside(acknowledged: Make, deposit: Make, ready: Person) -> None:
    act, waiting = acknowledged(), deposit(number="2026_018")
    transfer = ask(act, waiting, by=ready)
    assert [line.act for line in transfer.lines.all()] == [act]


def test_an_act_is_archived_once(acknowledged: Make, ready: Person) -> None:
    act = acknowledged()
    ask(act, by=ready)
    with pytest.raises(CannotArchive, match="déjà dans le versement"):
        ask(act, by=ready)


def test_the_database_keeps_one_live_transfer_per_act(acknowledged: Make, ready: Person) -> None:
    act = acknowledged()
    transfer = ask(act, by=ready)
    other = SaeTransfer.objects.create(identifier="autre", asked_at=LATER, version="2.2")
    with pytest.raises(IntegrityError, match="actes_archived_once"), transaction.atomic():
        ArchivedAct.objects.create(transfer=other, act=act)
    ArchivedAct.objects.filter(transfer=transfer).update(released_at=LATER)
    ArchivedAct.objects.create(transfer=other, act=act)


def test_only_a_refusal_lets_an_act_be_archived_again(acknowledged: Make, ready: Person) -> None:
    act = acknowledged()
    first = made(act, by=ready)
    refused = answer(first, ready, "KO", words="Format fmt/11 non accepté")
    assert (refused.state, refused.words) == (SaeState.REFUSED, "Format fmt/11 non accepté")
    second = made(act, by=ready, at=LATER + timedelta(minutes=1))
    assert answer(second, ready).state == SaeState.ACCEPTED
    with pytest.raises(CannotArchive, match="déjà dans le versement"):
        ask(act, by=ready)


def test_a_transfer_is_given_up_before_it_leaves_not_after(
    acknowledged: Make, ready: Person
) -> None:
    act = acknowledged()
    first = made(act, by=ready)
    archives.drop(transfer_id=first.pk, by=ready, at=LATER)
    second = made(act, by=ready, at=LATER + timedelta(minutes=1))
    archives.take(transfer_id=second.pk, by=ready, at=LATER)
    with pytest.raises(CannotArchive, match="peut-être chez le service"):
        archives.drop(transfer_id=second.pk, by=ready, at=LATER)
    assert Entry.objects.filter(event="actes.archive_taken").count() == 1


@pytest.mark.parametrize("count", [0, policies.ARCHIVE_LIMIT + 1])
def test_a_transfer_of_nothing_or_of_too_many_is_refused(ready: Person, count: int) -> None:
    with pytest.raises(CannotArchive, match=f"demandez {count}"):
        archives.ask(
            acts=list(range(count)), version=Version.V2_2, parties=PARTIES, by=ready, at=LATER
        )


def test_who_may_not_transmit_may_not_archive(acknowledged: Make, town: Any) -> None:
    act = acknowledged()
    with pytest.raises(NotAllowed):
        ask(act, by=somebody(Role.PREPARER, town))


# The answer.


def test_an_answer_is_kept_with_its_words_and_told_in_the_history(
    acknowledged: Make, ready: Person
) -> None:
    act = acknowledged()
    transfer = answer(made(act, by=ready), ready, "WARNING", words="Accepté avec réserve")
    assert (transfer.state, transfer.reply_code) == (SaeState.ACCEPTED, "WARNING")
    assert documents.read(transfer.reply) == reply(
        transfer, "WARNING", words="Accepté avec réserve"
    )
    told = Entry.objects.get(event="actes.archive_accepted")
    assert told.detail["transfer"] == transfer.identifier


def test_the_same_answer_twice_changes_nothing(acknowledged: Make, ready: Person) -> None:
    transfer = made(acknowledged(), by=ready)
    for _ in range(2):
        answer(transfer, ready)
    assert Entry.objects.filter(event="actes.archive_accepted").count() == 1


def test_a_late_refusal_never_undoes_an_acceptance(acknowledged: Make, ready: Person) -> None:
    transfer = made(acknowledged(), by=ready)
    answer(transfer, ready)
    with pytest.raises(CannotArchive, match="déjà « Archivé »"):
        answer(transfer, ready, "KO")
    assert not transfer.lines.exclude(released_at=None).exists()


def test_an_acknowledgement_comes_before_the_answer(acknowledged: Make, ready: Person) -> None:
    transfer = made(acknowledged(), by=ready)
    received = (
        '<Acknowledgement xmlns="fr:gouv:culture:archivesdefrance:seda:v2.1"><Date>2026-11-25T08:00'
        ":00Z</Date><MessageIdentifier>ACK-1</MessageIdentifier><MessageReceivedIdentifier>"
        f"{transfer.identifier}</MessageReceivedIdentifier></Acknowledgement>"
    ).encode()
    got = archives.answer(content=received, name="ack.xml", by=ready, at=LATER)
    assert got.state == SaeState.DEPOSITED
    assert answer(got, ready).state == SaeState.ACCEPTED


def test_an_answer_to_a_transfer_of_others_is_refused(ready: Person) -> None:
    stranger = SaeTransfer(identifier="217901743-ACTES-1")
    with pytest.raises(UnreadableReply, match="217901743-ACTES-1"):
        answer(stranger, ready)


# The screens.


@pytest.fixture
def browser(ready: Person, town: Any) -> Browser:
    return in_town(town, ready)


FORM = {
    "version": "2.1",
    "archival_agency": "SAE-79",
    "agreement": "ACTES-2026",
    "transferring_agency": "200081511",
    "originating_agency": "200081511",
}


def test_one_act_goes_from_its_page_to_the_archive_and_back(
    acknowledged: Make, browser: Browser
) -> None:
    act = acknowledged()
    page = browser.get(f"/actes/{act.pk}/").content.decode()
    assert f'href="/actes/archives/verser/?acte={act.pk}"' in page
    said = text(browser.post(f"/actes/archives/verser/?acte={act.pk}", FORM, follow=True))
    assert "Le paquet est en préparation" in said
    transfer = SaeTransfer.objects.get()
    assert archives.make(transfer_id=transfer.pk, at=timezone.now())
    got = browser.get(f"/actes/archives/{transfer.pk}/paquet/")
    assert zipfile.is_zipfile(io.BytesIO(b"".join(got.streaming_content)))
    file = io.BytesIO(reply(transfer, "KO", words="Accord inconnu"))
    file.name = "atr.xml"
    said = text(browser.post("/actes/archives/reponse/", {"reply": file}, follow=True))
    assert "Refusé par le service d’archives" in said
    assert "« Accord inconnu »" in said
    assert "Verser au service d’archives" in text(browser.get(f"/actes/{act.pk}/"))


def test_a_batch_takes_what_the_filters_give_and_may_be_archived(
    acknowledged: Make, deposit: Make, browser: Browser
) -> None:
    acknowledged()
    acknowledged(number="2026_018", nature=2, matter="6.1")
    deposit(number="2026_019")
    assert "2 actes à verser" in text(browser.get("/actes/archives/verser/")).replace("\xa0", " ")
    browser.post("/actes/archives/verser/?nature=2", FORM)
    [line] = ArchivedAct.objects.all()
    assert line.act.number == "2026_018"
    assert SaeTransfer.objects.get().identifier in text(browser.get("/actes/archives/"))
    again = browser.get("/actes/archives/verser/").content.decode()
    assert 'value="ACTES-2026"' in again


def test_an_answer_that_is_no_answer_says_what_to_do(
    acknowledged: Make, ready: Person, browser: Browser
) -> None:
    made(acknowledged(), by=ready)
    file = io.BytesIO(b"bonjour")
    file.name = "atr.xml"
    said = text(browser.post("/actes/archives/reponse/", {"reply": file}, follow=True))
    assert "n’est pas du XML" in said


def test_the_list_of_transfers_costs_a_bounded_number_of_queries(
    acknowledged: Make,
    ready: Person,
    browser: Browser,
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    for serial in range(3):
        ask(acknowledged(number=f"2026_{serial:03d}"), by=ready)
    browser.get("/actes/archives/")
    with django_assert_max_num_queries(14):
        browser.get("/actes/archives/")


def test_a_reader_sees_transfers_and_takes_none(
    acknowledged: Make, ready: Person, town: Any
) -> None:
    transfer = made(acknowledged(), by=ready)
    reader = in_town(town, somebody(Role.READER, town))
    assert reader.get(f"/actes/archives/{transfer.pk}/").status_code == 200
    assert reader.get(f"/actes/archives/{transfer.pk}/paquet/").status_code == 403
    assert reader.get("/actes/archives/verser/").status_code == 403
