"""The antivirus, asked as clamd wants: a real clamd where there is one, a real socket anyhow."""

import io
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from socle.documents import antivirus, clamd, intake
from socle.documents.antivirus import AntivirusAway, Infected, NotScanned
from socle.documents.clamd import Place
from socle.documents.sniff import EmptyFile, FileTooBig, Kind
from tests.documents import clamd_server, pdfs
from tests.documents.clamd_server import FILE_LIMIT, NAME, STREAM_LIMIT, VIRUS, Clamd, needs_clamd

REPO = Path(__file__).resolve().parents[2]
CLEAN = pdfs.plain(text="propre")


@pytest.fixture(scope="module")
def real() -> Iterator[Clamd]:
    with clamd_server.running() as place:
        yield place


@pytest.fixture(params=["unix", "tcp"])
def configured(request: Any, real: Clamd, settings: Any) -> Place:
    """The deployment has an antivirus, reached one way or the other."""
    settings.ANTIVIRUS = getattr(real, request.param)
    return settings.ANTIVIRUS


# A real clamd.


@needs_clamd
def test_a_clean_file_passes_and_is_left_at_its_start(configured: Place) -> None:
    stream = io.BytesIO(CLEAN)

    antivirus.check(stream, name="a.pdf")

    assert stream.tell() == 0


@needs_clamd
@pytest.mark.parametrize(
    "content", [VIRUS, CLEAN + VIRUS, b"0" * (3 * 1024 * 1024) + VIRUS], ids=["bare", "pdf", "long"]
)
def test_an_infected_file_is_refused_with_its_name_and_what_is_in_it(
    configured: Place, content: bytes
) -> None:
    with pytest.raises(Infected, match=rf"{re.escape(NAME)}.*« plan\.pdf »"):
        antivirus.check(content, name="plan.pdf")


@needs_clamd
def test_a_file_looked_at_in_part_is_not_taken_for_clean(configured: Place) -> None:
    """Beyond MaxFileSize clamd answers OK, unless AlertExceedsMax asks it to say so."""
    with pytest.raises(NotScanned, match=r"tout le fichier « gros\.pdf »"):
        antivirus.check(b"0" * (FILE_LIMIT + 1024 * 1024), name="gros.pdf")


@needs_clamd
def test_a_file_beyond_the_limit_of_the_stream_is_refused_with_a_sentence(
    configured: Place,
) -> None:
    with pytest.raises(NotScanned, match=r"« énorme\.pdf »"):
        antivirus.check(b"0" * (3 * STREAM_LIMIT), name="énorme.pdf")


@needs_clamd
def test_the_antivirus_says_what_it_is(configured: Place) -> None:
    answers, version = antivirus.state()

    assert answers
    assert version.startswith("ClamAV")


# Whatever answers, or does not.


def test_without_antivirus_nothing_is_asked(settings: Any) -> None:
    settings.ANTIVIRUS = None
    antivirus.check(VIRUS, name="a.pdf")
    antivirus.check_leaving(io.BytesIO(VIRUS), name="a.pdf")
    assert antivirus.state() == (True, "")


@pytest.mark.parametrize("place", [Place(path="/nowhere/clamd.sock"), Place("", "127.0.0.1", 9)])
def test_an_antivirus_that_is_not_there_refuses(settings: Any, place: Place) -> None:
    settings.ANTIVIRUS = place

    with pytest.raises(AntivirusAway, match="réessayez dans quelques minutes"):
        antivirus.check(CLEAN, name="a.pdf")
    assert antivirus.state() == (False, "")


