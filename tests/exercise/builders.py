"""What a collectivité would send, built with nothing but strings and tarfile."""

import io
import tarfile
from dataclasses import dataclass, field
from datetime import UTC, datetime

ACTES = "http://www.interieur.gouv.fr/ACTES#v1.1-20040216"
INSEE = "http://xml.insee.fr/schema"
PES = "http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/aller"
XMLNS = f'xmlns:actes="{ACTES}" xmlns:insee="{INSEE}"'
DECLARATION = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
CLASSIFICATION_DAY = "2025-01-01"
AT = datetime(2025, 3, 10, 9, 30, tzinfo=UTC)
PDF = b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n...."


@dataclass
class Act:
    """A message 1-1 and its pieces; every field can be made wrong."""

    number: str = "2025_017"
    day: str = "2025-03-03"
    nature: int = 1
    abbreviation: str = "DE"
    matter: tuple[int, int] = (5, 2)
    subject: str = "Règlement intérieur du conseil"
    classification_day: str = CLASSIFICATION_DAY
    siren: str = "247900798"
    department: str = "079"
    piece_type: str = "99_DE"
    extension: str = "pdf"
    pdf: bytes = PDF
    annexes: tuple[tuple[str, bytes], ...] = ()
    declared_annexes: int | None = None
    paper: str = "<actes:DocumentPapier>N</actes:DocumentPapier>"
    stem: str = ""

    @property
    def act_id(self) -> str:
        day = self.day.replace("-", "")
        return f"{self.department}-{self.siren}-{day}-{self.number}-{self.abbreviation}"

    @property
    def message_stem(self) -> str:
        return self.stem or f"{self.act_id}-1-1"

    @property
    def document(self) -> str:
        return f"{self.piece_type}-{self.message_stem}_1.{self.extension}"

    def annexe_names(self) -> list[str]:
        return [f"{prefix}-{self.message_stem}_{rank}.png" for rank, (prefix, _) in self._ranked()]

    def _ranked(self) -> list[tuple[int, tuple[str, bytes]]]:
        return list(enumerate(self.annexes, start=2))

    def xml(self) -> bytes:
        annexes = "".join(
            f"<actes:Annexe><actes:NomFichier>{name}</actes:NomFichier></actes:Annexe>"
            for name in self.annexe_names()
        )
        count = len(self.annexes) if self.declared_annexes is None else self.declared_annexes
        text = (
            f'{DECLARATION}<actes:Acte {XMLNS} actes:Date="{self.day}"'
            f' actes:NumeroInterne="{self.number}" actes:CodeNatureActe="{self.nature}">'
            f'<actes:CodeMatiere1 actes:CodeMatiere="{self.matter[0]}"/>'
            f'<actes:CodeMatiere2 actes:CodeMatiere="{self.matter[1]}"/>'
            f"<actes:Objet>{self.subject}</actes:Objet>"
            "<actes:ClassificationDateVersion>"
            f"{self.classification_day}</actes:ClassificationDateVersion>"
            f"<actes:Document><actes:NomFichier>{self.document}</actes:NomFichier></actes:Document>"
            f'<actes:Annexes actes:Nombre="{count}">{annexes}</actes:Annexes>{self.paper}'
            "</actes:Acte>"
        )
        return text.encode("iso-8859-1")

    def files(self) -> dict[str, bytes]:
        pieces = dict(zip(self.annexe_names(), (one for _, one in self.annexes), strict=True))
        return {f"{self.message_stem}_0.xml": self.xml(), self.document: self.pdf} | pieces


@dataclass
class Parcel:
    """An envelope, its messages, and the archive that carries them."""

    files: dict[str, bytes] = field(default_factory=dict)
    messages: tuple[str, ...] = ()
    siren: str = "247900798"
    name_siren: str = ""
    department: str = "079"
    district: str = "2"
    nature: str = "44"
    number: int = 1
    addresses: tuple[str, ...] = ("retour-actes@tdt.example.fr",)
    envelope_body: str = ""

    @property
    def envelope_name(self) -> str:
        return f"EACT--{self.name_siren or self.siren}--20250310-{self.number}.xml"

    @property
    def name(self) -> str:
        return f"SOC-{self.envelope_name.removesuffix('.xml')}.tar.gz"

    def envelope(self) -> bytes:
        forms = "".join(
            f"<actes:Formulaire><actes:NomFichier>{name}</actes:NomFichier></actes:Formulaire>"
            for name in self.messages
        )
        mails = "".join(f"<actes:Email>{one}</actes:Email>" for one in self.addresses)
        body = self.envelope_body or (
            f'<actes:Emetteur><actes:IDCL insee:SIREN="{self.siren}"'
            f' actes:Departement="{self.department}" actes:Arrondissement="{self.district}"'
            f' actes:Nature="{self.nature}"/></actes:Emetteur>'
            f"<actes:AdressesRetour>{mails}</actes:AdressesRetour>"
            f"<actes:FormulairesEnvoyes>{forms}</actes:FormulairesEnvoyes>"
        )
        text = f"{DECLARATION}<actes:EnveloppeCLMISILL {XMLNS}>{body}</actes:EnveloppeCLMISILL>"
        return text.encode("iso-8859-1")

    def archive(self) -> bytes:
        return tar_gz({self.envelope_name: self.envelope()} | self.files)


