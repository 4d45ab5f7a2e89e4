"""A S²LOW of 5.1 for tests, written from the description of its interface and nothing else.

It shares no code with the client. It asks for a client certificate, answers 200 to everything in
ISO-8859-1, redirects when it should not, and misbehaves when told to.
"""

import base64
import hashlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.s2low.mutual import MutualServer
from tests.s2low.pki import Pair

LOGIN_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>S2LOW</title></head><body>Connexion</body></html>"
)
PDF = b"%PDF-1.4\n1 0 obj <<>> endobj\n%% {0}\ntrailer <<>>\n%%EOF\n"


@dataclass
class Account:
    """One account behind a certificate."""

    authority: str
    fingerprint: bytes
    login: str = ""
    password: str = ""


@dataclass
class Transaction:
    """What the server keeps of one deposit."""

    id: int
    kind: str
    fields: dict[str, list[bytes]]
    files: list[tuple[str, str, bytes]]
    """Field name, posted name, content."""
    authority: str = ""
    status: int = 1
    content: bytes = b""
    acknowledgement: bytes = b""

    def text(self, name: str) -> str:
        return self.fields[name][0].decode("iso-8859-1") if name in self.fields else ""


@dataclass
class State:
    accounts: list[Account] = field(default_factory=list)
    transactions: dict[int, Transaction] = field(default_factory=dict)
    letters: dict[int, dict[str, Any]] = field(default_factory=dict)
    archives: dict[int, bytes] = field(default_factory=dict)
    retours: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    classification: bytes = b""
    classification_is_recent: bool = False
    stamping_works: bool = True
    lists_allowed: bool = True
    breakdowns: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    next_id: int = 666


class S2lowServer:
    """Listens on a free port of localhost until closed."""

    def __init__(
        self,
        pair: Pair,
        client_ca: str,
        *,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,  # S²LOW gave TLS 1.3 up in 5.0.2
    ) -> None:
        self.state = State()
        self._http = _Http(_Handler, pair, client_ca, newest)
        self._http.state = self.state
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self._http.server_address[1]}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def break_down(self, how: str, *, script: str = "") -> None:
        """Misbehave on one script, or on all."""
        self.state.breakdowns[script] = how

    def repair(self) -> None:
        self.state.breakdowns.clear()

    def called(self, script: str) -> int:
        return sum(script in call for call in self.state.calls)


class _Http(MutualServer):
    state: State


class _Reply(Exception):
    def __init__(
        self, body: bytes, *, status: int = 200, kind: str = "text/html", location: str = ""
    ) -> None:
        super().__init__(body)
        self.body, self.status, self.kind, self.location = body, status, kind, location


def _ok(text: str) -> _Reply:
    return _Reply(f"OK\n{text}".encode("iso-8859-1"), kind="text/plain")


def _ko(text: str) -> _Reply:
    return _Reply(f"KO\n{text}\n".encode("iso-8859-1"), kind="text/plain")


def _away(to: str) -> _Reply:
    return _Reply(b"", status=302, location=to)


