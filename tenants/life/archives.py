"""Make the package of a whole space: one snapshot of the database, streamed, sealed, then shown.

Nothing is written in clear to a disk but a spooled journal; the file appears under its name when it
is whole. A worker that dies leaves a lease that runs out: the next one begins again.
"""

import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from string import Template
from time import monotonic
from typing import Any, BinaryIO, Final, cast

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.utils import timezone
from django_tenants.utils import schema_context

from socle.core import crypto, sweeps
from socle.core.clock import PARIS
from socle.core.crypto import CannotUnseal
from socle.core.queue import SpaceGone
from socle.core.refusals import Refusal
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.documents.vault import DataSecret, VaultError
from socle.journal import actions as journal
from socle.journal.actions import record
from tenants import blueprints
from tenants.life import policies, rows
from tenants.life.models import Archive, ArchiveState
from tenants.life.package.container import (
    BLOCK,
    Listed,
    Member,
    as_stream,
    manifest_text,
    pack,
)
from tenants.life.package.envelope import Envelope
from tenants.models import Tenant

PURPOSE: Final = "life.archive"
FOLDER: Final = "paquets"
README: Final = "LISEZ-MOI.txt"
_SPOOL: Final = 8 << 20
_PACE: Final = 0.5
BY: Final = "Socle"


class LeaseLost(Exception):
    """Another worker took the archive over; this one stops."""


def make(*, archive_id: int, at: datetime) -> bool:
    """Make one package, or leave it to the worker that is at it; whether it was made here.

    Raises SpaceGone when the space is no more. What cannot be put in the package is said in the
    archive's message, and the archive has failed.
    """
    archive = claim(archive_id=archive_id, at=at)
    if archive is None:
        return False
    tenant = _tenant(archive)
    try:
        _make(archive, tenant)
    except LeaseLost:
        return False
    except Refusal as refusal:  # a journal that does not verify, for one
        _fail(archive, str(refusal))
        return False
    except (VaultError, FileNotFoundError, CannotUnseal) as problem:
        _fail(archive, f"Une pièce ne s’ouvre pas ({problem}) : rien n’a été livré.")
        return False
    return True


@transaction.atomic
def claim(*, archive_id: int, at: datetime) -> Archive | None:
    """Take an archive that waits, or whose worker died; None when there is nothing to take."""
    archive = (
        Archive.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("space__organisation", "asked_by")
        .filter(pk=archive_id, state__in=(ArchiveState.WAITING, ArchiveState.BUILDING))
        .first()
    )
    if archive is None or (
        archive.state == ArchiveState.BUILDING and not policies.is_lost(archive.lease_until, at=at)
    ):
        return None
    if archive.attempts >= policies.TRIES:
        _fail(archive, "La préparation s’est arrêtée plusieurs fois : appelez l’exploitant.")
        return None
    archive.state, archive.lease = ArchiveState.BUILDING, uuid.uuid4()
    archive.lease_until, archive.done = at + policies.LEASE, 0
    archive.attempts += 1
    archive.save(update_fields=["state", "lease", "lease_until", "done", "attempts"])
    return archive


def _make(archive: Archive, tenant: Tenant) -> None:
    envelope = envelope_of(archive)
    with tempfile.SpooledTemporaryFile(_SPOOL) as spool, rows.Snapshot(tenant) as snapshot:
        proofs = cast(BinaryIO, spool)
        _write_proofs(archive, tenant, proofs)  # before the first question: the snapshot holds it
        contents = _Contents(archive, tenant, snapshot, proofs, _progress(archive))
        clear = as_stream(pack(contents.members(), manifest=contents.manifest))
        counted = _Counted(envelope.seal(clear))
        key = f"{FOLDER}/{archive.pk}-{archive.lease}"
        written = vault().save(key, File(as_stream(counted)))
        _finish(archive, written, counted, contents)


def envelope_of(archive: Archive) -> Envelope:
    """The envelope of an archive that is not made yet. Raises CannotUnseal."""
    raw = crypto.unseal(bytes(archive.sealed_secret), purpose=PURPOSE)
    return Envelope(bytes(archive.preamble), DataSecret(uuid.UUID(bytes=raw[:16]), raw[16:]))


def sealed_secret(envelope: Envelope) -> bytes:
    """The key of an envelope, kept for the worker until the package is made."""
    return crypto.seal(envelope.key.key_id.bytes + envelope.key.secret, purpose=PURPOSE)


def vault() -> Storage:
    """Where packages lie: beside the files, under a folder that is no schema's."""
    return storages["vault"]


def _write_proofs(archive: Archive, tenant: Tenant, out: BinaryIO) -> None:
    with schema_context(tenant.schema_name):
        journal.export(
            schema=tenant.schema_name,
            out=out,
            by=archive.asked_by,
            at=timezone.now(),
            reason=f"Archive de l’espace : {archive.reason}",
        )


