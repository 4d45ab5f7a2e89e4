"""May this flux leave? The rules of deposit, which spare the commune a rejection hours later.

A rule that forbids raises a `DepositRefusal`; one that does not returns findings, from the one that
stops the flux until somebody acts (`HOLD`, `CONFIRM`) to plain information.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from socle.core.names import legible
from socle.core.refusals import Refusal
from socle.helios.protocol.aller import (
    ORMC,
    Aller,
    Bordereau,
    BordereauKey,
    Domain,
    DomainTotal,
    Signature,
)
from socle.helios.protocol.header import Header
from socle.helios.protocol.words import bordereau_name, count, day, euros

TOLERANCE: Final = Decimal("0.01")  # euros, between a declared amount and the sum of the lines
ENCODING: Final = "ISO-8859-1"
MAX_NOM_FIC: Final = 100

_RULES: Final = (
    ("IdPost", "id_post", re.compile(r"02[AB]\d{3,4}|\d{6,7}", re.ASCII), "6 ou 7 chiffres"),
    ("IdColl", "id_coll", re.compile(r"\d{1,14}", re.ASCII), "le SIRET, 14 chiffres au plus"),
    ("CodCol", "cod_col", re.compile(r"(?!000)\d{3}", re.ASCII), "3 chiffres, autres que 000"),
    ("CodBud", "cod_bud", re.compile(r"[0-9A-Z]\d", re.ASCII), "2 caractères"),
)


class DepositRefusal(Refusal):
    """The flux was read and may not leave."""

    code = "helios.deposit_refused"


class WrongEncoding(DepositRefusal):
    code = "helios.encoding"


class EmptyFlux(DepositRefusal):
    code = "helios.empty_flux"


class WrongHeader(DepositRefusal):
    """An identifying field is missing or cannot exist; `field` names its element."""

    code = "helios.header"


class AmbiguousIds(DepositRefusal):
    code = "helios.duplicate_ids"


class StraySignature(DepositRefusal):
    code = "helios.stray_signature"


class ForeignBudget(DepositRefusal):
    code = "helios.foreign_budget"


class AlreadyDeposited(DepositRefusal):
    code = "helios.already_deposited"


class NameAlreadyUsed(DepositRefusal):
    code = "helios.name_already_used"


class Level(StrEnum):
    """What a finding asks for, from the most to the least pressing."""

    HOLD = "hold"
    CONFIRM = "confirm"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to say before sending: `code` for the logs and tests, `sentence` in French."""

    level: Level
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class DeclaredBudget:
    """A budget of the commune as its HELIOS sheet declares it."""

    label: str
    siret: str
    cod_col: str
    cod_bud: str
    id_post: str