def _json(value: object) -> _Reply:
    return _Reply(json.dumps(value).encode(), kind="application/json")


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silence."""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        if self._breakdown() == "drop-before":
            self._drop()
            return
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    @property
    def state(self) -> State:
        return self.server.state

    def _breakdown(self) -> str:
        script = urlsplit(self.path).path.rpartition("/")[2]
        broken = self.state.breakdowns
        return broken.get(script) or broken.get("", "")

    def _serve(self, body: bytes) -> None:
        self.state.calls.append(f"{self.command} {self.path}")
        self.query = parse_qs(urlsplit(self.path).query)
        self.fields, self.files = _form(self.headers.get("Content-Type", ""), body)
        how = self._breakdown()
        if self._misbehaves(how):
            return
        try:
            self._script()
        except _Reply as reply:
            if how == "drop-after":
                self._drop()
            elif how == "truncated":
                self._write(reply, announced=len(reply.body) + 40)
            elif how.startswith("slow-answer:"):
                time.sleep(float(how.partition(":")[2]))
                self._write(reply)
            elif how == "cut-pdf":
                self._write(_Reply(reply.body[:-10], kind=reply.kind))
            else:
                self._write(reply)

    def _misbehaves(self, how: str) -> bool:
        kind, _, argument = how.partition(":")
        replies: dict[str, Callable[[], _Reply]] = {
            "redirect-login": lambda: _away("https://localhost/login.php"),
            "redirect": lambda: _away("/modules/actes/index.php"),
            "html-200": lambda: _Reply(LOGIN_PAGE),
            "404": lambda: _Reply(b"Not Found", status=404),
            "500": lambda: _Reply(b"", status=500),
            "empty": lambda: _Reply(b""),
            "ko": lambda: _ko(argument),
            "huge": lambda: _Reply(b"OK\n" + b"9" * 5_000_000),
        }
        if kind in replies:
            self._write(replies[kind]())
        elif kind == "slow":
            time.sleep(float(argument))
            self._drop()
        elif kind == "drip":
            self._drip(float(argument))
        else:
            return False
        return True

    def _drip(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while time.monotonic() < end:
                self.wfile.write(b"O")
                self.wfile.flush()
                time.sleep(0.05)
        self.close_connection = True

    def _drop(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _write(self, reply: _Reply, *, announced: int | None = None) -> None:
        with suppress(OSError):
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            self.send_header(
                "Content-Length", str(len(reply.body) if announced is None else announced)
            )
            if reply.location:
                self.send_header("Location", reply.location)
            self.end_headers()
            self.wfile.write(reply.body)
        self.close_connection = True

    # Who asks

    def _account(self) -> Account:
        der = self.connection.getpeercert(binary_form=True)  # type: ignore[attr-defined]
        fingerprint = hashlib.sha1(der).digest()  # noqa: S324 - what the interface matches on
        mine = [one for one in self.state.accounts if one.fingerprint == fingerprint]
        if not mine:
            raise _away("/login.php?error=unknown_certificate")
        if len(mine) == 1 and not mine[0].login:
            return mine[0]
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        login, _, password = base64.b64decode(given).decode().partition(":")
        for account in mine:
            if login and (account.login, account.password) == (login, password):
                return account
        if login:
            raise _ko("Échec de l'authentification")
        raise _away("/login.php?error=multiple_accounts")

    # What is asked

    def _script(self) -> None:
        path = urlsplit(self.path).path
        name = path.rpartition("/")[2].removesuffix(".php").replace("-", "_")
        script = getattr(self, f"php_{name}", None)
        if script is None:
            raise _Reply(b"Not Found", status=404)
        if name != "api_list_login":
            self.account = self._account()
        script()

    def _given(self, name: str) -> str:
        if name in self.fields:
            return self.fields[name][0].decode("iso-8859-1")
        return self.query.get(name, [""])[0]

    def _transaction(self, key: str) -> Transaction:
        given = self._given(key)
        found = self.state.transactions.get(int(given)) if given.isdigit() else None
        if found is None:
            raise _ko("Numéro de transaction invalide.")
        if found.authority != self.account.authority:
            raise _ko("Accès refusé")
        return found

    def _new(self, kind: str) -> Transaction:
        made = Transaction(
            self.state.next_id, kind, self.fields, self.files, self.account.authority
        )
        self.state.next_id += 1
        self.state.transactions[made.id] = made
        return made

    def php_test_connexion(self) -> None:
        raise _Reply(b"OK")

    def php_test_rgs(self) -> None:
        raise _Reply(b"OK")

    def php_info_connexion(self) -> None:
        authority = {"id": "12", "name": self.account.authority, "status": "1"}
        raise _json(
            {"user_info": {"name": "SYNDICAT", "givenname": ""}, "authority_info": authority}
        )

    def php_api_list_login(self) -> None:
        der = self.connection.getpeercert(binary_form=True)  # type: ignore[attr-defined]
        fingerprint = hashlib.sha1(der).digest()  # noqa: S324 - what the interface matches on
        mine = [one.login for one in self.state.accounts if one.fingerprint == fingerprint]
        raise _Reply("".join(f"{login}\n" for login in mine).encode())

    def php_actes_transac_create(self) -> None:
        if "api" not in self.fields:
            raise _away("/modules/actes/index.php")
        number = self._given("number")
        for other in self.state.transactions.values():
            taken = other.kind == "1" and other.text("number") == number and other.status != -1
            if taken and other.authority == self.account.authority:
                raise _ko(
                    "Un acte portant le même num&eacute;ro interne existe déjà dans la base. "
                    "Ajoutez un suffixe."
                )
        posted = {name for name, _, _ in self.files}
        if "acte_pdf_file" not in posted:
            raise _ko("Aucun fichier acte n'a été posté ")
        if len(self._given("type_acte")) != 5:
            raise _ko("Erreur de validation du fichier de l'acte : typologie absente")
        raise _ok(f"{self._new('1').id}\n\n")

    def php_actes_transac_get_status(self) -> None:
        if "unique_id" in self.query:
            found = self._by_identifier(self.query["unique_id"][0])
        else:
            found = self._transaction("transaction")
        raise _Reply(f"OK\n{found.status}\n".encode() + found.content, kind="text/plain")

    def _by_identifier(self, identifier: str) -> Transaction:
        for found in self.state.transactions.values():
            if found.status == 4 and identifier.encode() in found.content:
                return found
        raise _ko("Numéro de transaction invalide.")

    def php_actes_transac_cancel(self) -> None:
        original = self._transaction("id")
        if original.status != 4:
            raise _ko(
                "Impossible d'annuler une transaction qui n'est pas en état « Acquittement reçu »."
            )
        pending = [
            one
            for one in self.state.transactions.values()
            if one.kind == "6" and one.text("id") == str(original.id) and one.status in {1, 2, 3}
        ]
        if pending:
            raise _ko("Une demande d'annulation est déjà en cours pour cette transaction.")
        raise _ok(f"{self._new('6').id}\n\n")

    def php_actes_transac_get_ARActe(self) -> None:
        found = self._transaction("id")
        if not found.acknowledgement:
            raise _away("/modules/actes/index.php")
        raise _Reply(found.acknowledgement, kind="application/xml")

    def php_actes_create_pdf(self) -> None:
        found = self._transaction("trans_id")
        raise _Reply(PDF.replace(b"{0}", b"bordereau %d" % found.id), kind="application/pdf")

    def php_actes_transac_get_files_list(self) -> None:
        found = self._transaction("transaction")
        if found.status in {1, 2, 3}:
            raise _ko("Pas d'acquittement recu")
        names = ["message.xml", *[posted for _, posted, _ in found.files]]
        raise _json(
            [
                {
                    "id": found.id * 100 + rank,
                    "name": name,
                    "posted_filename": name,
                    "mimetype": "application/pdf",
                    "size": 1,
                    "sign": None,
                    "code_pj": "99_DE",
                }
                for rank, name in enumerate(names)
            ]
        )

    def php_actes_download_file(self) -> None:
        if "env" in self.query:
            raise _Reply(
                self.state.archives[int(self.query["env"][0])], kind="application/octet-stream"
            )
        number, rank = divmod(int(self._given("file")), 100)
        content = self.state.transactions[number].files[rank - 1][2]
        if self._given("tampon") == "true" and self.state.stamping_works:
            content = content.replace(b"%%EOF", b"% Recu en prefecture\n%%EOF")
        raise _Reply(content, kind="application/pdf")

    def php_list_actes(self) -> None:
        if not self.state.lists_allowed:
            raise _ko("Accès refusé")
        status, offset = int(self._given("status_id")), int(self._given("offset"))
        found = [
            self._listed(one) for one in self.state.transactions.values() if one.status == status
        ]
        page = found[offset : offset + int(self._given("limit"))]
        raise _json(
            {"status_id": status, "authority_id": 12, "offset": offset, "transactions": page}
        )

    def _listed(self, one: Transaction) -> dict[str, Any]:
        about = one
        if one.kind == "6":
            about = self.state.transactions[int(one.text("id"))]
        return {
            "id": str(one.id),
            "subject": about.text("subject"),
            "number": about.text("number"),
            "date": about.text("decision_date"),
            "nature_descr": "Délibérations",
            "classification": "5.2",
            "type": one.kind,
        }

    def php_actes_classification_fetch(self) -> None:
        if not self.state.classification:
            raise _ko("Erreur de récupération de la dernière classification.")
        raise _Reply(self.state.classification, kind="text/xml")

    def php_actes_classification_request(self) -> None:
        if self.state.classification_is_recent:
            raise _ko("La dernière demande de classification date de moins d'un jour.")
        raise _ok(f"{self._new('7').id}\n\n")

    def php_list_document_prefecture(self) -> None:
        raise _json(
            [
                letter
                for key, letter in self.state.letters.items()
                if str(key) not in self.state.read
            ]
        )

    def php_actes_transac_get_document(self) -> None:
        number = int(self._given("id"))
        if number in self.state.transactions:  # an act: its letters, one a line (§3.7)
            lines = [
                f"{letter['type']}-{letter['last_status_id']}-{key}"
                for key, letter in self.state.letters.items()
                if letter.get("related_transaction_id") == number
            ]
            raise _Reply("\n".join(lines).encode(), kind="text/plain")
        raise _away(f"/modules/actes/actes_download_file.php?env={9000 + int(self._given('id'))}")

    def php_actes_transac_reponse_create(self) -> None:
        """In API mode by POST: OK and the number, as a creation (§3.7)."""
        letter = self.state.letters.get(int(self._given("id")))
        if letter is None or self._given("type_envoie") not in {"3", "4"}:
            raise _ko("Erreur d'initialisation de la transaction.")
        if "acte_pdf_file" not in {name for name, _, _ in self.files}:
            raise _ko("Aucun fichier acte n'a été posté ")
        if len(self._given("type_acte")) != 5:
            raise _ko("Erreur de validation du fichier de l'acte : typologie absente")
        raise _ok(f"{self._new(str(letter['type'])).id}\n\n")

    def php_document_prefecture_mark_as_read(self) -> None:
        self.state.read.append(self._given("transaction_id"))
        raise _json({"result": "ok"})

    # HELIOS

    def php_helios_importer_fichier(self) -> None:
        if not self.files:
            raise _import(0, "KO", "Aucune enveloppe trouvée : POST vide")
        digest = hashlib.sha1(self.files[0][2]).digest()  # noqa: S324 - what S²LOW compares
        for other in self.state.transactions.values():
            held = other.kind == "pes" and hashlib.sha1(other.files[0][2]).digest()  # noqa: S324
            if held == digest:
                raise _import(0, "KO", "doublon détecté. Ce fichier a déjà été posté.")
        raise _import(self._new("pes").id, "OK", "Téléchargement du fichier réussi.")

    def php_helios_transac_get_status(self) -> None:
        found = self._transaction("transaction")
        raise _xml(
            f"<transaction ><id>{found.id}</id><resultat>OK</resultat>"
            f"<message>{found.content.decode()}</message><status>{found.status}</status>"
            "</transaction>"
        )

    def php_helios_download_acquit(self) -> None:
        found = self._transaction("id")
        if not found.acknowledgement:
            raise _away("/modules/helios/index.php")
        raise _Reply(found.acknowledgement, kind="text/xml")

    def php_helios_get_list(self) -> None:
        waiting = "".join(
            f"<pes_retour><id>{key}</id><nom>{name}</nom><date>2026-11-24</date></pes_retour>"
            for key, (name, _) in self.state.retours.items()
            if f"r{key}" not in self.state.read
        )
        raise _xml(
            "<liste><idColl>12</idColl><resultat></resultat><message>liste réussi</message>"
            f"<dateDemande>2026-11-24</dateDemande>{waiting}</liste>"
        )

    def php_helios_get_retour(self) -> None:
        key = int(self._given("id"))
        if key not in self.state.retours:
            raise _xml(
                f"<get_retour><id>{key}</id><resultat>KO</resultat>"
                "<message>Fichier inconnu</message></get_retour>"
            )
        raise _Reply(self.state.retours[key][1], kind="application/octet-stream")

    def php_helios_change_status(self) -> None:
        self.state.read.append(f"r{self._given('id')}")
        raise _xml(
            f"<transaction><idRetour>{self._given('id')}</idRetour><resultat>OK</resultat>"
            "<message>statut changé</message></transaction>"
        )


def _xml(body: str) -> _Reply:
    text = f'<?xml version="1.0" encoding="ISO-8859-1"?>\n{body}'
    return _Reply(text.encode("iso-8859-1"), kind="text/xml")


def _import(number: int, result: str, message: str) -> _Reply:
    identifier = number or ""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<import><id>{identifier}</id><resultat>{result}</resultat>"
        f"<message>{message}</message></import>"
    )
    return _Reply(text.encode(), kind="text/xml")


def _form(
    content_type: str, body: bytes
) -> tuple[dict[str, list[bytes]], list[tuple[str, str, bytes]]]:
    """Fields and files of a multipart body, split by hand on its boundary."""
    fields: dict[str, list[bytes]] = {}
    files: list[tuple[str, str, bytes]] = []
    if "boundary=" not in content_type:
        return fields, files
    boundary = b"--" + content_type.partition("boundary=")[2].encode()
    for part in body.split(boundary)[1:-1]:
        head, _, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        value = value.removesuffix(b"\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        if b"filename=" in head:
            posted = head.partition(b'filename="')[2].partition(b'"')[0].decode()
            files.append((name, posted, value))
        else:
            fields.setdefault(name, []).append(value)
    return fields, files