class _Contents:
    """The members of one package, and what the manifest says of them."""

    def __init__(
        self,
        archive: Archive,
        tenant: Tenant,
        snapshot: rows.Snapshot,
        proofs: BinaryIO,
        progress: Callable[[int, int], None],
    ) -> None:
        self.archive, self.tenant, self.snapshot = archive, tenant, snapshot
        self.proofs, self.progress = proofs, progress
        self.tables: list[dict[str, Any]] = []
        self.done = self.total = 0
        self.manifest_sha256 = ""
        self.position = 0

    def members(self) -> Iterator[Member]:
        """Everything, in an order that can be read as it comes: tables, files, proofs."""
        schema = self.tenant.schema_name
        own = self.snapshot.own_keys()
        referred = self.snapshot.referred(own)
        shared_files = self.snapshot.files_of(own)
        own_tables = self.snapshot.tables(schema)
        digests = self._digests(schema)
        self.position = self.snapshot.ask(
            f'SELECT coalesce(max(position), 0) FROM "{schema}".journal_entry'  # noqa: S608
        )[0][0]
        self.total = len(own_tables) + len(own) + len(referred) + len(digests) + len(shared_files)
        yield Member(README, [self._read_me().encode()])
        for table in own_tables:
            yield self._table("commune", table)
        for scope, keys in (("partagees", own), ("references", referred)):
            for model in rows.in_order(keys):
                yield self._shared(scope, model, keys[model])
        stored = self.snapshot.table("public", StoredFile._meta.db_table)
        yield self._table("fichiers-partages", stored, keys=[pk for pk, _ in shared_files])
        yield from self._files("fichiers", schema, digests)
        yield from self._files("fichiers-partages", "public", sorted({d for _, d in shared_files}))
        self.proofs.seek(0)
        yield Member("preuves/journal.zip", iter(lambda: self.proofs.read(BLOCK), b""), packed=True)

    def manifest(self, listed: Listed) -> bytes:
        """What the members are, once they went by."""
        text = manifest_text(self._facts(), listed)
        self.manifest_sha256 = sha256(text).hexdigest()
        return text

    def _facts(self) -> dict[str, Any]:
        organisation, archive = self.archive.space.organisation, self.archive
        version = {
            "fingerprint": self.tenant.blueprint,
            "migrations": blueprints.applied_in(self.tenant.schema_name),
        }
        return {
            "made_at": timezone.now().isoformat(),
            "made_by": str(archive.asked_by),
            "reason": archive.reason,
            "socle": settings.SOCLE_VERSION,
            "organisation": {
                "siren": organisation.siren,
                "insee": organisation.insee,
                "name": organisation.name,
                "kind": organisation.kind,
                "id": organisation.pk,
            },
            "schema": self.tenant.schema_name,
            "hosts": list(self.tenant.domains.order_by("pk").values_list("domain", flat=True)),
            "version": version,
            "sequences": self.snapshot.sequences(self.tenant.schema_name),
            "journal": {"position": self.position},
            "tables": self.tables,
            "left_out": rows.LEFT_OUT,
        }

    def _digests(self, schema: str) -> list[str]:
        found = self.snapshot.ask(
            f'SELECT DISTINCT sha256 FROM "{schema}".documents_storedfile ORDER BY 1'  # noqa: S608
        )
        return [digest for (digest,) in found]

    def _shared(self, scope: str, model: Any, keys: list[Any]) -> Member:
        table = self.snapshot.table("public", model._meta.db_table)
        blank = rows.blank_of(model)
        return self._table(scope, table, keys=keys, blank=blank, model=model._meta.label)

    def _table(self, scope: str, table: rows.Table, *, model: str = "", **which: Any) -> Member:
        name = f"tables/{scope}/{table.name}.jsonl"
        listed = {"member": name, "scope": scope, "table": table.name, "model": model, "rows": 0}
        listed["columns"] = [{"name": column, "type": kind} for column, kind in table.columns]
        self.tables.append(listed)
        return Member(name, self._blocks(listed, self.snapshot.lines(table, **which)))

    def _blocks(self, listed: dict[str, Any], lines: Iterator[str]) -> Iterator[bytes]:
        held: list[str] = []
        size = 0
        for line in lines:
            listed["rows"] += 1
            held.append(line)
            size += len(line)
            if size > BLOCK:
                yield ("\n".join(held) + "\n").encode()
                held, size = [], 0
                self._tell(0)
        if held:
            yield ("\n".join(held) + "\n").encode()
        self._tell(1)

    def _files(self, folder: str, schema: str, digests: list[str]) -> Iterator[Member]:
        for digest in digests:
            yield Member(f"{folder}/{digest}", self._content(schema, digest), packed=True)

    def _content(self, schema: str, digest: str) -> Iterator[bytes]:
        with schema_context(schema):
            stored = StoredFile.objects.filter(sha256=digest).first()
            if stored is None:
                raise FileNotFoundError(digest)
            content = documents.open_file(stored)
        with content:
            while block := content.read(BLOCK):
                yield block
                self._tell(0)
        self._tell(1)

    def _tell(self, done: int) -> None:
        self.done += done
        self.progress(self.done, self.total)

    def _read_me(self) -> str:
        template = Template(Path(__file__).with_name("lisez_moi.txt").read_text("utf-8"))
        organisation = self.archive.space.organisation
        return template.substitute(
            name=organisation.name,
            siren=organisation.siren,
            made_at=f"{timezone.now().astimezone(PARIS):%d/%m/%Y à %H:%M}",
            made_by=self.archive.asked_by,
            reason=self.archive.reason,
        )


