"""Destroy a space, step by step, so that a run that was killed is finished by the next.

Every step is idempotent and written down when it is done: the step of the files after they are
gone, those of the database in the transaction that does them. The key goes first: whatever happens
afterwards, nothing of the commune's can be read any more.
"""
# ruff: noqa: S608 -- SQL made of the models' own names.

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django_tenants.utils import schema_context

from socle.accounts.models import Authenticator, Login, Person, RecoveryCode
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.directory import actions as directory
from socle.directory import queries as organisations
from socle.directory.models import Grant, Membership
from socle.documents import actions as documents
from socle.documents.keys import actions as keys
from socle.documents.models import StoredFile
from socle.journal import actions as journal
from socle.journal import tables as entries
from socle.journal.actions import record
from tenants.life import actions, papers, policies, rows
from tenants.life.models import (
    Destruction,
    DestructionState,
    DestructionStep,
    Space,
    SpaceState,
)
from tenants.models import Domain, Tenant

BY: Final = "Socle"
LOCK_TIMEOUT: Final = "5s"
_WITH_THE_TENANT: Final = {"tenants.Tenant", "tenants.Domain"}


def go_on(*, destruction_id: int, at: datetime) -> bool:
    """Begin a destruction that is due, or go on with one that was stopped; whether it is over.

    What happened in the space since the archive stops it before it begins, with a sentence.
    Raises DatabaseError when a lock does not come: the next call goes on.
    """
    try:
        destruction = _begin(destruction_id, at=at)
    except Refusal as refusal:
        Destruction.objects.filter(pk=destruction_id).update(message=str(refusal)[:500])
        return False
    if destruction is None:
        return False
    done = set(destruction.steps.values_list("name", flat=True))
    for name, work in STEPS.items():
        if name not in done:
            _do(destruction, name, work, at=at)
    return True


@transaction.atomic
def _begin(destruction_id: int, *, at: datetime) -> Destruction | None:
    destruction = (
        Destruction.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("space__organisation", "archive__space", "asked_by", "confirmed_by")
        .filter(pk=destruction_id)
        .first()
    )
    if destruction is None or destruction.state == DestructionState.RUNNING:
        return destruction
    if destruction.state != DestructionState.CONFIRMED or destruction.not_before > at:
        return None
    actions.check_nothing_new(destruction)
    space = Space.objects.select_for_update(of=("self",)).get(pk=destruction.space_id)
    policies.check_space(space.state, SpaceState.CONDEMNED)
    space.state, space.changed_at, space.changed_by_label = SpaceState.CONDEMNED, at, BY
    space.save(update_fields=["state", "changed_at", "changed_by_label"])
    directory.close_space(organisation=space.organisation)
    destruction.state, destruction.message = DestructionState.RUNNING, ""
    destruction.save(update_fields=["state", "message"])
    record(event="life.destruction_begun", subject=space.organisation, by=BY, at=at)
    return destruction


Detail = dict[str, Any]
Work = Callable[[Destruction, datetime], Detail]


@transaction.atomic
def _do(destruction: Destruction, name: str, work: Work, *, at: datetime) -> None:
    """One step and the note that it is done, in one transaction, once for all workers."""
    Destruction.objects.select_for_update(of=("self",)).get(pk=destruction.pk)
    if destruction.steps.filter(name=name).exists():  # another worker was quicker
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    detail = work(destruction, at)
    DestructionStep.objects.create(destruction=destruction, name=name, done_at=at, detail=detail)


def _inventory(destruction: Destruction, at: datetime) -> Detail:
    """Count everything before anything goes."""
    schema = destruction.space.schema
    tables = {}
    with connection.cursor() as cursor:
        for model in rows.tenant_models():
            cursor.execute(f'SELECT count(*) FROM "{schema}".{model._meta.db_table}')
            (tables[model._meta.label],) = cursor.fetchone()
        cursor.execute(
            f"SELECT count(DISTINCT sha256), coalesce(sum(size), 0)::bigint "
            f'FROM "{schema}".documents_storedfile'
        )
        files, size = cursor.fetchone()
    last = entries.last_seal(schema)
    return {
        "tables": {label: count for label, count in tables.items() if count},
        "files": files,
        "bytes": int(size),
        "journal": entries.last_position(schema),
        "last_seal": bytes(last.seal_hash).hex() if last else "",
    }


def _forget_key(destruction: Destruction, at: datetime) -> Detail:
    return {"key": keys.forget(destruction.space.schema)}


def _erase_files(destruction: Destruction, at: datetime) -> Detail:
    with schema_context(destruction.space.schema):
        return {"erased": documents.erase_all()}


