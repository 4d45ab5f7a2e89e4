"""What a new year of the Code officiel géographique changes: synthetic years, and the real one."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest

from socle.directory import cog
from socle.directory.cog import Closure, FieldChange, KnownFormer, KnownOrganisation, Plan, Reason
from socle.directory.facts import (
    Commune,
    Departement,
    Epci,
    Facts,
    FormerCommune,
    FormerKind,
    Header,
    load,
)
from socle.directory.facts.names import Liaison

NEW_YEAR = date(2027, 1, 1)
MELLOIS = "200069755"


def a_commune(insee: str, name: str, siren: str, **more: object) -> Commune:
    plain = Commune(
        insee=insee,
        name=name,
        liaison=Liaison.CONSONANT,
        siren=siren,
        departement="79",
        region="75",
        arrondissement="792",
        epci_siren=MELLOIS,
        population=500,
        population_totale=510,
        postal_codes=("79500",),
        former_codes=(),
    )
    return plain._replace(**more)


MELLE = a_commune("79174", "Melle", "217901743")
ROMANS = a_commune("79295", "Saint-Romans-lès-Melle", "217902956")
CHAIL = a_commune("79064", "Chail", "217900646")
EPCI = Epci(MELLOIS, "CC Mellois en Poitou", "CC", "FPU", 1_530, 1_500, ("79174", "79295", "79064"))
ROMANS_DELEGUEE = FormerCommune(
    "79295", "Saint-Romans-lès-Melle", FormerKind.DELEGUEE, chef_lieu="79174"
)


def some_facts(
    *communes: Commune, epcis: Iterable[Epci] = (EPCI,), former: Iterable[FormerCommune] = ()
) -> Facts:
    return Facts(
        header=Header("", "", "", "", 2023, 2022, {}, "", "", ()),
        regions=(),
        departements=(Departement("79", "Deux-Sèvres", Liaison.LES, "75", "79191", "metro"),),
        arrondissements=(),
        communes=communes,
        former_communes=tuple(former),
        epcis=tuple(epcis),
    )


YEAR_ONE = some_facts(MELLE, ROMANS, CHAIL)


def known_of(facts: Facts) -> list[KnownOrganisation]:
    return applied([], cog.changes([], facts))


def applied(known: Iterable[KnownOrganisation], plan: Plan) -> list[KnownOrganisation]:
    """Do to the known bodies what a plan says."""
    changed = {
        change.known: replace(change.known, **{f.field: f.new for f in change.fields})
        for change in plan.changed
    }
    closed = {closure.known: replace(closure.known, closed_on=NEW_YEAR) for closure in plan.closed}
    done = changed | closed
    return [*(done.get(body, body) for body in known), *plan.created]


def applied_former(known: Iterable[KnownFormer], plan: Plan) -> list[KnownFormer]:
    """Do to the known former communes what a plan says."""
    kept = {former.insee: former for former in known if former not in plan.former_dropped}
    new = {f.insee: KnownFormer(f.insee, f.name, f.chef_lieu) for f in plan.former_recorded}
    return list((kept | new).values())


def test_an_empty_directory_receives_everything_epci_first() -> None:
    plan = cog.changes([], YEAR_ONE)

    assert [body.name for body in plan.created] == [
        "CC Mellois en Poitou",
        "Melle",
        "Saint-Romans-lès-Melle",
        "Chail",
    ]
    assert (plan.changed, plan.closed, plan.unchanged) == ((), (), 0)


def test_a_created_commune_is_written_as_actes_writes_it() -> None:
    created = cog.changes([], YEAR_ONE).created[1]

    assert created == KnownOrganisation(
        kind="commune",
        name="Melle",
        siren="217901743",
        insee="79174",
        nature="31",
        departement="079",
        arrondissement="2",
        epci_siren=MELLOIS,
        population=500,
    )


@pytest.mark.parametrize(
    ("kind", "nature"), [("CC", "44"), ("CU", "45"), ("CA", "46"), ("METRO", ""), ("MET69", "")]
)
def test_the_nature_of_an_epci_follows_its_type(kind: str, nature: str) -> None:
    assert cog.epci_organisation(EPCI._replace(type=kind)).nature == nature


def test_comparing_again_after_the_import_gives_nothing() -> None:
    plan = cog.changes(known_of(YEAR_ONE), YEAR_ONE)

    assert plan.is_empty
    assert plan.unchanged == 4


def test_only_the_wanted_territory_is_created() -> None:
    other = a_commune("79191", "Niort", "217901917", epci_siren="200041317")
    facts = some_facts(MELLE, other, epcis=[EPCI._replace(members=("79174",))])

    plan = cog.changes([], facts, wanted=cog.territory(facts, epcis=[MELLOIS]))

    assert "Niort" not in {body.name for body in plan.created}
    assert "Melle" in {body.name for body in plan.created}


def test_a_departement_is_a_territory_with_its_epci() -> None:
    assert cog.territory(YEAR_ONE, departements=["79"]) == {MELLOIS, "79174", "79295", "79064"}


def test_the_epci_of_a_wanted_commune_is_created_with_it() -> None:
    plan = cog.changes([], YEAR_ONE, wanted={"79174"})

    assert [body.name for body in plan.created] == ["CC Mellois en Poitou", "Melle"]


def test_a_known_commune_is_compared_even_when_it_is_not_wanted() -> None:
    known = replace(cog.commune_organisation(MELLE), name="Mêle")

    assert len(cog.changes([known], YEAR_ONE, wanted=set()).changed) == 1


def test_a_change_tells_each_field_with_its_old_and_new_value() -> None:
    known = known_of(YEAR_ONE)
    facts = some_facts(
        MELLE._replace(name="Melle-la-Romane", population=600), ROMANS, CHAIL, epcis=[EPCI]
    )

    plan = cog.changes(known, facts)

    assert [change.fields for change in plan.changed] == [
        (FieldChange("name", "Melle", "Melle-la-Romane"), FieldChange("population", 500, 600))
    ]
    assert plan.unchanged == 3
    assert cog.changes(applied(known, plan), facts).is_empty


def test_a_commune_that_changes_epci_brings_its_new_epci() -> None:
    known = known_of(YEAR_ONE)
    thouarsais = Epci("247900798", "CC du Thouarsais", "CC", "FPU", 510, 500, ("79064",))
    facts = some_facts(
        MELLE, ROMANS, CHAIL._replace(epci_siren=thouarsais.siren), epcis=[EPCI, thouarsais]
    )

    plan = cog.changes(known, facts, wanted=set())

    assert [body.name for body in plan.created] == ["CC du Thouarsais"]
    assert plan.changed[0].fields == (FieldChange("epci_siren", MELLOIS, thouarsais.siren),)
    assert cog.changes(applied(known, plan), facts, wanted=set()).is_empty


def test_a_chef_lieu_that_moves_changes_the_code_and_not_the_person() -> None:
    known = known_of(YEAR_ONE)
    facts = some_facts(MELLE._replace(insee="79999", former_codes=("79174",)), ROMANS, CHAIL)

    plan = cog.changes(known, facts)

    assert [change.fields for change in plan.changed] == [(FieldChange("insee", "79174", "79999"),)]
    assert (plan.created, plan.closed) == ((), ())


def test_a_community_that_becomes_an_agglomeration_changes_its_nature() -> None:
    plan = cog.changes(
        known_of(YEAR_ONE), some_facts(MELLE, ROMANS, CHAIL, epcis=[EPCI._replace(type="CA")])
    )

    assert [change.fields for change in plan.changed] == [(FieldChange("nature", "44", "46"),)]


@pytest.mark.parametrize("silence", [{"population": None}, {"arrondissement": ""}, {"siren": ""}])
def test_where_the_facts_are_silent_the_directory_keeps_what_it_has(
    silence: dict[str, object],
) -> None:
    facts = some_facts(MELLE._replace(**silence), ROMANS, CHAIL)

    assert cog.changes(known_of(YEAR_ONE), facts).is_empty


def test_a_missing_siren_is_filled_in_by_the_code() -> None:
    known = replace(cog.commune_organisation(MELLE), siren="")

    plan = cog.changes([known], YEAR_ONE, wanted=set())

    assert plan.changed[0].fields == (FieldChange("siren", "", "217901743"),)


def test_a_new_commune_without_a_siren_is_rejected_and_not_lost() -> None:
    plan = cog.changes([], some_facts(MELLE._replace(siren=""), epcis=[]))

    assert [body.name for body in plan.rejected] == ["Melle"]
    assert plan.created == ()
    assert plan.is_empty


def test_a_commune_absorbed_as_commune_deleguee_is_closed_for_its_chef_lieu() -> None:
    known = known_of(YEAR_ONE)
    facts = some_facts(MELLE, CHAIL, former=[ROMANS_DELEGUEE])

    plan = cog.changes(known, facts)

    assert plan.closed == (Closure(cog.commune_organisation(ROMANS), Reason.MERGED, MELLE),)
    assert plan.created == ()


def test_a_commune_absorbed_without_becoming_deleguee_is_closed_too() -> None:
    facts = some_facts(MELLE._replace(former_codes=("79295",)), CHAIL)

    plan = cog.changes(known_of(YEAR_ONE), facts)

    assert [(c.known.name, c.reason, c.successor) for c in plan.closed] == [
        ("Saint-Romans-lès-Melle", Reason.MERGED, facts.commune("79174"))
    ]


def test_a_commune_nouvelle_is_a_new_person_at_the_code_of_its_chef_lieu() -> None:
    known = known_of(YEAR_ONE)
    nouvelle = MELLE._replace(siren="200081511", population=1_000)
    facts = some_facts(nouvelle, CHAIL, former=[ROMANS_DELEGUEE])

    plan = cog.changes(known, facts)

    assert [(body.siren, body.insee) for body in plan.created] == [("200081511", "79174")]
    assert plan.closed == (
        Closure(cog.commune_organisation(MELLE), Reason.NEW_LEGAL_PERSON, nouvelle),
        Closure(cog.commune_organisation(ROMANS), Reason.MERGED, nouvelle),
    )
    assert plan.unchanged == 2


def test_a_merger_once_applied_gives_nothing_more() -> None:
    known = known_of(YEAR_ONE)
    facts = some_facts(MELLE._replace(siren="200081511"), CHAIL, former=[ROMANS_DELEGUEE])
    plan = cog.changes(known, facts)

    again = cog.changes(applied(known, plan), facts, known_former=applied_former([], plan))

    assert again.is_empty
    assert again.unchanged == 3


def test_the_successor_of_a_closed_commune_is_created_even_if_not_wanted() -> None:
    facts = some_facts(MELLE._replace(siren="200081511"), former=[ROMANS_DELEGUEE])

    plan = cog.changes([cog.commune_organisation(ROMANS)], facts, wanted=set())

    assert [body.siren for body in plan.created] == [MELLOIS, "200081511"]


def test_a_body_that_vanishes_without_a_trace_is_closed_without_successor() -> None:
    plan = cog.changes(known_of(YEAR_ONE), some_facts(MELLE, ROMANS, epcis=[]))

    assert [(c.known.name, c.reason, c.successor) for c in plan.closed] == [
        ("CC Mellois en Poitou", Reason.ABSENT, None),
        ("Chail", Reason.ABSENT, None),
    ]


def test_a_closed_body_is_not_closed_twice() -> None:
    known = replace(cog.commune_organisation(ROMANS), closed_on=NEW_YEAR)

    assert cog.changes([known], some_facts(MELLE), wanted=set()).is_empty


def test_a_closed_body_without_siren_does_not_take_the_code_of_the_living() -> None:
    known = replace(cog.commune_organisation(MELLE), siren="", closed_on=NEW_YEAR)

    plan = cog.changes([known], YEAR_ONE, wanted={"79174"})

    assert (plan.changed, len(plan.created)) == ((), 2)


def test_a_commune_that_is_restored_is_reopened() -> None:
    known = replace(cog.commune_organisation(ROMANS), closed_on=NEW_YEAR)

    plan = cog.changes([known], YEAR_ONE, wanted=set())

    assert plan.changed[0].fields == (FieldChange("closed_on", NEW_YEAR, None),)


def test_a_body_found_by_its_siren_is_not_found_again_by_its_code() -> None:
    twin = replace(cog.commune_organisation(MELLE), siren="", name="Melle (doublon)")

    plan = cog.changes([cog.commune_organisation(MELLE), twin], YEAR_ONE, wanted=set())

    assert [closure.known for closure in plan.closed] == [twin]
    assert plan.changed == ()


def test_bodies_of_which_the_facts_say_nothing_are_left_alone() -> None:
    syndicat = KnownOrganisation(kind="syndicat", name="Syndicat mixte", siren="257900000")

    plan = cog.changes([syndicat], YEAR_ONE, wanted=set())

    assert plan.is_empty
    assert plan.unchanged == 0


def test_a_commune_deleguee_is_never_created_as_a_body() -> None:
    plan = cog.changes([], some_facts(MELLE, former=[ROMANS_DELEGUEE]))

    assert [body.insee for body in plan.created if body.insee] == ["79174"]
    assert plan.former_recorded == (ROMANS_DELEGUEE,)


def test_former_communes_are_recorded_only_for_a_chef_lieu_we_hold() -> None:
    facts = some_facts(MELLE, CHAIL, former=[ROMANS_DELEGUEE])

    assert cog.changes([], facts, wanted={"79064"}).former_recorded == ()


def test_a_known_former_commune_is_corrected_or_dropped() -> None:
    facts = some_facts(MELLE, CHAIL, former=[ROMANS_DELEGUEE])
    known = [
        KnownFormer("79295", "Saint-Romans", "79174"),
        KnownFormer("79110", "Ancienne commune", "79174"),
    ]

    plan = cog.changes(known_of(facts), facts, known_former=known)

    assert plan.former_recorded == (ROMANS_DELEGUEE,)
    assert plan.former_dropped == (known[1],)
    assert cog.changes(known_of(facts), facts, known_former=applied_former(known, plan)).is_empty


def test_the_mellois_is_imported_with_its_58_communes_and_nothing_else() -> None:
    facts = load()

    plan = cog.changes([], facts, wanted=cog.territory(facts, epcis=[MELLOIS]))

    assert [body.siren for body in plan.created if body.kind == cog.Kind.EPCI] == [MELLOIS]
    assert sum(1 for body in plan.created if body.kind == cog.Kind.COMMUNE) == 58
    assert plan.former_recorded
    assert {f.chef_lieu for f in plan.former_recorded} <= {body.insee for body in plan.created}


def test_france_is_imported_once() -> None:
    facts = load()
    plan = cog.changes([], facts)

    again = cog.changes(applied([], plan), facts, known_former=applied_former([], plan))

    assert len(plan.created) == 34_875 + 1_255
    assert len(plan.rejected) == 94
    assert again.is_empty
    assert again.unchanged == len(plan.created)
