"""Small PES files, true to the XSD, whose every part a test may change."""

import gzip
from base64 import b64encode

ALLER = "http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/aller"
RETOUR = "http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/retour"
ACQUIT_V2 = f"{RETOUR}/v2"
SIGNATURE = (
    '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature>'
)
DECLARATION = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'


def values(**fields: str | None) -> str:
    """`NomFic="X"` → `<NomFic V="X"/>`, in the order given; None leaves the element out."""
    return "".join(f'<{name} V="{value}"/>' for name, value in fields.items() if value is not None)


def envelope(nom_fic: str | None = "PES-2026-001") -> str:
    parameters = values(Version="2", TypFic="PESALR1", NomFic=nom_fic)
    sender = values(Sigle="EDITEUR", Adresse="Logiciel 1.0")
    return (
        f"<Enveloppe><Parametres>{parameters}</Parametres><Emetteur>{sender}</Emetteur></Enveloppe>"
    )


def entete(**changes: str | None) -> str:
    fields = {
        "DteStr": "2026-01-05",
        "IdPost": "079012",
        "IdColl": "21790174400011",
        "CodCol": "123",
        "CodBud": "00",
        "LibelleColBud": "MELLE",
    }
    return f"<EnTetePES>{values(**fields | changes)}</EnTetePES>"


def line(ht: str = "100.00", tva: str | None = None, number: int = 1) -> str:
    info = values(
        IdLigne=str(number), Nature="6067", ModRegl="03", TVAIntraCom="0", MtHT=ht, MtTVA=tva
    )
    return (
        f"<LigneDePiece><BlocLignePiece><InfoLignePce>{info}</InfoLignePce></BlocLignePiece>"
        "</LigneDePiece>"
    )


def mandat(*lines: str, number: int = 1, references: str = "") -> str:
    info = values(IdPce=str(number), TypPce="01", NatPce="01", Obj="FOURNITURES")
    return (
        f"<Piece><BlocPiece><InfoPce>{info}{references}</InfoPce></BlocPiece>"
        f"{''.join(lines) or line()}</Piece>"
    )


def titre(ht: str = "50.00", number: int = 1) -> str:
    info = values(
        IdPce=str(number), TypPce="01", NatPce="01", Edition="04", ObjPce="CANTINE", NumDette="7"
    )
    amounts = values(
        IdLigne="1",
        ObjLignePce="CANTINE",
        CodProdLoc="01",
        Nature="7067",
        Majo="0",
        TvaIntraCom="0",
        MtHT=ht,
    )
    return (
        f"<Piece><BlocPiece>{info}</BlocPiece><LigneDePiece><BlocLignePiece>"
        f"<InfoLignePiece>{amounts}</InfoLignePiece></BlocLignePiece></LigneDePiece></Piece>"
    )


def reference(id_unique: str, support: str = "01") -> str:
    return f"<PJRef>{values(Support=support, IdUnique=id_unique)}</PJRef>"


def bordereau(
    *pieces: str,
    number: str = "7",
    type_code: str = "01",
    count: str | None = None,
    ht: str = "100.00",
    cumul: str | None = None,
    xml_id: str = "",
    signed: bool = False,
    recette: bool = False,
) -> str:
    found = pieces or (titre(ht) if recette else mandat(line(ht)),)
    fields = values(
        Exer="2026",
        IdBord=number,
        DteBordEm="2026-01-05",
        TypBord=type_code,
        NbrPce=count or str(len(found)),
        MtCumulAnnuel=cumul,
    ) + values(**{"MtBordHt" if recette else "MtBordHT": ht})
    identifier = f' Id="{xml_id}"' if xml_id else ""
    return (
        f"<Bordereau{identifier}><BlocBordereau>{fields}</BlocBordereau>{''.join(found)}"
        f"{SIGNATURE if signed else ''}</Bordereau>"
    )


def depense(*bordereaux: str, demat: str | None = None) -> str:
    head = values(IdVer="2", InfoDematerialisee=demat)
    body = "".join(bordereaux) or bordereau()
    return f"<PES_DepenseAller><EnTeteDepense>{head}</EnTeteDepense>{body}</PES_DepenseAller>"


def recette(*bordereaux: str, demat: str | None = None) -> str:
    head = values(IdVer="2", InfoDematerialisee=demat)
    body = "".join(bordereaux) or bordereau(recette=True, ht="50.00")
    return f"<PES_RecetteAller><EnTeteRecette>{head}</EnTeteRecette>{body}</PES_RecetteAller>"


