"""Small secrets are sealed for one purpose, and a new master key reaches every one of them."""

import io
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import BinaryField

from registration_authority import training
from registration_authority.models import TrainingKey
from socle.accounts.models import TOTP_PURPOSE, Authenticator
from socle.core import crypto
from socle.core.crypto import CannotUnseal
from socle.documents.keys import actions as keys
from tests.people import person

NEW = bytes(range(100, 132))


def run() -> str:
    out = io.StringIO()
    call_command("rotate_master_key", stdout=out)
    return out.getvalue()


def change_master(settings: Any) -> None:
    settings.MASTER_KEY, settings.MASTER_KEY_PREVIOUS = NEW, settings.MASTER_KEY


def test_a_secret_opens_for_its_purpose_only() -> None:
    sealed = crypto.seal(b"secret", purpose="tests.one")
    assert b"secret" not in sealed
    assert crypto.unseal(sealed, purpose="tests.one") == b"secret"
    with pytest.raises(CannotUnseal):
        crypto.unseal(sealed, purpose="tests.two")


@pytest.mark.parametrize("sealed", [b"", b"short", b"x" * 60])
def test_what_was_never_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(CannotUnseal):
        crypto.unseal(sealed, purpose="tests.one")


def test_a_secret_of_the_former_master_key_opens_but_is_not_current(settings: Any) -> None:
    sealed = crypto.seal(b"secret", purpose="tests.one")
    assert crypto.is_current(sealed, purpose="tests.one")
    change_master(settings)
    assert crypto.unseal(sealed, purpose="tests.one") == b"secret"
    assert not crypto.is_current(sealed, purpose="tests.one")


def test_every_sealed_column_of_every_room_is_registered() -> None:
    sealed = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, BinaryField) and field.name.startswith("sealed_")
    }
    assert {("accounts.Authenticator", "sealed_key")} < sealed
    assert {(column.model, column.field) for column in crypto.sealed_columns()} == sealed


@pytest.fixture
def house(portal: Any, noon: Any) -> dict[str, Any]:
    """One secret of each room: a phone, the training authority, a data key."""
    keys.secret_for("melle")
    return {
        "phone": person().authenticators.get(),
        "authority": training.ensure_authority(code="essai", name="Essai", at=noon),
    }


def check_all_opens(house: dict[str, Any]) -> None:
    assert Authenticator.objects.get(pk=house["phone"].pk).key == b"12345678901234567890"
    ca = TrainingKey.objects.get(authority=house["authority"])
    assert crypto.unseal(bytes(ca.sealed_key), purpose=training.PURPOSE)
    assert keys.secret_for("melle")


def test_after_a_rotation_everything_opens_without_the_former_key(
    house: dict[str, Any], settings: Any
) -> None:
    change_master(settings)
    check_all_opens(house)

    said = run()

    assert "accounts.Authenticator.sealed_key : 1 secret(s) scellé(s) de nouveau" in said
    assert "registration_authority.TrainingKey.sealed_key : 1 secret(s)" in said
    assert "SOCLE_MASTER_KEY_PREVIOUS peut être retirée" in said
    settings.MASTER_KEY_PREVIOUS = None
    check_all_opens(house)


def test_rotating_again_seals_nothing_again(house: dict[str, Any], settings: Any) -> None:
    change_master(settings)
    run()
    before = bytes(Authenticator.objects.get(pk=house["phone"].pk).sealed_key)

    assert "Authenticator.sealed_key : 0 secret(s) scellé(s) de nouveau, 1 l’étai(en)t" in run()
    assert bytes(Authenticator.objects.get(pk=house["phone"].pk).sealed_key) == before


def test_a_rotation_that_was_stopped_goes_on(
    house: dict[str, Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = person().authenticators.get()
    change_master(settings)
    real, calls = crypto.seal, iter(range(10))

    def stopped(plain: bytes, *, purpose: str) -> bytes:
        if next(calls):
            raise KeyboardInterrupt
        return real(plain, purpose=purpose)

    with monkeypatch.context() as once:
        once.setattr(crypto, "seal", stopped)
        with pytest.raises(KeyboardInterrupt):
            run()

    said = run()

    assert "Authenticator.sealed_key : 1 secret(s) scellé(s) de nouveau, 1 l’étai(en)t" in said
    settings.MASTER_KEY_PREVIOUS = None
    check_all_opens(house)
    assert Authenticator.objects.get(pk=other.pk).key


def test_a_secret_that_no_key_opens_is_named_and_the_others_are_sealed_again(
    house: dict[str, Any], settings: Any
) -> None:
    lost = person().authenticators.get()
    Authenticator.objects.filter(pk=lost.pk).update(sealed_key=b"altered" * 8)
    change_master(settings)

    with pytest.raises(CommandError, match=f"accounts.Authenticator.sealed_key nº {lost.pk}"):
        run()

    settings.MASTER_KEY_PREVIOUS = None
    check_all_opens(house)


def test_a_column_that_holds_nothing_has_nothing_to_open(
    house: dict[str, Any], settings: Any
) -> None:
    Authenticator.objects.filter(pk=house["phone"].pk).update(sealed_key=b"")
    change_master(settings)
    assert "Authenticator.sealed_key : 0 secret(s) scellé(s) de nouveau, 0 l’étai(en)t" in run()


def test_a_secret_written_meanwhile_is_not_overwritten(
    house: dict[str, Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_master(settings)
    real = crypto.unseal

    def renewed(sealed: bytes, *, purpose: str) -> bytes:
        if purpose == TOTP_PURPOSE:
            Authenticator.objects.filter(pk=house["phone"].pk).update(
                sealed_key=crypto.seal(b"new", purpose=TOTP_PURPOSE)
            )
        return real(sealed, purpose=purpose)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(crypto, "unseal", renewed)
        run()

    assert Authenticator.objects.get(pk=house["phone"].pk).key == b"new"
