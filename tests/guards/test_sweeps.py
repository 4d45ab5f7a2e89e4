"""Every round of the clock goes on past an item that raises anything, and shows it with its cause.

Each task of the project is declared below: the rounds it makes, or why it makes none. A new task
without its declaration fails here. A round is fed three items, the second of which raises; it runs
on a real connection, where what PostgreSQL refuses breaks what it would break in production, and
what is on the desk is read back from the database.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.core.refusals import Refusal
from socle.delivery import actions as corridor
from socle.delivery.adapters import Return
from socle.delivery.models import Inbound, Outbound, Stumble, TransmissionOperator
from socle.directory.models import Organisation
from socle.journal.models import Entry
from socle.notices import actions as notices
from socle.notices.models import Notice
from tenants.models import Tenant
from tests.billing.databases import own_database
from tests.guards.test_tasks import _ours
from tests.people import person

REPO = Path(__file__).resolve().parents[2]
BAD = 1
"""The rank, from zero, of the item that raises."""


class Rows:
    """Stands for a manager and its querysets: whatever is asked of it, these rows."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)


def model(rows: list[Any]) -> Any:
    """Stands for a model that has these rows."""
    return SimpleNamespace(objects=Rows(rows))


def first(*given: Any, **named: Any) -> Any:
    """The item a piece of work was given."""
    return next(iter(given or named.values()))


def here(*_: Any, **__: Any) -> str:
    """The item of a round over spaces: the schema the work is done in."""
    return str(connection.schema_name)


def on_the_desk(_: Any) -> str:
    """Why the only item on the desk failed."""
    rows = list(Stumble.objects.all())
    assert len(rows) == 1, [str(row) for row in rows]
    return rows[0].cause


@dataclass(frozen=True)
class Round:
    """One loop of a task: where its items come from, what it does with each, where a failure shows.

    `items` is patched to give `made()`, unless it is empty: then `made` writes real rows. `work` is
    patched by what raises for the second of them; `which` tells which one it was given. `shown`
    reads the cause of the second one back from the database.
    """

    work: str
    items: str = ""
    made: Callable[[], list[Any]] = lambda: [11, 12, 13]
    given: Callable[[list[Any]], Any] = lambda made: lambda *_, **__: made
    which: Callable[..., Any] = first
    shown: Callable[[Any], str] = on_the_desk
    beside: dict[str, Any] = field(default_factory=dict)
    run: Callable[[], object] | None = None


def named(*keys: int) -> list[Any]:
    """Objects that only have what a label needs."""
    return [
        SimpleNamespace(pk=key, serial=key, operator_id=1, organisation_id=1, organisation=key)
        for key in keys
    ]


def communes() -> list[str]:
    """The schemas of three communes, in the order of a round."""
    found = Tenant.objects.exclude(organisation=None).order_by("pk")
    return list(found.values_list("schema_name", flat=True))


def three_notices() -> list[int]:
    """Three mails to send to one person."""
    body = Organisation.objects.order_by("pk")[0]
    who = person(Role.TRANSMITTER, at=body)
    Notice.objects.all().delete()
    for key in "abc":
        notices.tell(
            people=[who],
            organisation=body,
            key=key,
            subject=key,
            body=key,
            at=timezone.now(),
        )
    return list(Notice.objects.order_by("pk").values_list("pk", flat=True))


def three_files() -> list[int]:
    """Three files due at an operator."""
    body = Organisation.objects.order_by("pk")[0]
    by = person(Role.TRANSMITTER, at=body)
    Outbound.objects.all().delete()
    for rank in range(3):
        Outbound.objects.create(
            organisation=body,
            schema=communes()[0],
            protocol="helios",
            operator=TransmissionOperator.objects.order_by("pk")[0],
            name=f"f{rank}",
            payload="0" * 32,
            sha256="0" * 64,
            size=1,
            subject_id=rank + 1,
            asked_by=by,
            created_at=timezone.now(),
            due_at=timezone.now(),
        )
    return list(Outbound.objects.order_by("due_at", "pk").values_list("pk", flat=True))


