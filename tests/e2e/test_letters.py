"""From the deposit to the préfecture's word on our answer, then to the archive, in a browser.

Every page is checked by axe and at 360 px; the answer is prepared with the keyboard alone.
"""

import io
import re
import zipfile
from datetime import datetime

import pytest
from playwright.sync_api import expect

from socle.core.clock import PARIS
from tests.e2e.conftest import Welcome
from tests.e2e.papers import pdf
from tests.e2e.stack import Stack
from tests.e2e.visitor import Visitor, file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e")]

NUMBER = "2026_903"
PLACE = "lezay"
CONNECTED = """
from datetime import date
from socle.directory.models import Organisation, TransmissionRight
TransmissionRight.objects.update_or_create(
    organisation=Organisation.objects.get(insee="79148"), protocol="actes",
    defaults={"operator": "exercice", "natures": list("123456"), "starts_on": date(2020, 1, 1),
              "reference": "Convention du 1er janvier 2020"})
"""


@pytest.fixture(scope="module")
def claire(stack: Stack, come_in: Welcome) -> Visitor:
    """The secretary of Melle, in Lezay where she works too and whose convention is signed."""
    done = stack.manage("shell", "-c", CONNECTED)
    assert done.returncode == 0, done.stderr
    return come_in("Claire", PLACE)


@pytest.fixture(scope="module")
def acknowledged(claire: Visitor) -> Visitor:
    """Claire on the page of an act the préfecture has acknowledged and asks pieces about."""
    page = claire.page
    claire.visit("/actes/deposer/")
    page.get_by_label("Nature de l’acte").select_option(label="Délibérations")
    page.get_by_label("Numéro de l’acte").fill(NUMBER)
    page.get_by_label("Date de la décision").fill(datetime.now(PARIS).date().isoformat())
    page.get_by_label("Objet").fill("Révision du zonage [pièces]")
    page.get_by_label("Matière").select_option("7.10")
    page.locator("#id_main").set_input_files([file("zonage.pdf", pdf("Zonage"))])
    claire.press("Vérifier avant l’envoi")
    claire.press("Transmettre à la préfecture")
    claire.reload_until(page.get_by_role("link", name="Bordereau d’acquittement").count)
    return claire


@pytest.fixture(scope="module")
def answered(acknowledged: Visitor) -> Visitor:
    """Claire on the page of the letter, once the préfecture has her answer."""
    claire, page = acknowledged, acknowledged.page
    letter = page.get_by_role("link", name=re.compile("Demande de pièces complémentaires du"))
    claire.reload_until(letter.count)
    claire.follow(re.compile("Demande de pièces complémentaires du"))
    claire.press("J’ai lu ce courrier")
    claire.follow("Envoyer les pièces")
    page.get_by_label(re.compile("^Fichier|^Pièce|^Document")).first.set_input_files(
        [file("plan.pdf", pdf("Plan annexé"))]
    )
    _press_with_the_keyboard(claire, re.compile("Préparer"))
    claire.press("Transmettre à la préfecture")
    claire.reload_until(page.get_by_text("La préfecture a votre réponse").count)
    return claire


def _press_with_the_keyboard(visitor: Visitor, name: re.Pattern[str]) -> None:
    """Reach a button by Tab from the field before it, and press Enter."""
    button = visitor.page.get_by_role("button", name=name).first
    for _ in range(60):
        if button.evaluate("button => button === document.activeElement"):
            break
        visitor.page.keyboard.press("Tab")
    expect(button).to_be_focused()
    with visitor.page.expect_navigation(wait_until="load"):
        visitor.page.keyboard.press("Enter")
    visitor.look()


def test_the_letter_is_read_answered_and_the_answer_acknowledged(answered: Visitor) -> None:
    assert answered.sees(re.compile("reçu en préfecture le"))
    assert answered.sees(re.compile("jours? restants?|dernier jour"))


def test_the_history_of_the_act_tells_the_whole_way(answered: Visitor) -> None:
    answered.follow(NUMBER)
    for words in (
        "transmis, dans l’archive",
        "reçu en préfecture le",
        "Arrivé de la préfecture",
        "réponse transmise",
    ):
        assert answered.sees(re.compile(words)), words


def test_nothing_is_left_on_the_desk(answered: Visitor) -> None:
    answered.visit("/actes/en-attente/")
    assert not answered.page.get_by_text(NUMBER).count()


def test_the_act_goes_to_the_register_and_is_read_by_a_stranger(
    answered: Visitor, stranger: Welcome
) -> None:
    answered.visit("/actes/")
    answered.follow("Révision du zonage [pièces]")
    answered.follow("Publier au registre")
    answered.page.get_by_label("Prénom et nom de l’auteur").fill("Sylvie Exemple")
    answered.page.get_by_label("Qualité de l’auteur").fill("maire")
    answered.press("Publier")
    reader = stranger(PLACE, "lectrice")
    reader.visit("/actes/registre/")
    reader.follow("Révision du zonage [pièces]")
    assert reader.sees("Sylvie Exemple, maire")
    reader.follow(re.compile("registre.acte"))
    assert reader.sees("Adresse permanente")


def test_the_acts_are_taken_away_in_one_pdf(answered: Visitor) -> None:
    answered.visit("/actes/")
    answered.press("En un seul PDF")
    link = answered.page.get_by_role("link", name=re.compile(r"actes-.*\.pdf"))
    answered.reload_until(lambda: answered.sees("L’export est prêt"))
    assert answered.fetch(link.first).startswith(b"%PDF-")


def test_the_act_goes_to_the_archive(answered: Visitor) -> None:
    page = answered.page
    answered.visit("/actes/")
    answered.follow("Révision du zonage [pièces]")
    answered.follow("Verser au service d’archives")
    page.get_by_label("Identifiant du service d’archives").fill("SAE-79")
    page.get_by_label("Accord de versement").fill("ACTES-2026")
    answered.press("Préparer le paquet")
    package = page.get_by_role("link", name="Télécharger le paquet")
    answered.reload_until(package.count)
    content = zipfile.ZipFile(io.BytesIO(answered.fetch(package)))
    assert "manifest.xml" in content.namelist()
    identifier = page.get_by_role("heading", level=1).inner_text().removeprefix("Versement ")
    reply = (
        '<ArchiveTransferReply xmlns="fr:gouv:culture:archivesdefrance:seda:v2.1">'
        "<Date>2026-11-26T08:00:00Z</Date><MessageIdentifier>ATR</MessageIdentifier>"
        f"<ReplyCode>OK</ReplyCode><MessageRequestIdentifier>{identifier.strip()}"
        "</MessageRequestIdentifier></ArchiveTransferReply>"
    )
    answered.visit("/actes/archives/")
    page.get_by_label(re.compile("Réponse du service d’archives")).set_input_files(
        [file("atr.xml", reply.encode(), "application/xml")]
    )
    answered.press("Enregistrer la réponse")
    assert answered.sees("Les actes sont archivés")
