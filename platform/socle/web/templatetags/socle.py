"""The components of every screen. `docs/components.md` shows how they are used together."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import uuid4

from django import template
from django.core.paginator import Page
from django.forms import BaseForm, BoundField, CheckboxInput
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from socle.web import charts, formats, tables
from socle.web import shell as page_shell
from socle.web.icons import ICONS

register = template.Library()
Choice = TypeVar("Choice")

TONES: Final[Mapping[str, str]] = {
    "neutral": "dot",
    "progress": "clock",
    "success": "check",
    "warning": "alert",
    "danger": "error",
}
NOTICES: Final[Mapping[str, str]] = {
    "info": "info",
    "success": "check",
    "warning": "alert",
    "danger": "error",
}
STEPS: Final[Mapping[str, tuple[str, str]]] = {
    "done": ("check", "Fait"),
    "current": ("clock", "En cours"),
    "blocked": ("pause", "Bloqué"),
    "later": ("dot", "Plus tard"),
}


def known(choices: Mapping[str, Choice], name: str) -> Choice:
    """Return the choice called `name`; an unknown one is a fault in the template."""
    if name not in choices:
        raise template.TemplateSyntaxError(f"{name!r} is none of {', '.join(choices)}")
    return choices[name]


# Formats


@register.filter
def euros(amount: Decimal | int | float | None) -> str:
    """`{{ invoice.total|euros }}`: an amount in euros. Nothing for None."""
    return "" if amount is None else formats.euros(amount)


@register.filter
def nombre(value: Decimal | int | float | None, decimals: int = 0) -> str:
    """`{{ rate|nombre:1 }}`: a number the French way. Nothing for None."""
    return "" if value is None else formats.number(value, decimals)


@register.filter
def siren(digits: str | None) -> str:
    """`{{ commune.siren|siren }}`: a SIREN or SIRET grouped by threes. Nothing for None."""
    return "" if digits is None else formats.identifier(digits)


@register.filter
def octets(size: int | None) -> str:
    """`{{ file.size|octets }}`: a size given in bytes. Nothing for None."""
    return "" if size is None else formats.size(size)


@register.filter
def jour(when: date | None) -> str:
    """`{{ session.date|jour }}`: a day in full. Nothing for None."""
    return "" if when is None else formats.day(when)


@register.filter
def instant(at: datetime | None) -> str:
    """`{{ act.sent_at|instant }}`: an aware instant on the clock of Paris. Nothing for None."""
    return "" if at is None else formats.instant(at)


@register.filter
def compte(quantity: int, nouns: str) -> str:
    """`{{ total|compte:"acte,actes" }}`; a third noun, if any, is the phrase for zero."""
    return formats.count(quantity, *nouns.split(","))


@register.filter
def initiales(name: str) -> str:
    """`{{ person|initiales }}`: one or two capitals."""
    return page_shell.initials(str(name))


# Small pieces


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw an icon. Without `label` it is decoration and screen readers skip it."""
    drawing = mark_safe(known(ICONS, name))  # noqa: S308 - constant of socle.web.icons
    start = '<svg class="icon" viewBox="0 0 24 24" width="24" height="24" focusable="false"'
    if not label:
        return format_html(start + ' aria-hidden="true">{}</svg>', drawing)
    return format_html(start + ' role="img" aria-label="{}">{}</svg>', label, drawing)


@register.simple_tag
def badge(text: Any, tone: str = "neutral") -> SafeString:
    """Show a state: the words say it, the icon and colour repeat it."""
    return format_html(
        '<span class="badge badge-{}">{}{}</span>', tone, icon(known(TONES, tone)), text
    )


@register.simple_tag
def blason(label: str) -> SafeString:
    """Draw the two-letter coat of arms of an organisation, always in the same colour."""
    return format_html(
        '<span class="blason tint-{}" aria-hidden="true">{}</span>',
        page_shell.tint(label),
        page_shell.initials(label),
    )


@register.simple_tag(takes_context=True)
def shell(context: Context) -> page_shell.Shell:
    """Give `page.html` what it shows around the screen."""
    return page_shell.gather(context.get("request"))


