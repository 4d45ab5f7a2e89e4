import hashlib
import io
import tracemalloc
import uuid
from collections.abc import Callable

import pytest

from socle.documents import vault
from socle.documents.vault import CHUNK, HEADER, DataSecret, MasterKey, Tampered, UnknownKey

KEY = DataSecret(uuid.UUID(int=7), bytes(range(32)))
TAG = 16


def seal(content: bytes, *, scope: str = "melle", object_id: str = "abc") -> bytes:
    return b"".join(vault.encrypt(io.BytesIO(content), key=KEY, scope=scope, object_id=object_id))


def secret_of(key_id: uuid.UUID) -> DataSecret:
    if key_id != KEY.key_id:
        raise UnknownKey(str(key_id))
    return KEY


def unseal(sealed: bytes, *, scope: str = "melle", object_id: str = "abc") -> bytes:
    return b"".join(
        vault.decrypt(io.BytesIO(sealed), secret_of=secret_of, scope=scope, object_id=object_id)
    )


def chunk(sealed: bytes, rank: int) -> bytes:
    start = HEADER + rank * (CHUNK + TAG)
    return sealed[start : start + CHUNK + TAG]


@pytest.fixture(scope="module")
def three() -> bytes:
    """Three chunks sealed, the last one short."""
    return seal(b"a" * CHUNK + b"b" * CHUNK + b"c" * 10)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_what_is_sealed_opens(size: int) -> None:
    content = b"\x5a" * size

    sealed = seal(content)

    assert unseal(sealed) == content
    assert len(sealed) == vault.sealed_size(size)


def test_nothing_of_the_content_shows() -> None:
    assert b"commune de Melle" not in seal(b"commune de Melle" * 100)


def test_the_same_content_is_never_sealed_twice_alike() -> None:
    assert seal(b"x" * 100) != seal(b"x" * 100)


def test_a_file_sealed_by_the_first_version_still_opens() -> None:
    sealed = bytes.fromhex(
        "534f434c45564c5401000000000000000000000000000000079d299372dee3e5ae32546480609a0b"
        "c93e067bf427e9b83e0d744659ca0e6502198153ddf94a53b237563208ee8289426c33572fcf59c8"
        "e64dba0f277eb93d86bae03d3afc9f0f2883c407"
    )

    assert (
        unseal(sealed, scope="commune_79174", object_id="00" * 32) == "Délibération n° 1".encode()
    )


