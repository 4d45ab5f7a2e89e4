"""Every shared table says whose it is; every place where the platform steps over is known."""
# ruff: noqa: S608 -- the catalogue is asked with our own constants.

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.urls import get_resolver

from socle.core.roles import COMMUNE, WEB
from tenants import fences
from tenants.api.facade import FacadeView
from tests.guards.test_capabilities import _views

REPO = Path(__file__).resolve().parents[2]
LIFTED = {
    "platform/socle/core/fences.py": "the definition",
    "platform/socle/journal/actions.py": "what concerns another body stands in its journal",
}
SHARED_WORK = {
    "training_commune:mine": "the seats left are counted over all communes",
    "training_commune:join": "the last seat is given once, to one of all communes",
    "certificates:book": "a slot of the counter is given once, to one of all communes",
    "certificates:receive": "the « mandataire » writes what the counter alone writes",
    "api": "a software is looked for among all logins, then the view raises the fence itself",
    "training_commune:leave": "a seat given back goes to whoever waits, of any commune",
}


def test_every_shared_table_says_whose_it_is() -> None:
    silent = [m._meta.label for m in fences.public_models() if m._meta.label not in fences.SHARES]
    assert silent == [], "declare them in tenants/fences.py: secret, shared or by organisation"


def test_no_declaration_outlives_its_table() -> None:
    known = {model._meta.label for model in fences.public_models()}
    assert fences.SHARES.keys() - known == set()


def test_a_table_with_an_organisation_is_never_open_to_every_commune() -> None:
    own = [m for m in fences.public_models() if "organisation" in {f.name for f in m._meta.fields}]
    assert own
    public_knowledge = {"directory.FormerCommune"}
    open_ = {m._meta.label for m in own if fences.SHARES.get(m._meta.label) == fences.EVERYBODY}
    assert open_ == public_knowledge


def test_places_that_lift_a_fence_are_known() -> None:
    rooms = ("platform", "tenants", "registration_authority", "training", "billing")
    found = {
        str(path.relative_to(REPO))
        for room in rooms
        for path in (REPO / room).rglob("*.py")
        if re.search(r"\blifted\(", path.read_text(encoding="utf-8"))
    }
    assert found == LIFTED.keys()


def test_views_that_work_for_several_communes_are_known() -> None:
    get_resolver("socle.config.urls_commune")
    found = {
        "api" if issubclass(view, FacadeView) else name
        for name, view in _views("socle.config.urls_commune")
        if getattr(view, "shared_work", "")
    }
    assert found == SHARED_WORK.keys()


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["relrowsecurity", "NOT relforcerowsecurity"])
def test_row_level_security_is_on_for_every_shared_table(what: str) -> None:
    tables = [model._meta.db_table for model in fences.public_models()]
    closed = _ask(
        f"SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND {what}"
    )
    assert set(tables) - {name for (name,) in closed} == set()


@pytest.mark.django_db
def test_communes_hold_no_privilege_that_is_not_declared() -> None:
    """Asked of the database itself, whatever the script believes."""
    held = _ask(
        "SELECT relname, array_agg(privilege_type::text ORDER BY privilege_type) "
        "FROM pg_class c, aclexplode(c.relacl) a WHERE c.relnamespace = 'public'::regnamespace "
        "AND c.relkind IN ('r', 'v', 'p') AND a.grantee IN (%s::regrole, 0) GROUP BY relname",
        [COMMUNE],
    )
    declared = {
        model._meta.db_table: sorted(share.verbs.split(", "))
        for model in fences.public_models()
        if isinstance(share := fences.SHARES[model._meta.label], fences.Share)
    }
    assert dict(held) == declared


@pytest.mark.django_db
def test_who_serves_owns_nothing_and_creates_nothing() -> None:
    assert _ask("SELECT current_user::text, session_user::text") == [(WEB, WEB)]
    owned = _ask("SELECT relname FROM pg_class WHERE relowner = %s::regrole", [WEB])
    assert owned == []
    flags = "rolsuper, rolcreaterole, rolcreatedb, rolinherit, rolbypassrls"
    assert _ask(f"SELECT {flags} FROM pg_roles WHERE rolname = %s", [WEB]) == [(False,) * 5]
    can = _ask(
        "SELECT has_database_privilege(current_database(), 'CREATE'), "
        "has_database_privilege(current_database(), 'TEMP'), "
        "has_schema_privilege('public', 'CREATE'), "
        "pg_has_role('socle_owner', 'MEMBER')"
    )
    assert can == [(False, False, False, False)]


def _ask(question: str, values: Any = None) -> list[tuple[Any, ...]]:
    connection.set_schema_to_public()
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchall()


@pytest.mark.django_db
def test_the_superusers_part_is_done_here_and_its_absence_would_be_said() -> None:
    assert fences.is_closed()
