"""A budget, from the XML of the software to its envelope."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from lxml import etree

from socle.accounts.models import Person
from socle.actes import actions, budgets, queries
from socle.actes.models import Act, ActState
from socle.actes.protocol import budget
from socle.core.refusals import Refusal
from socle.journal.models import Entry
from tests.actes.conftest import AT, PDF, upload
from tests.actes.test_deposit import archive_of
from tests.actes.test_screens import browser, pdf, text  # noqa: F401
from tests.people import Browser

SIREN = "200081511"
CFU = "http://www.minefi.gouv.fr/cp/demat/doccfu"


def sealed(
    *, siret: str = f"{SIREN}00017", decision: str = "01", project: str = "false", cfu: bool = False
) -> bytes:
    """A budget written and sealed as the schema says: sums of the canonical XML without seal."""
    inner = (
        f'<DocumentBudgetaire xmlns="{budget.BUDGET}">\n   <VersionSchema V="108"/>\n   %s'
        f'<EnTeteDocBudgetaire>\n      <IdColl V="{siret}"/>\n      <LibelleColl V="MELLE"/>\n   '
        "</EnTeteDocBudgetaire>\n   <Budget>\n      <BlocBudget>\n         "
        f'<NatDec V="{decision}"/>\n         <Exer V="2026"/>\n         '
        f'<ProjetBudget V="{project}"/>\n      </BlocBudget>\n   </Budget>\n</DocumentBudgetaire>'
    )
    root = "CompteFinancierUnique"
    whole = f'<{root} xmlns="{CFU}">{inner}</{root}>' if cfu else inner
    canonical = etree.tostring(etree.fromstring(whole % ""), method="c14n", with_comments=False)
    md5 = hashlib.md5(canonical, usedforsecurity=False).hexdigest()
    sha1 = hashlib.sha1(canonical, usedforsecurity=False).hexdigest()
    seal = f'<Scellement md5="{md5}" sha1="{sha1}" date="2026-04-02T10:00:00"/>'
    return (whole % seal).encode()


WRONG: list[tuple[bytes, type[Refusal], int]] = [
    (sealed()[:200], budget.UnreadableBudget, 0),
    (b"<a><b/></a>", budget.NotABudget, 1),
    (sealed().replace(b"Scellement", b"Autre"), budget.UnsealedBudget, 2),
    (sealed().replace(b'V="2026"', b'V="2027"'), budget.BrokenSeal, 3),
    (sealed(siret="21790001000017"), budget.ForeignBudget, 4),
    (sealed(project="true"), budget.ForeignBudget, 4),
    (sealed(decision="99999"), budget.ForeignBudget, 4),
]


@pytest.mark.parametrize(("data", "kind", "step"), WRONG)
def test_A27_A28_A29_A51_each_fault_of_a_budget_has_its_own_refusal_and_step(
    data: bytes, kind: type[Refusal], step: int
) -> None:
    found = budgets.examine(data, siren=SIREN)
    assert isinstance(found.refusal, kind)
    rights = [one.right for one in found.findings]
    assert rights == [True] * step + [False] + [None] * (4 - step)
    assert found.findings[step].sentence == str(found.refusal)


@pytest.fixture
def open_budget(ready: Person) -> Callable[..., Act]:
    def make(data: bytes | None = None, **changes: Any) -> Act:
        said = {
            "document": upload(data or sealed(), "budget.xml"),
            "papers": [upload(PDF, "délibération.pdf"), upload(PDF, "signatures.pdf")],
            "number": "2026_030",
            "decided_on": date(2026, 4, 2),
        }
        return budgets.open_draft(**said | changes, by=ready, at=AT)

    return make


def test_a_budget_and_its_papers_leave_in_one_envelope(
    open_budget: Callable[..., Act], ready: Person
) -> None:
    act = open_budget()
    assert (act.nature, act.matter, act.objet) == (5, "7.1", "Budget primitif 2026")
    assert queries.problems(act, queries.files_of(act), at=AT) == []
    actions.transmit(act_id=act.pk, by=ready, at=AT)
    stem = "079-200081511-20260402-2026_030-BF-1-1"
    assert list(archive_of(act))[2:] == [
        f"99_BU-{stem}_1.xml",
        f"99_BU-{stem}_2.pdf",
        f"99_BU-{stem}_3.pdf",
    ]
    assert archive_of(act)[f"99_BU-{stem}_1.xml"] == sealed()


def test_A31_a_compte_financier_unique_is_a_budget_too(open_budget: Callable[..., Act]) -> None:
    assert open_budget(sealed(cfu=True, decision="10")).objet == "Compte financier unique 2026"


def test_a_budget_at_fault_leaves_no_draft(open_budget: Callable[..., Act]) -> None:
    with pytest.raises(budget.BrokenSeal):
        open_budget(WRONG[3][0])
    assert not Act.objects.exists()


def test_a_budget_saved_as_an_ordinary_draft_meets_the_same_checks(ready: Person) -> None:
    from socle.actes.actions import Facts

    facts = Facts("2026_031", 5, "7.1", date(2026, 4, 2), "Budget")
    act = actions.save_draft(facts=facts, main=upload(WRONG[3][0], "b.xml"), by=ready, at=AT)
    with pytest.raises(budget.BrokenSeal):
        actions.transmit(act_id=act.pk, by=ready, at=AT)


def fields(data: bytes) -> dict[str, Any]:
    return {
        "document": SimpleUploadedFile("budget.xml", data, "application/xml"),
        "papers": [pdf("délibération.pdf")],
        "number": "2026-030",
        "decided_on": (timezone.localdate() - timedelta(days=3)).isoformat(),
    }


def test_she_deposits_the_xml_of_her_software(browser: Browser) -> None:  # noqa: F811
    assert "Déposer un budget" in text(browser.get("/actes/deposer/"))
    answer = browser.post("/actes/budget/", fields(sealed()))
    act = Act.objects.get()
    assert answer.url == f"/actes/{act.pk}/verifier/"
    shown = text(browser.get(answer.url))
    assert "Budget primitif 2026" in shown
    assert "il est scellé, voté, et c’est celui de la commune" in shown
    assert act.state == ActState.DRAFT


def test_a_broken_seal_is_shown_step_by_step_in_plain_french(browser: Browser) -> None:  # noqa: F811
    shown = text(browser.post("/actes/budget/", fields(WRONG[3][0])))
    assert "Il est scellé" in shown
    assert "a changé depuis son scellement" in shown
    assert not Act.objects.exists()
    assert Entry.objects.filter(event="refused.budget").exists()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (sealed().replace(b'V="2026"', b'V="2027"'), budget.BrokenSeal),
        (sealed(siret="21790001000017"), budget.ForeignBudget),
        (sealed().replace(b"<Budget>", b'<Budget xmlns:x="a">'), budget.UnreadableBudget),
    ],
)
def test_a_budget_at_fault_is_refused_as_an_annexe_too(
    deposit: Callable[..., Act], data: bytes, kind: type[Refusal]
) -> None:
    with pytest.raises(kind):
        deposit(nature=5, matter="7.1", annexes=[upload(data, "budget.xml")])
    assert not Act.objects.exists()


def test_a_sound_budget_and_any_other_xml_are_annexes(deposit: Callable[..., Act]) -> None:
    annexes = [upload(sealed(), "budget.xml"), upload(b"<plan/>", "plan.xml")]
    act = deposit(nature=5, matter="7.1", annexes=annexes)
    assert Act.objects.get(pk=act.pk).files.count() == 3
