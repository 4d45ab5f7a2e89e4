"""A signed délibération, from its deposit to the page that stands for its stamp, in a browser.

Every page is checked by axe and at 360 px.
"""

from datetime import datetime

import pytest

from socle.core.clock import PARIS
from tests.documents import pdfs, signed_pdfs
from tests.documents.signed_pdfs import mayor, root, signed_by, supplier
from tests.e2e.conftest import Welcome
from tests.e2e.stack import Stack
from tests.e2e.visitor import Visitor, file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e")]

NUMBER = "2026_904"
READY = """
from datetime import date, datetime, UTC
from registration_authority.watch.models import TrustedAuthority
from socle.directory.models import Organisation, TransmissionRight
TransmissionRight.objects.update_or_create(
    organisation=Organisation.objects.get(insee="79148"), protocol="actes",
    defaults={{"operator": "exercice", "natures": list("123456"), "starts_on": date(2020, 1, 1),
              "reference": "Convention du 1er janvier 2020"}})
TrustedAuthority.objects.update_or_create(fingerprint="e" * 64, defaults={{
    "provider": "Essai", "name": "AC d’essai", "pem": {pem!r}, "subject": "CN=essai",
    "not_after": datetime(2030, 1, 1, tzinfo=UTC), "status": "granted", "list_number": 1,
    "seen_at": datetime(2026, 1, 1, tzinfo=UTC)}})
"""


@pytest.fixture(scope="module")
def claire(stack: Stack, come_in: Welcome) -> Visitor:
    """The secretary of Melle, in Lezay; the platform recognises the authority of the mayor."""
    done = stack.manage("shell", "-c", READY.format(pem=root().pem))
    assert done.returncode == 0, done.stderr
    return come_in("Claire", "lezay")


def offer(claire: Visitor, name: str, content: bytes, *, annexe: bytes | None = None) -> None:
    """Fill in the form of a deposit and go on."""
    page = claire.page
    claire.visit("/actes/deposer/")
    page.get_by_label("Nature de l’acte").select_option(label="Délibérations")
    page.get_by_label("Numéro de l’acte").fill(NUMBER)
    page.get_by_label("Date de la décision").fill(datetime.now(PARIS).date().isoformat())
    page.get_by_label("Objet").fill("Tarifs de la cantine")
    page.get_by_label("Matière").select_option("7.10")
    page.locator("#id_main").set_input_files([file(name, content)])
    if annexe is not None:
        page.locator("#id_annexe_1").set_input_files([file("devis.pdf", annexe)])
    claire.press("Vérifier avant l’envoi")


def test_an_altered_file_is_refused_by_its_name(claire: Visitor) -> None:
    offer(claire, "Courrier.pdf", signed_pdfs.rewritten_content(signed_by(mayor())))

    assert claire.sees("Le fichier « Courrier.pdf » a été modifié après avoir été signé par Marie")
    claire.follow("Supprimer")
    claire.press("Supprimer le brouillon")


def test_an_unknown_signer_is_said_beside_the_file(claire: Visitor) -> None:
    offer(claire, "délib.pdf", signed_by(mayor()), annexe=signed_by(supplier()))

    assert claire.sees("Le fichier « devis.pdf » est signé par Jean Martin")
    assert claire.sees("Autorité non reconnue")
    claire.follow("Supprimer")
    claire.press("Supprimer le brouillon")


def test_a_signed_act_leaves_and_gets_its_stamp_beside(claire: Visitor) -> None:
    page = claire.page
    offer(claire, "délib.pdf", signed_by(mayor()))
    assert claire.sees("Signé par Marie Dupont (Commune de Melle)")
    assert claire.sees("Certificat reconnu")

    claire.press("Transmettre à la préfecture")
    claire.reload_until(page.get_by_role("link", name="Bordereau d’acquittement").count)

    assert claire.sees("Signé par Marie Dupont (Commune de Melle)")
    sheet = claire.fetch(page.get_by_role("link", name="délib (feuille de tampon).pdf"))
    assert "Feuille de tampon" in pdfs.words(sheet)
    assert "Marie Dupont" in pdfs.words(sheet)
