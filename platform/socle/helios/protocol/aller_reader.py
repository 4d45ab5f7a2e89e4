"""Reading a deposited flux in one pass and constant memory."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Final

from socle.helios.protocol.aller import (
    ZERO,
    Aller,
    Attachment,
    Bordereau,
    Domain,
    DomainTotal,
)
from socle.helios.protocol.header import (
    HeaderTarget,
    read_amount,
    read_boolean,
    read_date,
    read_integer,
)
from socle.helios.protocol.refusals import NotPes, TooManyObjects, WrongNamespace
from socle.helios.protocol.streaming import (
    MAX_DEPOSIT,
    Digest,
    Source,
    local_name,
    namespace,
    read_into,
)

NAMESPACE_ALLER: Final = "http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/aller"
NAMESPACE_ACQUIT_RETOUR: Final = f"{NAMESPACE_ALLER}/ack"
MAX_REMEMBERED: Final = 500_000  # bordereaux, PJ, references and Ids kept for one file

_SIGNATURE: Final = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_NAMESPACES: Final = {"PES_Aller": NAMESPACE_ALLER, "PES_ACQUIT_RETOUR": NAMESPACE_ACQUIT_RETOUR}
_DOMAINS: Final = {
    "PES_DepenseAller": Domain.DEPENSE,
    "PES_RecetteAller": Domain.RECETTE,
    "PES_Facture": Domain.FACTURE,
    "PES_Marche": Domain.MARCHE,
    "PES_PJ": Domain.PJ,
}
_OTHER_CHILDREN: Final = frozenset({"Enveloppe", "EnTetePES", "Signature", "ACQUIT_RETOUR"})


@dataclass(frozen=True, slots=True)
class _Shape:
    """How an accounting block spells what the other spells otherwise; paths below the block."""

    block: str
    header: str
    declared_ht: str
    line_amounts: str
    references: tuple[str, ...]


_SHAPES: Final = {
    Domain.DEPENSE: _Shape(
        block="PES_DepenseAller",
        header="EnTeteDepense",
        declared_ht="MtBordHT",
        line_amounts="InfoLignePce",
        references=("BlocPiece/InfoPce/PJRef", "LigneDePiece/BlocLignePiece/InfoLignePce/PJRef"),
    ),
    Domain.RECETTE: _Shape(
        block="PES_RecetteAller",
        header="EnTeteRecette",
        declared_ht="MtBordHt",
        line_amounts="InfoLignePiece",
        references=("BlocPiece/PJRef", "LigneDePiece/BlocLignePiece/InfoLignePiece/PJRef"),
    ),
}
_BORDEREAU_PATHS: Final = frozenset(f"{shape.block}/Bordereau" for shape in _SHAPES.values())
_DECLARED_ENCODING: Final = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)""")
_ELECTRONIC: Final = "01"  # Support of a PJRef
_GZIP_IN_BASE64: Final = "H4sI"


def read_aller(source: Source, *, limit: int = MAX_DEPOSIT) -> Aller:
    """Read a deposited flux once, in constant memory; `limit` is its greatest size in bytes.

    Every encoding libxml2 knows is read, whatever the deposit rules think of it afterwards.
    Raises an `UnreadableFile` (see `refusals`).
    """
    target = _AllerTarget()
    digest = read_into(target, source, limit=limit)
    return target.result(digest)


