"""Questions about the acts of the commune whose schema is the current one."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django_tenants.utils import get_tenant_model

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import policies
from socle.actes.models import (
    Act,
    ActFile,
    ActState,
    AnswerFile,
    ClassificationVersion,
    Kind,
    Transaction,
    TransactionState,
)
from socle.actes.protocol import rules
from socle.actes.protocol.classification import Classification
from socle.actes.protocol.default_classification import DEFAULT_CLASSIFICATION
from socle.actes.protocol.identifiers import ActeId
from socle.actes.protocol.read import read_classification
from socle.actes.protocol.values import Document, Draft
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.delivery.models import Outbound
from socle.delivery.origin import Origin
from socle.directory.models import Grant, Organisation, Protocol
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.documents.sniff import Kind as ContentKind
from socle.notices.todos import Todo

NUMBERS_LOOKED_AT = 200
YEARS_OFFERED = 10
KNOWN_CLASSIFICATIONS = 64
_CLASSIFICATIONS: dict[str, Classification] = {}
UNPUBLISHED = "unpublished"
"""In `search`: acknowledged, and exécutoire as soon as a publication date is given."""


def organisation_here() -> Organisation:
    """The organisation whose schema is the current one."""
    return Organisation.objects.get(tenant__schema_name=connection.schema_name)


def address_of(act: Act) -> str:
    """The whole address of the act's page on its commune's host, for a mail."""
    return address("actes:act", act.pk)


def address(url_name: str, *args: int | str) -> str:
    """The whole address of a page of this room on its commune's host."""
    tenant = get_tenant_model().objects.get(schema_name=connection.schema_name)
    port = f":{settings.BASE_PORT}" if settings.BASE_PORT else ""
    path = reverse(url_name, args=args, urlconf=settings.ROOT_URLCONF)
    return f"{settings.BASE_SCHEME}://{tenant.get_primary_domain().domain}{port}{path}"


def people_to_tell(act: Act, *, on: date) -> list[Person]:
    """Whoever deposited the act, if she still has rights here, and all who may transmit."""
    grants = (
        Grant.objects.filter(organisation=organisation_here(), starts_on__lte=on)
        .filter(Q(ends_on=None) | Q(ends_on__gte=on))
        .filter(person__is_active=True)
        .select_related("person")
        .order_by("pk")
    )
    return [
        grant.person
        for grant in grants
        if Capability.ACTS_TRANSMIT in grant.capabilities or grant.person_id == act.deposited_by_id
    ]


def has_acknowledged() -> bool:
    """Whether the préfecture has acknowledged at least one act of this commune."""
    return Act.objects.filter(received_on__isnull=False).exists()


def search(
    *,
    state: str = "",
    nature: int | None = None,
    year: int | None = None,
    matter: str = "",
    text: str = "",
    since: date | None = None,
    until: date | None = None,
) -> QuerySet[Act]:
    """Acts, newest first; `text` is looked for in the number and in the objet.

    `matter` is a code of any level: "7" finds 7.1 and 7.10. `since` and `until` are days of
    transmission (Paris), both included.
    """
    found = Act.objects.all()
    if since:
        found = found.filter(deposited_at__date__gte=since)
    if until:
        found = found.filter(deposited_at__date__lte=until)
    if state == UNPUBLISHED:
        found = found.filter(state=ActState.ACKNOWLEDGED, published_on=None)
    elif state:
        found = found.filter(state=state)
    if nature:
        found = found.filter(nature=nature)
    if year:
        found = found.filter(decided_on__year=year)
    if matter:
        found = found.filter(Q(matter=matter) | Q(matter__startswith=f"{matter}."))
    if text:
        number = Q(number__icontains=policies.tidy_number(text))
        found = found.filter(number | Q(objet__icontains=text))
    return found.order_by("-pk")


def years() -> list[int]:
    """The years a list may be narrowed to, newest first: no question to a table that grows."""
    this = legal_date(timezone.now()).year
    return list(range(this, this - YEARS_OFFERED, -1))


