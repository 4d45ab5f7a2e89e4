"""Photographs of every screen of every person of the demonstration, wide and narrow.

What there is to see comes from the address tables; what takes an argument is found by following
the links of the pages, as a person would. Nothing is posted. The pages are those of the running
demonstration: after a tour there is more to see.
"""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve

from socle.accounts.capabilities import Access, Capability, capabilities_of
from socle.core.text import slug_host
from tenants import demo
from tenants.middleware import origin
from tenants.models import Tenant

if TYPE_CHECKING:  # a development dependency: imported by the command alone
    from playwright.sync_api import Browser, Page, Response

WIDE: Final = {"width": 1280, "height": 900}
NARROW: Final = {"width": 360, "height": 740}
EXAMPLES: Final = 2
"""How many pages of one address are taken for one person."""
LEAVING: Final = frozenset({"accounts:switch", "accounts:enter"})
"""Addresses that lead to another host with a single-use ticket."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Address:
    """One line of an address table that answers GET."""

    name: str
    route: str
    capability: Capability | Access

    @property
    def takes_arguments(self) -> bool:
        """Whether a link is needed to know a page of it."""
        return "<" in self.route


@dataclass(frozen=True, slots=True)
class Walker:
    """Somebody to follow: at one host, with what she may do there. Without e-mail: anybody."""

    name: str
    email: str
    origin: str
    urlconf: str
    capabilities: frozenset[Capability]

    def may_see(self, address: Address) -> bool:
        """Whether the address opens to her."""
        if address.capability is Access.ANYONE:
            return not self.email
        if address.capability is Access.LOGGED_IN:
            return bool(self.email)
        return address.capability in self.capabilities


@dataclass(frozen=True, slots=True)
class Picture:
    """One screen, taken twice."""

    walker: Walker
    address: str
    path: str
    title: str
    status: int
    wide: Path
    narrow: Path


@dataclass(slots=True)
class Album:
    """All that was taken, and what nobody could reach."""

    folder: Path
    pictures: list[Picture] = field(default_factory=list)
    unseen: list[tuple[Walker, Address]] = field(default_factory=list)

    @property
    def broken(self) -> list[Picture]:
        """The pages that answered with an error."""
        return [picture for picture in self.pictures if picture.status >= 400]


def addresses(urlconf: str) -> list[Address]:
    """What the table `urlconf` answers to GET, in its order."""
    return list(_addresses(get_resolver(urlconf).url_patterns, "", "/"))


def _addresses(patterns: list[Any], space: str, route: str) -> Iterator[Address]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _addresses(pattern.url_patterns, inner, here)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "view_class", None)
            if view is not None and hasattr(view, "get") and "get" in view.http_method_names:
                yield Address(f"{space}{pattern.name}", here, view.capability)


def walkers() -> list[Walker]:
    """Anybody, then each person of the demonstration at her first place."""
    anybody = Walker(
        "Sans compte", "", origin(settings.BASE_HOST), settings.PUBLIC_SCHEMA_URLCONF, frozenset()
    )
    return [anybody, *map(_walker, demo.CHARACTERS)]


def _walker(character: demo.Character) -> Walker:
    host, urlconf = settings.BASE_HOST, settings.PUBLIC_SCHEMA_URLCONF
    if character.places:
        tenant = Tenant.objects.get(organisation__insee=character.places[0])
        host, urlconf = tenant.get_primary_domain().domain, settings.ROOT_URLCONF
    return Walker(
        name=f"{character.first_name} {character.last_name}, {character.function}",
        email=character.email,
        origin=origin(host),
        urlconf=urlconf,
        capabilities=capabilities_of(character.roles),
    )


def take(browser: "Browser", who: list[Walker], folder: Path, say: Say) -> Album:
    """Follow each person and photograph what she sees; the pictures go into `folder`.

    Only the browser is used: the caller's thread may not reach the database meanwhile.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    album = Album(folder)
    for walker in who:
        context = browser.new_context(viewport=WIDE, locale="fr-FR", timezone_id="Europe/Paris")
        page = context.new_page()
        if walker.email:
            _come_in(page, walker)
        before = len(album.pictures)
        _follow(page, walker, album)
        context.close()
        say(f"{walker.name} : {len(album.pictures) - before} écrans")
    _write_index(album)
    return album


def _come_in(page: "Page", walker: Walker) -> None:
    page.goto(f"{walker.origin}/")
    page.get_by_label("Adresse électronique").fill(walker.email)
    page.get_by_label("Mot de passe").fill(demo.PASSWORD)
    page.get_by_role("button", name="Continuer").click()
    page.get_by_label("Code").fill(page.locator("#demo-code").inner_text())
    page.get_by_role("button", name="Entrer", exact=True).click()
    page.wait_for_url(f"{walker.origin}/")


def _follow(page: "Page", walker: Walker, album: Album) -> None:
    table = [one for one in addresses(walker.urlconf) if walker.may_see(one)]
    known = dict.fromkeys(one.route for one in table if not one.takes_arguments)
    met = Counter[str]()
    _walk(page, walker, album, deque(known), known, met)
    hidden = [one for one in table if one.takes_arguments and not met[one.name]]
    guessed = dict.fromkeys(filter(None, (neighbour(one, known) for one in hidden)))
    _walk(page, walker, album, deque(guessed), known, met, sure=False)
    album.unseen += [(walker, one) for one in table if not met[one.name] + (one.name in LEAVING)]


