"""The délibérations of all communes in one public file."""

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django_tenants.utils import tenant_context

from socle.actes.exports import SCDL_COLUMNS
from socle.actes.models import Act, ActState, Posting
from socle.core.identifiers import siret_of
from socle.directory.models import Organisation, SpaceStop
from socle.documents.models import StoredFile
from socle.journal.models import Entry
from tenants.opendata import actions
from tenants.opendata.models import Edition
from tests.people import Browser, in_town, on_portal


def post(tenant: Any, number: str, *, at: datetime, nature: int = 1) -> Act:
    """An act the préfecture acknowledged and the commune posted."""
    siren = tenant.organisation.siren
    with tenant_context(tenant):
        act = Act.objects.create(
            number=number,
            nature=nature,
            matter="5.2",
            matter_label="Institutions et vie politique / Fonctionnement des assemblées",
            decided_on=date(2026, 11, 20),
            objet=f"Règlement intérieur, {siren}",
            state=ActState.ACKNOWLEDGED,
            identifier=f"079-{siren}-20261120-{number}-DE",
            created_at=at,
            deposited_at=at,
            received_on=date(2026, 11, 21),
            published_on=date(2026, 11, 22),
        )
        Posting.objects.create(
            act=act,
            author_name="Sylvie Exemple",
            author_quality="maire",
            posted_on=date(2026, 11, 22),
            posted_at=at,
        )
    return act


@pytest.fixture
def posted(portal: Any, melle: Any, neighbour: Any, noon: datetime) -> None:
    post(melle, "2026_001", at=noon)
    post(melle, "2026_002", at=noon)
    post(melle, "2026_A1", nature=2, at=noon)
    post(neighbour, "2026_001", at=noon)


@pytest.fixture
def melle(portal: Any) -> Any:
    from tenants.models import Tenant

    return Tenant.objects.select_related("organisation").get(organisation__siren="200081511")


@pytest.fixture
def anybody() -> Browser:
    return on_portal()


def lines(anybody: Browser) -> list[dict[str, str]]:
    got = anybody.get("/registre/deliberations.csv")
    assert got.status_code == 200
    content = b"".join(got.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(content)))


@pytest.mark.usefixtures("posted")
def test_one_file_holds_the_deliberations_of_every_commune(
    anybody: Browser, melle: Any, neighbour: Any, noon: datetime
) -> None:
    Organisation.objects.filter(pk=melle.organisation.pk).update(siret=siret_of("200081511"))
    edition = actions.publish(at=noon)
    found = lines(anybody)
    assert tuple(found[0]) == SCDL_COLUMNS
    assert [one["COLL_NOM"] for one in found] == [neighbour.organisation.name] + ["Melle"] * 2
    assert {one["COLL_SIRET"] for one in found[1:]} == {siret_of("200081511")}
    assert all(one["DELIB_URL"].endswith(f"{one['DELIB_ID']}-DE/") for one in found)
    assert edition.lines == 3
    assert connection.schema_name == "public"


@pytest.mark.usefixtures("posted")
def test_the_page_leads_to_each_register(anybody: Browser, neighbour: Any, noon: datetime) -> None:
    actions.publish(at=noon)
    page = anybody.get("/registre/").content.decode()
    host = neighbour.get_primary_domain().domain
    assert f"//{host}/actes/registre/" in page
    assert "3\N{NO-BREAK SPACE}délibérations de 2\N{NO-BREAK SPACE}collectivités" in page
    found = anybody.get("/registre/?q=CELLES").content.decode()
    assert host in found
    assert "Melle" not in found.split("<table")[1]
    assert "Aucune collectivité de ce nom" in anybody.get("/registre/?q=xyz").content.decode()


@pytest.mark.usefixtures("portal")
def test_before_the_first_edition_the_page_says_so(anybody: Browser) -> None:
    assert "n’est pas encore fait" in anybody.get("/registre/").content.decode()
    assert anybody.get("/registre/deliberations.csv").status_code == 404


@pytest.mark.usefixtures("posted")
def test_nothing_new_keeps_the_edition_and_dates_it_again(noon: datetime) -> None:
    first = actions.publish(at=noon)
    again = actions.publish(at=noon + timedelta(days=1))
    assert (again.pk, again.made_at) == (first.pk, noon)
    assert again.checked_at == noon + timedelta(days=1)
    assert Entry.objects.filter(event="opendata.published").count() == 1


@pytest.mark.usefixtures("posted")
def test_a_new_edition_takes_the_place_of_the_former(
    anybody: Browser, melle: Any, noon: datetime
) -> None:
    former = actions.publish(at=noon).stored
    with tenant_context(melle):
        Posting.objects.filter(act__number="2026_001").update(
            withdrawn_at=noon, withdrawn_by_label="Claire"
        )
    actions.publish(at=noon + timedelta(days=1))
    assert len(lines(anybody)) == 2
    assert Edition.objects.count() == 1
    assert not StoredFile.objects.filter(pk=former).exists()


@pytest.mark.usefixtures("posted")
def test_a_space_that_stands_still_is_left_out(
    anybody: Browser, melle: Any, noon: datetime
) -> None:
    SpaceStop.objects.create(organisation=melle.organisation, since=noon, reason="Fusion")
    actions.publish(at=noon)
    assert [one["COLL_NOM"] for one in lines(anybody)] == ["Celles-sur-Belle"]


@pytest.mark.usefixtures("posted")
def test_a_worker_that_dies_on_its_way_leaves_the_former_edition(
    anybody: Browser, melle: Any, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions.publish(at=noon)
    post(melle, "2026_003", at=noon)
    real = actions._gather

    def die_at_melle(tenant: Any, content: Any) -> Any:
        if tenant == melle:
            raise SystemExit
        return real(tenant, content)

    with monkeypatch.context() as patch:
        patch.setattr(actions, "_gather", die_at_melle)
        with pytest.raises(SystemExit):
            actions.publish(at=noon + timedelta(days=1))
    assert len(lines(anybody)) == 3
    actions.publish(at=noon + timedelta(days=1))
    assert len(lines(anybody)) == 4


@pytest.mark.usefixtures("portal")
def test_engines_read_published_acts_and_nothing_else(melle: Any, settings: Any) -> None:
    settings.DEMO = False
    town = in_town(melle).get("/robots.txt").content.decode().splitlines()
    assert town == ["User-agent: *", "Allow: /actes/registre/", "Disallow: /"]
    assert "Allow: /registre/" in on_portal().get("/robots.txt").content.decode()
    settings.DEMO = True
    assert "Allow" not in in_town(melle).get("/robots.txt").content.decode()


@pytest.mark.usefixtures("posted")
def test_a_commune_that_fails_keeps_no_other_out(
    anybody: Browser, melle: Any, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = actions._gather

    def fail_after_a_line(tenant: Any, content: Any) -> Any:
        if tenant == melle:
            content.write(b"half a li")
            raise RuntimeError("the disk of this commune")
        return real(tenant, content)

    monkeypatch.setattr(actions, "_gather", fail_after_a_line)
    assert actions.publish(at=noon).lines == 1
    assert [one["COLL_NOM"] for one in lines(anybody)] == ["Celles-sur-Belle"]
