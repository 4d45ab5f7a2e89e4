"""What the pages show of a case: words, tones and the next button, no rule."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.urls import reverse
from django_tenants.utils import get_public_schema_name, schema_context

from socle.documents.models import StoredFile
from socle.web.formats import count
from socle.web.items import Event
from socle.web.items import Step as StepItem
from tenants.onboarding import queries
from tenants.onboarding.models import (
    CaseState,
    ConventionState,
    OnboardingCase,
    StepRecord,
    StepState,
)
from tenants.onboarding.papers import sheets
from tenants.onboarding.steps import BY_CODE, OWNER_LABELS, TRACK_LABELS, Owner, Track

TONES: Final[dict[str, str]] = {
    CaseState.DRAFT: "neutral",
    CaseState.IN_PROGRESS: "progress",
    CaseState.AWAITING_SIGNATURE: "warning",
    CaseState.AWAITING_STATE: "progress",
    CaseState.READY: "success",
    CaseState.LIVE: "success",
    CaseState.SUSPENDED: "danger",
    CaseState.CLOSED: "neutral",
}
_STEP_STATES: Final = {
    StepState.TODO: "later",
    StepState.CURRENT: "current",
    StepState.BLOCKED: "blocked",
    StepState.DONE: "done",
    StepState.SKIPPED: "later",
}


@dataclass(frozen=True, slots=True)
class Space:
    """Which of the two houses a page belongs to, and how it links inside it."""

    portal: bool
    case_id: int

    def url(self, name: str, *arguments: str) -> str:
        """The address of a page about the case."""
        if self.portal:
            return reverse(f"onboarding:{name}", args=[self.case_id, *arguments])
        return reverse(f"onboarding_commune:{name}", args=list(arguments))

    @property
    def owner(self) -> Owner:
        """On whose side one is."""
        return Owner.SYNDICAT if self.portal else Owner.COMMUNE


@dataclass(frozen=True, slots=True)
class Action:
    """A button: a page to fill in, or a post without fields."""

    label: str
    url: str
    post: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One open step as a card: what is missing, and the button that goes on."""

    code: str
    label: str
    sentence: str
    owner: str
    due_on: date | None
    late: bool
    blocked: bool
    url: str
    action: Action | None


def tracks(case: OnboardingCase, space: Space) -> list[tuple[str, list[StepItem]]]:
    """The tracks with their steps, tracks without object left out."""
    found = ((TRACK_LABELS[track], _items(case, track, space)) for track in Track)
    return [(label, items) for label, items in found if items]


def _items(case: OnboardingCase, track: Track, space: Space) -> list[StepItem]:
    return [_item(one, space) for one in queries.steps_of(case, track)]


def _item(record: StepRecord, space: Space) -> StepItem:
    done = record.state == StepState.DONE
    return StepItem(
        label=str(record),
        state=_STEP_STATES[StepState(record.state)],  # type: ignore[arg-type]
        owner=record.owner,
        detail=_detail(record),
        url=space.url("step", record.code),
        at=record.done_at if done else None,
    )


def _detail(record: StepRecord) -> str:
    if record.set_aside:
        return f"Sans objet : {record.reason}"
    if record.state == StepState.DONE:
        return record.note
    if record.reason and record.due_on:
        return f"{record.reason} Avant le {record.due_on:%d/%m/%Y}."
    return ""


def tasks(case: OnboardingCase, space: Space, today: date) -> tuple[list[Task], list[Task]]:
    """(what is ours to do now, what waits for others); what has a button comes first."""
    shown = [_task(case, one, space, today) for one in queries.open_steps(case)]
    own = OWNER_LABELS[space.owner]
    mine = sorted((one for one in shown if one.owner == own), key=lambda one: one.action is None)
    return mine, [one for one in shown if one.owner != own]


def _task(case: OnboardingCase, record: StepRecord, space: Space, today: date) -> Task:
    actions = step_actions(case, record.code, space)
    return Task(
        code=record.code,
        label=str(record),
        sentence=record.reason,
        owner=record.owner,
        due_on=record.due_on,
        late=record.due_on is not None and record.due_on < today,
        blocked=record.state == StepState.BLOCKED,
        url=space.url("step", record.code),
        action=actions[0] if actions else None,
    )