def parcel_of(*acts: Act, **changes: object) -> Parcel:
    """A parcel of one envelope that announces these acts."""
    files = {name: content for act in acts for name, content in act.files().items()}
    messages = tuple(f"{act.message_stem}_0.xml" for act in acts)
    return Parcel(files=files, messages=messages, **changes)  # type: ignore[arg-type]


def cancellation_of(act: Act, **changes: object) -> Parcel:
    """A parcel that asks to cancel this act."""
    name = f"{act.act_id}-6-1_0.xml"
    text = f'{DECLARATION}<actes:Annulation {XMLNS} actes:IDActe="{act.act_id}"/>'
    return Parcel(files={name: text.encode()}, messages=(name,), **changes)  # type: ignore[arg-type]


def classification_request(day: str, **changes: object) -> Parcel:
    """A parcel that asks for the classification, holding the one of `day`."""
    name = "079-247900798----7-1_0.xml"
    text = (
        f"{DECLARATION}<actes:DemandeClassification {XMLNS}>"
        f"<actes:DateClassification>{day}</actes:DateClassification></actes:DemandeClassification>"
    )
    return Parcel(files={name: text.encode()}, messages=(name,), **changes)  # type: ignore[arg-type]


def tar_gz(files: dict[str, bytes]) -> bytes:
    """A flat tar.gz of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@dataclass
class Pes:
    """A PES aller; `bordereaux` gives the piece objects of each bordereau of expense."""

    name: str = "PESALR2_247900798_250310_001"
    bordereaux: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"12": ("Fournitures",)})
    attachments: tuple[str, ...] = ()
    post: str = "079012"
    siret: str = "24790079800011"
    collectivity: str = "400"
    budget: str = "01"
    encoding: str = "ISO-8859-1"
    before_header: str = ""
    after: str = ""

    def xml(self) -> bytes:
        return (
            f'<?xml version="1.0" encoding="{self.encoding}"?>\n<n:PES_Aller xmlns:n="{PES}">'
            f"{self.before_header}<Enveloppe><Parametres>"
            f'<Version V="2"/><TypFic V="PESALR2"/><NomFic V="{self.name}"/></Parametres>'
            '<Emetteur><Sigle V="LOGICIEL"/><Adresse V="GF 1.0"/></Emetteur></Enveloppe>'
            f'<EnTetePES><DteStr V="2025-03-10"/><IdPost V="{self.post}"/>'
            f'<IdColl V="{self.siret}"/><CodCol V="{self.collectivity}"/>'
            f'<CodBud V="{self.budget}"/><LibelleColBud V="Communauté de communes"/></EnTetePES>'
            f"{self._expense()}{self._attachments()}{self.after}</n:PES_Aller>"
        ).encode("utf-8" if self.encoding == "UTF-8" else "iso-8859-1")

    def _expense(self) -> str:
        if not self.bordereaux:
            return ""
        found = "".join(self._bordereau(*one) for one in self.bordereaux.items())
        head = '<EnTeteDepense><IdVer V="2"/></EnTeteDepense>'
        return f"<PES_DepenseAller>{head}{found}</PES_DepenseAller>"

    def _bordereau(self, number: str, subjects: tuple[str, ...]) -> str:
        pieces = "".join(
            f'<Piece><BlocPiece><InfoPce><IdPce V="{rank}"/><TypPce V="01"/><NatPce V="01"/>'
            f'<Obj V="{subject}"/></InfoPce></BlocPiece><LigneDePiece><BlocLignePiece>'
            '<InfoLignePce><IdLigne V="1"/></InfoLignePce></BlocLignePiece></LigneDePiece></Piece>'
            for rank, subject in enumerate(subjects, start=831)
        )
        return (
            f'<Bordereau><BlocBordereau><Exer V="2025"/><IdBord V="{number}"/><TypBord V="01"/>'
            f"</BlocBordereau>{pieces}</Bordereau>"
        )

    def _attachments(self) -> str:
        if not self.attachments:
            return ""
        found = "".join(f'<PJ><IdUnique V="{one}"/></PJ>' for one in self.attachments)
        return f'<PES_PJ><EnTetePES_PJ><IdVer V="1"/></EnTetePES_PJ>{found}</PES_PJ>'
