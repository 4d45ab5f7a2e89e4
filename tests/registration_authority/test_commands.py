"""Authorities and offers are registered by the administrator of the deployment."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from registration_authority.dossier.models import PolicyProfile
from registration_authority.models import CertificationAuthority, CmpLink, Offer
from socle.journal.models import Entry
from tests.registration_authority.openssl_peer import Parties, key_pem, parties, pem_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    who: Parties = parties()
    (tmp_path / "ca.pem").write_text(who.root.certificate_pem)
    (tmp_path / "aed.pem").write_text(pem_of(who.counter))
    (tmp_path / "aed.key").write_bytes(key_pem(who.counter))
    (tmp_path / "other.key").write_bytes(key_pem(who.responder))
    return tmp_path


def add(folder: Path, *options: str) -> CertificationAuthority:
    call_command(
        "add_authority", "ac", "AC du dehors", "--certificate", folder / "ca.pem", *options
    )
    return CertificationAuthority.objects.get(code="ac")


def cmp_options(folder: Path, key: str = "aed.key") -> tuple[str, ...]:
    return (
        "--cmp-url=https://ac.exemple.fr/pkix/",
        f"--cmp-certificate={folder / 'aed.pem'}",
        f"--cmp-key={folder / key}",
    )


def test_an_authority_without_address_is_reached_by_its_portal(portal: Any, folder: Path) -> None:
    assert add(folder).adapter == "portal"


def test_an_authority_with_an_address_is_spoken_to_in_cmp(portal: Any, folder: Path) -> None:
    authority = add(folder, *cmp_options(folder))
    assert (authority.adapter, authority.cmp_link.carries) == ("cmp", CmpLink.Carries.PKCS10)


def test_a_key_of_another_certificate_registers_nothing(portal: Any, folder: Path) -> None:
    with pytest.raises(CommandError, match="n’est pas la clé"):
        add(folder, *cmp_options(folder, "other.key"))
    assert not CertificationAuthority.objects.filter(code="ac").exists()


def test_an_offer_is_registered_once(portal: Any, folder: Path) -> None:
    add(folder)
    for name in ("Authentification", "Authentification RGS **"):
        call_command(
            "add_offer", "auth", name, "--authority=ac", "--policy=1.2.250.1.1", "--price-code=rgs"
        )
    offer = Offer.objects.get(code="auth")
    assert (offer.name, offer.min_rsa_bits, offer.level) == (
        "Authentification RGS **",
        3072,
        "rgs2",
    )


def test_a_new_offer_has_its_policy_and_wants_accredited_operators(
    portal: Any, folder: Path
) -> None:
    add(folder)
    given = ("--authority=ac", "--policy=1.2.250.1.1", "--price-code=rgs")
    call_command("add_offer", "auth", "Authentification", *given, "--renewals=1")
    profile = PolicyProfile.objects.get(offer__code="auth")
    assert profile.accreditation_required
    assert profile.renewals_without_face_to_face == 1
    assert Entry.objects.get(event="ra.policy_written").detail["before"] == dict.fromkeys(
        Entry.objects.get(event="ra.policy_written").detail["after"], ""
    )
    PolicyProfile.objects.update(accreditation_required=False, lock_hours=9)
    call_command("add_offer", "auth", "Autre nom", *given)  # what was written since stays
    profile.refresh_from_db()
    assert (profile.accreditation_required, profile.lock_hours) == (False, 9)


def test_an_offer_of_an_unknown_authority_is_refused(portal: Any) -> None:
    with pytest.raises(CommandError, match="pas enregistrée"):
        call_command("add_offer", "a", "A", "--authority=x", "--policy=1.2", "--price-code=p")
