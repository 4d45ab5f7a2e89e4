"""The last ninety days of a certificate."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from registration_authority import actions, policies, queries, tasks
from registration_authority.models import (
    Certificate,
    CertificateFile,
    FaceToFace,
    FileState,
    Renewal,
)
from socle.accounts.capabilities import Role
from socle.core.refusals import Refusal
from socle.journal.models import Entry
from socle.notices.models import Notice
from tests.people import on_portal, person
from tests.registration_authority.counter import NOON, Counter
from tests.registration_authority.holder_keys import new_key, request_pem
from tests.registration_authority.policy import policy

END = datetime(2027, 3, 1, 12, tzinfo=UTC)


def before(days: float) -> datetime:
    return END - timedelta(days=days)


DAYS = (90, 60, 30, 15, 7)


@pytest.mark.parametrize(
    ("days", "told", "due"),
    [
        (91, None, None),
        (90, None, 90),
        (61, 90, None),
        (60, 90, 60),
        (60, None, 60),
        (30, 60, 30),
        (15, 30, 15),
        (7, 15, 7),
        (7, 7, None),
        (1, 7, None),
        (5, None, 7),
        (0, 15, None),
        (-1, None, None),
    ],
)
def test_each_reminder_comes_once(days: int, told: int | None, due: int | None) -> None:
    assert policies.reminder_due(END, days_before=DAYS, at=before(days), told=told) == due


@pytest.fixture
def ending(counter: Counter) -> Certificate:
    """A certificate in use that ends at END."""
    counter.bring_to(FileState.HANDED_OVER)
    Certificate.objects.update(not_before=before(900), not_after=END)
    return Certificate.objects.get()


def renewed(counter: Counter, certificate: Certificate, at: datetime) -> Counter:
    """The counter of the next file."""
    file = actions.open_renewal(certificate_id=certificate.pk, by=counter.officer, at=at)
    return Counter(counter.officer, counter.holder, counter.organisation, file, counter.token)


def allow(counter: Counter, times: int) -> None:
    policy(counter, renewals_without_face_to_face=times)


def test_the_holder_is_told_at_each_date_and_no_more(counter: Counter, ending: Certificate) -> None:
    for days in range(100, 0, -1):
        for one in queries.to_renew(before(days)):
            actions.remind(one.pk, at=before(days))
    told = Notice.objects.filter(person=counter.holder, subject__startswith="Votre certificat exp")
    assert told.count() == 5
    assert Renewal.objects.get().told == 7


def test_reminders_stop_by_themselves_once_replaced(counter: Counter, ending: Certificate) -> None:
    actions.remind(ending.pk, at=before(60))
    renewed(counter, ending, before(60)).bring_to(FileState.HANDED_OVER)
    assert not queries.to_renew(before(30)).exists()


def test_one_certificate_is_muted(counter: Counter, ending: Certificate, neighbour: Any) -> None:
    actions.remind(ending.pk, at=before(60))
    actions.mute_renewal(certificate_id=ending.pk, by=counter.officer, at=before(59))
    assert actions.remind(ending.pk, at=before(30)) is None
    connection.set_tenant(neighbour)
    assert Entry.objects.filter(event="ra.renewal_muted").count() == 1
    connection.set_schema_to_public()


def test_the_task_tells_once_however_often_it_runs(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    soon = timezone.now() + timedelta(days=20)
    Certificate.objects.update(not_before=soon - timedelta(days=900), not_after=soon)
    tasks.remind_renewals()
    tasks.remind_renewals()
    assert Notice.objects.filter(subject__startswith="Votre certificat exp").count() == 1


def test_a_renewal_opens_a_file_that_is_filled_in(counter: Counter, ending: Certificate) -> None:
    file = renewed(counter, ending, before(80)).file
    assert (file.holder, file.organisation) == (counter.holder, counter.organisation)
    assert (file.function, file.offer) == (counter.file.function, counter.file.offer)
    assert file.renews == ending


@pytest.mark.parametrize(("days", "told"), [(91, "s’ouvre 90 jours avant"), (0, "expiré")])
def test_a_renewal_out_of_its_time_is_refused(
    counter: Counter, ending: Certificate, days: int, told: str
) -> None:
    with pytest.raises(Refusal, match=told):
        renewed(counter, ending, before(days))
    assert CertificateFile.objects.count() == 1


def test_case_c29_a_renewal_with_the_former_key_is_refused(counter: Counter) -> None:
    key = new_key()
    counter.bring_to(FileState.FACE_TO_FACE_DONE).issue(request_pem(key))
    counter.bring_to(FileState.HANDED_OVER)
    Certificate.objects.update(not_before=before(900), not_after=END)
    again = renewed(counter, Certificate.objects.get(), before(60))
    again.bring_to(FileState.FACE_TO_FACE_DONE)
    with pytest.raises(Refusal, match="déjà servi"):
        again.ask(request_pem(key))


def test_case_c30_a_renewal_stands_on_the_former_face_to_face(
    counter: Counter, ending: Certificate
) -> None:
    allow(counter, 1)
    again = renewed(counter, ending, before(60)).bring_to(FileState.PIECES_CHECKED)
    actions.carry_face_to_face(file_id=again.file.pk, by=counter.officer, at=before(60))
    again.bring_to(FileState.HANDED_OVER)
    assert FaceToFace.objects.count() == 1
    second = Certificate.objects.get(file=again.file)
    assert second.hand_over.face_to_face == ending.hand_over.face_to_face

    Certificate.objects.filter(pk=second.pk).update(not_before=before(900), not_after=END)
    third = renewed(again, second, before(60)).bring_to(FileState.PIECES_CHECKED)
    with pytest.raises(Refusal, match="ne permet plus"):
        actions.carry_face_to_face(file_id=third.file.pk, by=counter.officer, at=before(60))
    assert third.state == FileState.PIECES_CHECKED


def test_an_offer_that_says_nothing_asks_for_the_face_to_face(
    counter: Counter, ending: Certificate
) -> None:
    again = renewed(counter, ending, before(60)).bring_to(FileState.PIECES_CHECKED)
    with pytest.raises(Refusal, match="ne permet plus"):
        actions.carry_face_to_face(file_id=again.file.pk, by=counter.officer, at=before(60))


@pytest.mark.parametrize("field", ["last_name", "email"])
def test_case_c31_a_change_about_the_person_asks_for_the_face_to_face(
    counter: Counter, ending: Certificate, field: str
) -> None:
    allow(counter, 1)
    again = renewed(counter, ending, before(60)).bring_to(FileState.PIECES_CHECKED)
    setattr(counter.holder, field, {"last_name": "Martin", "email": "nouvelle@melle.fr"}[field])
    counter.holder.save()
    with pytest.raises(Refusal, match="a changé"):
        actions.carry_face_to_face(file_id=again.file.pk, by=counter.officer, at=before(60))
    assert again.state == FileState.PIECES_CHECKED


def test_a_first_file_carries_nothing(counter: Counter) -> None:
    counter.bring_to(FileState.PIECES_CHECKED)
    with pytest.raises(Refusal, match="ne renouvelle aucun"):
        actions.carry_face_to_face(file_id=counter.file.pk, by=counter.officer, at=NOON)


def test_the_database_carries_nothing_for_a_first_file(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    met = FaceToFace.objects.get()
    with pytest.raises(IntegrityError, match="carries"), transaction.atomic():
        CertificateFile.objects.update(carried_face_to_face=met)


# Figures


def test_the_months_count_what_ends(counter: Counter, ending: Certificate) -> None:
    months = queries.expiries_by_month(datetime(2026, 12, 15, tzinfo=UTC))
    assert months[0] == ("12/2026", 0)
    assert months[3] == ("03/2027", 1)
    assert len(months) == 12
    assert sum(count for _, count in months) == 1


def test_the_delays_are_in_days(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    CertificateFile.objects.update(created_at=NOON - timedelta(days=3))
    found = {one.step: one for one in queries.delays(NOON - timedelta(days=365))}
    assert found["Pièces déposées"].median == pytest.approx(3)
    assert found["En tout"].p95 == pytest.approx(3)
    assert queries.delays(NOON + timedelta(days=1)) == []


# The screen


def soon(counter: Counter) -> Certificate:
    """The certificate, twenty days before its end by the real clock."""
    counter.bring_to(FileState.HANDED_OVER)
    end = timezone.now() + timedelta(days=20)
    Certificate.objects.update(not_before=end - timedelta(days=900), not_after=end)
    return Certificate.objects.get()


def test_the_desk_opens_the_renewal(counter: Counter, django_assert_max_num_queries: Any) -> None:
    certificate = soon(counter)
    tasks.remind_renewals()
    desk = on_portal(counter.officer)
    with django_assert_max_num_queries(12):
        shown = desk.get("/certificats/renouvellements/").content.decode()
    assert "Hélène Épinay" in shown
    assert "Ouvrir le renouvellement" in shown
    answer = desk.post(f"/certificats/renouvellements/{certificate.pk}/ouvrir/")
    opened = CertificateFile.objects.get(renews=certificate)
    assert answer["Location"] == f"/certificats/{opened.pk}/"
    assert "Dossier ouvert" in desk.get("/certificats/renouvellements/").content.decode()


def test_the_figures_are_drawn(counter: Counter, django_assert_max_num_queries: Any) -> None:
    soon(counter)
    desk = on_portal(counter.officer)
    with django_assert_max_num_queries(16):
        shown = desk.get("/certificats/chiffres/").content.decode()
    assert "Certificats qui finissent, par mois" in shown
    assert "Remise en main propre" in shown


def test_the_desk_mutes_one(counter: Counter) -> None:
    certificate = soon(counter)
    tasks.remind_renewals()
    desk = on_portal(counter.officer)
    desk.post(f"/certificats/renouvellements/{certificate.pk}/taire/")
    assert "arrêtés le" in desk.get("/certificats/renouvellements/").content.decode()


def test_a_file_page_offers_to_do_without_the_face_to_face(counter: Counter) -> None:
    certificate = soon(counter)
    allow(counter, 1)
    again = renewed(counter, certificate, timezone.now()).bring_to(FileState.PIECES_CHECKED)
    desk = on_portal(counter.officer)
    assert "sans nouveau face à face" in desk.get(f"/certificats/{again.file.pk}/").content.decode()
    desk.post(f"/certificats/{again.file.pk}/sans-face-a-face/")
    assert again.state == FileState.FACE_TO_FACE_DONE
    assert "Mairie de Melle" in desk.get(f"/certificats/{again.file.pk}/").content.decode()


def test_an_auditor_opens_and_mutes_nothing(counter: Counter, syndicat: Any) -> None:
    certificate = soon(counter)
    auditor = on_portal(person(Role.AUDITOR, at=syndicat))
    assert auditor.get("/certificats/renouvellements/").status_code == 200
    for verb in ("ouvrir", "taire"):
        address = f"/certificats/renouvellements/{certificate.pk}/{verb}/"
        assert auditor.post(address).status_code == 403


def test_a_day_of_the_legal_clock_decides_of_the_month(
    counter: Counter, ending: Certificate
) -> None:
    Certificate.objects.update(not_after=datetime(2027, 2, 28, 23, 30, tzinfo=UTC))
    months = dict(queries.expiries_by_month(datetime(2026, 12, 15, tzinfo=UTC)))
    assert months["03/2027"] == 1


def test_a_renewal_tells_the_authority_which_certificate_it_replaces(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    former = Certificate.objects.get()
    CertificateFile.objects.filter(pk=counter.file.pk).update(renews=former)
    file = CertificateFile.objects.select_related("offer__authority").get(pk=counter.file.pk)
    assert actions._replaced_by(file) == former.pem
    assert actions._replaced_by(CertificateFile(offer=file.offer)) == ""


def test_the_window_and_the_reminders_are_the_policy_s(
    ending: Certificate, counter: Counter
) -> None:
    policy(counter, renewal_window_days=120, reminders=[10, 120])
    assert list(queries.to_renew(before(120))) == [ending]
    assert not queries.to_renew(before(121)).exists()
    told = [actions.remind(ending.pk, at=before(days)) for days in (120, 60, 10, 9)]
    assert [one and one.told for one in told] == [120, None, 10, None]
    with pytest.raises(policies.TooEarly, match="120 jours avant"):
        actions.open_renewal(certificate_id=ending.pk, by=counter.officer, at=before(121))
