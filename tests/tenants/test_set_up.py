"""`manage set_up` opens a new installation to its first administrator."""

import io
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from socle.accounts.capabilities import Role
from socle.accounts.models import Authenticator, Person
from socle.directory import queries
from socle.directory.models import Grant, Organisation, OrganisationKind
from socle.journal.models import Entry
from tenants.models import Tenant
from tests.people import on_portal

GOOD = {
    "siren": "200 012 342",
    "name": "Syndicat mixte de l’Exemple",
    "departement": "79",
    "email": "Prenom.Nom@exemple.fr",
    "first_name": "Prénom",
    "last_name": "Nom",
}


@pytest.fixture
def nobody(portal: Any) -> None:
    """An installation that was migrated and holds no syndicat yet."""
    with connection.cursor() as cursor:
        # The world's syndicat has a space and a journal: it becomes a body among others.
        cursor.execute("UPDATE directory_organisation SET kind = 'other' WHERE kind = 'syndicat'")


def run(*switches: str, **changes: str) -> str:
    words = [f"--{name.replace('_', '-')}={value}" for name, value in (GOOD | changes).items()]
    out = io.StringIO()
    call_command("set_up", *words, *switches, stdout=out)
    return out.getvalue()


def password_of(said: str) -> str:
    (password,) = re.findall(r"^Premier mot de passe : (\S+)$", said, re.M)
    return str(password)


def enters(password: str) -> Any:
    return on_portal().post("/connexion/", {"email": "prenom.nom@exemple.fr", "password": password})


def test_the_syndicat_has_its_space_and_its_administrator(nobody: None) -> None:
    run()
    syndicat = queries.syndicat()
    assert (syndicat.siren, syndicat.departement) == ("200012342", "079")
    assert Tenant.objects.get(organisation=syndicat).schema_name == "t_200012342"
    grant = Grant.objects.get(organisation=syndicat)
    assert grant.person.email == "prenom.nom@exemple.fr"
    assert set(grant.roles) == {Role.ADMINISTRATOR, Role.OFFICER}
    assert Entry.objects.filter(event="directory.granted", actor_label="installation").exists()


def test_the_first_password_leads_to_tying_a_phone(nobody: None) -> None:
    password = password_of(run())
    assert len(password) >= 16
    assert enters(password).url.startswith("/connexion/telephone/")


def test_what_may_be_said_of_the_syndicat_is_kept(nobody: None) -> None:
    run(siret="20001234200016", nature="41", arrondissement="2", postal_code="79500")
    syndicat = queries.syndicat()
    assert (syndicat.siret, syndicat.nature) == ("20001234200016", "41")
    assert (syndicat.arrondissement, syndicat.postal_code) == ("2", "79500")


def test_running_again_changes_nothing_and_shows_no_password(nobody: None) -> None:
    password = password_of(run())
    counts = [model.objects.count() for model in (Organisation, Tenant, Person, Grant)]

    said = run()

    assert "mot de passe n’est pas changé" in said
    assert "Premier mot de passe" not in said
    assert [model.objects.count() for model in (Organisation, Tenant, Person, Grant)] == counts
    assert enters(password).status_code == 302


def test_a_first_password_that_was_lost_is_replaced_before_she_came_in(nobody: None) -> None:
    lost = password_of(run())
    found = password_of(run("--new-password"))
    assert enters(found).status_code == 302
    assert enters(lost).status_code == 200


def test_the_password_of_somebody_who_came_in_is_hers(nobody: None) -> None:
    password = password_of(run())
    person = Person.objects.get(email="prenom.nom@exemple.fr")
    device = Authenticator.prepare(person)
    Authenticator.objects.filter(pk=device.pk).update(confirmed=True)
    with pytest.raises(CommandError, match="a déjà relié son téléphone"):
        run("--new-password")
    assert enters(password).status_code == 302


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"siren": "200012345"}, "Le SIREN « 200012345 » n'existe pas"),
        ({"siren": "2000"}, "doit compter 9 chiffres"),
        ({"siren": "200081511"}, "est celui de « Melle »"),
        ({"name": " "}, "n’a pas de nom"),
        ({"departement": "20"}, "Le département « 20 » n'existe pas"),
        ({"email": "prenom.nom"}, "n’est pas une adresse électronique"),
        ({"first_name": ""}, "un prénom et un nom"),
        ({"siret": "20001234500018"}, "Le SIRET"),
        ({"siret": "25790233800017"}, "ne commence pas par le SIREN"),
        ({"nature": "99"}, "n'existe pas dans ACTES"),
        ({"postal_code": "795000"}, "code postal"),
    ],
)
def test_nonsense_is_refused_and_leaves_nothing(
    nobody: None, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        run(**changes)
    assert not Organisation.objects.filter(kind=OrganisationKind.SYNDICAT).exists()
    assert not Person.objects.filter(email="prenom.nom@exemple.fr").exists()


def test_an_installation_serves_one_syndicat(portal: Any, syndicat: Organisation) -> None:
    with pytest.raises(CommandError, match="a déjà son syndicat"):
        run()


def test_the_first_administrator_adds_the_others(nobody: None) -> None:
    run()
    with pytest.raises(CommandError, match=r"prenom.nom@exemple.fr.*depuis le portail"):
        run(email="autre@exemple.fr")
    assert not Person.objects.filter(email="autre@exemple.fr").exists()
