"""What a deposit costs beside the rows it writes."""

import io
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django_tenants.utils import tenant_context
from reportlab.pdfgen.canvas import Canvas

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import actions
from socle.actes.actions import Facts, Upload
from socle.actes.models import ClassificationVersion
from socle.directory.models import Protocol, TransmissionRight
from socle.documents import actions as documents
from socle.exercise.protocol.classification import CURRENT, full_return
from tenants.models import Tenant
from tests.bench.clock import compare
from tests.people import person

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
WRITES = ("INSERT", "UPDATE")


class Undo(Exception):
    """Raised to take a measured deposit back, so that the next one meets the same commune."""


def ready_commune() -> tuple[Tenant, Person]:
    """Melle with its convention, its classification and a secretary."""
    town = Tenant.objects.select_related("organisation").get(organisation__insee="79174")
    TransmissionRight.objects.get_or_create(
        organisation=town.organisation,
        protocol=Protocol.ACTES,
        defaults={
            "operator": "exercice",
            "natures": list("123456"),
            "reference": "Convention du 5 janvier 2026",
            "starts_on": date(2026, 1, 5),
        },
    )
    # Figures of other processes stand in the same database: each makes somebody of its own.
    email = f"banc-{uuid4().hex[:12]}@exemple.fr"
    who = person(Role.TRANSMITTER, at=town.organisation, phone="0549000000", email=email)
    who.grants.update(starts_on=date(2026, 1, 1))
    with tenant_context(town):
        stored = documents.store(
            content=full_return(CURRENT), name="classification.xml", by="bench", at=AT
        )
        ClassificationVersion.objects.create(date=CURRENT.day, content=stored, received_at=AT)
    return town, who


def pdf(text: str = "Le conseil municipal, après en avoir délibéré…") -> bytes:
    """One page that says something."""
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.drawString(72, 720, text)
    canvas.save()
    return out.getvalue()


def against_bare_inserts() -> dict[str, Any]:
    """Deposit through the action, against the statements it wrote with, sent bare."""
    town, who = ready_commune()
    content = pdf()
    facts = Facts("2026_017", 1, "5.2", date(2026, 11, 20), "Règlement intérieur du conseil")
    written: list[tuple[str, Any]] = []

    def deposit() -> None:
        with transaction.atomic():
            actions.deposit(facts=facts, main=Upload("delib.pdf", content), by=who, at=AT)
            raise Undo

    def ours() -> None:
        try:
            deposit()
        except Undo:
            pass

    def bound() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                for statement, params in written:
                    cursor.execute(statement, params)
                raise Undo
        except Undo:
            pass

    with tenant_context(town):
        with connection.execute_wrapper(_keeping(written)):
            ours()
        return compare(
            "deposit",
            ours,
            bound,
            limit=8,
            rounds=40,
            detail=f"one act of one page; {len(written)} rows written, journal and outbox included",
        )


def _keeping(written: list[tuple[str, Any]]) -> Any:
    def keep(execute: Any, statement: Any, params: Any, many: bool, context: Any) -> Any:
        text = statement if isinstance(statement, str) else statement.as_string(None)
        if text.startswith(WRITES):
            written.append((text, params))
        return execute(statement, params, many, context)

    return keep
