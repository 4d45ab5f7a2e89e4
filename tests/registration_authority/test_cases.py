"""The cases of the counter by their number, those that no other file tells (docs/ra-cases.md)."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from registration_authority import actions
from registration_authority.models import (
    Certificate,
    CertificateFile,
    CertificateRequest,
    FileState,
    Piece,
    PieceKind,
    RevocationReason,
)
from registration_authority.pki.csr import PrivateKeyInRequest
from registration_authority.pki.keys import WeakKey
from registration_authority.pki.names import UnfitName, checked_holder
from registration_authority.stock import actions as stock
from registration_authority.stock.models import Location, Token, TokenState
from socle.accounts.capabilities import Role
from socle.core import fences
from socle.core.identifiers import InvalidIdentifier
from socle.core.refusals import Refusal
from socle.directory.models import Grant, Organisation
from socle.journal.models import Entry
from tests.people import in_town, on_portal, person
from tests.registration_authority import weak_keys
from tests.registration_authority.counter import NOON, Counter, open_counter
from tests.registration_authority.holder_keys import new_key, request_pem, rsa_key

REPO = Path(__file__).resolve().parents[2]


# Keys


def _short() -> rsa.RSAPrivateKey:
    return rsa_key(1024)


def _small_exponent() -> rsa.RSAPrivateKey:
    return rsa_key(2048, 3)


def _below_the_offer() -> rsa.RSAPrivateKey:
    return rsa_key(2048)


@pytest.mark.parametrize(
    ("make", "code", "told"),
    [
        (_short, "ra.key_too_short", "1024 bits"),
        (_small_exponent, "ra.key_exponent", "exposant"),
        (weak_keys.roca, "ra.key_broken", "ROCA"),
        (weak_keys.close_primes, "ra.key_broken", "trop proches"),
        (_below_the_offer, "ra.key_too_short", "au moins 3072"),
    ],
)
def test_case_c27_a_weak_key_is_refused_with_its_reason(
    counter: Counter, make: Any, code: str, told: str
) -> None:
    counter.file.offer.min_rsa_bits = 3072 if make is _below_the_offer else 2048
    counter.file.offer.save(update_fields=["min_rsa_bits"])
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    with pytest.raises(WeakKey, match=told) as refused:
        counter.ask(request_pem(make()))
    assert refused.value.code == code
    assert not CertificateRequest.objects.exists()


def test_case_c27_the_end_of_the_certificate_decides_of_the_size(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    content = request_pem(rsa_key(2048))
    with pytest.raises(WeakKey, match="au moins 3072"):
        counter.ask(content, at=NOON + timedelta(days=450))
    assert counter.ask(content)


def test_case_c28_a_replayed_request_is_refused(counter: Counter, town: Any, syndicat: Any) -> None:
    content = request_pem()
    counter.bring_to(FileState.FACE_TO_FACE_DONE).ask(content)
    other = open_counter(town.organisation, syndicat).bring_to(FileState.FACE_TO_FACE_DONE)
    with pytest.raises(Refusal, match="déjà servi") as refused:
        other.ask(content)
    assert counter.holder.last_name not in str(refused.value)


def test_a_p12_in_place_of_a_request_is_refused(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    content = pkcs12.serialize_key_and_certificates(
        b"cle", new_key(), None, None, BestAvailableEncryption(b"secret")
    )
    with pytest.raises(PrivateKeyInRequest):
        counter.ask(content)


# Names


def named(**changes: str) -> Any:
    given = {
        "given_name": "Zoë",
        "surname": "D’ALMEIDA-ÉPINAY",
        "email": "zoe@melle.fr",
        "organisation": "Commune de Melle",
        "siren": "200081511",
    }
    return checked_holder(**(given | changes))


@pytest.mark.parametrize("surname", ["D’ALMEIDA-ÉPINAY", "de La Tour", "Nguyễn", "Łukasz"])
def test_case_c64_a_name_with_accents_is_kept_as_it_is(surname: str) -> None:
    assert named(surname=surname).surname == surname


def test_case_c64_a_decomposed_accent_is_the_same_name() -> None:
    assert named(given_name="Zoe\u0308") == named(given_name="Zoë")


@pytest.mark.parametrize(
    "surname",
    [
        "Dupont\u202e",
        "Dup\nont",
        "Dupont/O=Melle",
        "Dup\u200bont",
        "Duр\u043ent",  # Cyrillic er and o
        "Duροnt",  # Greek rho and omicron
        "ＤＵＰＯＮＴ",  # full width
        "Dupont\x00",
    ],
)
def test_case_c65_a_name_in_disguise_is_refused(surname: str) -> None:
    with pytest.raises(UnfitName):
        named(surname=surname)


def test_case_c65_a_body_in_disguise_is_refused() -> None:
    with pytest.raises(UnfitName):
        named(organisation="Соmmune de Melle")


# People


def test_case_c32_a_colleague_who_shows_up_gets_nothing(counter: Counter) -> None:
    counter.bring_to(FileState.PIECES_CHECKED)
    with pytest.raises(Refusal, match="celle du dossier"):
        counter.meet(recognised=False)
    assert counter.state == FileState.PIECES_CHECKED


def test_case_c56_an_operator_whose_grant_ended_does_nothing_more(counter: Counter) -> None:
    counter.submit()
    desk = on_portal(counter.officer)
    piece = counter.file.pieces.get(kind=PieceKind.TERMS)
    address = f"/certificats/pieces/{piece.pk}/"
    assert desk.get(address).status_code == 200
    Grant.objects.filter(person=counter.officer).update(ends_on=date(2026, 1, 2))
    assert desk.post(address, {}).status_code in (302, 403)
    piece.refresh_from_db()
    assert (piece.state, counter.state) == ("pending", FileState.SUBMITTED)


def test_case_c58_a_face_to_face_of_the_future_is_refused(counter: Counter) -> None:
    counter.bring_to(FileState.PIECES_CHECKED)
    with pytest.raises(Refusal, match="futur"):
        counter.meet(held_at=NOON + timedelta(minutes=10))


def test_case_c60_a_guessed_address_gives_no_identity_document(
    counter: Counter, town: Any, neighbour: Any
) -> None:
    counter.submit()
    piece = counter.file.pieces.get(kind=PieceKind.IDENTITY)
    stranger = person(Role.TRANSMITTER, at=town.organisation)
    for browser in (in_town(town, stranger), on_portal(stranger)):
        answer = browser.get(f"/certificats/pieces/{piece.pk}/fichier")
        assert answer.status_code in (302, 403, 404)
    connection.set_tenant(neighbour)
    assert not Entry.objects.filter(event="ra.piece_read").exists()
    connection.set_schema_to_public()


def test_a_certificate_of_five_megabytes_is_refused_on_its_field(counter: Counter) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    desk = on_portal(counter.officer)
    heavy = SimpleUploadedFile("recu.cer", b"\x30" * 5_000_000)
    answer = desk.post(f"/certificats/{counter.file.pk}/certificat-recu/", {"certificate": heavy})
    assert answer.status_code == 200
    assert "la limite est de" in answer.content.decode()
    assert counter.state == FileState.FACE_TO_FACE_DONE


# Invariants


def test_invariant_i03_a_key_never_comes_back_for_the_same_holder(counter: Counter) -> None:
    key = new_key()
    counter.bring_to(FileState.FACE_TO_FACE_DONE).issue(request_pem(key))
    counter.bring_to(FileState.HANDED_OVER)
    again = _another_file(counter).bring_to(FileState.FACE_TO_FACE_DONE)
    with pytest.raises(Refusal, match="déjà servi"):
        again.ask(request_pem(key))


STEPS = {
    "ra.file_opened": FileState.DRAFT,
    "ra.file_submitted": FileState.SUBMITTED,
    "ra.pieces_checked": FileState.PIECES_CHECKED,
    "ra.face_to_face_held": FileState.FACE_TO_FACE_DONE,
    "ra.issued": FileState.ISSUED,
    "ra.handed_over": FileState.HANDED_OVER,
}


@pytest.mark.parametrize("state", list(STEPS.values()))
def test_invariant_i05_the_journal_tells_the_state(
    counter: Counter, neighbour: Any, state: FileState
) -> None:
    counter.bring_to(state)
    connection.set_tenant(neighbour)
    events = list(Entry.objects.order_by("position").values_list("event", flat=True))
    connection.set_schema_to_public()
    assert [STEPS[event] for event in events if event in STEPS][-1] == counter.state == state


def test_invariant_i12_the_database_refuses_more_than_three_years(counter: Counter) -> None:
    counter.bring_to(FileState.ISSUED)
    certificate = Certificate.objects.get()
    with pytest.raises(IntegrityError, match="three_years"), transaction.atomic():
        Certificate.objects.update(not_after=certificate.not_before + timedelta(days=1097))


def test_invariant_i19_instants_are_aware_and_in_order(counter: Counter) -> None:
    counter.bring_to(FileState.HANDED_OVER)
    certificate = Certificate.objects.get()
    told = [
        counter.file.face_to_face.held_at,
        certificate.issued_at,
        certificate.hand_over.prepared_at,
        certificate.hand_over.signed_at,
    ]
    assert all(timezone.is_aware(one) for one in told)
    assert told == sorted(told)


def _another_file(counter: Counter) -> Counter:
    file: CertificateFile = actions.open_file(
        organisation=counter.organisation,
        holder=counter.holder,
        function="Secrétaire de mairie",
        offer=counter.file.offer,
        by=counter.officer,
        at=NOON,
    )
    return Counter(counter.officer, counter.holder, counter.organisation, file, "TK-0002")


# The list of the cases says what the tests do


def test_the_document_of_the_cases_names_every_case_and_no_test_that_does_not_exist() -> None:
    document = (REPO / "docs/ra-cases.md").read_text()
    lines = dict(re.findall(r"^\| ([CI]\d\d) \|(.*)$", document, re.MULTILINE))
    assert sorted(lines) == [f"C{n:02}" for n in range(1, 71)] + [f"I{n:02}" for n in range(1, 21)]
    tested: set[str] = set()
    for path in (REPO / "tests").rglob("test_*.py"):
        found = re.findall(r"def test_(?:case|invariant)_([ci]\d\d)_", path.read_text())
        tested |= {number.upper() for number in found}
    covered = {number for number, line in lines.items() if "✔" in line}
    assert covered == tested & lines.keys()


# Bodies


def bare_request(counter: Counter) -> dict[str, Any]:
    """What opens another file for the same person, once hers is given up."""
    actions.close(
        file_id=counter.file.pk,
        to=FileState.CANCELLED,
        reason="Erreur de saisie",
        by=counter.officer,
        at=NOON,
    )
    return {
        "organisation": counter.organisation,
        "holder": counter.holder,
        "function": "Secrétaire",
        "offer": counter.file.offer,
        "by": counter.officer,
        "at": NOON,
    }


def test_case_c02_a_siren_with_a_wrong_key_opens_no_file(counter: Counter) -> None:
    given = bare_request(counter)
    right = counter.organisation.siren
    wrong = right[:8] + str((int(right[8]) + 1) % 10)
    Organisation.objects.filter(pk=counter.organisation.pk).update(siren=wrong)
    counter.organisation.refresh_from_db()
    with pytest.raises(InvalidIdentifier, match="SIREN") as told:
        actions.open_file(**given)
    assert told.value.field == "siren"
    assert CertificateFile.objects.count() == 1  # the one given up: no reference was used
    Organisation.objects.filter(pk=counter.organisation.pk).update(siren=right)
    counter.organisation.refresh_from_db()
    assert actions.open_file(**given).pk


def test_case_c03_a_siret_of_another_body_is_refused(counter: Counter, syndicat: Any) -> None:
    desk = on_portal(person(Role.ADMINISTRATOR, at=syndicat))
    body = counter.organisation
    answer = desk.post(f"/annuaire/{body.siren}/modifier/", {"siret": "25790233800017"})
    assert f"commencer par le SIREN {body.siren}" in answer.content.decode()
    body.refresh_from_db()
    assert not body.siret.startswith("257902338")
    # Nor by another road: an import, a hand in the database.
    with pytest.raises(IntegrityError, match="siret_starts_with_siren"), transaction.atomic():
        Organisation.objects.filter(pk=body.pk).update(siret="25790233800017")


# Tokens


def test_case_c66_a_token_whose_certificate_is_revoked_is_replaced_not_unblocked(
    counter: Counter,
) -> None:
    safe = Location.objects.create(code="coffre", name="Coffre", low_stock=0)
    stock.receive_batch(
        reference="BL-1",
        model="Clé",
        location=safe,
        serials="TK-0001",
        by=counter.officer,
        at=NOON,
    )
    counter.bring_to(FileState.ISSUED)
    counter.prepare(token_serial="TK-0001")
    counter.hand_over()
    carried = Token.objects.get()

    def change(to: TokenState) -> Token:
        return stock.change_state(
            token_id=carried.pk, to=to, reason="Code bloqué", by=counter.officer, at=NOON
        )

    assert change(TokenState.SUSPENDED).state == TokenState.SUSPENDED
    assert change(TokenState.ACTIVE).state == TokenState.ACTIVE  # still in service
    change(TokenState.SUSPENDED)
    actions.revoke(
        certificate_id=Certificate.objects.get().pk,
        reason=RevocationReason.KEY_COMPROMISE,
        by=counter.officer,
        at=NOON,
    )
    with pytest.raises(Refusal, match="ouvrez un dossier de remplacement") as told:
        change(TokenState.ACTIVE)
    assert told.value.code == "ra.nothing_to_unblock"
    carried.refresh_from_db()
    assert carried.state == TokenState.SUSPENDED
    assert change(TokenState.TERMINATED).state == TokenState.TERMINATED


# One commune and the others


def test_invariant_i10_a_commune_reaches_its_own_files_only(
    counter: Counter, town: Any, neighbour: Any, syndicat: Any
) -> None:
    connection.set_schema_to_public()
    ours = open_counter(town.organisation, syndicat, first_name="Louise", last_name="Martel")
    ours.token = "TK-0002"
    for each in (ours, counter):
        each.bring_to(FileState.HANDED_OVER)
    theirs = {
        CertificateFile: counter.file.pk,
        Certificate: Certificate.objects.get(file=counter.file).pk,
        Piece: counter.file.pieces.first().pk,
    }
    # In the database: the role of the commune sees the rows of its own body.
    with fences.inside(town.schema_name):
        for model, pk in theirs.items():
            assert not model.objects.filter(pk=pk).exists()
        assert {one.organisation_id for one in CertificateFile.objects.all()} == {
            town.organisation.pk
        }
        assert {one.file_id for one in Certificate.objects.all()} == {ours.file.pk}
        assert {one.file_id for one in Piece.objects.all()} == {ours.file.pk}
    # On its pages: the list, the page, the file and the download.
    browser = in_town(town, ours.holder)
    shown = browser.get("/certificats/").content.decode()
    assert str(counter.holder) not in shown
    for page in (
        f"/certificats/{counter.file.pk}/certificat.pem",
        f"/certificats/{counter.file.pk}/pieces/terms/",
        f"/certificats/{counter.file.pk}/revoquer/",
        f"/certificats/pieces/{theirs[Piece]}/fichier",
    ):
        assert browser.get(page).status_code == 404, page
