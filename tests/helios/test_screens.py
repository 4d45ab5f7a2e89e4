"""The flows as the secretary sees them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.core.identifiers import siret_of
from socle.delivery.models import TransmissionOperator, Window
from socle.directory.models import TransmissionRight
from socle.helios import actions, queries, returns
from socle.helios.models import Budget, FlowState, PesFlow
from socle.helios.protocol.aller_reader import read_aller
from socle.journal.models import Entry
from tests.helios.conftest import SIRET, melle, member, upload
from tests.helios.protocol import builders as pes
from tests.helios.test_actions import BUDGET
from tests.helios.test_returns import REFUSED, acquit, receive
from tests.people import Browser, in_town

Deposit = Callable[..., PesFlow]


@pytest.fixture(autouse=True)
def _today(noon: datetime) -> Any:
    with time_machine.travel(noon, tick=False):
        yield


def post_files(browser: Browser, *files: Any) -> Any:
    return browser.post("/helios/deposer/", {"files": files}, follow=True)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def refusal_in_journal() -> Entry:
    return Entry.objects.get(outcome="refused")


def test_an_empty_list_offers_to_deposit(browser: Browser) -> None:
    page = text(browser.get("/helios/"))
    assert "Aucun flux n’a encore été déposé" in page
    assert "/helios/deposer/" in page


def test_what_keeps_everything_from_leaving_is_said_before_the_deposit(
    browser: Browser, right: Any
) -> None:
    assert "Rien ne peut partir" not in text(browser.get("/helios/deposer/"))
    right.delete()
    assert "la convention n’est pas signée" in text(browser.get("/helios/deposer/"))


def test_a_deposited_flow_is_shown_in_clear(browser: Browser) -> None:
    content = melle(pes.depense(), pes.attachments(pes.pj()))
    page = text(post_files(browser, upload(content)))
    for shown in (
        "PES-2026-001",
        "Prêt à transmettre",
        "MELLE",
        "079012",
        "Dépense n°&nbsp;7 (2026)",
        "1 mandat",
        "100,00",
        "Aucune signature électronique",
        "facture.pdf",
        "Transmettre à la trésorerie",
    ):
        assert shown in page


@pytest.mark.parametrize(
    ("content", "sentence", "code"),
    [
        (b"", "Le fichier est vide", "helios.empty_file"),
        (b"%PDF-1.7\n", "Ce fichier est un document PDF, pas un flux PES", "helios.not_xml"),
        (
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>',
            "déclaration DOCTYPE",
            "helios.doctype",
        ),
        (b"<facture/>", "n’est pas un PES aller (élément racine « facture »)", "helios.not_pes"),
        (pes.aller(), "celui d’un budget d’une autre collectivité", "helios.foreign_budget"),
        (melle(""), "Le flux est vide", "helios.empty_flux"),
    ],
)
def test_a_refused_file_says_why_and_stands_in_the_journal(
    browser: Browser, content: bytes, sentence: str, code: str
) -> None:
    answer = post_files(browser, upload(content))
    assert answer.status_code == 200
    assert sentence in text(answer)
    entry = refusal_in_journal()
    assert entry.event == "refused.deposit"
    assert (entry.detail["code"], sentence in entry.detail["sentence"]) == (code, True)
    assert not PesFlow.objects.exists()


def test_too_large_a_file_says_so(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "read_aller", partial(read_aller, limit=9))
    assert "dépasse la taille maximale" in text(post_files(browser, upload(melle())))
    assert refusal_in_journal().detail["code"] == "helios.too_large"


def test_the_same_file_twice_is_refused(browser: Browser) -> None:
    post_files(browser, upload(melle()))
    page = text(post_files(browser, upload(melle())))
    assert "déjà été déposé le 24 novembre 2026" in page
    assert refusal_in_journal().detail["code"] == "helios.already_deposited"
    assert PesFlow.objects.count() == 1


def test_several_files_succeed_and_fail_alone(browser: Browser) -> None:
    files = (upload(melle(), "un.xml"), upload(b"%PDF-", "deux.pdf"))
    page = text(post_files(browser, *files))
    assert "Résultat du dépôt" in page
    assert "PES-2026-001" in page
    assert "document PDF" in page
    assert PesFlow.objects.count() == Entry.objects.filter(outcome="refused").count() == 1


def test_no_file_at_all_is_a_form_error(browser: Browser) -> None:
    assert "Choisissez au moins un fichier PES" in text(post_files(browser))


def test_transmitting_asks_first_then_sends(browser: Browser, flow: PesFlow) -> None:
    page = text(browser.get(f"/helios/{flow.pk}/transmettre/"))
    assert "Transmettre ce flux ?" in page
    assert "Vous agissez au nom de" in page
    page = text(browser.post(f"/helios/{flow.pk}/transmettre/", follow=True))
    assert "part à la trésorerie" in page
    assert "En cours d’envoi" in page


def test_a_likely_rejection_must_be_confirmed(browser: Browser, deposit: Deposit) -> None:
    flow = deposit(melle(pes.depense(demat="1")))
    page = text(browser.post(f"/helios/{flow.pk}/transmettre/", follow=True))
    assert "cochez la case" in page
    assert refusal_in_journal().detail["code"] == "helios.needs_confirmation"
    sent = browser.post(f"/helios/{flow.pk}/transmettre/", {"confirmed": "on"}, follow=True)
    assert "part à la trésorerie" in text(sent)


def test_a_suspended_convention_is_named(
    browser: Browser, flow: PesFlow, right: TransmissionRight, noon: datetime
) -> None:
    right.suspended_on, right.suspension_reason = noon.date(), "contentieux"
    right.save()
    page = text(browser.post(f"/helios/{flow.pk}/transmettre/", follow=True))
    assert "est suspendue depuis le 24/11/2026 (contentieux)" in page
    assert refusal_in_journal().detail["code"] == "directory.right_suspended"
    flow.refresh_from_db()
    assert flow.state == FlowState.READY


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        (Role.PREPARER, "post", "transmettre/"),
        (Role.PREPARER, "get", "transmettre/"),
        (Role.READER, "post", "retirer/"),
        (Role.READER, "post", "traite/"),
        (Role.READER, "get", "../deposer/"),
        (Role.READER, "get", "../budgets/ajouter/"),
    ],
)
def test_what_one_may_not_do_is_forbidden(
    town: Any, flow: PesFlow, role: Role, method: str, path: str
) -> None:
    who = in_town(town, member(town, role))
    address = f"/helios/{path[3:]}" if path.startswith("../") else f"/helios/{flow.pk}/{path}"
    assert getattr(who, method)(address).status_code == 403
    flow.refresh_from_db()
    assert flow.state == FlowState.READY


def test_a_preparer_is_told_who_goes_on(town: Any, flow: PesFlow) -> None:
    who = in_town(town, member(town, Role.PREPARER))
    page = text(who.get(f"/helios/{flow.pk}/"))
    assert "Une personne habilitée à transmettre doit maintenant l’envoyer" in page
    assert "Transmettre à la trésorerie" not in page


def test_a_refused_acquit_says_where_why_and_what_to_do(
    browser: Browser, sent: PesFlow, noon: datetime
) -> None:
    receive(acquit(REFUSED), noon)
    page = text(browser.get(f"/helios/{sent.pk}/"))
    for shown in (
        "La trésorerie a refusé ce flux",
        "Bordereau de dépense n° 7 de l’exercice 2026, mandat 1, ligne 2",
        "Compte présent à tort (code 1971)",
        "Acquit de la trésorerie pour PES-2026-001 : refusé",
        "C’est corrigé",
    ):
        assert shown in page


def test_what_is_corrected_leaves_the_to_do_list(
    browser: Browser, sent: PesFlow, noon: datetime
) -> None:
    receive(acquit(REFUSED), noon)
    assert "flux refusé, en tout ou partie, est à corriger" in text(browser.get("/"))
    assert "PES-2026-001" in text(browser.get("/helios/?state=a-corriger"))
    browser.post(f"/helios/{sent.pk}/traite/")
    assert "est à corriger" not in text(browser.get("/"))
    assert "Aucun flux ne correspond" in text(browser.get("/helios/?state=a-corriger"))


def test_there_is_nothing_to_correct_in_a_flow_that_goes_well(
    browser: Browser, sent: PesFlow
) -> None:
    page = text(browser.post(f"/helios/{sent.pk}/traite/", follow=True))
    assert "n’a rien à corriger" in page


def test_the_home_page_says_what_is_to_be_transmitted(browser: Browser, flow: PesFlow) -> None:
    assert "flux est à transmettre à la trésorerie" in text(browser.get("/"))


def test_a_day_of_silence_is_on_the_home_page(
    browser: Browser, sent: PesFlow, noon: datetime
) -> None:
    PesFlow.objects.update(sent_at=noon - timedelta(hours=23))
    assert "attend son acquit" not in text(browser.get("/"))
    PesFlow.objects.update(sent_at=noon - timedelta(hours=25))
    assert "attend son acquit depuis plus de 24 heures" in text(browser.get("/"))
    assert sent.nom_fic in text(browser.get("/helios/?state=sans-reponse"))


def test_a_flow_is_withdrawn(browser: Browser, flow: PesFlow) -> None:
    page = text(browser.post(f"/helios/{flow.pk}/retirer/", follow=True))
    assert "est retiré : il ne partira pas" in page
    assert "Retirer ce flux" not in page


def test_the_flow_and_its_acquit_are_given_back_byte_for_byte(
    browser: Browser, sent: PesFlow, noon: datetime
) -> None:
    receive(acquit(), noon)
    flow = browser.get(f"/helios/{sent.pk}/fichier/")
    assert b"".join(flow.streaming_content) == melle()
    answer = browser.get(f"/helios/acquits/{sent.acquits.get().pk}/")
    assert b"".join(answer.streaming_content) == acquit()


def test_the_list_is_filtered(browser: Browser, flow: PesFlow) -> None:
    assert flow.nom_fic in text(browser.get("/helios/?q=pes-2026"))
    assert "Aucun flux ne correspond" in text(browser.get("/helios/?q=zzz"))
    assert "Aucun flux ne correspond" in text(browser.get("/helios/?state=accepted"))
    assert flow.nom_fic in text(browser.get("/helios/?state=ready"))


def test_the_list_asks_for_few_queries(
    browser: Browser,
    deposit: Deposit,
    agent: Person,
    noon: datetime,
    django_assert_max_num_queries: Any,
) -> None:
    actions.record_budget(**BUDGET, by=agent, at=noon)
    for number in range(30):
        deposit(melle(nom_fic=f"PES-{number}"))
    browser.get("/helios/")
    with django_assert_max_num_queries(12):
        page = text(browser.get("/helios/?q=PES"))
    assert "Page 1 sur 2" in page.replace("\xa0", " ")


@pytest.mark.parametrize("path", ["budgets/", "retours/"])
def test_the_other_lists_ask_for_few_queries(
    browser: Browser, path: str, noon: datetime, django_assert_max_num_queries: Any
) -> None:
    receive(pes.retour(id_coll=SIRET), noon, "PES2R.xml")
    browser.get(f"/helios/{path}")
    with django_assert_max_num_queries(12):
        browser.get(f"/helios/{path}")


def test_a_budget_is_added_then_corrected(browser: Browser) -> None:
    page = text(browser.post("/helios/budgets/ajouter/", BUDGET, follow=True))
    assert "« Budget principal » est enregistré" in page
    budget = Budget.objects.get()
    changed = BUDGET | {"label": "Principal"}
    page = text(browser.post(f"/helios/budgets/{budget.pk}/", changed, follow=True))
    assert "Principal" in page
    assert Budget.objects.get().label == "Principal"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"siret": siret_of("217901735")}, "doit commencer par 200081511"),
        ({"siret": "20008151100017"}, "SIRET"),
        ({"cod_col": "12"}, "3 chiffres"),
        ({"cod_bud": "000"}, "2 caractères"),
        ({"id_post": "12"}, "6 ou 7 chiffres"),
    ],
)
def test_an_impossible_budget_is_refused(
    browser: Browser, change: dict[str, str], sentence: str
) -> None:
    page = text(browser.post("/helios/budgets/ajouter/", BUDGET | change))
    assert sentence in page
    assert not Budget.objects.exists()
    assert sentence in refusal_in_journal().detail["sentence"]


def test_a_held_flow_offers_to_add_its_budget(
    browser: Browser, deposit: Deposit, agent: Person, noon: datetime
) -> None:
    actions.record_budget(**BUDGET, by=agent, at=noon)
    flow = deposit(melle(IdColl=siret_of("200081511", 2)))
    page = text(browser.get(f"/helios/{flow.pk}/"))
    assert "Ce flux ne peut pas encore partir" in page
    assert f"siret={flow.id_coll}" in page
    known = text(browser.get(f"/helios/budgets/ajouter/?siret={flow.id_coll}"))
    assert f'value="{flow.id_coll}"' in known


def test_a_pes_retour_is_listed_and_given(browser: Browser, noon: datetime) -> None:
    raw = pes.retour(id_coll=SIRET)
    receive(raw, noon, "PES2R.xml")
    page = text(browser.get("/helios/retours/"))
    assert "PES2R_DEP_P" in page
    assert "Dépense" in page


def test_an_envoi_held_by_the_corridor_says_so(
    browser: Browser, flow: PesFlow, agent: Person, noon: datetime
) -> None:
    actions.transmit(flow_id=flow.pk, by=agent, at=noon)
    outbound = queries.outbound_of(flow)
    assert outbound is not None
    outbound.state, outbound.last_error = "held", "La convention est suspendue."
    outbound.save()
    page = text(browser.get(f"/helios/{flow.pk}/"))
    assert "L’envoi est retenu" in page
    assert "La convention est suspendue." in page


def test_no_answer_is_awaited_for_the_acquit_of_a_retour(
    deposit: Deposit, browser: Browser, agent: Person, noon: datetime
) -> None:
    raw = pes.acquit_retour().replace(b"21790174400011", SIRET.encode())
    flow = deposit(raw)
    actions.transmit(flow_id=flow.pk, by=agent, at=noon)
    outbound = queries.outbound_of(flow)
    assert outbound is not None
    returns.sent(outbound, noon)
    assert "Transmis, aucun acquit attendu" in text(browser.get(f"/helios/{flow.pk}/"))


def test_a_flow_that_waits_for_its_operator_says_when_it_leaves(
    browser: Browser, deposit: Deposit, agent: Person, noon: datetime, town: Any
) -> None:
    flow = deposit()
    actions.transmit(flow_id=flow.pk, by=agent, at=noon)
    assert "partira le" not in text(browser.get(f"/helios/{flow.pk}/"))
    Window.objects.create(
        operator=TransmissionOperator.objects.get(code="exercice"),
        starts_at=noon - timedelta(hours=1),
        ends_at=noon + timedelta(hours=2),
        reason="maintenance de la DGFiP",
        declared_at=noon,
    )
    page = text(browser.get(f"/helios/{flow.pk}/"))
    assert "Le flux partira le" in page
    assert "maintenance de la DGFiP" in page