def packed(content: bytes = b"%PDF-1.7 facture") -> str:
    return b64encode(gzip.compress(content, mtime=0)).decode()


def pj(
    id_unique: str = "PJ20261",
    content: str | None = None,
    mime: str | None = "application/pdf",
) -> str:
    kind = f' MIMEType="{mime}"' if mime else ""
    file = f"<Fichier{kind}>{packed() if content is None else content}</Fichier>"
    return (
        f"<PJ><Contenu>{file}</Contenu>"
        f"{values(IdUnique=id_unique, NomPJ='facture.pdf', TypePJ='003', Description='PJ')}</PJ>"
    )


def attachments(*found: str) -> str:
    return f"<PES_PJ><EnTetePES_PJ>{values(IdVer='1')}</EnTetePES_PJ>{''.join(found)}</PES_PJ>"


def aller(
    *blocks: str,
    nom_fic: str | None = "PES-2026-001",
    head: str | None = None,
    declaration: str = DECLARATION,
    encoding: str = "ISO-8859-1",
    attributes: str = "",
    namespace: str = ALLER,
    root: str = "PES_Aller",
    **header: str | None,
) -> bytes:
    """A PES_Aller with one bordereau de dépense, or with the blocks given (`""` for none)."""
    body = "".join(blocks) if blocks else depense()
    entete_pes = entete(**header) if head is None else head
    text = (
        f'{declaration}<n:{root} xmlns:n="{namespace}"{attributes}>{envelope(nom_fic)}{entete_pes}'
        f"{body}</n:{root}>"
    )
    return text.encode(encoding)


def acquit_retour() -> bytes:
    element = values(
        DomaineAckRetour="13",
        NomFichierRetour="PES2R_DEP",
        TypRestit="02",
        DateAcquit="2026-01-06",
    )
    block = (
        f"<ACQUIT_RETOUR><EnTeteAcquit_Retour>{values(IdVer='2')}</EnTeteAcquit_Retour>"
        f"<ElementACQUIT_RETOUR>{element}</ElementACQUIT_RETOUR></ACQUIT_RETOUR>"
    )
    return aller(block, namespace=f"{ALLER}/ack", root="PES_ACQUIT_RETOUR")


def error(label: str = "1971 - Compte présent à tort", anomaly: str = "ERREUR_AUTRE") -> str:
    return f"<Erreur>{values(NumAnoAck=anomaly, LibelleAnoAck=label)}</Erreur>"


def piece_error(number: str, *errors: str, lines: str = "") -> str:
    return f"<DetailPiece>{values(NumPiece=number)}{''.join(errors)}{lines}</DetailPiece>"


def line_error(number: str, *errors: str) -> str:
    return f"<DetailLigne>{values(NumLigne=number)}{''.join(errors)}</DetailLigne>"


def element(domain: str, state: str | None, *inside: str, **subject: str) -> str:
    fields = values(DomaineAck=domain, EtatAck=state, **subject)
    return f"<ElementACQUIT>{fields}{''.join(inside)}</ElementACQUIT>"


def acquit(
    *elements: str,
    nom_fic: str | None = "PES-2026-001",
    namespace: str = ACQUIT_V2,
    block: bool = True,
    root: str = "PES_ACQUIT",
    declaration: str = DECLARATION,
    encoding: str = "ISO-8859-1",
    **header: str | None,
) -> bytes:
    head = f"<EnTeteAcquit>{values(IdVer='2')}</EnTeteAcquit>"
    body = f"<ACQUIT>{head}{''.join(elements)}</ACQUIT>" if block else ""
    text = (
        f'{declaration}<n:{root} xmlns:n="{namespace}">{envelope(nom_fic)}{entete(**header)}'
        f"{body}</n:{root}>"
    )
    return text.encode(encoding)


def retour(*blocks: str, id_coll: str = "21790174400011") -> bytes:
    head = entete(IdColl=id_coll, CodCol=None, CodColl="123")
    body = "".join(blocks) or (
        "<PES_DepenseRetour><EnTeteDepense>"
        f"{values(TypRestit='02', IdVer='2', NatInf='2')}</EnTeteDepense></PES_DepenseRetour>"
    )
    text = (
        f'{DECLARATION}<n:PES_Retour xmlns:n="{RETOUR}">{envelope("PES2R_DEP_P")}{head}{body}'
        "</n:PES_Retour>"
    )
    return text.encode("ISO-8859-1")