@contextmanager
def answering(serve: Callable[[socket.socket], None]) -> Iterator[Place]:
    """A listener of one connection."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def accept() -> None:
            line, _ = door.accept()
            with line:
                serve(line)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield Place(host="127.0.0.1", port=door.getsockname()[1])
        thread.join(timeout=5)


def test_the_chunks_are_those_of_the_protocol(settings: Any) -> None:
    received = bytearray()

    def serve(line: socket.socket) -> None:
        while not received.endswith(struct.pack("!I", 0)):
            received.extend(line.recv(65536))
        line.sendall(b"stream: OK\0")

    content = b"a" * clamd.CHUNK + b"bc"
    with answering(serve) as settings.ANTIVIRUS:
        antivirus.check(content, name="a.pdf")

    first, second = struct.pack("!I", clamd.CHUNK), struct.pack("!I", 2)
    assert received == (
        b"zINSTREAM\0" + first + content[: clamd.CHUNK] + second + b"bc" + struct.pack("!I", 0)
    )


def test_a_silent_antivirus_refuses_in_time(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(antivirus, "TIME_LIMIT", 0.3)
    began = time.monotonic()

    with answering(lambda _: time.sleep(1)) as settings.ANTIVIRUS, pytest.raises(AntivirusAway):
        antivirus.check(CLEAN, name="a.pdf")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (b"", AntivirusAway),
        (b"INSTREAM size limit exceeded. ERROR\0", NotScanned),
        (b"stream: Can't allocate memory ERROR\0", NotScanned),
        (b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0", NotScanned),
        (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", Infected),
        (b"stream: OK but not quite\0", NotScanned),
    ],
)
def test_only_ok_is_ok(settings: Any, answer: bytes, refusal: type[Exception]) -> None:
    def serve(line: socket.socket) -> None:
        received = b""
        while not received.endswith(struct.pack("!I", 0)):
            received += line.recv(65536)
        line.sendall(answer)

    with answering(serve) as settings.ANTIVIRUS, pytest.raises(refusal):
        antivirus.check(CLEAN, name="a.pdf")


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("unix:/run/clamav/clamd.ctl", Place(path="/run/clamav/clamd.ctl")),
        ("tcp://antivirus:3311", Place(host="antivirus", port=3311)),
        ("tcp://antivirus", Place(host="antivirus", port=3310)),
    ],
)
def test_an_address_is_read(address: str, place: Place) -> None:
    assert Place.parse(address) == place


@pytest.mark.parametrize(
    "address", ["clamd", "unix:clamd.ctl", "http://a:1", "tcp://", "tcp://a/b"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=re.escape(address)):
        Place.parse(address)


# The door.


@needs_clamd
def test_every_way_through_the_door_meets_the_antivirus(configured: Place) -> None:
    infected = CLEAN + VIRUS
    with pytest.raises(Infected):
        intake.check_pdf(infected, name="a.pdf", limit=10_000_000)
    with pytest.raises(Infected):
        intake.check_file(infected, name="a.pdf", allowed=[Kind.PDF], limit=10_000_000)
    with pytest.raises(Infected):
        intake.inspect(infected, name="a.pdf", allowed=[Kind.PDF], limit=10_000_000)


def test_what_is_too_heavy_or_empty_is_not_sent_to_the_antivirus(settings: Any) -> None:
    settings.ANTIVIRUS = Place(path="/nowhere/clamd.sock")
    with pytest.raises(EmptyFile):
        intake.check_clean(b"", name="a.pdf", limit=10)
    with pytest.raises(FileTooBig):
        intake.check_clean(b"12345678901", name="a.pdf", limit=10)


def test_nobody_takes_a_file_in_by_another_door() -> None:
    """What judges a file in `sniff` knows nothing of the antivirus: only the door calls it."""
    rooms = [REPO / "platform", *(REPO / one for one in ("tenants", "registration_authority"))]
    asked = re.compile(
        r"sniff import [^\n]*(check_fi|check_pdf|inspect_fi)|sniff\.(check_fi|check_pdf|inspect_fi)"
    )
    found = [
        str(path.relative_to(REPO))
        for room in rooms
        for path in room.rglob("*.py")
        if asked.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["platform/socle/documents/intake.py"]
