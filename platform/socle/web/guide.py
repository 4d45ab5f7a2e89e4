"""Sample data of the living style guide: every component, in every state it can take."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

from django import forms
from django.core.paginator import Paginator

from socle.web.formats import PARIS
from socle.web.forms import MEGA, DateInput, FileField, FilesField
from socle.web.icons import ICONS
from socle.web.items import Event, Figure, Link, Step, Todo

NOON: Final = datetime(2026, 11, 24, 14, 5, tzinfo=PARIS)
DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
NATURES: Final = [("DE", "Délibération"), ("AR", "Arrêté réglementaire"), ("CC", "Contrat")]


class SampleForm(forms.Form):
    """A deposit form with one field of each kind."""

    subject = forms.CharField(label="Objet de l'acte", help_text="Tel qu'il figure sur l'acte.")
    nature = forms.ChoiceField(label="Nature", choices=[("", "Choisissez"), *NATURES])
    decided_on = forms.DateField(label="Date de la décision", widget=DateInput)
    route = forms.ChoiceField(
        label="Signature",
        choices=[("paper", "Signé sur papier, scanné"), ("electronic", "Signé électroniquement")],
        widget=forms.RadioSelect,
        help_text="Les deux voies ont la même valeur.",
    )
    recipients = forms.MultipleChoiceField(
        label="Prévenir",
        choices=[("mayor", "Le maire"), ("secretary", "La secrétaire")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    act = FileField(label="Acte", accept=[".pdf"], max_bytes=150 * MEGA)
    annexes = FilesField(
        label="Annexes", accept=[".pdf", ".jpg", ".png"], max_bytes=20 * MEGA, required=False
    )
    remark = forms.CharField(label="Remarque", widget=forms.Textarea, required=False)
    public = forms.BooleanField(label="Publier sur le site de la commune", required=False)


class SampleFilters(forms.Form):
    """Filters above a list: every field is optional."""

    q = forms.CharField(label="Objet ou numéro", required=False)
    nature = forms.ChoiceField(label="Nature", choices=[("", "Toutes"), *NATURES], required=False)
    since = forms.DateField(label="Depuis le", widget=DateInput, required=False)


def acts() -> list[SimpleNamespace]:
    """Rows of the sample table, one for each tone of badge."""
    told = [
        ("2026-041", "Adoption du règlement du cimetière", "Brouillon", "neutral", 1),
        ("2026-040", "Tarifs de la cantine scolaire 2027", "Transmis", "progress", 2),
        ("2026-039", "Décision modificative n° 2 du budget principal", "Acquitté", "success", 4),
        ("2026-038", "Convention avec le SDIS", "Sans réponse depuis 48 h", "warning", 1),
        ("2026-037", "Arrêté de circulation, rue du Puits", "Anomalie 601", "danger", 1),
    ]
    names = ("number", "subject", "state", "tone", "files")
    return [
        SimpleNamespace(**dict(zip(names, row, strict=True)), at=NOON - timedelta(hours=7 * rank))
        for rank, row in enumerate(told)
    ]


def todos() -> list[Todo]:
    """A home page with something urgent, something soon and something quiet."""
    return [
        Todo(
            count=1,
            sentence="acte refusé par la préfecture",
            detail="Arrêté de circulation : la date de décision manque.",
            url="#listes",
            button="Corriger",
            tone="danger",
        ),
        Todo(
            count=2,
            sentence="certificats expirent avant le 31 janvier",
            detail="Bernard Guérin et Nathalie Brun",
            url="#listes",
            button="Renouveler",
            tone="warning",
        ),
        Todo(count=12, sentence="réponses à lire", url="#listes", button="Lire"),
    ]


def steps() -> list[Step]:
    """An onboarding case in the middle of its path."""
    return [
        Step(label="Délibération du conseil", state="done", owner="Commune", at=NOON),
        Step(
            label="Convention avec la préfecture",
            state="current",
            owner="Préfecture des Deux-Sèvres",
            detail="Envoyée il y a 6 jours",
            url="#listes",
        ),
        Step(
            label="Certificat du maire",
            state="blocked",
            owner="Commune",
            detail="Il manque la copie de la pièce d'identité",
        ),
        Step(label="Premier acte transmis", state="later", owner="Secrétaire de mairie"),
    ]


def events() -> list[Event]:
    """The history of one act."""
    return [
        Event(
            at=NOON + timedelta(minutes=6),
            label="Accusé de réception",
            who="Préfecture des Deux-Sèvres",
            detail="Exécutoire. Identifiant 079-217901735-20261124-2026_039-DE",
            tone="success",
        ),
        Event(at=NOON, label="Transmis à la préfecture", who="Nathalie Brun", tone="progress"),
        Event(at=NOON - timedelta(days=1), label="Déposé", who="Nathalie Brun", url="#listes"),
    ]


def figures() -> list[Figure]:
    """Four key figures of an annual report."""
    return [
        Figure(
            value="62 %", label="Communes qui transmettent", detail="Objectif : 70 %. Au 24/11."
        ),
        Figure(value="6 min", label="Délai médian d'acquittement", detail="Sur 12 mois glissants."),
        Figure(value="3", label="Communes à un seul transmetteur", url="#listes"),
        Figure(value="14", label="Certificats à renouveler", detail="Échéance sous 90 jours."),
    ]


def context() -> dict[str, Any]:
    """Return everything `web/guide.html` shows."""
    return {
        "acts": acts(),
        "page": Paginator(range(95), 20).page(2),
        "todos": todos(),
        "steps": steps(),
        "events": events(),
        "figures": figures(),
        "tabs": [
            Link(label="En cours", url="#listes", current=True, count=4),
            Link(label="Acquittés", url="#listes", count=1240),
            Link(label="Tous", url="#listes"),
        ],
        "sent": [("Melle", 62), ("Celles-sur-Belle", 48), ("Brioux-sur-Boutonne", 21)],
        "digest": DIGEST,
        "form": SampleForm(data={"subject": "", "nature": "DE", "route": "paper"}),
        "filters_form": SampleFilters(auto_id="filter_%s"),
        "icons": list(ICONS),
        "noon": NOON,
    }