def three_returns() -> list[int]:
    """Three returns kept and not read."""
    Inbound.objects.all().delete()
    operator = TransmissionOperator.objects.order_by("pk")[0]
    for rank in range(3):
        content = f"{rank} {timezone.now()}".encode()
        corridor.keep(operator, Return(str(rank), "helios", f"r{rank}.xml"), content)
    return list(Inbound.objects.order_by("pk").values_list("pk", flat=True))


def waiting() -> list[Return]:
    """Three returns at an operator."""
    return [Return(str(rank), "helios", f"r{rank}.xml") for rank in range(3)]


def at_an_operator(made: list[Return]) -> Any:
    """The adapter of an operator where these wait."""
    return lambda operator: SimpleNamespace(returns=lambda: iter(made))


def collect() -> None:
    """One round at the first operator."""
    corridor.collect(TransmissionOperator.objects.order_by("pk")[0])


NOBODY: dict[str, Any] = {"socle.delivery.actions.adapter_for": at_an_operator([])}
RA = "registration_authority"
SWEEPS: dict[str, list[Round]] = {
    "delivery.send_due": [
        Round(
            "socle.delivery.actions.send",
            made=three_files,
            which=lambda outbound: outbound.pk,
            shown=lambda key: Outbound.objects.get(pk=key, state="held").last_error,
        )
    ],
    "delivery.collect": [
        Round(
            "socle.delivery.actions.collect",
            items="socle.delivery.tasks.TransmissionOperator",
            given=model,
        ),
        Round(
            "socle.delivery.actions._take",
            items="socle.delivery.actions.adapter_for",
            made=waiting,
            given=at_an_operator,
            which=lambda operator, adapter, one: one,
            run=collect,
        ),
        Round(
            "socle.delivery.actions._match",
            made=three_returns,
            shown=lambda key: Inbound.objects.get(pk=key, state="failed").message,
            beside=NOBODY,
            run=collect,
        ),
    ],
    "notices.send_mail": [
        Round(
            "socle.notices.actions._mail",
            made=three_notices,
            which=lambda notice: notice.pk,
            shown=lambda key: Notice.objects.get(pk=key, mailed_at=None).mail_problem,
        )
    ],
    "s2low.fetch_papers": [
        Round(
            "socle.s2low.actions.fetch_papers",
            items="socle.s2low.queries.awaiting_papers",
            made=lambda: named(1, 2, 3),
            beside={"socle.s2low.papers._client": lambda row, at: None},
        )
    ],
    "actes.remind_letters": [
        Round("socle.actes.tasks._remind", made=communes, which=here),
        Round(
            "socle.actes.letters._remind",
            items="socle.actes.letters.Letter",
            made=lambda: named(1, 2, 3),
            given=model,
            beside={
                "socle.actes.letters.acknowledge_due": lambda at: None,
                "socle.actes.tasks._tenants": lambda: Tenant.objects.exclude(organisation=None)[:1],
            },
        ),
        Round(
            "socle.actes.letters.acknowledge",
            items="socle.actes.letters.Letter",
            made=lambda: named(1, 2, 3),
            given=model,
            beside={
                "socle.actes.letters.remind": lambda at: 0,
                "socle.actes.tasks._tenants": lambda: Tenant.objects.exclude(organisation=None)[:1],
            },
        ),
    ],
    "actes.sweep_bundles": [
        Round("socle.actes.tasks._sweep", made=communes, which=here),
        Round(
            "socle.actes.bundles._forget",
            items="socle.actes.bundles.Bundle",
            made=lambda: named(1, 2, 3),
            given=model,
            beside={
                "socle.actes.working.abandoned": lambda *_, **__: Rows([]),
                "socle.actes.tasks._tenants": lambda: Tenant.objects.exclude(organisation=None)[:1],
            },
        ),
        Round(
            "socle.actes.register_texts.read",
            items="socle.actes.register_texts.Posting",
            given=lambda made: SimpleNamespace(objects=Keys(made)),
            beside={
                "socle.actes.tasks._tenants": lambda: Tenant.objects.exclude(organisation=None)[:1]
            },
        ),
    ],
    "onboarding.refresh_cases": [
        Round(
            "tenants.onboarding.tasks._refresh",
            items="tenants.onboarding.tasks.OnboardingCase",
            given=model,
        ),
        Round(
            "tenants.onboarding.tasks._open_all",
            items="tenants.onboarding.tasks.CaseBatch",
            given=model,
        ),
    ],
    "opendata.publish": [
        Round(
            "tenants.opendata.actions._gather",
            items="tenants.opendata.queries.spaces",
            made=lambda: named(1, 2, 3),
        )
    ],
    "life.sweep": [
        Round("tenants.life.destroying.go_on", items="tenants.life.queries.due_destructions"),
        Round(
            "tenants.life.archives._erase",
            items="tenants.life.archives.Archive",
            given=model,
            beside={
                "tenants.life.archives._erase_drafts": lambda at: 0,
                "tenants.life.queries.lost_archives": lambda at: [],
            },
        ),
    ],
    "tenants.seal_journals": [
        Round("tenants.tasks._seal", items="tenants.tasks._journals", made=communes)
    ],
    "tenants.verify_journals": [
        Round("tenants.tasks._verify", items="tenants.tasks._journals", made=communes)
    ],
    "ra.sweep": [
        Round(f"{RA}.actions.issue_now", items=f"{RA}.queries.requests_to_send"),
        Round(f"{RA}.actions.settle_now", items=f"{RA}.queries.requests_to_settle"),
        Round(f"{RA}.actions.revoke_at_authority", items=f"{RA}.queries.revocations_to_confirm"),
    ],
    "ra.watch_revocations": [
        Round(f"{RA}.revocation.actions.watch", items=f"{RA}.revocation.queries.to_watch"),
        Round(f"{RA}.revocation.elections.apply", items=f"{RA}.revocation.elections.unfinished"),
        Round(
            f"{RA}.watch.actions._look_at_responder",
            items=f"{RA}.revocation.queries.unpublished",
            made=lambda: [SimpleNamespace(pk=one.pk, certificate=one) for one in named(1, 2, 3)],
            beside={f"{RA}.watch.actions._authorities": lambda rows: []},
        ),
        Round(
            f"{RA}.watch.actions._refresh",
            items=f"{RA}.watch.actions._authorities",
            made=lambda: ["a", "b", "c"],
        ),
    ],
    "ra.watch_certificates": [
        Round(f"{RA}.watch.actions.check", items=f"{RA}.watch.actions.to_check")
    ],
    "ra.purge": [Round(f"{RA}.evidence.retention.purge", items=f"{RA}.evidence.retention.due")],
    "ra.remind_renewals": [Round(f"{RA}.actions.remind", items=f"{RA}.tasks._to_renew")],
    "ra.clocks": [
        Round(f"{RA}.actions.warn_unanswered", items=f"{RA}.queries.requests_unanswered"),
        Round(f"{RA}.tasks._expire", items=f"{RA}.queries.files_uncollected"),
    ],
    "ra.watch_lists": [
        Round(
            f"{RA}.watch.actions._refresh",
            items=f"{RA}.tasks.CertificationAuthority",
            made=lambda: ["a", "b", "c"],
            given=model,
        )
    ],
}
SWEEPS["delivery.wake"] = SWEEPS["delivery.send_due"]