@dataclass(frozen=True, slots=True)
class EarlierFlux:
    """A flux already on the platform, not cancelled. `ours`: deposited by the same commune."""

    sha256: str
    nom_fic: str
    cod_col: str
    deposited_on: date
    ours: bool


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What must be known, outside the file, to decide.

    `siret_held_elsewhere`: another commune declares the SIRET of the file. `accepted_bordereaux`
    and
    `accepted_attachments` (IdUnique): dates of the acquits that accepted them, for the same budget.
    `name_reuse_allowed`: both the platform and the commune allow the same NomFic twice (journaled).
    """

    budgets: tuple[DeclaredBudget, ...] = ()
    siret_held_elsewhere: bool = False
    earlier: tuple[EarlierFlux, ...] = ()
    accepted_bordereaux: Mapping[BordereauKey, date] = field(default_factory=dict)
    accepted_attachments: Mapping[str, date] = field(default_factory=dict)
    name_reuse_allowed: bool = False


def check_deposit(aller: Aller, known: Circumstances) -> tuple[Finding, ...]:
    """Every rule in turn; the findings come most pressing first. Raises a `DepositRefusal`."""
    findings = (
        *check_form(aller),
        *check_identity(aller.header, known.budgets, held_elsewhere=known.siret_held_elsewhere),
        *check_novelty(aller, known.earlier, name_reuse_allowed=known.name_reuse_allowed),
        *check_signatures(aller),
        *check_amounts(aller),
        *check_attachments(aller),
        *check_history(aller, known.accepted_bordereaux, known.accepted_attachments),
    )
    levels = tuple(Level)
    return tuple(sorted(findings, key=lambda finding: levels.index(finding.level)))


def check_form(aller: Aller) -> tuple[Finding, ...]:
    """Encoding, emptiness, header fields. Raises `WrongEncoding`, `EmptyFlux` or `WrongHeader`."""
    if aller.encoding.upper() != ENCODING:
        raise WrongEncoding(
            f"Le fichier annonce l’encodage « {aller.encoding} » alors que la DGFiP exige "
            "ISO-8859-1 : réglez l’export de votre logiciel, puis exportez le flux de nouveau."
        )
    if aller.is_empty:
        raise EmptyFlux(
            "Le flux est vide (ni dépense, ni recette, ni pièce jointe) et ne serait jamais "
            "acquitté : exportez-le de nouveau avec son contenu."
        )
    _check_header(aller.header)
    return tuple(_form_findings(aller))


def _check_header(header: Header) -> None:
    if not header.has_entete:
        raise WrongHeader(
            "Le bloc EnTetePES est absent du fichier : exportez de nouveau le flux complet.",
            field="EnTetePES",
        )
    if not header.nom_fic or len(header.nom_fic) > MAX_NOM_FIC:
        raise WrongHeader(
            f"La balise NomFic (nom du flux) doit contenir de 1 à {MAX_NOM_FIC} caractères : "
            "corrigez-la dans votre logiciel, puis exportez le flux de nouveau.",
            field="NomFic",
        )
    if legible(header.nom_fic) != header.nom_fic or set("\n\t") & set(header.nom_fic):
        raise WrongHeader(
            "La balise NomFic (nom du flux) contient un retour à la ligne, une tabulation ou un "
            "caractère invisible : corrigez-la dans votre logiciel, puis exportez le flux de "
            "nouveau.",
            field="NomFic",
        )
    for element, name, pattern, expected in _RULES:
        value: str = getattr(header, name)
        if not pattern.fullmatch(value):
            raise WrongHeader(_header_sentence(element, value, expected), field=element)


def _header_sentence(element: str, value: str, expected: str) -> str:
    found = f"contient « {value[:30]} »" if value else "est absente ou vide"
    return (
        f"La balise {element} de l’en-tête {found} alors qu’elle attend {expected} : corrigez le "
        "paramétrage du budget dans votre logiciel, puis exportez le flux de nouveau."
    )


def _form_findings(aller: Aller) -> Iterator[Finding]:
    if not aller.encoding_is_literal:
        yield Finding(
            Level.WARNING,
            "encoding_spelling",
            "L’encodage n’est pas écrit « ISO-8859-1 » tout au début du fichier : un opérateur "
            "comme S²LOW peut le refuser.",
        )
    if len(aller.header.id_post) == 7:
        yield Finding(
            Level.WARNING,
            "long_id_post",
            f"Le codique {aller.header.id_post} compte 7 caractères : un opérateur comme S²LOW "
            "n’en accepte que 6.",
        )
    for block in aller.unexpected_blocks:
        yield Finding(
            Level.WARNING,
            "unexpected_block",
            f"Le bloc « {block[:60]} » n’est pas à une place prévue par le PES : le flux risque "
            "d’être rejeté.",
        )


def check_identity(
    header: Header, budgets: Collection[DeclaredBudget], *, held_elsewhere: bool
) -> tuple[Finding, ...]:
    """Is it the commune's own budget? Raises `ForeignBudget` when another commune declares it."""
    candidates = [budget for budget in budgets if budget.siret == header.id_coll]
    if candidates:
        return _budget_differences(header, candidates)
    if held_elsewhere:
        raise ForeignBudget(
            f"Le SIRET {header.id_coll} inscrit dans ce flux est celui d’un budget d’une autre "
            "collectivité : vérifiez que vous déposez le bon fichier dans le bon espace.",
            field="IdColl",
        )
    return (
        Finding(
            Level.HOLD,
            "unknown_siret",
            f"Le SIRET {header.id_coll} n’est celui d’aucun budget enregistré pour votre "
            "collectivité : ajoutez ce budget à la fiche HELIOS, ou demandez-le à votre syndicat, "
            "avant l’envoi.",
        ),
    )


def _budget_differences(header: Header, candidates: list[DeclaredBudget]) -> tuple[Finding, ...]:
    """Warnings against the closest of the budgets that share the SIRET."""
    closest = min((list(_differences(header, budget)) for budget in candidates), key=len)
    return tuple(
        Finding(
            Level.WARNING,
            f"other_{name}",
            f"La balise {element} vaut « {found} » dans le flux et « {declared} » sur la fiche "
            "HELIOS : vérifiez lequel est juste avant d’envoyer.",
        )
        for element, name, found, declared in closest
    )


