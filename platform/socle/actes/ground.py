"""What one request, or one run of a task, must know of the commune: each fact is read once.

A deposit asks the same questions at every step: which commune, what may this person, which
classification, which operator. The answers are handed on here instead of being asked again. The
corridor asks them once more when the file leaves (`delivery.actions.check_may_go`).
"""

from datetime import datetime
from functools import cached_property

from django.db import connection

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import permissions, policies, queries
from socle.actes.models import Act, Kind
from socle.actes.protocol.classification import Classification
from socle.actes.protocol.default_classification import DEFAULT_CLASSIFICATION
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.delivery import actions as delivery
from socle.delivery.models import TransmissionOperator
from socle.directory import policies as rights
from socle.directory import queries as directory
from socle.directory.models import Grant, Organisation, Protocol, TransmissionRight


class Ground:
    """The commune of the current schema, as `by` may work in it at `at`."""

    def __init__(self, *, by: Person, at: datetime) -> None:
        self.by = by
        self.at = at

    def check_may(self, *capabilities: Capability) -> None:
        """Refuse a person who lacks one of `capabilities` here. Raises NotAllowed."""
        for capability in capabilities:
            permissions.check_granted(
                self._grant, capability, by=self.by, organisation=self.organisation
            )

    def operator(self, *, nature: str = "", about: Act | None = None) -> TransmissionOperator:
        """The operator the convention names today, once convention and certificate allow it.

        `nature` is the code of the act, or "" for a message without nature. What is `about` an act
        goes through the operator that carried it, whatever the convention says since: another does
        not know it. Raises the refusals of `directory.policies.check_right` and
        `delivery.actions.check_certificate`, and NoOperator.
        """
        rights.check_right(self._right, what="un acte", on=legal_date(self.at), nature=nature)
        if about is None:
            return self._operator
        return self._usable(about.transactions.filter(kind=Kind.ACTE).latest("pk").operator)

    def barrier(self) -> str:
        """Why no act at all could leave today, in one sentence; "" when one could.

        For the top of a form: nobody fills twelve fields to be told that the convention is not
        signed. The certificate is only looked for in the hands of somebody who may transmit.
        """
        try:
            rights.check_right(self._right, what="un acte", on=legal_date(self.at))
            if self._grant and Capability.ACTS_TRANSMIT in self._grant.capabilities:
                self._operator  # noqa: B018 - refuses
        except Refusal as refusal:
            return str(refusal)
        return ""

    @cached_property
    def organisation(self) -> Organisation:
        """The organisation whose schema is the current one."""
        return self._grant.organisation if self._grant else queries.organisation_here()

    @cached_property
    def held(self) -> Classification | None:
        """The classification the préfecture sent last, or None."""
        return queries.held_classification()

    @property
    def classification(self) -> Classification:
        """The classification to choose from: the préfecture's, else the national levels."""
        return self.held or DEFAULT_CLASSIFICATION

    @cached_property
    def _grant(self) -> Grant | None:
        here = {"organisation__tenant__schema_name": connection.schema_name}
        return directory.grants(self.by, legal_date(self.at)).filter(**here).first()

    @cached_property
    def _right(self) -> TransmissionRight | None:
        return directory.right(self.organisation.pk, Protocol.ACTES)

    @cached_property
    def _operator(self) -> TransmissionOperator:
        return self._usable(self._right.operator_on(legal_date(self.at)) if self._right else "")

    def _usable(self, code: str) -> TransmissionOperator:
        operator = TransmissionOperator.objects.filter(code=code).first()
        if operator is None:
            raise policies.NoOperator(
                "L’opérateur de transmission de votre convention n’est pas installé ici : prévenez "
                "votre syndicat."
            )
        delivery.check_certificate(
            person=self.by, organisation=self.organisation, operator=operator, at=self.at
        )
        return operator