@register.inclusion_tag("web/components/breadcrumb.html")
def breadcrumb(*parts: str) -> dict[str, Any]:
    """`{% breadcrumb "Actes" list_url "Délibération 12" %}`: label, url, label, url… last label."""
    steps = [(parts[i], parts[i + 1]) for i in range(0, len(parts) - 1, 2)]
    return {"steps": steps, "here": parts[-1] if len(parts) % 2 else ""}


@register.inclusion_tag("web/components/progress.html")
def progress(value: int, maximum: int, text: str) -> dict[str, Any]:
    """Show how far something is: `text` says it in words (« 12 pièces sur 15 »)."""
    return {"value": value, "maximum": maximum, "text": text}


@register.inclusion_tag("web/components/file.html")
def file_row(
    name: str, size: int, url: str = "", digest: str = "", detail: str = ""
) -> dict[str, Any]:
    """Show one file; put several of them in `<ul class="files">`. `digest` is hexadecimal."""
    return {"name": name, "size": size, "url": url, "digest": digest, "detail": detail}


# Blocks


@register.simple_block_tag
def card(content: str, title: str = "", level: int = 2, tone: str = "") -> SafeString:
    """`{% card "Pièces" %}…{% endcard %}`: a titled sheet of paper."""
    return _component("card", content, title=title, level=level, tone=tone)


@register.simple_block_tag
def notice(content: str, kind: str = "info", title: str = "") -> SafeString:
    """`{% notice "warning" "Certificat bientôt périmé" %}…{% endnotice %}`."""
    return _component("notice", content, kind=kind, title=title, icon=known(NOTICES, kind))


@register.simple_block_tag
def nothing(content: str, sentence: str, icon: str = "file") -> SafeString:
    """`{% nothing "Aucun acte déposé." %}<a class="button" …>{% endnothing %}`: an empty list."""
    return _component("nothing", content, sentence=sentence, icon=icon)


@register.simple_block_tag
def summary(content: str, title: str = "") -> SafeString:
    """`{% summary "Identité" %}{% row "SIREN" %}…{% endrow %}{% endsummary %}`."""
    return _component("summary", content, title=title)


@register.simple_block_tag
def row(content: str, label: str) -> SafeString:
    """One line of a `{% summary %}`; an empty value is shown as « non renseigné »."""
    value = content.strip() or '<span class="muted">non renseigné</span>'
    shown = mark_safe(value)  # noqa: S308 - rendered template
    return format_html("<div><dt>{}</dt><dd>{}</dd></div>", label, shown)


@register.simple_block_tag
def table(content: str, caption: str, *columns: str) -> SafeString:
    """`{% table "Actes" "Objet" "#Montant" %}<tr><td>…</td></tr>{% endtable %}`.

    Rows are plain `<tr>` with one `<td>` (or `<th scope="row">`) for each column; a column whose
    heading starts with `#` holds numbers.
    """
    headings = [tables.Column.read(written) for written in columns]
    rows = mark_safe(tables.label_rows(content, headings))  # noqa: S308 - rendered template
    return _component("table", rows, caption=caption, columns=headings)


@register.simple_block_tag(takes_context=True)
def confirm(
    context: Context,
    content: str,
    title: str,
    button: str,
    action: str = "",
    cancel: str = "",
    tone: str = "primary",
) -> SafeString:
    """Ask before an act of consequence; the panel names the organisation one acts for.

    `content` may hold form fields. `tone` is `primary` or `danger`.
    """
    return _component(
        "confirm",
        content,
        title=title,
        button=button,
        action=action,
        cancel=cancel,
        tone=tone,
        place=page_shell.gather(context.get("request")).place,
        csrf_token=context.get("csrf_token", ""),
    )


# Lists


@register.inclusion_tag("web/components/steps.html")
def steps(items: Iterable[Any]) -> dict[str, Any]:
    """Draw a path. Each item has `label`, `state` (done, current, blocked, later) and, optionally,
    `owner`, `detail`, `url`, `at`.
    """
    return {"steps": [(item, *known(STEPS, item.state)) for item in items]}


