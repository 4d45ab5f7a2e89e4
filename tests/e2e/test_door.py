"""Coming in, and what holds for every page."""

import pytest
from playwright.sync_api import Page, Request

from tenants.demo import PASSWORD, email_of
from tests.e2e.conftest import Welcome
from tests.e2e.visitor import NARROW

# In one worker, so that the stack starts once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e")]

PEOPLE = {
    "Odile": "",
    "Rachid": "",
    "Thomas": "",
    "Béatrice": "",
    "Aude": "",
    "Claire": "melle",
    "Sylvie": "melle",
}


def test_the_first_page_weighs_less_than_200_kilobytes(stranger: Welcome) -> None:
    visitor = stranger()
    sizes: list[int] = []
    visitor.page.on("requestfinished", lambda request: sizes.append(_weight(request)))
    visitor.visit("/connexion/")
    assert visitor.sees("Continuer")
    assert 0 < sum(sizes) < 200_000


def _weight(request: Request) -> int:
    sizes = request.sizes()
    return int(sizes["responseBodySize"] + sizes["responseHeadersSize"])


def test_one_comes_in_with_the_keyboard_alone(stranger: Welcome) -> None:
    visitor = stranger("melle", "Marc")
    page = visitor.page
    visitor.visit("/")
    _tab_to(page, "Adresse électronique")
    page.keyboard.type(email_of("Marc"))
    _tab_to(page, "Mot de passe")
    page.keyboard.type(PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    visitor.look()
    code = page.locator("#demo-code").inner_text()
    _tab_to(page, "Code")
    page.keyboard.type(code)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    visitor.look()
    assert "Bonjour Marc" in page.locator("h1").inner_text()


def _tab_to(page: Page, label: str) -> None:
    """Press Tab until the field has the focus, ten times at most."""
    field = page.get_by_label(label)
    for _ in range(10):
        if field.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"« {label} » is not reached with the Tab key")


@pytest.mark.parametrize("name", PEOPLE)
def test_no_door_needs_sliding_on_a_telephone(name: str, come_in: Welcome) -> None:
    visitor = come_in(name, PEOPLE[name], viewport=NARROW)
    visitor.visit("/")
    doors = visitor.page.locator("#navigation a").evaluate_all(
        "links => links.map(link => link.pathname)"
    )
    assert doors
    for door in ["/compte/", *doors]:
        visitor.visit(door)


def test_the_menu_of_a_telephone_opens(come_in: Welcome) -> None:
    visitor = come_in("Claire", "melle", viewport=NARROW)
    visitor.visit("/")
    visitor.page.get_by_role("button", name="Menu").click()
    visitor.follow("Actes")
    assert visitor.path == "/actes/"
