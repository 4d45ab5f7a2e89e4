"""The practice trésorerie: a PES comes in, an acquit goes out."""

import re
from datetime import date, datetime
from typing import Final

from socle.core.clock import PARIS
from socle.exercise.protocol import facts, markers
from socle.exercise.protocol.acquits import Domain, Error, PieceVerdict, Verdict, build_acquit
from socle.exercise.protocol.outcome import Memory, Outcome, Return
from socle.exercise.protocol.pes import (
    ALLER,
    ATTACHMENTS,
    EXPENSE,
    RETURN_ACKNOWLEDGEMENT,
    REVENUE,
    Bordereau,
    Pes,
    Piece,
    read_pes,
)

OTHER: Final = "ERREUR_AUTRE"
#: Label codes: 1984 is the real one for an attachment already known; 9999 is the exercise's own.
KNOWN_ATTACHMENT: Final = 1984
EXERCISE: Final = 9999

_DOMAINS: Final = {
    EXPENSE: Domain.EXPENSE,
    REVENUE: Domain.REVENUE,
    "PES_Marche": Domain.CONTRACT,
    "PES_Facture": Domain.INVOICE,
}
_ORDER: Final = (
    "Enveloppe",
    "EnTetePES",
    EXPENSE,
    REVENUE,
    "PES_Facture",
    "PES_Marche",
    ATTACHMENTS,
)
_SIGNATURE: Final = "http://www.w3.org/2000/09/xmldsig# Signature"
_HEADER: Final = (
    ("Enveloppe/Parametres/NomFic", r".{1,100}", "ERREUR_PES_PARAM"),
    ("Enveloppe/Parametres/TypFic", r".{1,32}", "ERREUR_PES_PARAM"),
    ("Enveloppe/Emetteur/Sigle", r".{1,32}", "ERREUR_PES_PARAM"),
    ("EnTetePES/IdPost", r"02[AB]\d{3,4}|\d{6,7}", "ERREUR_CODIQUE"),
    ("EnTetePES/IdColl", r"\d{14}", "ERREUR_SIRET"),
    ("EnTetePES/CodCol", r"(?!000)\d{3}", "ERREUR_CODE_COLLECTIVITE_BUDGET"),
    ("EnTetePES/CodBud", r"[0-9A-Z]\d", "ERREUR_CODE_COLLECTIVITE_BUDGET"),
)


def answer_pes(name: str, content: bytes, *, at: datetime, serial: int, known: Memory) -> Outcome:
    """Decide about the PES file `name` received `at` (aware); the return is the acquit itself.

    `serial` numbers the acquit; `known` tells what earlier deposits established. As at the DGFiP,
    an acknowledgement of a return (`PES_ACQUIT_RETOUR`) and an empty flux get no answer at all.
    """
    pes = read_pes(content)
    if _deserves_no_answer(pes):
        return Outcome()
    error = _flux_error(pes)
    verdicts, learnt = _judge(pes, known) if error is None else _refuse_flux(error)
    if markers.carries(pes.subjects, markers.SILENCE):
        return Outcome(facts=learnt)
    acquit = build_acquit(pes, verdicts, fallback_name=name)
    answer = Return(_acquit_name(pes, at, serial), acquit, markers.delay_of(pes.subjects))
    return Outcome((answer,), learnt)


def _refuse_flux(error: Error) -> tuple[tuple[Verdict, ...], tuple[str, ...]]:
    return (Verdict(Domain.TECHNICAL, errors=(error,)),), ()


def _acquit_name(pes: Pes, at: datetime, serial: int) -> str:
    office = re.sub(r"[^0-9A-Z]", "", pes.value("EnTetePES/IdPost")) or "000000"
    return f"{office}_{at.astimezone(PARIS):%y%m%d%H%M%S}-ACK-EXERCICE_{serial}.xml"


def _deserves_no_answer(pes: Pes) -> bool:
    if pes.root.rpartition(" ")[2] == RETURN_ACKNOWLEDGEMENT:
        return True
    others = {"PES_Facture", "PES_Marche"} & set(pes.blocks)
    return not (pes.fault or pes.bordereaux or pes.attachments or others) and pes.root == ALLER


def _flux_error(pes: Pes) -> Error | None:
    """What makes the trésorerie refuse the whole file, if anything does."""
    if pes.root != ALLER or pes.fault:
        return Error(
            "ERREUR_SCHEMA_INCOMPLET", EXERCISE, "Le fichier n'est pas un PES aller bien formé."
        )
    if pes.encoding != "ISO-8859-1":
        return Error("ERREUR_ENCODING", EXERCISE, "Le fichier doit se déclarer en ISO-8859-1.")
    return _order_error(pes) or _header_error(pes) or _demanded_error(pes)


