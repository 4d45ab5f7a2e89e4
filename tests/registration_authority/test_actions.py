"""The path of a file, from the first piece to the revocation."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from cryptography import x509
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from pypdfium2 import PdfDocument

from registration_authority import actions, adapters, defaults, files, queries, tasks, training
from registration_authority.adapters import AuthorityUnavailable, Enrolment, Waiting
from registration_authority.models import (
    Certificate,
    CertificateFile,
    CertificateRequest,
    CertificateState,
    FaceToFace,
    FileState,
    HandOver,
    Offer,
    Piece,
    PieceKind,
    RequestState,
    RevocationReason,
    TrainingIssue,
    TrainingKey,
)
from registration_authority.pki import training_ca
from registration_authority.pki.csr import NoProofOfPossession, RequestForAnother
from registration_authority.pki.names import UnfitName
from socle.accounts import queries as accounts
from socle.accounts.capabilities import Role
from socle.accounts.models import LoginCertificate
from socle.core import crypto
from socle.core.refusals import Refusal
from socle.directory.models import Grant, Organisation
from socle.documents.sniff import EmptyFile, WrongKind
from socle.journal.models import Entry
from socle.notices.models import Notice
from tests.people import person
from tests.registration_authority.counter import NEXT_YEAR, NOON, PDF, Counter, open_counter
from tests.registration_authority.holder_keys import (
    forged_request,
    new_key,
    request_der,
    request_pem,
)
from tests.registration_authority.texts import INNOCENT, SECRETS

PNG = bytes.fromhex("89504e470d0a1a0a") + b"\x00" * 60


def refused(code: str) -> Any:
    """The next call must refuse with this rule."""
    return pytest.raises(Refusal, check=lambda refusal: refusal.code == code)


# The whole path


def test_case_c01_a_file_goes_from_its_pieces_to_a_certificate_in_use(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    usable = accounts.usable_certificate(counter.holder, siren=counter.organisation.siren, at=NOON)
    assert usable is not None
    certificate = Certificate.objects.get(file=counter.file)
    assert usable.fingerprint == certificate.fingerprint
    assert (usable.not_after - usable.not_before).days == 1095
    assert usable.level == "training"


def test_the_path_is_written_in_the_journal_of_the_commune(
    counter: Counter, neighbour: Any
) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    connection.set_tenant(neighbour)
    events = list(Entry.objects.order_by("position").values_list("event", flat=True))
    connection.set_schema_to_public()
    assert [event for event in events if event.startswith("ra.")] == [
        "ra.file_opened",
        *["ra.piece_deposited"] * 4,
        "ra.file_submitted",
        *["ra.piece_accepted"] * 4,
        "ra.pieces_checked",
        "ra.face_to_face_held",
        "ra.request_deposited",
        "ra.issue_asked",
        "ra.issued",
        "ra.receipt_prepared",
        "ra.handed_over",
    ]


def test_a_commune_without_space_is_journalled_at_the_syndicat(portal: Any, syndicat: Any) -> None:
    lezay = Organisation.objects.get(name="Lezay")
    open_counter(lezay, syndicat)
    assert Entry.objects.filter(event="ra.file_opened").count() == 1


# Opening


def test_only_a_person_granted_for_a_certificate_gets_a_file(
    counter: Counter, syndicat: Any
) -> None:
    reader = person(Role.READER, at=counter.organisation)
    with refused("ra.not_granted"):
        actions.open_file(
            organisation=counter.organisation,
            holder=reader,
            function="Adjoint",
            offer=counter.file.offer,
            by=counter.officer,
            at=NOON,
        )


def test_case_c59_a_second_open_file_is_refused(counter: Counter) -> None:
    with refused("ra.already_open"):
        actions.open_file(
            organisation=counter.organisation,
            holder=counter.holder,
            function="Secrétaire",
            offer=counter.file.offer,
            by=counter.officer,
            at=NOON,
        )


def test_a_name_that_could_forge_a_subject_opens_no_file(
    portal: Any, neighbour: Any, syndicat: Any
) -> None:
    with pytest.raises(UnfitName):
        open_counter(neighbour.organisation, syndicat, last_name="Dupont/O=Melle")


# Pieces


def test_a_file_cannot_leave_with_a_piece_missing(counter: Counter) -> None:
    counter.deposit(PieceKind.IDENTITY)
    with refused("ra.missing_pieces"):
        actions.submit(file_id=counter.file.pk, by=counter.holder, at=NOON)


def test_an_empty_piece_is_refused(counter: Counter) -> None:
    with pytest.raises(EmptyFile):
        counter.deposit(PieceKind.IDENTITY, content=b"")
    assert not Piece.objects.exists()


def test_a_piece_that_is_neither_pdf_nor_image_is_refused(counter: Counter) -> None:
    with pytest.raises(WrongKind, match="JPEG"):
        counter.deposit(PieceKind.IDENTITY, content=b"MZ\x90\x00 un programme", name="cni.pdf")


def test_an_image_is_a_piece_and_comes_out_unchanged(counter: Counter) -> None:
    piece = counter.deposit(PieceKind.FUNCTION, content=BytesIO(PNG), name="arrete.png")
    assert files.read(piece.content) == PNG


def test_a_piece_is_encrypted_at_rest(counter: Counter, vault: Any) -> None:
    counter.deposit(PieceKind.IDENTITY)
    kept = [path.read_bytes() for path in vault.rglob("*") if path.is_file()]
    assert kept
    assert not any(b"%PDF" in content for content in kept)


def test_a_piece_deposited_in_the_commune_is_kept_by_the_syndicat(
    counter: Counter, neighbour: Any
) -> None:
    connection.set_tenant(neighbour)
    piece = counter.deposit(PieceKind.TERMS)
    connection.set_schema_to_public()
    assert files.read(piece.content) == PDF


def test_an_accepted_piece_cannot_be_replaced(counter: Counter) -> None:
    counter.submit()
    piece = counter.file.pieces.get(kind=PieceKind.TERMS)
    actions.accept_piece(piece_id=piece.pk, by=counter.officer, at=NOON)
    with refused("ra.piece_is_final"):
        counter.deposit(PieceKind.TERMS)


def test_a_refused_piece_is_told_to_the_holder_and_replaced(counter: Counter) -> None:
    counter.submit()
    piece = counter.file.pieces.get(kind=PieceKind.TERMS)
    actions.refuse_piece(
        piece_id=piece.pk, reason="La signature manque.", by=counter.officer, at=NOON
    )
    assert "La signature manque." in Notice.objects.get(person=counter.holder).body
    again = counter.deposit(PieceKind.TERMS)
    piece.refresh_from_db()
    assert (piece.state, piece.replaced_at, again.state) == ("refused", NOON, "pending")


def test_a_piece_replaced_meanwhile_cannot_be_accepted(counter: Counter) -> None:
    counter.submit()
    old = counter.file.pieces.get(kind=PieceKind.TERMS)
    counter.deposit(PieceKind.TERMS)
    with refused("ra.piece_is_final"):
        actions.accept_piece(piece_id=old.pk, by=counter.officer, at=NOON)


def test_the_last_accepted_piece_makes_the_file_ready(counter: Counter) -> None:
    counter.submit()
    pieces = list(counter.file.pieces.all())
    for piece in pieces[:-1]:
        actions.accept_piece(piece_id=piece.pk, by=counter.officer, at=NOON, expires_on=NEXT_YEAR)
        assert counter.state == FileState.SUBMITTED
    actions.accept_piece(piece_id=pieces[-1].pk, by=counter.officer, at=NOON)
    assert counter.state == FileState.PIECES_CHECKED


def test_case_c13_a_piece_refused_after_the_check_sends_the_file_back(counter: Counter) -> None:
    counter.bring_to(FileState.PIECES_CHECKED)
    piece = counter.file.pieces.get(kind=PieceKind.MANDATE)
    actions.refuse_piece(piece_id=piece.pk, reason="Autre maire.", by=counter.officer, at=NOON)
    assert counter.state == FileState.SUBMITTED
    assert counter.file.checked_by is None


def test_case_c05_an_expired_identity_document_is_not_accepted(counter: Counter) -> None:
    counter.submit()
    piece = counter.file.pieces.get(kind=PieceKind.IDENTITY)
    with refused("ra.document_expired"):
        actions.accept_piece(
            piece_id=piece.pk, by=counter.officer, at=NOON, expires_on=date(2026, 11, 23)
        )


def test_reading_a_piece_is_written_down(counter: Counter, neighbour: Any) -> None:
    piece = counter.deposit(PieceKind.IDENTITY)
    actions.note_reading(piece_id=piece.pk, by=counter.officer, at=NOON)
    connection.set_tenant(neighbour)
    assert Entry.objects.filter(event="ra.piece_read", actor_id=counter.officer.pk).exists()
    connection.set_schema_to_public()


# Four eyes


def as_operator_too(counter: Counter, syndicat: Any) -> None:
    """The holder also works at the counter."""
    Grant.objects.create(
        person=counter.holder,
        organisation=syndicat,
        roles=[Role.RA_OPERATOR],
        starts_on=date(2026, 1, 1),
    )


@pytest.mark.parametrize(
    "act",
    [
        lambda c: actions.take(file_id=c.file.pk, by=c.holder, at=NOON),
        lambda c: actions.accept_piece(
            piece_id=c.file.pieces.first().pk, by=c.holder, at=NOON, expires_on=NEXT_YEAR
        ),
        lambda c: actions.refuse_piece(
            piece_id=c.file.pieces.first().pk, reason="non", by=c.holder, at=NOON
        ),
        lambda c: c.meet(by=c.holder),
        lambda c: c.prepare(by=c.holder),
        lambda c: c.hand_over(by=c.holder),
        lambda c: actions.close(
            file_id=c.file.pk, to=FileState.REFUSED, reason="non", by=c.holder, at=NOON
        ),
        lambda c: actions.decline(file_id=c.file.pk, by=c.holder, at=NOON),
    ],
)
def test_the_holder_never_acts_on_her_own_file(counter: Counter, syndicat: Any, act: Any) -> None:
    as_operator_too(counter, syndicat)
    counter.submit()
    with refused("ra.own_file"):
        act(counter)


def test_case_c12_a_second_account_with_the_same_address_is_the_same_person(
    counter: Counter,
) -> None:
    double = person(Role.RA_OPERATOR, email="autre@exemple.fr")
    double.email = counter.holder.email.upper()
    with refused("ra.own_file"):
        actions.take(file_id=counter.file.pk, by=double, at=NOON)


def test_invariant_i01_the_database_enforces_four_eyes_on_the_check(counter: Counter) -> None:
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        CertificateFile.objects.update(checked_by=counter.holder, checked_at=NOON)


def test_the_database_enforces_four_eyes_on_the_face_to_face(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        FaceToFace.objects.update(officer=counter.holder)


def test_the_database_enforces_four_eyes_on_the_hand_over(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        HandOver.objects.update(officer=counter.holder)


def test_the_database_lets_no_file_go_on_unchecked(counter: Counter) -> None:
    with pytest.raises(IntegrityError, match="goes_on_checked"), transaction.atomic():
        CertificateFile.objects.update(state=FileState.HANDED_OVER)


# PIN and PUK


@pytest.mark.parametrize("text", SECRETS)
def test_invariant_i15_the_database_holds_no_pin(counter: Counter, text: str) -> None:
    with pytest.raises(IntegrityError, match="no_pin"), transaction.atomic():
        CertificateFile.objects.update(closing_reason=text)


def test_the_database_accepts_innocent_texts(counter: Counter) -> None:
    for text in INNOCENT:
        CertificateFile.objects.update(closing_reason=text)


def test_case_c67_a_reason_with_a_pin_is_refused(counter: Counter) -> None:
    counter.submit()
    with refused("ra.secret_in_text"):
        actions.refuse_piece(
            piece_id=counter.file.pieces.first().pk,
            reason="code PIN 1234",
            by=counter.officer,
            at=NOON,
        )


# Face to face


def test_the_number_of_the_document_is_not_kept(counter: Counter, neighbour: Any) -> None:
    met = counter.bring_to(FileState.FACE_TO_FACE_DONE).file.face_to_face
    assert met.document_end == "PFW4"
    connection.set_tenant(neighbour)
    assert not [e for e in Entry.objects.all() if "X4RTBPFW4" in str(e.detail)]
    connection.set_schema_to_public()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"document_expires_on": date(2026, 11, 23)}, "ra.document_expired"),
        ({"recognised": False}, "ra.not_the_holder"),
        ({"held_at": NOON + timedelta(hours=1)}, "ra.wrong_moment"),
        ({"place": "PIN 1234"}, "ra.secret_in_text"),
        ({"document_number": "12"}, "ra.not_ready"),
    ],
)
def test_a_face_to_face_that_cannot_be_is_refused(
    counter: Counter, changes: dict[str, Any], code: str
) -> None:
    counter.bring_to(FileState.PIECES_CHECKED)
    with refused(code):
        counter.meet(**changes)
    assert counter.state == FileState.PIECES_CHECKED


def test_there_is_no_face_to_face_before_the_pieces(counter: Counter) -> None:
    counter.submit()
    with refused("ra.forbidden_step"):
        counter.meet()


def test_the_database_refuses_an_expired_document(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    with pytest.raises(IntegrityError, match="document_was_valid"), transaction.atomic():
        FaceToFace.objects.update(document_expires_on=date(2026, 11, 23))


# The key


def test_a_request_signed_by_another_key_is_not_kept(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    with pytest.raises(NoProofOfPossession):
        counter.ask(forged_request(new_key(), new_key()))
    assert not CertificateRequest.objects.exists()


def test_a_request_for_another_body_is_not_kept(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    with pytest.raises(RequestForAnother):
        counter.ask(request_pem(unit="0002 200081511"))


def test_a_request_comes_after_the_pieces(counter: Counter) -> None:
    counter.submit()
    with refused("ra.forbidden_step"):
        counter.ask()


def test_a_new_request_takes_the_place_of_one_that_did_not_leave(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    first, second = counter.ask(), counter.ask()
    first.refresh_from_db()
    assert (first.state, second.state) == (RequestState.REPLACED, RequestState.DEPOSITED)


def test_the_same_request_may_be_deposited_again(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    content = request_der()
    counter.ask(content)
    assert counter.ask(content).state == RequestState.DEPOSITED


def test_case_c28_a_key_certified_for_anyone_is_refused_and_nothing_is_said_of_her(
    counter: Counter, town: Any, syndicat: Any
) -> None:
    connection.set_schema_to_public()
    key = new_key()
    counter.bring_to(FileState.FACE_TO_FACE_DONE).issue(request_pem(key))
    other = open_counter(town.organisation, syndicat, last_name="Brun")
    other.bring_to(FileState.FACE_TO_FACE_DONE)
    with refused("ra.key_already_known") as caught:
        other.ask(request_pem(key))
    assert "Épinay" not in str(caught.value)
    assert "Celles" not in str(caught.value)


def test_invariant_i02_the_database_certifies_no_key_twice(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    request = counter.ask()
    with pytest.raises(IntegrityError, match="one_per_key"), transaction.atomic():
        CertificateRequest.objects.create(
            file=counter.file,
            csr_pem="",
            public_key=request.public_key,
            state=RequestState.FAILED,
            deposited_at=NOON,
            deposited_by=counter.holder,
            approved_at=NOON,
            approved_by=counter.officer,
        )


# Issuing


def test_nothing_is_issued_before_the_face_to_face(counter: Counter) -> None:
    counter.bring_to(FileState.PIECES_CHECKED)
    request = counter.ask()
    with refused("ra.not_ready"):
        actions.issue(request_id=request.pk, by=counter.officer, at=NOON)


def test_issuing_wakes_the_task(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[dict[str, Any]] = []
    monkeypatch.setattr(
        actions.queue, "after_commit", lambda task, **message: woken.append({task: message})
    )
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    request = counter.ask()
    actions.issue(request_id=request.pk, by=counter.officer, at=NOON)
    assert woken == [{"ra.issue": {"request_id": request.pk}}]


def test_case_c14_a_request_leaves_once(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    request = CertificateRequest.objects.get()
    with refused("ra.forbidden_step"):
        actions.issue(request_id=request.pk, by=counter.officer, at=NOON)


def approved(counter: Counter) -> CertificateRequest:
    """A request that waits for its certificate."""
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    request = counter.ask()
    return actions.issue(request_id=request.pk, by=counter.officer, at=NOON)


def test_invariant_i18_delivering_the_message_twice_signs_once(counter: Counter) -> None:
    request = approved(counter)
    for _ in range(2):
        tasks.issue(schema="public", request_id=request.pk)
    assert TrainingIssue.objects.count() == Certificate.objects.count() == 1


def test_a_crash_after_signing_asks_the_same_question_again(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = approved(counter)
    with monkeypatch.context() as broken:
        broken.setattr(actions, "record_certificate", crash)
        with pytest.raises(RuntimeError, match="killed"):
            actions.issue_now(request.pk, at=NOON)
    certificate = actions.issue_now(request.pk, at=NOON + timedelta(minutes=1))
    assert certificate is not None
    assert certificate.pem == TrainingIssue.objects.get().pem


def crash(**_: Any) -> None:
    """What a killed worker leaves: nothing after this."""
    raise RuntimeError("killed")


class FakeAuthority:
    """An authority that answers as told, and remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, []
        self.settled, self.revoked = [], []

    def enroll(self, enrolment: Enrolment, *, at: datetime) -> str | Waiting:
        self.asked.append(enrolment.key)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(enrolment)

    def settle(self, key: Any, pem: str, *, accepted: bool, reason: str, at: datetime) -> None:
        self.settled.append((key, accepted, reason))

    def revoke(self, pem: str, *, reason: str, at: datetime) -> bool:
        self.revoked.append((pem, reason))
        if isinstance(self.answer, Exception):
            raise self.answer
        return True

    def crl(self, *, at: datetime) -> bytes:
        return b""


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a fake in the place of the training authority."""

    def put(answer: Any) -> FakeAuthority:
        fake = FakeAuthority(answer)
        monkeypatch.setitem(adapters._factories, training.ADAPTER, lambda _: fake)
        return fake

    return put


def test_an_authority_that_does_not_answer_is_asked_again_with_the_same_key(
    counter: Counter, authority: Any
) -> None:
    request = approved(counter)
    fake = authority(AuthorityUnavailable())
    for _ in range(2):
        with pytest.raises(AuthorityUnavailable):
            actions.issue_now(request.pk, at=NOON)
    assert fake.asked == [request.issuance_key] * 2
    request.refresh_from_db()
    assert request.state == RequestState.APPROVED


def test_a_refusal_of_the_authority_is_shown_and_another_request_may_come(
    counter: Counter, authority: Any
) -> None:
    request = approved(counter)
    authority(adapters.AuthorityRefused("Clé déjà connue de l’autorité."))
    assert actions.issue_now(request.pk, at=NOON) is None
    request.refresh_from_db()
    assert (request.state, request.message) == ("failed", "Clé déjà connue de l’autorité.")
    assert counter.ask().state == RequestState.DEPOSITED


def test_invariant_i11_the_certificate_of_somebody_else_is_set_aside_and_the_authority_told(
    counter: Counter, authority: Any
) -> None:
    request = approved(counter)
    key = TrainingKey.objects.get()
    root = training.TrainingAuthority(key.authority)._root(key)

    def for_another(enrolment: Enrolment) -> str:
        return training_ca.sign(
            root=root,
            key=enrolment.request.key(),
            holder=replace(enrolment.holder, siren="200081511"),
            serial=255,
            at=NOON,
            validity=enrolment.validity,
        )

    fake = authority(for_another)
    assert actions.issue_now(request.pk, at=NOON) is None
    request.refresh_from_db()
    assert request.state == RequestState.QUARANTINED
    assert "NTRFR-200081511" in request.message
    assert request.answer.startswith("-----BEGIN CERTIFICATE-----")
    assert fake.settled == [(request.issuance_key, False, request.message)]
    assert counter.state == FileState.FACE_TO_FACE_DONE
    assert not Certificate.objects.exists()


def test_what_the_authority_sent_is_kept_as_it_came_even_unreadable(
    counter: Counter, authority: Any
) -> None:
    request = approved(counter)
    authority(lambda _: "bonjour")
    actions.issue_now(request.pk, at=NOON)
    request.refresh_from_db()
    assert (request.state, request.answer) == (RequestState.QUARANTINED, "bonjour")


def test_the_sweep_issues_what_no_message_asked(counter: Counter) -> None:
    approved(counter)
    tasks.sweep()
    assert counter.state == FileState.ISSUED


def test_one_silent_authority_does_not_stop_the_sweep(counter: Counter, authority: Any) -> None:
    approved(counter)
    authority(AuthorityUnavailable())
    tasks.sweep()
    assert counter.state == FileState.FACE_TO_FACE_DONE


def test_the_key_of_the_training_authority_is_sealed(counter: Counter) -> None:
    key = TrainingKey.objects.get()
    clear = crypto.unseal(bytes(key.sealed_key), purpose=training.PURPOSE)
    assert clear not in bytes(key.sealed_key)
    with pytest.raises(crypto.CannotUnseal):
        crypto.unseal(bytes(key.sealed_key), purpose="autre")


def test_the_defaults_are_made_once(portal: Any) -> None:
    first, second = defaults.ensure(at=NOON), defaults.ensure(at=NOON + timedelta(days=1))
    assert first == second
    assert TrainingKey.objects.count() == Offer.objects.count() == 1


# Hand-over


def test_invariant_i06_nothing_is_handed_over_before_the_face_to_face(counter: Counter) -> None:
    counter.bring_to(FileState.PIECES_CHECKED)
    for act in (counter.prepare, counter.hand_over):
        with refused("ra.not_ready"):
            act()


def test_the_receipt_is_one_page_that_names_both(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    document = PdfDocument(files.read(counter.prepare().receipt))
    assert len(document) == 1
    text = document[0].get_textpage().get_text_range().replace("\u200b", "")
    serial = Certificate.objects.get().serial
    for named in ("Hélène Épinay", "Guichard", "TK-0001", "PFW4", serial, "EXERCICE"):
        assert named in text


def test_case_c34_nothing_is_handed_over_without_the_receipt(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    with refused("ra.not_ready"):
        counter.hand_over()


@pytest.mark.parametrize("unticked", ["signed", "accepted"])
def test_case_c34_both_boxes_are_needed(counter: Counter, unticked: str) -> None:
    counter.bring_to(FileState.ISSUED)
    counter.prepare()
    with refused("ra.not_ready"):
        counter.hand_over(**{unticked: False})
    assert not LoginCertificate.objects.exists()


def test_only_the_officer_of_the_receipt_hands_over(counter: Counter, syndicat: Any) -> None:
    counter.bring_to(FileState.ISSUED)
    counter.prepare()
    with refused("ra.not_ready"):
        counter.hand_over(by=person(Role.RA_OPERATOR, at=syndicat))


def test_case_c06_a_document_that_expired_since_blocks_the_hand_over(counter: Counter) -> None:
    counter.bring_to(FileState.PIECES_CHECKED)
    counter.meet(document_expires_on=date(2026, 11, 24))
    counter.issue()
    with refused("ra.document_expired"):
        counter.prepare(at=NOON + timedelta(days=1))


def test_a_token_with_the_certificate_of_another_is_refused(
    counter: Counter, town: Any, syndicat: Any
) -> None:
    connection.set_schema_to_public()
    counter.bring_to(FileState.HANDED_OVER)
    other = open_counter(town.organisation, syndicat).bring_to(FileState.ISSUED)
    with refused("ra.token_of_another"):
        other.prepare(token_serial="tk-0001")


def test_two_people_without_token_are_no_clash(counter: Counter, town: Any, syndicat: Any) -> None:
    connection.set_schema_to_public()
    counter.token = "sans support"
    counter.bring_to(FileState.HANDED_OVER)
    other = open_counter(town.organisation, syndicat)
    other.token = "Sans support"
    other.bring_to(FileState.HANDED_OVER)
    assert HandOver.objects.filter(signed_at__isnull=False).count() == 2


def test_the_signed_receipt_may_come_later(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    receipt = actions.add_signed_receipt(
        file_id=counter.file.pk, content=PDF, name="pv.pdf", by=counter.officer, at=NOON
    )
    assert receipt.signed_scan is not None
    assert files.read(receipt.signed_scan) == PDF


def test_case_c39_a_holder_who_does_not_accept_has_it_revoked(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    certificate = actions.decline(file_id=counter.file.pk, by=counter.officer, at=NOON)
    assert certificate.state == CertificateState.REVOKED
    assert counter.state == FileState.CANCELLED


def test_billing_sees_each_hand_over_once(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    (fact,) = queries.handed_over(NOON, NOON + timedelta(seconds=1))
    assert (fact.organisation, fact.person) == (counter.organisation, counter.holder)
    assert (fact.offer_code, fact.at) == ("exercice-authentification", NOON)
    assert fact.certificate_id == Certificate.objects.get().pk
    assert list(queries.handed_over(NOON + timedelta(seconds=1), NOON + timedelta(days=1))) == []


def test_a_prepared_receipt_is_no_hand_over(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    counter.prepare()
    assert list(queries.handed_over(NOON, NOON + timedelta(days=1))) == []
    assert not queries.has_valid_certificate(counter.organisation, NOON)


def test_the_onboarding_sees_the_valid_certificate_until_it_expires(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    assert queries.has_valid_certificate(counter.organisation, NOON)
    assert not queries.has_valid_certificate(counter.organisation, NOON + timedelta(days=1095))


def test_the_progress_counts_files_by_step(counter: Counter) -> None:
    assert queries.file_progress(counter.organisation).preparing == 1
    counter.bring_to(FileState.ISSUED)
    progress = queries.file_progress(counter.organisation)
    assert (progress.to_hand_over, progress.under_way) == (1, 1)
    counter.bring_to(FileState.HANDED_OVER)
    progress = queries.file_progress(counter.organisation)
    assert (progress.handed_over, progress.under_way) == (1, 0)


# Revocation


def revoke(counter: Counter, **changes: Any) -> Certificate:
    """Revoke the certificate of the file."""
    given = {
        "certificate_id": Certificate.objects.get(file=counter.file).pk,
        "reason": RevocationReason.KEY_COMPROMISE,
        "by": counter.officer,
        "at": NOON + timedelta(hours=2),
    }
    return actions.revoke(**(given | changes))


def test_a_revoked_certificate_is_out_of_use_at_once(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    revoke(counter)
    later = NOON + timedelta(hours=3)
    siren = counter.organisation.siren
    assert accounts.usable_certificate(counter.holder, siren=siren, at=later) is None
    assert not queries.has_valid_certificate(counter.organisation, later)
    assert counter.state == FileState.HANDED_OVER


def test_case_c46_revoking_twice_is_revoking_once(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    revoke(counter)
    again = revoke(counter, reason=RevocationReason.SUPERSEDED, at=NOON + timedelta(days=1))
    assert again.revoked_at == NOON + timedelta(hours=2)
    assert again.revocation_reason == RevocationReason.KEY_COMPROMISE
    withdrawn = LoginCertificate.objects.get().withdrawn_at
    assert withdrawn == NOON + timedelta(hours=2)
    assert Notice.objects.filter(key__contains="revoked").count() == 1


def test_the_authority_is_told_and_lists_the_certificate(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    certificate = revoke(counter)
    for _ in range(2):
        tasks.revoke(schema="public", certificate_id=certificate.pk)
    certificate.refresh_from_db()
    assert certificate.revocation_confirmed_at is not None
    crl = training.TrainingAuthority(counter.file.offer.authority).crl(at=NOON)
    listed = x509.load_der_x509_crl(crl)
    assert listed.get_revoked_certificate_by_serial_number(int(certificate.serial, 16))


def test_the_list_of_revoked_grows_in_number_only(counter: Counter) -> None:
    adapter = training.TrainingAuthority(counter.file.offer.authority)
    numbers = [
        x509.load_der_x509_crl(adapter.crl(at=NOON))
        .extensions.get_extension_for_class(x509.CRLNumber)
        .value.crl_number
        for _ in range(2)
    ]
    assert numbers == [1, 2]


def test_an_authority_that_does_not_answer_keeps_nothing_in_use(
    counter: Counter, authority: Any
) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    certificate = revoke(counter)
    authority(AuthorityUnavailable())
    with pytest.raises(AuthorityUnavailable):
        actions.revoke_at_authority(certificate.pk, at=NOON)
    assert queries.revocations_to_confirm() == [certificate.pk]
    assert not queries.has_valid_certificate(counter.organisation, NOON)


def test_a_revoked_certificate_is_not_handed_over(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    revoke(counter)
    assert counter.state == FileState.CANCELLED
    with refused("ra.forbidden_step"):
        counter.prepare()


def test_the_database_lets_nothing_half_revoked_stand(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    with pytest.raises(IntegrityError, match="revocation_is_whole"), transaction.atomic():
        Certificate.objects.update(state=CertificateState.REVOKED)


# Closing


@pytest.mark.parametrize("to", [FileState.REFUSED, FileState.CANCELLED])
def test_a_file_is_closed_with_a_reason(counter: Counter, to: FileState) -> None:
    counter.submit()
    with refused("ra.needs_reason"):
        actions.close(file_id=counter.file.pk, to=to, reason=" ", by=counter.officer, at=NOON)
    actions.close(file_id=counter.file.pk, to=to, reason="Départ.", by=counter.officer, at=NOON)
    assert counter.state == to


def test_a_file_with_a_certificate_is_closed_by_its_revocation_only(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    with refused("ra.forbidden_step"):
        actions.close(
            file_id=counter.file.pk,
            to=FileState.CANCELLED,
            reason="Départ.",
            by=counter.officer,
            at=NOON,
        )


def test_a_file_whose_certificate_is_on_its_way_is_not_closed(counter: Counter) -> None:
    approved(counter)
    with refused("ra.forbidden_step"):
        actions.close(
            file_id=counter.file.pk,
            to=FileState.CANCELLED,
            reason="Départ.",
            by=counter.officer,
            at=NOON,
        )


def test_the_migrations_say_what_the_models_say(portal: Any) -> None:
    call_command("makemigrations", "registration_authority", check=True, dry_run=True)