def declared_encoding(head: bytes) -> str:
    """The encoding the first bytes of an XML file announce; `UTF-8` when they announce none."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    found = _DECLARED_ENCODING.match(
        head
    )  # a UTF-8 mark hides the declaration, as it does to libxml2
    return found.group(1).decode("ascii") if found else "UTF-8"


@dataclass(slots=True)
class _OpenBordereau:
    domain: Domain
    values: dict[str, str] = field(default_factory=dict)
    pieces: int = 0
    lines: int = 0
    total_ht: Decimal = ZERO
    total_tva: Decimal = ZERO
    unreadable_amounts: int = 0
    signed: bool = False

    def add(self, name: str, text: str) -> None:
        amount = read_amount(text)
        if amount is None:
            self.unreadable_amounts += 1
        elif name == "MtHT":
            self.total_ht += amount
        else:
            self.total_tva += amount

    def closed(self) -> Bordereau:
        value = self.values.get
        return Bordereau(
            domain=self.domain,
            number=value("IdBord", ""),
            exercice=value("Exer", ""),
            type_code=value("TypBord", ""),
            issued_on=read_date(value("DteBordEm", "")),
            declared_pieces=read_integer(value("NbrPce", "")),
            declared_ht=read_amount(value(_SHAPES[self.domain].declared_ht, "")),
            declared_tva=read_amount(value("MtBordTVA", "")),
            cumul_annuel=read_amount(value("MtCumulAnnuel", "")),
            pieces=self.pieces,
            lines=self.lines,
            total_ht=self.total_ht,
            total_tva=self.total_tva,
            unreadable_amounts=self.unreadable_amounts,
            signed=self.signed,
        )


@dataclass(slots=True)
class _OpenAttachment:
    values: dict[str, str] = field(default_factory=dict)
    mime_type: str = ""
    encoded: int = 0
    gzipped: bool = False

    def append(self, text: str) -> None:
        text = "".join(text.split())
        if not self.encoded:
            self.gzipped = text.startswith(_GZIP_IN_BASE64)
        self.encoded += len(text.rstrip("="))

    def closed(self) -> Attachment:
        return Attachment(
            id_unique=self.values.get("IdUnique", ""),
            name=self.values.get("NomPJ", ""),
            type_code=self.values.get("TypePJ", ""),
            mime_type=self.mime_type,
            compressed_size=self.encoded * 3 // 4,
            gzipped=self.gzipped,
        )


class _AllerTarget(HeaderTarget):
    def __init__(self) -> None:
        super().__init__()
        self._root_name = ""
        self._domains: list[Domain] = []
        self._dematerialised: dict[Domain, bool | None] = {}
        self._bordereaux: list[Bordereau] = []
        self._attachments: list[Attachment] = []
        self._referenced: dict[str, None] = {}
        self._unexpected: dict[str, None] = {}
        self._ids: set[str] = set()
        self._duplicate_ids: dict[str, None] = {}
        self._remembered = 0
        self._signed_globally = False
        self._stray_signatures = 0
        self._bordereau = _OpenBordereau(Domain.DEPENSE)
        self._attachment = _OpenAttachment()
        self._reference: dict[str, str] = {}
        self._in_file = False
        for domain, shape in _SHAPES.items():
            self._watch_bordereaux(domain, shape)
        self._watch_attachments("PES_PJ/PJ")
        self._watch_attachments("PJ")  # a common fault: beside PES_PJ instead of inside

    def open_root(self, tag: str) -> None:
        name = self._root_name = local_name(tag)
        if name not in _NAMESPACES:
            raise NotPes(name, "un PES aller")
        if namespace(tag) != _NAMESPACES[name]:
            raise WrongNamespace(name, namespace(tag))

    def open_child(self, name: str) -> None:
        if name in _DOMAINS:
            self._domains.append(_DOMAINS[name])
        elif name not in _OTHER_CHILDREN:
            self._remember()
            self._unexpected[name] = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        super().start(tag, attributes)
        if "Id" in attributes:
            self._note_id(attributes["Id"])
        if tag == _SIGNATURE:
            self._note_signature(self.parent_path())

    def data(self, text: str) -> None:
        if self._in_file:
            self._attachment.append(text)

    def result(self, digest: Digest) -> Aller:
        carried = {attachment.id_unique for attachment in self._attachments}
        return Aller(
            root=self._root_name,
            header=self.header,
            size=digest.size,
            sha256=digest.sha256,
            encoding=declared_encoding(digest.head),
            encoding_is_literal=b"ISO-8859-1" in digest.head[:50],
            domains=tuple(dict.fromkeys(self._domains)),
            totals=tuple(self._total(domain) for domain in _SHAPES if domain in self._domains),
            bordereaux=tuple(self._bordereaux),
            attachments=tuple(self._attachments),
            awaited_attachments=tuple(i for i in self._referenced if i not in carried),
            unexpected_blocks=tuple(self._unexpected),
            duplicate_ids=tuple(self._duplicate_ids),
            signed_globally=self._signed_globally,
            stray_signatures=self._stray_signatures,
        )

    def _total(self, domain: Domain) -> DomainTotal:
        mine = [bordereau for bordereau in self._bordereaux if bordereau.domain is domain]
        return DomainTotal(
            domain=domain,
            dematerialised=self._dematerialised.get(domain),
            bordereaux=len(mine),
            pieces=sum(bordereau.pieces for bordereau in mine),
            lines=sum(bordereau.lines for bordereau in mine),
            total_ht=sum((bordereau.sign * bordereau.total_ht for bordereau in mine), ZERO),
            total_tva=sum((bordereau.sign * bordereau.total_tva for bordereau in mine), ZERO),
        )

    def _watch_bordereaux(self, domain: Domain, shape: _Shape) -> None:
        bordereau = f"{shape.block}/Bordereau"
        self.on_value(
            f"{shape.block}/{shape.header}/InfoDematerialisee",
            lambda text: self._dematerialised.update({domain: read_boolean(text)}),
        )
        self.on(bordereau, lambda _: self._open_bordereau(domain), self._close_bordereau)
        for name in (
            "Exer",
            "IdBord",
            "DteBordEm",
            "TypBord",
            "NbrPce",
            "MtCumulAnnuel",
            "MtBordTVA",
        ):
            self.on_value(f"{bordereau}/BlocBordereau/{name}", partial(self._set_bordereau, name))
        declared = shape.declared_ht
        self.on_value(
            f"{bordereau}/BlocBordereau/{declared}", partial(self._set_bordereau, declared)
        )
        self._watch_pieces(f"{bordereau}/Piece", shape)

    def _watch_pieces(self, piece: str, shape: _Shape) -> None:
        self.on(piece, self._count_piece)
        self.on(f"{piece}/LigneDePiece", self._count_line)
        for name in ("MtHT", "MtTVA"):
            amount = f"{piece}/LigneDePiece/BlocLignePiece/{shape.line_amounts}/{name}"
            self.on_value(amount, partial(self._add_amount, name))
        for reference in shape.references:
            self.on(
                f"{piece}/{reference}", lambda _: self._reference.clear(), self._close_reference
            )
            for name in ("Support", "IdUnique"):
                self.on_value(f"{piece}/{reference}/{name}", partial(self._set_reference, name))

    def _watch_attachments(self, attachment: str) -> None:
        self.on(attachment, self._open_attachment, self._close_attachment)
        self.on(f"{attachment}/Contenu/Fichier", self._open_file, self._close_file)
        for name in ("IdUnique", "NomPJ", "TypePJ"):
            self.on_value(f"{attachment}/{name}", partial(self._set_attachment, name))

    def _open_bordereau(self, domain: Domain) -> None:
        self._remember()
        self._bordereau = _OpenBordereau(domain)

    def _set_bordereau(self, name: str, text: str) -> None:
        self._bordereau.values[name] = text

    def _close_bordereau(self) -> None:
        self._bordereaux.append(self._bordereau.closed())

    def _count_piece(self, _attributes: Mapping[str, str]) -> None:
        self._bordereau.pieces += 1

    def _count_line(self, _attributes: Mapping[str, str]) -> None:
        self._bordereau.lines += 1

    def _add_amount(self, name: str, text: str) -> None:
        self._bordereau.add(name, text)

    def _set_reference(self, name: str, text: str) -> None:
        self._reference[name] = text

    def _close_reference(self) -> None:
        identifier = self._reference.get("IdUnique", "")
        if identifier and self._reference.get("Support") == _ELECTRONIC:
            self._remember()
            self._referenced[identifier] = None

    def _open_attachment(self, _attributes: Mapping[str, str]) -> None:
        self._remember()
        self._attachment = _OpenAttachment()

    def _set_attachment(self, name: str, text: str) -> None:
        self._attachment.values[name] = text

    def _open_file(self, attributes: Mapping[str, str]) -> None:
        self._attachment.mime_type = attributes.get("MIMEType", "").strip()
        self._in_file = True

    def _close_file(self) -> None:
        self._in_file = False

    def _close_attachment(self) -> None:
        self._attachments.append(self._attachment.closed())

    def _note_id(self, identifier: str) -> None:
        self._remember()
        if identifier in self._ids:
            self._duplicate_ids[identifier] = None
        self._ids.add(identifier)

    def _note_signature(self, parent: str | None) -> None:
        """One for the whole flux or one per bordereau; any other is astray (PS Hélios)."""
        if parent == "" and not self._signed_globally:
            self._signed_globally = True
        elif parent in _BORDEREAU_PATHS and not self._bordereau.signed:
            self._bordereau.signed = True
        else:
            self._stray_signatures += 1

    def _remember(self) -> None:
        self._remembered += 1
        if self._remembered > MAX_REMEMBERED:
            raise TooManyObjects
