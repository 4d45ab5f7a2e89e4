"""What reads foreign bytes may die of them: who asked goes on."""

import io
import os
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from socle.core import apart
from socle.core.apart import CannotRead, Reader
from socle.core.refusals import Refusal

MIB = 1024**2


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader("tests.core.reader", memory=256 * MIB)


def test_the_reader_has_nothing_of_ours(reader: Reader) -> None:
    said = reader.ask(io.BytesIO(b"what do you see"), name="a.xml")
    assert said["asked"] == {"name": "a.xml"}
    assert [name for name in said["environment"] if name not in ("LANG", "LC_CTYPE")] == []
    assert len(said["open"]) == 2  # the document and the answer


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp est de Linux")
def test_a_document_that_takes_its_reader_over_holds_an_empty_shell(reader: Reader) -> None:
    assert set(reader.ask(io.BytesIO(b"attack")).values()) == {"refused"}


def test_each_document_has_a_process_of_its_own(reader: Reader) -> None:
    assert [reader.ask(io.BytesIO(b"x"))["seen"] for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"fill memory", "MemoryError"),
        (b"dig", "RecursionError"),
        (b"die", "died"),
        (b"say too much", "too long"),
        (b"say anything", "no object"),
    ],
)
def test_what_a_document_does_ends_there(reader: Reader, document: bytes, words: str) -> None:
    reader = Reader("tests.core.reader", memory=512 * MIB) if words == "too long" else reader
    assert words in reader.ask(io.BytesIO(document))["error"]
    assert reader.ask(io.BytesIO(b"x"))["seen"] == 1


def test_a_reader_that_never_ends_is_ended(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "TIME_LIMIT", 1)
    began = monotonic()
    assert reader.ask(io.BytesIO(b"never end")) == {"error": apart.LATE}
    assert monotonic() - began < 10


def test_a_refusal_comes_back_as_one(reader: Reader) -> None:
    with pytest.raises(Refusal, match="n’est pas lisible") as refused:
        reader.ask(io.BytesIO(b"refuse"))
    assert refused.value.code == "tests.refused"


def test_a_failure_is_a_sentence_about_the_file(reader: Reader) -> None:
    with pytest.raises(CannotRead, match=r"« a\.eml » n’a pas pu être lu"):
        reader.read(io.BytesIO(b"die"), called="a.eml")


def test_a_long_result_goes_to_a_file_beside(reader: Reader) -> None:
    with tempfile.TemporaryFile() as beside:
        assert reader.ask(io.BytesIO(b"write beside"), beside) == {}
        beside.seek(0)
        assert beside.read() == b"beside"


def test_a_process_that_left_is_started_again(reader: Reader) -> None:
    reader.ask(io.BytesIO(b"x"))
    assert reader._process is not None
    os.kill(reader._process.running.pid, signal.SIGKILL)
    assert reader.ask(io.BytesIO(b"x"))["seen"] == 1


def test_a_reader_that_does_not_exist_is_an_error() -> None:
    assert "no process" in Reader("tests.core.nobody", memory=MIB).ask(io.BytesIO(b"x"))["error"]


def test_several_may_ask_at_once(reader: Reader) -> None:
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: reader.ask(io.BytesIO(b"x")), range(40)))
    assert {one["seen"] for one in said} == {1}
