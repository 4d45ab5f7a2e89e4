"""The facts shipped: counted, consistent, and quick to read."""

import json
import lzma
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from socle.core.identifiers import check_insee_commune, check_siren
from socle.core.text import slug_host
from socle.directory import facts as package
from socle.directory.facts import Commune, Facts, FormerKind, build, load, offices
from socle.directory.facts.names import Liaison, of_territory, of_town

MELLOIS = "200069755"


@pytest.fixture(scope="module")
def facts() -> Facts:
    return load()


def commune(facts: Facts, insee: str) -> Commune:
    found = facts.commune(insee)
    assert found is not None
    return found


def test_france_is_whole(facts: Facts) -> None:
    assert len(facts.communes) == 34_969
    assert len(facts.epcis) == 1_255
    assert len(facts.arrondissements) == 333
    assert sum(1 for d in facts.departements if d.zone != "com") == 101
    assert sum(1 for d in facts.departements if d.zone == "com") == 8
    assert len({d.region for d in facts.departements if d.zone != "com"}) == 18


def test_former_communes_are_all_there(facts: Facts) -> None:
    assert Counter(f.kind for f in facts.former_communes) == {
        FormerKind.DELEGUEE: 2_105,
        FormerKind.ASSOCIEE: 471,
    }


def test_the_kinds_of_epci_are_those_of_the_dgcl(facts: Facts) -> None:
    assert Counter(e.type for e in facts.epcis) == {
        "CC": 989,
        "CA": 230,
        "METRO": 21,
        "CU": 14,
        "MET69": 1,
    }


def test_every_siren_has_a_right_key(facts: Facts) -> None:
    sirens = [c.siren for c in facts.communes if c.siren] + [e.siren for e in facts.epcis]

    assert [siren for siren in sirens if check_siren(siren) != siren] == []
    assert len(set(sirens)) == len(sirens) == 34_875 + 1_255


def test_only_overseas_collectivities_lack_a_siren(facts: Facts) -> None:
    without = Counter(c.departement for c in facts.communes if not c.siren)

    assert without.total() == 94
    assert set(without) == {"975", "977", "978", "984", "986", "987", "988", "989"}


def test_every_code_is_a_commune_code(facts: Facts) -> None:
    codes = [c.insee for c in facts.communes] + [f.insee for f in facts.former_communes]

    assert [code for code in codes if check_insee_commune(code) != code] == []
    assert len({c.insee for c in facts.communes}) == len(facts.communes)


def test_every_reference_leads_somewhere(facts: Facts) -> None:
    assert [f for f in facts.former_communes if facts.commune(f.chef_lieu) is None] == []
    assert [d for d in facts.departements if facts.commune(d.chef_lieu) is None] == []
    assert [a for a in facts.arrondissements if facts.commune(a.chef_lieu) is None] == []
    assert [c for c in facts.communes if facts.departement(c.departement) is None] == []
    arrondissements = {c.arrondissement for c in facts.communes} - {""}
    assert [code for code in arrondissements if facts.arrondissement(code) is None] == []
    assert sum(len(facts.members(e.siren)) for e in facts.epcis) == 34_871


def test_only_mayotte_and_the_overseas_collectivities_lack_an_arrondissement(facts: Facts) -> None:
    without = {c.departement for c in facts.communes if not c.arrondissement}

    assert without == {"976", "975", "977", "978", "984", "986", "987", "988", "989"}


def test_only_four_island_communes_have_a_siren_and_no_epci(facts: Facts) -> None:
    alone = [c.name for c in facts.communes if c.siren and not c.epci_siren]

    assert alone == ["Île-de-Bréhat", "Île-de-Sein", "Ouessant", "L'Île-d'Yeu"]


def test_the_mellois_en_poitou_has_its_58_communes(facts: Facts) -> None:
    epci = facts.epci(MELLOIS)
    members = facts.members(MELLOIS)

    assert epci is not None
    assert (epci.name, epci.type, epci.financing) == ("CC Mellois en Poitou", "CC", "FPU")
    assert (epci.population_totale, epci.population_municipale) == (47_731, 46_490)
    assert len(members) == 58
    assert {(c.departement, c.arrondissement, c.region, c.epci_siren) for c in members} == {
        ("79", "792", "75", MELLOIS)
    }
    assert sum(c.population or 0 for c in members) == 46_390


def test_melle_is_what_it_is(facts: Facts) -> None:
    assert commune(facts, "79174") == Commune(
        insee="79174",
        name="Melle",
        liaison=Liaison.CONSONANT,
        siren="200081511",
        departement="79",
        region="75",
        arrondissement="792",
        epci_siren=MELLOIS,
        population=5_752,
        population_totale=6_063,
        postal_codes=("79500",),
        former_codes=("79110", "79173", "79199", "79264", "79279"),
    )
    assert commune(facts, "79174").district == "2"


