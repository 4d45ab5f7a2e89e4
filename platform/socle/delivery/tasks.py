"""Wake-up calls of the corridor: nothing is in the message, everything is in the tables."""

from celery import shared_task

from socle.core import sweeps
from socle.delivery import actions
from socle.delivery.adapters import OperatorUnavailable
from socle.delivery.models import TransmissionOperator


@shared_task(name="delivery.wake")
def wake(*, schema: str) -> int:
    """Send what is due, woken by a deposit in `schema`; whatever else is due goes too."""
    return actions.send_due()


@shared_task(name="delivery.send_due")
def send_due() -> int:
    """The sweep: what no wake-up call sent."""
    return actions.send_due()


@shared_task(name="delivery.collect")
def collect() -> int:
    """Fetch the returns of every operator; one that does not answer waits for the next round."""
    operators = TransmissionOperator.objects.order_by("pk")
    return sum(sweeps.each("Relève des retours", operators, _collect))


def _collect(operator: TransmissionOperator) -> int:
    try:
        return actions.collect(operator)
    except OperatorUnavailable:  # noted where its silences are
        return 0
