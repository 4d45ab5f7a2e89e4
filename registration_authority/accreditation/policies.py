"""What makes an accreditation good on a day. No query, no clock."""

from datetime import date

from registration_authority.accreditation.models import Convention, Operator, Power
from socle.core.refusals import Refusal


class NotAccredited(Refusal):
    """The operator may not do this for this authority today."""

    code = "ra.not_accredited"


class Denied(Refusal):
    """Somebody said no: it beats every grant."""

    code = "ra.denied"


class NoOperatorCertificate(Refusal):
    """The policy wants the operator's own certificate in her session."""

    code = "ra.operator_certificate"


class SamePerson(Refusal):
    """Two people are asked for, and these are one."""

    code = "ra.separation_of_duties"


def months_after(day: date, months: int) -> date:
    """The same day `months` later, or the last one of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def is_in_force(convention: Convention, *, on: date) -> bool:
    """Whether a convention holds on a day."""
    return convention.starts_on <= on and (convention.ends_on is None or on <= convention.ends_on)


def trained_until(operator: Operator) -> date:
    """The last day on which the training of an operator counts."""
    return months_after(operator.trained_on, operator.convention.training_months)


def problem(operator: Operator, *, on: date) -> str:
    """Why an accreditation is worth nothing on a day, in French, or an empty string."""
    convention = operator.convention
    if operator.removed_at is not None:
        return f"votre accréditation est retirée : {operator.removal_reason}"
    if not is_in_force(convention, on=on):
        return f"la convention {convention.reference} n’est pas en vigueur"
    if on < operator.starts_on or (operator.ends_on is not None and on > operator.ends_on):
        return "votre accréditation n’est pas en cours"
    if on > trained_until(operator):
        return f"votre formation a pris fin le {trained_until(operator):%d/%m/%Y}"
    return ""


def check_holds(operator: Operator | None, power: Power, *, authority: str, on: date) -> None:
    """Refuse an operator without this power, or whose accreditation lapsed. NotAccredited."""
    if operator is None:
        raise NotAccredited(
            f"Vous n’êtes pas accrédité(e) auprès de « {authority} » : demandez à l’administrateur "
            "de vous inscrire sur la convention."
        )
    why = problem(operator, on=on)
    if why:
        raise NotAccredited(f"Vous ne pouvez plus agir pour « {authority} » : {why}.")
    if power not in operator.powers:
        raise NotAccredited(
            f"Votre accréditation auprès de « {authority} » ne comprend pas « "
            f"{power.label.lower()} » : un autre opérateur doit le faire."
        )
