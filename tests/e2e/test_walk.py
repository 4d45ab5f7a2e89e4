"""One commune from nothing to a proof: as five persons, in a browser, on the real stack.

Each stage is a fixture that needs the one before it, so that any test may run alone.
"""

import io
import re
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from socle.core.clock import PARIS
from tests.e2e.conftest import Welcome
from tests.e2e.counter import PIECES, accept_pieces, meet_and_issue
from tests.e2e.papers import pdf
from tests.e2e.visitor import Visitor, file

# In one worker, so that the stack starts once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e")]


@pytest.fixture(scope="module")
def odile(come_in: Welcome) -> Visitor:
    """The officer who brings communes onto the platform."""
    return come_in("Odile")


@pytest.fixture(scope="module")
def aude(come_in: Welcome) -> Visitor:
    """The auditor."""
    return come_in("Aude")


@pytest.fixture(scope="module")
def rachid(come_in: Welcome) -> Visitor:
    """The operator at the counter."""
    return come_in("Rachid")


@pytest.fixture(scope="module")
def thomas(come_in: Welcome) -> Visitor:
    """The trainer."""
    return come_in("Thomas")


@pytest.fixture(scope="module")
def claire(come_in: Welcome) -> Visitor:
    """The secretary of Melle."""
    return come_in("Claire", "melle")


# Training: planned first, because a session must have ended before it is closed.


@dataclass(frozen=True)
class Session:
    """A planned session: its page, and when its short half-day ends."""

    path: str
    starts_at: datetime
    ends_at: datetime


@pytest.fixture(scope="module")
def planned(thomas: Visitor) -> Session:
    """A session of one minute that begins in a few seconds, with Claire in it."""
    starts_at = datetime.now(PARIS).replace(microsecond=0) + timedelta(seconds=25)
    ends_at = starts_at + timedelta(minutes=1)
    thomas.visit("/")
    thomas.follow("Formations")
    thomas.follow("Planifier une session")
    page = thomas.page
    page.get_by_label("Programme").select_option(label="Télétransmettre ses actes")
    page.get_by_label("Formateur").select_option(label="Thomas Petit")
    page.get_by_label("Nombre de places").fill("8")
    page.get_by_label("Lieu").fill("Salle du conseil, Melle")
    page.get_by_label("Demi-journée n° 1 : début").fill(f"{starts_at:%Y-%m-%dT%H:%M:%S}")
    page.get_by_label("Demi-journée n° 1 : heure de fin").fill(f"{ends_at:%H:%M:%S}")
    thomas.press("Planifier")
    session = Session(thomas.path, starts_at, ends_at)
    thomas.follow("Inscrire un agent")
    page.get_by_label("Nom de l’agent ou de la commune").fill("Martin")
    thomas.press("Chercher")
    row = page.get_by_role("row").filter(has_text=re.compile(r"Melle\b")).first
    thomas.press(re.compile("^Inscrire"), within=row)
    return session


# Onboarding


def _today(days: int = 0) -> str:
    return f"{datetime.now(PARIS).date() + timedelta(days=days):%Y-%m-%d}"


def _download(visitor: Visitor, name: str) -> bytes:
    """A file of the list of documents, by what its line says."""
    line = visitor.page.get_by_role("listitem").filter(has_text=name).first
    return visitor.fetch(line.get_by_role("link"))