@pytest.mark.parametrize(
    "break_it",
    [
        lambda s: s[:-1],
        lambda s: s[: HEADER + CHUNK + TAG],
        lambda s: s[: HEADER + 2 * (CHUNK + TAG)],
        lambda s: s[:HEADER],
        lambda s: s[: HEADER - 1],
        lambda s: b"",
        lambda s: s + b"\0",
        lambda s: s + chunk(s, 1),
        lambda s: s[:HEADER] + chunk(s, 1) + chunk(s, 0) + chunk(s, 2),
        lambda s: s[:HEADER] + chunk(s, 0) + chunk(s, 2),
        lambda s: s[:HEADER] + chunk(s, 2),
        lambda s: s[:HEADER] + chunk(s, 0) + chunk(s, 0) + chunk(s, 1) + chunk(s, 2),
    ],
    ids=[
        "last byte lost",
        "cut after the first chunk",
        "cut after the second chunk",
        "no chunk left",
        "header cut",
        "nothing left",
        "a byte added",
        "a chunk added",
        "two chunks exchanged",
        "a chunk dropped",
        "only the last chunk",
        "a chunk doubled",
    ],
)
def test_a_file_cut_or_rearranged_does_not_open(
    three: bytes, break_it: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(Tampered):
        unseal(break_it(three))


@pytest.mark.parametrize("at", [0, 8, 30, 60, HEADER, HEADER + CHUNK, -1])
def test_one_bit_changed_anywhere_does_not_open(three: bytes, at: int) -> None:
    altered = bytearray(three)
    altered[at] ^= 1

    with pytest.raises(Tampered):
        unseal(bytes(altered))


def test_a_chunk_of_another_file_does_not_open(three: bytes) -> None:
    other = seal(b"z" * (2 * CHUNK + 10))

    with pytest.raises(Tampered):
        unseal(three[:HEADER] + chunk(other, 0) + three[HEADER + CHUNK + TAG :])


def test_another_commune_cannot_open_it() -> None:
    with pytest.raises(Tampered):
        unseal(seal(b"x"), scope="niort")


def test_it_does_not_open_in_the_place_of_another_object() -> None:
    with pytest.raises(Tampered):
        unseal(seal(b"x"), object_id="abd")


def test_scope_and_object_cannot_be_shifted_into_each_other() -> None:
    with pytest.raises(Tampered):
        unseal(seal(b"x", scope="melle", object_id="1abc"), scope="melle1", object_id="abc")


def test_a_key_we_do_not_have_is_said_by_name() -> None:
    other = DataSecret(uuid.UUID(int=8), bytes(32))
    sealed = b"".join(vault.encrypt(io.BytesIO(b"x"), key=other, scope="melle", object_id="abc"))

    with pytest.raises(UnknownKey, match="00000008"):
        unseal(sealed)


class Endless(io.RawIOBase):
    """So many zeros, a few at a time, as a socket would give them."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), self.left, 100_000)
        buffer[:count] = bytes(count)
        self.left -= count
        return count


def test_memory_stays_flat_for_a_large_file() -> None:
    size = 40 * CHUNK
    tracemalloc.start()
    sealed = vault.IteratorStream(
        vault.encrypt(Endless(size), key=KEY, scope="melle", object_id="abc")
    )
    digest = hashlib.sha256()
    for part in vault.decrypt(sealed, secret_of=secret_of, scope="melle", object_id="abc"):
        digest.update(part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert digest.digest() == hashlib.sha256(bytes(size)).digest()
    assert peak < 12 * CHUNK


def test_a_stream_of_parts_reads_as_one() -> None:
    stream = io.BufferedReader(vault.IteratorStream(iter([b"ab", b"", b"cde"])))

    assert (stream.read(1), stream.read(3), stream.read()) == (b"a", b"bcd", b"e")


def test_a_stream_of_parts_closes_its_source() -> None:
    source = io.BytesIO()

    vault.IteratorStream(iter([]), source=source).close()

    assert source.closed


def test_a_wrapped_key_opens_with_its_master_and_scope() -> None:
    master = MasterKey(bytes(32))

    wrapped = vault.wrap(KEY, master=master, scope="melle")

    assert KEY.secret not in wrapped
    assert vault.unwrap(wrapped, key_id=KEY.key_id, master=master, scope="melle") == KEY


@pytest.mark.parametrize(
    ("master", "scope", "key_id"),
    [
        (MasterKey(b"\1" * 32), "melle", KEY.key_id),
        (MasterKey(bytes(32)), "niort", KEY.key_id),
        (MasterKey(bytes(32)), "melle", uuid.UUID(int=8)),
    ],
    ids=["another master", "another scope", "another identifier"],
)
def test_a_wrapped_key_opens_with_nothing_else(
    master: MasterKey, scope: str, key_id: uuid.UUID
) -> None:
    wrapped = vault.wrap(KEY, master=MasterKey(bytes(32)), scope="melle")

    with pytest.raises(Tampered):
        vault.unwrap(wrapped, key_id=key_id, master=master, scope=scope)


def test_a_truncated_wrapped_key_does_not_open() -> None:
    with pytest.raises(Tampered):
        vault.unwrap(b"short", key_id=KEY.key_id, master=MasterKey(bytes(32)), scope="melle")


def test_secrets_do_not_print_themselves() -> None:
    master = MasterKey(b"\xab" * 32)

    assert "xab" not in repr(master)
    assert repr(KEY.secret) not in repr(KEY)


def test_a_master_key_is_named_without_being_told() -> None:
    one, other = MasterKey(bytes(32)), MasterKey(b"\1" * 32)

    assert one.master_id != other.master_id
    assert len(one.master_id) == 16


def test_a_master_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes, not 16"):
        MasterKey(bytes(16))