def test_a_commune_is_found_by_its_siren(facts: Facts) -> None:
    assert facts.commune_of_siren("200081511") == facts.commune("79174")


def test_the_deux_sevres_have_252_communes(facts: Facts) -> None:
    communes = facts.communes_of_departement("79")

    assert len(communes) == 252
    assert {c.departement for c in communes} == {"79"}


def test_what_does_not_exist_is_answered_by_nothing(facts: Facts) -> None:
    assert facts.commune("79110") is None
    assert facts.commune_of_siren("") is None
    assert facts.epci("200081511") is None
    assert facts.members("200081511") == ()
    assert facts.communes_of_departement("20") == ()
    assert facts.former_commune("79191") is None


def test_a_merged_commune_has_its_successor(facts: Facts) -> None:
    deleguee = facts.former_commune("79279")

    assert deleguee is not None
    assert (deleguee.name, deleguee.kind) == ("Saint-Martin-lès-Melle", FormerKind.DELEGUEE)
    assert facts.successor("79279") == facts.commune("79174")


def test_a_commune_wholly_absorbed_has_its_successor_too(facts: Facts) -> None:
    assert facts.former_commune("79110") is None
    assert facts.successor("79110") == facts.commune("79174")


def test_a_code_of_today_has_no_successor(facts: Facts) -> None:
    assert facts.former_commune("79174") is not None, "Melle is also a commune déléguée of Melle"
    assert facts.successor("79174") is None


def test_six_villages_destroyed_in_1916_have_no_inhabitant(facts: Facts) -> None:
    assert [c.insee for c in facts.communes if c.population == 0] == [
        "55039",
        "55050",
        "55139",
        "55189",
        "55239",
        "55307",
    ]


def test_each_population_tells_its_year(facts: Facts) -> None:
    assert facts.population_year("79174") == 2023
    assert facts.population_year("97611") == 2017
    assert facts.population_year("98735") is None
    assert facts.header.population_totale_year == 2022


def test_the_header_and_the_notice_name_the_source_and_its_licence(facts: Facts) -> None:
    notice = Path(package.__file__).with_name("NOTICE.md").read_text(encoding="utf-8")

    assert (facts.header.version, facts.header.cog_date) == ("6.0.0", "2026-01-01")
    assert facts.header.version in notice
    assert facts.header.package in notice
    assert facts.header.licence in notice
    assert facts.header.licence_url in notice


def test_the_file_stays_small() -> None:
    assert package.FILE.stat().st_size < 1_200_000


def test_the_facts_are_read_once() -> None:
    assert load() is load()


def test_every_commune_has_a_host_label(facts: Facts) -> None:
    labels = [slug_host(c.name) for c in facts.communes]

    assert [label for label in labels if not re.fullmatch(r"[a-z0-9-]{1,63}", label)] == []


@pytest.mark.parametrize(
    ("insee", "expected"),
    [
        ("79174", "de Melle"),
        ("79185", "d'Aigondigné"),
        ("79346", "du Vert"),
        ("79126", "des Fosses"),
        ("79184", "de La Mothe-Saint-Héray"),
        ("85113", "de L'Île-d'Yeu"),
        ("98818", "de Nouméa"),
    ],
)
def test_communes_are_named_in_good_french(facts: Facts, insee: str, expected: str) -> None:
    assert commune(facts, insee).of == expected


@pytest.mark.parametrize(
    ("name", "liaison", "expected"),
    [
        ("Aux Marais", Liaison.AUX, "d'Aux Marais"),
        ("Los Masos", Liaison.LOS, "de Los Masos"),
    ],
)
def test_rare_articles_are_left_alone(name: str, liaison: Liaison, expected: str) -> None:
    assert of_town(name, liaison) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("79", "Préfecture des Deux-Sèvres"),
        ("01", "Préfecture de l'Ain"),
        ("28", "Préfecture d'Eure-et-Loir"),
        ("33", "Préfecture de la Gironde"),
        ("59", "Préfecture du Nord"),
        ("974", "Préfecture de La Réunion"),
    ],
)
def test_every_departement_has_its_prefecture(facts: Facts, code: str, expected: str) -> None:
    prefecture = offices.offices_of(facts, code)[0]

    assert (prefecture.kind, prefecture.name) == (offices.OfficeKind.PREFECTURE, expected)


def test_a_territory_takes_its_article() -> None:
    assert of_territory("Mayotte", Liaison.CONSONANT) == "de Mayotte"


def test_the_offices_of_the_deux_sevres(facts: Facts) -> None:
    assert [
        (o.name, o.departement, o.arrondissement, o.seat, o.verified)
        for o in (offices.offices_of(facts, "79"))
    ] == [
        ("Préfecture des Deux-Sèvres", "079", "2", "79191", True),
        ("Sous-préfecture de Bressuire", "079", "1", "79049", True),
        ("Sous-préfecture de Parthenay", "079", "3", "79202", True),
        ("SGC de Melle", "079", "", "79174", False),
    ]


