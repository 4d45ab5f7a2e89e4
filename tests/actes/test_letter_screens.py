"""The letters of the préfecture as a secretary reads and answers them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import replies
from socle.actes.models import Act, Answer, Letter, LetterState
from socle.journal.models import Entry
from tests.actes.conftest import PDF, somebody, upload
from tests.actes.test_letters import PAPER, acknowledge_reply, act, answer, refer, taken, write
from tests.actes.test_screens import text
from tests.people import Browser, in_town

__all__ = ["act"]


@pytest.fixture
def browser(ready: Person, town: Any) -> Browser:
    return in_town(town, ready)


@pytest.fixture
def letter(act: Act) -> Letter:
    return write(act, text="Merci d’envoyer le plan".replace("’", "'"))


def pdf(name: str = "pièce.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "application/pdf")


def page_of(browser: Browser, letter: Letter) -> str:
    return text(browser.get(f"/actes/courriers/{letter.pk}/"))


# The inbox.


def test_the_inbox_says_what_is_to_be_read(browser: Browser, letter: Letter) -> None:
    said = text(browser.get("/actes/courriers/"))
    assert "Demande de pièces complémentaires" in said
    assert "À lire" in said


def test_an_empty_inbox_says_so(browser: Browser) -> None:
    assert "ne vous a encore rien écrit" in text(browser.get("/actes/courriers/"))


def test_the_tab_counts_unread_letters(browser: Browser, letter: Letter) -> None:
    said = browser.get("/actes/").content.decode()
    assert 'Courriers de la préfecture <span class="count">1</span>' in said


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("vue=a-lire", True),
        ("vue=a-repondre", True),
        ("vue=repondus", False),
        ("type=3-1", True),
        ("type=2-1", False),
        ("q=2026-017", True),
        ("q=plan", True),
        ("q=introuvable", False),
        ("type=invente", True),
    ],
)
def test_the_inbox_is_filtered(browser: Browser, letter: Letter, query: str, found: bool) -> None:
    said = text(browser.get(f"/actes/courriers/?{query}"))
    assert (f"{letter.act.number} " in said) is found
    assert ("Aucun courrier ne répond" in said) is not found


def test_the_inbox_costs_a_bounded_number_of_queries(
    browser: Browser, act: Act, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for day in range(1, 24):
        write(act, "2-1", dated=f"2026-10-{day:02d}")
    browser.get("/actes/courriers/")
    with django_assert_max_num_queries(12):
        page = browser.get("/actes/courriers/")
    assert "23 courriers" in text(page).replace("\xa0", " ")


# The page of a letter.


def test_the_page_says_what_the_prefecture_wants_and_since_when(
    browser: Browser, letter: Letter
) -> None:
    Letter.objects.update(received_at=timezone.now() - timedelta(days=3))
    said = page_of(browser, letter).replace("\xa0", " ")
    assert "La préfecture attend des pièces" in said
    assert "Merci d'envoyer le plan" in said
    assert "3 jours" in said
    assert "deux mois" in said


def test_the_clock_says_until_when_the_act_may_be_referred(
    browser: Browser, letter: Letter
) -> None:
    assert "24 janvier 2027" in page_of(browser, letter).replace("\xa0", " ")


def test_the_page_costs_a_bounded_number_of_queries(
    browser: Browser,
    letter: Letter,
    ready: Person,
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    answer(letter, ready, "3-4", *[upload(name=f"{n}.pdf") for n in range(5)])
    browser.get(f"/actes/courriers/{letter.pk}/")
    with django_assert_max_num_queries(14):
        browser.get(f"/actes/courriers/{letter.pk}/")


def test_the_papers_and_the_mail_are_given_as_they_came(browser: Browser, letter: Letter) -> None:
    paper = letter.files.get()
    got = browser.get(f"/actes/courriers/{letter.pk}/documents/{paper.pk}/")
    assert b"".join(got.streaming_content) == PAPER
    mail = browser.get(f"/actes/courriers/{letter.pk}/courriel/")
    assert mail.headers["Content-Disposition"].startswith("attachment")
    assert b"logo.jpg" in b"".join(mail.streaming_content)


def test_a_missing_paper_is_named_and_not_offered(browser: Browser, letter: Letter) -> None:
    letter.files.update(stored=None)
    assert "n’est pas arrivé" in page_of(browser, letter)
    paper = letter.files.get()
    assert browser.get(f"/actes/courriers/{letter.pk}/documents/{paper.pk}/").status_code == 404


def test_a_letter_is_marked_as_read_by_a_button_only(browser: Browser, letter: Letter) -> None:
    page_of(browser, letter)
    assert Letter.objects.get().read_at is None
    said = text(browser.post(f"/actes/courriers/{letter.pk}/lu/", follow=True))
    assert "marqué comme lu" in said
    assert Letter.objects.get().read_at is not None
    assert "J’ai lu ce courrier" not in said


def test_a_defere_says_whom_to_warn_and_offers_no_answer(browser: Browser, act: Act) -> None:
    referred = refer(act, "requete.pdf")
    said = page_of(browser, referred)
    assert "Prévenez le maire" in said
    assert "repondre" not in browser.get(f"/actes/courriers/{referred.pk}/").content.decode()
    page = browser.get(f"/actes/courriers/{referred.pk}/repondre/2-2/")
    assert page.status_code == 302


def test_the_page_of_the_act_shows_its_letters(browser: Browser, letter: Letter) -> None:
    said = text(browser.get(f"/actes/{letter.act_id}/"))
    assert "Courriers de la préfecture" in said
    assert f"{letter}" in said


# Answering.


def test_pieces_are_prepared_then_sent(browser: Browser, letter: Letter) -> None:
    address = f"/actes/courriers/{letter.pk}/"
    form = browser.get(f"{address}repondre/3-4/").content.decode()
    assert form.count('type="file"') == 5
    sent = {"document_1": pdf("plan.pdf"), "document_2": pdf("rapport.pdf"), "type_2": "21_RP"}
    said = text(browser.post(f"{address}repondre/3-4/", sent, follow=True))
    assert "relisez-la" in said
    assert "Transmettre cette réponse" in said
    said = text(browser.post(f"{address}transmettre/", follow=True))
    assert "en route vers la préfecture" in said
    letter.refresh_from_db()
    assert letter.state == LetterState.ANSWER_LEAVING
    assert [one.typology for one in Answer.objects.get().files.all()] == ["99_DE", "21_RP"]


def test_G12_a_refusal_offers_one_file_only(browser: Browser, letter: Letter) -> None:
    form = browser.get(f"/actes/courriers/{letter.pk}/repondre/3-3/").content.decode()
    assert form.count('type="file"') == 1


def test_G13_an_answer_without_file_is_refused_beside_the_field(
    browser: Browser, letter: Letter
) -> None:
    page = browser.post(f"/actes/courriers/{letter.pk}/repondre/3-3/", {})
    assert "La réponse n’est pas enregistrée" in text(page)
    assert not Answer.objects.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"%PDF-1.4 cut"])
def test_a_file_that_cannot_be_sent_is_refused_and_journaled(
    browser: Browser, letter: Letter, content: bytes
) -> None:
    sent = {"document_1": pdf("faux.pdf", content)}
    page = browser.post(f"/actes/courriers/{letter.pk}/repondre/3-3/", sent)
    assert "« faux.pdf »" in text(page)
    assert Entry.objects.filter(event="refused.prepare_reply").exists()
    assert not Answer.objects.exists()


def test_an_answer_of_no_kind_is_not_found(browser: Browser, letter: Letter) -> None:
    sent = {"document_1": pdf()}
    address = f"/actes/courriers/{letter.pk}/repondre/9-9/"
    assert browser.post(address, sent).status_code == 404


def test_a_prepared_answer_is_given_up(browser: Browser, letter: Letter, ready: Person) -> None:
    replies.prepare(
        letter_id=letter.pk, kind="3-4", uploads=[upload()], by=ready, at=timezone.now()
    )
    said = text(browser.post(f"/actes/courriers/{letter.pk}/abandonner/", follow=True))
    assert "est abandonnée" in said
    said = text(browser.post(f"/actes/courriers/{letter.pk}/transmettre/", follow=True))
    assert "Il n’y a pas de réponse préparée" in said


def test_an_acknowledged_answer_says_that_nothing_is_left_to_do(
    browser: Browser, letter: Letter, ready: Person
) -> None:
    given = answer(letter, ready)
    taken(given.message)
    acknowledge_reply(letter.act)
    said = page_of(browser, letter)
    assert "La préfecture a votre réponse" in said
    assert "reçu en préfecture le 26/11/2026" in said


# Rights and to-dos.


def test_a_reader_reads_and_does_nothing(letter: Letter, town: Any) -> None:
    reader = in_town(town, somebody(Role.READER, town))
    page = reader.get(f"/actes/courriers/{letter.pk}/").content.decode()
    assert "J’ai lu ce courrier" not in page
    assert "repondre" not in page
    for address in ("lu/", "repondre/3-4/", "transmettre/", "abandonner/"):
        assert reader.post(f"/actes/courriers/{letter.pk}/{address}").status_code == 403


def test_a_preparer_is_told_who_may_send(letter: Letter, town: Any, ready: Person) -> None:
    replies.prepare(
        letter_id=letter.pk, kind="3-4", uploads=[upload()], by=ready, at=timezone.now()
    )
    helper = in_town(town, somebody(Role.PREPARER, town))
    said = page_of(helper, letter)
    assert "À transmettre par une personne habilitée" in said
    assert helper.post(f"/actes/courriers/{letter.pk}/transmettre/").status_code == 403


def test_what_is_to_read_then_to_answer_is_on_the_home_page(
    browser: Browser, letter: Letter, ready: Person
) -> None:
    assert "courrier de la préfecture n’a été lu par personne" in text(browser.get("/"))
    replies.mark_read(letter_id=letter.pk, by=ready, at=timezone.now())
    assert "courrier de la préfecture attend votre réponse" in text(browser.get("/"))


def test_a_letter_of_the_neighbour_is_not_found(
    browser: Browser, letter: Letter, neighbour: Any
) -> None:
    other = somebody(Role.TRANSMITTER, neighbour)
    assert in_town(neighbour, other).get(f"/actes/courriers/{letter.pk}/").status_code == 404
