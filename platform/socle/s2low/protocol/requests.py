"""The questions S²LOW understands, each as one value."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

from socle.s2low.protocol.archive import Acte, LetterReply
from socle.s2low.protocol.multipart import Form, Upload
from socle.s2low.protocol.outcomes import Refused

ACTES: Final = "/modules/actes/"
HELIOS: Final = "/modules/helios/"
TEXT_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of a text, JSON or XML answer."""
FILE_LIMIT: Final = 160 * 1024 * 1024
"""Bytes of a downloaded file: an archive is 150 MiB at most."""
PAGE: Final = 100
SUBJECT_LIMIT: Final = 499

Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `limit` bounds the answer, in bytes."""

    path: str
    query: Query = ()
    form: Form | None = None
    limit: int = TEXT_LIMIT

    @property
    def method(self) -> str:
        """POST with a form, else GET."""
        return "GET" if self.form is None else "POST"

    @property
    def target(self) -> str:
        """Path and query, as in the request line."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


def _get(path: str, *query: tuple[str, str], limit: int = TEXT_LIMIT) -> Request:
    return Request(path, query, limit=limit)


# The account


def test_connection() -> Request:
    """Whether the account is let in."""
    return _get("/api/test-connexion.php")


def describe_connection() -> Request:
    """Who the account is, and which authority it acts for (JSON)."""
    return _get("/api/info-connexion.php")


def test_certificate() -> Request:
    """Whether the certificate may transmit (RGS)."""
    return _get("/api/test-rgs.php")


def list_logins() -> Request:
    """The logins that share the certificate, one a line."""
    return _get("/admin/users/api-list-login.php")


# ACTES


def create_acte(acte: Acte) -> Request:
    """Hand an act over (§3.1), in the field order of the best tried client.

    Raises Refused when S²LOW could not carry the subject as it was written.
    """
    check_subject(acte.subject)
    fields: list[tuple[str, str | Upload]] = [
        ("api", "1"),
        ("nature_code", str(acte.nature)),
        ("number", acte.number),
        ("subject", acte.subject),
        ("decision_date", acte.decided_on.isoformat()),
        ("en_attente", "0"),
        ("document_papier", "1" if acte.paper_complement else "0"),
        ("type_acte", acte.document.typology),
        *[("type_pj[]", annexe.typology) for annexe in acte.annexes],
        ("acte_pdf_file", acte.document.upload),
        *[("acte_attachments[]", annexe.upload) for annexe in acte.annexes],
        *[(f"classif{level}", str(code)) for level, code in enumerate(acte.matiere, 1)],
    ]
    return Request(f"{ACTES}actes_transac_create.php", form=Form(fields))


def check_subject(subject: str) -> None:
    """Raise Refused for a subject S²LOW would cut, refuse or misread."""
    if not 0 < len(subject) <= SUBJECT_LIMIT:
        raise Refused(
            f"l’objet doit compter de 1 à {SUBJECT_LIMIT} caractères et en compte {len(subject)} : "
            "raccourcissez-le."
        )
    for character in subject:
        if ord(character) > 255 or 127 <= ord(character) < 160:
            raise Refused(
                f"l’objet contient le caractère « {character} », que S²LOW ne sait pas lire : "
                "remplacez-le."
            )


def acte_status(number: str) -> Request:
    """State of a transaction, followed by the answer of the préfecture."""
    return _get(f"{ACTES}actes_transac_get_status.php", ("transaction", number), limit=FILE_LIMIT)


def acte_status_by_identifier(identifier: str) -> Request:
    """The same, asked with the IDActe: S²LOW knows it once the act is acknowledged."""
    return _get(f"{ACTES}actes_transac_get_status.php", ("unique_id", identifier))


def cancel_acte(number: str) -> Request:
    """Ask for the cancellation of an acknowledged act."""
    return Request(f"{ACTES}actes_transac_cancel.php", form=Form([("api", "1"), ("id", number)]))


def acknowledgement(number: str) -> Request:
    """The AR alone (API use since 5.0.47)."""
    return _get(f"{ACTES}actes_transac_get_ARActe.php", ("id", number))