def test_every_departement_has_one_office_for_each_arrondissement(facts: Facts) -> None:
    for departement in (d for d in facts.departements if d.zone != "com"):
        districts = [
            o.arrondissement
            for o in offices.offices_of(facts, departement.code)
            if o.kind != offices.OfficeKind.ACCOUNTING_SERVICE
        ]
        own = [a.code[-1] for a in facts.arrondissements if a.departement == departement.code]

        assert sorted(districts) == sorted(own or [""]), departement.name


def test_overseas_collectivities_have_no_prefecture(facts: Facts) -> None:
    assert offices.offices_of(facts, "987") == ()
    assert offices.control_office(facts, commune(facts, "98735")) is None


@pytest.mark.parametrize(
    ("insee", "office"),
    [
        ("79174", "Préfecture des Deux-Sèvres"),
        ("79049", "Sous-préfecture de Bressuire"),
        ("79202", "Sous-préfecture de Parthenay"),
        ("97611", "Préfecture de Mayotte"),
    ],
)
def test_a_commune_depends_on_the_office_of_its_arrondissement(
    facts: Facts, insee: str, office: str
) -> None:
    found = offices.control_office(facts, commune(facts, insee))

    assert found is not None
    assert found.name == office


def a_package(folder: Path, **data: Any) -> Path:
    """Lay out an npm package with one commune déléguée in one commune of one EPCI."""
    melle = {"code": "79174", "nom": "Melle", "departement": "79", "type": "commune-actuelle"}
    part = {"code": "79279", "nom": "Saint-Martin", "type": "commune-deleguee", "chefLieu": "79174"}
    district = {"code": "75056001", "type": "arrondissement-municipal"}
    member = {"code": "79174", "populationTotale": 6063}
    epci = {"code": MELLOIS, "nom": "CC", "type": "CC", "modeFinancement": "FPU"}
    content = {
        "regions": [{"code": "75", "nom": "Nouvelle-Aquitaine", "chefLieu": "33063"}],
        "departements": [
            {"code": "79", "nom": "Deux-Sèvres", "typeLiaison": 4, "region": "75"}
            | {"chefLieu": "79191", "zone": "metro"}
        ],
        "arrondissements": [],
        "communes": [melle, part, district],
        "epci": [
            epci | {"populationTotale": 6063, "populationMunicipale": 5790, "membres": [member]}
        ],
        **data,
    }
    (folder / "data").mkdir()
    (folder / "package.json").write_text('{"version": "6.0.0"}')
    for name, rows in content.items():
        (folder / "data" / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder


def test_the_file_is_made_from_the_package(tmp_path: Path) -> None:
    made = package.parse(lzma.decompress(build.build(a_package(tmp_path))))

    assert [(c.insee, c.siren, c.population, c.population_totale) for c in made.communes] == [
        ("79174", "", None, 6063)
    ]
    assert [(f.insee, f.kind, f.chef_lieu) for f in made.former_communes] == [
        ("79279", FormerKind.DELEGUEE, "79174")
    ]
    assert [c.insee for c in made.members(MELLOIS)] == ["79174"]
    assert made.commune("79174") in made.communes_of_departement("79")


def test_the_maintainer_command_writes_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "cog.json.xz"
    monkeypatch.setattr(build, "FILE", written)

    build.main([str(a_package(tmp_path))])

    assert package.parse(lzma.decompress(written.read_bytes())).epci(MELLOIS) is not None
    assert capsys.readouterr().out == f"cog.json.xz: {written.stat().st_size} bytes\n"


def test_the_same_package_makes_the_same_bytes(tmp_path: Path) -> None:
    folder = a_package(tmp_path)

    assert build.build(folder) == build.build(folder)


def test_a_commune_outside_its_departement_stops_the_making(tmp_path: Path) -> None:
    stray = {"code": "79174", "nom": "Melle", "departement": "86", "type": "commune-actuelle"}

    with pytest.raises(ValueError, match="79174"):
        build.build(a_package(tmp_path, communes=[stray]))


@pytest.mark.parametrize(
    ("name", "liaison"),
    [
        ("Nouméa", Liaison.CONSONANT),
        ("Uvea", Liaison.VOWEL),
        ("Île de Clipperton", Liaison.VOWEL),
        ("Le Mont-Dore", Liaison.LE),
        ("La Foa", Liaison.LA),
        ("L'Île-des-Pins", Liaison.L_APOSTROPHE),
    ],
)
def test_a_missing_article_is_deduced(tmp_path: Path, name: str, liaison: Liaison) -> None:
    row = {"code": "79001", "nom": name, "departement": "79", "type": "commune-actuelle"}
    made = package.parse(lzma.decompress(build.build(a_package(tmp_path, communes=[row], epci=[]))))

    assert made.communes[0].liaison is liaison
