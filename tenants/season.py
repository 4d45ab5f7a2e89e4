"""A season in the Mellois: the demonstration as it looks after some weeks of work.

Three communes are connected and send their acts, the préfecture refuses one and writes about
others, five more are on their way, the counter has its agenda and its tokens. Everything is done by
the actions of every room, as the invented persons, so that what is seen is what would happen.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone
from django_tenants.utils import schema_context

from billing import actions as billing
from billing.models import Invoice
from billing.queries import to_bill
from registration_authority.slots import actions as agenda
from registration_authority.slots.models import Slot, SlotKind
from registration_authority.stock import actions as stock
from registration_authority.stock.models import Location
from socle.actes import actions as actes
from socle.actes import queries as acts
from socle.actes import register
from socle.actes.models import Act, ActState
from socle.actes.protocol.codes import Nature
from socle.actes.register import Author
from socle.core.clock import PARIS, legal_date
from socle.directory.models import Organisation
from tenants import demo
from tenants.tour import Tour, person, wait
from training import actions as training
from training.models import Programme

CONNECTED: Final = ("79174", "79061", "79148")
"""INSEE codes of Melle, Celles-sur-Belle and Lezay, where Claire Martin works."""
ON_THEIR_WAY: Final = (2, 3, 4, 6, 7)
"""How many stages of the tour each of the next communes has behind it."""
LAST_OF_A_TOUR: Final = "Mise en service"
TOKENS: Final = 24
POSTED: Final = 3
UNANSWERED: Final = (ActState.WAITING, ActState.QUEUED, ActState.SENT)


@dataclass(frozen=True, slots=True)
class Paper:
    """One act of the season. The object may hold a word that makes the préfecture answer."""

    nature: Nature
    matter: str
    objet: str
    days_ago: int


PAPERS: Final = (
    Paper(Nature.DELIBERATION, "7.10", "Tarifs de la salle des fêtes pour 2027", 12),
    Paper(Nature.DELIBERATION, "5.2", "Règlement intérieur du conseil municipal", 12),
    Paper(Nature.DELIBERATION, "7.5", "Demande de subvention pour la toiture de l’école", 12),
    Paper(Nature.DELIBERATION, "3.1", "Acquisition de la parcelle AB 128 [pièces]", 12),
    Paper(Nature.REGULATORY, "6.1", "Circulation alternée rue du Four pendant les travaux", 9),
    Paper(Nature.REGULATORY, "6.1", "Stationnement interdit place du marché le dimanche", 8),
    Paper(Nature.INDIVIDUAL, "4.1", "Avancement d’échelon d’un agent titulaire", 7),
    Paper(Nature.CONTRACT, "1.1", "Marché de réfection de la voirie, lot 1 [observations]", 6),
    Paper(Nature.DELIBERATION, "8.1", "Participation aux sorties scolaires [anomalie]", 5),
    Paper(Nature.DELIBERATION, "5.7", "Modification des statuts du syndicat des eaux", 5),
)
DRAFTS: Final = (
    Paper(Nature.DELIBERATION, "7.1", "Décision modificative n° 2 du budget principal", 1),
    Paper(Nature.REGULATORY, "6.4", "Délégation de signature au premier adjoint", 0),
)


def tell(connected: Collection[str] = CONNECTED) -> Iterator[str]:
    """Do the whole season; yields one sentence for each thing done.

    `connected` are the INSEE codes of the communes that go all the way.

    What is there already is left as it is: again does nothing. Raises `tour.Broken` or a Refusal
    where something does not go as it should.
    """
    for commune in _members(with_case=False).filter(insee__in=connected):
        yield _connect(Tour(commune))
    gone = _members(with_case=True).exclude(insee__in=CONNECTED).count()
    others = _members(with_case=False).exclude(insee__in=CONNECTED)
    for stages, commune in zip(ON_THEIR_WAY[gone:], others, strict=False):
        yield _start(Tour(commune), stages)
    yield _plan_the_week()
    yield _receive_tokens()
    yield _bill()


def _members(*, with_case: bool) -> QuerySet[Organisation]:
    members = Organisation.objects.filter(epci__siren=demo.MELLOIS, closed_on=None)
    members = members.filter(onboarding_cases__isnull=not with_case)
    return members.select_related("tenant").order_by("sort_key")


def _connect(tour: Tour) -> str:
    """A commune from nothing to its daily mail."""
    _walk(tour, LAST_OF_A_TOUR)
    sent = _send_the_mail(tour)
    return f"{tour.commune} : raccordée, {sent} actes transmis"


def _start(tour: Tour, stages: int) -> str:
    """A commune that has gone some stages, and stands there."""
    last = tour.stages()[stages - 1][0]
    _walk(tour, last)
    return f"{tour.commune} : en chemin, « {last} » est fait"


def _walk(tour: Tour, last: str) -> None:
    for name, stage in tour.stages():
        stage()
        if name == last:
            return


def _send_the_mail(tour: Tour) -> int:
    """Deposit the papers of the season and leave two drafts; wait for the préfecture's answers."""
    now = timezone.now()
    with schema_context(tour.schema):
        sent = [
            actes.deposit(
                facts=_facts(paper, number=acts.next_number(now), at=now),
                main=actes.Upload("acte.pdf", tour.paper(paper.objet.partition(" [")[0], now)),
                by=tour.agent,
                at=now,
            ).pk
            for paper in PAPERS
        ]
        for paper in DRAFTS:
            actes.save_draft(
                facts=_facts(paper, number=acts.next_number(now), at=now), by=tour.agent, at=now
            )
        answered = Act.objects.filter(pk__in=sent).exclude(state__in=UNANSWERED)
        wait(lambda: answered.count() == len(sent) or None, "toutes les réponses aux actes")
        _post(tour, sent)
    return len(sent)