def _walk(
    page: "Page",
    walker: Walker,
    album: Album,
    waiting: deque[str],
    known: dict[str, None],
    met: Counter[str],
    *,
    sure: bool = True,
) -> None:
    """Visit what waits and what it leads to. `met` counts the pages and files of each address.

    Unless `sure`, an address that answers with an error is passed over.
    """
    while waiting:
        path = waiting.popleft()
        name = _name(path, walker)
        if name in LEAVING or met[name] >= EXAMPLES:
            continue
        answer = _open(page, walker.origin + path)
        if answer is None:
            met[name] += 1
            continue
        if urlsplit(page.url).path != path or (answer.status >= 400 and not sure):
            continue
        met[name] += 1
        album.pictures.append(_photograph(page, walker, name, answer.status, album))
        found = [link for link in _links(page) if link not in known]
        known.update(dict.fromkeys(found))
        waiting.extend(found)


def neighbour(address: Address, known: Iterable[str]) -> str:
    """A page of `address` about something whose other pages are known; "" when there is none.

    A form nobody is offered now, because its step is over, still shows what it asks.
    """
    head, _, tail = address.route.rpartition(">")
    argument = re.compile(r"<(\w+):\w+>?")
    shape = argument.sub(lambda kind: "[0-9]+" if kind[1] == "int" else "[^/<]+", head)
    found = next(filter(None, (re.match(f"{shape}(?=/)", path) for path in known)), None)
    return found[0] + tail if found else ""


def _name(path: str, walker: Walker) -> str:
    try:
        return resolve(path, walker.urlconf).view_name
    except Resolver404:
        return path


def _open(page: "Page", url: str) -> "Response | None":
    """Go to an address; None when it gives a file."""
    from playwright.sync_api import Error

    try:
        answer = page.goto(url)
    except Error as problem:
        if "Download is starting" in str(problem) or "ERR_ABORTED" in str(problem):
            return None
        raise
    is_page = answer is not None and answer.headers.get("content-type", "").startswith("text/html")
    return answer if is_page else None


def _photograph(page: "Page", walker: Walker, name: str, status: int, album: Album) -> Picture:
    """Take the page one is at twice, wide and narrow."""
    path, number = urlsplit(page.url).path, len(album.pictures) + 1
    slug = slug_host(f"{walker.name.partition(',')[0]} {path}")
    wide = album.folder / f"{number:03}-{slug}-1280.png"
    narrow = album.folder / f"{number:03}-{slug}-360.png"
    page.screenshot(path=wide, full_page=True)
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # a plain dict does
    page.screenshot(path=narrow, full_page=True)
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    return Picture(walker, name, path, page.title(), status, wide, narrow)


def _links(page: "Page") -> list[str]:
    """Paths of this host the page leads to, in the order of the page."""
    host = urlsplit(page.url).netloc
    found = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    parts = [urlsplit(link) for link in found]
    return list(dict.fromkeys(part.path for part in parts if part.netloc == host))


def _write_index(album: Album) -> None:
    by_walker: dict[Walker, list[Picture]] = {}
    for picture in album.pictures:
        by_walker.setdefault(picture.walker, []).append(picture)
    sections = [_section(walker, pictures) for walker, pictures in by_walker.items()]
    unseen = "".join(
        f"<li>{escape(walker.name)} : <code>{escape(one.route)}</code></li>"
        for walker, one in album.unseen
    )
    (album.folder / "index.html").write_text(
        _INDEX.format(sections="".join(sections), unseen=unseen or "<li>aucune</li>"),
        encoding="utf-8",
    )


def _section(walker: Walker, pictures: list[Picture]) -> str:
    return f"<h2>{escape(walker.name)}</h2><div>{''.join(map(_figure, pictures))}</div>"


def _figure(picture: Picture) -> str:
    wide, narrow = quote(picture.wide.name), quote(picture.narrow.name)
    title = escape(picture.title.split(" · ")[0])
    status = f" <b>{picture.status}</b>" if picture.status >= 400 else ""
    return (
        f'<figure><a href="{wide}"><img src="{wide}" loading="lazy" alt=""></a>'
        f'<a href="{narrow}"><img src="{narrow}" loading="lazy" alt=""></a>'
        f"<figcaption>{title}{status}<br><code>{escape(picture.path)}</code></figcaption></figure>"
    )


_INDEX: Final = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>Les écrans de Socle</title>
<style>
body {{ font: 16px/1.4 system-ui, sans-serif; margin: 2rem; background: #f4f4f2; color: #222; }}
div {{ display: flex; flex-wrap: wrap; gap: 1.5rem; }}
figure {{ margin: 0; }}
img {{ height: 260px; width: auto; max-width: 400px; object-fit: cover; object-position: top;
  border: 1px solid #bbb; background: white; vertical-align: top; margin-right: .4rem; }}
figcaption {{ max-width: 30rem; }}
b {{ color: #b00; }}
</style></head><body><h1>Les écrans de Socle</h1>
{sections}<h2>Adresses dont aucune page n’a été trouvée</h2><ul>{unseen}</ul></body></html>
"""
