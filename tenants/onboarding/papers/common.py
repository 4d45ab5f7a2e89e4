"""What several papers share: letterheads, the description of the device, the ways of appeal."""

from socle.core.identifiers import ACTES_NATURES, format_siren, format_siret
from socle.delivery.models import TransmissionOperator
from socle.directory.models import Organisation
from socle.documents.model import Fields, Letterhead, Paragraph, Style
from tenants.onboarding import wording


def letterhead(organisation: Organisation) -> Letterhead:
    """The head of a body's own papers."""
    over = ("République française", wording.departement(organisation))
    over += (wording.arrondissement(organisation),)
    lines = (wording.address(organisation), organisation.phone, organisation.email)
    return Letterhead(
        wording.full_name(organisation),
        lines=tuple(filter(None, lines)),
        over=tuple(filter(None, over)),
    )


def syndicat_head(syndicat: Organisation) -> Letterhead:
    """The head of the syndicat's papers."""
    lines = (wording.address(syndicat), syndicat.phone, syndicat.email)
    return Letterhead(syndicat.name, lines=tuple(filter(None, lines)))


def identity(organisation: Organisation, *, title: str = "") -> Fields:
    """Who a body is."""
    rows = (
        ("Collectivité", wording.full_name(organisation)),
        ("SIREN", format_siren(organisation.siren)),
        ("SIRET", format_siret(organisation.siret) if organisation.siret else ""),
        ("Code INSEE", organisation.insee or ""),
        ("Nature @CTES", nature(organisation)),
        ("Département", wording.departement_name(organisation)),
        ("Arrondissement", wording.arrondissement_name(organisation)),
        ("Adresse", wording.address(organisation)),
        ("Téléphone", organisation.phone),
        ("Courriel", organisation.email),
    )
    return Fields(tuple((label, value) for label, value in rows if value), title=title)


def counterparty(syndicat: Organisation, *, title: str) -> Fields:
    """Who the syndicat is, in a contract."""
    rows = (
        ("Nom", syndicat.name),
        ("SIRET", format_siret(syndicat.siret) if syndicat.siret else ""),
        ("Adresse", wording.address(syndicat)),
        ("Téléphone", syndicat.phone),
        ("Courriel", syndicat.email),
    )
    return Fields(tuple((label, value) for label, value in rows if value), title=title)


def nature(organisation: Organisation) -> str:
    """« Commune (31) »."""
    label = ACTES_NATURES.get(organisation.nature)
    return f"{label} ({organisation.nature})" if label else ""


def device(operator: TransmissionOperator, *, title: str = "") -> Fields:
    """The sheet « Références TdT »: device, operator, homologation."""
    homologated = operator.homologated_on
    reference = f"{operator.homologation}, du {homologated:%d/%m/%Y}" if homologated else ""
    rows = (
        ("Dispositif", operator.name),
        ("Exploitant", operator.company),
        ("Trigramme", operator.trigram),
        ("Homologation", reference or operator.homologation),
        ("Adresse", operator.address),
        ("Téléphone", operator.phone),
        ("Courriel", operator.email),
    )
    return Fields(tuple((label, value) for label, value in rows if value), title=title)


def mutualisation(syndicat: Organisation, *, title: str = "") -> Fields:
    """The syndicat as the operator of mutualisation."""
    rows = (
        ("Opérateur de mutualisation", syndicat.name),
        ("Adresse", wording.address(syndicat)),
        ("Téléphone", syndicat.phone),
        ("Courriel", syndicat.email),
    )
    return Fields(tuple((label, value) for label, value in rows if value), title=title)


APPEAL = Paragraph(
    "La présente décision peut être contestée devant le tribunal administratif, par courrier ou "
    "par l’application Télérecours citoyens (www.telerecours.fr), dans les deux mois de sa "
    "publication.",
    Style.NOTE,
)
