"""Whose return it is: what the operator that delivered it carried, and what of it is answered."""

from dataclasses import dataclass, field

from django.db import connection
from django.db.models import QuerySet

from socle.core.refusals import Refusal
from socle.delivery.models import Outbound, TransmissionOperator
from socle.directory import queries as directory


class Doubtful(Refusal):
    """A return nobody acts on before a person has looked at it."""

    code = "delivery.doubtful"


@dataclass(frozen=True, slots=True)
class Origin:
    """The operator that delivered a return. A room matches what it carried, nothing else.

    `answered` gathers the subjects the return answers; `suspicion` says why it may be somebody
    else's, `confirmed` that a person has looked.
    """

    operator: TransmissionOperator
    protocol: str
    confirmed: bool = False
    suspicion: str = ""
    answered: set[tuple[str, int]] = field(default_factory=set)

    def carried(self) -> QuerySet[Outbound, int]:
        """The subjects, in the current schema, that left through this operator."""
        return Outbound.objects.filter(
            schema=connection.schema_name, protocol=self.protocol, operator=self.operator
        ).values_list("subject_id", flat=True)

    def answers(self, subject_id: int) -> None:
        """Note that the return answers this subject of the current schema."""
        self.answered.add((connection.schema_name, subject_id))

    def serves(self, organisation_id: int) -> bool:
        """Whether this operator carries, or carried, anything for the current organisation."""
        right = directory.right(organisation_id, self.protocol)
        named = right is not None and self.operator.code in {right.operator, right.next_operator}
        return named or self.carried().exists()

    def check(self, *doubts: str, says: str = "") -> None:
        """Have a person look first at what the return `says`. Raises Doubtful, unless one has."""
        found = [why for why in (self.suspicion, *doubts) if why]
        if found and not self.confirmed:
            raise Doubtful(" ".join(filter(None, (*found, says))))
