"""A line of SQL that should never have been there: what it still cannot do."""
# ruff: noqa: S608 -- hostile and generated SQL is what is tested here.

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import got_request_exception
from django.db import DatabaseError, connection, transaction

from socle.actes.models import Act
from socle.core import fences as work
from socle.core.postgres.statements import StatementRefused, check_statement
from socle.core.roles import WEB
from tests.isolation.canaries import CANARY, Planted
from tests.people import Browser

A, B = "t_200081511", "t_200083897"


@pytest.fixture
def hole(settings: Any, browser: Browser, planted: Planted) -> Browser:
    """The browser of Melle's agent on a site with a hole; the neighbour has something to hide."""
    settings.ROOT_URLCONF = "tests.isolation.probe"
    browser.raise_request_exception = False
    return browser


def test_the_hole_is_one_and_reads_ones_own(hole: Browser) -> None:
    assert hole.get("/trou/", {"q": "SELECT current_user::text"}).content == f"[('{A}',)]".encode()
    assert hole.get("/trou/recherche/", {"q": "' OR 'a' = 'a"}).status_code == 200


ATTEMPTS = [
    f'SELECT objet FROM "{B}".actes_act',
    f"SELECT name FROM {B}.documents_storedfile",
    f"RESET ROLE; SELECT objet FROM {B}.actes_act",
    f"SET ROLE {B}",
    f"SET SESSION ROLE {B}; SELECT objet FROM {B}.actes_act",
    f"SET LOCAL ROLE {B}",
    "RESET ROLE",
    "RESET ALL",
    "DISCARD ALL",
    "SET SESSION AUTHORIZATION DEFAULT",
    "RESET SESSION AUTHORIZATION",
    f"/* plain */ -- words\n ( SET ROLE {B} )",
    f"SELECT 1; SET ROLE {B}; SELECT objet FROM {B}.actes_act",
    f"SELECT set_config('role', '{B}', false)",
    f"SELECT pg_catalog.set_config('role', '{B}', false), objet FROM {B}.actes_act",
    f"""SELECT pg_catalog.U&"set\\005fconfig"('role', '{B}', false)""",
    f"UPDATE pg_settings SET setting = '{B}' WHERE name = 'role'",
    f"WITH x AS (UPDATE pg_settings SET setting = '{B}' WHERE name = 'role' RETURNING 1) SELECT 1",
    f"SELECT query_to_xml('SET ROLE {B}', true, true, '')",
    f"SELECT query_to_xml('SELECT objet FROM {B}.actes_act', true, true, '')",
    f"SELECT query_to_xml($$SELECT set_config('role', '{B}', false)$$, true, true, '')",
    f"SELECT table_to_xml('{B}.actes_act', true, true, '')",
    f"SELECT schema_to_xml('{B}', true, true, '')",
    f"SELECT * FROM ts_stat('SELECT objet::tsvector FROM {B}.actes_act')",
    f"DO $$ BEGIN SET ROLE {B}; END $$",
    f"PREPARE x AS SELECT objet FROM {B}.actes_act",
    "EXECUTE x",
    "CREATE TEMP TABLE mine AS SELECT 1",
    "SELECT 1 AS one INTO TEMP mine",
    "SELECT 1 AS one INTO public.mine",
    "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    f"COPY {B}.actes_act TO STDOUT",
    f"COPY (SELECT objet FROM {B}.actes_act) TO STDOUT",
    "TRUNCATE actes_act",
    "ALTER TABLE actes_act ADD COLUMN x int",
    "GRANT ALL ON actes_act TO PUBLIC",
    "SELECT password FROM public.accounts_person",
    "SELECT sealed_key FROM public.accounts_authenticator",
    "SELECT session_data FROM public.django_session",
    "SELECT sealed_key FROM public.registration_authority_trainingkey",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT public.socle_provision('217900612')",
    f"SELECT public.socle_fence('{B}')",
    "UPDATE public.tenants_tenant SET organisation_id = organisation_id",
    "DELETE FROM journal_entry",
    "UPDATE journal_entry SET event = 'a.b'",
]


WHY = (
    "permission denied",
    "not allowed under a commune's role",
    "multiple commands",
    "must be superuser",
    "is not allowed in a non-volatile function",
    "cannot perform UPDATE RETURNING",
)
"""What a refusal says: a mistake in an attempt would prove nothing."""


@pytest.fixture
def reasons() -> Iterator[list[str]]:
    """What the views of this test died of."""
    found: list[str] = []

    def note(**_: Any) -> None:
        found.append(str(sys.exc_info()[1]))

    got_request_exception.connect(note)
    yield found
    got_request_exception.disconnect(note)


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_attempt_is_refused_for_a_reason(
    hole: Browser, reasons: list[str], attempt: str
) -> None:
    answer = hole.get("/trou/", {"q": attempt})
    assert answer.status_code == 500
    assert CANARY.encode() not in answer.content
    assert any(why in reasons[0] for why in WHY), reasons


