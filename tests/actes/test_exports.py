"""Acts taken away: CSV, ZIP with the proofs, figures."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pikepdf
import pytest
from django.db import connection
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import bundles, exports, policies, queries, statistics, tasks
from socle.actes.models import Act, ActState, Bundle, BundleKind, BundleState, Transaction
from socle.core import queue
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.journal.models import Entry
from tests.actes.conftest import AT, PNG, hand_over, somebody, upload
from tests.actes.test_returns import LATER, acknowledge
from tests.actes.test_screens import draft, text
from tests.documents import pdfs
from tests.people import Browser, in_town

Deposit = Callable[..., Act]


@pytest.fixture
def browser(ready: Person, town: Any) -> Browser:
    return in_town(town, ready)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was queued, instead of queueing it."""
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(
        queue, "after_commit", lambda task, **message: asked.append({"task": task, **message})
    )
    return asked


def rows(browser: Browser, query: str = "") -> list[dict[str, str]]:
    got = browser.get(f"/actes/export.csv{query}")
    content = b"".join(got.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content), delimiter=";"))


def acknowledged(act: Act) -> Act:
    hand_over(act)
    acknowledge(act)
    act.refresh_from_db()
    return act


# CSV.


def test_J11_the_table_traces_who_sent_what_and_when(
    browser: Browser, deposit: Deposit, ready: Person, town: Any
) -> None:
    act = acknowledged(deposit(annexes=(upload(name="plan.pdf"),)))
    [row] = rows(browser)
    assert tuple(row) == exports.COLUMNS
    assert row["Identifiant unique"] == act.identifier
    assert row["Transmis le"] == "2026-11-24T10:00:00+01:00"
    assert row["Archive transmise"] == "EXE-TACT--200081511--20261124-1.tar.gz"
    emitter = tuple(row[name] for name in ("SIREN", "Département", "Arrondissement"))
    assert emitter == ("200081511", "079", town.organisation.arrondissement)
    assert (row["Nom de l’agent"], row["Prénom de l’agent"], row["Courriel de l’agent"]) == (
        ready.last_name,
        ready.first_name,
        ready.email,
    )
    assert row["Fichiers"].split(";") == [
        f"99_DE-{act.identifier}-1-1_1.pdf",
        f"99_DE-{act.identifier}-1-1_2.pdf",
    ]
    assert row["Reçu en préfecture le"] == "24/11/2026"


def test_J08_all_the_acts_of_the_search_are_exported_not_the_first_page(
    browser: Browser, deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH", 7)
    for serial in range(25):
        deposit(number=f"2026_{serial:03d}")
    numbers = [row["Numéro"] for row in rows(browser)]
    assert numbers == [f"2026_{serial:03d}" for serial in reversed(range(25))]


def test_the_export_follows_the_filters(browser: Browser, deposit: Deposit) -> None:
    deposit()
    deposit(number="2026_018", nature=3, matter="4.1")
    assert [row["Numéro"] for row in rows(browser, "?nature=3")] == ["2026_018"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_is_a_formula(browser: Browser, deposit: Deposit, start: str) -> None:
    deposit(objet=f"{start}HYPERLINK(1)")
    assert rows(browser)[0]["Objet"] == f"'{start}HYPERLINK(1)"


@pytest.mark.parametrize("value", ["\t=1", "\r\n=1", "  =1"])
def test_a_formula_behind_blanks_is_no_formula_either(value: str) -> None:
    assert exports.cell(value) == "'=1"


def test_the_export_stands_in_the_journal(browser: Browser, deposit: Deposit) -> None:
    deposit()
    rows(browser)
    assert Entry.objects.get(event="actes.exported").detail["count"] == "1"


def test_the_export_leaves_the_schema_as_it_found_it(
    browser: Browser, deposit: Deposit, town: Any
) -> None:
    deposit()
    stream = exports.acts_csv(
        [Act.objects.get().pk], organisation=town.organisation, schema=town.schema_name
    )
    connection.set_schema_to_public()
    assert b"2026_017" in b"".join(stream)
    assert connection.schema_name == "public"
    connection.set_tenant(town)


# J12: bounds of the list.


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (None, None, 1),
        (date(2026, 11, 24), date(2026, 11, 24), 1),
        (date(2026, 11, 25), None, 0),
        (None, date(2026, 11, 23), 0),
    ],
)
def test_J12_days_of_transmission_are_included_bounds(
    deposit: Deposit, since: date | None, until: date | None, found: int
) -> None:
    deposit()
    assert queries.search(since=since, until=until).count() == found