def step_actions(case: OnboardingCase, code: str, space: Space) -> list[Action]:
    """What one can do at a step from this side, the most useful first."""
    finders = {
        "A0": _identity, "A1": _membership, "A2": _operator, "A3": _deliberation,
        "M1": _contract, "A4": _convention, "C1": _people, "C2": _certificate,
        "C3": _certificate, "C4": _certificate, "F1": _training, "F2": _training,
        "H1": _sheet, "H2": _agreement, "H3": _form, "H4": _flow, "T2": _act, "B2": _act,
    }  # fmt: skip
    if BY_CODE[code].dated:
        mine = space.portal or BY_CODE[code].owner is Owner.COMMUNE
        return [Action("Indiquer la date", space.url("date", code))] if mine else []
    finder = finders.get(code)
    return list(finder(case, space)) if finder else []


def _identity(case: OnboardingCase, space: Space) -> Iterator[Action]:
    if space.portal:
        siren = case.organisation.siren
        yield Action("Compléter la fiche", reverse("directory:edit", args=[siren]))
        yield Action("Ajouter un contact", reverse("directory:add_contact", args=[siren]))


def _membership(case: OnboardingCase, space: Space) -> Iterator[Action]:
    route = getattr(case, "route", None)
    if route is not None and route.tariff_accepted_on is None:
        yield Action("Accepter le tarif", space.url("accept"))
    if space.portal and (route is None or route.signed_by_commune_on is None):
        yield Action("Proposer la voie d’accès et le tarif", space.url("propose"))


def _operator(case: OnboardingCase, space: Space) -> Iterator[Action]:
    if space.portal:
        yield Action("Choisir l’opérateur", space.url("operator"))


def _deliberation(case: OnboardingCase, space: Space) -> Iterator[Action]:
    one = getattr(case, "deliberation", None)
    write = Action("Remplir la délibération", space.url("deliberation"))
    if one is None or one.votes_for is None or not one.number:
        yield write
        return
    if one.signed_copy is None:
        yield Action("Déposer la délibération signée", space.url("sign_deliberation"))
        yield write
    elif one.transmitted_on is None:
        yield Action("Déposer la preuve de transmission", space.url("transmission"))
        yield Action("Remplacer la copie signée", space.url("sign_deliberation"))


def _contract(case: OnboardingCase, space: Space) -> Iterator[Action]:
    one = getattr(case, "route", None)
    if one is None:
        return
    if one.generated_at is None:
        if space.portal:
            yield Action("Produire le contrat", space.url("draw_up_contract"), post=True)
    elif one.signed_by_commune_on is None:
        yield Action("Déposer le contrat signé", space.url("sign_contract"))
    elif space.portal and one.signed_copy is None:
        yield Action("Enregistrer l’autre signature", space.url("countersign"))


def _convention(case: OnboardingCase, space: Space) -> Iterator[Action]:
    one = getattr(case, "convention", None)
    state = ConventionState.TO_PREPARE if one is None else ConventionState(one.state)
    labels = _CONVENTION_PORTAL if space.portal else _CONVENTION_COMMUNE
    for name, label in labels.get(state, ()):
        yield Action(label, space.url(name), post=name == "resume")


_CONVENTION_COMMUNE: Final[dict[ConventionState, tuple[tuple[str, str], ...]]] = {
    ConventionState.GENERATED: (("sign_convention", "Déposer la convention signée"),),
}
_STOP: Final = (("suspend", "Suspendre"), ("renounce", "Renoncer"))
_CONVENTION_PORTAL: Final[dict[ConventionState, tuple[tuple[str, str], ...]]] = {
    ConventionState.TO_PREPARE: (("prepare", "Préparer la convention"),),
    ConventionState.GENERATED: (
        ("sign_convention", "Déposer la convention signée"),
        ("prepare", "Modifier la convention"),
    ),
    ConventionState.SIGNED_BY_COLLECTIVITE: (
        ("send", "Noter l’envoi à la préfecture"),
        ("take_back", "Reprendre la convention"),
    ),
    ConventionState.SENT_TO_PREFECTURE: (
        ("prefet", "Noter la signature du préfet"),
        ("take_back", "Retournée sans signature"),
    ),
    ConventionState.SIGNED_BY_PREFET: (("copy", "Déposer l’exemplaire signé"),),
    ConventionState.COPY_RECEIVED: _STOP,
    ConventionState.COPY_SENT_TO_OPERATOR: _STOP,
    ConventionState.ACTIVE: _STOP,
    ConventionState.SUSPENDED: (("resume", "Rétablir la convention"), ("renounce", "Renoncer")),
}


