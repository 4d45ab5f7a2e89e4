"""The trainer's and the agent's screens."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.core.clock import PARIS
from socle.directory.models import Organisation
from socle.journal.models import Entry
from tests.people import Browser, in_town, on_portal
from tests.training.builders import HALF_DAY, agent, enrol, plan, someone
from training import actions, defaults, queries
from training.models import Attendance, Registration, SessionState, TrainingSession


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def tomorrow(now: datetime) -> datetime:
    """Nine o'clock in Paris, tomorrow."""
    legal = now.astimezone(PARIS) + timedelta(days=1)
    return legal.replace(hour=9, minute=0, second=0, microsecond=0)


@pytest.fixture
def desk(trainer: Person) -> Browser:
    return on_portal(trainer)


@pytest.fixture
def session(trainer: Person, now: datetime, tomorrow: datetime) -> TrainingSession:
    return plan(trainer, tomorrow, at=now)


@pytest.fixture
def begun(trainer: Person, melle: Organisation, now: datetime) -> TrainingSession:
    """A session of yesterday with one agent, nothing signed."""
    before = now - timedelta(days=2)
    made = plan(trainer, now - timedelta(days=1), at=before, length=timedelta(minutes=1))
    enrol(made, agent(melle), melle, before)
    return made


def text(answer: Any) -> str:
    return str(answer.content.decode())


def planned(tomorrow: datetime, trainer: Person, **changes: Any) -> dict[str, Any]:
    facts = {
        "programme": defaults.ensure().pk,
        "trainer": trainer.pk,
        "seats": 8,
        "place": "Melle",
        "start_1": f"{tomorrow:%Y-%m-%dT%H:%M}",
        "end_1": "11:30",
        "is_open": "on",
    }
    return facts | changes


def test_the_calendar_shows_the_seats_left(
    desk: Browser, session: TrainingSession, melle: Organisation, now: datetime
) -> None:
    enrol(session, agent(melle), melle, now)
    page = text(desk.get("/formations/"))
    assert defaults.TITLE in page
    assert "1 place libre sur 2" in page


def test_an_empty_calendar_offers_to_plan(desk: Browser) -> None:
    page = text(desk.get("/formations/"))
    assert "Aucune session dans cette vue" in page
    assert "/formations/planifier/" in page


@pytest.mark.parametrize("view", ["a-venir", "a-terminer", "passees"])
def test_the_calendar_asks_for_few_queries(
    desk: Browser,
    session: TrainingSession,
    begun: TrainingSession,
    view: str,
    django_assert_max_num_queries: Any,
) -> None:
    with django_assert_max_num_queries(12):
        desk.get("/formations/", {"vue": view})


def test_the_calendar_is_paged(desk: Browser, trainer: Person, now: datetime) -> None:
    for day in range(1, 23):
        plan(trainer, now + timedelta(days=day), at=now, length=timedelta(minutes=1))
    assert text(desk.get("/formations/")).count("2 places libres sur 2") == 20
    assert text(desk.get("/formations/", {"page": "2"})).count("2 places libres sur 2") == 2


def test_planning_a_session_opens_it(desk: Browser, trainer: Person, tomorrow: datetime) -> None:
    answer = desk.post("/formations/planifier/", planned(tomorrow, trainer), follow=True)
    session = TrainingSession.objects.get()
    assert (session.starts_at, session.ends_at) == (tomorrow, tomorrow + HALF_DAY)
    assert "est planifiée" in text(answer)


def test_planning_in_the_past_is_refused_in_the_form_and_in_the_journal(
    desk: Browser, trainer: Person, tomorrow: datetime
) -> None:
    past = planned(tomorrow - timedelta(days=7), trainer)
    page = text(desk.post("/formations/planifier/", past))
    assert "déjà passé" in page
    assert not TrainingSession.objects.exists()
    assert Entry.objects.get(event="refused.plan").detail["code"] == "training.in_the_past"


def test_half_of_a_half_day_is_refused(desk: Browser, trainer: Person, tomorrow: datetime) -> None:
    page = text(desk.post("/formations/planifier/", planned(tomorrow, trainer, end_2="12:00")))
    assert "il en manque une moitié" in page


