"""The receipt that the holder and the officer sign at the hand-over."""

from datetime import datetime

from registration_authority.models import Certificate, FaceToFace
from socle.accounts.models import CertificateLevel, Person
from socle.core.clock import PARIS
from socle.core.identifiers import format_siren
from socle.directory.models import Organisation
from socle.documents.model import (
    Document,
    Fields,
    Items,
    Letterhead,
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
) -> bytes:
    """The « procès-verbal de remise » as a PDF, ready to be signed by both on paper."""
    file = certificate.file
    return to_pdf(
        Document(
            title="Procès-verbal de remise d’un certificat électronique",
            issuer=Letterhead(
                syndicat.name, (f"{syndicat.address} {syndicat.postal_code}".strip(),)
            ),
            reference=f"{file.holder} - {file.organisation}",
            verification=certificate.fingerprint[:32],
            blocks=(
                _holder(certificate),
                _identity(face_to_face),
                _certificate(certificate, token_serial),
                Items(_declarations()),
                Signatures(
                    (
                        Signatory("La personne titulaire", str(file.holder), "Lu et approuvé"),
                        Signatory("L’opérateur d’enregistrement", str(officer)),
                    ),
                    place_and_date=f"{place}, le {at.astimezone(PARIS):%d/%m/%Y}",
                ),
            ),
            at=at,
            exercise=file.offer.level == CertificateLevel.TRAINING,
        )
    )


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
