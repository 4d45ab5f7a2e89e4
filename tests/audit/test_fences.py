"""The page that shows an auditor what keeps a commune apart."""

from typing import Any

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from socle.accounts.capabilities import Role
from socle.documents import actions as documents
from tests.people import in_town, on_portal, person


@pytest.fixture
def auditor(portal: Any, syndicat: Any) -> Any:
    return person(Role.AUDITOR, at=syndicat, first_name="Odile", last_name="Contrôle")


def test_the_auditor_reads_schema_role_and_key(neighbour: Any, auditor: Any, noon: Any) -> None:
    with schema_context(neighbour.schema_name):
        documents.store(content=b"x", name="x.txt", by="tests", at=noon)
    page = on_portal(auditor).get(f"/journal/cloisonnement/{neighbour.schema_name}/")
    text = page.content.decode()
    assert page.status_code == 200
    assert neighbour.schema_name in text
    assert "protégée par la clé maîtresse" in text
    assert "À examiner" not in text
    assert "Ouvert</" not in text


def test_who_came_from_outside_is_named(neighbour: Any, auditor: Any) -> None:
    visitor = on_portal(auditor)
    taken = visitor.post(
        f"/journal/exports/{neighbour.schema_name}/", {"reason": "Contrôle annuel"}
    )
    assert b"".join(taken.streaming_content)
    page = visitor.get(f"/journal/cloisonnement/{neighbour.schema_name}/").content.decode()
    assert "Odile Contrôle" in page


@pytest.mark.usefixtures("as_owner")
def test_a_hole_in_a_fence_is_shown(town: Any, neighbour: Any, auditor: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT USAGE ON SCHEMA {neighbour.schema_name} TO {town.schema_name}")
    page = on_portal(auditor).get(f"/journal/cloisonnement/{town.schema_name}/").content.decode()
    assert "À examiner" in page


def test_a_commune_sees_its_own_page_and_no_other(town: Any, neighbour: Any) -> None:
    reader = in_town(town, person(Role.READER, at=town.organisation))
    page = reader.get("/journal/cloisonnement/", follow=True)
    assert page.status_code == 200
    assert town.schema_name in page.content.decode()
    assert reader.get(f"/journal/cloisonnement/{neighbour.schema_name}/").status_code == 404
