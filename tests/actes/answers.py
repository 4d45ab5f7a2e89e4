"""What a préfecture sends back, written with nothing but strings and the standard library."""

import io
import tarfile
from email.message import EmailMessage

from socle.actes.models import Act

XMLNS = (
    'xmlns:actes="http://www.interieur.gouv.fr/ACTES#v1.1-20040216" '
    'xmlns:insee="http://xml.insee.fr/schema"'
)
HEADER = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
MELLE = "200081511"


def acte_echo(act: Act) -> str:
    return (
        f'<actes:ActeRecu actes:Date="{act.decided_on}" actes:NumeroInterne="{act.number}" '
        f'actes:CodeNatureActe="{act.nature}"><actes:CodeMatiere1 actes:CodeMatiere="5"/>'
        f'<actes:CodeMatiere2 actes:CodeMatiere="2"/><actes:Objet>{act.objet}</actes:Objet>'
        "</actes:ActeRecu>"
    )


def acknowledgement(
    act: Act, *, on: str = "2026-11-24", current: str = "2025-01-01", identifier: str = ""
) -> bytes:
    text = (
        f'{HEADER}<actes:ARActe {XMLNS} actes:IDActe="{identifier or act.identifier}" '
        f'actes:DateReception="{on}">{acte_echo(act)}'
        f"<actes:ClassificationDateVersionEnCours>{current}"
        "</actes:ClassificationDateVersionEnCours></actes:ARActe>"
    )
    return text.encode("iso-8859-1")


def anomaly(
    act: Act, *, detail: str = "Le numéro a déjà été utilisé", nature: str = "042"
) -> bytes:
    said = f"<actes:Detail>{detail}</actes:Detail>" if detail else ""
    text = (
        f"{HEADER}<actes:AnomalieActe {XMLNS}><actes:Date>2026-11-24</actes:Date>"
        f"<actes:Nature>{nature}</actes:Nature>{said}{acte_echo(act)}"
        "<actes:ClassificationDateVersionEnCours>2025-01-01"
        "</actes:ClassificationDateVersionEnCours></actes:AnomalieActe>"
    )
    return text.encode("iso-8859-1")


def cancellation_ack(identifier: str, *, on: str = "2026-11-25") -> bytes:
    text = (
        f'{HEADER}<actes:ARAnnulation {XMLNS} actes:IDActe="{identifier}" '
        f'actes:DateReception="{on}"/>'
    )
    return text.encode()


def envelope_anomaly(*, nature: str = "5", detail: str = "PREF-VERIF-02 SIREN inconnu") -> bytes:
    text = (
        f"{HEADER}<actes:AnomalieEnveloppe {XMLNS}><actes:Date>2026-11-24</actes:Date>"
        f"<actes:Nature>{nature}</actes:Nature><actes:Detail>{detail}</actes:Detail>"
        "</actes:AnomalieEnveloppe>"
    )
    return text.encode("iso-8859-1")


LETTER_ROOTS = {
    "2-1": ("CourrierSimple", ""),
    "3-1": ("DemandePieceComplementaire", "DescriptionPieces"),
    "4-1": ("LettreObservations", "Motif"),
}


def letter(
    act: Act, code: str, *, dated: str = "2026-11-24", text: str = "", papers: tuple[str, ...] = ()
) -> bytes:
    """A courrier simple, a request for pieces or observations."""
    root, field = LETTER_ROOTS[code]
    said = f"<actes:{field}>{text}</actes:{field}>" if field else ""
    files = "".join(
        f"<actes:Document><actes:NomFichier>{name}</actes:NomFichier></actes:Document>"
        for name in papers
    )
    return (
        f'{HEADER}<actes:{root} {XMLNS} actes:IDActe="{act.identifier}" '
        f'actes:DateCourrierPref="{dated}">{said}{files}</actes:{root}>'
    ).encode("iso-8859-1")


def court_referral(act: Act, *, dated: str = "2026-11-24", papers: tuple[str, ...] = ()) -> bytes:
    files = "".join(
        f"<actes:PieceJointe><actes:NomFichier>{name}</actes:NomFichier></actes:PieceJointe>"
        for name in papers
    )
    return (
        f'{HEADER}<actes:DefereTA {XMLNS} actes:IDActe="{act.identifier}">'
        f"<actes:DateDepot>{dated}</actes:DateDepot><actes:NatureIllegalite>Incompétence"
        f"</actes:NatureIllegalite><actes:PiecesJointes>{files}</actes:PiecesJointes>"
        "</actes:DefereTA>"
    ).encode("iso-8859-1")


def reply_ack(act: Act, code: str, *, dated: str = "2026-11-24", on: str = "2026-11-26") -> bytes:
    """A 3-5 or a 4-5."""
    root = {"3-5": "ARPieceComplementaire", "4-5": "ARReponseRejetLettreObservations"}[code]
    return (
        f'{HEADER}<actes:{root} {XMLNS} actes:DateReception="{on}"><actes:InfosCourrierPref '
        f'actes:IDActe="{act.identifier}" actes:DateCourrierPref="{dated}"/></actes:{root}>'
    ).encode("iso-8859-1")


def envelope(message: str, *, siren: str = MELLE) -> bytes:
    text = (
        f"{HEADER}<actes:EnveloppeMISILLCL {XMLNS}><actes:Emetteur><actes:IDPref "
        'actes:Departement="079"/></actes:Emetteur><actes:FormulairesEnvoyes><actes:Formulaire>'
        f"<actes:NomFichier>{message}</actes:NomFichier></actes:Formulaire>"
        f'</actes:FormulairesEnvoyes><actes:Destinataire insee:SIREN="{siren}"/>'
        "</actes:EnveloppeMISILLCL>"
    )
    return text.encode()


_KINDS = {"jpg": ("image", "jpeg"), "pdf": ("application", "pdf")}


def mail(files: dict[str, bytes]) -> bytes:
    """A mail of the ministry: a page for people, attachments for machines."""
    message = EmailMessage()
    message["Subject"] = "[@CTES] Retour de la préfecture"
    message["From"] = "ne-pas-repondre@interieur.example"
    message.set_content("<html><body>Accusé de réception</body></html>", subtype="html")
    for name, content in files.items():
        kind = _KINDS.get(name.rpartition(".")[2], ("application", "xml"))
        message.add_attachment(content, maintype=kind[0], subtype=kind[1], filename=name)
    return bytes(message)


def returned(
    name: str, content: bytes, *, siren: str = MELLE, papers: dict[str, bytes] | None = None
) -> bytes:
    """The mail that carries one message under its envelope, with its papers."""
    return mail(
        {
            f"EACT--PREF079-{siren}-20261124-1.xml": envelope(name, siren=siren),
            name: content,
            **(papers or {}),
            "logo.jpg": b"\xff\xd8\xff\xe0",
        }
    )


def ar_name(act: Act, code: str = "1-2") -> str:
    return f"{act.identifier}-{code}_7.xml"


def tar_gz(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
