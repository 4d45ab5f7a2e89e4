"""Apply to the directory what the shipped facts say: the same import twice changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from socle.core.clock import legal_date
from socle.core.text import fold
from socle.directory import cog
from socle.directory.cog import Closure, KnownFormer, KnownOrganisation, Plan
from socle.directory.facts import Facts, load
from socle.directory.facts.offices import Office, offices_of
from socle.directory.models import FormerCommune, Organisation, StateOffice
from socle.journal.actions import record

BATCH = 2000
_FIELDS = ("name", "siren", "insee", "nature", "departement", "arrondissement", "population")


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did, in numbers."""

    created: int
    changed: int
    closed: int
    unchanged: int
    former: int
    rejected: int

    def __str__(self) -> str:
        return (
            f"{self.created} créées, {self.changed} modifiées, {self.closed} fermées, "
            f"{self.unchanged} inchangées, {self.former} communes déléguées ou associées, "
            f"{self.rejected} sans SIREN laissées de côté"
        )


@transaction.atomic
def run(
    *,
    by: Any,
    at: datetime,
    facts: Facts | None = None,
    wanted: frozenset[str] | None = None,
) -> Report:
    """Bring the directory to the facts (those shipped, or `facts`), in one transaction.

    `wanted` limits what may be created to some INSEE codes and EPCI SIRENs (`cog.territory`).
    """
    facts = facts or load()
    plan = cog.changes(known(), facts, known_former=known_former(), wanted=wanted)
    # Closing comes first: a code passes from a closed legal person to the one created after it.
    _close(plan.closed, at)
    _create(plan.created, facts)
    _change(plan)
    _succeed(plan.closed)
    _former(plan)
    _offices(office for one in facts.departements for office in offices_of(facts, one.code))
    report = Report(
        created=len(plan.created),
        changed=len(plan.changed),
        closed=len(plan.closed),
        unchanged=plan.unchanged,
        former=len(plan.former_recorded) + len(plan.former_dropped),
        rejected=len(plan.rejected),
    )
    record(
        event="directory.imported",
        subject=("directory", facts.header.version),
        by=by,
        at=at,
        detail={"report": str(report), "version": facts.header.version},
    )
    return report


def known() -> Iterable[KnownOrganisation]:
    """The directory as the comparison wants it."""
    rows = Organisation.objects.values_list(
        "kind", "name", "siren", "insee", "nature", "departement", "arrondissement",
        "epci__siren", "population", "closed_on",
    )  # fmt: skip
    for kind, name, siren, insee, nature, departement, arrondissement, epci, people, closed in rows:
        yield KnownOrganisation(
            kind=kind,
            name=name,
            siren=siren,
            insee=insee or "",
            nature=nature,
            departement=departement,
            arrondissement=arrondissement,
            epci_siren=epci or "",
            population=people,
            closed_on=closed,
        )


def known_former() -> Iterable[KnownFormer]:
    """The communes déléguées and associées the directory knows."""
    for row in FormerCommune.objects.values_list("insee", "name", "organisation__insee"):
        yield KnownFormer(*row)


def _create(bodies: Iterable[KnownOrganisation], facts: Facts) -> None:
    epcis = [body for body in bodies if body.kind == cog.Kind.EPCI]
    Organisation.objects.bulk_create((_organisation(b, facts) for b in epcis), batch_size=BATCH)
    ids = _ids()
    communes = (_organisation(b, facts) for b in bodies if b.kind == cog.Kind.COMMUNE)
    by_siren = {body.siren: ids.get(body.epci_siren) for body in bodies}
    rows = []
    for commune in communes:
        commune.epci_id = by_siren[commune.siren]
        rows.append(commune)
    Organisation.objects.bulk_create(rows, batch_size=BATCH)


def _organisation(body: KnownOrganisation, facts: Facts) -> Organisation:
    commune = facts.commune(body.insee) if body.insee else None
    postal_codes = commune.postal_codes if commune else ()
    return Organisation(
        kind=body.kind,
        **{name: getattr(body, name) for name in _FIELDS if name != "insee"},
        insee=body.insee or None,
        sort_key=fold(body.name)[:200],
        postal_code=postal_codes[0] if postal_codes else "",
    )


def _change(plan: Plan) -> None:
    ids = _ids() if plan.changed else {}
    for change in plan.changed:
        organisation = Organisation.objects.get(siren=change.known.siren)
        for field in change.fields:
            if field.field == "epci_siren":
                organisation.epci_id = ids.get(str(field.new))
            else:
                setattr(organisation, field.field, field.new)
        if organisation.closed_on is None:
            organisation.successor = None
        organisation.save()


def _close(closures: Iterable[Closure], at: datetime) -> None:
    sirens = [closure.known.siren for closure in closures]
    Organisation.objects.filter(siren__in=sirens).update(closed_on=legal_date(at))


def _succeed(closures: Iterable[Closure]) -> None:
    for closure in closures:
        if closure.successor:
            successor = Organisation.objects.filter(siren=closure.successor.siren).first()
            Organisation.objects.filter(siren=closure.known.siren).update(successor=successor)


def _former(plan: Plan) -> None:
    FormerCommune.objects.filter(insee__in=[f.insee for f in plan.former_dropped]).delete()
    chefs_lieux = dict(
        Organisation.objects.filter(insee__isnull=False, closed_on=None).values_list("insee", "pk")
    )
    FormerCommune.objects.bulk_create(
        (
            FormerCommune(
                insee=former.insee,
                name=former.name,
                organisation_id=chefs_lieux[former.chef_lieu],
            )
            for former in plan.former_recorded
        ),
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["insee"],
        update_fields=["name", "organisation"],
    )


def _offices(found: Iterable[Office]) -> None:
    for office in found:
        StateOffice.objects.get_or_create(
            kind=office.kind.value,
            name=office.name,
            defaults={
                "departement": office.departement,
                "arrondissement": office.arrondissement,
                "verified": office.verified,
            },
        )


def _ids() -> dict[str, int]:
    return dict(Organisation.objects.filter(kind=cog.Kind.EPCI).values_list("siren", "pk"))
