import hashlib
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone
from django_tenants.utils import schema_context, tenant_context

from socle.documents import actions
from socle.documents import vault as sealing
from socle.documents.keys.models import DataKey
from socle.documents.models import StoredFile
from tests import day
from tests.documents import pdfs

CONTENT = b"Extrait du registre des deliberations de Melle. " * 50


def keep(content: Any = CONTENT, name: str = "délib.pdf", **others: Any) -> StoredFile:
    at = datetime.fromisoformat("2026-11-24T12:00:00+01:00")
    return actions.store(content=content, name=name, by="Nathalie Géraud", at=at, **others)


def blobs(vault: Path) -> list[str]:
    return sorted(str(path.relative_to(vault)) for path in vault.rglob("*") if path.is_file())


def test_what_is_stored_is_read_back(town: Any) -> None:
    stored = keep()

    assert actions.read(stored) == CONTENT
    assert (stored.size, stored.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def test_a_stream_is_stored_whole_wherever_it_stood(town: Any) -> None:
    stream = io.BytesIO(CONTENT)
    stream.read(100)

    assert actions.read(keep(stream)) == CONTENT


def test_a_file_of_several_chunks_is_read_piece_by_piece(town: Any) -> None:
    content = bytes(range(256)) * 10_000
    with actions.open_file(keep(content)) as opened:
        pieces = list(iter(lambda: opened.read(300_000), b""))

    assert b"".join(pieces) == content
    assert len(pieces) > 1


def test_an_empty_file_can_be_kept(town: Any) -> None:
    assert actions.read(keep(b"")) == b""


def test_the_blob_lies_encrypted_under_its_schema_and_digest(town: Any, vault: Path) -> None:
    stored = keep()

    expected = f"{town.schema_name}/{stored.sha256[:2]}/{stored.sha256}"
    assert blobs(vault) == [expected] == [stored.storage_key]
    assert b"Melle" not in (vault / expected).read_bytes()


def test_the_same_content_twice_is_two_rows_and_one_blob(town: Any, vault: Path) -> None:
    first, second = keep(name="a.pdf"), keep(name="b.pdf")

    assert first.pk != second.pk
    assert len(blobs(vault)) == 1
    assert actions.read(second) == CONTENT


def test_a_blob_already_kept_is_not_written_again(town: Any, vault: Path) -> None:
    stored = keep()
    before = (vault / stored.storage_key).read_bytes()

    keep()

    assert (vault / stored.storage_key).read_bytes() == before


def test_a_blob_lost_from_the_disk_comes_back_with_the_next_deposit(town: Any, vault: Path) -> None:
    stored = keep()
    (vault / stored.storage_key).unlink()

    keep()

    assert actions.read(stored) == CONTENT


def test_a_rolled_back_deposit_can_be_made_again(town: Any) -> None:
    # The data key is rolled back with the row: the blob left behind can never be opened again.
    with transaction.atomic():
        keep()
        transaction.set_rollback(True)

    assert actions.read(keep()) == CONTENT


def test_the_type_is_sniffed_and_the_name_made_safe(town: Any) -> None:
    stored = keep(pdfs.plain(), name="..\\délib\u202e.pdf")

    assert (stored.media_type, stored.name) == ("application/pdf", "délib.pdf")


def test_a_type_that_is_given_is_kept(town: Any) -> None:
    assert keep(media_type="application/xml").media_type == "application/xml"


def test_each_commune_has_its_own_key_and_its_own_blob(
    town: Any, neighbour: Any, vault: Path
) -> None:
    mine = keep()
    with tenant_context(neighbour):
        theirs = keep()

    scopes = {town.schema_name, neighbour.schema_name}
    assert {path.split("/")[0] for path in blobs(vault)} == scopes
    assert (vault / mine.storage_key).read_bytes() != (vault / theirs.storage_key).read_bytes()
    assert set(DataKey.objects.filter(scope__in=scopes).values_list("scope", flat=True)) == scopes


def test_a_neighbour_s_blob_put_in_the_place_of_ours_does_not_open(
    town: Any, neighbour: Any, vault: Path
) -> None:
    mine = keep()
    with tenant_context(neighbour):
        theirs = keep()
    (vault / mine.storage_key).write_bytes((vault / theirs.storage_key).read_bytes())

    with pytest.raises(sealing.UnknownKey):
        actions.read(mine)


def test_a_file_opens_only_in_its_own_schema(town: Any, neighbour: Any) -> None:
    mine = keep()

    with tenant_context(neighbour), pytest.raises(sealing.UnknownKey):
        actions.read(mine)


def test_an_altered_blob_is_not_read(town: Any, vault: Path) -> None:
    stored = keep()
    path = vault / stored.storage_key
    path.write_bytes(path.read_bytes()[:-1] + b"\0")

    with pytest.raises(sealing.Tampered):
        actions.read(stored)


def test_a_stream_opened_in_a_schema_is_read_after_leaving_it(town: Any) -> None:
    opened = actions.open_file(keep())

    with schema_context("public"), opened:
        assert opened.read() == CONTENT


def test_a_file_kept_in_the_public_schema_has_its_own_key(portal: Any) -> None:
    stored = keep()

    assert stored.storage_key.startswith("public/")
    assert actions.read(stored) == CONTENT


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "0" * 64},
        {"size": 1},
        {"storage_key": "elsewhere/" + "0" * 64},
        {"created_by_label": "Quelqu’un d’autre"},
        {"created_at": datetime.fromisoformat("2020-01-01T00:00:00+00:00")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_database_refuses_to_change_what_was_deposited(
    town: Any, change: dict[str, Any]
) -> None:
    stored = keep()

    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        StoredFile.objects.filter(pk=stored.pk).update(**change)


def test_a_file_may_be_renamed(town: Any) -> None:
    stored = keep()

    StoredFile.objects.filter(pk=stored.pk).update(name="delib-2026-012.pdf")

    assert actions.read(StoredFile.objects.get(pk=stored.pk)) == CONTENT


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"sha256": "A" * 64, "storage_key": "x/" + "A" * 64}, "sha256_is_hex"),
        ({"sha256": "ab", "storage_key": "x/ab"}, "sha256_is_hex"),
        ({"size": -1}, "size_counts"),
        ({"storage_key": "x/" + "1" * 64}, "key_is_digest"),
    ],
)
def test_the_database_refuses_a_row_that_cannot_be(
    town: Any, fields: dict[str, Any], constraint: str
) -> None:
    sound = {
        "name": "a",
        "media_type": "application/pdf",
        "size": 1,
        "sha256": "0" * 64,
        "storage_key": "x/" + "0" * 64,
        "created_at": timezone.now(),
        "created_by_label": "moi",
    }

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        StoredFile.objects.create(**{**sound, **fields})


