"""The façade as a software of S²LOW meets it. Case ids are those of the exchange's reference."""

import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.accounts.models import LoginAttempt, Person
from socle.accounts.policies import WRONG_PASSWORDS_PER_PERSON
from socle.actes.models import Act, ActState
from socle.delivery.models import TransmissionOperator
from socle.directory.models import TransmissionRight
from socle.exercise.protocol.classification import CURRENT, full_return
from socle.journal.models import Entry
from tenants.api import actions
from tenants.api.actes import GetStatus
from tenants.api.models import SoftwareAccess
from tests.actes.conftest import PDF, PNG, hand_over, somebody
from tests.actes.test_returns import acknowledge, anomaly
from tests.api.conftest import Software, basic, content, lines
from tests.people import in_town

A = "/modules/actes/"


def created(answer: Any) -> int:
    """The number of an act just deposited: line 1 is OK, line 2 the number."""
    first, number, *_ = lines(answer)
    assert first == "OK", number
    return int(number)


def refused(answer: Any) -> str:
    first, why, *_ = lines(answer)
    assert first == "KO"
    return why


def status(software: Software, number: int) -> list[str]:
    return lines(software.get(f"{A}actes_transac_get_status.php", transaction=number))


@pytest.fixture
def acknowledged(software: Software) -> int:
    """The number of an act the préfecture acknowledged, with one annexe."""
    files = [("acte_pdf_file", "delib.pdf", PDF), ("acte_attachments[]", "plan.pdf", PDF)]
    number = created(software.create(files, **{"type_pj[]": ["70_DE"]}))
    act = Act.objects.get()
    hand_over(act)
    acknowledge(act)
    return number


# Who is calling.


def test_a_known_software_is_told_ok(software: Software) -> None:
    assert lines(software.get("/api/test-connexion.php"))[0] == "OK"


@pytest.mark.parametrize("wrong", ["", "Basic ???", "Bearer abc", basic("nobody", "x")])
def test_K15_an_unknown_software_is_refused(software: Software, wrong: str) -> None:
    software.authorization = wrong
    assert refused(software.get("/api/test-connexion.php")) == "Échec de l'authentification"
    assert Entry.objects.get(event="refused.api").outcome == "refused"


def test_K15_a_closed_access_is_refused(software: Software, secretary: Person) -> None:
    access = SoftwareAccess.objects.get()
    actions.close_access(access_id=access.pk, by=secretary, at=timezone.now())
    assert refused(software.get("/api/test-connexion.php")) == "Échec de l'authentification"


def test_K15_a_software_of_another_commune_is_refused(software: Software, neighbour: Any) -> None:
    elsewhere = Software(in_town(neighbour), software.authorization)
    assert refused(elsewhere.get("/api/test-connexion.php")) == "Échec de l'authentification"


def test_K15_A35_the_person_of_the_software_must_work_here(
    software: Software, secretary: Person
) -> None:
    secretary.grants.all().delete()
    assert refused(software.create()) == "Échec de l'authentification"


def test_K15_a_reader_deposits_nothing(
    software_of: Callable[[Person], Software], town: Any, right: Any
) -> None:
    who = somebody(Role.PREPARER, town)
    software = software_of(who)
    who.grants.update(roles=["reader"])
    assert refused(software.create()) == "Accès refusé"
    assert not Act.objects.exists()


def test_K15_a_commune_without_classification_has_nothing_to_give(
    software_of: Callable[[Person], Software], secretary: Person, right: Any
) -> None:
    said = refused(software_of(secretary).get(f"{A}actes_classification_fetch.php", api=1))
    assert said == "Erreur de récupération de la dernière classification."


