"""An invoice or a credit note on paper, with the mentions the law asks for.

CGI annexe II, art. 242 nonies A: number, date, both parties and their SIREN, lines, tax by rate or
exemption mention, category of operation. Our paper justifies the claim; the avis des sommes à payer
recovers it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from billing import policies
from billing.amounts import euros, percent, vat_by_rate
from billing.models import Invoice, InvoiceKind, Line
from socle.core.identifiers import format_siret
from socle.directory.models import Organisation
from socle.documents.model import (
    Block,
    Column,
    Document,
    Fields,
    Letterhead,
    Paragraph,
    Style,
    Table,
)

Party = Mapping[str, str]
RECOVERY: Final = (
    "Cette somme est recouvrée par le comptable public, qui vous adresse un avis des sommes à "
    "payer."
)


def party(organisation: Organisation) -> dict[str, str]:
    """What an invoice says of a body. Raises Incomplete without SIRET."""
    policies.check_party(organisation.name, organisation.siret)
    return {
        "name": organisation.name,
        "siret": organisation.siret,
        "address": organisation.address,
        "postal_code": organisation.postal_code,
    }


def paper(invoice: Invoice, lines: Sequence[Line], *, at: datetime) -> Document:
    """The invoice as it is issued; its parties, number and dates are already set."""
    title = InvoiceKind(invoice.kind).label
    return Document(
        title=title,
        issuer=_letterhead(invoice.seller),
        addressee=(invoice.buyer["name"], *_address(invoice.buyer)),
        place_and_date=f"Le {_day(invoice.issued_on)}",
        reference=f"{title} n° {invoice.number}",
        blocks=(Fields(_facts(invoice)), _table(invoice, lines), *_notes(invoice, lines)),
        at=at,
    )


def _facts(invoice: Invoice) -> tuple[tuple[str, str], ...]:
    facts = [
        ("Numéro", invoice.number or ""),
        ("Date", _day(invoice.issued_on)),
        ("Échéance", _day(invoice.due_on) if invoice.kind == InvoiceKind.INVOICE else ""),
        ("Émetteur", f"{invoice.seller['name']}, SIRET {format_siret(invoice.seller['siret'])}"),
        ("Destinataire", f"{invoice.buyer['name']}, SIRET {format_siret(invoice.buyer['siret'])}"),
        ("Code service", invoice.chorus_service),
        ("Numéro d’engagement", invoice.engagement),
        ("Catégorie", "Prestation de services"),
    ]
    if invoice.corrects is not None:
        original = invoice.corrects
        facts.append(("Facture corrigée", f"n° {original.number} du {_day(original.issued_on)}"))
        facts.append(("Motif", invoice.reason))
    return tuple((label, value) for label, value in facts if value)


def _table(invoice: Invoice, lines: Sequence[Line]) -> Table:
    return Table(
        (
            Column("Désignation", share=4),
            Column("Quantité", align="right", share=1.1),
            Column("Prix unitaire HT", align="right", share=1.6),
            Column("TVA", align="right"),
            Column("Montant HT", align="right", share=1.6),
        ),
        tuple(_row(invoice, line) for line in lines),
        _totals(invoice, lines),
    )


def _row(invoice: Invoice, line: Line) -> tuple[str, str, str, str, str]:
    return (
        f"{line.label}\n{line.rule}",
        str(line.quantity),
        euros(line.unit_price),
        percent(line.rate) if line.rate else "—",
        euros(invoice.sign * line.ht),
    )


def _totals(invoice: Invoice, lines: Sequence[Line]) -> tuple[tuple[str, str], ...]:
    taxes = [
        (f"TVA {percent(rate)} sur {euros(found.ht)}", euros(invoice.sign * found.vat))
        for rate, found in vat_by_rate(lines)
    ]
    return (
        ("Total HT", euros(invoice.sign * invoice.total_ht)),
        *(taxes or [("TVA", euros(invoice.total_vat))]),
        ("Total TTC", euros(invoice.sign * invoice.total_ttc)),
    )


def _notes(invoice: Invoice, lines: Sequence[Line]) -> tuple[Block, ...]:
    notes = policies.mentions(line.regime for line in lines)
    if invoice.kind == InvoiceKind.INVOICE:
        notes.append(RECOVERY)
    return tuple(Paragraph(note, Style.NOTE) for note in notes)


def _letterhead(seller: Party) -> Letterhead:
    return Letterhead(seller["name"], (*_address(seller), f"SIRET {format_siret(seller['siret'])}"))


def _address(party: Party) -> tuple[str, ...]:
    return tuple(line for line in (party["address"], party["postal_code"]) if line)


def _day(on: date | None) -> str:
    return f"{on:%d/%m/%Y}" if on else ""
