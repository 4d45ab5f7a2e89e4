"""The life of one certificate in a browser: a piece refused, a hand-over, a login, a loss."""

import re
from urllib.parse import quote

import pytest

from tenants.demo import PASSWORD, email_of
from tests.e2e.conftest import Welcome
from tests.e2e.counter import PIECES, accept_pieces, meet_and_issue
from tests.e2e.papers import pdf
from tests.e2e.stack import GATEWAY
from tests.e2e.visitor import Visitor, file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e")]


@pytest.fixture(scope="module")
def rachid(come_in: Welcome) -> Visitor:
    """The operator at the counter."""
    return come_in("Rachid")


@pytest.fixture(scope="module")
def marc(come_in: Welcome) -> Visitor:
    """The mayor of Melle."""
    return come_in("Marc", "melle")


def bring(marc: Visitor, piece: str, button: str) -> None:
    """Deposit one piece from « Mon certificat »."""
    marc.visit("/certificats/")
    marc.follow(button, within=marc.page.get_by_role("row", name=piece))
    marc.page.get_by_label("Document scanné").set_input_files(file("piece.pdf", pdf(piece)))
    marc.press("Déposer")


@pytest.fixture(scope="module")
def checked(rachid: Visitor, marc: Visitor) -> str:
    """The file of Marc, its pieces accepted after one was refused and corrected; its address."""
    page = rachid.page
    rachid.visit("/certificats/nouveau/")
    page.get_by_label("Nom, SIREN ou code INSEE").fill("Melle")
    rachid.press("Chercher")
    rachid.follow("Melle", within=page.get_by_role("table"))
    page.get_by_label("Personne titulaire").select_option(label="Marc Fournier")
    page.get_by_label("Fonction").fill("Maire")
    rachid.press("Ouvrir le dossier")
    dossier = rachid.path
    for piece in PIECES:
        bring(marc, piece, "Déposer")
    marc.press("Envoyer mon dossier")

    rachid.visit(dossier)
    rachid.follow(re.compile("^Vérifier :"))
    rachid.follow(re.compile("^Refuser"))
    page.get_by_label("Motif du refus").fill("La photo est illisible : scannez-la en couleur.")
    rachid.press("Refuser et prévenir la commune")
    marc.visit("/certificats/")
    assert marc.sees("La photo est illisible")
    bring(marc, PIECES[0], "Remplacer")

    rachid.visit(dossier)
    accept_pieces(rachid)
    return dossier


@pytest.fixture(scope="module")
def code(rachid: Visitor, checked: str) -> str:
    """The revocation code Marc is given with his certificate."""
    page = rachid.page
    rachid.visit(checked)
    meet_and_issue(rachid, "Marc Fournier")
    rachid.follow("Enregistrer la remise")
    page.get_by_label("La personne a lu").check()
    page.get_by_label("La personne et moi avons signé").check()
    rachid.press("Remettre le certificat")
    assert rachid.sees("Il ne sera plus affiché")
    given = page.locator("strong code").inner_text()
    rachid.follow("C’est fait, continuer")
    return given


@pytest.fixture(scope="module")
def pem(marc: Visitor, code: str) -> str:
    """Marc's public certificate, which his browser presents from now on."""
    marc.visit("/certificats/")
    found = marc.page.get_by_role("link", name="Certificat", exact=True)
    return marc.fetch(found).decode()


def at_the_door(stranger: Welcome, pem: str) -> Visitor:
    """Somebody with Marc's certificate and password, seen through the gateway."""
    headers = {
        "X-Socle-Gateway": GATEWAY,
        "Ssl-Client-Verify": "SUCCESS",
        "Ssl-Client-Cert": quote(pem),
    }
    door = stranger("melle", "Marc", extra_http_headers=headers)
    door.visit("/")
    door.page.get_by_label("Adresse électronique").fill(email_of("Marc"))
    door.page.get_by_label("Mot de passe").fill(PASSWORD)
    door.press("Continuer")
    door.press("Entrer avec mon certificat")
    return door


def test_a_certificate_from_a_refused_piece_to_its_revocation(
    stranger: Welcome, rachid: Visitor, marc: Visitor, code: str, pem: str
) -> None:
    door = at_the_door(stranger, pem)
    assert door.path == "/"
    door.visit("/certificats/diagnostic/?presente=1")
    assert door.sees("Il est enregistré à votre nom.")

    anywhere = stranger("melle", "quelqu-un")
    anywhere.visit("/connexion/")
    anywhere.follow("Certificat perdu ou volé")
    anywhere.page.get_by_label("Adresse électronique").fill(email_of("Marc"))
    anywhere.page.get_by_label("Code de révocation").fill(code)
    anywhere.page.get_by_label("Support perdu ou volé").check()
    anywhere.press("Révoquer définitivement")
    assert anywhere.sees("Votre certificat est révoqué")

    refused = at_the_door(stranger, pem)
    assert refused.path == "/connexion/code/"
    assert refused.sees("Ce certificat est révoqué")
    rachid.visit("/certificats/revocations/?vue=en-cours")
    rachid.follow("Marc Fournier")
    assert rachid.sees("code de révocation")


def test_the_screens_of_the_counter_stand_the_look(rachid: Visitor, code: str) -> None:
    for path in (
        "revocations/",
        "revocations/support/",
        "elections/",
        "surveillance/",
        "surveillance/?vue=alertes",
        "surveillance/?vue=liaisons",
        "surveillance/?vue=autorites",
        "surveillance/?vue=confiance",
        "surveillance/ajouter/",
        "registre/",
        "chiffres/",
    ):
        rachid.visit(f"/certificats/{path}")


def test_the_screens_of_the_commune_stand_the_look(marc: Visitor, code: str) -> None:
    for path in (
        "/certificats/diagnostic/",
        "/certificats/suivis/",
        "/certificats/suivis/ajouter/",
        "/certificats/commune/",
        "/revoquer/sans-code/",
        "/confirmation/",
    ):
        marc.visit(path)