ONE_ITEM = {
    "actes.make_archive": "one package",
    "actes.make_bundle": "one export",
    "actes.read_text": "one posting",
    "journal.seal": "one journal",
    "life.make_archive": "one package",
    "ra.issue": "one certificate",
    "ra.revoke": "one certificate",
}
SHOWN_BY = {
    "actes.send_batch": (
        "tests/actes/test_batches.py",
        "test_an_incident_on_one_act_does_not_stop_the_others",
    ),
    "onboarding.open_cases": (
        "tests/onboarding/test_batch.py",
        "test_a_case_that_raises_anything_does_not_stop_the_others",
    ),
    "ra.apply_campaign": (
        "tests/registration_authority/revocation/test_elections.py",
        "test_a_line_that_raises_anything_does_not_stop_the_others",
    ),
}
"""Rounds over the rows of one batch, which shows what failed beside each row."""


class Keys(Rows):
    """Rows that are cut to the most a round takes."""

    def __getitem__(self, _: slice) -> list[Any]:
        return self._rows


def _divide_by_zero() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


def _break_a_constraint() -> None:
    """In a transaction, as every action of ours."""
    with transaction.atomic():
        Stumble.objects.create(what="x", item="x", since=timezone.now())
        Stumble.objects.create(what="x", item="x", since=timezone.now())


