"""What may be deposited: each rule refuses with one sentence (norm, CGCT L2131-1 and operators)."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from socle.actes.protocol.archive import SIZE_LIMIT
from socle.actes.protocol.classification import (
    Classification,
    MatiereCode,
    check_matiere,
    parse_matiere,
)
from socle.actes.protocol.codes import FileKind, Nature
from socle.actes.protocol.text import transliterate
from socle.actes.protocol.values import Acte, Document, Draft, Emitter
from socle.core.clock import legal_date
from socle.core.refusals import Refusal

OBJET_LIMIT: Final = 500
INDIVIDUAL_DELAY: Final = timedelta(days=15)
BUDGET_MATIERE: Final = (7, 1)

# Accepted at once by both published schemas, for the number and for IDActe, and by every operator.
_NUMBER: Final = re.compile(r"(?:[A-Z0-9][A-Z0-9_]{0,13})?[A-Z0-9]")
_TYPOLOGY: Final = re.compile(r"[A-Z0-9_]{5}")
_EMAIL: Final = re.compile(
    r"[_a-zA-Z0-9-]+(?:\.[_a-zA-Z0-9-]+)*@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*\.[a-zA-Z]{2,6}"
)
_EMITTER: Final[dict[str, tuple[str, str]]] = {
    "siren": (r"[0-9]{9}", "Le SIREN de la collectivité doit compter neuf chiffres"),
    "departement": (
        r"[09][0-9][0-9AB]",
        "Le département de la collectivité doit compter trois caractères, comme 079 ou 02A",
    ),
    "arrondissement": (r"[0-9]", "L'arrondissement de la collectivité doit être un seul chiffre"),
    "nature": (
        r"[0-9]{2}",
        "La nature de la collectivité doit compter deux chiffres, comme 31 pour une commune",
    ),
}


class InvalidNumber(Refusal):
    """The internal number cannot enter an identifier."""

    code = "actes.invalid_number"


class InvalidDecisionDate(Refusal):
    """The decision date is missing, unreadable, or still to come."""

    code = "actes.invalid_decision_date"


class UnknownNature(Refusal):
    """The nature is not one of the six."""

    code = "actes.unknown_nature"


class InvalidObjet(Refusal):
    """The objet is empty or too long."""

    code = "actes.invalid_objet"


class InvalidDocument(Refusal):
    """A file is missing, empty, or of a kind that has no place here."""

    code = "actes.invalid_document"


class InvalidTypology(Refusal):
    """A file has no type, or a type its nature does not allow."""

    code = "actes.invalid_typology"


class DepositTooLarge(Refusal):
    """The files together exceed what the norm carries."""

    code = "actes.deposit_too_large"


class InvalidEmitter(Refusal):
    """The collectivité's identity would be refused by the State."""

    code = "actes.invalid_emitter"


class InvalidEmail(Refusal):
    """An e-mail address the norm's schema refuses."""

    code = "actes.invalid_email"


@dataclass(frozen=True, slots=True)
class Caution:
    """Something the agent should know, which does not prevent the deposit."""

    code: str
    sentence: str


def check_number(number: str) -> str:
    """`number` when it has 1 to 15 capitals, digits, and `_` inside only. Raises InvalidNumber."""
    if not _NUMBER.fullmatch(number):
        raise InvalidNumber(
            "Le numéro de l'acte doit compter de 1 à 15 lettres capitales sans accent ou chiffres "
            "(le tiret bas est permis à l'intérieur) : corrigez-le, par exemple 2025_017.",
            field="number",
        )
    return number


def read_decision_date(text: str) -> date:
    """The date of `AAAA-MM-JJ`, whatever time follows it. Raises InvalidDecisionDate."""
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise InvalidDecisionDate(
            f"La date de décision « {text} » n'est pas une date : écrivez-la AAAA-MM-JJ.",
            field="decided_on",
        ) from None


def check_decision_date(decided_on: date | None, *, at: datetime) -> date:
    """`decided_on` when it is not after the day of `at` in Paris. Raises InvalidDecisionDate."""
    if decided_on is None:
        raise InvalidDecisionDate("Indiquez la date de décision de l'acte.", field="decided_on")
    if decided_on > legal_date(at):
        raise InvalidDecisionDate(
            f"La date de décision ({decided_on:%d/%m/%Y}) est dans le futur : corrigez-la.",
            field="decided_on",
        )
    return decided_on


