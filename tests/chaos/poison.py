"""Returns a hostile or broken office delivers beside its right answers. Standard library only."""

import base64
import gzip
import io
import random
import tarfile
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from socle.exercise.protocol.outcome import Return

SURROGATE: Final = "SURROGAT-"
"""Begins a name that is listed with a lone surrogate, which SQLite cannot keep."""
STRANGER: Final = "999999999"
_XML: Final = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
_ACTES: Final = 'xmlns:actes="http://www.interieur.gouv.fr/ACTES#v1.1-20040216"'
_ACQUIT: Final = "http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/retour/v2"


def poisoned(kind: str, number: int) -> Return:
    """The poison of this number: each kind in turn, no two with the same bytes."""
    makers = _FOR[kind]
    maker = makers[number % len(makers)]
    name = f"{maker.__name__.strip('_')}-{number}"
    if maker is _strange_name:
        name = f"{SURROGATE}a\x00b/../{'x' * 300}\r\nBcc: tous-{number}"
    return Return(name + (".eml" if kind == "actes" else ".xml"), maker(number))


def _mail(body: bytes, *headers: bytes) -> bytes:
    start = (b"From: prefecture@exercice.test", b"To: retours@exercice.test", *headers)
    return b"\r\n".join(start) + b"\r\n\r\n" + body


def _attached(content: bytes, name: str) -> bytes:
    return _mail(
        base64.encodebytes(content),
        b"Content-Type: application/octet-stream",
        b"Content-Transfer-Encoding: base64",
        f'Content-Disposition: attachment; filename="{name}"'.encode(),
    )


def _undefined_charset(number: int) -> bytes:
    return _mail(b"multi-canal %d\r\n" % number, b"Content-Type: text/plain; charset=undefined")


def _undefined_name(number: int) -> bytes:
    return _mail(
        b"<a>%d</a>" % number,
        b"Content-Type: application/xml",
        b"Content-Disposition: attachment; filename*=undefined''a.xml",
    )


def _nul_in_header(number: int) -> bytes:
    return _mail(
        b"<a/>", b"Subject: AR\x00 %d" % number, b'Content-Type: text/xml; name="a\x00.xml"'
    )


def _surrogate_in_header(number: int) -> bytes:
    return _mail(b"<a/>", b"Subject: \xed\xa0\x80 %d" % number, b"Content-Type: application/xml")


def _strange_name(number: int) -> bytes:
    return _mail(b"personne %d\r\n" % number)


def _deep_parts(number: int) -> bytes:
    opened = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (one, one)
        for one in range(3000)
    )
    return b"Subject: poupee %d\r\n" % number + opened + b"\r\n\r\nfond\r\n"


def _long_names(number: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for rank in range(400):
            archive.addfile(tarfile.TarInfo(f"{number}-{rank}-" + "é" * 2000))
    return _attached(out.getvalue(), "retour.tar.gz")


@lru_cache(maxsize=1)
def _zeros() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("079-bombe.xml")
        member.size = 256 * 1024 * 1024
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    return gzip.compress(out.getvalue(), 9)


def _tar_bomb(number: int) -> bytes:
    return _attached(_zeros(), f"bombe-{number}.tar.gz")


def _identifier(number: int, siren: str) -> str:
    return f"079-{siren}-20200102-INCONNU{number}-DE"


def _overlong_anomaly(number: int) -> bytes:
    identifier = _identifier(number, STRANGER)
    detail = f"Anomalie n° {number} : " + "motif très détaillé, " * 5000
    text = (
        f"{_XML}<actes:AnomalieActe {_ACTES}><actes:Date>2020-01-03</actes:Date>"
        f"<actes:Nature>042</actes:Nature><actes:Detail>{detail}</actes:Detail>"
        f'<actes:ActeRecu actes:Date="2020-01-02" actes:NumeroInterne="INCONNU{number}"'
        ' actes:CodeNatureActe="1"><actes:CodeMatiere1 actes:CodeMatiere="5"/>'
        "<actes:Objet>Inconnu</actes:Objet></actes:ActeRecu></actes:AnomalieActe>"
    )
    return _attached(text.encode("iso-8859-1"), f"{identifier}-1-3_{number}.xml")


def _other_siren(number: int) -> bytes:
    identifier = _identifier(number, STRANGER)
    text = (
        f'{_XML}<actes:ARActe {_ACTES} actes:IDActe="{identifier}"'
        ' actes:DateReception="2020-01-03"/>'
    )
    return _attached(text.encode(), f"{identifier}-1-2_{number}.xml")


def _cut_answer(number: int) -> bytes:
    whole = f'{_XML}<actes:ARActe {_ACTES} actes:IDActe="{_identifier(number, STRANGER)}"'
    return _attached(whole[:-7].encode(), f"coupe-{number}.xml")


def _noise(number: int) -> bytes:
    return random.Random(number).randbytes(5000)  # noqa: S311 -- noise, not a secret


def _cut_acquit(number: int) -> bytes:
    return f'{_XML}<n:PES_ACQUIT xmlns:n="{_ACQUIT}"><Enveloppe><Param{number}'.encode()


def _entities(number: int) -> bytes:
    levels = "".join(
        f'<!ENTITY l{one} "{f"&l{one - 1};" * 10}">' if one else '<!ENTITY l0 "ha">'
        for one in range(10)
    )
    return f"{_XML}<!DOCTYPE a [{levels}]><a n='{number}'>&l9;</a>".encode()


def _deep_xml(number: int) -> bytes:
    depth = 100_000
    return f"{_XML}<r n='{number}'>{'<a>' * depth}{'</a>' * depth}</r>".encode()


def _other_siret(number: int) -> bytes:
    return (
        f'{_XML}<n:PES_ACQUIT xmlns:n="{_ACQUIT}"><Enveloppe><Parametres><Version V="2"/>'
        f'<TypFic V="PESACQ"/><NomFic V="INCONNU&#10;{number}"/></Parametres></Enveloppe>'
        f'<EnTetePES><DteStr V="2020-01-03"/><IdPost V="079012"/><IdColl V="{STRANGER}00011"/>'
        '<CodCol V="123"/><CodBud V="00"/></EnTetePES><ACQUIT><ElementACQUIT>'
        '<DomaineAck V="06"/><EtatAck V="1"/></ElementACQUIT></ACQUIT></n:PES_ACQUIT>'
    ).encode()


_FOR: Final[dict[str, tuple[Callable[[int], bytes], ...]]] = {
    "actes": (
        _undefined_charset,
        _undefined_name,
        _nul_in_header,
        _surrogate_in_header,
        _strange_name,
        _deep_parts,
        _long_names,
        _tar_bomb,
        _overlong_anomaly,
        _other_siren,
        _cut_answer,
        _noise,
    ),
    "helios": (_cut_acquit, _entities, _deep_xml, _other_siret, _strange_name, _noise),
}
