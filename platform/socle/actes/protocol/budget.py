"""Budget documents (TotEM): what they say, and whether their seal still holds.

The seal is a checksum without probative value: MD5 and SHA-1 of the canonical XML without the seal.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from lxml import etree

from socle.core.refusals import Refusal

BUDGET: Final = "http://www.minefi.gouv.fr/cp/demat/docbudgetaire"
CFU: Final = "http://www.minefi.gouv.fr/cp/demat/doccfu"
DECISIONS: Final[dict[str, str]] = {
    "01": "Budget primitif",
    "02": "Décision modificative",
    "03": "Budget supplémentaire",
    "09": "Compte administratif",
    "10": "Compte financier unique",
}
_ROOTS: Final = {f"{{{BUDGET}}}DocumentBudgetaire", f"{{{CFU}}}CompteFinancierUnique"}
_TOTEM_INDENT: Final = "   "


class UnreadableBudget(Refusal):
    """The file is not well-formed XML, or carries a DTD."""

    code = "actes.unreadable_budget"


class NotABudget(Refusal):
    """Well-formed XML that is no budget document."""

    code = "actes.not_a_budget"


class UnsealedBudget(Refusal):
    """The document was never sealed."""

    code = "actes.unsealed_budget"


class BrokenSeal(Refusal):
    """The document changed after it was sealed."""

    code = "actes.broken_seal"


class ForeignBudget(Refusal):
    """A sealed document that this collectivité may not send as it is."""

    code = "actes.foreign_budget"


@dataclass(frozen=True, slots=True)
class BudgetDocument:
    """The header of a budget document. `siret` is that of the collectivité."""

    siret: str
    collectivite: str
    decision: str
    year: str
    is_project: bool

    @property
    def label(self) -> str:
        """Kind and year in French."""
        return f"{DECISIONS.get(self.decision, 'Document budgétaire')} {self.year}".strip()


def read_budget(data: bytes) -> BudgetDocument:
    """The header of a sealed budget document.

    Raises UnreadableBudget, NotABudget, UnsealedBudget or BrokenSeal, in that order of checking.
    """
    root = _parse(data)
    header = _find(root, "EnTeteDocBudgetaire")
    budget = _find(root, "BlocBudget")
    if root.tag not in _ROOTS or header is None or budget is None:
        raise _refused(NotABudget, "n'est pas un document budgétaire complet : reprenez l'export")
    _check_seal(root)
    return BudgetDocument(
        siret=_value(header, "IdColl"),
        collectivite=_value(header, "LibelleColl"),
        decision=_value(budget, "NatDec"),
        year=_value(budget, "Exer"),
        is_project=_value(budget, "ProjetBudget").lower() in {"true", "1"},
    )


def check_budget(document: BudgetDocument, *, siren: str) -> None:
    """Refuse a budget project, an unknown kind, or another collectivité's. Raises ForeignBudget."""
    if not document.siret.startswith(siren):
        raise _refused(ForeignBudget, f"est celui d'une autre collectivité ({document.siret})")
    if document.is_project:
        raise _refused(ForeignBudget, "est un projet de budget : exportez le budget voté")
    if document.decision not in DECISIONS:
        raise _refused(ForeignBudget, f"porte un type inconnu (« {document.decision} »)")


def _parse(data: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        raise _refused(UnreadableBudget, "n'est pas un XML lisible : reprenez l'export") from fault
    if root.getroottree().docinfo.doctype:
        raise _refused(UnreadableBudget, "contient une DTD, qui n'y a pas sa place")
    return root


def _check_seal(root: etree._Element) -> None:
    seal = _find(root, "Scellement")
    if seal is None or not (seal.get("md5") and seal.get("sha1")):
        raise _refused(UnsealedBudget, "n'est pas scellé : scellez-le dans TotEM")
    wanted = (str(seal.get("md5")).lower(), str(seal.get("sha1")).lower())
    parent = seal.getparent()
    if parent is None:
        raise _refused(NotABudget, "n'est pas un document budgétaire complet : reprenez l'export")
    parent.remove(seal)
    if _sums(root) == wanted:
        return
    # Sealed in TotEM's layout, then stored without it by some other software.
    etree.indent(root, _TOTEM_INDENT)
    if _sums(root) != wanted:
        raise _refused(BrokenSeal, "a changé depuis son scellement : scellez-le de nouveau")


def _sums(root: etree._Element) -> tuple[str, str]:
    try:
        canonical = etree.tostring(root, method="c14n", with_comments=False)
    except etree.C14NError as fault:  # a namespace that is no address has no canonical form
        raise _refused(
            UnreadableBudget, "n'a pas de forme canonique, son scellement n'est pas vérifiable"
        ) from fault
    md5 = hashlib.md5(canonical, usedforsecurity=False).hexdigest()
    return md5, hashlib.sha1(canonical, usedforsecurity=False).hexdigest()


def _find(element: etree._Element, name: str) -> etree._Element | None:
    return next(element.iter(f"{{{BUDGET}}}{name}"), None)


def _value(element: etree._Element, name: str) -> str:
    found = _find(element, name)
    return "" if found is None else str(found.get("V") or "").strip()


def _refused(refusal: type[Refusal], fault: str) -> Refusal:
    return refusal(f"Le document budgétaire {fault}.", field="documents")