@pytest.mark.parametrize(
    "tail",
    [
        f"' UNION SELECT objet FROM {B}.actes_act --",
        f"'; SET ROLE {B}; SELECT objet FROM {B}.actes_act --",
        f"'; RESET ROLE; SELECT objet FROM {B}.actes_act --",
        f"' OR set_config('role', '{B}', false) = '{B}",
        "' UNION SELECT password FROM public.accounts_person --",
    ],
)
def test_a_quote_that_was_not_closed_opens_nothing(
    hole: Browser, reasons: list[str], tail: str
) -> None:
    answer = hole.get("/trou/recherche/", {"q": tail})
    assert answer.status_code == 500
    assert any(why in reasons[0] for why in WHY), reasons
    assert CANARY.encode() not in answer.content


@pytest.mark.parametrize(
    "question",
    [
        "SELECT * FROM public.delivery_outbound",
        "SELECT * FROM public.notices_notice",
        "SELECT * FROM public.registration_authority_piece",
        "SELECT * FROM public.billing_invoice",
        "SELECT * FROM public.onboarding_onboardingcase",
        "SELECT * FROM public.tenants_tenant WHERE schema_name <> 'public'",
        "SELECT * FROM accounts_person",
        "SELECT query FROM pg_stat_activity",
    ],
)
def test_what_may_be_asked_says_nothing_of_the_neighbour(hole: Browser, question: str) -> None:
    answer = hole.get("/trou/", {"q": question})
    assert answer.status_code == 200
    assert CANARY.encode() not in answer.content
    assert B.encode() not in answer.content


def test_the_role_goes_with_the_view(hole: Browser) -> None:
    hole.get("/trou/", {"q": "SELECT 1"})
    assert _whoever() == WEB
    assert hole.get("/trou/panne/").status_code == 500
    assert _whoever() == WEB


def test_a_request_puts_back_what_a_killed_thread_left(hole: Browser) -> None:
    connection.set_schema(B)
    connection.fence(up=True)  # and nobody lowers it
    answer = hole.get("/trou/compte/", {"q": "SELECT current_user::text"})
    assert answer.content == f"[('{WEB}',)]".encode()
    answer = hole.get("/trou/", {"q": "SELECT current_user::text"})
    assert answer.content == f"[('{A}',)]".encode()
    connection.set_schema_to_public()


def test_a_streamed_answer_stays_behind_the_fence(hole: Browser) -> None:
    answer = b"".join(hole.get("/trou/flux/").streaming_content).decode()
    assert answer.count(A) == 2 * 2
    assert WEB not in answer
    assert _whoever() == WEB


def test_what_needs_no_capability_keeps_the_platforms_role(hole: Browser) -> None:
    answer = hole.get("/trou/compte/", {"q": "SELECT current_user::text"})
    assert answer.content == f"[('{WEB}',)]".encode()


def test_a_list_read_in_pieces_is_behind_the_fence_too(planted: Planted, melle: Any) -> None:
    with work.inside(melle.schema_name), transaction.atomic():
        assert list(Act.objects.iterator(chunk_size=1)) == []
        hostile = Act.objects.extra(where=["true); SET ROLE none; SELECT (1"]).order_by()
        with pytest.raises(DatabaseError) as refusal, transaction.atomic():
            list(hostile.iterator(chunk_size=1))
    assert "multiple commands" in str(refusal.value) + str(refusal.value.__context__)


def test_a_role_that_does_not_exist_stops_the_work(portal: Any) -> None:
    with pytest.raises(DatabaseError, match="does not exist"), transaction.atomic():
        with work.inside("t_nobody"), connection.cursor() as cursor:
            cursor.execute("SELECT 1")


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT 1",
        b" (select 1)",
        b"-- why\nWITH x AS (SELECT 1) SELECT 1",
        b"ROLLBACK  TO SAVEPOINT x",
    ],
)
def test_the_work_of_a_page_is_let_through(text: bytes) -> None:
    check_statement(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"SET ROLE x",
        b"ROLLBACK",
        b"-- SELECT\nRESET ROLE",
        b"/* SELECT */ SET ROLE x",
        b"DO $$$$",
        b"COMMIT",
    ],
)
def test_everything_else_is_not(text: bytes) -> None:
    with pytest.raises(StatementRefused):
        check_statement(text)


def _whoever() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user::text")
        return str(cursor.fetchone()[0])