def _order_error(pes: Pes) -> Error | None:
    blocks = [block for block in pes.blocks if block != _SIGNATURE]
    strangers = [block for block in blocks if block not in _ORDER]
    expected = sorted(blocks, key=_ORDER.index) if not strangers else []
    if blocks != expected or blocks[:2] != ["Enveloppe", "EnTetePES"]:
        sentence = "Les blocs du PES ne sont pas ceux, ou pas dans l'ordre, du schéma."
        return Error("ERREUR_SCHEMA_INCOMPLET", EXERCISE, sentence)
    return None


def _header_error(pes: Pes) -> Error | None:
    for path, pattern, name in _HEADER:
        if not re.fullmatch(pattern, pes.value(path), re.ASCII):
            return Error(name, EXERCISE, f"La valeur de {path} manque ou est mal formée.")
    if not _is_date(pes.value("EnTetePES/DteStr")):
        return Error("ERREUR_CODIFICATION", EXERCISE, "La date DteStr manque ou est mal formée.")
    return None


def _demanded_error(pes: Pes) -> Error | None:
    if markers.carries(pes.file_name, markers.ANOMALY):
        return Error(OTHER, EXERCISE, f"Rejet demandé par « {markers.ANOMALY} » dans NomFic.")
    return None


def _is_date(value: str) -> bool:
    try:
        return bool(date.fromisoformat(value))
    except ValueError:
        return False


def _judge(pes: Pes, known: Memory) -> tuple[tuple[Verdict, ...], tuple[str, ...]]:
    """Verdicts on bordereaux, attachments and other blocks, and the facts the accepted make."""
    budget = "-".join(pes.value(f"EnTetePES/{name}") for name in ("IdColl", "CodCol", "CodBud"))
    verdicts: list[Verdict] = []
    learnt: list[str] = []
    for bordereau in pes.bordereaux:
        fact = _bordereau_fact(budget, bordereau)
        verdicts.append(_judge_bordereau(bordereau, already=fact in learnt or known(fact)))
        learnt += [fact] if verdicts[-1].accepted else []
    for unique_id in pes.attachments:
        fact = facts.attachment_received(budget=budget, unique_id=unique_id)
        verdicts.append(_judge_attachment(unique_id, already=fact in learnt or known(fact)))
        learnt += [fact] if verdicts[-1].accepted else []
    others = (Domain.INVOICE, Domain.CONTRACT)
    verdicts += [Verdict(_DOMAINS[one]) for one in pes.blocks if _DOMAINS.get(one) in others]
    return tuple(verdicts), tuple(learnt)


def _bordereau_fact(budget: str, bordereau: Bordereau) -> str:
    return facts.bordereau_received(
        budget=budget,
        domain=bordereau.domain,
        year=bordereau.year,
        kind=bordereau.kind,
        number=bordereau.number,
    )


def _judge_bordereau(bordereau: Bordereau, *, already: bool) -> Verdict:
    domain = _DOMAINS[bordereau.domain]
    if (
        not re.fullmatch(r"(?=\d{1,7}$)0*[1-9]\d*", bordereau.number, re.ASCII)
        or not bordereau.pieces
    ):
        error = Error(
            "ERREUR_CODIFICATION", EXERCISE, "Le bordereau n'a ni numéro valable ni pièce."
        )
        return Verdict(domain, errors=(error,))
    return Verdict(
        domain,
        bordereau=bordereau.number,
        year=bordereau.year,
        errors=tuple(_bordereau_errors(bordereau, already=already)),
        pieces=tuple(filter(None, map(_judge_piece, bordereau.pieces))),
    )


def _bordereau_errors(bordereau: Bordereau, *, already: bool) -> list[Error]:
    errors = []
    if already:
        sentence = f"Le bordereau {bordereau.number} a déjà été reçu pour cet exercice."
        errors.append(Error("ERREUR_DOUBLON_BORDEREAU", EXERCISE, sentence))
    if markers.carries(bordereau.subject, markers.ANOMALY):
        sentence = f"Rejet demandé par « {markers.ANOMALY} » dans l'objet du bordereau."
        errors.append(Error(OTHER, EXERCISE, sentence))
    return errors


def _judge_piece(piece: Piece) -> PieceVerdict | None:
    if markers.carries(piece.subject, markers.LINE_ANOMALY):
        error = Error(
            OTHER, EXERCISE, f"Rejet demandé par « {markers.LINE_ANOMALY} » dans l'objet."
        )
        return PieceVerdict(piece.number, error, line=piece.lines[0] if piece.lines else "")
    if markers.carries(piece.subject, markers.ANOMALY):
        error = Error(OTHER, EXERCISE, f"Rejet demandé par « {markers.ANOMALY} » dans l'objet.")
        return PieceVerdict(piece.number, error)
    return None


def _judge_attachment(unique_id: str, *, already: bool) -> Verdict:
    sentence = "L'identifiant unique de la pièce jointe a déjà été intégré."
    errors = (Error("ERREUR_DOUBLON_PJ", KNOWN_ATTACHMENT, sentence),) if already else ()
    return Verdict(Domain.ATTACHMENT, unique_id=unique_id, errors=errors)
