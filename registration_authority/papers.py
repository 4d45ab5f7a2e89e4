"""The receipt that the holder and the officer sign at the hand-over."""

from datetime import datetime

from registration_authority.models import Certificate, CertificateFile, FaceToFace
from registration_authority.pki.names import Holder
from socle.accounts.models import CertificateLevel, Person
from socle.core.clock import PARIS
from socle.core.identifiers import format_siren
from socle.directory.models import Organisation
from socle.documents.model import (
    Block,
    Document,
    Fields,
    Items,
    Letterhead,
    Paragraph,
    Signatory,
    Signatures,
)
from socle.documents.render import to_pdf


def receipt(
    *,
    certificate: Certificate,
    face_to_face: FaceToFace,
    syndicat: Organisation,
    officer: Person,
    place: str,
    token_serial: str,
    at: datetime,
    collected_by: str = "",
) -> bytes:
    """The « procès-verbal de remise » as a PDF, ready to be signed by both on paper.

    `collected_by` is the « mandataire de certification » who came in place of the holder.
    """
    file = certificate.file
    return to_pdf(
        Document(
            title="Procès-verbal de remise d’un certificat électronique",
            issuer=_letterhead(syndicat),
            reference=f"{file.holder} - {file.organisation}",
            verification=certificate.fingerprint[:32],
            blocks=(
                _holder(certificate),
                _identity(face_to_face),
                _certificate(certificate, token_serial),
                Items(_declarations()),
                Signatures(
                    (
                        _receiver(str(file.holder), collected_by),
                        Signatory("L’opérateur d’enregistrement", str(officer)),
                    ),
                    place_and_date=f"{place}, le {at.astimezone(PARIS):%d/%m/%Y}",
                ),
            ),
            at=at,
            exercise=file.offer.level == CertificateLevel.TRAINING,
        )
    )


def attestation(*, face_to_face: FaceToFace, syndicat: Organisation, at: datetime) -> bytes:
    """The attestation of a face to face (PDF): what was seen, on which original, signed by both."""
    file = face_to_face.file
    blocks: list[Block] = [
        Fields(
            (
                ("Nom et fonction", f"{file.holder}, {file.function}"),
                (
                    "Organisme",
                    f"{file.organisation}, SIREN {format_siren(file.organisation.siren)}",
                ),
            ),
            title="Personne reçue",
        ),
        _identity(face_to_face),
    ]
    if face_to_face.features:
        blocks.append(Items(tuple(f"Vu sur l’original : {one}." for one in face_to_face.features)))
    quality = (
        "Le mandataire de certification" if face_to_face.proxy else "L’opérateur d’enregistrement"
    )
    blocks.append(
        Signatures(
            (
                Signatory("La personne reçue", str(file.holder)),
                Signatory(quality, str(face_to_face.officer)),
            ),
            place_and_date=(
                f"{face_to_face.place}, le {face_to_face.held_at.astimezone(PARIS):%d/%m/%Y}"
            ),
        )
    )
    return to_pdf(
        Document(
            title="Attestation de face à face",
            issuer=_letterhead(syndicat),
            reference=f"{file.holder} - {file.organisation}",
            blocks=tuple(blocks),
            at=at,
            exercise=file.offer.level == CertificateLevel.TRAINING,
        )
    )


def request_sheet(
    *,
    file: CertificateFile,
    holder: Holder,
    public_key: str,
    syndicat: Organisation,
    at: datetime,
) -> bytes:
    """The sheet (PDF) of what an operator types on the authority's portal, to the letter.

    `public_key` is its SHA-256 in hexadecimal, to compare with what the portal shows.
    """
    return to_pdf(
        Document(
            title="Demande de certificat électronique",
            issuer=_letterhead(syndicat),
            reference=f"{file.holder} - {file.organisation}",
            blocks=(
                Paragraph(
                    "Recopiez chaque valeur telle quelle sur le portail de l’autorité : le "
                    "certificat reçu sera comparé à cette fiche, et refusé à la première "
                    "différence."
                ),
                Fields(
                    (
                        ("Prénom", holder.given_name),
                        ("Nom", holder.surname),
                        ("Nom complet (CN)", holder.common_name),
                        ("Adresse électronique", holder.email),
                        ("Fonction", file.function),
                    ),
                    title="Personne titulaire",
                ),
                Fields(
                    (
                        ("Dénomination (O)", holder.organisation),
                        ("SIREN", format_siren(holder.siren)),
                        ("Unité (OU)", holder.organisation_unit),
                        ("Identifiant", holder.organisation_identifier),
                        ("Pays", "FR"),
                    ),
                    title="Organisme",
                ),
                Fields(
                    (
                        ("Offre", f"{file.offer}, {file.offer.authority}"),
                        ("Usage de la clé", file.offer.get_usage_display()),
                        ("Politique", file.offer.policy),
                        ("Durée", f"{file.offer.duration_months} mois"),
                        ("Empreinte de la clé publique (SHA-256)", _by_eight(public_key)),
                    ),
                    title="Certificat demandé",
                ),
            ),
            at=at,
            exercise=file.offer.level == CertificateLevel.TRAINING,
        )
    )


def _letterhead(syndicat: Organisation) -> Letterhead:
    return Letterhead(syndicat.name, (f"{syndicat.address} {syndicat.postal_code}".strip(),))


def _receiver(holder: str, collected_by: str) -> Signatory:
    if collected_by:
        return Signatory(f"Le mandataire de certification, pour {holder}", collected_by)
    return Signatory("La personne titulaire", holder, "Lu et approuvé")


def _by_eight(digest: str) -> str:
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def _holder(certificate: Certificate) -> Fields:
    file = certificate.file
    return Fields(
        (
            ("Nom et fonction", f"{file.holder}, {file.function}"),
            (
                "Organisme",
                f"{file.organisation}, SIREN {format_siren(file.organisation.siren)}",
            ),
            ("Adresse électronique", file.holder.email),
        ),
        title="Personne titulaire",
    )


def _identity(face_to_face: FaceToFace) -> Fields:
    return Fields(
        (
            (
                "Reçue le",
                f"{face_to_face.held_at.astimezone(PARIS):%d/%m/%Y à %H h %M}, "
                f"{face_to_face.place}, par {face_to_face.officer}",
            ),
            (
                "Document présenté",
                f"{face_to_face.get_document_kind_display()} se terminant par "
                f"{face_to_face.document_end}, valable jusqu’au "
                f"{face_to_face.document_expires_on:%d/%m/%Y}",
            ),
        ),
        title="Identité vérifiée en face à face",
    )


def _certificate(certificate: Certificate, token_serial: str) -> Fields:
    return Fields(
        (
            ("Offre", f"{certificate.file.offer}, {certificate.file.offer.authority}"),
            ("Numéro de série", certificate.serial),
            ("Numéro du support", token_serial),
            (
                "Validité",
                f"du {certificate.not_before.astimezone(PARIS):%d/%m/%Y} "
                f"au {certificate.not_after.astimezone(PARIS):%d/%m/%Y}",
            ),
        ),
        title="Certificat remis",
    )


def _declarations() -> tuple[str, ...]:
    return (
        "La personne titulaire a lu le contenu du certificat et l’accepte.",
        "Elle a reçu le support en main propre. Le code d’activation lui parvient par une autre "
        "voie et personne d’autre ne le connaît.",
        "Elle s’engage à ne prêter ni le support ni son code, et à demander la révocation en cas "
        "de perte, de vol, de divulgation du code ou de départ : à toute heure, dans l’espace de "
        "sa commune, rubrique « Mon certificat ».",
    )
