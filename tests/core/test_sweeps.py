"""One item that fails stops no other."""

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import ProgrammingError, connection, transaction

from socle.core import sweeps
from socle.core.refusals import Refusal
from socle.delivery import queries
from socle.delivery.models import Stumble

WHAT = "Essai"


def _work(item: int) -> int:
    if item == 2:
        raise ValueError("\0 two")
    return item


def test_the_others_go_and_the_desk_has_the_cause(portal: object) -> None:
    assert sweeps.each(WHAT, [1, 2, 3], _work) == [1, 3]
    assert sweeps.each(WHAT, [2, 4], _work) == [4]

    (row,) = queries.stumbles()
    assert (row.what, row.item, row.times) == (WHAT, "2", 2)
    assert "ValueError" in row.cause


def test_what_goes_at_last_leaves_the_desk(portal: object) -> None:
    sweeps.each(WHAT, [2], _work)
    sweeps.each("Autre", [2], _work)
    sweeps.each(WHAT, [1], _work)
    assert list(Stumble.objects.values_list("what", flat=True)) == ["Autre"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, SystemExit, SoftTimeLimitExceeded])
def test_what_ends_the_process_passes(portal: object, fault: type[BaseException]) -> None:
    def end(item: int) -> None:
        raise fault

    with pytest.raises(fault):
        sweeps.each(WHAT, [1], end)
    assert not Stumble.objects.exists()


def test_a_refusal_is_its_own_cause() -> None:
    assert sweeps.cause(Refusal("Il manque une date.")) == "Il manque une date."


@pytest.mark.parametrize(
    "question", ["SELECT 1 FROM not_there", "SELECT not_there FROM auth_group"]
)
def test_code_that_runs_before_its_migration_says_nothing_of_the_item(
    portal: object, question: str
) -> None:
    with pytest.raises(ProgrammingError) as fault, transaction.atomic():
        connection.cursor().execute(question)
    assert sweeps.is_of_the_moment(fault.value)


def test_a_question_that_is_wrong_is_of_the_item(portal: object) -> None:
    with pytest.raises(ProgrammingError) as fault, transaction.atomic():
        connection.cursor().execute("SELEC 1")
    assert not sweeps.is_of_the_moment(fault.value)