@register.inclusion_tag("web/components/timeline.html")
def timeline(events: Iterable[Any]) -> dict[str, Any]:
    """Tell a history, newest first as given. Each event has `at`, `label` and, optionally, `who`,
    `detail`, `tone`, `url`.
    """
    return {
        "events": [(event, known(TONES, getattr(event, "tone", "neutral"))) for event in events]
    }


@register.inclusion_tag("web/components/todo.html")
def todo(items: Iterable[Any]) -> dict[str, Any]:
    """List what is left to do. Each item has `count`, `sentence`, `url`, `button` and, optionally,
    `detail`, `tone`; those whose count is zero are left out.
    """
    return {"items": [item for item in items if item.count]}


@register.inclusion_tag("web/components/figures.html")
def figures(items: Iterable[Any]) -> dict[str, Any]:
    """Show key figures. Each item has `value`, `label` and, optionally, `detail`, `url`."""
    return {"items": list(items)}


@register.inclusion_tag("web/components/tabs.html")
def tabs(items: Iterable[Any], label: str = "Vues") -> dict[str, Any]:
    """Show views of the same thing as links. Each item has `label`, `url`, `current`, `count`."""
    return {"items": list(items), "label": label}


@register.inclusion_tag("web/components/chart.html")
def bar_chart(
    title: str,
    rows: Iterable[tuple[str, charts.Number]],
    unit: str = "",
    decimals: int = 0,
    maximum: charts.Number | None = None,
    target: charts.Number | None = None,
    label: str = "Libellé",
    value: str = "Valeur",
) -> dict[str, Any]:
    """Draw (label, value) pairs as bars, with the same figures in a table.

    `unit` is one word (« € ») or two, « dossier,dossiers », which agree with each number.
    `label` and `value` head the columns of that table.
    """
    chart = charts.draw(rows, unit=unit, decimals=decimals, maximum=maximum, target=target)
    goal = "" if target is None else charts.written(target, unit, decimals)
    heads = {"label": label, "value": value}
    return {"title": title, "chart": chart, "goal": goal, "key": _key()} | heads


@register.inclusion_tag("web/components/pagination.html", takes_context=True)
def pagination(context: Context, page: Page[Any], parameter: str = "page") -> dict[str, Any]:
    """Previous and next page, keeping the filters of the query string."""
    return {
        "page": page,
        "previous": _page_url(context, parameter, page.number - 1) if page.has_previous() else "",
        "next": _page_url(context, parameter, page.number + 1) if page.has_next() else "",
    }


# Forms


@register.inclusion_tag("web/components/post_form.html", takes_context=True)
def post_form(
    context: Context, form: BaseForm, button: str, cancel: str = "", action: str = ""
) -> dict[str, Any]:
    """Show a whole form: fields, CSRF token, file encoding when needed, buttons."""
    token = context.get("csrf_token", "")
    buttons = {"button": button, "cancel": cancel, "action": action}
    return {"form": form, "csrf_token": token} | buttons


@register.inclusion_tag("web/components/post_button.html", takes_context=True)
def post_button(
    context: Context, url: str, label: str, tone: str = "secondary", icon: str = ""
) -> dict[str, Any]:
    """Show an action without field as a button that posts."""
    token = context.get("csrf_token", "")
    return {"url": url, "label": label, "tone": tone, "icon": icon, "csrf_token": token}


@register.inclusion_tag("web/components/filters.html", takes_context=True)
def filters(context: Context, form: BaseForm) -> dict[str, Any]:
    """Show a GET form in one line above a list, with a link that clears it."""
    request = context.get("request")
    return {"form": form, "action": request.path if request else "", "used": form.is_bound}


@register.filter
def single_checkbox(field: BoundField) -> bool:
    """Say whether the field is one box to tick, whose label comes after."""
    return type(field.field.widget) is CheckboxInput


def _component(name: str, content: str, **parameters: Any) -> SafeString:
    inside = {"content": content, "key": _key()}
    return render_to_string(f"web/components/{name}.html", inside | parameters)


def _key() -> str:
    """Return an identifier for `id` attributes, unique in any page."""
    return f"k{uuid4().hex[:8]}"


def _page_url(context: Context, parameter: str, number: int) -> str:
    query = context["request"].GET.copy()
    query[parameter] = str(number)
    return f"?{query.urlencode()}"
