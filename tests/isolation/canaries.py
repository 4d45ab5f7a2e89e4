"""Things only the neighbour has, planted in every table where a commune has something.

Rows are made from the models themselves: a new table is planted, or the suite fails until `FACTS`
says what its constraints want.
"""

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django_tenants.utils import schema_context, tenant_context

from socle.accounts.capabilities import Role
from tenants import fences
from tests.people import person

CANARY = "Zygène"
AT = datetime(2026, 11, 24, 11, tzinfo=UTC)
FIRST = 9_000_001
"""Keys of the neighbour begin here: nothing of ours has the same."""


@dataclass
class Planted:
    """Where the canaries sit: primary keys by model label."""

    keys: dict[str, list[Any]] = field(default_factory=dict)

    def values(self) -> list[str]:
        """Every key, as it could stand in an address."""
        return sorted({str(key) for keys in self.keys.values() for key in keys})


def tenant_models() -> list[type[Any]]:
    """Every model whose table is in a commune's schema."""
    labels = {app.split(".")[-1] for app in settings.TENANT_APPS}
    return [model for model in apps.get_models() if model._meta.app_label in labels]


def own_models() -> list[type[Any]]:
    """Every shared table of which a commune sees its own rows only."""
    return [
        model
        for model in fences.public_models()
        if isinstance(share := fences.SHARES.get(model._meta.label), fences.Share) and share.rows
    ]


class Gardener:
    """Plants one row in every table for one commune, parents first."""

    def __init__(self, tenant: Any, who: Any) -> None:
        self.tenant, self.who = tenant, who
        self.planted = Planted()
        self._own = {*own_models(), *tenant_models()}
        self._numbers = itertools.count(FIRST)
        self._rows: dict[str, Any] = {
            "directory.Organisation": tenant.organisation,
            "accounts.Person": who,
            "tenants.Tenant": tenant,
        }

    def plant_all(self) -> Planted:
        """A row in every table that is the commune's or has rows of its own."""
        with tenant_context(self.tenant):
            self._documents()
        with schema_context("public"):
            for model in own_models():
                self.row(model)
        with tenant_context(self.tenant):
            for model in tenant_models():
                self.row(model)
        for label in ("directory.Organisation", "tenants.Tenant"):
            self.planted.keys[label] = [self._rows[label].pk]
        return self.planted

    def stored(self) -> Any:
        """The planted file."""
        return self._rows["documents.StoredFile"]

    def _documents(self) -> None:
        from socle.documents import actions as documents
        from socle.journal.actions import record

        with transaction.atomic():
            entry = record(event="canary.planted", subject=("canary", CANARY), by=CANARY, at=AT)
            stored = documents.store(
                content=CANARY.encode(), name=f"{CANARY}.txt", by=CANARY, at=AT
            )
        for label, made in (("journal.Entry", entry), ("documents.StoredFile", stored)):
            self._rows[label] = made
            self.planted.keys[label] = [made.pk]

    def row(self, model: type[Any]) -> Any:
        """The planted row of a table, made now if it was not."""
        label = model._meta.label
        if label not in self._rows:
            made = self._existing(model) or self._make(model)
            self._rows[label] = made
            if model in self._own:  # what all communes share is nobody's secret
                self.planted.keys[label] = [made.pk]
        return self._rows[label]

    def _existing(self, model: type[Any]) -> Any:
        if model._meta.label not in ALREADY_THERE:
            return None
        return model.objects.get(**ALREADY_THERE[model._meta.label](self))

    def _make(self, model: type[Any]) -> Any:
        made = model(**self._values(model))
        with transaction.atomic():
            model.objects.bulk_create([made])
        return made

    def other(self) -> Any:
        """Somebody of the syndicat: four eyes are asked for in many places."""
        if "other" not in self._rows:
            from socle.directory import queries

            self._rows["other"] = person(Role.RA_OPERATOR, at=queries.syndicat())
        return self._rows["other"]

    def _values(self, model: type[Any]) -> dict[str, Any]:
        label = model._meta.label
        values: dict[str, Any] = {}
        for one in model._meta.concrete_fields:
            if one.name in PLANS.get(label, {}):
                plan = PLANS[label][one.name]
                values[one.name] = plan(self) if callable(plan) else plan
            elif one.primary_key and isinstance(one, models.AutoField):
                values[one.name] = next(self._numbers)
            elif one.name != "organisation" and (one.null or one.blank or one.has_default()):
                continue
            else:
                values[one.name] = self._value(one)
        return values

    def _value(self, one: Any) -> Any:
        if isinstance(one, models.ForeignKey):
            return self.row(one.related_model)
        if one.choices:
            return one.choices[0][0]
        for kind, make in _MAKERS:
            if isinstance(one, kind):
                return make(one, next(self._numbers))
        raise NotImplementedError(f"{one} needs a plan in tests/isolation/canaries.py")


