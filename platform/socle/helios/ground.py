"""Whether the commune of the current schema may send a flow today, and through whom."""

from datetime import date, datetime

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.delivery import actions as delivery
from socle.delivery.models import TransmissionOperator
from socle.directory import policies as rights
from socle.directory import queries as directory
from socle.directory.models import Organisation, Protocol, TransmissionRight
from socle.helios import permissions, policies, queries


def operator_for(*, organisation: Organisation, by: Person, at: datetime) -> TransmissionOperator:
    """The operator that carries a flow of `organisation` handed over by `by` at `at`.

    Raises the refusals of the convention (`directory.policies.check_right`: R2131-3, R2131-4 CGCT)
    and of the certificate (`delivery.actions.check_certificate`), and NoOperator.
    """
    operator = _operator_of(_right(organisation, legal_date(at)), legal_date(at))
    delivery.check_certificate(person=by, organisation=organisation, operator=operator, at=at)
    return operator


def barrier(*, by: Person, at: datetime) -> str:
    """Why no flow at all could leave today, in one sentence; "" when one could.

    The certificate is only looked for in the hands of somebody who may transmit.
    """
    organisation = queries.organisation_here()
    try:
        if permissions.can(by, Capability.FLOWS_TRANSMIT, organisation=organisation, at=at):
            operator_for(organisation=organisation, by=by, at=at)
        else:
            _right(organisation, legal_date(at))
    except Refusal as refusal:
        return str(refusal)
    return ""


def _right(organisation: Organisation, day: date) -> TransmissionRight:
    right = directory.right(organisation.pk, Protocol.HELIOS)
    rights.check_right(right, what="un flux", on=day)
    assert right is not None  # noqa: S101 - none is refused above
    return right


def _operator_of(right: TransmissionRight, day: date) -> TransmissionOperator:
    code = right.operator_on(day)
    operator = TransmissionOperator.objects.filter(code=code).first()
    if operator is None:
        raise policies.NoOperator(
            f"L’opérateur « {code} » de la convention « {right.reference} » n’est pas "
            "encore en service ici : prévenez votre syndicat."
        )
    return operator
