"""Questions about the connection and what went through it."""

from django.db.models import QuerySet

from socle.delivery.models import TransmissionOperator
from socle.direct import origin
from socle.direct.models import DirectLink, DirectMail, DirectPost
from socle.directory.models import Organisation, Protocol


def link_of(operator: TransmissionOperator) -> DirectLink | None:
    """The connection of an operator, or None."""
    return DirectLink.objects.select_related("operator").filter(operator=operator).first()


def obstacle(operator: TransmissionOperator, organisation: Organisation, protocol: str) -> str:
    """Why a body cannot transmit through this connection; "" when it can."""
    if protocol != Protocol.ACTES:
        return f"{operator} n’achemine que les actes : gardez un autre opérateur pour les flux."
    if link_of(operator) is None:
        return (
            f"Le raccordement de {operator} n’est pas encore enregistré : enregistrez-le d’abord."
        )
    return ""


def doubt(operator: TransmissionOperator, raw: bytes) -> str:
    """Why a mail may not be the State's, in one sentence; "" when its origin is proved."""
    link = link_of(operator)
    senders, server = (link.senders, link.auth_server) if link else ([], "")
    return origin.doubt(raw, senders=senders, server=server)


def posted(operator: TransmissionOperator, name: str) -> DirectPost | None:
    """The attempt made for an archive, or None."""
    return DirectPost.objects.filter(operator=operator, name=name).first()


def doubtful(operator: TransmissionOperator) -> QuerySet[DirectPost]:
    """The archives of which it is not known whether they arrived, oldest first."""
    return DirectPost.objects.filter(operator=operator, taken_at=None).order_by("started_at", "pk")


def known_mails(operator: TransmissionOperator, validity: int) -> dict[int, DirectMail]:
    """The messages of this generation of the mailbox we know and that may still be there."""
    found = DirectMail.objects.filter(operator=operator, uid_validity=validity, removed_at=None)
    return {mail.uid: mail for mail in found}


def left_behind(operator: TransmissionOperator) -> QuerySet[DirectMail]:
    """The messages that could not be taken, oldest first."""
    return DirectMail.objects.filter(operator=operator, kept_at=None).order_by("seen_at", "pk")