def _people(case: OnboardingCase, space: Space) -> Iterator[Action]:
    if space.portal:
        url = reverse("directory:grant", args=[case.organisation.siren])
        yield Action("Habiliter une personne", url)


def _certificate(case: OnboardingCase, space: Space) -> Iterator[Action]:
    name = "registration_authority:files" if space.portal else "certificates:mine"
    yield Action("Voir les certificats", reverse(name))


def _training(case: OnboardingCase, space: Space) -> Iterator[Action]:
    name = "training:sessions" if space.portal else "training_commune:mine"
    yield Action("Voir les formations", reverse(name))


def _sheet(case: OnboardingCase, space: Space) -> Iterator[Action]:
    one = getattr(case, "helios", None)
    if one is None or one.signed_on is None:
        yield Action("Remplir la fiche HELIOS", space.url("helios"))


def _agreement(case: OnboardingCase, space: Space) -> Iterator[Action]:
    if space.portal and hasattr(case, "helios") and case.helios.agreed_on is None:
        yield Action("Noter l’accord de la DGFiP", space.url("agreement"))


def _form(case: OnboardingCase, space: Space) -> Iterator[Action]:
    one = getattr(case, "helios", None)
    if one is None:
        return
    if one.generated_at is None:
        if space.portal:
            yield Action("Produire le formulaire", space.url("draw_up_helios"), post=True)
    elif one.signed_on is None:
        yield Action("Déposer le formulaire signé", space.url("sign_helios"))
    elif space.portal and one.received_on is None:
        yield Action("Noter la réception par le comptable", space.url("receive"))


def _flow(case: OnboardingCase, space: Space) -> Iterator[Action]:
    if not space.portal:
        yield Action("Envoyer un flux", reverse("helios:list"))


