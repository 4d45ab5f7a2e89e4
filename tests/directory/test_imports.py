"""The import applies the facts: twice is once, and mergers close what they swallow."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from socle.directory import cog, imports, queries
from socle.directory.facts import Commune, Facts, load
from socle.directory.models import (
    FormerCommune,
    OfficeKind,
    Organisation,
    OrganisationKind,
    StateOffice,
)
from tests.world import MELLOIS

pytestmark = pytest.mark.usefixtures("portal")
WANTED = cog.territory(load(), epcis=[MELLOIS])


def test_the_58_communes_of_the_mellois_are_there(noon: datetime) -> None:
    epci = Organisation.objects.get(siren=MELLOIS)
    assert epci.communes.count() == 58
    melle = Organisation.objects.get(insee="79174")
    assert (melle.siren, melle.nature, melle.departement) == ("200081511", "31", "079")
    assert melle.population
    assert melle.epci == epci
    assert melle.former_communes.filter(name__icontains="Mazières").exists()


def test_importing_again_changes_nothing(noon: datetime) -> None:
    report = imports.run(by="tests", at=noon, wanted=WANTED)
    assert (report.created, report.changed, report.closed, report.former) == (0, 0, 0, 0)
    assert report.unchanged == 59


def test_what_a_person_completed_is_kept(noon: datetime) -> None:
    Organisation.objects.filter(insee="79174").update(siret="20008151100019", email="m@melle.fr")
    imports.run(by="tests", at=noon, wanted=WANTED)
    melle = Organisation.objects.get(insee="79174")
    assert (melle.siret, melle.email) == ("20008151100019", "m@melle.fr")


def test_a_changed_name_is_reported_and_written(noon: datetime) -> None:
    Organisation.objects.filter(insee="79174").update(name="Melle-Ancienne")
    report = imports.run(by="tests", at=noon, wanted=WANTED)
    assert report.changed == 1
    assert Organisation.objects.get(insee="79174").name == "Melle"


def _merged(facts: Facts, *, swallowed: str, into: str) -> Facts:
    """The facts of a year when `into` became a commune nouvelle with `swallowed` in it."""
    target = facts.commune(into)
    assert target is not None
    grown = target._replace(siren="200099992", former_codes=(*target.former_codes, swallowed))
    communes: list[Commune] = [c for c in facts.communes if c.insee not in {swallowed, into}]
    epcis = tuple(
        e._replace(members=tuple(m for m in e.members if m != swallowed)) for e in facts.epcis
    )
    return replace(facts, communes=(*communes, grown), epcis=epcis)


def test_a_merger_closes_both_and_names_the_successor(noon: datetime) -> None:
    facts = _merged(load(), swallowed="79148", into="79174")  # Lezay joins a new Melle

    report = imports.run(by="tests", at=noon, facts=facts, wanted=WANTED)

    assert report.closed == 2
    lezay = Organisation.objects.get(insee="79148")
    old_melle = Organisation.objects.get(siren="200081511")
    new_melle = Organisation.objects.get(siren="200099992")
    assert lezay.closed_on == old_melle.closed_on == noon.date()
    assert lezay.successor == old_melle.successor == new_melle
    assert new_melle.insee == "79174"
    assert imports.run(by="tests", at=noon, facts=facts, wanted=WANTED).closed == 0


def test_former_communes_are_never_organisations() -> None:
    former = FormerCommune.objects.values_list("insee", flat=True)
    assert former
    today = {commune.insee for commune in load().communes}
    swallowed = [code for code in former if code not in today]
    assert not Organisation.objects.filter(insee__in=swallowed).exists()


def test_the_offices_of_the_state_come_with_the_facts() -> None:
    niort = queries.prefecture_of(Organisation.objects.get(insee="79174"))
    assert niort is not None
    assert niort.kind == OfficeKind.PREFECTURE
    assert "Deux-Sèvres" in niort.name
    assert StateOffice.objects.filter(kind=OfficeKind.PREFECTURE).count() > 95
    assert StateOffice.objects.filter(kind=OfficeKind.SGC).exists()


@pytest.mark.slow
def test_the_whole_country_imports_and_imports_again(
    noon: datetime, django_assert_max_num_queries: Any
) -> None:
    first = imports.run(by="tests", at=noon)
    communes = Organisation.objects.filter(kind=OrganisationKind.COMMUNE)
    assert communes.filter(closed_on=None).count() == 34_875
    assert Organisation.objects.filter(kind=OrganisationKind.EPCI).count() == 1_255
    assert first.rejected == 94
    again = imports.run(by="tests", at=noon)
    assert (again.created, again.changed, again.closed, again.former) == (0, 0, 0, 0)