def test_J12_the_day_is_that_of_paris(deposit: Deposit) -> None:
    deposit(at=datetime(2026, 11, 24, 23, 30, tzinfo=UTC))
    assert queries.search(since=date(2026, 11, 25)).count() == 1


def test_J12_the_list_takes_the_two_days(browser: Browser, deposit: Deposit) -> None:
    act = deposit()
    assert act.objet in text(browser.get("/actes/?since=2026-11-24&until=2026-11-24"))
    assert "Aucun acte ne répond" in text(browser.get("/actes/?since=2026-11-25"))


# ZIP.


def zip_of(bundle: Bundle) -> zipfile.ZipFile:
    [volume] = bundle.volumes.all()
    return zipfile.ZipFile(io.BytesIO(documents.read(volume.content)))


def test_a_zip_holds_the_acts_and_their_proofs(
    deposit: Deposit, ready: Person, queued: list[dict[str, Any]]
) -> None:
    act = acknowledged(deposit())
    bundle = bundles.ask(acts=[act.pk], by=ready, at=LATER)
    assert queued[-1] == {"task": "actes.make_bundle", "bundle_id": bundle.pk}
    assert bundles.make(bundle_id=bundle.pk, at=LATER)
    names = zip_of(bundle).namelist()
    assert "2026_017/délib n°1 (v2).pdf" in names
    assert "2026_017/délib n°1 (v2) (tamponné).pdf" in names
    assert "2026_017/Bordereau 2026_017.pdf" in names
    assert f"2026_017/preuves 1-2 {act.identifier}-1-2_7.xml" in names
    assert any(name.endswith(".tar.gz") for name in names)
    bundle.refresh_from_db()
    assert (bundle.done, bundle.state) == (1, BundleState.DONE)


def test_J07_two_files_of_one_name_are_both_there(
    deposit: Deposit, ready: Person, queued: list[dict[str, Any]]
) -> None:
    act = deposit(main=upload(name="acte.pdf"), annexes=(upload(name="Acte.pdf"),))
    bundle = bundles.ask(acts=[act.pk], by=ready, at=LATER)
    bundles.make(bundle_id=bundle.pk, at=LATER)
    names = zip_of(bundle).namelist()
    assert {"2026_017/acte.pdf", "2026_017/Acte (2).pdf"} <= set(names)


def test_J07_two_acts_of_one_number_have_each_a_folder(
    deposit: Deposit, ready: Person, queued: list[dict[str, Any]]
) -> None:
    first = deposit()
    Act.objects.update(state=ActState.ANOMALY)
    second = deposit()
    bundle = bundles.ask(acts=[first.pk, second.pk], by=ready, at=LATER)
    bundles.make(bundle_id=bundle.pk, at=LATER)
    folders = {name.partition("/")[0] for name in zip_of(bundle).namelist()}
    assert folders == {"2026_017", "2026_017 (2)"}


def test_J15_a_bar_in_a_name_becomes_a_line(
    deposit: Deposit, ready: Person, queued: list[dict[str, Any]]
) -> None:
    act = deposit()
    StoredFile.objects.update(name="tarifs 2026/2027.pdf")
    bundle = bundles.ask(acts=[act.pk], by=ready, at=LATER)
    bundles.make(bundle_id=bundle.pk, at=LATER)
    assert "2026_017/tarifs 2026_2027.pdf" in zip_of(bundle).namelist()


def test_a_zip_made_twice_is_made_once(
    deposit: Deposit, ready: Person, town: Any, queued: list[dict[str, Any]]
) -> None:
    bundle = bundles.ask(acts=[deposit().pk], by=ready, at=LATER)
    made = [tasks.make_bundle(schema=town.schema_name, bundle_id=bundle.pk) for _ in range(2)]
    assert made == [True, False]


@pytest.mark.parametrize("count", [0, policies.BUNDLE_LIMIT + 1])
def test_a_zip_of_nothing_or_of_too_many_is_refused(ready: Person, count: int) -> None:
    with pytest.raises(policies.TooManyActs, match=f"donne {count}"):
        bundles.ask(acts=list(range(count)), by=ready, at=LATER)