@pytest.fixture(scope="module")
def convention_signed(odile: Visitor, claire: Visitor, planned: Session) -> dict[str, bytes]:
    """The case of Melle up to the right to transmit; the papers that were generated."""
    papers: dict[str, bytes] = {}
    portal, town = odile.page, claire.page
    odile.visit("/")
    odile.follow("Raccordements")
    odile.follow("Ouvrir un dossier")
    portal.get_by_label("Collectivité", exact=True).select_option(label="Melle")
    odile.press("Ouvrir le dossier")
    case = odile.path

    odile.follow("Proposer la voie d’accès et le tarif")
    portal.get_by_label("Voie d’accès").select_option(label="Adhésion au service du syndicat")
    portal.get_by_label("Ligne de tarif").fill("de 3 500 à 9 999 hab.")
    portal.get_by_label(re.compile("^Montant")).fill("480")
    odile.press("Enregistrer")
    claire.visit("/")
    claire.follow("Raccordement")
    home = claire.path
    claire.follow("Accepter le tarif")
    claire.press("Accepter")
    odile.visit(case)
    odile.follow("Choisir l’opérateur")
    portal.get_by_label("Opérateur de transmission").select_option(label="Opérateur d’exercice")
    odile.press("Enregistrer")

    claire.visit(home)
    claire.follow("Remplir la délibération")
    town.get_by_label(re.compile("flux comptables HELIOS")).uncheck()
    for label, value in {
        "Date de convocation": _today(-7),
        "Date de la séance": _today(),
        "Secrétaire de séance": "Claire Martin",
        "Rapporteur": "Marc Fournier",
        "Numéro de la délibération": "2026-001",
        "Membres en exercice": "29",
        "Présents": "24",
        "Représentés": "3",
        "Votants": "27",
        "Voix pour": "26",
        "Voix contre": "0",
        "Abstentions": "1",
    }.items():
        town.get_by_label(label).fill(value)
    claire.press("Enregistrer et produire le document")
    papers["délibération"] = _download(claire, "Délibération à signer (PDF)")
    claire.follow("Déposer la délibération signée")
    _choose(claire, "Exemplaire signé", "deliberation-signee.pdf", papers["délibération"])
    claire.press("Déposer")
    claire.follow("Déposer la preuve de transmission")
    town.get_by_label("Date de transmission").fill(_today())
    town.get_by_label("Moyen").select_option(label="Dépôt au guichet contre récépissé")
    _choose(claire, "Preuve", "recepisse.pdf", pdf("Récépissé"))
    claire.press("Enregistrer")

    odile.visit(case)
    odile.press("Produire le contrat")
    papers["adhésion"] = _download(odile, "Contrat à signer (PDF)")
    claire.visit(home)
    claire.follow("Déposer le contrat signé")
    _sign(claire, "contrat.pdf", papers["adhésion"])
    odile.visit(case)
    odile.follow("Enregistrer l’autre signature")
    portal.get_by_label("Signataire").fill("Jeanne Roux, présidente du syndicat")
    _sign(odile, "contrat.pdf", papers["adhésion"])

    odile.follow("Préparer la convention")
    portal.get_by_label("Nom du préfet").fill("Le préfet d’exercice")
    portal.get_by_label("Adresse de la préfecture").fill("4 rue Du Guesclin, 79000 Niort")
    portal.get_by_label("Début de la transmission").fill(_today())
    odile.press("Enregistrer et produire les documents")
    papers["convention"] = _download(odile, "Convention à signer (PDF)")
    claire.visit(home)
    claire.follow("Déposer la convention signée")
    _sign(claire, "convention.pdf", papers["convention"])
    odile.visit(case)
    odile.follow("Noter l’envoi à la préfecture")
    portal.get_by_label("Moyen").select_option(label="Messagerie de la préfecture")
    odile.press("Enregistrer")
    odile.follow("Noter la signature du préfet")
    portal.get_by_label("Signée par le préfet le").fill(_today())
    odile.press("Enregistrer")
    odile.follow("Déposer l’exemplaire signé")
    _choose(odile, "Exemplaire signé", "convention-deux.pdf", pdf("Signée des deux parties"))
    odile.press("Déposer")
    return papers


def _choose(visitor: Visitor, label: str, name: str, content: bytes) -> None:
    chooser = visitor.page.locator("input[type=file]").and_(visitor.page.get_by_label(label))
    chooser.set_input_files(file(name, content))


def _sign(visitor: Visitor, name: str, content: bytes) -> None:
    """Deposit a signed copy, dated today."""
    visitor.page.get_by_label("Date de la signature").fill(_today())
    _choose(visitor, "Exemplaire signé", name, content)
    visitor.press("Déposer")


def test_the_officer_brings_a_commune_to_its_signed_convention(
    convention_signed: dict[str, bytes], odile: Visitor
) -> None:
    assert odile.sees("la commune pourra transmettre dès la date de début")
    assert set(convention_signed) == {"délibération", "adhésion", "convention"}
    assert all(paper.startswith(b"%PDF-") for paper in convention_signed.values())


# The certificate


@pytest.fixture(scope="module")
def handed_over(rachid: Visitor, claire: Visitor, convention_signed: dict[str, bytes]) -> Visitor:
    """Rachid on the page of Claire's file, her certificate in use."""
    rachid.visit("/")
    rachid.follow("Certificats")
    rachid.follow("Ouvrir un dossier")
    page = rachid.page
    page.get_by_label("Nom, SIREN ou code INSEE").fill("Melle")
    rachid.press("Chercher")
    rachid.follow("Melle", within=page.get_by_role("table"))
    page.get_by_label("Personne titulaire").select_option(label="Claire Martin")
    page.get_by_label("Fonction").fill("Secrétaire générale de mairie")
    rachid.press("Ouvrir le dossier")
    dossier = rachid.path

    claire.visit("/")
    claire.follow(re.compile("certificat"))
    for piece in PIECES:
        claire.follow("Déposer", within=claire.page.get_by_role("row", name=piece))
        claire.page.get_by_label("Document scanné").set_input_files(file("piece.pdf", pdf(piece)))
        claire.press("Déposer")
    claire.press("Envoyer mon dossier")

    rachid.visit(dossier)
    accept_pieces(rachid)
    meet_and_issue(rachid, "Claire Martin")
    receipt = rachid.fetch(page.get_by_role("link", name="Procès-verbal à imprimer"))
    assert receipt.startswith(b"%PDF-")
    rachid.follow("Enregistrer la remise")
    page.get_by_label("La personne a lu").check()
    page.get_by_label("La personne et moi avons signé").check()
    page.get_by_label("Procès-verbal signé").set_input_files(file("pv.pdf", pdf("Signé")))
    rachid.press("Remettre le certificat")
    return rachid


