"""The acts as a secretary sees them."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import actions, returns
from socle.actes.actions import Facts
from socle.actes.models import Act, ActState, Transaction
from socle.delivery.models import Outbound, OutboundState, TransmissionOperator
from socle.delivery.origin import Origin
from socle.directory.models import TransmissionRight
from socle.documents import actions as documents
from socle.journal.models import Entry
from tests.actes import answers
from tests.actes.conftest import AT, PDF, PNG, hand_over, somebody, upload, vars_of
from tests.actes.test_returns import acknowledge, anomaly
from tests.documents import pdfs, signed_pdfs
from tests.people import Browser, in_town

YESTERDAY = timezone.localdate() - timedelta(days=1)
FIELDS = {
    "nature": "1",
    "number": "2026-017",
    "decided_on": YESTERDAY.isoformat(),
    "objet": "Règlement intérieur du conseil",
    "matter": "5.2",
}


@pytest.fixture
def browser(ready: Person, town: Any) -> Browser:
    return in_town(town, ready)


def pdf(name: str = "délib.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "application/pdf")


def text(answer: Any) -> str:
    """The words of a page, on one line."""
    words = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(words.replace("&#x27;", "'").replace("&amp;", "&").split())


def draft(by: Person, **changes: Any) -> Act:
    facts = Facts("2026_017", 1, "5.2", YESTERDAY, "Règlement intérieur du conseil")
    return actions.save_draft(
        facts=Facts(**vars_of(facts) | changes), main=upload(), by=by, at=timezone.now()
    )


@pytest.fixture
def sent(ready: Person) -> Act:
    """An act sent today."""
    act = draft(ready)
    actions.transmit(act_id=act.pk, by=ready, at=timezone.now())
    hand_over(act)
    Transaction.objects.update(sent_at=timezone.now())
    act.refresh_from_db()
    return act


@pytest.fixture
def acknowledged(sent: Act) -> Act:
    acknowledge(sent, at=timezone.now(), on=timezone.localdate().isoformat())
    sent.refresh_from_db()
    return sent


# Depositing.


def test_the_form_proposes_the_next_number(browser: Browser, ready: Person) -> None:
    draft(ready, number=f"{timezone.localdate().year}_016")
    page = browser.get("/actes/deposer/").content.decode()
    assert f'value="{timezone.localdate().year}_017"' in page


def test_matters_are_grouped_under_their_heading(browser: Browser) -> None:
    page = browser.get("/actes/deposer/").content.decode()
    assert '<optgroup label="5. Institutions et vie politique">' in page
    assert '<option value="7.10">7.10 Divers</option>' in page


def test_types_of_annexes_are_grouped_by_nature(browser: Browser) -> None:
    page = browser.get("/actes/deposer/").content.decode()
    assert '<optgroup label="Actes réglementaires">' in page
    assert "Type habituel de cette nature d’acte" in page


def test_five_minutes_are_enough(browser: Browser) -> None:
    page = browser.post(
        "/actes/deposer/",
        {**FIELDS, "main": pdf(), "annexe_1": pdf("plan.pdf"), "type_1": "21_RP", "continue": "1"},
        follow=True,
    )
    act = Act.objects.get()
    said = text(page)
    assert page.redirect_chain[-1][0] == f"/actes/{act.pk}/verifier/"
    assert f"99_DE-{_stem(act)}_1.pdf" in said
    assert f"21_RP-{_stem(act)}_2.pdf" in said
    done = browser.post(f"/actes/{act.pk}/transmettre/", follow=True)
    assert "est en route vers la préfecture" in text(done)
    act.refresh_from_db()
    assert (act.state, act.number) == (ActState.QUEUED, "2026_017")


def _stem(act: Act) -> str:
    return f"079-200081511-{YESTERDAY:%Y%m%d}-2026_017-DE-1-1"


def test_the_preview_shows_what_becomes_of_characters(browser: Browser, ready: Person) -> None:
    act = draft(ready, objet="L’œuvre – 100 €")
    said = text(browser.get(f"/actes/{act.pk}/verifier/"))
    assert "L'oeuvre - 100 EUR" in said
    assert "« € » devient « EUR »" in said


def test_the_preview_warns_about_a_late_individual_decision(
    browser: Browser, ready: Person
) -> None:
    act = draft(ready, nature=3, matter="4.1", decided_on=YESTERDAY - timedelta(days=30))
    assert "quinze jours" in text(browser.get(f"/actes/{act.pk}/verifier/"))


def test_the_preview_warns_that_a_signed_file_is_not_stamped(
    browser: Browser, ready: Person
) -> None:
    act = draft(ready)
    signed = upload(signed_pdfs.signed_by(signed_pdfs.mayor()), "signé.pdf")
    actions.save_draft(
        act_id=act.pk,
        facts=Facts("2026_017", 4, "1.1", YESTERDAY, "Objet"),
        main=signed,
        by=ready,
        at=timezone.now(),
    )
    assert "sur une feuille à part" in text(browser.get(f"/actes/{act.pk}/verifier/"))


def test_the_preview_says_why_nothing_can_leave(
    browser: Browser, ready: Person, right: TransmissionRight
) -> None:
    right.suspended_on, right.suspension_reason = date(2021, 11, 1), "incident de sécurité"
    right.save()
    act = draft(ready)
    page = browser.get(f"/actes/{act.pk}/verifier/")
    assert "incident de sécurité" in text(page)
    assert "Transmettre à la préfecture" not in text(page)


def test_the_first_act_says_that_the_classification_is_asked(
    right: TransmissionRight, secretary: Person, town: Any
) -> None:
    browser = in_town(town, secretary)
    assert "Matières nationales" in text(browser.get("/actes/deposer/"))
    act = draft(secretary)
    assert "C’est votre premier acte" in text(browser.get(f"/actes/{act.pk}/verifier/"))
    said = text(browser.post(f"/actes/{act.pk}/transmettre/", follow=True))
    assert "L’acte est prêt, il va partir" in said
    back = browser.post(f"/actes/{act.pk}/reprendre/", follow=True)
    assert "de nouveau un brouillon" in text(back)


# What is wrong, each with its sentence and its line in the journal.


WRONG = [
    ({"main": ("x.pdf", b"Bonjour")}, "« x.pdf » est un fichier d’un format inconnu"),
    ({"main": ("vide.pdf", b"")}, "« vide.pdf » est vide"),
    ({"main": ("clef.pdf", pdfs.locked(user="x"))}, "« clef.pdf » est protégé"),
    ({"main": ("x.docx", b"PK")}, "« x.docx » n'est pas dans un format accepté"),
    ({"decided_on": (timezone.localdate() + timedelta(days=2)).isoformat()}, "dans le futur"),
    ({"objet": ""}, "Indiquez l'objet de l'acte."),
    ({"objet": "x" * 501}, "raccourcissez-le à 500"),
    ({"number": "_"}, "de 1 à 15 lettres capitales"),
    ({"nature": ""}, "Choisissez la nature de l'acte."),
    ({"annexe_1": ("p.png", PNG), "type_1": "99_AU"}, "n'est pas permis"),
]


@pytest.mark.parametrize(("changes", "words"), WRONG, ids=[words for _, words in WRONG])
def test_a_wrong_deposit_is_saved_explained_and_journaled(
    browser: Browser, changes: dict[str, Any], words: str
) -> None:
    sent = {**FIELDS, "main": ("délib.pdf", PDF), **changes}
    sent = {k: pdf(*v) if isinstance(v, tuple) else v for k, v in sent.items()}
    page = browser.post("/actes/deposer/", sent, follow=True)
    act = Act.objects.get()
    assert page.redirect_chain[-1][0] == f"/actes/{act.pk}/modifier/"
    assert words in text(page)
    refusals = [entry.sentence for entry in Entry.objects.filter(event="refused.deposit")]
    assert any(words in sentence for sentence in refusals)
    assert act.state == ActState.DRAFT
    assert not Outbound.objects.exists()


def test_a_good_file_survives_what_is_wrong_beside_it(browser: Browser) -> None:
    page = browser.post(
        "/actes/deposer/",
        {**FIELDS, "objet": "", "main": pdf(), "annexe_1": pdf("mauvais.pdf", b"texte")},
        follow=True,
    )
    assert "délib.pdf" in text(page)
    assert [str(file) for file in Act.objects.get().files.all()] == ["délib.pdf"]


def test_a_number_already_used_is_said_beside_the_number(browser: Browser, sent: Act) -> None:
    page = browser.post("/actes/deposer/", {**FIELDS, "main": pdf()}, follow=True)
    assert "est déjà celui de l’acte « Règlement intérieur du conseil »" in text(page)


def test_too_heavy_a_deposit_is_explained(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socle.actes.protocol.rules.SIZE_LIMIT", 10)
    page = browser.post("/actes/deposer/", {**FIELDS, "main": pdf()}, follow=True)
    assert "la limite est de 150 Mio" in text(page)


def test_a_refused_transmission_comes_back_to_the_draft_with_its_reason(
    browser: Browser, ready: Person, right: TransmissionRight
) -> None:
    act = draft(ready)
    right.natures = ["2"]
    right.save()
    page = browser.post(f"/actes/{act.pk}/transmettre/", follow=True)
    assert "ne couvre pas les actes de cette nature" in text(page)
    entry = Entry.objects.get(event="refused.transmit")
    assert entry.subject_id == str(act.pk)
    assert not Outbound.objects.exists()


def test_a_draft_can_wait(browser: Browser) -> None:
    page = browser.post("/actes/deposer/", {"number": "12", "save": "1"}, follow=True)
    assert "Le brouillon est enregistré." in text(page)
    assert not Entry.objects.filter(event="refused.deposit").exists()
    act = Act.objects.get()
    form = browser.get(f"/actes/{act.pk}/modifier/")
    assert "il reste 5 points à régler" in text(form)


def test_a_draft_is_corrected_without_sending_its_files_again(
    browser: Browser, ready: Person
) -> None:
    act = draft(ready, objet="")
    page = browser.post(f"/actes/{act.pk}/modifier/", FIELDS, follow=True)
    assert page.redirect_chain[-1][0] == f"/actes/{act.pk}/verifier/"


def test_an_annexe_is_retyped_then_removed(browser: Browser, ready: Person) -> None:
    act = draft(ready)
    browser.post(f"/actes/{act.pk}/modifier/", {**FIELDS, "annexe_1": pdf("a.pdf")})
    annexe = act.files.get(role="annex")
    browser.post(f"/actes/{act.pk}/modifier/", {**FIELDS, f"type_of_{annexe.pk}": "21_RP"})
    assert act.files.get(role="annex").typology == "21_RP"
    browser.post(f"/actes/{act.pk}/modifier/", {**FIELDS, f"remove_{annexe.pk}": "on"})
    assert not act.files.filter(role="annex").exists()


@pytest.mark.parametrize("page", ["verifier", "modifier"])
def test_going_back_after_sending_leads_to_the_act(browser: Browser, sent: Act, page: str) -> None:
    answer = browser.get(f"/actes/{sent.pk}/{page}/")
    assert answer["Location"] == f"/actes/{sent.pk}/"


def test_a_draft_is_thrown_away_after_a_question(browser: Browser, ready: Person) -> None:
    act = draft(ready)
    assert "Supprimer ce brouillon ?" in text(browser.get(f"/actes/{act.pk}/supprimer/"))
    browser.post(f"/actes/{act.pk}/supprimer/")
    assert not Act.objects.exists()


# Who may do what.


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        (Role.READER, "get", "deposer/"),
        (Role.READER, "get", "{pk}/modifier/"),
        (Role.READER, "get", "{pk}/verifier/"),
        (Role.READER, "post", "{pk}/publication/"),
        (Role.READER, "post", "{pk}/corriger/"),
        (Role.PREPARER, "post", "{pk}/transmettre/"),
        (Role.PREPARER, "get", "{pk}/annuler/"),
        (Role.PREPARER, "post", "{pk}/annuler/"),
    ],
)
def test_what_a_role_does_not_allow_is_closed(
    ready: Person, town: Any, role: Role, method: str, path: str
) -> None:
    act = draft(ready)
    other = in_town(town, somebody(role, town))
    assert getattr(other, method)(f"/actes/{path.format(pk=act.pk)}").status_code == 403


def test_a_preparer_is_told_who_can_send(ready: Person, town: Any) -> None:
    act = draft(ready)
    page = in_town(town, somebody(Role.PREPARER, town)).get(f"/actes/{act.pk}/verifier/")
    assert "une personne qui a le droit de télétransmettre" in text(page)
    assert "Transmettre à la préfecture" not in text(page)


def test_a_reader_sees_a_draft_without_its_buttons(ready: Person, town: Any) -> None:
    act = draft(ready)
    page = in_town(town, somebody(Role.READER, town)).get(f"/actes/{act.pk}/")
    assert "n’est pas encore transmis" in text(page)


# The list.


def test_what_keeps_everything_from_leaving_is_said_before_the_form_is_filled(
    browser: Browser, right: Any
) -> None:
    assert "Rien ne peut partir" not in text(browser.get("/actes/deposer/"))
    right.delete()
    for page in ("/actes/deposer/", "/actes/lots/", "/actes/budget/"):
        said = text(browser.get(page))
        assert "Rien ne peut partir" in said
        assert "la convention n’est pas signée" in said


def test_a_preparer_needs_no_certificate_to_prepare(town: Any, right: Any) -> None:
    TransmissionOperator.objects.update(requires_certificate=True)
    preparer = in_town(town, somebody(Role.PREPARER, town))
    transmitter = in_town(town, somebody(Role.TRANSMITTER, town))
    assert "Rien ne peut partir" not in text(preparer.get("/actes/deposer/"))
    assert "exige un certificat" in text(transmitter.get("/actes/deposer/"))


def test_an_empty_list_offers_the_first_deposit(browser: Browser) -> None:
    assert "Déposer le premier acte" in text(browser.get("/actes/"))


def test_a_fruitless_search_offers_the_way_back(browser: Browser) -> None:
    assert "Aucun acte ne répond" in text(browser.get("/actes/", {"q": "zzz"}))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"q": "cantine"}, {"Cantine"}),
        ({"q": "2026-018"}, {"Cantine"}),
        ({"nature": "2"}, {"Cantine"}),
        ({"state": "queued"}, {"Voirie"}),
        ({"year": "2025"}, {"Voirie"}),
        ({"state": "unpublished"}, set()),
        ({"year": "x"}, {"Cantine", "Voirie"}),
    ],
)
def test_the_list_is_filtered(
    browser: Browser, ready: Person, asked: dict[str, str], found: set[str]
) -> None:
    draft(ready, number="2026_018", nature=2, objet="Cantine")
    act = draft(ready, decided_on=date(2025, 3, 1), objet="Voirie")
    actions.transmit(act_id=act.pk, by=ready, at=AT)
    said = text(browser.get("/actes/", asked))
    assert {word for word in ("Cantine", "Voirie") if word in said} == found


def test_the_list_is_paged_and_asks_for_few_queries(
    browser: Browser, ready: Person, django_assert_max_num_queries: Any
) -> None:
    Act.objects.bulk_create(
        Act(number=f"A{n}", objet=f"Objet {n}", created_at=timezone.now()) for n in range(45)
    )
    browser.get("/actes/")
    with django_assert_max_num_queries(12):
        page = browser.get("/actes/", {"page": 2})
    assert page.content.decode().count('scope="row"') == 20


# The act on its page.


def test_a_sent_act_says_how_long_to_wait(browser: Browser, sent: Act) -> None:
    said = text(browser.get(f"/actes/{sent.pk}/"))
    assert "Transmis, en attente de l’accusé de réception" in said
    assert "comptez un à deux jours ouvrés" in said


def test_an_act_without_answer_for_long_says_whom_to_call(browser: Browser, sent: Act) -> None:
    Transaction.objects.update(sent_at=timezone.now() - timedelta(days=9))
    said = text(browser.get(f"/actes/{sent.pk}/"))
    assert "L’accusé de réception tarde" in said
    assert "ne déposez pas l’acte une seconde fois" in said


def test_a_message_held_at_the_door_says_why(browser: Browser, ready: Person) -> None:
    act = draft(ready)
    actions.transmit(act_id=act.pk, by=ready, at=timezone.now())
    Outbound.objects.update(state=OutboundState.HELD, last_error="La convention est suspendue.")
    said = text(browser.get(f"/actes/{act.pk}/"))
    assert "L’envoi est arrêté" in said
    assert "La convention est suspendue." in said


def test_an_acknowledged_act_asks_for_its_publication_then_is_enforceable(
    browser: Browser, acknowledged: Act
) -> None:
    assert "il reste à le publier" in text(browser.get(f"/actes/{acknowledged.pk}/"))
    day = timezone.localdate()
    page = browser.post(
        f"/actes/{acknowledged.pk}/publication/",
        {"published_on": day.isoformat()},
        follow=True,
    )
    assert f"Exécutoire le {day:%d/%m/%Y}" in text(page)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2001-01-01", "avant d’être décidé"),
        ((timezone.localdate() + timedelta(days=3)).isoformat(), "dans le futur"),
        ("hier", "n’est pas une date"),
    ],
)
def test_a_wrong_publication_day_is_explained(
    browser: Browser, acknowledged: Act, day: str, words: str
) -> None:
    page = browser.post(
        f"/actes/{acknowledged.pk}/publication/", {"published_on": day}, follow=True
    )
    assert words in text(page)
    acknowledged.refresh_from_db()
    assert acknowledged.published_on is None


def test_the_history_tells_everything_newest_first(browser: Browser, acknowledged: Act) -> None:
    said = text(browser.get(f"/actes/{acknowledged.pk}/"))
    told = [said.index(words) for words in ("reçu en préfecture le", "remis à l’opérateur")]
    assert told == sorted(told)
    assert "Préfecture d’exercice" in said


def test_the_page_of_an_act_asks_for_few_queries(
    browser: Browser, acknowledged: Act, django_assert_max_num_queries: Any
) -> None:
    browser.get(f"/actes/{acknowledged.pk}/")
    with django_assert_max_num_queries(17):
        browser.get(f"/actes/{acknowledged.pk}/")


def test_the_proofs_are_given_as_they_are_kept(browser: Browser, acknowledged: Act) -> None:
    file, pk = acknowledged.files.get(), acknowledged.pk
    ar = acknowledged.transactions.get(kind="1-2")
    wanted = {
        f"/actes/{pk}/bordereau/": acknowledged.bordereau,
        f"/actes/{pk}/fichiers/{file.pk}/": file.stored,
        f"/actes/{pk}/fichiers/{file.pk}/tamponne/": file.stamped,
        f"/actes/{pk}/messages/{ar.pk}/": ar.message,
    }
    for url, stored in wanted.items():
        assert stored is not None
        answer = browser.get(url)
        assert b"".join(answer.streaming_content) == documents.read(stored)
        assert "attachment" in answer["Content-Disposition"]


def test_a_proof_that_does_not_exist_yet_is_not_found(browser: Browser, sent: Act) -> None:
    assert browser.get(f"/actes/{sent.pk}/bordereau/").status_code == 404
    file = sent.files.get()
    assert browser.get(f"/actes/{sent.pk}/fichiers/{file.pk}/tamponne/").status_code == 404


def test_a_file_is_given_under_its_own_act_only(browser: Browser, sent: Act, ready: Person) -> None:
    other = draft(ready, number="2026_018")
    file = sent.files.get()
    assert browser.get(f"/actes/{other.pk}/fichiers/{file.pk}/").status_code == 404


def test_the_neighbour_has_none_of_our_acts(
    acknowledged: Act, neighbour: Any, ready: Person
) -> None:
    nosy = in_town(neighbour, somebody(Role.TRANSMITTER, neighbour))
    assert nosy.get(f"/actes/{acknowledged.pk}/").status_code == 404
    assert nosy.get(f"/actes/{acknowledged.pk}/bordereau/").status_code == 404
    assert "Règlement" not in text(nosy.get("/actes/"))


def test_a_refused_act_is_explained_and_corrected(browser: Browser, sent: Act) -> None:
    anomaly(sent, detail="ODT-VERIF-17 Transaction non reconnue")
    said = text(browser.get(f"/actes/{sent.pk}/"))
    assert "La préfecture écrit : « ODT-VERIF-17" in said
    assert "prévenez votre syndicat, puis renvoyez-le" in said
    page = browser.post(f"/actes/{sent.pk}/corriger/", follow=True)
    draft = Act.objects.get(state="draft")
    assert page.redirect_chain[-1][0] == f"/actes/{draft.pk}/modifier/"
    assert 'value="2026_017"' in page.content.decode()
    assert "Il est corrigé par" in text(browser.get(f"/actes/{sent.pk}/"))


def test_an_anomaly_nobody_explains_still_says_what_to_do(browser: Browser, sent: Act) -> None:
    anomaly(sent, detail="")
    said = text(browser.get(f"/actes/{sent.pk}/"))
    assert "sans précision" in said
    assert "Corrigez ce que la préfecture signale" in said


def test_an_acknowledged_act_is_cancelled_after_a_question(
    browser: Browser, acknowledged: Act
) -> None:
    question = text(browser.get(f"/actes/{acknowledged.pk}/annuler/"))
    assert "Demander l’annulation à la préfecture ?" in question
    page = browser.post(f"/actes/{acknowledged.pk}/annuler/", follow=True)
    assert "L’annulation est demandée" in text(page)


def test_an_act_on_its_way_cannot_be_cancelled(browser: Browser, sent: Act) -> None:
    page = browser.post(f"/actes/{sent.pk}/annuler/", follow=True)
    assert "Seul un acte acquitté" in text(page)
    assert Entry.objects.get(event="refused.cancel").subject_id == str(sent.pk)


def test_a_failed_cancellation_is_explained(
    browser: Browser, acknowledged: Act, ready: Person
) -> None:
    ours = actions.cancel(act_id=acknowledged.pk, by=ready, at=timezone.now())
    raw = answers.mail({f"ANO_{ours.envelope_name}": answers.envelope_anomaly()})
    returns.receive(
        "x.eml",
        raw,
        timezone.now(),
        Origin(TransmissionOperator.objects.get(code="exercice"), "actes"),
    )
    said = text(browser.get(f"/actes/{acknowledged.pk}/"))
    assert "L’annulation a été refusée" in said
    assert "Annuler la transmission" in said


# The home page.


def test_the_home_says_what_is_left_to_do(browser: Browser, ready: Person, sent: Act) -> None:
    draft(ready, number="2026_018")
    anomaly(sent)
    said = text(browser.get("/"))
    assert "acte refusé par la préfecture est à corriger" in said
    assert "brouillon d’acte est à transmettre" in said


def test_the_home_asks_for_the_publication_of_acknowledged_acts(
    browser: Browser, acknowledged: Act
) -> None:
    page = browser.get("/")
    assert "attend sa date de publication" in text(page)
    assert "Règlement" in text(browser.get("/actes/?state=unpublished"))


def test_a_corrected_anomaly_is_no_longer_to_do(browser: Browser, sent: Act, ready: Person) -> None:
    anomaly(sent)
    actions.correct(act_id=sent.pk, by=ready, at=timezone.now())
    assert "refusé par la préfecture est à corriger" not in text(browser.get("/"))


def test_the_home_says_which_acts_are_without_answer(browser: Browser, sent: Act) -> None:
    Act.objects.update(deposited_at=timezone.now() - timedelta(days=9))
    assert "depuis plus de deux jours ouvrés" in text(browser.get("/"))


def test_a_publication_date_is_taken_back(browser: Browser, acknowledged: Act) -> None:
    url = f"/actes/{acknowledged.pk}/publication/"
    browser.post(url, {"published_on": timezone.localdate().isoformat()})
    assert "Effacez-la pour la retirer" in text(browser.get(f"/actes/{acknowledged.pk}/"))
    browser.post(url, {"published_on": ""})
    acknowledged.refresh_from_db()
    assert acknowledged.published_on is None
    assert Entry.objects.filter(event="actes.unpublished").exists()


def test_only_what_may_be_missing_is_said_to_be_optional(browser: Browser) -> None:
    said = text(browser.get("/actes/deposer/"))
    assert "Objet (facultatif)" not in said
    assert "Fichier de l’acte (facultatif)" not in said
    assert "Annexe à ajouter, n° 1 (facultatif)" in said


def test_a_stale_classification_is_asked_again_without_her(browser: Browser, sent: Act) -> None:
    anomaly(sent, detail="ODT-VERIF-01 date de classification")
    said = text(browser.get(f"/actes/{sent.pk}/"))
    assert "revenez renvoyer l’acte dans un moment" in said
    Act.objects.update(classification_date=date(2019, 4, 18))
    assert "La nouvelle est arrivée" in text(browser.get(f"/actes/{sent.pk}/"))


def test_the_list_is_narrowed_to_a_matter(browser: Browser, ready: Person) -> None:
    for number, matter in (("A1", "5.2"), ("A2", "7.10"), ("A3", "")):
        facts = Facts(number=number, matter=matter, objet=f"Objet {number}")
        actions.save_draft(facts=facts, by=ready, at=timezone.now())
    said = text(browser.get("/actes/", {"matter": "7"}))
    assert "Objet A2" in said
    assert "Objet A1" not in said
    assert "Objet A3" not in said
