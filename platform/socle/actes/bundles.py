"""Acts taken away together, as ZIP or as one PDF: asked for, made in the background, forgotten.

An export of thousands of acts is made volume by volume: a worker killed half way loses the volume
it was at, the next one goes on from there.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import BinaryIO, Final

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import merging, permissions, policies, queries, working
from socle.actes.models import Act, Bundle, BundleKind, BundleState, BundleVolume
from socle.core import queue, sweeps
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.documents.sniff import Kind as ContentKind
from socle.journal.actions import record

KEPT_FOR: Final = timedelta(days=7)
VOLUME: Final = {BundleKind.ZIP: 200, BundleKind.PDF: 100}
"""Acts in one file: small enough to be made in a minute and opened on an old computer."""
_PACKED: Final = frozenset({ContentKind.PDF, ContentKind.JPEG, ContentKind.PNG, "application/gzip"})
_TIME: Final = (1980, 1, 1, 0, 0, 0)


@transaction.atomic
def ask(
    *, acts: Sequence[int], by: Person, at: datetime, kind: BundleKind = BundleKind.ZIP
) -> Bundle:
    """Have these acts (keys) put together. Raises NotAllowed or TooManyActs."""
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_READ, organisation=organisation, at=at)
    if not 1 <= len(acts) <= policies.BUNDLE_LIMIT:
        raise policies.TooManyActs(
            f"Un export compte de 1 à {policies.BUNDLE_LIMIT} actes et votre recherche en "
            f"donne {len(acts)} : changez vos filtres, par exemple une année à la fois."
        )
    bundle = Bundle.objects.create(
        kind=kind, asked_at=at, asked_by=by, asked_by_label=str(by), acts=list(acts)
    )
    detail = {"count": str(len(acts)), "kind": bundle.kind.upper()}
    record(event="actes.bundle_asked", subject=bundle, by=by, at=at, detail=detail)
    queue.after_commit("actes.make_bundle", bundle_id=bundle.pk)
    return bundle


def make(*, bundle_id: int, at: datetime) -> bool:
    """Make the volumes that are missing. False when there is none to make, or another does it.

    Safe to call twice, and to be killed: what is written stays, the rest is taken up by `sweep`.
    """
    waiting = Bundle.objects.filter(pk=bundle_id, state=BundleState.WAITING)
    if not working.claim(waiting, at=at):
        return False
    bundle = Bundle.objects.get(pk=bundle_id)
    made = set(bundle.volumes.values_list("rank", flat=True))
    for rank, keys in enumerate(_cut(bundle), 1):
        if rank not in made:
            _make_volume(bundle, rank, keys, at=at)
    return bool(waiting.update(state=BundleState.DONE, finished_at=at, done=len(bundle.acts)))


@transaction.atomic
def take(*, volume_id: int, by: Person, at: datetime) -> StoredFile:
    """The file of a volume, for a person who takes it away: her journal says so."""
    found = BundleVolume.objects.select_related("bundle", "content")
    volume = found.get(pk=volume_id)
    detail = {"name": volume.content.name, "count": str(volume.acts)}
    record(event="actes.bundle_taken", subject=volume.bundle, by=by, at=at, detail=detail)
    return volume.content


@transaction.atomic
def sweep(*, at: datetime) -> None:
    """Start again what lost its worker, and forget what is a week old."""
    sweeps.each(
        f"Export à oublier ({connection.schema_name})",
        Bundle.objects.filter(asked_at__lt=at - KEPT_FOR),
        _forget,
        named=lambda bundle: f"n° {bundle.pk}",
    )
    asked = Bundle.objects.filter(state=BundleState.WAITING, asked_at__lt=at - working.SILENT)
    for key in working.abandoned(asked, at=at).values_list("pk", flat=True):
        queue.after_commit("actes.make_bundle", bundle_id=key)


def _forget(bundle: Bundle) -> None:
    contents = [volume.content for volume in bundle.volumes.select_related("content")]
    bundle.delete()
    for content in contents:
        content.delete()


def _cut(bundle: Bundle) -> Iterator[Sequence[int]]:
    size = VOLUME[BundleKind(bundle.kind)]
    for first in range(0, len(bundle.acts), size):
        yield bundle.acts[first : first + size]


def _make_volume(bundle: Bundle, rank: int, keys: Sequence[int], *, at: datetime) -> None:
    kind = BundleKind(bundle.kind)
    first = (rank - 1) * VOLUME[kind]

    def tell(done: int) -> None:
        """Say how far it is, and that somebody is at work."""
        rows = Bundle.objects.filter(pk=bundle.pk)
        rows.update(done=first + done, seen_at=timezone.now())

    with tempfile.TemporaryFile() as out:
        _WRITERS[kind](keys, out, tell, at)
        out.seek(0)
        with transaction.atomic():
            stored = documents.store(
                content=out,
                name=f"actes-{bundle.asked_at:%Y%m%d}-{bundle.pk}-{rank}.{kind}",
                by="Socle",
                at=at,
                media_type=_TYPES[kind],
            )
            BundleVolume.objects.create(bundle=bundle, rank=rank, acts=len(keys), content=stored)


Tell = Callable[[int], None]


def _write_zip(keys: Sequence[int], out: BinaryIO, tell: Tell, at: datetime) -> None:
    names: set[str] = set()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for done, key in enumerate(keys, 1):
            act = _acts().filter(pk=key).first()
            if act is not None:
                _add(archive, act, names)
            tell(done)


def _write_pdf(keys: Sequence[int], out: BinaryIO, tell: Tell, at: datetime) -> None:
    with merging.Merger(str(queries.organisation_here()), at=at) as merger:
        for done, key in enumerate(keys, 1):
            act = _acts().filter(pk=key).first()
            if act is not None:
                merger.add(act)
            tell(done)
        merger.write(out)


_WRITERS: Final = {BundleKind.ZIP: _write_zip, BundleKind.PDF: _write_pdf}
_TYPES: Final = {BundleKind.ZIP: "application/zip", BundleKind.PDF: "application/pdf"}


def _acts() -> QuerySet[Act]:
    return Act.objects.select_related("bordereau").prefetch_related(
        "files__stored",
        "files__stamped",
        "files__stamp_sheet",
        "transactions__archive",
        "transactions__message",
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


def _papers(act: Act) -> Iterator[tuple[str, StoredFile]]:
    for file in act.files.all():
        yield file.stored.name, file.stored
        if file.stamped:
            yield file.stamped.name, file.stamped
        if file.stamp_sheet:
            yield file.stamp_sheet.name, file.stamp_sheet
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
