"""Returns anybody can send, each before an acknowledgement: it comes through all the same."""

import gzip
import io
import resource
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from socle.actes.models import Act, ActState, Transaction
from socle.delivery import actions as corridor
from socle.delivery.adapters import Return
from socle.delivery.models import Inbound, InboundState, TransmissionOperator
from socle.journal.canonical import DETAIL_LIMIT, encode
from socle.journal.models import Entry
from socle.notices.models import Notice
from tests.actes import answers
from tests.field import sample

XML = b"Content-Type: application/xml\r\nContent-Disposition: attachment; "


def _mail(part: bytes, *, head: bytes = b"") -> bytes:
    return (
        b"From: anybody@example.org\r\n" + head + b"MIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + part + b"\r\n--b--\r\n"
    )


def _nested(depth: int) -> bytes:
    heads = (
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
        for n in range(depth)
    )
    return b"From: a@b\r\n" + b"".join(heads) + b"Content-Type: text/plain\r\n\r\nx"


def _long_names(count: int) -> bytes:
    """A name announced by a name announced by a name: GNU tar allows it."""
    link = tarfile.TarInfo("././@LongLink")
    link.type, link.size = tarfile.GNUTYPE_LONGNAME, 10
    out = io.BytesIO()
    for _ in range(count):
        out.write(link.tobuf(tarfile.GNU_FORMAT) + b"a.xml".ljust(512, b"\0"))
    out.write(tarfile.TarInfo("a.xml").tobuf() + bytes(1024))
    return gzip.compress(out.getvalue())


def _bomb(size: int) -> bytes:
    return answers.tar_gz({"a.xml": bytes(size)})


POISONS: dict[str, bytes] = {
    "charset": b"Content-Type: text/plain; charset=undefined\n\nmulti-canal\n",
    "name charset": _mail(XML + b"filename*=undefined''a.xml\r\n\r\n<a/>"),
    "NUL in a name": _mail(XML + b"filename*=utf-8''logo%00.svg\r\n\r\n<a/>"),
    "surrogate in a name": _mail(XML + b"filename*=utf-8''%ED%A0%80.xml\r\n\r\n<a/>"),
    "bytes in a name": _mail(XML + b'filename="\xff\xfe.xml"\r\n\r\n<a/>'),
    "surrogate in a header": b"Subject: \xed\xa0\x80\r\nContent-Type: \xff/\xfe\r\n\r\nx",
    "idna in a name": _mail(XML + b"filename*=idna''xn--.xml\r\n\r\n<a/>"),
    "nested": _nested(3000),
    "long names": _long_names(400),
    "bomb": _bomb(290 * 1024 * 1024),
    "bomb in a mail": _mail(
        b"Content-Type: application/gzip\r\nContent-Disposition: attachment; filename=a.tar.gz"
        b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + _bomb(1024)[:-4]
    ),
    "empty": b"",
    "truncated": b"\x1f\x8b\x08",
}


def _take(name: str, raw: bytes) -> Inbound:
    connection.set_schema_to_public()
    operator = TransmissionOperator.objects.get()
    return corridor.keep(operator, Return(name, "actes", name), raw)[0]


def _collect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round at an operator that has nothing more: what is kept is read."""

    class Silent:
        def returns(self) -> list[Return]:
            return []

    monkeypatch.setattr(corridor, "adapter_for", lambda operator: Silent())
    connection.set_schema_to_public()
    corridor.collect(TransmissionOperator.objects.get())


def _acknowledgement_of(act: Act) -> Inbound:
    name = answers.ar_name(act)
    return _take(f"{name}.eml", answers.returned(name, answers.acknowledgement(act)))


@pytest.mark.parametrize("name", POISONS)
def test_a_poison_is_on_the_desk_and_the_next_return_is_read(
    sent_act: Act, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = connection.tenant
    poison = _take("courriel-1-1.eml", POISONS[name])
    behind = _acknowledgement_of(sent_act)
    _collect(monkeypatch)

    poison.refresh_from_db()
    behind.refresh_from_db()
    assert poison.state in {InboundState.FAILED, InboundState.UNMATCHED}
    assert poison.message
    assert behind.state == InboundState.MATCHED
    connection.set_tenant(tenant)
    sent_act.refresh_from_db()
    assert sent_act.state == ActState.ACKNOWLEDGED


def test_what_expands_costs_the_reader_not_us() -> None:
    """288 kB that took 870 MiB: our own process grows by next to nothing."""
    from socle.actes import parcels
    from socle.core.refusals import Refusal

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Refusal), parcels.opened("a.tar.gz", POISONS["bomb"]):
        pass
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


def _journal_of(detail: str, act: Act, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    tenant = connection.tenant
    name = answers.ar_name(act).replace("-1-2_", "-1-3_")
    inbound = _take("a.eml", answers.returned(name, answers.anomaly(act, detail=detail)))
    _collect(monkeypatch)
    inbound.refresh_from_db()
    assert (inbound.state, inbound.message) == (InboundState.MATCHED, "")
    connection.set_tenant(tenant)
    return dict(Entry.objects.get(event="actes.anomaly").detail)


def test_an_anomaly_longer_than_a_journal_line_is_kept_whole_beside_it(
    sent_act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    detail = "Pièce refusée : signature absente. " * 300
    written = _journal_of(detail, sent_act, monkeypatch)

    assert written["detail"].endswith("…")
    assert len(encode(written)) <= DETAIL_LIMIT
    ours = Transaction.objects.get(kind="1-1")
    assert ours.anomaly_detail == detail.strip()
    assert detail.strip() in Notice.objects.get(key__contains="anomaly").body


def test_the_sample_of_the_field_comes_through(
    sent_act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = sample("actes/field/poison_nul_name.eml")
    tenant = connection.tenant
    poison = _take("courriel-1-1.eml", raw)
    behind = _acknowledgement_of(sent_act)
    _collect(monkeypatch)
    poison.refresh_from_db()
    behind.refresh_from_db()
    assert poison.state == InboundState.UNMATCHED
    assert behind.state == InboundState.MATCHED
    connection.set_tenant(tenant)


def test_marks_that_turn_the_reading_are_taken_out_of_what_is_shown(
    sent_act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    detail = "refus\u202efusé".replace("\u202e", "&#8238;")
    assert _journal_of(detail, sent_act, monkeypatch)["detail"] == "refusfusé"


def test_the_papers_of_a_letter_are_found_by_their_clean_names(
    deposit: Callable[..., Act],
) -> None:
    from socle.actes import parcels

    raw = answers.tar_gz({"lettre.xml": b"<a/>", "Pi\xe8ce 1.pdf": b"%PDF-1.4"})
    with parcels.opened("x.tar.gz", raw) as parcel:
        assert parcel.files["Pi\xe8ce 1.pdf"] == b"%PDF-1.4"
        assert list(parcel.files) == ["lettre.xml", "Pi\xe8ce 1.pdf"]
        assert len(parcel.unknown) == 1
