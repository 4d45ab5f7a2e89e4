import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import pytest

from socle.actes.protocol.archive import (
    ArchiveTooLarge,
    Entry,
    HostileArchive,
    UnreadableArchive,
    read_archive,
    write_archive,
)
from tests.actes.protocol.givens import NOON, sample

MIB = 1024 * 1024


def written(*entries: Entry, at: datetime = NOON, **limits: int) -> bytes:
    out = io.BytesIO()
    write_archive(entries, out, at=at, **limits)
    return out.getvalue()


def tar_of(*members: tuple[str, bytes, dict[str, object]]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        for name, data, attributes in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            tar.addfile(info, io.BytesIO(data))
    return raw.getvalue()


class Noise(io.RawIOBase):
    """`size` bytes that do not compress, made as they are read; remembers the largest read."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.largest = 0
        self.blocks = self._blocks()

    def _blocks(self) -> Iterator[bytes]:
        block = b""
        while True:
            block = hashlib.sha512(block).digest()
            yield block * 128

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self.largest = max(self.largest, size)
        wanted = min(size, self.left)
        data = b"".join(next(self.blocks) for _ in range(-(-wanted // 8192)))[:wanted]
        self.left -= len(data)
        return data


def test_what_is_written_is_read_back_in_order() -> None:
    data = written(Entry.of("b.xml", b"<b/>"), Entry.of("a.pdf", b"%PDF-"), Entry.of("c", b""))

    assert list(read_archive(data).items()) == [("b.xml", b"<b/>"), ("a.pdf", b"%PDF-"), ("c", b"")]


def test_the_same_entries_give_the_same_bytes() -> None:
    entry = Entry.of("a.xml", b"<a/>" * 100)

    assert written(entry) == written(entry)
    assert written(entry) == written(entry, at=NOON.replace(microsecond=999_999))
    assert written(entry) != written(entry, at=datetime(2025, 3, 13, tzinfo=UTC))


def test_the_bytes_do_not_depend_on_the_file_they_go_to(tmp_path: object) -> None:
    path = tmp_path / "TRI-EACT.tar.gz"  # type: ignore[operator]
    with path.open("wb") as out:
        size = write_archive([Entry.of("a.xml", b"<a/>")], out, at=NOON)

    assert path.read_bytes() == written(Entry.of("a.xml", b"<a/>"))
    assert size == path.stat().st_size


def test_entries_belong_to_root_and_are_plain_files() -> None:
    with tarfile.open(fileobj=io.BytesIO(written(Entry.of("a.xml", b"<a/>")))) as tar:
        (member,) = tar.getmembers()

    assert (member.uid, member.gid, member.mode, member.isreg()) == (0, 0, 0o644, True)
    assert member.mtime == int(NOON.timestamp())


def test_contents_are_streamed() -> None:
    noise = Noise(4 * MIB)

    write_archive([Entry("big.pdf", 4 * MIB, lambda: noise)], io.BytesIO(), at=NOON)  # type: ignore[arg-type,return-value]

    assert noise.left == 0
    assert noise.largest <= MIB


def test_B14_an_archive_beyond_the_limit_is_refused() -> None:
    entry = Entry.of("a.pdf", hashlib.sha512(b"x").digest() * 10)
    exact = len(written(entry))

    with pytest.raises(ArchiveTooLarge):
        written(entry, limit=exact - 1)


def test_B15_an_archive_exactly_at_the_limit_is_written() -> None:
    entry = Entry.of("a.pdf", b"content")
    exact = len(written(entry))

    assert len(written(entry, limit=exact)) == exact


@pytest.mark.parametrize("announced", [2, 9])
def test_a_content_that_is_not_the_announced_size_is_never_sent(announced: int) -> None:
    entry = Entry("a.pdf", announced, lambda: io.BytesIO(b"12345"))

    with pytest.raises(ValueError, match=r"a\.pdf"):
        written(entry)


@pytest.mark.parametrize("name", ["../a", "/a", "d/a", "é.pdf", "", ".hidden"])
def test_only_flat_ascii_names_are_written(name: str) -> None:
    with pytest.raises(ValueError, match="flat"):
        written(Entry.of(name, b""))


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("../evil", {}),
        ("/etc/passwd", {}),
        ("folder/a.xml", {}),
        ("..", {}),
        ("a\\b", {}),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
        ("hard", {"type": tarfile.LNKTYPE, "linkname": "a"}),
        ("folder", {"type": tarfile.DIRTYPE}),
        ("device", {"type": tarfile.CHRTYPE}),
        ("pipe", {"type": tarfile.FIFOTYPE}),
        ("sparse", {"type": tarfile.GNUTYPE_SPARSE}),
    ],
)
def test_C20_links_folders_and_paths_are_refused(name: str, attributes: dict[str, object]) -> None:
    with pytest.raises(HostileArchive):
        read_archive(tar_of(("ok.xml", b"<a/>", {}), (name, b"", attributes)))


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(HostileArchive):
        read_archive(tar_of(("a.xml", b"1", {}), ("a.xml", b"2", {})))


def test_too_many_files_are_refused() -> None:
    data = tar_of(*((f"{rank}.xml", b"", {}) for rank in range(6)))

    assert len(read_archive(data, entry_limit=6)) == 6
    with pytest.raises(HostileArchive):
        read_archive(data, entry_limit=5)


def test_an_archive_that_expands_beyond_the_limit_is_refused() -> None:
    with pytest.raises(HostileArchive):
        read_archive(tar_of(("zeros", bytes(4 * MIB), {})), expansion_limit=MIB)


def test_an_extended_header_that_expands_beyond_the_limit_is_refused() -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 4 * MIB
    bomb = gzip.compress(header.tobuf(tarfile.USTAR_FORMAT) + bytes(4 * MIB))

    with pytest.raises(HostileArchive):
        read_archive(bomb, expansion_limit=MIB)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>not an archive</html>",
        gzip.compress(b"not a tar" * 100),
        tar_of(("a.xml", b"x" * 5000, {}))[:-20],
        gzip.compress(b""),
    ],
    ids=["nothing", "html", "no tar", "cut", "empty gzip"],  # compressed bytes hold the time
)
def test_B05_what_is_not_a_tar_gz_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableArchive):
        read_archive(data)


def test_an_archive_made_with_dot_slash_names_is_read() -> None:
    assert read_archive(tar_of(("./a.xml", b"<a/>", {}))) == {"a.xml": b"<a/>"}


def test_an_archive_of_another_operator_is_read() -> None:
    files = read_archive(sample("SIC-EACT--210600730--20180115-1.tar.gz"))

    assert [(name, len(data)) for name, data in files.items()] == [
        ("EACT--210600730--20180115-1.xml", 696),
        ("006-210600730-20180115-007-AR-1-1_0.xml", 649),
        ("CO_DE-006-210600730-20180115-007-AR-1-1_1.jpg", 37602),
    ]


def test_an_archive_is_read_from_a_file_object() -> None:
    source: BinaryIO = io.BytesIO(written(Entry.of("a.xml", b"<a/>")))

    assert read_archive(source) == {"a.xml": b"<a/>"}