def _act(case: OnboardingCase, space: Space) -> Iterator[Action]:
    if not space.portal:
        yield Action("Envoyer un acte", reverse("actes:list"))


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of a case, as a list shows it."""

    name: str
    size: int
    digest: str
    url: str
    detail: str


KINDS: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("deliberation", "generated_pdf"): ("A3", "Délibération à signer (PDF)"),
    ("deliberation", "generated_odt"): ("A3", "Délibération à modifier (ODT)"),
    ("deliberation", "signed_copy"): ("A3", "Délibération signée"),
    ("deliberation", "transmission_proof"): ("A3", "Preuve de transmission"),
    ("route", "generated_pdf"): ("M1", "Contrat à signer (PDF)"),
    ("route", "generated_odt"): ("M1", "Contrat à modifier (ODT)"),
    ("route", "commune_copy"): ("M1", "Contrat signé par la collectivité"),
    ("route", "signed_copy"): ("M1", "Contrat signé des deux parties"),
    ("convention", "generated_pdf"): ("A4", "Convention à signer (PDF)"),
    ("convention", "generated_odt"): ("A4", "Convention à modifier (ODT)"),
    ("convention", "letter"): ("A4", "Lettre d’envoi à la préfecture (PDF)"),
    ("convention", "letter_odt"): ("A4", "Lettre d’envoi à modifier (ODT)"),
    ("convention", "collectivite_copy"): ("A4", "Convention signée par la collectivité"),
    ("convention", "signed_copy"): ("A4", "Convention signée des deux parties"),
    ("helios", "generated_pdf"): ("H3", "Adhésion au PES à signer (PDF)"),
    ("helios", "generated_odt"): ("H3", "Adhésion au PES à modifier (ODT)"),
    ("helios", "signed_copy"): ("H3", "Adhésion au PES signée"),
}
"""Every file a paper may have: (paper, field) → (step, words)."""


def files(case: OnboardingCase, space: Space, *, code: str = "") -> list[FileRow]:
    """The latest files of a case, or all those of one step when named; one query."""
    held: list[tuple[UUID, str, str, str]] = []
    for (paper, kind), (step, label) in KINDS.items():
        stored = getattr(getattr(case, paper, None), kind, None)
        wanted = code == step or (not code and not _is_past(case, paper, kind))
        if stored is not None and wanted:
            held.append((stored, label, paper, kind))
    known = _stored(one[0] for one in held)
    return [_row(known[pk], label, space.url("file", *of)) for pk, label, *of in held]


def _row(stored: StoredFile, label: str, url: str) -> FileRow:
    return FileRow(label, stored.size, stored.sha256, url, stored.name)


def _is_past(case: OnboardingCase, paper: str, kind: str) -> bool:
    """Whether a later copy of the same paper says more: what was to sign, once it is signed."""
    one = getattr(case, paper, None)
    if one is None:
        return False
    if kind.startswith("generated"):
        return getattr(one, queries.SIGNED[paper]) is not None
    return kind in {"commune_copy", "collectivite_copy"} and one.signed_copy is not None


def _stored(ids: Iterable[UUID]) -> dict[UUID, StoredFile]:
    with schema_context(get_public_schema_name()):
        return StoredFile.objects.in_bulk(list(ids))


def to_sign(case: OnboardingCase, space: Space) -> list[FileRow]:
    """The papers the commune has to print and sign now."""
    wanted = {space.url("file", paper, "generated_pdf") for paper in queries.to_sign(case)}
    return [one for one in files(case, space) if one.url in wanted]


def sheet_links(case: OnboardingCase, space: Space, *, code: str = "") -> list[Action]:
    """The working sheets that can be printed now."""
    return [
        Action(title, space.url("sheet", one))
        for one, title in sheets.TITLES.items()
        if code in ("", one) and can_print(case, one)
    ]


def can_print(case: OnboardingCase, code: str) -> bool:
    """Whether all that a sheet tells is known."""
    needs = {"A5": "convention", "T1": "convention", "Z": "convention", "H1": "helios"}
    if code in {"A2", "A5"} and case.operator is None:
        return False
    if code == "A5":
        return hasattr(case, "convention") and case.convention.signed_copy is not None
    if code == "Z":
        return hasattr(case, "convention") and case.convention.renounced_on is not None
    return code not in needs or hasattr(case, needs[code])


def history(case: OnboardingCase) -> list[Event]:
    """The steps done, the last first."""
    done = [one for one in case.steps.all() if one.done_at is not None]
    done.sort(key=lambda one: (one.done_at, one.pk), reverse=True)
    return [
        Event(at=one.done_at, label=str(one), who=str(one.done_by or "Socle"), tone="success")
        for one in done
    ]


def progress(case: OnboardingCase) -> dict[str, int | str]:
    """What `{% progress %}` shows of a case."""
    done, total = queries.progress(case)
    return {"done": done, "total": total, "text": f"{count(done, 'étape', 'étapes')} sur {total}"}


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One line of the list of cases."""

    case: OnboardingCase
    tone: str
    step: str
    owner: str
    sentence: str
    due_on: date | None
    late: bool

    @classmethod
    def of(cls, case: OnboardingCase, today: date, owner: str = "") -> "CaseRow":
        """A case of `queries.cases`: its most urgent open step, of the wanted owner first."""
        opened = sorted(case.open_steps, key=lambda one: one.waits_for != owner)
        first = opened[0] if opened else None
        due_on = first.due_on if first else None
        return cls(
            case=case,
            tone=TONES[case.state],
            step=str(first or ""),
            owner=first.owner if first else "",
            sentence=first.reason if first else "",
            due_on=due_on,
            late=due_on is not None and due_on < today,
        )
