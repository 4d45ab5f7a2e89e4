"""From hand-overs and adhesions to items, each once."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from billing import actions, defaults, policies
from billing.models import BillableItem, Price
from billing.queries import HandOver
from socle.accounts.models import Person
from socle.directory.models import Membership, Organisation
from tests.people import person

DAY = date(2026, 11, 24)


def handed_over(body: Organisation, number: int, on: date = DAY, price_code: str = "") -> HandOver:
    return HandOver(
        organisation=body,
        person=person(last_name=f"Porteur{number}"),
        price_code=price_code,
        on=on,
        certificate_id=number,
    )


def collect(officer: Person, noon: datetime, until: date = DAY) -> actions.Collected:
    return actions.collect(until=until, by=officer, at=noon)


def test_every_member_owes_the_year_of_its_stratum(
    officer: Person, price_list: None, handed: list[HandOver], noon: datetime, melle: Organisation
) -> None:
    found = collect(officer, noon)
    assert found == actions.Collected(Membership.objects.count(), ())
    item = BillableItem.objects.get(organisation=melle)
    assert item.unit_price == Decimal("900.00")  # 5 000 to 9 999 inhabitants
    assert item.rule.startswith("Strate de 5\xa0000 à 9\xa0999 habitants")


def test_collecting_twice_makes_nothing_twice(
    officer: Person, price_list: None, handed: list[HandOver], noon: datetime, melle: Organisation
) -> None:
    handed.append(handed_over(melle, 1))
    first = collect(officer, noon)
    assert first.created == BillableItem.objects.count()
    assert collect(officer, noon).created == 0


def test_the_next_year_is_another_adhesion(
    officer: Person, price_list: None, handed: list[HandOver], noon: datetime, melle: Organisation
) -> None:
    collect(officer, noon)
    collect(officer, noon, until=date(2027, 1, 1))
    sources = BillableItem.objects.filter(organisation=melle).values_list("source", flat=True)
    assert set(sources) == {f"membership:{melle.pk}:2026", f"membership:{melle.pk}:2027"}


def test_a_body_that_left_on_new_years_day_owes_nothing(
    officer: Person, price_list: None, handed: list[HandOver], noon: datetime, melle: Organisation
) -> None:
    Membership.objects.filter(organisation=melle).update(left_on=date(2027, 1, 1))
    collect(officer, noon, until=date(2027, 2, 1))
    assert not BillableItem.objects.filter(organisation=melle).exists()


def test_an_adhesion_to_come_is_not_due(
    officer: Person, price_list: None, handed: list[HandOver], noon: datetime, melle: Organisation
) -> None:
    Membership.objects.filter(organisation=melle).update(joined_on=date(2026, 12, 1))
    collect(officer, noon)
    assert not BillableItem.objects.filter(organisation=melle).exists()


def test_an_unknown_population_is_a_problem_that_stops_nobody_else(
    officer: Person, price_list: None, handed: list[HandOver], noon: datetime, melle: Organisation
) -> None:
    Organisation.objects.filter(pk=melle.pk).update(population=None)
    found = collect(officer, noon)
    assert found.created == Membership.objects.count() - 1
    assert len(found.problems) == 1
    assert "population" in found.problems[0]


def test_a_missing_price_says_which_product_and_is_collected_once_it_exists(
    officer: Person,
    no_members: None,
    handed: list[HandOver],
    noon: datetime,
    melle: Organisation,
) -> None:
    handed.append(handed_over(melle, 1))
    found = collect(officer, noon)
    assert found.created == 0
    assert "« CERT »" in found.problems[0]
    defaults.ensure(valid_from=date(2026, 1, 1))
    assert collect(officer, noon) == actions.Collected(1, ())


def test_an_unknown_price_code_is_never_billed_at_another_price(
    officer: Person,
    no_members: None,
    price_list: None,
    handed: list[HandOver],
    noon: datetime,
    melle: Organisation,
) -> None:
    handed.append(handed_over(melle, 1, price_code="cachet"))
    found = collect(officer, noon)
    assert (found.created, "« cachet »" in found.problems[0]) == (0, True)


def test_the_first_certificate_of_a_member_is_free_the_second_is_not(
    officer: Person, price_list: None, handed: list[HandOver], noon: datetime, melle: Organisation
) -> None:
    handed += [handed_over(melle, 2), handed_over(melle, 1, on=date(2026, 3, 1))]
    collect(officer, noon)
    items = BillableItem.objects.filter(source__startswith="certificate:").order_by("source")
    assert [(item.source, item.unit_price, item.rule) for item in items] == [
        ("certificate:1", Decimal("0.00"), policies.FIRST_FREE),
        ("certificate:2", Decimal("75.00"), policies.LIST_PRICE),
    ]


def test_a_free_certificate_given_in_an_earlier_run_is_remembered(
    officer: Person, price_list: None, handed: list[HandOver], noon: datetime, melle: Organisation
) -> None:
    handed.append(handed_over(melle, 1))
    collect(officer, noon)
    handed.append(handed_over(melle, 2))
    collect(officer, noon)
    assert BillableItem.objects.get(source="certificate:2").unit_price == Decimal("75.00")


def test_each_body_has_its_own_free_certificate(
    officer: Person,
    price_list: None,
    handed: list[HandOver],
    noon: datetime,
    melle: Organisation,
    celles: Organisation,
) -> None:
    handed += [handed_over(melle, 1), handed_over(celles, 2)]
    collect(officer, noon)
    assert BillableItem.objects.filter(is_first_free=True).count() == 2


def test_a_body_that_is_no_member_pays_its_first_certificate(
    officer: Person,
    no_members: None,
    price_list: None,
    handed: list[HandOver],
    noon: datetime,
    melle: Organisation,
) -> None:
    handed.append(handed_over(melle, 1))
    collect(officer, noon)
    assert BillableItem.objects.get().unit_price == Decimal("75.00")


def test_an_exercise_certificate_leaves_the_free_one_for_later(
    officer: Person, price_list: None, handed: list[HandOver], noon: datetime, melle: Organisation
) -> None:
    handed += [handed_over(melle, 1, price_code=defaults.EXERCISE), handed_over(melle, 2)]
    collect(officer, noon)
    assert not BillableItem.objects.get(source="certificate:1").is_first_free
    assert BillableItem.objects.get(source="certificate:2").is_first_free


def test_the_database_gives_one_free_certificate_to_a_body(
    officer: Person, price_list: None, handed: list[HandOver], noon: datetime, melle: Organisation
) -> None:
    handed.append(handed_over(melle, 1))
    collect(officer, noon)
    item = BillableItem.objects.get(source="certificate:1")
    item.pk, item.source = None, "certificate:9"
    with pytest.raises(IntegrityError, match="one_free_certificate"), transaction.atomic():
        item.save()


def test_a_price_changed_later_changes_nothing_to_what_was_collected(
    officer: Person, price_list: None, handed: list[HandOver], noon: datetime, melle: Organisation
) -> None:
    collect(officer, noon)
    Price.objects.update(unit_price=Decimal("1.00"))
    collect(officer, noon)
    assert BillableItem.objects.get(organisation=melle).unit_price == Decimal("900.00")
