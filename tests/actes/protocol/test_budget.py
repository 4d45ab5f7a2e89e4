from pathlib import Path

import pytest
from lxml import etree

from socle.actes.protocol.budget import (
    BrokenSeal,
    BudgetDocument,
    ForeignBudget,
    NotABudget,
    UnreadableBudget,
    UnsealedBudget,
    _sums,
    check_budget,
    read_budget,
)
from tests.actes.protocol.givens import DATA

TOTEM = DATA / "samples" / "totem"
NAMES = ["bp-2022-lotissement", "bp-2022-m43-transport", "ca-2021", "dm1-2022"]
BUDGET = BudgetDocument("21560046100085", "CRACH", "02", "2022", is_project=False)


def sample(name: str) -> bytes:
    path: Path = TOTEM / f"{name}.xml"
    if not path.exists():
        pytest.skip(f"no sample {name}")
    return path.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_A46_the_seal_of_a_real_document_holds(name: str) -> None:
    assert read_budget(sample(name)).year in {"2021", "2022"}


@pytest.mark.parametrize("name", NAMES)
def test_A49_the_seal_holds_after_white_space_was_removed(name: str) -> None:
    tree = etree.fromstring(sample(name), etree.XMLParser(remove_blank_text=True))

    read_budget(etree.tostring(tree, encoding="iso-8859-1"))


def test_A50_sums_in_lower_case_are_accepted() -> None:
    data = sample("dm1-2022")
    start = data.index(b"<Scellement")
    seal = data[start : data.index(b"date=", start)]

    read_budget(data.replace(seal, seal.lower().replace(b"<scellement", b"<Scellement")))


def test_the_header_tells_whose_budget_it_is() -> None:
    document = read_budget(sample("dm1-2022"))

    assert document == BUDGET
    assert document.label == "Décision modificative 2022"


def test_A27_a_document_never_sealed_has_its_own_refusal() -> None:
    tree = etree.fromstring(sample("dm1-2022"))
    seal = tree.find("{*}Scellement")
    assert seal is not None
    tree.remove(seal)

    with pytest.raises(UnsealedBudget):
        read_budget(etree.tostring(tree))


def test_A28_one_changed_value_breaks_the_seal() -> None:
    with pytest.raises(BrokenSeal):
        read_budget(sample("dm1-2022").replace(b'IdPost V="056025"', b'IdPost V="056026"'))


def test_A47_a_file_saved_again_in_utf_8_under_its_iso_header_breaks_the_seal() -> None:
    with pytest.raises(BrokenSeal):
        read_budget(sample("dm1-2022").decode("latin-1").encode())


def test_A29_A48_a_file_cut_in_the_middle_is_unreadable() -> None:
    data = sample("dm1-2022")

    with pytest.raises(UnreadableBudget):
        read_budget(data[: len(data) // 2])


@pytest.mark.parametrize("missing", ["EnTeteDocBudgetaire", "Budget"])
def test_A29_A48_a_document_without_header_or_budget_is_no_budget(missing: str) -> None:
    tree = etree.fromstring(sample("dm1-2022"))
    part = tree.find(f"{{*}}{missing}")
    assert part is not None
    tree.remove(part)

    with pytest.raises(NotABudget):
        read_budget(etree.tostring(tree))


def test_other_xml_is_no_budget() -> None:
    with pytest.raises(NotABudget):
        read_budget(b"<a/>")


def test_a_dtd_has_no_place_in_a_budget() -> None:
    with pytest.raises(UnreadableBudget):
        read_budget(b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>')


def test_A31_the_seal_of_a_cfu_covers_the_whole_document() -> None:
    inner = etree.fromstring(sample("dm1-2022"))
    root = etree.Element("{http://www.minefi.gouv.fr/cp/demat/doccfu}CompteFinancierUnique")
    etree.SubElement(root, "DocumentComptable").text = "comptes"
    root.append(inner)
    seal = inner.find("{*}Scellement")
    assert seal is not None
    position = inner.index(seal)
    inner.remove(seal)
    md5, sha1 = _sums(root)
    seal.set("md5", md5)
    seal.set("sha1", sha1)
    inner.insert(position, seal)

    sealed = etree.tostring(root)

    assert read_budget(sealed).siret == "21560046100085"
    with pytest.raises(BrokenSeal):
        read_budget(sealed.replace(b"comptes", b"contes"))


def test_A51_a_budget_of_this_collectivite_is_accepted() -> None:
    check_budget(BUDGET, siren="215600461")


@pytest.mark.parametrize(
    "document",
    [
        BudgetDocument("24350078200095", "AUTRE", "01", "2022", is_project=False),
        BudgetDocument("21560046100085", "CRACH", "01", "2022", is_project=True),
        BudgetDocument("21560046100085", "CRACH", "99999", "2022", is_project=False),
    ],
)
def test_A51_another_siren_a_project_or_an_unknown_kind_is_refused(
    document: BudgetDocument,
) -> None:
    with pytest.raises(ForeignBudget):
        check_budget(document, siren="215600461")