def _differences(header: Header, budget: DeclaredBudget) -> Iterator[tuple[str, str, str, str]]:
    for element, name in (("CodCol", "cod_col"), ("CodBud", "cod_bud"), ("IdPost", "id_post")):
        found, declared = getattr(header, name), getattr(budget, name)
        if found != declared:
            yield element, name, found, declared


def check_novelty(
    aller: Aller, earlier: Iterable[EarlierFlux], *, name_reuse_allowed: bool
) -> tuple[Finding, ...]:
    """Never twice the same bytes, nor the same NomFic for a CodCol: the acquit carries no more.

    Raises `AlreadyDeposited` or `NameAlreadyUsed`.
    """
    nom_fic, cod_col = aller.header.nom_fic, aller.header.cod_col
    others = []
    for flux in earlier:
        if flux.sha256 == aller.sha256:
            raise AlreadyDeposited(_already_deposited(flux))
        if flux.nom_fic == nom_fic:
            others.append(flux)
    same = [flux for flux in others if flux.cod_col == cod_col]
    if same and not name_reuse_allowed:
        raise NameAlreadyUsed(_name_used(same[0]), field="NomFic")
    return (_reused_name(nom_fic),) if others else ()


def _already_deposited(flux: EarlierFlux) -> str:
    if not flux.ours:
        return "Ce fichier a déjà été déposé sur la plateforme : vérifiez que c’est bien le vôtre."
    return (
        f"Ce fichier a déjà été déposé le {day(flux.deposited_on)} : retrouvez-le dans vos flux, "
        "il n’y a pas lieu de le renvoyer."
    )


def _name_used(flux: EarlierFlux) -> str:
    when = f" le {day(flux.deposited_on)}" if flux.ours else ""
    return (
        f"Le nom de flux « {flux.nom_fic} » a déjà été utilisé{when} pour un autre fichier : "
        "exportez de nouveau le flux depuis votre logiciel pour qu’il reçoive un nouveau nom."
    )


def _reused_name(nom_fic: str) -> Finding:
    return Finding(
        Level.INFO,
        "reused_name",
        f"Le nom de flux « {nom_fic} » a déjà servi : vérifiez bien à quel envoi répondra "
        "l’acquit.",
    )


def check_signatures(aller: Aller) -> tuple[Finding, ...]:
    """Place of the signatures, Ids, coherence with InfoDematerialisee; not their validity.

    Raises `StraySignature` or `AmbiguousIds`.
    """
    if aller.stray_signatures:
        raise StraySignature(
            "Le flux porte une signature mal placée ou en double, alors qu’il en faut une seule "
            "pour tout le flux ou une par bordereau : faites-le signer de nouveau."
        )
    return (*_duplicate_ids(aller), *_coverage(aller), *_dematerialisation(aller))


def _duplicate_ids(aller: Aller) -> Iterator[Finding]:
    for identifier in aller.duplicate_ids[:1]:
        if aller.is_signed:
            raise AmbiguousIds(
                f"L’identifiant « {identifier[:60]} » figure plusieurs fois dans un flux signé, ce "
                "qui rend la signature ambiguë : exportez le flux et faites-le signer de nouveau."
            )
        yield Finding(
            Level.WARNING,
            "duplicate_ids",
            f"L’identifiant « {identifier[:60]} » figure plusieurs fois dans le fichier : le flux "
            "risque d’être rejeté.",
        )


def _coverage(aller: Aller) -> Iterator[Finding]:
    if aller.signature is Signature.SOME_BORDEREAUX:
        unsigned = sum(not bordereau.signed for bordereau in aller.bordereaux)
        yield Finding(
            Level.CONFIRM,
            "partly_signed",
            f"{count(unsigned, 'bordereau n’est pas signé', 'bordereaux ne sont pas signés')} sur "
            f"{len(aller.bordereaux)} : faites-les signer, ou confirmez l’envoi.",
        )


def _dematerialisation(aller: Aller) -> Iterator[Finding]:
    for total in aller.totals:
        signed = _signed(aller, total)
        if total.dematerialised and not signed:
            yield Finding(
                Level.CONFIRM,
                "unsigned_dematerialised",
                f"Le bloc {total.domain.label} s’annonce dématérialisé (InfoDematerialisee = 1) "
                "sans être signé : la DGFiP le rejettera si vous l’envoyez ainsi.",
            )
        if signed and not total.dematerialised:
            yield Finding(
                Level.CONFIRM,
                "signed_not_dematerialised",
                f"Le bloc {total.domain.label} est signé sans s’annoncer dématérialisé "
                "(InfoDematerialisee = 0) : la DGFiP le rejettera si vous l’envoyez ainsi.",
            )


