"""Who may ask to revoke, what is believed, and how long it takes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from registration_authority import actions as counter_actions
from registration_authority import tasks
from registration_authority.dossier.models import MandateKind
from registration_authority.models import (
    Certificate,
    CertificateState,
    FileState,
    RevocationListCopy,
    RevocationReason,
    TrainingIssue,
)
from registration_authority.revocation import actions, queries
from registration_authority.revocation.models import (
    Asker,
    RevocationAttempt,
    RevocationCode,
    RevocationRequest,
    RevocationState,
)
from socle.accounts.capabilities import Role
from socle.accounts.models import LoginCertificate
from socle.core.refusals import Refusal
from socle.journal.models import Entry
from socle.notices.models import Notice
from tests.people import in_town, on_portal, person
from tests.registration_authority.authorities import Outside, behind
from tests.registration_authority.counter import NOON, Counter, open_counter
from tests.registration_authority.policy import mandate, policy
from tests.registration_authority.test_screens import text

HOME = "192.0.2.7"
LOST = RevocationReason.KEY_COMPROMISE
PUBLIC = "/revoquer/"


@pytest.fixture
def held(counter: Counter) -> Certificate:
    """A certificate in use."""
    counter.bring_to(FileState.HANDED_OVER)
    return Certificate.objects.get()


@pytest.fixture
def mayor(counter: Counter) -> Any:
    """The legal representative of the commune."""
    who = person(Role.SIGNATORY, at=counter.organisation, last_name="Lemaire")
    who.grants.update(starts_on=date(2026, 1, 1))
    return who


@pytest.fixture
def colleague(counter: Counter, syndicat: Any) -> Any:
    """Another officer of the counter."""
    who = person(Role.RA_OPERATOR, at=syndicat, last_name="Secondes")
    who.grants.update(starts_on=date(2026, 1, 1))
    return who


def code_of(held: Certificate, counter: Counter) -> str:
    return actions.give_code(certificate_id=held.pk, by=counter.officer, at=NOON)


def with_code(counter: Counter, code: str, at: datetime = NOON, **changes: Any) -> Any:
    given = {"email": counter.holder.email, "reason": LOST, "address": HOME}
    return actions.ask_with_code(**(given | changes | {"code": code, "at": at}))


def as_officer(held: Certificate, by: Any, *, urgent: bool = False) -> RevocationRequest:
    return actions.ask_as_officer(
        certificate_id=held.pk,
        reason=RevocationReason.AFFILIATION_CHANGED,
        urgent=urgent,
        by=by,
        at=NOON,
    )


def state(held: Certificate) -> str:
    held.refresh_from_db()
    return held.state


def test_case_c40_a_theft_is_declared_with_the_code_on_a_sunday_night(
    held: Certificate, counter: Counter, mayor: Any
) -> None:
    code = code_of(held, counter)
    sunday = datetime(2026, 11, 29, 22, tzinfo=UTC)  # 23:00 in Paris
    (asked,) = with_code(counter, code, at=sunday)
    assert (asked.state, asked.received_at, asked.decided_at) == ("accepted", sunday, sunday)
    assert asked.deadline == datetime(2026, 11, 30, 22, tzinfo=UTC)
    assert state(held) == CertificateState.REVOKED
    assert LoginCertificate.objects.get().withdrawn_at == sunday
    assert Notice.objects.filter(person=mayor, subject__contains="Révocation demandée").exists()


def test_the_code_is_nowhere_in_clear(held: Certificate, counter: Counter) -> None:
    code = code_of(held, counter)
    kept = RevocationCode.objects.get().hashed
    assert kept.startswith("argon2")
    assert code.replace("-", "") not in kept
    assert not Entry.objects.filter(detail__icontains=code).exists()


def test_the_code_is_typed_as_one_likes(held: Certificate, counter: Counter) -> None:
    code = code_of(held, counter)
    typed = f" {code.upper().replace('-', ' ')} "
    assert with_code(counter, typed, email=counter.holder.email.upper())


def test_a_new_code_voids_the_former(held: Certificate, counter: Counter) -> None:
    former = code_of(held, counter)
    code_of(held, counter)
    with pytest.raises(Refusal, match="ne vont pas ensemble"):
        with_code(counter, former)


def test_case_c41_five_wrong_codes_close_the_page_and_change_nothing(
    held: Certificate, counter: Counter
) -> None:
    code = code_of(held, counter)
    for _ in range(5):
        with pytest.raises(Refusal, match="ne vont pas ensemble"):
            with_code(counter, "mauvais-code")
    with pytest.raises(Refusal, match="Trop d’essais"):
        with_code(counter, code)
    assert state(held) == CertificateState.VALID
    later = NOON + timedelta(minutes=61)
    assert with_code(counter, code, at=later)  # her own code serves again after the hour


def test_the_number_of_wrong_codes_is_a_rule_of_the_offer(
    held: Certificate, counter: Counter
) -> None:
    policy(counter, wrong_codes=1)
    with pytest.raises(Refusal, match="ne vont pas ensemble"):
        with_code(counter, "mauvais-code")
    with pytest.raises(Refusal, match="Trop d’essais"):
        with_code(counter, "mauvais-code")


def test_an_unknown_address_says_the_same_as_a_wrong_code(
    held: Certificate, counter: Counter
) -> None:
    said = []
    for email in (counter.holder.email, "personne@exemple.fr"):
        with pytest.raises(Refusal) as refusal:
            with_code(counter, "mauvais-code", email=email)
        said.append(str(refusal.value))
    assert said[0] == said[1]


def test_case_c42_a_call_without_the_code_is_called_back_first(
    held: Certificate, counter: Counter
) -> None:
    actions.ask_call_back(email=counter.holder.email, reason=LOST, address=HOME, at=NOON)
    asked = RevocationRequest.objects.get()
    assert (asked.state, asked.urgent) == (RevocationState.CALL_BACK, True)
    assert state(held) == CertificateState.VALID
    with pytest.raises(Refusal, match="motif"):
        actions.accept(request_id=asked.pk, proof="", by=counter.officer, at=NOON)
    told = "rappelée au numéro du dossier"
    actions.accept(request_id=asked.pk, proof=told, by=counter.officer, at=NOON)
    assert state(held) == CertificateState.REVOKED
    asked.refresh_from_db()
    assert asked.proof == told


def test_asking_to_be_called_back_for_nobody_leaves_nothing(portal: Any) -> None:
    actions.ask_call_back(email="personne@exemple.fr", reason=LOST, address=HOME, at=NOON)
    assert not RevocationRequest.objects.exists()
    assert RevocationAttempt.objects.count() == 1


def test_case_c43_the_representative_revokes_for_somebody_who_left(
    held: Certificate, mayor: Any
) -> None:
    asked = actions.ask_as_representative(
        certificate_id=held.pk,
        reason=RevocationReason.AFFILIATION_CHANGED,
        by=mayor,
        at=NOON,
    )
    assert (asked.state, asked.asker) == (RevocationState.ACCEPTED, Asker.REPRESENTATIVE)
    assert state(held) == CertificateState.REVOKED
    assert held.revocation_reason == RevocationReason.AFFILIATION_CHANGED


def test_case_c44_a_former_representative_is_refused_and_the_present_one_told(
    held: Certificate, counter: Counter, mayor: Any
) -> None:
    former = person(Role.SIGNATORY, at=counter.organisation, last_name="Avant")
    former.grants.update(starts_on=date(2020, 1, 1), ends_on=date(2026, 3, 20))
    with pytest.raises(Refusal, match="représentant légal"):
        actions.ask_as_representative(certificate_id=held.pk, reason=LOST, by=former, at=NOON)
    assert state(held) == CertificateState.VALID
    assert Notice.objects.filter(person=mayor, body__contains="Avant").exists()


def revoke_as(who: Any, held: Certificate) -> RevocationRequest:
    return actions.ask_as_representative(certificate_id=held.pk, reason=LOST, by=who, at=NOON)


def test_the_representative_is_the_one_of_the_mandates(
    held: Certificate, counter: Counter, mayor: Any
) -> None:
    elected = person(Role.PREPARER, at=counter.organisation, last_name="Élue")
    mandate(counter, MandateKind.LEGAL, person=elected, given_name="Camille", surname="Élue")
    assert queries.representatives(counter.organisation, NOON) == [elected]
    with pytest.raises(Refusal, match="représentant légal"):  # a signatory, not the mayor
        revoke_as(mayor, held)
    assert Notice.objects.filter(person=elected, body__contains=str(mayor)).exists()
    assert revoke_as(elected, held).asker == Asker.REPRESENTATIVE
    assert state(held) == CertificateState.REVOKED


def test_case_c44_who_still_signs_after_her_mandate_represents_nobody(
    held: Certificate, counter: Counter, mayor: Any
) -> None:
    mandate(
        counter,
        MandateKind.LEGAL,
        person=mayor,
        starts_on=date(2020, 5, 23),
        ends_on=date(2026, 3, 20),
    )
    mandate(counter, MandateKind.LEGAL, given_name="Jeanne", surname="Maire")
    with pytest.raises(Refusal, match="représentant légal"):
        revoke_as(mayor, held)
    assert state(held) == CertificateState.VALID


def test_a_mandate_without_an_account_is_the_signatory_s_of_that_name(
    held: Certificate, counter: Counter, mayor: Any
) -> None:
    mandate(
        counter,
        MandateKind.LEGAL,
        given_name=mayor.first_name.upper(),
        surname=mayor.last_name.upper(),
    )
    assert queries.representatives(counter.organisation, NOON) == [mayor]


def test_a_mandate_that_ended_leaves_the_signatory(
    held: Certificate, counter: Counter, mayor: Any
) -> None:
    mandate(counter, MandateKind.LEGAL, starts_on=date(2020, 1, 1), ends_on=date(2026, 3, 20))
    assert queries.representatives(counter.organisation, NOON) == [mayor]


def test_case_c45_a_certificate_of_another_commune_does_not_exist(
    held: Certificate, town: Any
) -> None:
    mayor = person(Role.SIGNATORY, at=town.organisation)
    browser = in_town(town, mayor)
    address = f"/certificats/commune/{held.pk}/revoquer/"
    assert browser.get(address).status_code == 404
    assert browser.post(address, {"reason": LOST.value}).status_code == 404
    connection.set_schema_to_public()
    assert state(held) == CertificateState.VALID


def test_case_c46_asking_twice_is_once(held: Certificate, counter: Counter) -> None:
    first = as_officer(held, counter.officer, urgent=True)
    again = as_officer(held, counter.officer, urgent=True)
    assert first.pk == again.pk
    assert Entry.objects.filter(event="ra.revoked").count() <= 1
    assert RevocationRequest.objects.count() == 1


def test_without_urgency_another_officer_confirms(
    held: Certificate, counter: Counter, colleague: Any
) -> None:
    asked = as_officer(held, counter.officer)
    assert asked.state == RevocationState.RECEIVED
    assert state(held) == CertificateState.VALID
    with pytest.raises(Refusal, match="une autre personne"):
        actions.accept(request_id=asked.pk, by=counter.officer, at=NOON)
    actions.accept(request_id=asked.pk, by=colleague, at=NOON)
    assert state(held) == CertificateState.REVOKED


def test_the_database_wants_four_eyes_too(held: Certificate, counter: Counter) -> None:
    asked = as_officer(held, counter.officer)
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        RevocationRequest.objects.filter(pk=asked.pk).update(
            state="accepted", decided_at=NOON, decided_by=counter.officer
        )


def test_urgency_acts_at_once_and_is_looked_at_again(
    held: Certificate, counter: Counter, colleague: Any
) -> None:
    asked = as_officer(held, counter.officer, urgent=True)
    assert state(held) == CertificateState.REVOKED
    assert list(queries.to_review()) == [asked]
    with pytest.raises(Refusal, match="une autre personne"):
        actions.review(request_id=asked.pk, by=counter.officer, at=NOON)
    actions.review(request_id=asked.pk, by=colleague, at=NOON)
    assert not queries.to_review()


def test_one_officer_is_enough_where_the_policy_says_so(
    held: Certificate, counter: Counter
) -> None:
    policy(counter, revocation_four_eyes=False)
    assert as_officer(held, counter.officer).state == RevocationState.ACCEPTED


def test_who_may_ask_is_a_rule_of_the_offer(
    held: Certificate, counter: Counter, mayor: Any
) -> None:
    policy(counter, may_ask=["holder", "officer"])
    with pytest.raises(Refusal, match="ne prévoit pas"):
        actions.ask_as_representative(certificate_id=held.pk, reason=LOST, by=mayor, at=NOON)


def test_case_c49_a_refused_request_leaves_the_certificate_in_force(
    held: Certificate, counter: Counter, colleague: Any
) -> None:
    asked = as_officer(held, counter.officer)
    actions.refuse(request_id=asked.pk, reason="Erreur de personne", by=colleague, at=NOON)
    assert state(held) == CertificateState.VALID
    assert LoginCertificate.objects.get().withdrawn_at is None
    asked.refresh_from_db()
    assert (asked.state, asked.refusal) == (RevocationState.REFUSED, "Erreur de personne")
    with pytest.raises(Refusal, match="déjà"):
        actions.accept(request_id=asked.pk, by=colleague, at=NOON)
    assert as_officer(held, counter.officer, urgent=True).state == RevocationState.ACCEPTED


def test_the_holder_revokes_her_own(held: Certificate, counter: Counter) -> None:
    actions.ask_as_holder(certificate_id=held.pk, reason=LOST, by=counter.holder, at=NOON)
    held.refresh_from_db()
    assert held.revoked_by == counter.holder


def test_nobody_else_revokes_as_the_holder(held: Certificate, counter: Counter) -> None:
    other = person(Role.TRANSMITTER, at=counter.organisation)
    with pytest.raises(Refusal, match="n’est pas le vôtre"):
        actions.ask_as_holder(certificate_id=held.pk, reason=LOST, by=other, at=NOON)


def test_case_c39_a_declined_content_leaves_a_request(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    counter_actions.decline(file_id=counter.file.pk, by=counter.officer, at=NOON)
    asked = RevocationRequest.objects.get()
    assert (asked.state, asked.asker) == (RevocationState.ACCEPTED, Asker.OFFICER)


def test_every_certificate_of_a_token_ends_together(
    held: Certificate, counter: Counter, neighbour: Any, syndicat: Any, town: Any
) -> None:
    connection.set_schema_to_public()
    other = open_counter(town.organisation, syndicat, last_name="Autre")
    other.token = "TK-0002"
    other.bring_to(FileState.HANDED_OVER)
    asked = actions.ask_by_token(
        token_serial=" tk-0001 ", reason=LOST, urgent=True, by=other.officer, at=NOON
    )
    assert [one.certificate_id for one in asked] == [held.pk]
    assert Certificate.objects.get(file=other.file).state == CertificateState.VALID
    with pytest.raises(Refusal, match="Aucun certificat"):
        actions.ask_by_token(
            token_serial="TK-0001", reason=LOST, urgent=True, by=other.officer, at=NOON
        )


# The delays


def test_invariant_i09_the_deadline_is_the_reception_and_the_rule(
    held: Certificate, counter: Counter
) -> None:
    policy(counter, revocation_hours=10, revocation_warn_hours=4)
    asked = as_officer(held, counter.officer, urgent=True)
    assert asked.deadline - asked.received_at == timedelta(hours=10)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        RevocationRequest.objects.filter(pk=asked.pk).update(received_at=NOON + timedelta(hours=1))
    with pytest.raises(IntegrityError, match="deadline_follows"), transaction.atomic():
        RevocationRequest.objects.filter(pk=asked.pk).update(deadline=NOON - timedelta(hours=1))


def test_case_c48_an_unpublished_revocation_warns_then_is_late(
    counter: Counter, colleague: Any
) -> None:
    outside = Outside()
    behind(counter, outside, adapter="portal")
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    request = counter.ask()
    counter_actions.issue(request_id=request.pk, by=counter.officer, at=NOON)
    held = counter_actions.deposit_certificate(
        file_id=counter.file.pk,
        content=outside.sign(request).encode(),
        revocation_list=outside.crl(),
        by=counter.officer,
        at=NOON,
    )
    counter.bring_to(FileState.ISSUED)
    asked = as_officer(held, counter.officer, urgent=True)
    for hours, warned, late in ((11, False, False), (13, True, False), (25, True, True)):
        actions.watch(asked.pk, at=NOON + timedelta(hours=hours))
        actions.watch(asked.pk, at=NOON + timedelta(hours=hours))
        asked.refresh_from_db()
        assert (asked.warned_at is not None, asked.overdue_at is not None) == (warned, late)
    assert Notice.objects.filter(person=colleague, subject__contains="révocation").count() == 2
    assert queries.to_watch(NOON + timedelta(hours=26)) == []
    tomorrow = NOON + timedelta(hours=26)
    counter_actions.bring_revocations(
        authority=counter.file.offer.authority,
        content=outside.crl(held.serial, at=tomorrow),
        by=counter.officer,
        at=tomorrow,
    )
    asked.refresh_from_db()
    assert (asked.published_at, asked.published_by) == (tomorrow, "crl")
    (delay,) = queries.delays(NOON - timedelta(days=1))
    assert (delay.count, delay.median, delay.late) == (1, 26.0, 1)


def test_the_watch_sees_the_authority_publish(held: Certificate, counter: Counter) -> None:
    as_officer(held, counter.officer, urgent=True)
    tasks.revoke(schema="public", certificate_id=held.pk)
    assert TrainingIssue.objects.get().revoked_at is not None
    assert RevocationRequest.objects.get().published_at is None
    tasks.watch_revocations()
    assert RevocationListCopy.objects.exists()
    asked = RevocationRequest.objects.get()
    assert asked.published_by == "crl"


def test_a_revocation_asked_in_a_commune_reaches_the_authority(
    held: Certificate, counter: Counter, neighbour: Any
) -> None:
    actions.ask_as_holder(certificate_id=held.pk, reason=LOST, by=counter.holder, at=NOON)
    tasks.revoke(schema=neighbour.schema_name, certificate_id=held.pk)
    held.refresh_from_db()
    assert held.revocation_confirmed_at is not None


def test_case_c50_a_certificate_found_on_the_list_has_its_request(
    held: Certificate, counter: Counter
) -> None:
    TrainingIssue.objects.update(revoked_at=NOON, reason="keyCompromise")
    counter_actions.refresh_revocations(authority=counter.file.offer.authority, at=NOON)
    asked = RevocationRequest.objects.get()
    assert (asked.asker, asked.state, asked.published_by) == (Asker.AUTHORITY, "accepted", "crl")
    assert state(held) == CertificateState.REVOKED


# The screens


def test_the_code_is_shown_once_at_the_hand_over(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    counter.prepare()
    desk = on_portal(counter.officer)
    page = f"/certificats/{counter.file.pk}/remise/"
    shown = text(desk.post(page, {"accepted": "on", "signed": "on"}))
    assert "Code de révocation" in shown
    assert RevocationCode.objects.get().certificate.file_id == counter.file.pk
    assert "Code de révocation de" not in text(desk.get(f"/certificats/{counter.file.pk}/"))


@pytest.mark.parametrize("where", ["portal", "commune"])
def test_the_public_page_revokes_without_a_login(
    held: Certificate, counter: Counter, neighbour: Any, where: str
) -> None:
    code = code_of(held, counter)
    browser = on_portal() if where == "portal" else in_town(neighbour)
    assert "sans mot de passe" in text(browser.get(PUBLIC))
    given = {"email": counter.holder.email, "reason": LOST.value}
    wrong = text(browser.post(PUBLIC, given | {"code": "xxxx"}))
    assert "ne vont pas ensemble" in wrong
    done = text(browser.post(PUBLIC, given | {"code": code}))
    assert "Votre certificat est révoqué" in done
    assert state(held) == CertificateState.REVOKED


def test_the_public_page_closes_after_too_many_codes(held: Certificate, counter: Counter) -> None:
    browser = on_portal()
    given = {"email": counter.holder.email, "reason": LOST.value, "code": "xxxx"}
    for _ in range(5):
        browser.post(PUBLIC, given)
    answer = browser.post(PUBLIC, given)
    assert answer.status_code == 429
    assert "Demandez à être rappelé" in answer.content.decode()


def test_the_page_without_a_code_says_the_same_to_everybody(
    held: Certificate, counter: Counter
) -> None:
    browser = on_portal()
    assert "rappelle le numéro" in text(browser.get(f"{PUBLIC}sans-code/"))
    said = {
        text(browser.post(f"{PUBLIC}sans-code/", {"email": email, "reason": LOST.value}))
        for email in (counter.holder.email, "personne@exemple.fr")
    }
    assert len(said) == 1
    assert RevocationRequest.objects.count() == 1


def test_two_officers_walk_the_screens(held: Certificate, counter: Counter, colleague: Any) -> None:
    desk, other = on_portal(counter.officer), on_portal(colleague)
    desk.post(f"/certificats/{counter.file.pk}/revoquer/", {"reason": "affiliationChanged"})
    asked = RevocationRequest.objects.get()
    page = f"/certificats/revocations/{asked.pk}/"
    assert "elle attend quelqu’un d’autre" in text(desk.get(page))
    assert "demande de révocation à décider" in text(other.get("/"))
    assert "Révoquer définitivement" in text(other.get(page))
    other.post(f"{page}accepter/")
    assert state(held) == CertificateState.REVOKED
    assert "Publication attendue" in text(desk.get("/certificats/revocations/?vue=en-cours"))


def test_the_representative_walks_the_screens(
    held: Certificate, counter: Counter, mayor: Any, neighbour: Any
) -> None:
    browser = in_town(neighbour, mayor)
    assert str(counter.holder) in text(browser.get("/certificats/commune/"))
    browser.post(f"/certificats/commune/{held.pk}/revoquer/", {"reason": "affiliationChanged"})
    assert state(held) == CertificateState.REVOKED


def test_the_holder_takes_another_code_in_her_space(
    held: Certificate, counter: Counter, neighbour: Any
) -> None:
    browser = in_town(neighbour, counter.holder)
    shown = text(browser.post(f"/certificats/{counter.file.pk}/code/"))
    assert "Code de révocation" in shown
    assert RevocationCode.objects.count() == 1