def test_the_keys_are_in_no_commune_s_schema(town: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_schema FROM information_schema.tables WHERE table_name = %s",
            [DataKey._meta.db_table],
        )
        assert cursor.fetchall() == [("public",)]


@pytest.fixture
def tomorrow() -> datetime:
    return day.latest() + timedelta(days=1)


def test_a_blob_no_row_names_is_deleted(town: Any, vault: Path, tomorrow: datetime) -> None:
    kept, dropped = keep(), keep(b"autre")
    dropped.delete()

    assert actions.delete_orphans(before=tomorrow) == [dropped.storage_key]
    assert blobs(vault) == [kept.storage_key]


def test_a_blob_two_rows_named_stays_for_the_second(town: Any, tomorrow: datetime) -> None:
    first, second = keep(), keep()
    first.delete()

    assert actions.delete_orphans(before=tomorrow) == []
    assert actions.read(second) == CONTENT


def test_a_blob_just_written_is_left_to_its_deposit(town: Any) -> None:
    keep().delete()

    assert actions.delete_orphans(before=day.of_system() - timedelta(days=1)) == []


def test_a_neighbour_s_blobs_are_not_orphans_of_ours(
    town: Any, neighbour: Any, tomorrow: datetime
) -> None:
    with tenant_context(neighbour):
        theirs = keep()

    assert actions.delete_orphans(before=tomorrow) == []
    with tenant_context(neighbour):
        assert actions.read(theirs) == CONTENT


def test_an_empty_vault_has_no_orphan(town: Any, tomorrow: datetime) -> None:
    assert actions.delete_orphans(before=tomorrow) == []
