"""Archives of the corridor, made with strings and tarfile, and what the préfecture answers."""

import gzip
import io
import tarfile
from collections.abc import Mapping

XMLNS = (
    'xmlns:actes="http://www.interieur.gouv.fr/ACTES#v1.1-20040216" '
    'xmlns:insee="http://xml.insee.fr/schema"'
)
HEADER = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
SIREN = "200081511"
NUMBER = "2026_017"
IDENTIFIER = f"079-{SIREN}-20261120-{NUMBER}-DE"
STEM = f"{IDENTIFIER}-1-1"
ENVELOPE = f"TACT--{SIREN}--20261124-1.xml"
PDF = b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


def pack(files: Mapping[str, bytes]) -> bytes:
    """A flat tar.gz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def unpack(archive: bytes) -> dict[str, bytes]:
    """Name → content of a flat tar.gz."""
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive))) as tar:
        return {one.name: tar.extractfile(one).read() for one in tar}  # type: ignore[union-attr]


def envelope(message: str, *, siren: str = SIREN) -> bytes:
    text = (
        f"{HEADER}<actes:EnveloppeCLMISILL {XMLNS}><actes:Emetteur>"
        f'<actes:IDCL insee:SIREN="{siren}" actes:Departement="079" actes:Arrondissement="2" '
        'actes:Nature="31"/></actes:Emetteur><actes:AdressesRetour>'
        "<actes:Email>retours@tdt.example.fr</actes:Email></actes:AdressesRetour>"
        f"<actes:FormulairesEnvoyes><actes:Formulaire><actes:NomFichier>{message}"
        "</actes:NomFichier></actes:Formulaire></actes:FormulairesEnvoyes>"
        "</actes:EnveloppeCLMISILL>"
    )
    return text.encode("iso-8859-1")


def acte_xml(
    *, subject: str = "Règlement intérieur", annexes: tuple[str, ...] = (), number: str = NUMBER
) -> bytes:
    listed = "".join(
        f"<actes:Annexe><actes:NomFichier>{name}</actes:NomFichier></actes:Annexe>"
        for name in annexes
    )
    text = (
        f'{HEADER}<actes:Acte {XMLNS} actes:Date="2026-11-20" actes:NumeroInterne="{number}" '
        'actes:CodeNatureActe="1"><actes:CodeMatiere1 actes:CodeMatiere="5"/>'
        '<actes:CodeMatiere2 actes:CodeMatiere="2"/><actes:CodeMatiere3 actes:CodeMatiere="1"/>'
        f"<actes:Objet>{subject}</actes:Objet>"
        "<actes:ClassificationDateVersion>2025-01-01</actes:ClassificationDateVersion>"
        f"<actes:Document><actes:NomFichier>99_DE-{STEM}_1.pdf</actes:NomFichier></actes:Document>"
        f'<actes:Annexes actes:Nombre="{len(annexes)}">{listed}</actes:Annexes>'
        "<actes:DocumentPapier>N</actes:DocumentPapier></actes:Acte>"
    )
    return text.encode("iso-8859-1")


def acte_files(
    *, subject: str = "Règlement intérieur", annexes: bool = True, siren: str = SIREN
) -> dict[str, bytes]:
    names = (f"21_RP-{STEM}_2.png", f"99_DE-{STEM}_3.pdf") if annexes else ()
    return {
        ENVELOPE: envelope(f"{STEM}_0.xml", siren=siren),
        f"{STEM}_0.xml": acte_xml(subject=subject, annexes=names),
        f"99_DE-{STEM}_1.pdf": PDF,
        **dict(zip(names, (PNG, PDF + b"% annexe\n%%EOF\n"), strict=False)),
    }


def acte(**changes: object) -> bytes:
    return pack(acte_files(**changes))  # type: ignore[arg-type]


def cancellation() -> bytes:
    name = f"{IDENTIFIER}-6-1_0.xml"
    text = f'{HEADER}<actes:Annulation {XMLNS} actes:IDActe="{IDENTIFIER}"/>'
    return pack({ENVELOPE.replace("-1.", "-2."): envelope(name), name: text.encode()})


REPLY_ROOTS = {
    "2-2": "ReponseCourrierSimple",
    "3-3": "RefusPieceComplementaire",
    "3-4": "PieceComplementaire",
    "4-3": "RejetLettreObservations",
    "4-4": "ReponseLettreObservations",
}


def letter_reply(code: str = "3-4", *, dated: str = "2026-11-24", pieces: int = 2) -> bytes:
    """What answers a letter, or with 3-2 and 4-2 acknowledges it."""
    name = f"{IDENTIFIER}-{code}_0.xml"
    files = {f"99_DE-{IDENTIFIER}-{code}_{rank}.pdf": PDF for rank in range(1, pieces + 1)}
    listed = "".join(
        f"<actes:Document><actes:NomFichier>{one}</actes:NomFichier></actes:Document>"
        for one in files
    )
    if code == "3-4":
        listed = f"<actes:Documents>{listed}</actes:Documents>"
    receipts = {"3-2": "ARDemandePieceComplementaire", "4-2": "ARLettreObservations"}
    root = (REPLY_ROOTS | receipts)[code]
    text = (
        f'{HEADER}<actes:{root} {XMLNS} actes:IDActe="{IDENTIFIER}" '
        f'actes:DateCourrierPref="{dated}">{listed}</actes:{root}>'
    )
    return pack({ENVELOPE.replace("-1.", "-4."): envelope(name), name: text.encode(), **files})


def request_for_pieces(*, dated: str) -> bytes:
    """A 3-1 as S²LOW hands it over."""
    text = (
        f'{HEADER}<actes:DemandePieceComplementaire {XMLNS} actes:IDActe="{IDENTIFIER}" '
        f'actes:DateCourrierPref="{dated}"/>'
    )
    return pack({f"{IDENTIFIER}-3-1_1.xml": text.encode()})


def reply_receipt(*, dated: str = "2026-11-24") -> bytes:
    """A 3-5."""
    return (
        f'{HEADER}<actes:ARPieceComplementaire {XMLNS} actes:DateReception="2026-11-26">'
        f'<actes:InfosCourrierPref actes:IDActe="{IDENTIFIER}" actes:DateCourrierPref="{dated}"/>'
        "</actes:ARPieceComplementaire>"
    ).encode()


def classification_request() -> bytes:
    name = f"079-{SIREN}----7-1_0.xml"
    text = (
        f"{HEADER}<actes:DemandeClassification {XMLNS}><actes:DateClassification>2001-01-01"
        "</actes:DateClassification></actes:DemandeClassification>"
    )
    return pack({ENVELOPE.replace("-1.", "-3."): envelope(name), name: text.encode()})


def acknowledgement(*, identifier: str = IDENTIFIER, on: str = "2026-11-24") -> bytes:
    received = f' actes:DateReception="{on}"' if on else ""
    text = (
        f'{HEADER}<actes:ARActe {XMLNS} actes:IDActe="{identifier}"{received}><actes:ActeRecu '
        f'actes:Date="2026-11-20" actes:NumeroInterne="{NUMBER}" actes:CodeNatureActe="1">'
        "<actes:Objet>Règlement intérieur</actes:Objet></actes:ActeRecu>"
        "<actes:ClassificationDateVersionEnCours>2025-01-01"
        "</actes:ClassificationDateVersionEnCours></actes:ARActe>\n"
    )
    return text.encode("iso-8859-1")


def cancellation_acknowledgement() -> bytes:
    text = (
        f'{HEADER}<actes:ARAnnulation {XMLNS} actes:IDActe="{IDENTIFIER}" '
        'actes:DateReception="2026-11-25"/>'
    )
    return text.encode()


def classification() -> bytes:
    text = (
        f"{HEADER}<actes:RetourClassification {XMLNS}><actes:DateClassification>2025-01-01"
        "</actes:DateClassification><actes:NaturesActes/><actes:Matieres>"
        '<actes:Matiere1 actes:CodeMatiere="5" actes:Libelle="Institutions et vie politique">'
        '<actes:Matiere2 actes:CodeMatiere="2" actes:Libelle="Fonctionnement"/></actes:Matiere1>'
        "</actes:Matieres></actes:RetourClassification>"
    )
    return text.encode("iso-8859-1")


def acquit() -> bytes:
    return (
        b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<n:PES_ACQUIT '
        b'xmlns:n="http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/aller"><EnTetePES/></n:PES_ACQUIT>'
    )
