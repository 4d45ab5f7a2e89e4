"""Which screens there are to photograph, without a browser."""

import pytest

from socle.accounts.capabilities import Access, Capability
from tenants.photographs import Address, Walker, addresses, neighbour


def test_addresses_come_from_the_table_with_their_capability() -> None:
    found = {one.name: one for one in addresses("socle.config.urls_public")}
    assert found["directory:members"].route == "/annuaire/"
    assert found["directory:members"].capability is Capability.DIRECTORY_READ
    assert found["directory:edit"].takes_arguments
    assert not found["directory:members"].takes_arguments


def test_an_address_that_is_only_posted_to_is_no_screen() -> None:
    assert "accounts:logout" not in {one.name for one in addresses("socle.config.urls_public")}


@pytest.mark.parametrize(
    ("capability", "seen_by_her", "seen_by_anybody"),
    [
        (Access.ANYONE, False, True),
        (Access.LOGGED_IN, True, False),
        (Capability.ACTS_READ, True, False),
        (Capability.ACTS_TRANSMIT, False, False),
    ],
)
def test_each_screen_is_taken_for_those_it_opens_to(
    capability: Capability | Access, seen_by_her: bool, seen_by_anybody: bool
) -> None:
    address = Address("a", "/a/", capability)
    held = frozenset({Capability.ACTS_READ})
    her = Walker("Claire", "claire@melle.test", "http://melle.localhost", "", held)
    anybody = Walker("Sans compte", "", "http://localhost", "", frozenset())
    assert her.may_see(address) is seen_by_her
    assert anybody.may_see(address) is seen_by_anybody


def test_a_form_is_found_beside_a_known_page_of_the_same_thing() -> None:
    form = Address("date", "/cas/<int:pk>/etapes/<str:code>/date/", Access.LOGGED_IN)
    assert neighbour(form, ["/cas/", "/cas/12/", "/cas/12/etapes/A5/"]) == "/cas/12/etapes/A5/date/"
    assert neighbour(form, ["/cas/12/", "/cas/douze/etapes/A5/"]) == ""