def test_a_software_works_under_the_fence_of_its_commune(
    software: Software, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = []

    def serve(view: Any) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            roles.extend(cursor.fetchone())
        return HttpResponse(b"OK\n")

    monkeypatch.setattr(GetStatus, "serve", serve)
    software.get(f"{A}actes_transac_get_status.php")
    assert roles == ["t_200081511"]
    assert not connection.fenced


def test_wrong_secrets_are_slowed_down(software: Software) -> None:
    login = SoftwareAccess.objects.get().login
    right = software.authorization
    software.authorization = basic(login, "wrong")
    for _ in range(WRONG_PASSWORDS_PER_PERSON):
        refused(software.get("/api/test-connexion.php"))
    assert LoginAttempt.objects.count() == WRONG_PASSWORDS_PER_PERSON
    software.authorization = right
    assert "Trop d’essais" in refused(software.get("/api/test-connexion.php")).replace(
        "&#8217;", "’"
    )


def test_a_session_cookie_opens_nothing(town: Any, secretary: Person, right: Any) -> None:
    at_work = Software(in_town(town, secretary))
    assert refused(at_work.create()) == "Échec de l'authentification"


# Depositing.


def test_a_deposit_leaves_at_once_where_no_certificate_is_asked(
    software: Software, secretary: Person
) -> None:
    number = created(software.create())
    act = Act.objects.get()
    assert (act.state, act.number, act.deposited_by) == (ActState.QUEUED, "2026_017", secretary)
    assert act.objet == "Règlement intérieur de la salle"
    assert status(software, number)[:2] == ["OK", "1"]


def test_the_same_deposit_twice_is_one_act(software: Software) -> None:
    assert created(software.create()) == created(software.create())
    assert Act.objects.count() == 1


def test_another_text_under_the_same_number_is_refused(software: Software) -> None:
    created(software.create())
    said = refused(software.create([("acte_pdf_file", "b.pdf", PDF + b"\n% b")]))
    assert "2026_017" in said
    assert Act.objects.count() == 1


def test_the_subject_may_come_in_utf_8(software: Software) -> None:
    software.encoding = "utf-8"
    created(software.create(subject="Élection du délégué"))
    assert Act.objects.get().objet == "Élection du délégué"


def test_K14_a_business_software_writes_days_and_matters_its_own_way(software: Software) -> None:
    software.encoding = "utf-8"  # the only one in which Django reads the name of a file
    fields = {
        "number": "20190226001",
        "nature_code": "3",
        "type_acte": "99_AI",
        "decision_date": "26/02/2019",
        "classif1": "4-1-0-0-0",
        "classif2": None,
    }
    created(software.create([("acte_pdf_file", "arrêté du maire.pdf", PDF)], **fields))
    act = Act.objects.get()
    assert (act.matter, f"{act.decided_on:%Y-%m-%d}") == ("4.1", "2019-02-26")
    assert act.files.get().stored.name == "arrêté du maire.pdf"


def test_A34_an_annexe_without_its_type_is_named(software: Software) -> None:
    files = [
        ("acte_pdf_file", "delib.pdf", PDF),
        ("acte_attachments[]", "plan.pdf", PDF),
        ("acte_attachments[]", "photo.png", PNG),
    ]
    said = refused(software.create(files, **{"type_pj[]": ["70_DE"]}))
    assert said == "Annexe « photo.png » : typologie absente"
    assert not Act.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"decision_date": "2026-02-31"}, "date de décision"),
        ({"classif2": None}, "deux premiers niveaux"),
        ({"number": "_"}, "numéro"),
        ({"decision_date": "2999-01-01"}, "date"),
        ({"nature_code": "9"}, "nature"),
    ],
)
def test_a_wrong_deposit_says_why_and_keeps_nothing(
    software: Software, changes: dict[str, Any], said: str
) -> None:
    assert said in refused(software.create(**changes)).lower()
    assert not Act.objects.exists()


def test_a_deposit_without_file_is_refused(software: Software) -> None:
    said = refused(software.post(f"{A}actes_transac_create.php", {"number": "1", **_usual()}))
    assert said.startswith("Aucun fichier acte")


def test_thirty_annexes_pass(software: Software) -> None:
    files = [("acte_pdf_file", "delib.pdf", PDF)]
    files += [("acte_attachments[]", f"plan{n}.pdf", PDF) for n in range(30)]
    created(software.create(files, **{"type_pj[]": ["70_DE"] * 30}))
    assert Act.objects.get().files.count() == 31