def test_a_lost_zip_is_started_again_and_an_old_one_forgotten(
    deposit: Deposit, ready: Person, queued: list[dict[str, Any]]
) -> None:
    act = deposit()
    old = bundles.ask(acts=[act.pk], by=ready, at=AT - timedelta(days=8))
    bundles.make(bundle_id=old.pk, at=AT - timedelta(days=8))
    lost = bundles.ask(acts=[act.pk], by=ready, at=AT - timedelta(hours=1))
    fresh = bundles.ask(acts=[act.pk], by=ready, at=AT)
    queued.clear()
    [content] = StoredFile.objects.filter(media_type="application/zip")
    bundles.sweep(at=AT)
    assert [one["bundle_id"] for one in queued] == [lost.pk]
    assert set(Bundle.objects.all()) == {lost, fresh}
    assert not StoredFile.objects.filter(pk=content.pk).exists()


def test_the_page_shows_how_far_it_is_then_the_file(
    browser: Browser, deposit: Deposit, queued: list[dict[str, Any]]
) -> None:
    deposit()
    said = text(browser.post("/actes/export-zip/?nature=1", follow=True))
    assert "0 sur 1" in said
    bundle = Bundle.objects.get()
    assert browser.get(f"/actes/exports/{bundle.pk}/1/").status_code == 404
    bundles.make(bundle_id=bundle.pk, at=timezone.now())
    assert "L’export est prêt" in text(browser.get(f"/actes/exports/{bundle.pk}/"))
    [volume] = bundle.volumes.all()
    got = browser.get(f"/actes/exports/{bundle.pk}/{volume.pk}/")
    assert zipfile.is_zipfile(io.BytesIO(b"".join(got.streaming_content)))
    taken = Entry.objects.get(event="actes.bundle_taken")
    assert taken.detail["name"] == volume.content.name


def test_an_export_killed_half_way_goes_on_from_there(
    deposit: Deposit,
    ready: Person,
    town: Any,
    queued: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(bundles.VOLUME, BundleKind.ZIP, 2)
    acts = [deposit(number=f"2026_{serial:03d}").pk for serial in range(5)]
    bundle = bundles.ask(acts=acts, by=ready, at=timezone.now())

    class Killed(BaseException):
        """The worker is gone."""

    real = bundles._add

    def die_at_the_fourth(archive: Any, act: Act, names: Any) -> None:
        if act.number == "2026_003":
            raise Killed
        real(archive, act, names)

    with monkeypatch.context() as patch:
        patch.setattr(bundles, "_add", die_at_the_fourth)
        with pytest.raises(Killed):
            bundles.make(bundle_id=bundle.pk, at=timezone.now())
    [kept] = bundle.volumes.all()
    assert not bundles.make(bundle_id=bundle.pk, at=timezone.now())  # perhaps it is only slow
    later = timezone.now() + timedelta(minutes=5)
    queued.clear()
    bundles.sweep(at=later)
    assert [one["bundle_id"] for one in queued] == [bundle.pk]
    assert bundles.make(bundle_id=bundle.pk, at=later)
    volumes = list(bundle.volumes.all())
    assert (len(volumes), volumes[0]) == (3, kept)
    assert [volume.acts for volume in volumes] == [2, 2, 1]
    bundle.refresh_from_db()
    assert (bundle.done, bundle.state) == (5, BundleState.DONE)


# One PDF.


def merged(acts: list[Act], by: Person) -> pikepdf.Pdf:
    bundle = bundles.ask(acts=[act.pk for act in acts], by=by, at=LATER, kind=BundleKind.PDF)
    assert bundles.make(bundle_id=bundle.pk, at=LATER)
    [volume] = bundle.volumes.all()
    assert volume.content.media_type == "application/pdf"
    return pikepdf.open(io.BytesIO(documents.read(volume.content)))


def test_one_pdf_holds_the_index_then_the_acts_under_bookmarks(
    deposit: Deposit, ready: Person, queued: list[dict[str, Any]]
) -> None:
    first = acknowledged(deposit(annexes=(upload(name="plan.pdf"), upload(PNG, name="vue.png"))))
    second = deposit(number="2026_018")
    pdf = merged([first, second], ready)
    with pdf.open_outline() as outline:
        titles = [item.title for item in outline.root]
        assert titles == ["Sommaire", str(first), str(second)]
        pieces = [item.title for item in outline.root[1].children]
        target = outline.root[2].destination[0]
    assert pieces == ["délib n°1 (v2).pdf", "plan.pdf", "Bordereau d’acquittement"]
    words = pdfs.words(pdfs.saved(pdf)).replace("\xa0", " ")
    assert "vue.png (n’est pas un PDF" in " ".join(words.split())
    assert target.objgen == pdf.pages[-1].obj.objgen


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda: pdfs.locked(user="secret"), "protégé par un mot de passe"),
        (lambda: b"%PDF-1.4 abc", "PDF abîmé, illisible"),
    ],
)
def test_a_pdf_nobody_can_open_is_named_and_costs_nothing_to_the_others(
    deposit: Deposit,
    ready: Person,
    queued: list[dict[str, Any]],
    spoil: Callable[[], bytes],
    why: str,
) -> None:
    bad, good = deposit(), deposit(number="2026_018")
    kept = documents.store(
        content=spoil(), name="abîmé.pdf", by="x", at=AT, media_type="application/pdf"
    )
    bad.files.update(stored=kept)
    pdf = merged([bad, good], ready)
    with pdf.open_outline() as outline:
        assert [item.title for item in outline.root] == ["Sommaire", str(good)]
    assert why in " ".join(pdfs.words(pdfs.saved(pdf)).replace("\xa0", " ").split())


