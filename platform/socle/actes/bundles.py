"""ZIPs of acts with their proofs: asked for, made in the background, forgotten after a week."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import BinaryIO, Final

from django.db import transaction
from django.db.models import QuerySet

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import permissions, policies, queries
from socle.actes.models import Act, Bundle, BundleState
from socle.core import queue
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.documents.sniff import Kind as ContentKind
from socle.journal.actions import record

KEPT_FOR: Final = timedelta(days=7)
FORGOTTEN_AFTER: Final = timedelta(minutes=10)
"""A bundle still waiting after this has probably lost its worker."""
_PACKED: Final = frozenset({ContentKind.PDF, ContentKind.JPEG, ContentKind.PNG, "application/gzip"})


@transaction.atomic
def ask(*, acts: Sequence[int], by: Person, at: datetime) -> Bundle:
    """Have a ZIP made of these acts (keys). Raises NotAllowed or TooManyActs."""
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_READ, organisation=organisation, at=at)
    if not 1 <= len(acts) <= policies.BUNDLE_LIMIT:
        raise policies.TooManyActs(
            f"Un export ZIP compte de 1 à {policies.BUNDLE_LIMIT} actes et votre recherche en "
            f"donne {len(acts)} : changez vos filtres, par exemple une année à la fois."
        )
    bundle = Bundle.objects.create(
        asked_at=at, asked_by=by, asked_by_label=str(by), acts=list(acts)
    )
    detail = {"count": str(len(acts))}
    record(event="actes.bundle_asked", subject=bundle, by=by, at=at, detail=detail)
    queue.after_commit("actes.make_bundle", bundle_id=bundle.pk)
    return bundle


def make(*, bundle_id: int, at: datetime) -> bool:
    """Make the ZIP, and tell how far it is on the way. False when it exists already, or is gone.

    Safe to call twice: the second file is thrown away.
    """
    bundle = Bundle.objects.filter(pk=bundle_id, state=BundleState.WAITING).first()
    if bundle is None:
        return False
    with tempfile.TemporaryFile() as out:
        _write(bundle, out)
        out.seek(0)
        name = f"actes-{at:%Y%m%d}-{bundle.pk}.zip"
        stored = documents.store(
            content=out, name=name, by="Socle", at=at, media_type="application/zip"
        )
    waiting = Bundle.objects.filter(pk=bundle_id, state=BundleState.WAITING)
    if waiting.update(state=BundleState.DONE, content=stored, finished_at=at):
        return True
    stored.delete()
    return False


@transaction.atomic
def sweep(*, at: datetime) -> None:
    """Start again what lost its worker, and forget what is a week old."""
    old = list(Bundle.objects.filter(asked_at__lt=at - KEPT_FOR).select_related("content"))
    for bundle in old:
        bundle.delete()
        if bundle.content:
            bundle.content.delete()
    lost = Bundle.objects.filter(state=BundleState.WAITING, asked_at__lt=at - FORGOTTEN_AFTER)
    for key in lost.values_list("pk", flat=True):
        queue.after_commit("actes.make_bundle", bundle_id=key)


def _write(bundle: Bundle, out: BinaryIO) -> None:
    names: set[str] = set()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for done, key in enumerate(bundle.acts, 1):
            act = _acts().filter(pk=key).first()
            if act is not None:
                _add(archive, act, names)
            Bundle.objects.filter(pk=bundle.pk).update(done=done)


def _acts() -> QuerySet[Act]:
    return Act.objects.select_related("bordereau").prefetch_related(
        "files__stored", "files__stamped", "transactions__archive", "transactions__message"
    )


def _add(archive: zipfile.ZipFile, act: Act, names: set[str]) -> None:
    folder = _unique(_safe(act.number or f"brouillon {act.pk}"), names)
    inside: set[str] = set()
    for name, stored in _papers(act):
        entry = zipfile.ZipInfo(f"{folder}/{_unique(_safe(name), inside)}", _TIME)
        packed = stored.media_type in _PACKED
        entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        with documents.open_file(stored) as content, archive.open(entry, "w") as target:
            shutil.copyfileobj(content, target)


_TIME: Final = (1980, 1, 1, 0, 0, 0)


def _papers(act: Act) -> Iterator[tuple[str, StoredFile]]:
    for file in act.files.all():
        yield file.stored.name, file.stored
        if file.stamped:
            yield file.stamped.name, file.stamped
    if act.bordereau:
        yield act.bordereau.name, act.bordereau
    for one in act.transactions.all():
        stored = one.message or one.archive
        if stored:
            yield f"preuves {one.kind} {stored.name}", stored


def _safe(name: str) -> str:
    return "".join("_" if one in '/\\:*?"<>|' else one for one in name).strip(". ") or "fichier"


def _unique(name: str, taken: set[str]) -> str:
    """`name`, or « name (2) » when it is taken, whatever the capitals."""
    stem, dot, extension = name.rpartition(".") if "." in name else (name, "", "")
    count, found = 1, name
    while found.casefold() in taken:
        count += 1
        found = f"{stem} ({count}){dot}{extension}"
    taken.add(found.casefold())
    return found
