"""What a person may be allowed to do, and the roles that bundle it.

Reading, preparing and transmitting are three capabilities wherever something leaves the house.
Every view names the one it needs; a test lists all addresses and fails on one that names none.
"""

from enum import StrEnum
from typing import Final


class Capability(StrEnum):
    """One thing a person may do in one organisation."""

    ACTS_READ = "acts.read"
    ACTS_PREPARE = "acts.prepare"
    ACTS_TRANSMIT = "acts.transmit"
    FLOWS_READ = "flows.read"
    FLOWS_PREPARE = "flows.prepare"
    FLOWS_TRANSMIT = "flows.transmit"
    ONBOARDING_OWN = "onboarding.own"
    ONBOARDING_READ = "onboarding.read"
    ONBOARDING_MANAGE = "onboarding.manage"
    DIRECTORY_READ = "directory.read"
    DIRECTORY_MANAGE = "directory.manage"
    PEOPLE_MANAGE = "people.manage"
    RA_READ = "ra.read"
    RA_CHECK = "ra.check"
    RA_FACE_TO_FACE = "ra.face_to_face"
    RA_HAND_OVER = "ra.hand_over"
    RA_REVOKE = "ra.revoke"
    RA_STOCK = "ra.stock"
    RA_RULES = "ra.rules"
    CERTIFICATES_OWN = "certificates.own"
    CERTIFICATES_REVOKE = "certificates.revoke"
    TRAINING_READ = "training.read"
    TRAINING_PLAN = "training.plan"
    TRAINING_ATTEND = "training.attend"
    BILLING_READ = "billing.read"
    BILLING_PREPARE = "billing.prepare"
    BILLING_ISSUE = "billing.issue"
    JOURNAL_READ = "journal.read"
    JOURNAL_EXPORT = "journal.export"
    DELIVERY_READ = "delivery.read"
    DELIVERY_RETRY = "delivery.retry"
    SPACES_READ = "spaces.read"
    SPACES_SUSPEND = "spaces.suspend"
    SPACES_ARCHIVE = "spaces.archive"
    SPACES_CONFIRM = "spaces.confirm"
    DELIVERY_MANAGE = "delivery.manage"


TRANSMITTING: Final = frozenset({Capability.ACTS_TRANSMIT, Capability.FLOWS_TRANSMIT})
"""What leaves the house, where a body may ask for a fresh proof of who one is."""


class Access(StrEnum):
    """Addresses that need no capability, and say so."""

    ANYONE = "anyone"
    """No login at all: the login page itself, the accessibility statement."""
    LOGGED_IN = "logged_in"
    """Any person with both factors: the home page, her own account."""


class Role(StrEnum):
    """A named bundle of capabilities, granted in one organisation."""

    OFFICER = "officer"
    RA_OPERATOR = "ra_operator"
    TRAINER = "trainer"
    BILLING_OFFICER = "billing_officer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    TRANSMITTER = "transmitter"
    PREPARER = "preparer"
    READER = "reader"
    SIGNATORY = "signatory"


ROLE_LABELS: Final[dict[Role, str]] = {
    Role.OFFICER: "Chargé de raccordement",
    Role.RA_OPERATOR: "Opérateur d’enregistrement",
    Role.TRAINER: "Formateur",
    Role.BILLING_OFFICER: "Chargé de facturation",
    Role.AUDITOR: "Auditeur",
    Role.ADMINISTRATOR: "Administrateur",
    Role.TRANSMITTER: "Télétransmetteur",
    Role.PREPARER: "Préparateur",
    Role.READER: "Consultation",
    Role.SIGNATORY: "Élu signataire",
}

_READ_COMMUNE: Final = frozenset(
    {Capability.ACTS_READ, Capability.FLOWS_READ, Capability.JOURNAL_READ}
)
_PREPARE: Final = _READ_COMMUNE | {Capability.ACTS_PREPARE, Capability.FLOWS_PREPARE}

ROLES: Final[dict[Role, frozenset[Capability]]] = {
    Role.OFFICER: frozenset(
        {
            Capability.ONBOARDING_READ,
            Capability.ONBOARDING_MANAGE,
            Capability.DIRECTORY_READ,
            Capability.DIRECTORY_MANAGE,
            Capability.PEOPLE_MANAGE,
            Capability.RA_READ,
            Capability.RA_STOCK,
            Capability.TRAINING_READ,
            Capability.DELIVERY_READ,
            Capability.DELIVERY_RETRY,
            Capability.SPACES_READ,
            Capability.SPACES_SUSPEND,
            Capability.SPACES_CONFIRM,
            Capability.DELIVERY_MANAGE,
        }
    ),
    Role.RA_OPERATOR: frozenset(
        {
            Capability.DIRECTORY_READ,
            Capability.RA_READ,
            Capability.RA_CHECK,
            Capability.RA_FACE_TO_FACE,
            Capability.RA_HAND_OVER,
            Capability.RA_REVOKE,
            Capability.RA_STOCK,
        }
    ),
    Role.TRAINER: frozenset(
        {Capability.DIRECTORY_READ, Capability.TRAINING_READ, Capability.TRAINING_PLAN}
    ),
    Role.BILLING_OFFICER: frozenset(
        {
            Capability.DIRECTORY_READ,
            Capability.BILLING_READ,
            Capability.BILLING_PREPARE,
            Capability.BILLING_ISSUE,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            Capability.DIRECTORY_READ,
            Capability.ONBOARDING_READ,
            Capability.RA_READ,
            Capability.TRAINING_READ,
            Capability.BILLING_READ,
            Capability.DELIVERY_READ,
            Capability.JOURNAL_READ,
            Capability.JOURNAL_EXPORT,
            Capability.SPACES_READ,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            Capability.DIRECTORY_READ,
            Capability.DIRECTORY_MANAGE,
            Capability.PEOPLE_MANAGE,
            Capability.SPACES_READ,
            Capability.SPACES_SUSPEND,
            Capability.SPACES_ARCHIVE,
            Capability.SPACES_CONFIRM,
            Capability.RA_READ,
            Capability.RA_RULES,
        }
    ),
    Role.TRANSMITTER: _PREPARE
    | {
        Capability.ACTS_TRANSMIT,
        Capability.FLOWS_TRANSMIT,
        Capability.ONBOARDING_OWN,
        Capability.CERTIFICATES_OWN,
        Capability.TRAINING_ATTEND,
    },
    Role.PREPARER: _PREPARE | {Capability.TRAINING_ATTEND},
    Role.READER: _READ_COMMUNE,
    Role.SIGNATORY: _READ_COMMUNE
    | {
        Capability.ONBOARDING_OWN,
        Capability.CERTIFICATES_OWN,
        Capability.CERTIFICATES_REVOKE,
    },
}

SYNDICAT_ROLES: Final = (
    Role.OFFICER,
    Role.RA_OPERATOR,
    Role.TRAINER,
    Role.BILLING_OFFICER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)
COMMUNE_ROLES: Final = (Role.TRANSMITTER, Role.PREPARER, Role.READER, Role.SIGNATORY)


def capabilities_of(roles: "list[str] | tuple[str, ...]") -> frozenset[Capability]:
    """All that `roles` (role codes) allow together. Unknown codes raise ValueError."""
    return frozenset().union(*(ROLES[Role(role)] for role in roles))