def next_number(at: datetime) -> str:
    """The number to propose for the next act."""
    used = Act.objects.exclude(number="").order_by("-pk").values_list("number", flat=True)
    return policies.next_number(used[:NUMBERS_LOOKED_AT], year=legal_date(at).year)


def holder_of(number: str, *, but: int | None = None) -> Act | None:
    """The act that bears this number, drafts and refused acts left aside."""
    return (
        Act.objects.exclude(state__in=policies.NUMBERLESS)
        .exclude(pk=but)
        .filter(number=number)
        .first()
    )


def held_classification() -> Classification | None:
    """The classification the préfecture sent last, or None."""
    versions = ClassificationVersion.objects.select_related("content")
    version = versions.order_by("-date", "-pk").first()
    return _parsed(version.content) if version else None


def _parsed(content: StoredFile) -> Classification:
    """Parsing takes longer than all the rest of a page: one content is read once per process.

    Its digest names it, and its row is only seen from the schema it belongs to.
    """
    found = _CLASSIFICATIONS.get(content.sha256)
    if found is None:
        while len(_CLASSIFICATIONS) >= KNOWN_CLASSIFICATIONS:
            _CLASSIFICATIONS.pop(next(iter(_CLASSIFICATIONS)), None)
        found = read_classification(documents.read(content))
        _CLASSIFICATIONS[content.sha256] = found
    return found


def classification() -> Classification:
    """The classification to choose from: the préfecture's, else the national levels."""
    return held_classification() or DEFAULT_CLASSIFICATION


def document_of(file: ActFile | AnswerFile) -> Document:
    """A file as the norm's rules see it."""
    kind = policies.FILE_KINDS.get(ContentKind(file.stored.media_type))
    return Document(file.stored.name, kind, file.stored.size, file.typology)


def draft_of(act: Act, files: Iterable[ActFile]) -> Draft:
    """The act as a person proposes it; `files` come main first."""
    return Draft(
        number=act.number,
        decided_on=act.decided_on,
        nature=act.nature,
        matiere=act.matter,
        objet=act.objet,
        documents=tuple(map(document_of, files)),
        paper_complement=act.paper_complement,
    )


def files_of(act: Act) -> list[ActFile]:
    """The act's files, the act itself first, then its annexes in their order."""
    return list(act.files.select_related("stored", "stamped", "stamp_sheet").order_by("rank"))


def number_refusal(act: Act) -> policies.NumberTaken | None:
    """The refusal of a number another act bears, or None."""
    holder = holder_of(act.number, but=act.pk)
    if holder is None:
        return None
    return policies.NumberTaken(
        f"Le numéro {act.number} est déjà celui de l’acte « {holder.objet} » du "
        f"{holder.decided_on:%d/%m/%Y} : donnez-en un autre.",
        field="number",
    )


def problems(act: Act, files: list[ActFile], *, at: datetime) -> list[Refusal]:
    """Everything that prevents a draft from leaving, in the order of the form."""
    found: list[Refusal] = list(
        rules.refusals_of(draft_of(act, files), classification=classification(), at=at)
    )
    taken = number_refusal(act)
    if not any(file.role == "main" for file in files) and files:
        found.append(policies.NoMainFile("Joignez le fichier de l’acte lui-même.", field="main"))
    return ([taken] if taken else []) + found + policies.signer_refusals(act, files)


def outbound_of(transaction: Transaction) -> Outbound | None:
    """Where a message stands in the corridor."""
    return Outbound.objects.filter(
        schema=connection.schema_name, protocol=Protocol.ACTES, subject_id=transaction.pk
    ).first()


def carried_by(origin: Origin) -> QuerySet[Transaction]:
    """Our messages that left through the operator that delivers a return."""
    return Transaction.objects.filter(parent=None, pk__in=origin.carried())