def test_the_operator_hands_a_certificate_over(handed_over: Visitor, claire: Visitor) -> None:
    assert handed_over.sees("peut s’en servir dès maintenant")
    claire.visit("/certificats/")
    assert claire.sees("Perdu, volé, départ : révoquer")


# The act


@pytest.fixture(scope="module")
def acknowledged(claire: Visitor, handed_over: Visitor) -> bytes:
    """Claire on the page of her first act, acknowledged; its bordereau."""
    _deposit(claire, "2026-002")
    bordereau = claire.page.get_by_role("link", name="Bordereau d’acquittement")
    claire.reload_until(bordereau.count)
    return claire.fetch(bordereau.first)


def _deposit(visitor: Visitor, number: str) -> None:
    """From the home page to the page of an act that is on its way."""
    page = visitor.page
    visitor.visit("/")
    visitor.follow("Actes")
    visitor.follow(re.compile("Déposer (un|le premier) acte"))
    page.get_by_label("Nature de l’acte").select_option(label="Délibérations")
    page.get_by_label("Numéro de l’acte").fill(number)
    page.get_by_label("Date de la décision").fill(_today())
    page.get_by_label("Objet").fill("Tarifs 2027 de la salle des fêtes")
    page.get_by_label("Matière").select_option("7.10")
    _choose(visitor, "Fichier de l’acte", "deliberation.pdf", pdf("Tarifs", number))
    visitor.press("Vérifier avant l’envoi")
    visitor.press("Transmettre à la préfecture")


def test_the_agent_gets_the_acknowledgement_of_her_act(
    acknowledged: bytes, claire: Visitor
) -> None:
    assert acknowledged.startswith(b"%PDF-")
    assert claire.sees(re.compile(r"^079-200081511-\d{8}-2026_002-DE$"))
    assert claire.sees("EXERCICE")


@pytest.fixture(scope="module")
def attested(thomas: Visitor, planned: Session, acknowledged: bytes) -> bytes:
    """Claire was present; the session is closed; her attestation as a PDF."""
    _wait_until(planned.starts_at)
    thomas.visit(planned.path)
    thomas.follow("Émarger")
    thomas.page.get_by_label("Présent").check()
    thomas.press("Enregistrer l’émargement")
    _wait_until(planned.ends_at)
    thomas.visit(planned.path)
    thomas.press("Clôturer et délivrer les attestations")
    return thomas.fetch(thomas.page.get_by_role("link", name="Attestation"))


def _wait_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(PARIS)).total_seconds() + 0.5))


def test_the_trainer_attests_the_hours_of_those_who_came(attested: bytes) -> None:
    assert attested.startswith(b"%PDF-")


def test_an_act_is_deposited_without_any_script(acknowledged: bytes, come_in: Welcome) -> None:
    visitor = come_in("Claire", "melle", java_script_enabled=False)
    _deposit(visitor, "2026-003")
    assert visitor.sees(re.compile("en cours d’envoi|accusé de réception"))


# The proof


@pytest.fixture(scope="module")
def parcel(
    aude: Visitor, acknowledged: bytes, attested: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The evidence of Melle, exported by the auditor and unzipped."""
    aude.visit("/")
    aude.follow("Journal")
    aude.follow("Exporter les preuves")
    aude.page.get_by_label("Nom").fill("Melle")
    aude.press("Chercher")
    aude.follow("Exporter les preuves de Melle")
    aude.page.get_by_label("Motif de l’export").fill("Contrôle annuel")
    exported = aude.fetch(aude.page.get_by_role("button", name="Préparer le paquet"))
    folder = tmp_path_factory.mktemp("preuves")
    zipfile.ZipFile(io.BytesIO(exported)).extractall(folder)
    return folder


def _verify(folder: Path) -> str:
    """What the parcel's own verifier says, without anything of ours."""
    told = subprocess.run(
        [sys.executable, "-I", "verify.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    return told.stdout


def test_the_export_is_verified_with_python_alone(parcel: Path) -> None:
    assert _verify(parcel).startswith("OK")


def test_one_changed_byte_in_the_export_is_denounced(parcel: Path) -> None:
    entries = parcel / "journal.jsonl"
    before = entries.read_bytes()
    entries.write_bytes(before.replace(b"2026_002", b"2026_003", 1))
    try:
        assert entries.read_bytes() != before
        assert _verify(parcel).startswith("NON")
    finally:
        entries.write_bytes(before)


# The case, at the end


def test_the_commune_is_connected_when_all_is_done(
    odile: Visitor, acknowledged: bytes, attested: bytes
) -> None:
    odile.visit("/raccordements/")
    odile.follow("Melle", within=odile.page.get_by_role("table"))
    for _ in ("Copie à l’opérateur", "Paramétrage chez l’opérateur"):
        odile.follow("Indiquer la date")
        odile.press("Enregistrer")
    assert odile.sees("Raccordée")
    done, total = re.findall(r"\d+", odile.page.locator(".progress-text").inner_text())
    assert done == total