def _post(tour: Tour, sent: list[int]) -> None:
    """Put in the public register what was acknowledged among the first délibérations."""
    acknowledged = Act.objects.filter(
        pk__in=sent, state=ActState.ACKNOWLEDGED, nature=Nature.DELIBERATION
    )
    for act in acknowledged.order_by("pk")[:POSTED]:
        register.post(
            act_id=act.pk, author=Author(tour.mayor, "maire"), by=tour.agent, at=timezone.now()
        )


def _facts(paper: Paper, *, number: str, at: datetime) -> actes.Facts:
    return actes.Facts(
        number=number,
        nature=paper.nature.value,
        matter=paper.matter,
        decided_on=legal_date(at) - timedelta(days=paper.days_ago),
        objet=paper.objet,
    )


def _plan_the_week() -> str:
    """Open the counter's agenda and next week's session, and seat whoever was connected."""
    now = timezone.now()
    rachid, thomas = person("Rachid"), person("Thomas")
    day = legal_date(now) + timedelta(days=7 - legal_date(now).weekday() + 1)  # a Tuesday
    if Slot.objects.filter(starts_at__date=day).exists():
        return "l’agenda est déjà ouvert"
    slots = agenda.open_slots(
        kind=SlotKind.ROOM,
        organisation=None,
        officer=rachid,
        place="Bureau du syndicat, rez-de-chaussée",
        day=day,
        first=time(9),
        last=time(12),
        minutes=30,
        by=rachid,
        at=now,
    )
    start = datetime.combine(day, time(14), PARIS)
    session = training.plan(
        programme=Programme.objects.filter(is_offered=True).order_by("pk")[0],
        trainer=thomas,
        seats=8,
        slots=[(start, start + timedelta(hours=3))],
        place="Salle du conseil, Melle",
        by=thomas,
        at=now,
    )
    claire = person("Claire")
    training.register(
        session_id=session.pk,
        person=claire,
        organisation=Organisation.objects.get(siren=demo.MELLE),
        by=thomas,
        at=now,
    )
    return f"la semaine prochaine : {len(slots)} créneaux au guichet, une formation à Melle"


def _receive_tokens() -> str:
    """A first delivery of tokens in the safe."""
    now, rachid = timezone.now(), person("Rachid")
    if Location.objects.exists():
        return "le stock de supports est déjà ouvert"
    safe = stock.add_location(
        location=Location(code="coffre", name="Coffre du syndicat", low_stock=10), by=rachid, at=now
    )
    stock.receive_batch(
        reference=f"BL-{legal_date(now):%Y-%m}",
        model="Clé USB d’exercice",
        location=safe,
        serials="\n".join(f"EXERCICE{number:05}" for number in range(1, TOKENS + 1)),
        by=rachid,
        at=now,
    )
    return f"{TOKENS} supports reçus au coffre"


def _bill() -> str:
    """Draft what is owed by each commune, and issue the first invoice."""
    now, beatrice = timezone.now(), person("Béatrice")
    billing.collect(until=legal_date(now), by=beatrice, at=now)
    drafts: list[Invoice] = [
        billing.draft(organisation_id=owing.pk, by=beatrice, at=now) for owing in to_bill()
    ]
    if drafts:
        billing.issue(invoice_id=drafts[0].pk, by=beatrice, at=now)
    return f"{len(drafts)} factures préparées, dont une émise" if drafts else "rien à facturer"
