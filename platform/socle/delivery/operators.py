"""The operators of a deployment: written down once by who installs it, corrected later."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from socle.core.refusals import Refusal
from socle.delivery import adapters
from socle.delivery.models import TransmissionOperator
from socle.journal.actions import Actor, record

EXERCISE = "exercise"
"""The adapter of the practice offices."""


class UnusableOperator(Refusal):
    """What was said of an operator cannot be."""

    code = "delivery.unusable_operator"


@transaction.atomic
def save_operator(
    *, code: str, facts: Mapping[str, Any], exercise: bool, by: Actor, at: datetime
) -> TransmissionOperator:
    """Create the operator `code`, or write `facts` (fields of the model) over those it has.

    A real operator needs its homologation (CGCT R2131-2-A) and asks for certificates; one of
    exercise needs neither. Raises UnusableOperator.
    """
    known = TransmissionOperator.objects.select_for_update(of=("self",)).filter(code=code).first()
    if known is not None and known.is_exercise != exercise:
        nature = "d’exercice" if known.is_exercise else "réel"
        raise UnusableOperator(
            f"L’opérateur « {code} » est déjà connu comme {nature} et le reste : "
            "donnez un autre code à celui-ci."
        )
    operator = known or TransmissionOperator(
        code=code, is_exercise=exercise, requires_certificate=not exercise
    )
    for field, value in facts.items():
        setattr(operator, field, value)
    check_operator(operator)
    operator.save()
    record(
        event="delivery.operator_saved",
        subject=operator,
        by=by,
        at=at,
        detail={"name": operator.name, "fields": sorted(facts)},
    )
    return operator


def check_operator(operator: TransmissionOperator) -> None:
    """Refuse an operator through whom nothing could be sent. Raises UnusableOperator."""
    try:
        operator.full_clean(validate_unique=False)
    except ValidationError as problem:
        field, (sentence, *_) = next(iter(problem.message_dict.items()))
        name = operator._meta.get_field(field).verbose_name
        raise UnusableOperator(f"{name} : {sentence}", field=field) from problem
    if not re.fullmatch(r"[A-Za-z0-9]{3}", operator.trigram):
        raise UnusableOperator(
            f"Le trigramme « {operator.trigram} » n’en est pas un : écrivez les trois lettres ou "
            "chiffres que la DGCL a attribués à l’opérateur.",
            field="trigram",
        )
    _check_adapter(operator)
    if not operator.is_exercise:
        _check_homologation(operator)


def _check_adapter(operator: TransmissionOperator) -> None:
    if operator.adapter not in adapters.names():
        raise UnusableOperator(
            f"Le connecteur « {operator.adapter} » n’existe pas : choisissez parmi "
            f"{', '.join(adapters.names())}.",
            field="adapter",
        )
    if operator.adapter != EXERCISE:
        return
    if not operator.is_exercise:
        raise UnusableOperator(
            "Le connecteur « exercise » mène aux bureaux d’exercice, où rien n’a de valeur : "
            "ajoutez --exercise, ou choisissez le connecteur de votre opérateur.",
            field="adapter",
        )
    if not settings.EXERCISE_URL:
        raise UnusableOperator(
            "Cette installation n’a pas de bureaux d’exercice (SOCLE_EXERCISE_URL) : "
            "un opérateur d’exercice n’a sa place que sur une installation de formation.",
            field="adapter",
        )


def _check_homologation(operator: TransmissionOperator) -> None:
    since, until = operator.homologated_on, operator.homologated_until
    if not operator.homologation or since is None:
        raise UnusableOperator(
            f"L’opérateur « {operator} » n’a pas d’homologation : donnez sa référence et sa date.",
            field="homologation",
        )
    if until is not None and until < since:
        raise UnusableOperator(
            f"L’homologation de « {operator} » finirait le {until:%d/%m/%Y}, avant d’avoir "
            f"commencé le {since:%d/%m/%Y} : vérifiez les deux dates.",
            field="homologated_until",
        )
