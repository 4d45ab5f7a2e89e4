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
    PieceKind,
)
from registration_authority.pki.csr import PrivateKeyInRequest
from registration_authority.pki.keys import WeakKey
from registration_authority.pki.names import UnfitName, checked_holder
from socle.accounts.capabilities import Role
from socle.core.refusals import Refusal
from socle.directory.models import Grant
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