def _signed(aller: Aller, total: DomainTotal) -> bool:
    mine = (bordereau for bordereau in aller.bordereaux if bordereau.domain is total.domain)
    return aller.signed_globally or any(bordereau.signed for bordereau in mine)


def check_amounts(aller: Aller) -> tuple[Finding, ...]:
    """Does each bordereau add up to what it declares? Warnings only: rounding rules vary."""
    dematerialised = {total.domain for total in aller.totals if total.dematerialised}
    return tuple(
        Finding(Level.WARNING, code, f"{_named(bordereau)} : {sentence}")
        for bordereau in aller.bordereaux
        for code, sentence in _amount_faults(bordereau, bordereau.domain in dematerialised)
    )


def _amount_faults(bordereau: Bordereau, dematerialised: bool) -> Iterator[tuple[str, str]]:
    declared, found = bordereau.declared_ht, bordereau.total_ht
    if bordereau.unreadable_amounts:
        yield (
            "amounts",
            f"{count(bordereau.unreadable_amounts, 'montant illisible', 'montants illisibles')}.",
        )
    elif declared is not None and abs(declared - found) > TOLERANCE:
        yield "total", f"{euros(declared)} HT annoncés, {euros(found)} HT dans les lignes."
    if bordereau.declared_pieces not in (None, bordereau.pieces):
        yield (
            "pieces",
            f"{_pieces(bordereau)} alors que l’en-tête en annonce {bordereau.declared_pieces}.",
        )
    if dematerialised and bordereau.type_code != ORMC and not (bordereau.cumul_annuel or 0) > 0:
        yield "cumul", "le cumul annuel (MtCumulAnnuel) manque, la DGFiP rejettera ce bordereau."


def _pieces(bordereau: Bordereau) -> str:
    noun = "mandat" if bordereau.domain is Domain.DEPENSE else "titre"
    return count(bordereau.pieces, f"{noun} présent", f"{noun}s présents")


def _named(bordereau: Bordereau) -> str:
    return bordereau_name(bordereau.domain.label, bordereau.number, bordereau.exercice)


def check_attachments(aller: Aller) -> tuple[Finding, ...]:
    """PJ that the trésorerie could not open, and those announced but not carried."""
    unreadable = [pj.name or pj.id_unique for pj in aller.attachments if not pj.gzipped]
    untyped = [pj.name or pj.id_unique for pj in aller.attachments if not pj.mime_type]
    awaited = len(aller.awaited_attachments)
    faults = (
        (
            unreadable,
            "unreadable_pj",
            "le contenu n’est pas lisible (il devrait être compressé en gzip)",
        ),
        (untyped, "untyped_pj", "le type de fichier n’est pas indiqué"),
    )
    findings = [
        Finding(Level.WARNING, code, f"{_attached(names)} : {sentence}.")
        for names, code, sentence in faults
        if names
    ]
    if awaited:
        findings.append(Finding(Level.INFO, "awaited_pj", _awaited(awaited)))
    return tuple(findings)


def _attached(names: list[str]) -> str:
    shown = ", ".join(f"« {name[:100]} »" for name in names[:3])
    more = f" et {count(len(names) - 3, 'autre', 'autres')}" if len(names) > 3 else ""
    return f"{'Pièces jointes' if len(names) > 1 else 'Pièce jointe'} {shown}{more}"


def _awaited(number: int) -> str:
    announced = "pièce jointe annoncée n’est", "pièces jointes annoncées ne sont"
    return f"{count(number, *announced)} pas dans ce fichier : un autre flux doit les porter."


def check_history(
    aller: Aller,
    accepted_bordereaux: Mapping[BordereauKey, date],
    accepted_attachments: Mapping[str, date],
) -> tuple[Finding, ...]:
    """What the DGFiP already accepted and would now reject as DOUBLON."""
    return (
        *(
            Finding(
                Level.WARNING,
                "already_accepted",
                f"{_named(bordereau)} : déjà acquitté le "
                f"{day(accepted_bordereaux[bordereau.key])}, il sera rejeté comme doublon.",
            )
            for bordereau in aller.bordereaux
            if bordereau.key in accepted_bordereaux
        ),
        *(
            Finding(
                Level.WARNING,
                "already_accepted_pj",
                f"Pièce jointe « {pj.name or pj.id_unique} » : déjà acquittée le "
                f"{day(accepted_attachments[pj.id_unique])}, elle sera rejetée comme doublon.",
            )
            for pj in aller.attachments
            if pj.id_unique in accepted_attachments
        ),
    )