def test_a_session_is_moved_from_its_form(
    desk: Browser, trainer: Person, session: TrainingSession, tomorrow: datetime
) -> None:
    form = text(desk.get(f"/formations/{session.pk}/modifier/"))
    assert f'value="{tomorrow:%Y-%m-%dT%H:%M}"' in form
    assert 'value="11:30"' in form
    desk.post(f"/formations/{session.pk}/modifier/", planned(tomorrow, trainer, place="Lezay"))
    session.refresh_from_db()
    assert session.place == "Lezay"


def test_a_trainer_registers_agents_of_member_communes(
    desk: Browser, session: TrainingSession, melle: Organisation, celles: Organisation
) -> None:
    wanted, other = agent(melle, last_name="Moreau"), agent(celles, last_name="Petit")
    page = text(desk.get(f"/formations/{session.pk}/inscrire/", {"q": "more"}))
    assert "Moreau" in page
    assert "Petit" not in page
    grant = wanted.grants.get()
    desk.post(f"/formations/{session.pk}/inscrire/", {"agent": grant.pk})
    assert Registration.objects.get().person == wanted
    assert wanted.last_name in text(desk.get(f"/formations/{session.pk}/"))
    remaining = queries.agents(session, "", timezone.now().date())
    assert [one.person for one in remaining] == [other]


