"""What the bordereau d'acquittement and the stamp say. No query: the story is told from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from socle.actes.models import Act, ActFile, Transaction
from socle.core.clock import PARIS
from socle.delivery.models import TransmissionOperator
from socle.directory.models import Organisation
from socle.documents.model import (
    Column,
    Document,
    Fields,
    Letterhead,
    Paragraph,
    Strong,
    Style,
    Table,
)
from socle.documents.signatures import Signature


@dataclass(frozen=True, slots=True)
class Story:
    """Everything a bordereau tells. `sent` is the 1-1, `acknowledgement` its 1-2."""

    act: Act
    sent: Transaction
    files: Sequence[ActFile]
    organisation: Organisation
    operator: TransmissionOperator
    acknowledgement: Transaction | None
    cancellation: Transaction | None


def write(story: Story, *, at: datetime) -> Document:
    """The bordereau of an acknowledged act, written at `at` (aware)."""
    act, organisation = story.act, story.organisation
    proof = story.acknowledgement.message if story.acknowledgement else None
    return Document(
        title="Bordereau d'acquittement",
        subtitle="Contrôle de légalité : transmission par @CTES",
        issuer=Letterhead(
            name=str(organisation),
            lines=(f"SIREN {organisation.siren}",),
            over=("République française",),
        ),
        reference=act.identifier,
        blocks=[
            Fields(rows=_acte(act), title="L'acte"),
            Fields(rows=_dates(story), title="La preuve"),
            _files(story.files),
            Fields(rows=_transmission(story), title="La transmission"),
            Paragraph(_closing(story), Style.NOTE),
        ],
        at=at,
        verification=f"Accusé de réception, SHA-256 : {proof.sha256}" if proof else "",
        exercise=story.sent.exercise,
    )


def stamp_lines(act: Act) -> list[str]:
    """The lines of the stamp: the proof in a few words, the first one is its title."""
    lines = [
        "Accusé de réception en préfecture",
        act.identifier,
        f"Envoyé le {_day(act.deposited_at)}",
        f"Reçu le {act.received_on:%d/%m/%Y}",
    ]
    if act.published_on:
        lines.append(f"Publié le {act.published_on:%d/%m/%Y}")
    if act.cancelled_on:
        lines.append(f"ANNULÉ le {act.cancelled_on:%d/%m/%Y}")
    return lines


def stamp_sheet(
    file: ActFile, act: Act, *, organisation: Organisation, exercise: bool, at: datetime
) -> Document:
    """The stamp of a signed file on a page of its own, tied to the file by its SHA-256."""
    title, identifier, *dates = stamp_lines(act)
    signers = tuple(("Signé par", _signer(one)) for one in file.signers)
    return Document(
        title="Feuille de tampon",
        subtitle="Pour un document signé électroniquement",
        issuer=Letterhead(
            name=str(organisation),
            lines=(f"SIREN {organisation.siren}",),
            over=("République française",),
        ),
        reference=act.identifier,
        blocks=[
            Fields(
                rows=(
                    ("Identifiant unique", (Strong(identifier),)),
                    *(tuple(line.split(" le ", 1)) for line in dates),
                ),
                title=title,
            ),
            Fields(
                rows=(
                    ("Fichier", (Strong(file.stored.name),)),
                    ("Nom transmis", file.transmitted_name),
                    ("Acte", f"{act.number} : {act.objet}"),
                    *signers,
                ),
                title="Le document tamponné",
            ),
            Paragraph(_SHEET, Style.NOTE),
        ],
        at=at,
        verification=f"Document signé, SHA-256 : {file.stored.sha256}",
        exercise=exercise,
    )


_SHEET = (
    "Rien ne peut être imprimé sur un document signé électroniquement : il ne serait plus celui "
    "qui a été signé. Cette feuille tient lieu de tampon : joignez-la au document, sans les "
    "fusionner."
)


def _signer(one: Signature) -> str:
    who = f"{one.signer} ({one.organisation})" if one.organisation else one.signer
    return f"{who}, le {one.day}" if one.day else who


def _acte(act: Act) -> tuple[tuple[str, str], ...]:
    return (
        ("Numéro", act.number),
        ("Nature", act.get_nature_display()),
        ("Date de la décision", f"{act.decided_on:%d/%m/%Y}"),
        ("Objet", act.objet),
        ("Matière", f"{act.matter} {act.matter_label}".strip()),
        ("Complément sur papier", "oui" if act.paper_complement else "non"),
    )


def _dates(story: Story) -> tuple[tuple[str, tuple[Strong, ...] | str], ...]:
    act = story.act
    rows: list[tuple[str, tuple[Strong, ...] | str]] = [
        ("Identifiant unique", (Strong(act.identifier),)),
        ("Reçu en préfecture le", (Strong(f"{act.received_on:%d/%m/%Y}"),)),
    ]
    if act.published_on:
        rows.append(("Publié le", f"{act.published_on:%d/%m/%Y}"))
    if act.enforceable_on:
        rows.append(("Exécutoire le", (Strong(f"{act.enforceable_on:%d/%m/%Y}"),)))
    if story.cancellation:
        rows.append(("Annulation demandée le", _instant(story.cancellation.created_at)))
        rows.append(("Annulé le", (Strong(f"{act.cancelled_on:%d/%m/%Y}"),)))
    return tuple(rows)


def _files(files: Sequence[ActFile]) -> Table:
    return Table(
        columns=(
            Column("Pièce", share=0.7),
            Column("Fichier déposé", share=1.4),
            Column("Nom transmis", share=1.9),
            Column("Type", share=1.0),
        ),
        rows=tuple(
            (
                file.get_role_display(),
                file.stored.name,
                file.transmitted_name,
                f"{file.typology_label} ({file.typology})",
            )
            for file in files
        ),
        title="Les fichiers transmis",
    )


def _transmission(story: Story) -> tuple[tuple[str, str], ...]:
    act, sent = story.act, story.sent
    return (
        ("Déposé par", act.deposited_by_label),
        ("Déposé le", _instant(act.deposited_at)),
        ("Remis à l'opérateur le", _instant(sent.sent_at)),
        ("Accusé de réception traité le", _instant(sent.answered_at)),
        ("Opérateur de transmission", story.operator.name),
        ("Archive transmise", sent.archive.name),
    )


def _closing(story: Story) -> str:
    if story.sent.exercise:
        return (
            "EXERCICE : ce bordereau vient d'une préfecture d'exercice, il n'a aucune valeur "
            "juridique."
        )
    return (
        "Un acte est exécutoire dès qu'il a été publié ou notifié et transmis au représentant de "
        "l'État (article L. 2131-1 du code général des collectivités territoriales)."
    )


def _day(at: datetime | None) -> str:
    return f"{at.astimezone(PARIS):%d/%m/%Y}" if at else "non renseigné"


def _instant(at: datetime | None) -> str:
    return f"{at.astimezone(PARIS):%d/%m/%Y à %H h %M}" if at else "non renseigné"
