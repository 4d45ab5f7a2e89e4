import base64
import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django_tenants.utils import tenant_context

from socle.documents import actions
from socle.documents.keys import actions as keys
from socle.documents.keys.models import DataKey
from socle.documents.vault import MasterKey, UnknownKey

NEW = bytes(range(100, 132))


@pytest.fixture
def two_communes(town: Any, neighbour: Any, noon: Any) -> list[Any]:
    """The same file kept by two communes, under the master key of the tests."""
    DataKey.objects.all().delete()
    kept = []
    for tenant in (town, neighbour):
        with tenant_context(tenant):
            kept.append(actions.store(content=b"acte", name="a.pdf", by="Moi", at=noon))
    return list(zip((town, neighbour), kept, strict=True))


def run() -> str:
    out = io.StringIO()
    call_command("rotate_master_key", stdout=out)
    return out.getvalue()


def readable(kept: list[Any]) -> bool:
    for tenant, stored in kept:
        with tenant_context(tenant):
            if actions.read(stored) != b"acte":
                return False
    return True


def change_master(settings: Any) -> None:
    settings.MASTER_KEY, settings.MASTER_KEY_PREVIOUS = NEW, settings.MASTER_KEY


def test_a_scope_keeps_its_key(town: Any) -> None:
    assert keys.secret_for("melle") == keys.secret_for("melle")
    assert keys.secret_for("melle") != keys.secret_for("niort")


def test_a_key_is_stored_wrapped(town: Any, settings: Any) -> None:
    secret = keys.secret_for("melle")
    row = DataKey.objects.get(scope="melle")

    assert secret.secret not in bytes(row.wrapped)
    assert row.master_id == MasterKey(settings.MASTER_KEY).master_id


def test_another_scope_s_key_is_unknown(town: Any) -> None:
    secret = keys.secret_for("melle")

    with pytest.raises(UnknownKey):
        keys.secret_named(secret.key_id, scope="niort")


def test_files_open_before_and_after_the_rotation(two_communes: list[Any], settings: Any) -> None:
    change_master(settings)
    assert readable(two_communes)

    assert "2 clé(s) passée(s)" in run()

    settings.MASTER_KEY_PREVIOUS = None
    assert readable(two_communes)


def test_the_old_master_key_opens_nothing_any_more(two_communes: list[Any], settings: Any) -> None:
    old = settings.MASTER_KEY
    change_master(settings)
    run()
    settings.MASTER_KEY, settings.MASTER_KEY_PREVIOUS = old, None

    with pytest.raises(UnknownKey):
        readable(two_communes)


def test_rotating_twice_changes_nothing(two_communes: list[Any], settings: Any) -> None:
    change_master(settings)
    run()
    before = list(DataKey.objects.order_by("scope").values_list("wrapped", "master_id"))

    assert "0 clé(s) passée(s)" in run()
    assert list(DataKey.objects.order_by("scope").values_list("wrapped", "master_id")) == before


def test_keys_under_a_lost_master_are_named(two_communes: list[Any], settings: Any) -> None:
    settings.MASTER_KEY, settings.MASTER_KEY_PREVIOUS = NEW, None

    with pytest.raises(CommandError) as caught:
        run()
    for tenant, _ in two_communes:
        assert tenant.schema_name in str(caught.value)


def test_a_master_key_that_is_too_short_is_not_used(town: Any, settings: Any) -> None:
    settings.MASTER_KEY = base64.b64decode("c2hvcnQ=")

    with pytest.raises(ValueError, match="32 bytes"):
        keys.secret_for("melle")