class _Counted:
    """Blocks that are counted and hashed as they go by."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._digest, self.size = blocks, sha256(), 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self._digest.update(block)
            self.size += len(block)
            yield block

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def _progress(archive: Archive) -> Callable[[int, int], None]:
    """Say how far the work is, and that the worker lives, twice a second. Raises LeaseLost."""
    said = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal said
        if monotonic() - said < _PACE and done < total:
            return
        said = monotonic()
        ours = Archive.objects.filter(pk=archive.pk, lease=archive.lease)
        until = timezone.now() + policies.LEASE
        if not ours.update(done=done, total=total, lease_until=until):
            raise LeaseLost(str(archive))

    return tell


@transaction.atomic
def _finish(archive: Archive, key: str, counted: _Counted, contents: _Contents) -> None:
    now = timezone.now()
    ours = Archive.objects.filter(pk=archive.pk, lease=archive.lease)
    changed = ours.update(
        state=ArchiveState.READY,
        lease=None,
        lease_until=None,
        sealed_secret=b"",
        storage_key=key,
        size=counted.size,
        sha256=counted.sha256,
        manifest_sha256=contents.manifest_sha256,
        journal_position=contents.position,
        finished_at=now,
        message="",
    )
    if not changed:
        vault().delete(key)
        raise LeaseLost(str(archive))
    record(
        event="life.archived",
        subject=archive.space.organisation,
        by=BY,
        at=now,
        detail={
            "archive": archive.pk,
            "sha256": counted.sha256,
            "manifest": contents.manifest_sha256,
            "size": counted.size,
        },
    )


@transaction.atomic
def _fail(archive: Archive, why: str) -> None:
    open_now = Archive.objects.filter(
        pk=archive.pk, state__in=(ArchiveState.WAITING, ArchiveState.BUILDING)
    )
    changed = open_now.update(
        state=ArchiveState.FAILED,
        lease=None,
        lease_until=None,
        sealed_secret=b"",
        message=why[:500],
    )
    if changed:
        record(
            event="life.archive_failed",
            subject=archive.space.organisation,
            by=BY,
            at=timezone.now(),
            detail={"archive": archive.pk, "why": why[:500]},
            outcome="refused",
        )


def _tenant(archive: Archive) -> Tenant:
    tenant = Tenant.objects.select_related("organisation").filter(schema_name=archive.space.schema)
    found = tenant.first()
    if found is None:
        _fail(archive, "L’espace n’existe plus.")
        raise SpaceGone(f"{archive.space.schema} was destroyed: its archive cannot be made")
    return found


def erase_old(*, at: datetime) -> int:
    """Erase packages older than `policies.KEPT_FOR`, and what dead workers left behind."""
    old = Archive.objects.filter(state=ArchiveState.READY, finished_at__lt=at - policies.KEPT_FOR)
    found = old.select_related("space__organisation")
    erased = sweeps.each("Archive d’un espace à effacer", found, lambda one: _erase(one, at=at))
    return sum(erased) + _erase_drafts(at=at)


def _erase(archive: Archive, *, at: datetime) -> bool:
    vault().delete(archive.storage_key)
    with transaction.atomic():
        ready = Archive.objects.filter(pk=archive.pk, state=ArchiveState.READY)
        if not ready.update(state=ArchiveState.EXPIRED):
            return False
        record(
            event="life.archive_erased",
            subject=archive.space.organisation,
            by=BY,
            at=at,
            detail={"archive": archive.pk},
        )
    return True


def _erase_drafts(*, at: datetime) -> int:
    """Delete files of the folder that no archive names and nobody writes any more."""
    try:
        names = vault().listdir(FOLDER)[1]
    except FileNotFoundError:
        return 0
    known = set(Archive.objects.exclude(storage_key="").values_list("storage_key", flat=True))
    drafts = [f"{FOLDER}/{name}" for name in names if f"{FOLDER}/{name}" not in known]
    dead = [key for key in drafts if vault().get_modified_time(key) < at - policies.ABANDONED]
    for key in dead:
        vault().delete(key)
    return len(dead)