def _delete_rows(destruction: Destruction, at: datetime) -> Detail:
    """The commune's rows of the shared tables, children first, but those the law keeps."""
    tenant = Tenant.objects.get(schema_name=destruction.space.schema)
    with rows.Snapshot(tenant) as snapshot:
        own = snapshot.own_keys()
        going = {
            model: found
            for model, found in own.items()
            if model._meta.label not in policies.KEPT and model._meta.label not in _WITH_THE_TENANT
        }
        named = {pk for pk, _ in snapshot.files_of(going)}
        named -= {pk for pk, _ in snapshot.files_of({m: own[m] for m in own if m not in going})}
    people = list(Grant.objects.filter(organisation=tenant.organisation).values_list("person_id"))
    deleted = {}
    for model in reversed(rows.in_order(going)):
        deleted[model._meta.label] = _delete(model, going[model])
    deleted["s2low.S2lowAccount"] = _delete_accounts(tenant)
    files = _delete_files(named)
    kept = {
        model._meta.label: len(own[model]) for model in own if model._meta.label in policies.KEPT
    }
    return {
        "deleted": {label: count for label, count in deleted.items() if count},
        "kept": {label: count for label, count in kept.items() if count},
        "files": files,
        "people": _close_accounts([pk for (pk,) in people]),
    }


def _delete(model: Any, found: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM public.{model._meta.db_table} WHERE {model._meta.pk.column} = ANY(%s)",
            [found],
        )
        return int(cursor.rowcount)


def _delete_accounts(tenant: Tenant) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM public.s2low_s2lowaccount WHERE organisation_id = %s",
            [tenant.organisation_id],
        )
        return int(cursor.rowcount)


def _delete_files(named: set[Any]) -> int:
    """Files of the syndicat that only the deleted rows named, and their blobs when nobody's."""
    stored = list(StoredFile.objects.filter(pk__in=named))
    StoredFile.objects.filter(pk__in=named).delete()
    digests = {one.storage_key for one in stored}
    used = StoredFile.objects.filter(storage_key__in=digests).values_list("storage_key", flat=True)
    orphans = digests - set(used)
    transaction.on_commit(lambda: documents.remove(orphans))
    return len(stored)


def _close_accounts(people: list[int]) -> int:
    """Close the accounts of people who work for nobody else: no second factor, no session."""
    elsewhere = Grant.objects.filter(person_id__in=people).values_list("person_id", flat=True)
    alone = set(people) - set(elsewhere)
    closed = {"is_active": False, "phone": "", "function": "", "password": make_password(None)}
    Person.objects.filter(pk__in=alone).update(**closed)
    Authenticator.objects.filter(user_id__in=alone).delete()
    RecoveryCode.objects.filter(person_id__in=alone).delete()
    Login.objects.filter(person_id__in=alone).delete()
    return len(alone)


def _drop(destruction: Destruction, at: datetime) -> Detail:
    """The schema, its role, its hosts and its tenant."""
    organisation, schema = destruction.space.organisation, destruction.space.schema
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.socle_destroy(%s)", [organisation.siren])
        (role,) = cursor.fetchone()
    # A return that came in since made another key and file: now nothing enters any more.
    keys.forget(schema)
    with schema_context(schema):
        documents.erase_all()
    hosts = list(Domain.objects.filter(tenant__schema_name=schema).values_list("domain", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM public.tenants_domain WHERE tenant_id IN "
            "(SELECT id FROM public.tenants_tenant WHERE schema_name = %s)",
            [schema],
        )
        cursor.execute("DELETE FROM public.tenants_tenant WHERE schema_name = %s", [schema])
    Membership.objects.filter(organisation=organisation, left_on=None).update(
        left_on=legal_date(at)
    )
    return {"schema": schema, "role": bool(role), "hosts": hosts}


def _certify(destruction: Destruction, at: datetime) -> Detail:
    """The certificate, its entry in the syndicat's journal, the seal over it, and the end."""
    facts = {step.name: step.detail for step in destruction.steps.all()}
    pdf = papers.certificate(destruction, facts, organisations.syndicat(), at=at)
    name = f"Certificat de destruction {destruction.space.organisation.siren}.pdf"
    stored = documents.store(content=pdf, name=name, by=BY, at=at)
    record(
        event="life.destroyed",
        subject=destruction.space.organisation,
        by=BY,
        at=at,
        detail={
            "certificate": stored.sha256,
            "asked_by": str(destruction.asked_by),
            "confirmed_by": str(destruction.confirmed_by),
            "archive": destruction.archive.manifest_sha256 if destruction.archive else "",
            "waiver": destruction.waiver,
            "rows": sum(facts["inventory"]["tables"].values()),
            "files": facts["inventory"]["files"],
            "key": facts["key"]["key"],
        },
        schema="public",
    )
    journal.seal(at=at, schema="public")
    directory.start_space(organisation=destruction.space.organisation)
    space = destruction.space
    Space.objects.filter(pk=space.pk, state=SpaceState.CONDEMNED).update(
        state=SpaceState.DESTROYED, changed_at=at, changed_by_label=BY
    )
    Destruction.objects.filter(pk=destruction.pk, state=DestructionState.RUNNING).update(
        state=DestructionState.DONE, finished_at=at, certificate=stored.pk
    )
    return {"certificate": str(stored.pk), "sha256": stored.sha256}


STEPS: Final[dict[str, Work]] = {
    "inventory": _inventory,
    "key": _forget_key,
    "files": _erase_files,
    "rows": _delete_rows,
    "schema": _drop,
    "certificate": _certify,
}
"""In this order. What each counted is on the certificate."""