def sent_by_identifier(
    identifier: ActeId, kind: Kind, *, sent: QuerySet[Transaction]
) -> Transaction | None:
    """The message of `sent` about this `IDActe`: the one still unanswered, else the newest."""
    found = sent.filter(kind=kind, identifier=str(identifier))
    return _unanswered_first(found)


def act_sent(identifier: ActeId, *, sent: QuerySet[Transaction]) -> Transaction | None:
    """The 1-1 of `sent` for the act of this `IDActe`: the one the State acknowledged, if any."""
    found = sent.select_related("act").filter(kind=Kind.ACTE, identifier=str(identifier))
    return found.filter(state=TransactionState.ACKNOWLEDGED).last() or found.last()


def sent_by_facts(
    *, number: str, decided_on: date | None, nature: int | None, sent: QuerySet[Transaction]
) -> Transaction | None:
    """The 1-1 of `sent` that said this number, this date and this nature; drafts never count."""
    if not number or decided_on is None:
        return None
    found = sent.filter(
        kind=Kind.ACTE, act__number=number, act__decided_on=decided_on, act__nature=nature
    )
    return _unanswered_first(found)


def sent_in_envelope(
    envelope_name: str, messages: Iterable[str] = (), *, sent: QuerySet[Transaction]
) -> Transaction | None:
    """The message of `sent` that travelled in this envelope, or under one of these names."""
    found = sent.filter(envelope_name=envelope_name).first() if envelope_name else None
    return found or _unanswered_first(sent.filter(message_name__in=[*messages]))


def pending_classification_requests(
    sent: QuerySet[Transaction] | None = None,
) -> QuerySet[Transaction]:
    """The 7-1 of `sent`, by default of ours, that were not answered yet."""
    return (Transaction.objects.all() if sent is None else sent).filter(
        kind=Kind.CLASSIFICATION_REQUEST,
        state__in=(TransactionState.QUEUED, TransactionState.SENT, TransactionState.REFUSED),
    )


def todos(request: HttpRequest) -> Iterator[Todo]:
    """What waits for the secretary among her acts: one query."""
    late = policies.overdue_before(legal_date(timezone.now()))
    counts = Act.objects.aggregate(
        drafts=_count(state=ActState.DRAFT),
        anomalies=_count(state=ActState.ANOMALY, corrections=None),
        silent=_count(state=ActState.SENT, deposited_at__date__lt=late),
        unpublished=_count(state=ActState.ACKNOWLEDGED, published_on=None),
    )
    for key, one, many, query, button, tone in _TODOS:
        count = counts[key]
        url = f"{reverse('actes:list')}?{urlencode(query)}"
        yield Todo(count, one if count == 1 else many, url, button, tone)


_TODOS = (
    (
        "anomalies",
        "acte refusé par la préfecture est à corriger",
        "actes refusés par la préfecture sont à corriger",
        {"state": ActState.ANOMALY.value},
        "Corriger",
        "danger",
    ),
    (
        "silent",
        "acte attend son accusé de réception depuis plus de deux jours ouvrés",
        "actes attendent leur accusé de réception depuis plus de deux jours ouvrés",
        {"state": ActState.SENT.value},
        "Voir",
        "warning",
    ),
    (
        "drafts",
        "brouillon d’acte est à transmettre",
        "brouillons d’actes sont à transmettre",
        {"state": ActState.DRAFT.value},
        "Reprendre",
        "progress",
    ),
    (
        "unpublished",
        "acte acquitté attend sa date de publication pour être exécutoire",
        "actes acquittés attendent leur date de publication pour être exécutoires",
        {"state": UNPUBLISHED},
        "Indiquer la date",
        "progress",
    ),
)


def _count(**conditions: Any) -> Count:
    return Count("pk", filter=Q(**conditions), distinct=True)


def _unanswered_first(found: QuerySet[Transaction]) -> Transaction | None:
    open_states = (TransactionState.QUEUED, TransactionState.SENT, TransactionState.REFUSED)
    return found.filter(state__in=open_states).last() or found.last()
