"""Neutral documents for the tests: one that uses every kind of block."""

from datetime import UTC, datetime

from socle.documents.model import (
    Article,
    Articles,
    Column,
    Document,
    Fields,
    Heading,
    Items,
    Letterhead,
    PageBreak,
    Paragraph,
    Signatory,
    Signatures,
    Strong,
    Style,
    Table,
)

AT = datetime(2026, 1, 12, 9, tzinfo=UTC)
MELLE = Letterhead("Commune de Melle", ("Place Bujault, 79500 Melle",), ("République française",))


def document(*blocks: object, **others: object) -> Document:
    return Document(
        **{"title": "Attestation", "issuer": MELLE, "at": AT, "blocks": blocks, **others}
    )


EVERYTHING = document(
    Heading("Parties"),
    Heading("Dont", level=2),
    Paragraph(("Vu la délibération du ", Strong("9 janvier 2026"), " ;")),
    Paragraph("Entre les soussignés", Style.CENTERED),
    Paragraph("LE CONSEIL DÉCIDE :", Style.DECISION),
    Paragraph("Voies et délais de recours.", Style.NOTE),
    Items(("les délibérations ;", ("les ", Strong("arrêtés"), "."))),
    Items(("transmettre ;", "publier."), numbered=True),
    Fields((("SIREN", "217 901 743"), ("Maire", (Strong("M. Rey"), ", maire"))), title="Commune"),
    Table(
        (Column("Désignation", share=3), Column("Qté", "center"), Column("Montant", "right")),
        (("Certificat RGS**", "2", "372,00 €"), ("Formation", "1", "90,00 €")),
        totals=(("Total", "462,00 €"), ("Net à payer", "462,00 €")),
        title="Prestations",
    ),
    Articles(
        (
            Article("Objet", (Paragraph("La présente convention."),)),
            Article("", (Paragraph("Le dispositif."), Items(("un ;", "deux.")))),
        )
    ),
    PageBreak(),
    Paragraph("Fait pour valoir ce que de droit."),
    Signatures(
        (
            Signatory("Le maire", "Sylvain Rey", "Signature et cachet"),
            Signatory("La préfète"),
            Signatory("Le président"),
            Signatory("Le témoin"),
        ),
        "Melle, le 12 janvier 2026",
    ),
    title="Convention\nde transmission",
    subtitle="entre la préfète et la commune",
    reference="Convention n° 2026-001",
    verification="Code : 7F3K-92QD",
    place_and_date="Melle, le 12 janvier 2026",
    addressee=("Madame la préfète", "4 rue Du Guesclin", "79000 Niort"),
)

# What a reader must find in any rendering of EVERYTHING, spaces made plain.
SAID = (
    "Convention",
    "entre la préfète et la commune",
    "Convention n° 2026-001",
    "Code : 7F3K-92QD",
    "Madame la préfète",
    "Place Bujault, 79500 Melle",
    "Parties",
    "Dont",
    "Vu la délibération du 9 janvier 2026 ;",
    "LE CONSEIL DÉCIDE :",
    "Voies et délais de recours.",
    "les arrêtés.",
    "publier.",
    "217 901 743",
    "M. Rey, maire",
    "Certificat RGS**",
    "372,00 €",
    "Net à payer",
    "— Objet",
    "Article 2",
    "Le dispositif.",
    "Sylvain Rey",
    "Signature et cachet",
    "Le témoin",
)
