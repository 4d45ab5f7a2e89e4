"""A PES_Aller (or a PES_ACQUIT_RETOUR) as read: what a secretary wants to see in clear.

Facts only: nothing here says whether the flux may leave (`deposit`), whether it keeps to the XSD or
whether its signatures are valid. Totals are ours, summed over the lines; what the file declares
stands beside them. `aller_reader.read_aller` builds an `Aller`.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from socle.helios.protocol.header import Header

CANCELLATION: Final = "02"  # TypBord of annulations and réductions: its amounts are deducted
ORMC: Final = "06"  # TypBord of a rôle
ZERO: Final = Decimal("0.00")


class Domain(StrEnum):
    """A block of a PES_Aller."""

    DEPENSE = "depense"
    RECETTE = "recette"
    FACTURE = "facture"
    MARCHE = "marche"
    PJ = "pj"

    @property
    def label(self) -> str:
        return _DOMAIN_LABELS[self]


_DOMAIN_LABELS: Final = {
    Domain.DEPENSE: "Dépense",
    Domain.RECETTE: "Recette",
    Domain.FACTURE: "Facture",
    Domain.MARCHE: "Marché",
    Domain.PJ: "Pièces jointes",
}
_BORDEREAU_TYPES: Final = {
    (Domain.DEPENSE, "01"): "Ordinaire",
    (Domain.DEPENSE, "02"): "Annulation ou réduction",
    (Domain.DEPENSE, "03"): "Ordres de paiement",
    (Domain.RECETTE, "01"): "Ordinaire",
    (Domain.RECETTE, "02"): "Annulation ou réduction",
    (Domain.RECETTE, "03"): "Ordres de recette",
    (Domain.RECETTE, "06"): "Ordre de recette multi-créanciers (rôle)",
}


class Signature(StrEnum):
    """How much of the flux carries a signature; says nothing of its validity."""

    NONE = "none"
    GLOBAL = "global"
    EVERY_BORDEREAU = "every_bordereau"
    SOME_BORDEREAUX = "some_bordereaux"


@dataclass(frozen=True, slots=True)
class BordereauKey:
    """What makes a bordereau unique for a budget (XSD note on IdBord)."""

    domain: Domain
    exercice: str
    type_code: str
    number: str


@dataclass(frozen=True, slots=True)
class Bordereau:
    """One bordereau: what it declares, what its pieces (mandats or titres) and lines add up to."""

    domain: Domain
    number: str = ""
    exercice: str = ""
    type_code: str = ""
    issued_on: date | None = None
    declared_pieces: int | None = None
    declared_ht: Decimal | None = None
    declared_tva: Decimal | None = None
    cumul_annuel: Decimal | None = None
    pieces: int = 0
    lines: int = 0
    total_ht: Decimal = ZERO
    total_tva: Decimal = ZERO
    unreadable_amounts: int = 0
    signed: bool = False

    @property
    def key(self) -> BordereauKey:
        return BordereauKey(self.domain, self.exercice, self.type_code, self.number)

    @property
    def type_label(self) -> str:
        """The French name of its type, or the code itself when unknown."""
        return _BORDEREAU_TYPES.get((self.domain, self.type_code), self.type_code)

    @property
    def total_ttc(self) -> Decimal:
        return self.total_ht + self.total_tva

    @property
    def sign(self) -> int:
        """-1 for an annulation, whose amounts are written positive and deducted; else 1."""
        return -1 if self.type_code == CANCELLATION else 1


@dataclass(frozen=True, slots=True)
class Attachment:
    """One PJ carried by the flux. `compressed_size` in bytes, once out of base64."""

    id_unique: str = ""
    name: str = ""
    type_code: str = ""
    mime_type: str = ""
    compressed_size: int = 0
    gzipped: bool = False


@dataclass(frozen=True, slots=True)
class DomainTotal:
    """One accounting domain; amounts of bordereaux d'annulation are deducted."""

    domain: Domain
    dematerialised: bool | None
    bordereaux: int
    pieces: int
    lines: int
    total_ht: Decimal
    total_tva: Decimal

    @property
    def total_ttc(self) -> Decimal:
        return self.total_ht + self.total_tva


@dataclass(frozen=True, slots=True)
class Aller:
    """A flux as deposited.

    `encoding` is what the file declares, `UTF-8` when it declares nothing; `encoding_is_literal`
    tells that « ISO-8859-1 » stands, so spelled, in the first 50 bytes, where S²LOW looks for it.
    `awaited_attachments` are the IdUnique referenced as electronic and not carried by the file.
    `stray_signatures` counts those that cover neither the whole flux nor one bordereau, or come
    second.
    """

    root: str
    header: Header
    size: int
    sha256: str
    encoding: str
    encoding_is_literal: bool
    domains: tuple[Domain, ...]
    totals: tuple[DomainTotal, ...]
    bordereaux: tuple[Bordereau, ...]
    attachments: tuple[Attachment, ...]
    awaited_attachments: tuple[str, ...]
    unexpected_blocks: tuple[str, ...]
    duplicate_ids: tuple[str, ...]
    signed_globally: bool
    stray_signatures: int

    @property
    def is_empty(self) -> bool:
        """Nothing but the envelope and the header: such a flux is never acknowledged."""
        return not self.domains and self.expects_acquit

    @property
    def expects_acquit(self) -> bool:
        """False for the acquit of a PES_Retour, to which the DGFiP answers nothing."""
        return self.root == "PES_Aller"

    @property
    def pieces(self) -> int:
        return sum(bordereau.pieces for bordereau in self.bordereaux)

    @property
    def lines(self) -> int:
        return sum(bordereau.lines for bordereau in self.bordereaux)

    @property
    def signature(self) -> Signature:
        signed = [bordereau.signed for bordereau in self.bordereaux]
        if self.signed_globally:
            return Signature.GLOBAL
        if not any(signed):
            return Signature.NONE
        return Signature.EVERY_BORDEREAU if all(signed) else Signature.SOME_BORDEREAUX

    @property
    def is_signed(self) -> bool:
        return self.signature is not Signature.NONE
