import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.base import ContentFile

from socle.documents.storage import AtomicFileSystemStorage


@pytest.fixture
def disk(tmp_path: Path) -> AtomicFileSystemStorage:
    return AtomicFileSystemStorage(location=tmp_path)


def content_of(disk: AtomicFileSystemStorage, name: str) -> bytes:
    with disk.open(name) as blob:
        content: bytes = blob.read()
    return content


def test_saving_again_replaces_what_was_there(disk: AtomicFileSystemStorage) -> None:
    names = [disk.save("melle/aa/blob", ContentFile(content)) for content in (b"old", b"new")]

    assert names == ["melle/aa/blob"] * 2
    assert content_of(disk, "melle/aa/blob") == b"new"


class Breaking(File):
    """A source that fails after its first bytes."""

    def __init__(self) -> None:
        super().__init__(None)

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        yield b"half"
        raise OSError("the upload was lost")


def test_a_source_that_breaks_leaves_what_was_there(
    disk: AtomicFileSystemStorage, tmp_path: Path
) -> None:
    disk.save("melle/blob", ContentFile(b"whole"))

    with pytest.raises(OSError, match="lost"):
        disk.save("melle/blob", Breaking())

    assert [path.name for path in (tmp_path / "melle").iterdir()] == ["blob"]
    assert content_of(disk, "melle/blob") == b"whole"


def test_a_reader_is_not_disturbed_by_a_replacement(disk: AtomicFileSystemStorage) -> None:
    disk.save("melle/blob", ContentFile(b"old" * 1000))

    with disk.open("melle/blob") as reader:
        begun = reader.read(3)
        disk.save("melle/blob", ContentFile(b"new"))
        assert begun + reader.read() == b"old" * 1000


def test_only_the_service_reads_the_blobs(disk: AtomicFileSystemStorage, tmp_path: Path) -> None:
    disk.save("melle/aa/blob", ContentFile(b"x"))

    assert stat.S_IMODE((tmp_path / "melle/aa/blob").stat().st_mode) == 0o600


def test_a_name_cannot_leave_the_folder(disk: AtomicFileSystemStorage) -> None:
    with pytest.raises(SuspiciousFileOperation):
        disk.save("../blob", ContentFile(b"x"))
