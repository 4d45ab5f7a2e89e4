"""An act on the model of another; what she is shown before she sends."""

from collections.abc import Callable

from django.utils import timezone

from socle.accounts.models import Person
from socle.actes import actions, sending
from socle.actes.ground import Ground
from socle.actes.models import Act, ActState, NumberPattern
from socle.journal.models import Entry
from tests.actes.conftest import AT, PDF
from tests.actes.test_returns import anomaly
from tests.actes.test_screens import browser, draft, sent, text  # noqa: F401
from tests.people import Browser


def test_a_duplicate_says_the_same_under_the_next_number_without_files(
    deposit: Callable[..., Act], ready: Person
) -> None:
    act = deposit()
    copy = actions.duplicate(act_id=act.pk, by=ready, at=AT)
    assert (copy.number, copy.nature, copy.matter, copy.objet) == (
        "2026_018",
        1,
        "5.2",
        act.objet,
    )
    assert (copy.state, copy.decided_on, copy.files.count()) == (ActState.DRAFT, None, 0)
    assert Entry.objects.get(event="actes.duplicated").detail["model"] == "2026_017"


def test_a_duplicate_stays_in_the_numbers_of_its_service(
    deposit: Callable[..., Act], ready: Person
) -> None:
    NumberPattern.objects.create(service="Conseil", pattern="AAAA_###")
    NumberPattern.objects.create(service="CCAS", pattern="CCAS_AAAA_##")
    act = deposit(number="CCAS_2026_04")
    deposit()
    assert actions.duplicate(act_id=act.pk, by=ready, at=AT).number == "CCAS_2026_05"


def test_she_duplicates_from_the_page_of_the_act(browser: Browser, sent: Act) -> None:  # noqa: F811
    assert "Dupliquer" in text(browser.get(f"/actes/{sent.pk}/"))
    answer = browser.post(f"/actes/{sent.pk}/dupliquer/")
    copy = Act.objects.exclude(pk=sent.pk).get()
    assert answer.url == f"/actes/{copy.pk}/modifier/"


def test_she_reads_the_form_and_the_pages_before_she_sends(
    browser: Browser,  # noqa: F811
    ready: Person,
) -> None:
    act = draft(ready)
    page = browser.get(f"/actes/{act.pk}/verifier/")
    assert "actes:NumeroInterne=&quot;2026_017&quot;" in page.content.decode()
    assert "Type de pièce : chaque fichier en a un" in text(page)
    file = act.files.get()
    shown = browser.get(f"/actes/{act.pk}/fichiers/{file.pk}/?voir")
    assert shown["Content-Disposition"].startswith("inline")
    assert b"".join(shown.streaming_content) == PDF
    kept = browser.get(f"/actes/{act.pk}/fichiers/{file.pk}/")
    assert kept["Content-Disposition"].startswith("attachment")
    kept.close()


def test_only_a_pdf_opens_in_the_browser(browser: Browser, ready: Person) -> None:  # noqa: F811
    from socle.documents import actions as documents

    act = draft(ready)
    file = act.files.get()
    file.stored = documents.store(content=b"<a/>", name="a.xml", by="x", at=AT)
    file.save()
    shown = browser.get(f"/actes/{act.pk}/fichiers/{file.pk}/?voir")
    assert shown["Content-Disposition"].startswith("attachment")
    assert "sandbox" in shown["Content-Security-Policy"]
    shown.close()


def test_a_correction_shows_what_changes(browser: Browser, sent: Act, ready: Person) -> None:  # noqa: F811
    anomaly(sent)
    copy = actions.correct(act_id=sent.pk, by=ready, at=timezone.now())
    assert "Rien ne change" in text(browser.get(f"/actes/{copy.pk}/verifier/"))
    Act.objects.filter(pk=copy.pk).update(objet="Règlement du cimetière")
    shown = text(browser.get(f"/actes/{copy.pk}/verifier/"))
    assert "Ce qui change par rapport à l’acte refusé" in shown
    assert "Règlement du cimetière" in shown


def test_a_number_too_far_is_pointed_at(browser: Browser, ready: Person) -> None:  # noqa: F811
    year = timezone.localdate().year
    NumberPattern.objects.create(service="Conseil", pattern="AAAA_###")
    draft(ready, number=f"{year}_001")
    act = draft(ready, number=f"{year}_004")
    shown = text(browser.get(f"/actes/{act.pk}/verifier/"))
    assert f"{year}_002, {year}_003" in shown


def test_a_classification_on_its_way_is_told_before_the_deposit(
    browser: Browser,  # noqa: F811
    ready: Person,
) -> None:
    act = draft(ready)
    assert "nouvelle liste" not in text(browser.get("/actes/deposer/"))
    sending.ask_classification(ground=Ground(by=ready, at=timezone.now()))
    for address in ("/actes/deposer/", f"/actes/{act.pk}/verifier/"):
        assert "Une nouvelle liste de matières arrive" in text(browser.get(address))


def test_the_stamp_says_when_the_act_was_published_once_it_is(
    browser: Browser,  # noqa: F811
    sent: Act,  # noqa: F811
) -> None:
    from tests.actes.test_returns import acknowledge

    acknowledge(sent, at=timezone.now(), on=timezone.localdate().isoformat())
    before = sent.files.get().stamped
    browser.post(
        f"/actes/{sent.pk}/publication/", {"published_on": timezone.localdate().isoformat()}
    )
    after = sent.files.get().stamped
    assert before != after
