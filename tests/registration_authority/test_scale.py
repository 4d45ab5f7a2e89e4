"""A list of thousands of certificates."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from registration_authority.models import (
    Certificate,
    CertificateFile,
    CertificateRequest,
    FileState,
    RequestState,
)
from socle.accounts.models import Person
from tests.people import on_portal
from tests.registration_authority.counter import Counter

MANY = 5_000


def thousands(counter: Counter) -> None:
    """As many certificates in service, each of somebody else, in as many rows as it takes."""
    now = timezone.now()
    people = Person.objects.bulk_create(
        Person(email=f"p{n}@exemple.fr", first_name="Agent", last_name=f"Numéro {n}", password="!")
        for n in range(MANY)
    )
    files = CertificateFile.objects.bulk_create(
        CertificateFile(
            organisation=counter.organisation,
            holder=who,
            function="Agent",
            offer=counter.file.offer,
            state=FileState.ISSUED,
            created_at=now,
            created_by=counter.officer,
            checked_at=now,
            checked_by=counter.officer,
        )
        for who in people
    )
    requests = CertificateRequest.objects.bulk_create(
        CertificateRequest(
            file=file,
            csr_pem="x",
            public_key=f"{n:064x}",
            state=RequestState.ISSUED,
            deposited_at=now,
            deposited_by=counter.officer,
            approved_at=now,
            approved_by=counter.officer,
        )
        for n, file in enumerate(files)
    )
    Certificate.objects.bulk_create(
        Certificate(
            request=request,
            file=request.file,
            issuer="CN=AC",
            serial=f"{n:x}",
            fingerprint=f"{n:064x}",
            public_key=f"{n:064x}",
            pem="x",
            issued_at=now,
            not_before=now,
            not_after=now + timedelta(days=1 + n % 900),
        )
        for n, request in enumerate(requests)
    )


def test_the_list_of_five_thousand_certificates_asks_eight_questions_at_most(
    counter: Counter, django_assert_max_num_queries: Any
) -> None:
    """The list's own questions; session, login, rights and host are asked on every page."""
    thousands(counter)
    desk = on_portal(counter.officer)
    desk.get("/certificats/offres/")
    with django_assert_max_num_queries(12) as counted:
        shown = desk.get("/certificats/inventaire/").content.decode()
    asked = [one for one in counted.captured_queries if "registration_authority" in one["sql"]]
    assert 2 <= len(asked) <= 8
    plain = " ".join(shown.split()).replace("\xa0", " ")
    assert "Page 1 sur 200" in plain
    assert "Expire le" in plain