def test_the_page_numbers_of_the_index_are_those_of_the_pdf(
    deposit: Deposit, ready: Person, queued: list[dict[str, Any]]
) -> None:
    acts = [deposit(number=f"2026_{serial:03d}") for serial in range(40)]
    pdf = merged(acts, ready)
    index = len(pdf.pages) - 40
    assert index > 1
    with pdf.open_outline() as outline:
        last = outline.root[-1].destination[0]
    assert last.objgen == pdf.pages[-1].obj.objgen
    listed = pdfs.words(pdfs.saved(pdf), index - 1).split()
    assert listed[listed.index("2026_039") - 1] == str(len(pdf.pages))


def test_the_list_offers_one_pdf(
    browser: Browser, deposit: Deposit, queued: list[dict[str, Any]]
) -> None:
    deposit()
    assert 'action="/actes/export-pdf/"' in browser.get("/actes/").content.decode()
    browser.post("/actes/export-pdf/")
    assert Bundle.objects.get().kind == BundleKind.PDF


def test_a_search_that_finds_nothing_gives_no_zip(browser: Browser) -> None:
    said = text(browser.post("/actes/export-zip/", follow=True))
    assert "votre recherche en donne 0" in said


def test_a_reader_may_export(deposit: Deposit, town: Any) -> None:
    deposit()
    assert len(rows(in_town(town, somebody(Role.READER, town)))) == 1


# Figures.


def test_figures_count_by_nature_and_month_and_give_the_median_delay(deposit: Deposit) -> None:
    first = acknowledged(deposit())
    second = acknowledged(deposit(number="2026_018", nature=2, matter="6.1"))
    deposit(number="2026_019")
    for act, hours in ((first, 3), (second, 5)):
        Transaction.objects.filter(act=act, kind="1-1").update(
            answered_at=AT + timedelta(hours=hours)
        )
    found = statistics.of_year(2026)
    assert (found.total, found.refused, found.median) == (3, 0, timedelta(hours=4))
    assert dict(found.by_nature)["Délibérations"] == 2
    assert dict(found.by_month)["novembre"] == 3


def test_a_draft_is_in_no_figure(ready: Person) -> None:
    draft(ready)
    found = statistics.of_year(timezone.localdate().year)
    assert (found.total, found.median) == (0, None)


def test_an_act_of_new_years_eve_at_night_counts_in_paris(deposit: Deposit) -> None:
    deposit(at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    assert statistics.of_year(2027).by_month[0] == ("janvier", 1)
    assert statistics.years() == [2027]


@pytest.mark.parametrize(
    ("delay", "words"),
    [
        (timedelta(seconds=59), "moins d’une minute"),
        (timedelta(minutes=7), "7 min"),
        (timedelta(hours=4, minutes=5), "4 h 05"),
        (timedelta(days=1, hours=3), "1 jour 3 h"),
        (timedelta(days=2), "2 jours 0 h"),
    ],
)
def test_a_delay_is_said_in_words(delay: timedelta, words: str) -> None:
    assert statistics.written(delay) == words


def test_the_page_of_figures_opens(browser: Browser, deposit: Deposit) -> None:
    acknowledged(deposit())
    said = text(browser.get("/actes/statistiques/")).replace("\xa0", " ")
    assert "Les actes en 2026" in said
    assert "délai médian" in said
    assert "Actes transmis par mois" in said


def test_the_list_still_costs_a_bounded_number_of_queries(
    browser: Browser, deposit: Deposit, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for serial in range(22):
        deposit(number=f"2026_{serial:03d}")
    browser.get("/actes/")
    with django_assert_max_num_queries(13):
        browser.get("/actes/?nature=1&since=2026-11-01")
