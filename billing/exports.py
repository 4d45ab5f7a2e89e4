"""Issued invoices for the finance software: one CSV line each. Pure.

UTF-8 with BOM, semicolons, decimal commas: what a French spreadsheet opens without asking.
"""

import csv
import io
from collections.abc import Iterable
from datetime import date
from typing import Final

from billing.amounts import comma
from billing.models import Invoice, InvoiceKind

BOM: Final = "\N{BYTE ORDER MARK}"
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
COLUMNS: Final = (
    "Type",
    "Numéro",
    "Date",
    "Échéance",
    "SIRET débiteur",
    "Débiteur",
    "Nature du débiteur",
    "Objet",
    "Montant HT",
    "Montant TVA",
    "Montant TTC",
    "Code service",
    "Engagement",
    "Facture corrigée",
    "Empreinte SHA-256 du PDF",
)


def to_csv(invoices: Iterable[Invoice]) -> bytes:
    """One line for each issued invoice or credit note; a credit note's amounts are negative."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(invoice) for invoice in invoices)
    return (BOM + out.getvalue()).encode()


def text(value: str) -> str:
    """`value` as a cell that no spreadsheet takes for a formula, on one line."""
    flat = " ".join(value.split()) if value.strip() else ""
    return f"'{flat}" if flat.startswith(FORMULA) or value.startswith(FORMULA) else flat


def _row(invoice: Invoice) -> tuple[str, ...]:
    corrected = invoice.corrects
    objects = " ; ".join(line.label for line in invoice.lines.all())
    return (
        InvoiceKind(invoice.kind).label,
        invoice.number or "",
        _day(invoice.issued_on),
        _day(invoice.due_on),
        invoice.buyer["siret"],
        text(invoice.buyer["name"]),
        text(invoice.organisation.get_kind_display()),
        text(objects[:160]),
        comma(invoice.sign * invoice.total_ht),
        comma(invoice.sign * invoice.total_vat),
        comma(invoice.sign * invoice.total_ttc),
        text(invoice.chorus_service),
        text(invoice.engagement),
        corrected.number or "" if corrected else "",
        invoice.file.sha256 if invoice.file else "",
    )


def _day(on: date | None) -> str:
    return f"{on:%d/%m/%Y}" if on else ""
