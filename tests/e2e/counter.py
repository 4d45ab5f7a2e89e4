"""What the operator of the counter does in a browser, the same for every file."""

import re

from tests.e2e.papers import certificate_request
from tests.e2e.visitor import Visitor, file

PIECES = (
    "Pièce d’identité",
    "Justificatif de fonction",
    "Mandat du représentant légal",
    "Demande et conditions d’utilisation signées",
)


def accept_pieces(officer: Visitor) -> None:
    """From the page of a submitted file: look at each piece and accept it."""
    for _ in PIECES:
        officer.follow(re.compile("^Vérifier :"))
        if officer.page.get_by_label("Valable jusqu’au").count():
            officer.page.get_by_label("Valable jusqu’au").fill("2031-05-14")
        officer.press("Accepter la pièce")


def meet_and_issue(officer: Visitor, name: str) -> None:
    """From a file whose pieces are accepted to its receipt, ready to be signed."""
    page = officer.page
    officer.follow("Recevoir la personne")
    page.get_by_label("Lieu").fill("Mairie de Melle")
    page.get_by_label("Carte nationale d’identité").check()
    page.get_by_label("Numéro du document").fill("X4RTBPFW4")
    page.get_by_label("Valable jusqu’au").fill("2031-05-14")
    page.get_by_label("J’ai comparé le visage").check()
    officer.press("Enregistrer le face à face")
    officer.follow("Déposer la demande")
    csr = file("demande.csr", certificate_request(name), "application/pkcs10")
    page.get_by_label("Demande de certificat").set_input_files(csr)
    officer.press("Vérifier et déposer")
    officer.press("Établir le certificat")
    officer.reload_until(page.get_by_role("link", name="Préparer le procès-verbal").count)
    officer.follow("Préparer le procès-verbal")
    page.get_by_label("Numéro gravé").fill("sans support")
    officer.press("Préparer le procès-verbal")