def bordereau(number: str) -> Request:
    """The bordereau d'acquittement, a PDF."""
    return _get(f"{ACTES}actes_create_pdf.php", ("trans_id", number), limit=FILE_LIMIT)


def list_files(number: str) -> Request:
    """The files of a transaction (JSON): message, act, then annexes in sending order."""
    return _get(f"{ACTES}actes_transac_get_files_list.php", ("transaction", number))


def download_file(file: str, *, stamped: bool = False, published_on: date | None = None) -> Request:
    """One file; `stamped` prints the reception, and the publication date when it is given."""
    query = [("file", file)]
    if stamped:
        query.append(("tampon", "true"))
    if published_on:
        query.append(("date_affichage", published_on.isoformat()))
    return _get(f"{ACTES}actes_download_file.php", *query, limit=FILE_LIMIT)


def download_envelope(envelope: str) -> Request:
    """The archive of an envelope."""
    return _get(f"{ACTES}actes_download_file.php", ("env", envelope), limit=FILE_LIMIT)


def list_actes(status: int, *, since: date, until: date, offset: int = 0) -> Request:
    """A page of the transactions in `status` submitted between two days (JSON)."""
    return _get(
        f"{ACTES}api/list_actes.php",
        ("status_id", str(status)),
        ("offset", str(offset)),
        ("limit", str(PAGE)),
        ("min_date", since.isoformat()),
        ("max_date", until.isoformat()),
    )


def fetch_classification() -> Request:
    """The last RetourClassification S²LOW holds for the authority."""
    return _get(f"{ACTES}actes_classification_fetch.php", ("api", "1"))


def request_classification() -> Request:
    """Ask the préfecture for its classification."""
    return _get(f"{ACTES}actes_classification_request.php", ("api", "1"))


def list_letters() -> Request:
    """The unread messages of the préfecture (JSON)."""
    return _get(f"{ACTES}api/list_document_prefecture.php")


def get_letter(number: str) -> Request:
    """A message of the préfecture: S²LOW answers with a redirect to its archive."""
    return _get(f"{ACTES}actes_transac_get_document.php", ("id", number), limit=FILE_LIMIT)


def related_letters(number: str) -> Request:
    """The messages of the préfecture about an act, one a line (§3.7)."""
    return _get(f"{ACTES}actes_transac_get_document.php", ("id", number))


def reply_to_letter(number: str, reply: LetterReply) -> Request:
    """Answer a letter of the préfecture. What refuses is 3, what sends is 4."""
    fields: list[tuple[str, str | Upload]] = [
        ("api", "1"),
        ("id", number),
        ("type_envoie", "3" if reply.refuses else "4"),
        ("type_acte", reply.document.typology),
        *[("type_pj[]", annexe.typology) for annexe in reply.annexes],
        ("acte_pdf_file", reply.document.upload),
        *[("acte_attachments[]", annexe.upload) for annexe in reply.annexes],
    ]
    return Request(f"{ACTES}actes_transac_reponse_create.php", form=Form(fields))


def mark_letter_read(number: str) -> Request:
    """Say that a message is kept."""
    return _get(f"{ACTES}api/document_prefecture_mark_as_read.php", ("transaction_id", number))


# HELIOS


def import_flow(flow: Upload) -> Request:
    """Hand a PES aller over."""
    return Request(f"{HELIOS}api/helios_importer_fichier.php", form=Form([("enveloppe", flow)]))


def flow_status(number: str) -> Request:
    """State of a PES aller (XML)."""
    return _get(f"{HELIOS}api/helios_transac_get_status.php", ("transaction", number))


def download_acquit(number: str) -> Request:
    """The PES_ACQUIT."""
    return _get(f"{HELIOS}helios_download_acquit.php", ("id", number), limit=FILE_LIMIT)


def list_retours() -> Request:
    """The unread PES retour (XML)."""
    return _get(f"{HELIOS}api/helios_get_list.php")


def get_retour(number: str) -> Request:
    """One PES retour, raw."""
    return _get(f"{HELIOS}api/helios_get_retour.php", ("id", number), limit=FILE_LIMIT)


def mark_retour_read(number: str) -> Request:
    """Say that a PES retour is kept."""
    return _get(f"{HELIOS}api/helios_change_status.php", ("id", number))
