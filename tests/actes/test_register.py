"""The public register: what may stand there, what anybody finds, for how long."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from lxml import etree

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import actions, exports, policies, register, register_texts
from socle.actes.models import Act, ActState, Posting
from socle.actes.permissions import NotAllowed
from socle.actes.policies import CannotPost, CannotWithdraw
from socle.actes.register import Author
from socle.directory.models import OfficeKind, Organisation, StateOffice
from socle.documents import actions as documents
from socle.journal.models import Entry
from tests.actes.conftest import AT, PNG, hand_over, somebody, upload
from tests.actes.test_returns import LATER, acknowledge
from tests.actes.test_screens import text
from tests.documents import pdfs
from tests.people import Browser, in_town

MAYOR = Author("Sylvie Exemple", "maire")
Deposit = Callable[..., Act]


@pytest.fixture
def acknowledged(deposit: Deposit) -> Callable[..., Act]:
    """Deposit an act, and have the préfecture acknowledge it."""

    def make(**facts: Any) -> Act:
        act = deposit(**facts)
        hand_over(act)
        acknowledge(act)
        act.refresh_from_db()
        return act

    return make


@pytest.fixture
def act(acknowledged: Callable[..., Act]) -> Act:
    return acknowledged(annexes=(upload(name="plan.pdf"), upload(PNG, name="photo.png")))


@pytest.fixture
def anybody(town: Any) -> Browser:
    """A reader without account."""
    return in_town(town)


def put(act: Act, by: Person, *, at: datetime = LATER, **chosen: Any) -> Posting:
    return register.post(act_id=act.pk, author=MAYOR, by=by, at=at, **chosen)


# What may stand there.


def test_J18_a_posted_deliberation_is_read_by_anybody(
    act: Act, ready: Person, anybody: Browser
) -> None:
    posting = put(act, ready)
    said = text(anybody.get("/actes/registre/"))
    assert act.objet in said
    page = text(anybody.get(f"/actes/registre/{posting.pk}/")).replace("\xa0", " ")
    assert "Sylvie Exemple, maire" in page
    assert "Mis en ligne le mardi 24 novembre 2026" in page


def test_the_whole_text_is_downloaded_as_pdf(act: Act, ready: Person, anybody: Browser) -> None:
    posting = put(act, ready)
    [file] = posting.files.all()
    got = anybody.get(f"/actes/registre/{posting.pk}/{file.pk}/")
    content = b"".join(got.streaming_content)
    assert got.headers["Content-Type"] == "application/pdf"
    assert act.identifier in pdfs.words(content)
    assert content == documents.read(file.stamped)


def test_nothing_is_public_before_a_person_says_so(act: Act, anybody: Browser) -> None:
    assert "Aucun acte n’est publié" in text(anybody.get("/actes/registre/"))
    main = act.files.get(role="main")
    assert anybody.get(f"/actes/{act.pk}/").status_code == 302
    assert anybody.get(f"/actes/{act.pk}/fichiers/{main.pk}/").status_code == 302


@pytest.mark.parametrize(("nature", "matter"), [(3, "4.1"), (4, "1.1"), (6, "9.1")])
def test_J18_an_individual_act_a_contract_and_others_are_never_posted(
    acknowledged: Callable[..., Act], ready: Person, nature: int, matter: str
) -> None:
    with pytest.raises(CannotPost, match="acte individuel"):
        put(acknowledged(nature=nature, matter=matter), ready)


def test_J18_a_regulatory_act_may_be_posted(
    acknowledged: Callable[..., Act], ready: Person
) -> None:
    put(acknowledged(nature=2, matter="6.1"), ready)
    assert register.live().count() == 1


def test_J18_an_act_without_acknowledgement_is_not_posted(sent_act: Act, ready: Person) -> None:
    with pytest.raises(CannotPost, match="acquitté"):
        put(sent_act, ready)


def test_an_act_is_posted_once(act: Act, ready: Person) -> None:
    put(act, ready)
    with pytest.raises(CannotPost, match="déjà"):
        put(act, ready)


def test_the_database_keeps_one_posting_per_act(act: Act, ready: Person) -> None:
    posting = put(act, ready)
    with pytest.raises(IntegrityError, match="actes_posted_once"), transaction.atomic():
        Posting.objects.create(
            act=act,
            author_name="x",
            author_quality="y",
            posted_on=posting.posted_on,
            posted_at=AT,
            posted_by_label="z",
        )


def test_annexes_are_public_only_when_chosen(act: Act, ready: Person, anybody: Browser) -> None:
    posting = put(act, ready)
    plan = act.files.get(rank=2)
    assert anybody.get(f"/actes/registre/{posting.pk}/{plan.pk}/").status_code == 404


def test_a_chosen_annex_is_public(act: Act, ready: Person, anybody: Browser) -> None:
    plan = act.files.get(rank=2)
    posting = put(act, ready, annexes=[plan.pk])
    got = anybody.get(f"/actes/registre/{posting.pk}/{plan.pk}/")
    assert b"".join(got.streaming_content).startswith(b"%PDF")


def test_an_annex_that_is_no_pdf_is_refused(act: Act, ready: Person) -> None:
    with pytest.raises(CannotPost, match="PDF"):
        put(act, ready, annexes=[act.files.get(rank=3).pk])


def test_an_annex_of_another_act_cannot_be_made_public(
    act: Act, acknowledged: Callable[..., Act], ready: Person
) -> None:
    other = acknowledged(number="2026_018", nature=3, matter="4.1")
    posting = put(act, ready, annexes=[other.files.get().pk])
    assert posting.files.count() == 1


def test_posting_gives_the_publication_date_and_the_stamp(act: Act, ready: Person) -> None:
    put(act, ready)
    act.refresh_from_db()
    assert act.published_on == date(2026, 11, 24)
    assert act.enforceable_on == date(2026, 11, 24)
    stamped = act.files.get(role="main").stamped
    assert "Publié le 24/11/2026" in pdfs.words(documents.read(stamped))


def test_posting_keeps_an_earlier_publication_date(act: Act, ready: Person) -> None:
    actions.set_published(act_id=act.pk, on=date(2026, 11, 23), by=ready, at=LATER)
    put(act, ready)
    act.refresh_from_db()
    assert act.published_on == date(2026, 11, 23)


def test_a_reader_of_the_commune_cannot_post(act: Act, town: Any) -> None:
    with pytest.raises(NotAllowed):
        put(act, somebody(Role.READER, town))


# How long.


def test_an_act_leaves_the_register_after_two_months_by_a_person(act: Act, ready: Person) -> None:
    put(act, ready)
    with pytest.raises(CannotWithdraw, match="24/01/2027"):
        register.withdraw(act_id=act.pk, by=ready, at=LATER + timedelta(days=60))
    register.withdraw(act_id=act.pk, by=ready, at=LATER + timedelta(days=61))
    assert not register.live().exists()
    assert Entry.objects.filter(event="actes.withdrawn").exists()


def test_an_act_not_withdrawn_stays(act: Act, ready: Person) -> None:
    put(act, ready)
    Posting.objects.update(posted_on=date(2020, 1, 1))
    assert register.live().exists()


def test_an_act_not_posted_cannot_be_withdrawn(act: Act, ready: Person) -> None:
    with pytest.raises(CannotWithdraw, match="n’est pas"):
        register.withdraw(act_id=act.pk, by=ready, at=LATER)


@pytest.mark.parametrize("state", [ActState.CANCELLING, ActState.CANCELLED])
def test_H07_J18_an_act_being_cancelled_is_public_no_more(
    act: Act, ready: Person, anybody: Browser, state: str
) -> None:
    posting = put(act, ready)
    cancelled_on = date(2026, 11, 25) if state == ActState.CANCELLED else None
    Act.objects.update(state=state, cancelled_on=cancelled_on)
    file = posting.files.get()
    assert act.objet not in text(anybody.get("/actes/registre/"))
    assert anybody.get(f"/actes/registre/{posting.pk}/").status_code == 404
    assert anybody.get(f"/actes/registre/{posting.pk}/{file.pk}/").status_code == 404


# Searching.


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=intérieur", True),
        ("q=2026-017", True),
        ("q=introuvable", False),
        ("nature=1", True),
        ("nature=2", False),
        ("annee=2026", True),
    ],
)
def test_the_register_is_searched(
    act: Act, ready: Person, anybody: Browser, query: str, found: bool
) -> None:
    put(act, ready)
    assert (act.objet in text(anybody.get(f"/actes/registre/?{query}"))) is found


def test_the_register_costs_a_bounded_number_of_queries(
    act: Act, ready: Person, anybody: Browser, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    put(act, ready)
    anybody.get("/actes/registre/")
    with django_assert_max_num_queries(8):
        anybody.get("/actes/registre/")


def test_the_neighbour_does_not_show_our_acts(act: Act, ready: Person, neighbour: Any) -> None:
    posting = put(act, ready)
    stranger = in_town(neighbour)
    assert act.objet not in text(stranger.get("/actes/registre/"))
    assert stranger.get(f"/actes/registre/{posting.pk}/").status_code == 404


# Screens of the secretary.


def test_she_posts_from_the_page_of_the_act(act: Act, ready: Person, town: Any) -> None:
    browser = in_town(town, ready)
    assert "Publier au registre" in text(browser.get(f"/actes/{act.pk}/"))
    form = text(browser.get(f"/actes/{act.pk}/publier/"))
    assert "plan.pdf" in form
    assert "photo.png" not in form
    plan = act.files.get(rank=2)
    sent = {
        "author_name": "Sylvie  Exemple",
        "author_quality": "maire",
        f"annexe_{plan.pk}": "on",
    }
    said = text(browser.post(f"/actes/{act.pk}/publier/", sent, follow=True))
    assert "L’acte est au registre public" in said
    assert "Il doit y rester jusqu’au" in said
    posting = Posting.objects.get()
    assert (posting.author_name, posting.files.count()) == ("Sylvie Exemple", 2)


def test_an_author_without_name_is_refused(act: Act, ready: Person, town: Any) -> None:
    page = in_town(town, ready).post(f"/actes/{act.pk}/publier/", {"author_name": " "})
    assert "L’acte n’est pas publié" in text(page)
    assert not Posting.objects.exists()


def test_the_last_author_is_proposed(
    act: Act, acknowledged: Callable[..., Act], ready: Person, town: Any
) -> None:
    put(act, ready)
    other = acknowledged(number="2026_018")
    page = in_town(town, ready).get(f"/actes/{other.pk}/publier/").content.decode()
    assert 'value="Sylvie Exemple"' in page


def test_a_withdrawal_too_early_is_refused_in_words(act: Act, ready: Person, town: Any) -> None:
    put(act, ready, at=timezone.now())
    browser = in_town(town, ready)
    assert "Retirer du registre" not in text(browser.get(f"/actes/{act.pk}/"))
    said = text(browser.post(f"/actes/{act.pk}/retirer/", follow=True))
    assert "reste deux mois au moins" in said
    assert Entry.objects.filter(event__startswith="refused.").exists()


def test_an_individual_act_is_not_offered_to_the_register(
    acknowledged: Callable[..., Act], ready: Person, town: Any
) -> None:
    act = acknowledged(nature=3, matter="4.1")
    browser = in_town(town, ready)
    assert "Publier au registre" not in text(browser.get(f"/actes/{act.pk}/"))
    sent = {"author_name": "S. E.", "author_quality": "maire"}
    said = text(browser.post(f"/actes/{act.pk}/publier/", sent, follow=True))
    assert "acte individuel" in said
    assert not Posting.objects.exists()


# Found by what it says.


@pytest.fixture
def posted(act: Act, ready: Person) -> Posting:
    """A posting whose words were read."""
    posting = put(act, ready)
    assert register_texts.read(posting_id=posting.pk, at=LATER)
    posting.refresh_from_db()
    return posting


@pytest.mark.parametrize(
    "wanted",
    ["délibéré", "DELIBERE", "conseils municipaux", '"conseil municipal"', "règlement", "017"],
)
def test_an_act_is_found_by_its_words(posted: Posting, anybody: Browser, wanted: str) -> None:
    said = text(anybody.get("/actes/registre/", {"q": wanted}))
    assert posted.act.objet in said


@pytest.mark.parametrize("wanted", ["piscine", '"municipal conseil"', "conseil -municipal"])
def test_what_it_does_not_say_finds_nothing(posted: Posting, anybody: Browser, wanted: str) -> None:
    said = text(anybody.get("/actes/registre/", {"q": wanted}))
    assert "Aucun acte publié ne répond" in said


@pytest.mark.parametrize(
    "wanted", ["<script>", "a & b | !c", "' ' '", '"', "-", "«", "\x00x", "%_"]
)
def test_no_search_breaks_the_page(posted: Posting, anybody: Browser, wanted: str) -> None:
    page = anybody.get("/actes/registre/", {"q": wanted})
    assert page.status_code == 200
    assert b"<script>" not in page.content


def test_the_words_found_are_quoted(posted: Posting, anybody: Browser) -> None:
    page = anybody.get("/actes/registre/", {"q": "municipaux"}).content.decode()
    assert "<mark>municipal</mark>" in page


def test_an_excerpt_shows_what_surrounds_the_first_word_found() -> None:
    said = "a " * 200 + "les tarifs de l’école élémentaire sont fixés" + " b" * 200
    pieces = register_texts.excerpt(said, "ecoles")
    assert ("école", True) in pieces
    assert pieces[0] == ("… ", False)
    assert pieces[-1] == (" …", False)
    assert sum(len(words) for words, _ in pieces) < 300
    assert register_texts.excerpt(said, "piscine") == []


def test_a_withdrawn_act_is_found_by_nobody(
    posted: Posting, ready: Person, anybody: Browser
) -> None:
    Posting.objects.update(posted_on=date(2026, 8, 1))
    register.withdraw(act_id=posted.act_id, by=ready, at=LATER)
    assert "Aucun acte publié" in text(anybody.get("/actes/registre/", {"q": "municipal"}))


def test_words_are_read_once_and_a_lost_worker_is_replaced(act: Act, ready: Person) -> None:
    posting = put(act, ready)
    assert register_texts.sweep(at=LATER) == 0
    late = LATER + register_texts.LATE + timedelta(minutes=1)
    assert register_texts.sweep(at=late) == 1
    assert not register_texts.read(posting_id=posting.pk, at=late)
    posting.refresh_from_db()
    assert (posting.read_at, "délibéré" in posting.text) == (late, True)


def test_a_scanned_act_is_said_to_be_one(
    acknowledged: Callable[..., Act], ready: Person, town: Any
) -> None:
    act = acknowledged(main=upload(pdfs.plain(text="")))
    posting = put(act, ready)
    register_texts.read(posting_id=posting.pk, at=LATER)
    page = text(in_town(town, ready).get(f"/actes/{act.pk}/"))
    assert "Ce texte est une image" in page


def test_the_register_costs_the_same_with_or_without_words(
    posted: Posting, anybody: Browser, django_assert_max_num_queries: Any
) -> None:
    anybody.get("/actes/registre/")
    with django_assert_max_num_queries(10):
        anybody.get("/actes/registre/", {"q": "conseil"})
    with django_assert_max_num_queries(10):
        anybody.get("/actes/registre/")


# Open data.


def test_posted_deliberations_are_open_data(
    act: Act, acknowledged: Callable[..., Act], ready: Person, anybody: Browser
) -> None:
    put(act, ready)
    put(acknowledged(number="2026_A1", nature=2, matter="6.1"), ready)
    got = anybody.get("/actes/registre/deliberations.csv")
    [row] = csv.DictReader(io.StringIO(got.content.decode()))
    assert tuple(row) == exports.SCDL_COLUMNS
    assert (row["DELIB_ID"], row["DELIB_DATE"]) == ("2026_017", "2026-11-20")
    assert row["DELIB_MATIERE_CODE"] == "5.2"
    assert row["DELIB_MATIERE_NOM"] == "institutions et vie politique/fonctionnement des assemblées"
    assert row["PREF_DATE"] == "2026-11-24"
    assert row["COLL_NOM"] == Organisation.objects.get(siren="200081511").name


def test_the_address_of_open_data_leads_to_the_act(
    act: Act, ready: Person, anybody: Browser
) -> None:
    posting = put(act, ready)
    got = anybody.get("/actes/registre/deliberations.csv").content.decode()
    [row] = csv.DictReader(io.StringIO(got))
    assert row["DELIB_URL"].startswith("http")
    assert row["DELIB_URL"].endswith(f"/actes/registre/acte/{act.identifier}/")
    led = anybody.get(f"/actes/registre/acte/{act.identifier}/")
    assert (led.status_code, led.url) == (302, f"/actes/registre/{posting.pk}/")


# Addresses that last, and a feed.


def test_the_address_of_an_act_lasts_when_it_is_posted_again(
    act: Act, ready: Person, anybody: Browser
) -> None:
    lasting = f"/actes/registre/acte/{act.identifier}/"
    assert anybody.get(lasting).status_code == 404
    put(act, ready)
    after = LATER + timedelta(days=70)
    register.withdraw(act_id=act.pk, by=ready, at=after)
    gone = anybody.get(lasting)
    assert gone.status_code == 410
    assert "puis retiré" in text(gone)
    again = put(act, ready, at=after)
    assert anybody.get(lasting).url == f"/actes/registre/{again.pk}/"


def test_the_feed_names_each_act_its_author_and_where_it_lies(
    act: Act, acknowledged: Callable[..., Act], ready: Person, anybody: Browser
) -> None:
    put(act, ready)
    acknowledged(number="2026_SECRET")
    got = anybody.get("/actes/registre/fil.atom")
    assert got.headers["Content-Type"].startswith("application/atom+xml")
    atom = {"a": "http://www.w3.org/2005/Atom"}
    [entry] = etree.fromstring(got.content).findall("a:entry", atom)
    assert entry.findtext("a:title", namespaces=atom) == f"{act.number} — {act.objet}"
    assert entry.findtext("a:author/a:name", namespaces=atom) == "Sylvie Exemple, maire"
    address = entry.find("a:link", atom).get("href")
    assert address.endswith(f"/actes/registre/acte/{act.identifier}/")
    assert address == entry.findtext("a:id", namespaces=atom)


def test_an_act_being_cancelled_leaves_the_feed_and_its_address(
    act: Act, ready: Person, anybody: Browser
) -> None:
    put(act, ready)
    actions.cancel(act_id=act.pk, by=ready, at=LATER)
    assert b"<entry>" not in anybody.get("/actes/registre/fil.atom").content
    assert anybody.get(f"/actes/registre/acte/{act.identifier}/").status_code == 410


def test_readers_meet_nobody_but_the_commune(act: Act, ready: Person, anybody: Browser) -> None:
    posting = put(act, ready)
    for page in ("", f"{posting.pk}/"):
        got = anybody.get(f"/actes/registre/{page}")
        assert "sessionid" not in got.cookies
        sources = re.findall(r'(?:src|<link[^>]*href)="(https?:)?//', got.content.decode())
        assert sources == []


@pytest.mark.parametrize(
    ("kind", "code"),
    [(OfficeKind.PREFECTURE, "PREF079"), (OfficeKind.SOUS_PREFECTURE, "SPREF0793")],
)
def test_the_office_is_coded_as_the_schema_wants(kind: str, code: str) -> None:
    office = StateOffice(kind=kind, departement="079", arrondissement="3")
    assert exports.office_code(office) == code
    assert exports.office_code(None) == ""


def test_the_register_takes_only_two_natures() -> None:
    assert policies.PUBLIC_NATURES == {1, 2}