def test_the_list_of_agents_asks_for_few_queries(
    desk: Browser, session: TrainingSession, melle: Organisation, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        agent(melle)
    desk.get(f"/formations/{session.pk}/inscrire/")
    with django_assert_max_num_queries(12):
        desk.get(f"/formations/{session.pk}/inscrire/")


def test_registering_an_agent_twice_says_so(
    desk: Browser, session: TrainingSession, melle: Organisation, now: datetime
) -> None:
    who = agent(melle)
    enrol(session, who, melle, now)
    answer = desk.post(
        f"/formations/{session.pk}/inscrire/", {"agent": who.grants.get().pk}, follow=True
    )
    assert "déjà inscrit" in text(answer)
    assert Entry.objects.filter(event="refused.register").count() == 1


def test_the_session_page_shows_the_waiting_list_in_order(
    desk: Browser, session: TrainingSession, melle: Organisation, now: datetime
) -> None:
    for _ in range(4):
        enrol(session, agent(melle), melle, now)
    page = text(desk.get(f"/formations/{session.pk}/"))
    assert "Complet, 2 en attente" in page
    assert page.index("En attente, n° 1") < page.index("En attente, n° 2")


def test_the_next_step_of_an_open_session_is_to_convene(
    desk: Browser, session: TrainingSession, melle: Organisation, now: datetime
) -> None:
    enrol(session, agent(melle), melle, now)
    assert "agent inscrit n’a pas encore" in text(desk.get(f"/formations/{session.pk}/"))
    answer = desk.post(f"/formations/{session.pk}/convoquer/", follow=True)
    assert "Convocations envoyées : 1" in text(answer)
    assert "Envoyer les convocations" not in text(answer)


def test_the_sign_in_sheet_is_filled_then_the_session_closed(
    desk: Browser, begun: TrainingSession
) -> None:
    slot, registration = begun.slots.get(), begun.registrations.get()
    assert "Prochaine étape : émarger" in text(desk.get(f"/formations/{begun.pk}/"))
    sheet = f"/formations/demi-journees/{slot.pk}/"
    assert f'name="agent-{registration.pk}"' in text(desk.get(sheet))
    page = text(desk.post(sheet, {f"agent-{registration.pk}": "present"}, follow=True))
    assert "Clôturer et délivrer les attestations" in page
    page = text(desk.post(f"/formations/{begun.pk}/cloturer/", follow=True))
    assert "Attestations délivrées : 1" in page
    assert "Karim Formateur" in text(desk.get(sheet))


def test_the_sheet_of_a_half_day_to_come_refuses_marks(
    desk: Browser, session: TrainingSession, melle: Organisation, now: datetime
) -> None:
    registration = enrol(session, agent(melle), melle, now)
    sheet = f"/formations/demi-journees/{session.slots.get().pk}/"
    assert "n’a pas commencé" in text(desk.get(sheet))
    answer = desk.post(sheet, {f"agent-{registration.pk}": "present"}, follow=True)
    assert "revenez émarger" in text(answer)
    assert not Attendance.objects.exists()


def test_closing_an_unsigned_session_says_which_half_day(
    desk: Browser, begun: TrainingSession, trainer: Person, melle: Organisation, now: datetime
) -> None:
    registration, slot = begun.registrations.get(), begun.slots.get()
    actions.sign(slot_id=slot.pk, marks={registration.pk: True}, by=trainer, at=now)
    actions.register(
        session_id=begun.pk, person=agent(melle), organisation=melle, by=trainer, at=now
    )
    answer = desk.post(f"/formations/{begun.pk}/cloturer/", follow=True)
    assert f"Il manque des émargements pour : {slot.half_day}" in text(answer)


def test_a_session_is_cancelled_with_a_reason(desk: Browser, session: TrainingSession) -> None:
    address = f"/formations/{session.pk}/annuler/"
    assert "Vous agissez au nom de" in text(desk.get(address))
    assert "Motif de l’annulation" in text(desk.post(address, {"reason": ""}))
    page = text(desk.post(address, {"reason": "Neige"}, follow=True))
    assert "Neige" in page
    session.refresh_from_db()
    assert session.state == SessionState.CANCELLED


def test_papers_are_real_pdfs(
    desk: Browser, session: TrainingSession, melle: Organisation, now: datetime
) -> None:
    registration = enrol(session, agent(melle), melle, now)
    for address in (
        f"/formations/{session.pk}/emargement.pdf",
        f"/formations/inscriptions/{registration.pk}/convocation.pdf",
    ):
        answer = desk.get(address)
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")


def test_the_invitation_follows_the_session(
    desk: Browser, session: TrainingSession, melle: Organisation, trainer: Person, now: datetime
) -> None:
    registration = enrol(session, agent(melle), melle, now)
    address = f"/formations/inscriptions/{registration.pk}/rendez-vous.ics"
    answer = desk.get(address)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8; method=REQUEST"
    first = text(answer).splitlines()
    assert {"METHOD:REQUEST", "SEQUENCE:0"} <= set(first)
    actions.cancel(session_id=session.pk, reason="Neige", by=trainer, at=now)
    last = text(desk.get(address)).splitlines()
    assert {"METHOD:CANCEL", "SEQUENCE:1"} <= set(last)
    uid = f"UID:{registration.uid}-1"
    assert [line[: len(uid)] for line in (*first, *last) if line.startswith("UID:")] == [uid, uid]


def test_one_who_withdrew_gets_a_cancellation_newer_than_her_invitation(
    desk: Browser, session: TrainingSession, melle: Organisation, trainer: Person, now: datetime
) -> None:
    registration = enrol(session, agent(melle), melle, now)
    desk.post(f"/formations/inscriptions/{registration.pk}/desister/")
    answer = text(desk.get(f"/formations/inscriptions/{registration.pk}/rendez-vous.ics"))
    assert {"METHOD:CANCEL", "SEQUENCE:1"} <= set(answer.splitlines())


def test_one_who_waits_has_no_convocation(
    desk: Browser, session: TrainingSession, melle: Organisation, now: datetime
) -> None:
    waiting = [enrol(session, agent(melle), melle, now) for _ in range(3)][-1]
    for name in ("convocation.pdf", "rendez-vous.ics"):
        answer = desk.get(f"/formations/inscriptions/{waiting.pk}/{name}", follow=True)
        assert "Il n’y a pas de convocation" in text(answer)


def test_a_code_is_verified_or_not_known(
    desk: Browser, begun: TrainingSession, trainer: Person, now: datetime
) -> None:
    made = close(begun, trainer, now, present=True)[0]
    assert made.trainee in text(desk.get("/formations/attestations/", {"code": made.code}))
    unknown = text(desk.get("/formations/attestations/", {"code": "0000-0000-0000"}))
    assert "Aucune attestation ne porte ce code" in unknown


def test_an_absent_agent_has_no_attestation(
    desk: Browser, begun: TrainingSession, trainer: Person, now: datetime
) -> None:
    assert close(begun, trainer, now, present=False) == []
    registration = begun.registrations.get()
    answer = desk.get(f"/formations/inscriptions/{registration.pk}/attestation.pdf", follow=True)
    assert "aucune attestation ne peut être délivrée" in text(answer)


def test_programmes_are_written_and_changed(desk: Browser) -> None:
    facts = {"title": "Signer un PES", "length": "1:30", "objectives": "Signer", "is_offered": "on"}
    page = text(desk.post("/formations/programmes/nouveau/", facts, follow=True))
    assert "1 h 30" in page
    wrong = text(desk.post("/formations/programmes/nouveau/", facts | {"length": "2h"}))
    assert "par exemple 2:30" in wrong


def test_an_auditor_reads_and_plans_nothing(
    portal: Any, syndicat: Organisation, session: TrainingSession
) -> None:
    auditor = on_portal(someone(Role.AUDITOR, at=syndicat))
    page = text(auditor.get(f"/formations/{session.pk}/"))
    assert defaults.TITLE in page
    assert "Inscrire un agent" not in page
    assert auditor.get("/formations/planifier/").status_code == 403
    assert auditor.post(f"/formations/{session.pk}/cloturer/").status_code == 403


def test_a_billing_officer_has_no_door_to_training(portal: Any, syndicat: Organisation) -> None:
    browser = on_portal(someone(Role.BILLING_OFFICER, at=syndicat))
    assert browser.get("/formations/").status_code == 403


def test_the_home_of_a_trainer_lists_what_waits(
    desk: Browser, session: TrainingSession, begun: TrainingSession, trainer: Person, now: datetime
) -> None:
    page = text(desk.get("/"))
    assert "session à émarger" in page
    assert "session à tenir cette semaine" in page
    slot, registration = begun.slots.get(), begun.registrations.get()
    actions.sign(slot_id=slot.pk, marks={registration.pk: True}, by=trainer, at=now)
    page = text(desk.get("/"))
    assert "session à clôturer" in page
    assert "à émarger" not in page


def test_an_agent_registers_herself_and_finds_her_convocation(
    town: Any, session: TrainingSession
) -> None:
    who = agent(town.organisation)
    browser = in_town(town, who)
    assert "M’inscrire" in text(browser.get("/formations/"))
    page = text(browser.get(f"/formations/{session.pk}/"))
    assert "Une place vous est réservée" in page
    page = text(browser.post(f"/formations/{session.pk}/", follow=True))
    registration = Registration.objects.get()
    assert (registration.person, registration.organisation) == (who, town.organisation)
    assert "Me désister" in page
    assert "formation à venir" in text(browser.get("/"))
    answer = browser.get(f"/formations/inscriptions/{registration.pk}/convocation.pdf")
    assert answer.content.startswith(b"%PDF-")
    browser.post(f"/formations/inscriptions/{registration.pk}/desister/")
    registration.refresh_from_db()
    assert registration.state == "withdrawn"


def test_an_agent_takes_her_certificate_once_announced(
    town: Any, begun: TrainingSession, trainer: Person, now: datetime
) -> None:
    (made,) = close(begun, trainer, now, present=True)
    registration = begun.registrations.get()
    browser = in_town(town, registration.person)
    assert "attestation de formation à télécharger" in text(browser.get("/"))
    answer = browser.get(f"/formations/inscriptions/{registration.pk}/attestation.pdf")
    assert answer.content.startswith(b"%PDF-")
    assert made.code in answer["Content-Disposition"]
    assert "attestation de formation" not in text(browser.get("/"))


def test_nobody_opens_the_papers_of_another_agent(
    town: Any, begun: TrainingSession, trainer: Person, now: datetime
) -> None:
    close(begun, trainer, now, present=True)
    registration = begun.registrations.get()
    browser = in_town(town, agent(town.organisation))
    for name in ("attestation.pdf", "convocation.pdf", "rendez-vous.ics"):
        address = f"/formations/inscriptions/{registration.pk}/{name}"
        assert browser.get(address).status_code == 404
    assert browser.post(f"/formations/inscriptions/{registration.pk}/desister/").status_code == 404


def test_the_agents_page_asks_for_few_queries(
    town: Any, session: TrainingSession, now: datetime, django_assert_max_num_queries: Any
) -> None:
    who = agent(town.organisation)
    enrol(session, who, town.organisation, now)
    browser = in_town(town, who)
    browser.get("/formations/")
    with django_assert_max_num_queries(12):
        browser.get("/formations/")


def test_a_reader_of_a_commune_does_not_register(town: Any, session: TrainingSession) -> None:
    browser = in_town(town, someone(Role.READER, at=town.organisation))
    assert browser.post(f"/formations/{session.pk}/").status_code == 403
    assert not Registration.objects.exists()


def test_a_todo_without_anything_to_do_is_not_shown(desk: Browser) -> None:
    assert "session à" not in text(desk.get("/"))


def close(session: TrainingSession, trainer: Person, at: datetime, *, present: bool) -> list[Any]:
    registration = session.registrations.get()
    slot = session.slots.get()
    actions.sign(slot_id=slot.pk, marks={registration.pk: present}, by=trainer, at=at)
    return actions.close(session_id=session.pk, by=trainer, at=at)
