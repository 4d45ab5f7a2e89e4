"""Who may act for an authority, and who may not whatever she was granted."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from registration_authority import actions
from registration_authority.accreditation import actions as accreditation
from registration_authority.accreditation.identity import same_person
from registration_authority.accreditation.models import Operator, Power
from registration_authority.accreditation.policies import months_after
from registration_authority.accreditation.session import acts_with_certificate
from registration_authority.models import FaceToFace, FileState, PieceKind, PieceState
from socle.accounts import actions as accounts
from socle.accounts.capabilities import Role
from socle.accounts.middleware import LOGIN_KEY
from socle.accounts.models import CertificateLevel, Login, LoginCertificate
from socle.core.refusals import Refusal
from socle.journal.models import Entry
from tests.people import on_portal, person
from tests.registration_authority.counter import NEXT_YEAR, NOON, PDF, Counter
from tests.registration_authority.policy import (
    accredited,
    administrator,
    colleague,
    convention,
    policy,
)


def refused(code: str) -> Any:
    """The refusal `code`."""
    return pytest.raises(Refusal, check=lambda fault: fault.code == code)


# Powers


def test_without_accreditation_nothing_is_done_where_the_policy_asks_for_one(
    counter: Counter,
) -> None:
    counter.submit()
    policy(counter, accreditation_required=True)
    piece = counter.file.pieces.get(kind=PieceKind.TERMS)
    with refused("ra.not_accredited"):
        actions.accept_piece(piece_id=piece.pk, by=counter.officer, at=NOON)
    accredited(counter, counter.officer, Power.CHECK_FILE)
    assert actions.accept_piece(piece_id=piece.pk, by=counter.officer, at=NOON)


def test_powers_are_separate(counter: Counter) -> None:
    counter.bring_to(FileState.PIECES_CHECKED)
    policy(counter, accreditation_required=True)
    accredited(counter, counter.officer, Power.CHECK_FILE)
    with refused("ra.not_accredited"):
        counter.meet()
    assert not FaceToFace.objects.exists()
    Operator.objects.update(powers=[Power.CHECK_FILE, Power.FACE_TO_FACE])
    assert counter.meet()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"trained_on": date(2024, 1, 3)}, "formation a pris fin le 03/01/2026"),
        ({"ends_on": date(2026, 11, 23)}, "n’est pas en cours"),
        ({"starts_on": date(2026, 11, 25)}, "n’est pas en cours"),
    ],
)
def test_an_accreditation_that_lapsed_is_worth_nothing(
    counter: Counter, changes: Any, told: str
) -> None:
    counter.submit()
    policy(counter, accreditation_required=True)
    accredited(counter, counter.officer, **changes)
    with pytest.raises(Refusal, match=told):
        counter.accept_all()


def test_a_convention_out_of_its_dates_stops_its_operators(counter: Counter) -> None:
    counter.submit()
    policy(counter, accreditation_required=True)
    convention(counter, ends_on=date(2026, 11, 23))
    accredited(counter, counter.officer)
    with pytest.raises(Refusal, match="n’est pas en vigueur"):
        counter.accept_all()


def test_invariant_i17_a_removal_takes_effect_in_the_session_under_way(counter: Counter) -> None:
    counter.submit()
    policy(counter, accreditation_required=True)
    operator = accredited(
        counter, counter.officer, trained_on=date(2026, 1, 3), starts_on=date(2026, 1, 5)
    )
    desk = on_portal(counter.officer)
    piece = counter.file.pieces.get(kind=PieceKind.FUNCTION)
    assert desk.get(f"/certificats/pieces/{piece.pk}/").status_code == 200
    accreditation.remove_operator(
        operator_id=operator.pk, reason="Départ du service", by=administrator(), at=NOON
    )
    shown = desk.post(f"/certificats/pieces/{piece.pk}/", {}).content.decode()
    assert "votre accréditation est retirée : Départ du service" in shown
    piece.refresh_from_db()
    assert piece.state == "pending"
    connection.set_schema_to_public()
    assert Entry.objects.filter(event="refused.accept_piece").exists()


def test_a_denial_beats_every_grant(counter: Counter) -> None:
    counter.submit()
    accredited(counter, counter.officer)
    denial = accreditation.deny(
        person=counter.officer,
        power=Power.CHECK_FILE,
        reason="Enquête en cours",
        by=administrator(),
        at=NOON,
    )
    with refused("ra.denied"):
        counter.accept_all()
    with refused("ra.separation_of_duties"):
        accreditation.lift_denial(denial_id=denial.pk, by=counter.officer, at=NOON)
    accreditation.lift_denial(denial_id=denial.pk, by=administrator(), at=NOON)
    counter.accept_all()
    assert counter.state == FileState.PIECES_CHECKED


def test_a_denial_follows_the_person_to_her_second_account(counter: Counter) -> None:
    counter.submit()
    accreditation.deny(
        person=colleague(first_name="Camille", last_name="GUICHARD"),
        power=Power.CHECK_FILE,
        reason="Enquête en cours",
        by=administrator(),
        at=NOON,
    )
    with refused("ra.denied"):
        counter.accept_all()


def test_a_denial_for_another_authority_stops_nothing_here(counter: Counter) -> None:
    from registration_authority.models import CertificationAuthority

    other = CertificationAuthority.objects.create(code="autre", name="Autre AC", adapter="portal")
    counter.submit()
    accreditation.deny(
        person=counter.officer,
        power=Power.CHECK_FILE,
        authority=other,
        reason="Pas formée à cette AC",
        by=administrator(),
        at=NOON,
    )
    counter.accept_all()
    assert counter.state == FileState.PIECES_CHECKED


# Four eyes


def test_case_c11_the_checker_does_not_approve(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    policy(counter, approvals_required=2)
    request = counter.ask()
    with refused("ra.separation_of_duties"):
        actions.issue(request_id=request.pk, by=counter.officer, at=NOON)
    second = colleague(first_name="Camille", last_name="Guichard", email="perso@exemple.fr")
    with refused("ra.separation_of_duties"):
        actions.issue(request_id=request.pk, by=second, at=NOON)
    request.refresh_from_db()
    assert request.state == "deposited"
    actions.issue(request_id=request.pk, by=colleague(), at=NOON)
    request.refresh_from_db()
    assert request.state == "approved"


def test_case_c12_a_holder_is_known_by_her_identity_document(counter: Counter) -> None:
    """The same card under a second account: found by the digest of its number."""
    policy(counter, keeps_document_digest=True)
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    met = FaceToFace.objects.get()
    assert len(met.document_digest) == 64
    assert "X4RTBPFW4" not in met.document_digest
    other = colleague(first_name="Nathalie", last_name="Autrement")
    assert not same_person(other, counter.holder)
    counter.bring_to(FileState.ISSUED)
    met.pk, met.file, met.holder = None, _file_of(counter, other), other
    met.save(force_insert=True)
    with refused("ra.own_file"):
        counter.prepare(by=other)


def _file_of(counter: Counter, who: Any) -> Any:
    from registration_authority.models import CertificateFile

    return CertificateFile.objects.create(
        organisation=counter.organisation,
        holder=who,
        function="Agent",
        offer=counter.file.offer,
        created_at=NOON,
        created_by=counter.officer,
    )


@pytest.mark.parametrize(
    "second",
    [
        {"first_name": "HELENE", "last_name": "Epinay"},
        {"first_name": "Autre", "last_name": "Nom", "email": "helene+ra@exemple.fr"},
    ],
)
def test_case_c12_a_second_account_of_the_holder_is_refused(
    counter: Counter, second: dict[str, str]
) -> None:
    counter.holder.email = "helene@exemple.fr"
    counter.holder.save(update_fields=["email"])
    counter.submit()
    with refused("ra.own_file"):
        actions.take(file_id=counter.file.pk, by=colleague(**second), at=NOON)


def test_nobody_accredits_herself(counter: Counter) -> None:
    admin = administrator()
    with refused("ra.separation_of_duties"):
        accredited(counter, admin, by=admin)
    operator = accredited(counter, counter.officer)
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        Operator.objects.filter(pk=operator.pk).update(named_by=operator.person)


def test_a_person_stands_once_on_a_convention(counter: Counter) -> None:
    operator = accredited(counter, counter.officer)
    with refused("ra.already_named"):
        accredited(counter, counter.officer)
    accreditation.remove_operator(
        operator_id=operator.pk, reason="Changement de pouvoirs", by=administrator(), at=NOON
    )
    assert accredited(counter, counter.officer, Power.STOCK)


def test_a_removal_says_why_and_twice_is_once(counter: Counter) -> None:
    operator = accredited(counter, counter.officer)
    with refused("ra.needs_reason"):
        accreditation.remove_operator(
            operator_id=operator.pk, reason=" ", by=administrator(), at=NOON
        )
    for reason in ("Départ", "Autre motif"):
        accreditation.remove_operator(
            operator_id=operator.pk, reason=reason, by=administrator(), at=NOON
        )
    operator.refresh_from_db()
    assert operator.removal_reason == "Départ"


# The operator's own certificate


def test_an_operator_acts_with_her_certificate_where_the_policy_says_so(counter: Counter) -> None:
    counter.submit()
    policy(counter, operator_certificate_required=True)
    with refused("ra.operator_certificate"):
        counter.accept_all()
    login = accounts.open_login(person=counter.officer, factor="certificate", at=NOON)
    counter.officer.login_in_hand = login
    with refused("ra.operator_certificate"):  # a session without a certificate in force
        counter.accept_all()
    accounts.register_certificate(
        person=counter.officer,
        siren="257902338",
        issuer="CN=AC",
        serial="1f",
        fingerprint="f" * 64,
        level=CertificateLevel.RGS2,
        not_before=NOON - timedelta(days=1),
        not_after=NOON + timedelta(days=300),
    )
    piece = counter.file.pieces.get(kind=PieceKind.TERMS)
    assert actions.accept_piece(piece_id=piece.pk, by=counter.officer, at=NOON)
    LoginCertificate.objects.update(withdrawn_at=NOON)
    with refused("ra.operator_certificate"):
        counter.accept_all()
    LoginCertificate.objects.update(withdrawn_at=None)
    Login.objects.filter(pk=login.pk).update(ended_at=NOON)
    with refused("ra.operator_certificate"):
        counter.accept_all()


def test_her_certificate_in_another_session_lends_this_one_nothing(counter: Counter) -> None:
    counter.submit()
    piece = counter.file.pieces.get(kind=PieceKind.TERMS, replaced_at=None)
    policy(counter, operator_certificate_required=True)
    accounts.register_certificate(
        person=counter.officer,
        siren="257902338",
        issuer="CN=AC",
        serial="1f",
        fingerprint="f" * 64,
        level=CertificateLevel.RGS2,
        not_before=NOON - timedelta(days=1),
        not_after=timezone.now() + timedelta(days=300),
    )
    at_home, at_the_counter = on_portal(counter.officer), on_portal(counter.officer)
    proved = Login.objects.get(pk=at_the_counter.session[LOGIN_KEY])
    Login.objects.filter(pk=proved.pk).update(factor="certificate")
    page = f"/certificats/pieces/{piece.pk}/"
    given = {"expires_on": NEXT_YEAR, "dated_on": NOON.date()}
    refusal = at_home.post(page, given)
    assert "votre propre certificat" in refusal.content.decode()
    piece.refresh_from_db()
    assert piece.state == PieceState.PENDING
    assert at_the_counter.post(page, given).status_code == 302
    piece.refresh_from_db()
    assert piece.state == PieceState.ACCEPTED


def test_a_session_confirmed_with_the_certificate_since_counts(counter: Counter) -> None:
    login = accounts.open_login(person=counter.officer, factor="totp", at=NOON)
    accounts.register_certificate(
        person=counter.officer,
        siren="257902338",
        issuer="CN=AC",
        serial="1f",
        fingerprint="f" * 64,
        level=CertificateLevel.RGS2,
        not_before=NOON - timedelta(days=1),
        not_after=NOON + timedelta(days=300),
    )
    counter.officer.login_in_hand = login
    assert not acts_with_certificate(counter.officer, at=NOON)
    accounts.confirm_login(login_id=str(login.pk), factor="certificate", at=NOON)
    assert acts_with_certificate(counter.officer, at=NOON)


# Conventions


def test_a_convention_is_kept_with_its_document_and_its_dates(counter: Counter) -> None:
    kept = convention(counter)
    assert len(kept.document_sha256) == 64
    with refused("ra.known_reference"):
        convention(counter)
    with refused("ra.wrong_moment"):
        convention(counter, reference="B", signed_on=date(2026, 12, 1))
    with refused("ra.wrong_moment"):
        convention(counter, reference="C", starts_on=date(2025, 12, 1))


def test_months_are_counted_to_the_last_day() -> None:
    assert months_after(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_after(date(2026, 11, 24), 24) == date(2028, 11, 24)
    assert months_after(date(2028, 2, 29), 12) == date(2029, 2, 28)


# Screens


def test_the_administrator_names_and_removes_on_the_screen(counter: Counter) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    desk = on_portal(administrator())
    today = timezone.localdate()
    day = (today - timedelta(days=2)).isoformat()
    given = {
        "authority": counter.file.offer.authority_id,
        "reference": "AED-1",
        "signed_on": day,
        "starts_on": day,
        "training_months": 24,
        "document": SimpleUploadedFile("convention.pdf", PDF),
    }
    assert desk.post("/certificats/accreditations/convention/", given).status_code == 302
    given = {
        "convention": counter.file.offer.authority.conventions.get().pk,
        "person": counter.officer.pk,
        "powers": ["check_file", "hand_over"],
        "trained_on": day,
        "charter_signed_on": day,
        "starts_on": day,
    }
    assert desk.post("/certificats/accreditations/operateur/", given).status_code == 302
    operator = Operator.objects.get()
    shown = desk.get("/certificats/accreditations/").content.decode()
    assert "Vérifier les dossiers, Remettre les certificats" in shown
    desk.post(f"/certificats/accreditations/{operator.pk}/retirer/", {"reason": "Départ"})
    assert "Retirée le" in desk.get("/certificats/accreditations/").content.decode()


def test_an_operator_sees_accreditations_but_names_nobody(counter: Counter) -> None:
    desk = on_portal(counter.officer)
    assert desk.get("/certificats/accreditations/").status_code == 200
    assert desk.get("/certificats/accreditations/operateur/").status_code == 403
    auditor = on_portal(person(Role.AUDITOR, at=counter_syndicat()))
    assert auditor.get("/certificats/accreditations/").status_code == 200


def counter_syndicat() -> Any:
    """The syndicat."""
    from socle.directory import queries

    return queries.syndicat()