def _word(one: Any, number: int) -> str:
    text = f"{CANARY}-{number}"
    return text[: one.max_length] if one.max_length else text


_MAKERS: tuple[tuple[Any, Any], ...] = (
    (models.EmailField, lambda one, n: f"zygene{n}@voisin.test"),
    (models.CharField, _word),
    (models.TextField, _word),
    (models.BooleanField, lambda one, n: False),
    (models.DecimalField, lambda one, n: Decimal(1)),
    (models.IntegerField, lambda one, n: 1),
    (models.DateTimeField, lambda one, n: AT),
    (models.DateField, lambda one, n: date(2026, 11, 24)),
    (models.UUIDField, lambda one, n: uuid.uuid4()),
    (models.BinaryField, lambda one, n: bytes(32)),
    (ArrayField, lambda one, n: []),
    (models.JSONField, lambda one, n: {}),
    (models.SmallIntegerField, lambda one, n: 1),
)

LATER = datetime(2027, 11, 24, 11, tzinfo=UTC)

# What the constraints of a table want of a row, where its fields alone do not say it.
PLANS: dict[str, dict[str, Any]] = {
    "accounts.LoginCertificate": {
        "siren": lambda bed: bed.tenant.organisation.siren,
        "not_after": LATER,
    },
    "accounts.CertificateBody": {"siren": lambda bed: bed.tenant.organisation.siren},
    "accounts.StepUpRule": {"siren": lambda bed: bed.tenant.organisation.siren},
    "registration_authority.RevocationRequest": {"deadline": LATER, "state": "received"},
    "registration_authority.WatchedCertificate": {"not_after": LATER},
    "training.TrainingSession": {"ends_at": LATER, "place": CANARY, "trainer": lambda b: b.other()},
    "training.AttendanceSlot": {"ends_at": LATER},
    "training.TrainingCertificate": {"code": "ZYGE-NE00-0001"},
    "registration_authority.Offer": {"duration_months": 36, "min_rsa_bits": 2048},
    "registration_authority.FaceToFace": {
        "officer": lambda bed: bed.other(),
        "document_end": "ZYGN",
    },
    "registration_authority.Certificate": {"not_after": LATER},
    "registration_authority.Slot": {"kind": "visit", "ends_at": LATER},
    "registration_authority.HandOver": {"officer": lambda bed: bed.other()},
    "billing.Price": {"regime": "exempt", "rate": 0},
    "billing.Invoice": {"kind": "invoice", "seller": {"name": CANARY}},
    "billing.Line": {"regime": "exempt", "rate": 0, "vat": 0},
    "billing.BillableItem": {"regime": "exempt", "rate": 0, "label": CANARY},
    "onboarding.HeliosAdhesion": {"cod_col": "123", "cod_bud": "00", "id_post": "079001"},
    "actes.NumberPattern": {"pattern": "AAAA_##"},
    "helios.Budget": {
        "siret": lambda bed: f"{bed.tenant.organisation.siren}00017",
        "cod_col": "123",
        "cod_bud": "00",
        "id_post": "079001",
    },
    "actes.Act": {"nature": 1, "number": "ZYG", "objet": CANARY, "decided_on": AT.date()},
    "actes.Transaction": {"archive": lambda bed: bed.stored()},
}

# What provisioning or the fixtures made: found, not planted.
ALREADY_THERE: dict[str, Any] = {
    "directory.Membership": lambda bed: {"organisation": bed.tenant.organisation},
    "directory.Grant": lambda bed: {"organisation": bed.tenant.organisation, "person": bed.who},
    "document_keys.DataKey": lambda bed: {"scope": bed.tenant.schema_name},
    "tenants.Domain": lambda bed: {"tenant": bed.tenant},
}
