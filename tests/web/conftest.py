"""Rendering without a database: the components know no model."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest
from django.template import engines
from django.test import RequestFactory, override_settings
from lxml import html

from socle.web.items import Link

Render = Callable[..., html.HtmlElement]


@pytest.fixture(autouse=True)
def _own_addresses() -> Any:
    with override_settings(ROOT_URLCONF="tests.web.urls"):
        yield


@pytest.fixture
def anonymous() -> HttpRequest:
    """A request as it comes in, carrying nothing of ours."""
    return RequestFactory().get("/actes/?q=cantine&page=2")


@pytest.fixture
def request_of_nathalie(anonymous: HttpRequest) -> HttpRequest:
    """A secretary of three communes, in the middle of the acts of one of them."""
    carried = {
        "user": SimpleNamespace(is_authenticated=True, get_full_name=lambda: "Nathalie Brun"),
        "places": [
            Link(label="Commune de Melle", url="//melle.test/", current=True),
            Link(label="Commune de Celles-sur-Belle", url="//celles.test/"),
            Link(label="Commune de Lezay", url="//lezay.test/"),
        ],
        "navigation": [
            Link(label="Accueil", url="/"),
            Link(label="Actes", url="/actes/", current=True, count=3),
        ],
        "demo": False,
    }
    for name, value in carried.items():
        setattr(anonymous, name, value)
    return anonymous


@pytest.fixture
def render() -> Render:
    """Render template source to a tree: `render(source, request=None, **context)`."""

    def rendered(source: str, request: HttpRequest | None = None, **context: Any) -> Any:
        text = engines["django"].from_string(source).render(context, request)
        return html.fromstring(f"<div>{text}</div>" if "<html" not in text else text)

    return rendered