def check_nature(code: int | None) -> Nature:
    """The nature of code 1 to 6. Raises UnknownNature."""
    if code is None:
        raise UnknownNature("Choisissez la nature de l'acte.", field="nature")
    if code not in set(Nature):
        raise UnknownNature(
            f"La nature {code} est inconnue : les natures vont de 1 à 6.", field="nature"
        )
    return Nature(code)


def check_objet(objet: str) -> str:
    """The objet as it will be sent: one line of ISO-8859-1, 1 to 500 characters.

    The length counts after transliteration, which can lengthen a text.
    Raises InvalidObjet, or Untransmittable.
    """
    clean = transliterate(objet, field="objet").text
    if not clean:
        raise InvalidObjet("Indiquez l'objet de l'acte.", field="objet")
    if len(clean) > OBJET_LIMIT:
        raise InvalidObjet(
            f"L'objet de l'acte compte {len(clean)} caractères une fois prêt à l'envoi : "
            f"raccourcissez-le à {OBJET_LIMIT}.",
            field="objet",
        )
    return clean


def check_matiere_text(text: str, classification: Classification) -> MatiereCode:
    """The code written in `text`, when `classification` has it. Raises UnknownMatiere."""
    code = parse_matiere(text)
    check_matiere(code, classification)
    return code


def check_documents(
    documents: Sequence[Document], *, nature: Nature | None, matiere: MatiereCode = ()
) -> None:
    """Refuse a deposit without acte, an empty file, or a kind that has no place here.

    The acte is a PDF; a budget document (nature 5, matière 7.1) may be XML, and then has PDF
    annexes only. Other annexes are PDF, XML, JPEG or PNG. Raises InvalidDocument.
    """
    if not documents:
        raise _document("Joignez le fichier de l'acte, au format PDF.")
    for document in documents:
        _check_content(document)
    _check_main(documents[0], nature, matiere)
    if documents[0].kind is FileKind.XML:
        _check_budget_annexes(documents[1:])


def check_typologies(
    documents: Sequence[Document], *, nature: Nature, classification: Classification
) -> None:
    """Refuse a file without type or with a type foreign to `nature`. Raises InvalidTypology."""
    allowed = {piece.code for piece in classification.typologies(nature)}
    for document in documents:
        _check_typology(document, nature, allowed)


def check_size(sizes: Sequence[int]) -> None:
    """Refuse more than 150 MiB in all, in bytes. Raises DepositTooLarge."""
    if sum(sizes) > SIZE_LIMIT:
        raise DepositTooLarge(
            f"Les fichiers pèsent {sum(sizes) / 1024 / 1024:.1f} Mio ensemble : la limite est de "
            "150 Mio ; allégez-les, ou envoyez les annexes les plus lourdes par la poste.",
            field="documents",
        )


def check_emitter(emitter: Emitter) -> None:
    """Refuse an identity the schema refuses. Raises InvalidEmitter naming the part at fault."""
    for field, (pattern, sentence) in _EMITTER.items():
        if not re.fullmatch(pattern, getattr(emitter, field)):
            raise InvalidEmitter(f"{sentence} : faites corriger sa fiche.", field=field)


def check_email(address: str) -> str:
    """`address` when the schema accepts it: final label of 2 to 6 letters. Raises InvalidEmail."""
    if not _EMAIL.fullmatch(address):
        raise InvalidEmail(
            f"L'adresse « {address} » n'est pas acceptée par @CTES (pas d'accent, extension de "
            "2 à 6 lettres) : choisissez-en une autre.",
            field="email",
        )
    return address


def refusals_of(
    draft: Draft, *, classification: Classification, at: datetime
) -> tuple[Refusal, ...]:
    """Every refusal `draft` meets, one per field at most, in the order of the form."""
    checks = _checks(draft, classification, at)
    return tuple(refusal for check in checks if (refusal := _refusal_of(check)) is not None)


