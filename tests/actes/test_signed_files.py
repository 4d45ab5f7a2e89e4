"""Acts whose files are electronically signed: accepted or refused, shown, stamped beside."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from registration_authority.watch.models import TrustedAuthority
from socle.accounts.models import Person
from socle.actes import actions, bundles, policies, replies
from socle.actes.models import Act, ActFile, ActState, Answer
from socle.actes.policies import UnknownSigner
from socle.core import apart, fences
from socle.documents import actions as documents
from socle.documents import trust
from socle.documents.models import StoredFile
from socle.documents.signatures import AlteredPdf
from socle.journal.models import Entry
from tests.actes import answers
from tests.actes.conftest import AT, FACTS, hand_over, upload
from tests.actes.test_letters import write
from tests.actes.test_returns import LATER, acknowledge, receive, unbroken
from tests.actes.test_screens import FIELDS, text
from tests.documents import pdfs, signed_pdfs
from tests.documents.signed_pdfs import Holder, mayor, root, signed_by, supplier
from tests.documents.test_signatures import PDFSIG, judged, needs_pdfsig
from tests.people import Browser, in_town

Deposit = Callable[..., Act]
MARKET = {"nature": 4, "matter": "1.1"}


@pytest.fixture
def believed(town: Any) -> TrustedAuthority:
    """The trusted list the syndicat loaded recognises our authority."""
    return believe(root())


def believe(authority: Holder) -> TrustedAuthority:
    return TrustedAuthority.objects.create(
        provider="Confiance d’essai",
        name="AC Racine d’essai",
        pem=authority.pem,
        fingerprint="0" * 64,
        subject=authority.certificate.subject.rfc4514_string(),
        not_after=datetime(2030, 1, 1, tzinfo=UTC),
        status=TrustedAuthority.Status.GRANTED,
        list_number=6,
        seen_at=AT,
    )


def signed(by: Holder, name: str = "signé.pdf") -> Any:
    return upload(signed_by(by), name)


# Accepted or refused.


def test_a_file_signed_with_a_recognised_certificate_leaves(
    deposit: Deposit, believed: TrustedAuthority
) -> None:
    act = deposit(main=signed(mayor()))

    assert act.state == ActState.QUEUED
    (one,) = ActFile.objects.get(act=act).signers
    assert (one.signer, one.day, one.known) == ("Marie Dupont", "20/11/2026 à 11 h 30", True)


@pytest.mark.parametrize("facts", [{}, MARKET], ids=["délibération", "marché"])
def test_B07_a_signed_file_altered_since_is_refused_and_nothing_is_kept(
    deposit: Deposit, believed: TrustedAuthority, facts: dict[str, Any]
) -> None:
    altered = upload(signed_pdfs.rewritten_content(signed_by(mayor())), "Courrier.pdf")

    with pytest.raises(AlteredPdf, match=r"« Courrier\.pdf » a été modifié"):
        deposit(main=altered, **facts)

    assert not Act.objects.exists()
    assert not StoredFile.objects.filter(name="Courrier.pdf").exists()


def test_B07_an_altered_annexe_is_refused_too(deposit: Deposit, believed: Any) -> None:
    altered = upload(signed_pdfs.touched(signed_by(mayor())), "annexe.pdf")

    with pytest.raises(AlteredPdf, match=r"« annexe\.pdf »"):
        deposit(annexes=(altered,))


@pytest.mark.parametrize("matter", ["1.1", "1.1.2"])
def test_B09_an_unknown_signer_is_accepted_for_a_public_contract(
    deposit: Deposit, believed: TrustedAuthority, matter: str
) -> None:
    act = deposit(main=signed(supplier()), nature=4, matter="1.1")

    assert act.state == ActState.QUEUED
    assert not ActFile.objects.get(act=act).signers[0].known
    assert not policies.wants_known_signers(4, matter)


@pytest.mark.parametrize(
    "facts",
    [{"nature": 1}, {"nature": 1, "matter": "1.1"}, {"nature": 4, "matter": "1.2"}],
    ids=str,
)
def test_B10_an_unknown_signer_is_refused_for_every_other_act(
    deposit: Deposit, believed: TrustedAuthority, facts: dict[str, Any]
) -> None:
    with pytest.raises(UnknownSigner, match=r"Jean Martin.*ne reconnaît pas : AC du Lointain"):
        deposit(main=signed(supplier()), **facts)

    assert not Act.objects.exists()


def test_B10_a_matiere_1_10_is_not_1_1() -> None:
    assert policies.wants_known_signers(4, "1.10")
    assert policies.wants_known_signers(6, "1.1")


def test_an_authority_withdrawn_since_the_draft_is_seen_when_it_leaves(
    ready: Person, believed: TrustedAuthority
) -> None:
    act = actions.save_draft(facts=FACTS, main=signed(mayor()), by=ready, at=AT)
    TrustedAuthority.objects.update(status=TrustedAuthority.Status.WITHDRAWN)

    with pytest.raises(UnknownSigner, match="Marie Dupont"):
        actions.transmit(act_id=act.pk, by=ready, at=AT)


def test_a_draft_older_than_the_check_is_checked_when_it_leaves(
    ready: Person, believed: TrustedAuthority
) -> None:
    act = actions.save_draft(facts=FACTS, main=signed(supplier()), by=ready, at=AT)
    ActFile.objects.update(signatures=[])

    with pytest.raises(UnknownSigner):
        actions.transmit(act_id=act.pk, by=ready, at=AT)


def test_a_corrected_act_keeps_what_its_signatures_say(
    deposit: Deposit, believed: TrustedAuthority, ready: Person
) -> None:
    act = deposit(main=signed(mayor()))
    hand_over(act)
    name = answers.ar_name(act).replace("1-2", "1-3")
    receive("x.eml", answers.returned(name, answers.anomaly(act)))

    draft = actions.correct(act_id=act.pk, by=ready, at=LATER)

    assert [one.signer for one in draft.files.get().signers] == ["Marie Dupont"]


def test_the_answer_to_a_letter_follows_the_rule_of_its_act(
    sent_act: Act, ready: Person, believed: TrustedAuthority
) -> None:
    acknowledge(sent_act)
    sent_act.refresh_from_db()
    letter = write(sent_act)

    with pytest.raises(UnknownSigner):
        replies.prepare(
            letter_id=letter.pk, kind="3-4", uploads=[signed(supplier())], by=ready, at=LATER
        )
    altered = upload(signed_pdfs.touched(signed_by(mayor())))
    with pytest.raises(AlteredPdf):
        replies.prepare(letter_id=letter.pk, kind="3-4", uploads=[altered], by=ready, at=LATER)
    assert not Answer.objects.exists()

    replies.prepare(letter_id=letter.pk, kind="3-4", uploads=[signed(mayor())], by=ready, at=LATER)


def test_a_commune_reads_the_authorities_and_only_those_recognised(
    town: Any, believed: TrustedAuthority
) -> None:
    with fences.inside(town.schema_name):
        assert believed.pem in trust.anchors()
    TrustedAuthority.objects.update(status=TrustedAuthority.Status.WITHDRAWN)
    with fences.inside(town.schema_name):
        assert believed.pem not in trust.anchors()


# The screens.


@pytest.fixture
def browser(ready: Person, town: Any) -> Browser:
    return in_town(town, ready)


def posted(content: bytes, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "application/pdf")


def test_the_form_says_that_a_file_was_altered_and_the_journal_too(browser: Browser) -> None:
    altered = posted(signed_pdfs.touched(signed_by(mayor())), "Courrier.pdf")

    page = browser.post("/actes/deposer/", {**FIELDS, "main": altered}, follow=True)

    assert "« Courrier.pdf » a été modifié après avoir été signé par Marie Dupont" in text(page)
    assert not ActFile.objects.exists()
    noted = Entry.objects.filter(event="refused.deposit").values_list("detail__code", flat=True)
    assert "documents.altered_pdf" in noted


def test_who_signed_is_shown_before_the_sending_and_on_the_page_of_the_act(
    browser: Browser, ready: Person, believed: TrustedAuthority
) -> None:
    content = signed_pdfs.sign(signed_by(mayor()), mayor(), field="Signature2")
    page = browser.post(
        "/actes/deposer/", {**FIELDS, "main": posted(content, "d.pdf")}, follow=True
    )
    said = text(page)
    assert "Vérifier avant l’envoi" in said
    assert said.count("Signé par Marie Dupont (Commune de Melle) le 20/11/2026 à 11 h 30") == 2
    assert "Certificat reconnu" in said
    assert "Signatures électroniques : elles sont intactes" in said

    act = Act.objects.get()
    actions.transmit(act_id=act.pk, by=ready, at=timezone.now())

    assert "Signé par Marie Dupont" in text(browser.get(f"/actes/{act.pk}/"))


def test_an_unknown_signer_is_said_in_the_form_where_the_nature_can_be_changed(
    browser: Browser, believed: TrustedAuthority
) -> None:
    main = posted(signed_by(supplier()), "devis.pdf")

    page = browser.post("/actes/deposer/", {**FIELDS, "main": main}, follow=True)

    said = text(page)
    assert "Compléter le brouillon" in said
    assert "« devis.pdf » est signé par Jean Martin" in said
    assert "Autorité non reconnue" in said


def test_a_file_is_verified_once_for_one_deposit(
    browser: Browser, believed: TrustedAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []
    ask = apart.Reader.ask
    monkeypatch.setattr(apart.Reader, "ask", lambda *a, **k: (ran.append(a), ask(*a, **k))[1])

    browser.post("/actes/deposer/", {**FIELDS, "main": posted(signed_by(mayor()), "d.pdf")})

    assert len(ran) == 1
    assert ActFile.objects.exists()


# The stamp.


@pytest.fixture
def stamped(deposit: Deposit, believed: TrustedAuthority) -> ActFile:
    """The signed file of an act the préfecture acknowledged."""
    act = deposit(main=signed(mayor(), "délib signée.pdf"))
    hand_over(act)
    acknowledge(act)
    return act.files.select_related("act", "stored", "stamp_sheet").get()


def test_the_stamp_of_a_signed_file_is_on_a_page_of_its_own(stamped: ActFile) -> None:
    assert stamped.stamped is None
    assert stamped.stamp_sheet is not None
    said = unbroken(pdfs.words(documents.read(stamped.stamp_sheet)))
    for words in (
        "Feuille de tampon",
        "Accusé de réception en préfecture",
        stamped.act.identifier,
        "24/11/2026",
        "délib signée.pdf",
        "Marie Dupont (Commune de Melle), le 20/11/2026 à 11 h 30",
        stamped.stored.sha256,
        "EXERCICE",
    ):
        assert unbroken(words) in said


def test_the_history_says_why_a_signed_file_has_no_stamped_copy(stamped: ActFile) -> None:
    entry = Entry.objects.get(event="actes.not_stamped")
    assert "signature électronique" in entry.sentence
    assert stamped.act.state == ActState.ACKNOWLEDGED


@needs_pdfsig
def test_pdfsig_still_finds_the_whole_document_signed_after_the_stamp(
    stamped: ActFile, tmp_path: Path
) -> None:
    said = judged(documents.read(stamped.stored), tmp_path)

    assert "Signature is Valid" in said
    assert "Total document signed" in said
    assert PDFSIG is not None
    assert stamped.stamp_sheet is not None
    sheet = tmp_path / "sheet.pdf"
    sheet.write_bytes(documents.read(stamped.stamp_sheet))
    command = [PDFSIG, str(sheet)]
    alone = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "does not contain any signatures" in alone.stdout


def test_the_sheet_is_on_the_page_of_the_act_and_downloads(
    stamped: ActFile, browser: Browser
) -> None:
    act = stamped.act
    assert "délib signée (feuille de tampon).pdf" in text(browser.get(f"/actes/{act.pk}/"))

    answer = browser.get(f"/actes/{act.pk}/fichiers/{stamped.pk}/feuille-de-tampon/")

    assert b"".join(answer.streaming_content).startswith(b"%PDF-")


def test_a_file_that_is_stamped_has_no_sheet(sent_act: Act, browser: Browser) -> None:
    acknowledge(sent_act)
    file = sent_act.files.get()
    assert file.stamp_sheet is None
    url = f"/actes/{sent_act.pk}/fichiers/{file.pk}/feuille-de-tampon/"
    assert browser.get(url).status_code == 404


def test_a_publication_writes_the_sheet_anew(stamped: ActFile, ready: Person) -> None:
    former = stamped.stamp_sheet_id
    actions.set_published(act_id=stamped.act_id, on=LATER.date(), by=ready, at=LATER)

    stamped.refresh_from_db()

    assert stamped.stamp_sheet_id != former
    said = unbroken(pdfs.words(documents.read(stamped.stamp_sheet)))
    assert unbroken("Publié 24/11/2026") in said


def test_the_sheet_goes_with_the_exports(stamped: ActFile) -> None:
    papers = dict(bundles._papers(stamped.act))

    assert "délib signée (feuille de tampon).pdf" in papers
    assert documents.read(papers["délib signée.pdf"]) == documents.read(stamped.stored)
