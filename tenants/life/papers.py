"""The certificate of destruction: what was counted goes in, a PDF comes out."""

from datetime import datetime
from typing import Any, Final

from socle.core.clock import PARIS
from socle.core.identifiers import format_siren
from socle.directory.models import Organisation
from socle.documents.model import Column, Document, Fields, Items, Paragraph, Table
from socle.documents.render import to_pdf
from tenants.life import policies
from tenants.life.models import Destruction
from tenants.onboarding.papers.common import syndicat_head

_NONE: Final = "aucun"


def certificate(
    destruction: Destruction, facts: dict[str, Any], syndicat: Organisation, *, at: datetime
) -> bytes:
    """The « certificat de destruction » as a PDF.

    `facts` is what each step counted (`destroying.STEPS`).
    """
    organisation = destruction.space.organisation
    return to_pdf(
        Document(
            title="Certificat de destruction",
            subtitle=f"Espace de {organisation} sur la plateforme Socle",
            issuer=syndicat_head(syndicat),
            reference=f"Destruction n° {destruction.pk}",
            place_and_date=f"Le {_day(at)}",
            blocks=(
                Paragraph(
                    f"Le syndicat certifie que l’espace de {organisation} a été détruit le "
                    f"{_day(at)}. Ce qui suit a été compté avant d’être détruit."
                ),
                _who(destruction),
                _archive(destruction),
                _what(facts),
                _tables(facts["inventory"]["tables"], "Données de la collectivité détruites"),
                _tables(facts["rows"]["deleted"], "Lignes des tables communes détruites"),
                _kept(facts["rows"]["kept"]),
                Paragraph(
                    "La clé qui chiffrait les fichiers a été effacée : aucune copie des fichiers "
                    "ne peut plus être lue avec les données en service. Les sauvegardes de la base "
                    "de données, conservées chiffrées par l’exploitant, contiennent encore cette "
                    "clé jusqu’à leur expiration."
                ),
            ),
            at=at,
        )
    )


def _day(at: datetime) -> str:
    return f"{at.astimezone(PARIS):%d/%m/%Y à %H h %M}"


def _grouped(digest: str) -> str:
    """A digest that can be read, and is never hyphenated."""
    return " ".join(digest[place : place + 4] for place in range(0, len(digest), 4))


def _who(destruction: Destruction) -> Fields:
    organisation = destruction.space.organisation
    confirmed = destruction.confirmed_at
    rows = (
        ("Collectivité", str(organisation)),
        ("SIREN", format_siren(organisation.siren)),
        ("Motif", destruction.reason),
        ("Visa des Archives départementales", destruction.visa),
        ("Demandée par", f"{destruction.asked_by}, le {_day(destruction.asked_at)}"),
        (
            "Confirmée par",
            f"{destruction.confirmed_by}, le {_day(confirmed)}" if confirmed else "",
        ),
        ("Délai observé", f"{destruction.wait_days} jours"),
    )
    return Fields(tuple((label, value) for label, value in rows if value), title="La demande")


def _archive(destruction: Destruction) -> Fields:
    archive = destruction.archive
    if archive is None:
        rows: tuple[tuple[str, str], ...] = (
            ("Renonciation écrite de la collectivité", destruction.waiver),
        )
    else:
        taken = archive.downloads.select_related("person").order_by("at")
        rows = (
            ("Faite le", _day(archive.finished_at) if archive.finished_at else ""),
            ("Empreinte du manifeste (SHA-256)", _grouped(archive.manifest_sha256)),
            ("Empreinte du paquet (SHA-256)", _grouped(archive.sha256)),
            ("Téléchargée par", ", ".join(f"{one.person}, le {_day(one.at)}" for one in taken)),
        )
    return Fields(rows, title="L’archive remise auparavant")


def _what(facts: dict[str, Any]) -> Items:
    inventory, schema = facts["inventory"], facts["schema"]
    role = "supprimé" if schema["role"] else "privé de tout droit"
    return Items(
        (
            f"Schéma {schema['schema']} supprimé, rôle du même nom {role}.",
            f"Adresses fermées : {', '.join(schema['hosts']) or _NONE}.",
            f"{inventory['files']} fichiers ({inventory['bytes']} octets) effacés.",
            f"Clé des fichiers effacée : {facts['key']['key'] or _NONE}.",
            f"Journal de la collectivité : {inventory['journal']} écritures ; dernier scellement "
            f"{_grouped(inventory['last_seal']) or _NONE}.",
            f"{facts['rows']['files']} pièces gardées par le syndicat pour elle, effacées.",
            f"{facts['rows']['people']} comptes d’agents fermés.",
        )
    )