def accept(draft: Draft, *, emitter: Emitter, classification: Classification, at: datetime) -> Acte:
    """The acte that `draft` becomes under `classification`, at the instant `at`.

    Raises the first Refusal it meets; `refusals_of` gives them all.
    """
    check_emitter(emitter)
    for check in _checks(draft, classification, at):
        check()
    return Acte(
        emitter=emitter,
        number=draft.number,
        decided_on=check_decision_date(draft.decided_on, at=at),
        nature=check_nature(draft.nature),
        matiere=parse_matiere(draft.matiere),
        objet=check_objet(draft.objet),
        classification_date=classification.date,
        documents=draft.documents,
        paper_complement=draft.paper_complement,
        replaces=draft.replaces,
    )


def cautions_of(acte: Acte, *, at: datetime) -> tuple[Caution, ...]:
    """What the agent should know before sending `acte` at the instant `at`."""
    late = legal_date(at) > acte.decided_on + INDIVIDUAL_DELAY
    if acte.nature is not Nature.INDIVIDUAL or not late:
        return ()
    return (
        Caution(
            "actes.late_individual",
            "Cette décision individuelle date de plus de quinze jours : "
            "elle devait être transmise dans les quinze jours de sa signature.",
        ),
    )


def enforceable_on(received: date | None, published: date | None) -> date | None:
    """The day an acte becomes exécutoire: received by the State and published (CGCT L2131-1).

    None as long as one of the two is missing.
    """
    return max(received, published) if received and published else None


def _checks(
    draft: Draft, classification: Classification, at: datetime
) -> Iterator[Callable[[], object]]:
    nature = Nature(draft.nature) if draft.nature in set(Nature) else None
    yield lambda: check_number(draft.number)
    yield lambda: check_decision_date(draft.decided_on, at=at)
    yield lambda: check_nature(draft.nature)
    yield lambda: check_matiere_text(draft.matiere, classification)
    yield lambda: check_objet(draft.objet)
    yield lambda: _check_files(draft, nature, classification)


def _check_files(draft: Draft, nature: Nature | None, classification: Classification) -> None:
    check_documents(draft.documents, nature=nature, matiere=_matiere_or_nothing(draft.matiere))
    check_size([document.size for document in draft.documents])
    if nature:
        check_typologies(draft.documents, nature=nature, classification=classification)


def _matiere_or_nothing(text: str) -> MatiereCode:
    try:
        return parse_matiere(text)
    except Refusal:
        return ()


def _refusal_of(check: Callable[[], object]) -> Refusal | None:
    try:
        check()
    except Refusal as refusal:
        return refusal
    return None


def _check_content(document: Document) -> None:
    if not document.size:
        raise _document(
            f"Le fichier « {document.original_name} » est vide : joignez-le de nouveau."
        )
    if document.kind is None:
        raise _document(
            f"Le format du fichier « {document.original_name} » n'est pas autorisé : "
            "joignez un PDF, une image JPEG ou PNG, ou un fichier XML."
        )


def _check_main(main: Document, nature: Nature | None, matiere: MatiereCode) -> None:
    budget = nature is Nature.BUDGET and matiere[:2] == BUDGET_MATIERE
    if main.kind is FileKind.PDF or (main.kind is FileKind.XML and budget):
        return
    wanted = "un PDF ou un fichier XML budgétaire" if budget else "un PDF"
    raise _document(
        f"Le fichier de l'acte « {main.original_name} » n'est pas {wanted} : convertissez-le."
    )


def _check_budget_annexes(annexes: Sequence[Document]) -> None:
    for annexe in annexes:
        if annexe.kind is not FileKind.PDF:
            raise _document(
                "Quand l'acte est un fichier XML budgétaire, ses annexes sont des PDF : "
                f"convertissez « {annexe.original_name} »."
            )


def _check_typology(document: Document, nature: Nature, allowed: set[str]) -> None:
    if not document.typology:
        raise _typology(f"Choisissez le type de pièce du fichier « {document.original_name} ».")
    if not allowed:
        raise _typology(
            "La classification ne donne aucun type de pièce pour la nature "
            f"« {nature.label} » : demandez une nouvelle classification."
        )
    if document.typology not in allowed or not _TYPOLOGY.fullmatch(document.typology):
        raise _typology(
            f"Le type {document.typology} du fichier « {document.original_name} » n'est pas permis "
            f"pour la nature « {nature.label} » : choisissez-en un autre."
        )


def _document(sentence: str) -> InvalidDocument:
    return InvalidDocument(sentence, field="documents")


def _typology(sentence: str) -> InvalidTypology:
    return InvalidTypology(sentence, field="documents")