def _write_what_nobody_stores() -> None:
    Entry.objects.filter(event="\0").exists()


FAULTS: list[Any] = [
    ValueError("\0"),
    MemoryError(),
    RecursionError(),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    LookupError("unknown encoding"),
    KeyError("x"),
    AssertionError(),
    OSError("disk"),
    Refusal("Il manque une pièce."),
    _divide_by_zero,
    _break_a_constraint,
    _write_what_nobody_stores,
]


@pytest.fixture(scope="module")
def real(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database of this module's own, whose connection commits."""
    with own_database(django_db_blocker):
        yield


def _patch(patch: pytest.MonkeyPatch, path: str, value: Any) -> None:
    place, _, name = path.rpartition(".")
    patch.setattr(import_module(place), name, value)


def _go(task: str, one: Round) -> None:
    connection.set_schema_to_public()
    if one.run is not None:
        one.run()
    elif task == "delivery.wake":
        current_app.tasks[task](schema="public")
    else:
        current_app.tasks[task]()


def _key(item: Any) -> Any:
    return getattr(item, "pk", item) if not isinstance(item, Return) else item


@pytest.mark.parametrize("rank", range(4))
@pytest.mark.parametrize("task", sorted(SWEEPS))
def test_an_item_that_raises_anything_stops_no_other(
    real: None, monkeypatch: pytest.MonkeyPatch, task: str, rank: int
) -> None:
    if rank >= len(SWEEPS[task]):
        return
    one = SWEEPS[task][rank]
    for fault in FAULTS:
        connection.set_schema_to_public()
        Stumble.objects.all().delete()
        made = one.made()
        bad, went = _key(made[BAD]), []

        def work(
            *given: Any, fault: Any = fault, bad: Any = bad, went: Any = went, **n: Any
        ) -> Any:
            item = _key(one.which(*given, **n))
            if item != bad:
                went.append(item)
                return 0
            if callable(fault):
                fault()
            raise fault

        with monkeypatch.context() as patch:
            if one.items:
                _patch(patch, one.items, one.given(made))
            for path, value in one.beside.items():
                _patch(patch, path, value)
            _patch(patch, one.work, work)
            _go(task, one)

        connection.set_schema_to_public()
        assert went == [_key(item) for item in made if _key(item) != bad], fault
        assert one.shown(bad), fault
        if isinstance(fault, Refusal) and one.shown is on_the_desk:
            assert one.shown(bad) == str(fault)


@pytest.mark.parametrize("fault", [SoftTimeLimitExceeded, KeyboardInterrupt, SystemExit])
def test_what_ends_the_process_ends_the_round(
    real: None, monkeypatch: pytest.MonkeyPatch, fault: type[BaseException]
) -> None:
    def end(key: int, *, at: Any) -> None:
        raise fault

    monkeypatch.setattr("registration_authority.queries.requests_to_send", lambda at: [1])
    monkeypatch.setattr("registration_authority.actions.issue_now", end)
    with pytest.raises(fault):
        current_app.tasks["ra.sweep"]()


def test_every_task_is_declared() -> None:
    declared = [*SWEEPS, *ONE_ITEM, *SHOWN_BY]
    assert len(declared) == len(set(declared))
    assert set(declared) == _ours(), "say above which rounds a new task makes, or why it makes none"


@pytest.mark.parametrize("task", SHOWN_BY)
def test_what_is_shown_elsewhere_is_shown(task: str) -> None:
    path, name = SHOWN_BY[task]
    assert f"def {name}(" in (REPO / path).read_text()