def _tables(counts: dict[str, int], title: str) -> Table:
    rows = tuple((_label(name), str(count)) for name, count in sorted(counts.items()))
    columns = (Column("Données", share=3), Column("Lignes", align="right"))
    return Table(columns, rows or ((_NONE, "0"),), title=title)


def _kept(counts: dict[str, int]) -> Table:
    rows = tuple(
        (_label(name), str(count), policies.KEPT[name]) for name, count in sorted(counts.items())
    )
    rows += (("Journal du syndicat", "", "preuve de ce qui a été fait, et de cette destruction"),)
    columns = (
        Column("Données", share=2),
        Column("Lignes", align="right"),
        Column("Raison", share=3),
    )
    return Table(columns, rows, title="Ce qui est conservé, et pourquoi")


def _label(model: str) -> str:
    """What people call the rows of a model."""
    return LABELS.get(model, f"Données techniques ({model})")


LABELS: Final[dict[str, str]] = {
    "accounts.LoginCertificate": "Certificats de connexion",
    "actes.Act": "Actes",
    "actes.ActFile": "Pièces des actes",
    "actes.Answer": "Réponses aux courriers",
    "actes.AnswerFile": "Pièces des réponses",
    "actes.Bundle": "Exports d’actes",
    "actes.ClassificationVersion": "Versions de la classification",
    "actes.EnvelopeDay": "Compteurs d’enveloppes",
    "actes.Letter": "Courriers de la préfecture",
    "actes.LetterFile": "Pièces des courriers",
    "actes.Posting": "Actes publiés",
    "actes.Transaction": "Échanges avec la préfecture",
    "billing.BillableItem": "Prestations facturables",
    "billing.Invoice": "Factures",
    "billing.Line": "Lignes de factures",
    "delivery.Inbound": "Retours reçus",
    "delivery.Outbound": "Envois",
    "directory.Contact": "Contacts",
    "directory.Grant": "Habilitations",
    "directory.Membership": "Adhésion",
    "directory.Organisation": "Fiche de l’annuaire",
    "directory.TransmissionRight": "Droits de transmettre",
    "documents.StoredFile": "Fichiers",
    "helios.Budget": "Budgets",
    "helios.PesAcquit": "Acquits PES",
    "helios.PesAttachment": "Pièces justificatives",
    "helios.PesBordereau": "Bordereaux PES",
    "helios.PesFlow": "Flux PES",
    "helios.PesRetour": "Retours PES",
    "helios.SendingDay": "Compteurs d’envois",
    "journal.Entry": "Écritures du journal",
    "journal.Seal": "Scellements du journal",
    "notices.Notice": "Notifications",
    "onboarding.ActesConvention": "Convention @CTES",
    "onboarding.Deliberation": "Délibération",
    "onboarding.HeliosAdhesion": "Adhésion HELIOS",
    "onboarding.OnboardingCase": "Dossier de raccordement",
    "onboarding.ProcurementRoute": "Contrat avec le syndicat",
    "onboarding.StepRecord": "Étapes du raccordement",
    "registration_authority.Certificate": "Certificats délivrés",
    "registration_authority.CertificateFile": "Dossiers de certificat",
    "registration_authority.CertificateRequest": "Demandes de certificat",
    "registration_authority.FaceToFace": "Face-à-face",
    "registration_authority.HandOver": "Remises de certificat",
    "registration_authority.Piece": "Pièces des dossiers de certificat",
    "registration_authority.Renewal": "Rappels de renouvellement",
    "s2low.S2lowAccount": "Compte chez l’opérateur",
    "s2low.S2lowPaper": "Papiers de l’opérateur",
    "s2low.S2lowTransaction": "Échanges avec l’opérateur",
    "training.Attendance": "Présences aux formations",
    "training.Registration": "Inscriptions aux formations",
    "training.TrainingCertificate": "Attestations de formation",
}