def test_a_real_operator_waits_for_a_person_with_her_certificate(software: Software) -> None:
    TransmissionOperator.objects.update(is_exercise=False, requires_certificate=True)
    number = created(software.create())
    assert Act.objects.get().state == ActState.DRAFT
    assert status(software, number)[:2] == ["OK", "17"]


def test_a_software_may_ask_that_a_person_sends(software: Software) -> None:
    number = created(software.create(en_attente="1"))
    assert Act.objects.get().state == ActState.DRAFT
    assert status(software, number)[:2] == ["OK", "17"]


def test_a_deposit_that_waits_is_checked_all_the_same(software: Software) -> None:
    refused(software.create(en_attente="1", decision_date="2999-01-01"))
    assert not Act.objects.exists()


def test_a_software_of_a_preparer_never_sends(
    software_of: Callable[[Person], Software], town: Any, right: Any, classification: Any
) -> None:
    created(software_of(somebody(Role.PREPARER, town)).create())
    assert Act.objects.get().state == ActState.DRAFT


# What came back.


def test_the_status_carries_the_acknowledgement(software: Software, acknowledged: int) -> None:
    first, state, *xml = status(software, acknowledged)
    assert (first, state) == ("OK", "4")
    assert 'actes:DateReception="' in "\n".join(xml)
    alone = content(software.get(f"{A}actes_transac_get_ARActe.php", id=acknowledged))
    assert alone.decode("iso-8859-1") == "\n".join(xml)


def test_the_status_is_found_by_its_identifier(software: Software, acknowledged: int) -> None:
    path = f"{A}actes_transac_get_status.php"
    found = lines(software.get(path, unique_id=Act.objects.get().identifier))
    assert found[:2] == ["OK", "4"]
    assert refused(software.get(path, unique_id="079-x")) == "Enveloppe invalide."


def test_a_refusal_of_the_prefecture_is_its_words(software: Software) -> None:
    number = created(software.create())
    act = Act.objects.get()
    hand_over(act)
    anomaly(act, detail="Objet illisible à l'écran")
    assert status(software, number)[:3] == ["OK", "-1", "Objet illisible à l'écran"]


def test_the_files_come_in_the_order_they_were_sent(software: Software, acknowledged: int) -> None:
    answer = software.get(f"{A}actes_transac_get_files_list.php", transaction=acknowledged)
    xml, acte, annexe = json.loads(content(answer))
    assert xml["name"].endswith("_0.xml")
    assert (acte["posted_filename"], annexe["posted_filename"]) == ("delib.pdf", "plan.pdf")
    assert annexe["code_pj"] == "70_DE"
    assert content(software.get(f"{A}actes_download_file.php", file=acte["id"])) == PDF
    message = content(software.get(f"{A}actes_download_file.php", file=xml["id"]))
    archive = content(software.get(f"{A}actes_download_file.php", env=acknowledged))
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        inside = opened.extractfile(xml["name"])
        assert inside is not None
        assert inside.read() == message
    assert len(message) == xml["size"]


def test_J19_the_stamped_act_of_an_acknowledged_one_is_given(
    software: Software, acknowledged: int
) -> None:
    listed = json.loads(
        content(software.get(f"{A}actes_transac_get_files_list.php", transaction=acknowledged))
    )
    path = f"{A}actes_download_file.php"
    stamped = content(software.get(path, file=listed[1]["id"], tampon="true"))
    assert stamped != PDF
    assert len(pikepdf.open(io.BytesIO(stamped)).pages) == 1
    dated = content(
        software.get(path, file=listed[1]["id"], tampon="true", date_affichage="2026-11-24")
    )
    assert dated not in (stamped, PDF)
    assert Act.objects.get().published_on is None
    assert content(software.get(f"{A}actes_transac_get_tampon.php", transaction=acknowledged))
    bordereau = content(software.get(f"{A}actes_create_pdf.php", trans_id=acknowledged))
    assert bordereau.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("actes_transac_get_ARActe.php", "id"),
        ("actes_create_pdf.php", "trans_id"),
        ("actes_transac_get_files_list.php", "transaction"),
        ("actes_transac_get_tampon.php", "transaction"),
    ],
)
def test_before_the_acknowledgement_there_is_none_to_give(
    software: Software, path: str, name: str
) -> None:
    number = created(software.create())
    assert refused(software.get(A + path, **{name: number})) == "Pas d'acquittement recu"


