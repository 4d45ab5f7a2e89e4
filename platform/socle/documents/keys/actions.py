"""Give the data key of a schema; put keys and sealed columns under a new master key."""

import uuid
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import Manager, Model

from socle.core import crypto
from socle.core.crypto import CannotUnseal, SealedColumn
from socle.documents.keys.models import DataKey
from socle.documents.vault import DataSecret, MasterKey, UnknownKey, unwrap, wrap


def secret_for(scope: str) -> DataSecret:
    """The data key of `scope`, made at its first use."""
    row = DataKey.objects.filter(scope=scope).first() or _make(scope)
    return _open(row)


def secret_named(key_id: uuid.UUID, *, scope: str) -> DataSecret:
    """The data key a sealed file names. Raises UnknownKey, also for another scope's key."""
    row = DataKey.objects.filter(scope=scope, key_id=key_id).first()
    if row is None:
        raise UnknownKey(f"no data key {key_id} for {scope}")
    return _open(row)


def forget(scope: str) -> str:
    """Delete the data key of `scope`: its files can never be opened again, wherever copies lie.

    Returns the identifier of the key, "" when there was none.
    """
    row = DataKey.objects.filter(scope=scope).first()
    if row is None:
        return ""
    row.delete()
    return str(row.key_id)


@dataclass(frozen=True, slots=True)
class Rotation:
    """What `rotate` did: keys re-wrapped, keys already current, scopes no known master opens."""

    rewrapped: int
    current: int
    unknown: tuple[str, ...]


@transaction.atomic
def rotate() -> Rotation:
    """Re-wrap the data keys held by MASTER_KEY_PREVIOUS under MASTER_KEY. Files are not touched.

    May be run again at any time; both keys must be configured until `unknown` and further runs
    find nothing left to do.
    """
    master, known = _current_master(), _masters()
    rewrapped, current, unknown = 0, 0, []
    for row in DataKey.objects.select_for_update(of=("self",)).order_by("scope"):
        if row.master_id == master.master_id:
            current += 1
        elif row.master_id in known:
            row.wrapped = wrap(_open(row), master=master, scope=row.scope)
            row.master_id = master.master_id
            row.save(update_fields=["wrapped", "master_id"])
            rewrapped += 1
        else:
            unknown.append(row.scope)
    return Rotation(rewrapped, current, tuple(unknown))


@dataclass(frozen=True, slots=True)
class Resealing:
    """What `reseal` did in one column: secrets sealed again, already current, and closed for good.

    `unknown` holds the primary keys of rows that no configured master key opens.
    """

    column: SealedColumn
    resealed: int
    current: int
    unknown: tuple[str, ...]


def reseal() -> list[Resealing]:
    """Seal every secret of every registered column under MASTER_KEY.

    Row by row, each at once: a run that was stopped is simply run again.
    """
    return [_reseal_column(column) for column in crypto.sealed_columns()]


def _reseal_column(column: SealedColumn) -> Resealing:
    rows = apps.get_model(column.model)._base_manager
    resealed, current, unknown = 0, 0, []
    filled = rows.exclude(**{column.field: b""}).order_by("pk")
    for key, sealed in filled.values_list("pk", column.field).iterator():
        if crypto.is_current(bytes(sealed), purpose=column.purpose):
            current += 1
            continue
        try:
            resealed += _reseal_row(rows, column, key, bytes(sealed))
        except CannotUnseal:
            unknown.append(str(key))
    return Resealing(column, resealed, current, tuple(unknown))


def _reseal_row(rows: Manager[Model], column: SealedColumn, key: object, before: bytes) -> int:
    """Write one secret again, unless somebody has just written another: that one is current."""
    plain = crypto.unseal(before, purpose=column.purpose)
    after = crypto.seal(plain, purpose=column.purpose)
    unchanged = rows.filter(**{"pk": key, column.field: before})
    return unchanged.update(**{column.field: after})


def _make(scope: str) -> DataKey:
    master, secret = _current_master(), DataSecret.new()
    row, _ = DataKey.objects.get_or_create(
        scope=scope,
        defaults={
            "key_id": secret.key_id,
            "wrapped": wrap(secret, master=master, scope=scope),
            "master_id": master.master_id,
        },
    )
    return row


def _open(row: DataKey) -> DataSecret:
    master = _masters().get(row.master_id)
    if master is None:
        raise UnknownKey(f"the data key of {row.scope} is wrapped by master {row.master_id}")
    return unwrap(bytes(row.wrapped), key_id=row.key_id, master=master, scope=row.scope)


def _current_master() -> MasterKey:
    return MasterKey(settings.MASTER_KEY)


def _masters() -> dict[str, MasterKey]:
    secrets = filter(None, (settings.MASTER_KEY, settings.MASTER_KEY_PREVIOUS))
    return {master.master_id: master for master in map(MasterKey, secrets)}
