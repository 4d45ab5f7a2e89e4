"""The façade of HELIOS, as a finance software meets it."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
import time_machine
from lxml import etree

from socle.accounts.models import Person
from socle.delivery.models import TransmissionOperator
from socle.directory.models import Protocol, TransmissionRight
from socle.documents import actions as documents
from socle.helios import returns
from socle.helios.models import FlowState, PesFlow, PesRetour
from socle.journal.models import Entry
from tests.api.conftest import Software, content, lines
from tests.helios.conftest import melle, send
from tests.helios.test_returns import acquit, receive

H = "/modules/helios/"


@pytest.fixture(autouse=True)
def _today(noon: datetime) -> Any:
    with time_machine.travel(noon, tick=False):
        yield


@pytest.fixture
def finance(software_of: Callable[[Person], Software], secretary: Person, town: Any) -> Software:
    TransmissionRight.objects.create(
        organisation=town.organisation,
        protocol=Protocol.HELIOS,
        operator="exercice",
        reference="Formulaire d’adhésion",
        starts_on=date(2020, 1, 1),
    )
    return software_of(secretary)


def posted(finance: Software, pes: bytes | None = None) -> etree._Element:
    files = [("enveloppe", "PES.xml", melle() if pes is None else pes)]
    answer = finance.post(f"{H}api/helios_importer_fichier.php", {}, files)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    assert answer.content.isascii()
    return etree.fromstring(answer.content)


def status(finance: Software, number: str) -> etree._Element:
    answer = finance.get(f"{H}api/helios_transac_get_status.php", transaction=number)
    return etree.fromstring(content(answer))


def test_a_flow_is_taken_in_and_leaves(finance: Software) -> None:
    answer = posted(finance)
    assert (answer.tag, answer.findtext("resultat")) == ("import", "OK")
    flow = PesFlow.objects.get()
    assert (answer.findtext("id"), flow.state) == (str(flow.pk), FlowState.SENDING)
    assert status(finance, str(flow.pk)).findtext("status") == "1"


def test_the_same_flow_twice_is_a_doublon(finance: Software) -> None:
    posted(finance)
    again = posted(finance)
    assert again.findtext("resultat") == "KO"
    assert "déjà" in (again.findtext("message") or "")
    assert PesFlow.objects.count() == 1


@pytest.mark.parametrize(
    "pes", [b"", b"<a/>", b"\x00\x01", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"]
)
def test_what_is_no_flow_is_refused(finance: Software, pes: bytes) -> None:
    assert posted(finance, pes).findtext("resultat") == "KO"
    assert not PesFlow.objects.exists()


def test_a_real_operator_waits_for_a_person_with_her_certificate(finance: Software) -> None:
    TransmissionOperator.objects.update(is_exercise=False, requires_certificate=True)
    assert posted(finance).findtext("resultat") == "OK"
    flow = PesFlow.objects.get()
    assert flow.state == FlowState.READY
    assert status(finance, str(flow.pk)).findtext("status") == "14"


def test_the_acquit_is_given_byte_for_byte(
    finance: Software, secretary: Person, noon: datetime
) -> None:
    TransmissionOperator.objects.update(is_exercise=False, requires_certificate=True)
    posted(finance)
    TransmissionOperator.objects.update(is_exercise=True, requires_certificate=False)
    flow = send(PesFlow.objects.get(), secretary, noon)
    path = f"{H}helios_download_acquit.php"
    assert lines(finance.get(path, id=flow.pk))[0] == "KO"
    receive(acquit(), noon)
    assert status(finance, str(flow.pk)).findtext("status") == "4"
    assert content(finance.get(path, id=flow.pk)) == acquit()
    assert content(finance.get(f"{H}helios_download_file.php", id=flow.pk)) == melle()


@pytest.mark.parametrize("number", ["", "x", "0", "99999999999999999999"])
def test_a_number_that_names_nothing_is_refused(finance: Software, number: str) -> None:
    assert status(finance, number).findtext("resultat") == "KO"
    assert lines(finance.get(f"{H}helios_download_file.php", id=number))[0] == "KO"


def test_a_retour_is_listed_until_it_is_taken(finance: Software, noon: datetime) -> None:
    stored = documents.store(content=b"<PES_Retour/>", name="PES_1.xml", by="DGFiP", at=noon)
    retour = PesRetour.objects.create(stored=stored, sha256=stored.sha256, received_at=noon)
    listed = etree.fromstring(finance.get(f"{H}api/helios_get_list.php").content)
    [one] = listed.findall("pes_retour")
    assert (one.findtext("id"), one.findtext("nom")) == (str(retour.pk), "PES_1.xml")
    assert listed.findtext("idColl") == "200081511"
    path = f"{H}api/helios_get_retour.php"
    assert content(finance.get(path, id=retour.pk)) == b"<PES_Retour/>"
    taken = etree.fromstring(finance.get(f"{H}api/helios_change_status.php", id=retour.pk).content)
    assert taken.findtext("resultat") == "OK"
    empty = etree.fromstring(finance.get(f"{H}api/helios_get_list.php").content)
    assert (empty.tag, empty.findall("pes_retour")) == ("liste", [])


def test_taking_a_retour_twice_is_taking_it_once(
    finance: Software, secretary: Person, noon: datetime
) -> None:
    stored = documents.store(content=b"<PES_Retour/>", name="PES_1.xml", by="DGFiP", at=noon)
    retour = PesRetour.objects.create(stored=stored, sha256=stored.sha256, received_at=noon)
    assert returns.take(retour_id=retour.pk, by=secretary, at=noon)
    assert not returns.take(retour_id=retour.pk, by=secretary, at=noon)
    assert Entry.objects.filter(event="helios.retour_taken").count() == 1