@pytest.mark.parametrize("number", ["", "x", "0", "12", "99999999999999999999", "31"])
def test_a_number_that_names_nothing_is_refused(software: Software, number: str) -> None:
    for path in ("actes_transac_get_status.php", "actes_transac_get_document.php"):
        assert "invalide" in refused(software.get(A + path, transaction=number, id=number))


def test_an_act_is_cancelled_once(software: Software, acknowledged: int) -> None:
    path = f"{A}actes_transac_cancel.php"
    number = created(software.post(path, {"api": "1", "id": acknowledged}))
    assert Act.objects.get().state == ActState.CANCELLING
    assert status(software, number)[:2] == ["OK", "1"]
    assert "déjà en cours" in refused(software.post(path, {"api": "1", "id": acknowledged}))


def test_only_an_acknowledged_act_is_cancelled(software: Software) -> None:
    path, number = f"{A}actes_transac_cancel.php", created(software.create())
    assert "n'est pas en état" in refused(software.post(path, {"id": number}))
    assert refused(software.post(path, {})).startswith("Pas d'identifiant")
    assert "ne peut pas être annulé" in refused(software.post(path, {"id": number + 1}))


def test_K16_the_classification_is_given_byte_for_byte(software: Software) -> None:
    path = f"{A}actes_classification_fetch.php"
    first, again = (content(software.get(path, api=1)) for _ in range(2))
    assert first == again == full_return(CURRENT)
    for word in (b"CodeMatiere", b"Libelle", b"NatureActe", b"DateClassification"):
        assert word in first


def test_the_classification_is_asked_again_once_a_day(software: Software) -> None:
    path = f"{A}actes_classification_request.php"
    number = created(software.get(path, api=1))
    assert status(software, number)[:2] == ["OK", "1"]
    assert "moins d'un jour" in refused(software.get(path, api=1))


def test_K17_an_act_not_acknowledged_has_empty_facts(software: Software) -> None:
    created(software.create())
    answer = software.get(f"{A}api/list_actes.php", status_id=1)
    assert answer.content.isascii()
    [act] = json.loads(answer.content)["transactions"]
    assert (act["received_on"], act["cancelled_on"], act["number"]) == ("", "", "2026_017")
    assert isinstance(act["id"], int)
    counted = json.loads(software.get(f"{A}api/number_actes.php", status_id=1).content)
    assert counted["nb_transactions"] == 1


def test_a_list_is_bounded_and_costs_the_same(
    software: Software, django_assert_max_num_queries: Any
) -> None:
    now = timezone.now()
    Act.objects.bulk_create(
        Act(number=f"B{n}", objet="x", created_at=now, state=ActState.DRAFT) for n in range(250)
    )
    path = f"{A}api/list_actes.php"
    software.get(path, status_id=17)
    with django_assert_max_num_queries(14):
        answer = json.loads(software.get(path, status_id=17, limit=1000).content)
    assert (answer["limit"], len(answer["transactions"])) == (100, 100)


def test_the_convention_binds_a_software_too(software: Software, right: TransmissionRight) -> None:
    right.suspended_on, right.suspension_reason = right.starts_on, "incident de sécurité"
    right.save()
    assert "incident de sécurité" in refused(software.create())
    assert not Act.objects.exists()


def _usual() -> dict[str, str]:
    return {"nature_code": "1", "decision_date": "2026-11-20", "classif1": "5", "classif2": "2"}
