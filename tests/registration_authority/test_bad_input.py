"""What should never have been brought to the counter, through the screens: refused with its reason,
nothing changed, and a line in a journal."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from registration_authority.models import (
    Certificate,
    CertificateRequest,
    FaceToFace,
    FileState,
    RequestState,
)
from socle.journal.models import Entry
from tests.people import Browser, on_portal
from tests.registration_authority.authorities import Outside
from tests.registration_authority.counter import NOON, Counter, open_counter
from tests.registration_authority.holder_keys import (
    forged_request,
    new_key,
    request_der,
    request_pem,
)
from tests.registration_authority.test_portal import outside, root, sent  # noqa: F401
from tests.registration_authority.test_screens import face_to_face, page, text

Signed = Callable[..., str]


@pytest.fixture(autouse=True)
def _at_noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def desk(counter: Counter) -> Browser:
    connection.set_schema_to_public()
    return on_portal(counter.officer)


def refusals(neighbour: Any) -> int:
    """How many refusals the portal's journal and the commune's hold."""
    found = Entry.objects.filter(outcome="refused").count()
    connection.set_tenant(neighbour)
    found += Entry.objects.filter(outcome="refused").count()
    connection.set_schema_to_public()
    return found


# What an authority is said to have signed


def locked(pem: str) -> bytes:
    """The same certificate in a P12 behind a password, with a key."""
    chain = [x509.load_pem_x509_certificate(pem.encode())]
    return pkcs12.serialize_key_and_certificates(
        b"cle", new_key(), None, chain, BestAvailableEncryption(b"secret")
    )


@pytest.mark.parametrize(
    ("made", "reason", "state"),
    [
        (lambda sign: sign()[:300], "certificat", RequestState.APPROVED),
        (
            lambda sign: sign(key=new_key().public_key()) + sign(key=new_key().public_key()),
            "clé publique",
            RequestState.APPROVED,
        ),
        (lambda sign: locked(sign()), "clé privée", RequestState.APPROVED),
        (
            lambda sign: sign(key=new_key().public_key()),
            "clé publique différente",
            RequestState.APPROVED,
        ),
        (lambda sign: sign(siren="200081511"), "SIREN", RequestState.QUARANTINED),
        (
            lambda sign: sign(given_name="H\N{CYRILLIC SMALL LETTER IE}lène"),
            "prénom",
            RequestState.QUARANTINED,
        ),
        (lambda sign: b"0" * 5_000_000, "la limite est de", RequestState.APPROVED),
    ],
    ids=["truncated", "two", "p12", "key", "siren", "look-alike", "5-mb"],
)
def test_a_certificate_that_should_not_be_is_refused_said_and_written(
    counter: Counter,
    outside: Outside,  # noqa: F811
    desk: Browser,
    neighbour: Any,
    made: Callable[[Signed], str | bytes],
    reason: str,
    state: RequestState,
) -> None:
    request = sent(counter)
    before = refusals(neighbour)
    content = made(lambda **changes: outside.sign(request, **changes))
    raw = content.encode() if isinstance(content, str) else content
    brought = {
        "certificate": SimpleUploadedFile("recu.cer", raw),
        "revocation_list": SimpleUploadedFile("ac.crl", outside.crl()),
    }
    said = text(desk.post(f"{page(counter)}certificat-recu/", brought))
    assert reason in said
    request.refresh_from_db()
    assert (counter.state, request.state) == (FileState.FACE_TO_FACE_DONE, state)
    assert not Certificate.objects.exists()
    assert refusals(neighbour) > before


def test_a_list_past_its_next_update_proves_nothing(
    counter: Counter,
    outside: Outside,  # noqa: F811
    desk: Browser,
    neighbour: Any,
) -> None:
    request = sent(counter)
    before = refusals(neighbour)
    brought = {
        "certificate": SimpleUploadedFile("recu.cer", outside.sign(request).encode()),
        "revocation_list": SimpleUploadedFile("ac.crl", outside.crl(at=NOON - timedelta(days=60))),
    }
    said = text(desk.post(f"{page(counter)}certificat-recu/", brought))
    assert "liste" in said
    assert not Certificate.objects.exists()
    assert counter.state == FileState.FACE_TO_FACE_DONE
    assert refusals(neighbour) > before


# Requests


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda: request_der()[:80], "refaites l’export"),
        (lambda: forged_request(new_key(), new_key()), "signée par la clé"),
        (lambda: request_pem() + request_pem(), "demande"),
    ],
    ids=["truncated", "another-key", "two"],
)
def test_a_request_that_should_not_be_is_refused_said_and_written(
    counter: Counter, desk: Browser, neighbour: Any, content: Callable[[], bytes], reason: str
) -> None:
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    before = refusals(neighbour)
    file = SimpleUploadedFile("demande.csr", content())
    said = text(desk.post(f"{page(counter)}demande/", {"csr": file}))
    assert reason in said
    assert not CertificateRequest.objects.exists()
    assert counter.state == FileState.FACE_TO_FACE_DONE
    assert refusals(neighbour) > before


def test_a_request_played_again_is_refused_said_and_written(
    counter: Counter, desk: Browser, town: Any, neighbour: Any, syndicat: Any
) -> None:
    content = request_pem()
    connection.set_schema_to_public()
    other = open_counter(town.organisation, syndicat, first_name="Zoé", last_name="Autre")
    other.bring_to(FileState.FACE_TO_FACE_DONE).ask(content)
    counter.bring_to(FileState.FACE_TO_FACE_DONE)
    before = refusals(neighbour)
    file = SimpleUploadedFile("demande.csr", content)
    said = text(desk.post(f"{page(counter)}demande/", {"csr": file}))
    assert "déjà servi" in said
    assert other.holder.last_name not in said.split("<main")[1].split("error-summary")[1][:600]
    assert not CertificateRequest.objects.filter(file=counter.file).exists()
    assert refusals(neighbour) > before


# The face to face


def minute(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"document_expires_on": "2020-01-01"}, "a expiré le 01/01/2020"),
        ({"held_at": minute(NOON + timedelta(days=2))}, "dans le futur"),
        ({"recognised": ""}, "reconnu"),
    ],
    ids=["expired", "future", "not-recognised"],
)
def test_a_face_to_face_that_was_none_is_refused_said_and_written(
    counter: Counter, desk: Browser, neighbour: Any, changes: dict[str, str], reason: str
) -> None:
    counter.bring_to(FileState.PIECES_CHECKED)
    before = refusals(neighbour)
    said = text(desk.post(f"{page(counter)}face-a-face/", face_to_face(**changes)))
    assert reason in said
    assert not FaceToFace.objects.exists()
    assert counter.state == FileState.PIECES_CHECKED
    assert refusals(neighbour) > before
