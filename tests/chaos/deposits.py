"""What the communes' software deposits, through the doors of the façade, until it has an answer."""

import base64
import html
import http.client
import random
import re
import time
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from socle.stack.ports import LOOPBACK

BOUNDARY: Final = "----------------------------4ebf00fbcf09"
PATIENCE: Final = 25.0
"""Seconds without a byte after which a software gives a call up."""
_ID: Final = re.compile(rb"<id>([0-9]+)</id>")


@dataclass
class Deposit:
    """One thing to deposit, and every answer it got."""

    kind: str
    place: dict[str, str]
    name: str
    """The number of the act, or the NomFic of the flow."""
    content: bytes = field(repr=False)
    decided_on: date
    taken: bool = False
    number: str = ""
    """The number the façade gave; empty when only « déjà déposé » was ever heard."""
    unanswered: int = 0
    refusals: list[str] = field(default_factory=list)
    began: float = 0.0
    answered: float = 0.0

    def told(self) -> dict[str, Any]:
        """For the audit."""
        kept = asdict(self)
        del kept["content"], kept["decided_on"]
        return kept


def planned(
    count: int, places: list[dict[str, str]], *, on: date, rng: random.Random
) -> list[Deposit]:
    """As many deposits, two acts for one PES, spread over the communes."""
    return [_plan(rank, rng.choice(places), on) for rank in range(1, count + 1)]


def _plan(rank: int, place: dict[str, str], on: date) -> Deposit:
    from tests.documents import pdfs
    from tests.helios.protocol import builders as pes

    if rank % 3:
        content = pdfs.plain(text=f"Le conseil municipal, délibération {rank}")
        return Deposit("actes", place, f"CHAOS_{rank:05}", content, on)
    name = f"PES-CHAOS-{rank:05}"
    block = pes.depense(pes.bordereau(number=str(rank)))
    return Deposit("helios", place, name, pes.aller(block, nom_fic=name, IdColl=place["siret"]), on)


class Software:
    """Deposits on the host of the commune, asks again when no answer came."""

    def __init__(self, port: int, *, rng: random.Random) -> None:
        self.port, self.rng = port, rng

    def deposit(self, it: Deposit, *, seconds: float) -> None:
        """Ask until the façade answers, for so long at most."""
        it.began = time.time()
        end = time.monotonic() + seconds
        while not it.taken and time.monotonic() < end:
            self.ask(it)
            if not it.taken:
                time.sleep(self.rng.uniform(0.2, 1.0))

    def ask(self, it: Deposit) -> None:
        """Ask once; what is answered is noted in `it`."""
        answer = self._post(it)
        if answer is None:
            it.unanswered += 1
            return
        number, refusal = _read(it.kind, answer)
        already = it.kind == "helios" and "déjà" in refusal
        if refusal and not already:
            it.refusals.append(refusal)
            return
        if not it.taken:
            it.answered = time.time()
        if number and it.number not in {"", number}:
            it.refusals.append(f"{it.number} devenu {number}")
        if already and not (it.unanswered or it.taken):
            it.refusals.append(refusal)
        it.taken, it.number = True, it.number or number

    def _post(self, it: Deposit) -> bytes | None:
        path, fields, file = _form(it)
        login = f"{it.place['login']}:{it.place['secret']}".encode()
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=PATIENCE)
        headers = {
            "Host": f"{it.place['host']}:{self.port}",
            "Authorization": "Basic " + base64.b64encode(login).decode(),
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        }
        try:
            connection.request("POST", path, _body(fields, file), headers)
            answer = connection.getresponse()
            content = answer.read()
            return content if answer.status == http.HTTPStatus.OK else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


def _form(it: Deposit) -> tuple[str, dict[str, str], tuple[str, str, bytes]]:
    if it.kind == "helios":
        path = "/modules/helios/api/helios_importer_fichier.php"
        return path, {}, ("enveloppe", f"{it.name}.xml", it.content)
    fields = {
        "api": "1", "nature_code": "1", "number": it.name, "subject": "Règlement de la salle",
        "decision_date": it.decided_on.isoformat(), "type_acte": "99_DE", "classif1": "5",
        "classif2": "2",
    }  # fmt: skip
    path = "/modules/actes/actes_transac_create.php"
    return path, fields, ("acte_pdf_file", "delib.pdf", it.content)


def _body(fields: dict[str, str], file: tuple[str, str, bytes]) -> bytes:
    head = "--{}\r\nContent-Disposition: form-data; name={}{}\r\n\r\n"
    parts = [
        head.format(BOUNDARY, name, "").encode() + value.encode("iso-8859-1") + b"\r\n"
        for name, value in fields.items()
    ]
    field_name, name, content = file
    parts.append(head.format(BOUNDARY, field_name, f"; filename={name}").encode() + content)
    return b"".join(parts) + f"\r\n--{BOUNDARY}--\r\n".encode()


def _read(kind: str, answer: bytes) -> tuple[str, str]:
    """The number given, and the sentence of a refusal."""
    if kind == "actes":
        verdict, _, rest = answer.decode("iso-8859-1").partition("\n")
        said = rest.strip()
        return (said, "") if verdict == "OK" else ("", f"{verdict} {said}")
    text = html.unescape(answer.decode("iso-8859-1"))
    found = _ID.search(answer)
    number = found[1].decode() if found else ""
    return (number, "") if "<resultat>OK</resultat>" in text else ("", text)
