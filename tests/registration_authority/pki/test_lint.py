"""What we sign, read by a linter of the ETSI profiles that nobody here wrote (pkilint)."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from registration_authority.pki import training_ca
from registration_authority.pki.names import checked_holder
from tests.registration_authority.authorities import Outside
from tests.registration_authority.holder_keys import rsa_key

pytestmark = pytest.mark.skipif(
    find_spec("pkilint") is None, reason="pkilint manque : les profils ETSI ne sont pas relus"
)
NOW = datetime.now(UTC)
PROFILE = "NCP-NATURAL-PERSON-CERTIFICATE"
KNOWN = {
    # The practice authority publishes at no address: its list is taken on the portal.
    "etsi.en_319_412_2.authority_info_access_extension_absent",
    "etsi.en_319_412_2.gen-4.3.11-2.crldp_extension_missing",
}
WIDE_ARC = "OID contains arc which is larger than 32-bits"
"""What the linter cannot read: the practice policy hangs below 2.25 (X.667), a valid wide arc."""
HOLDER = checked_holder(
    given_name="Hélène",
    surname="Épinay",
    email="helene.epinay@melle.fr",
    organisation="Celles-sur-Belle",
    siren="200081511",
)


def signed() -> tuple[Outside, str]:
    """An authority, and a certificate of three years it signed for a strong key."""
    outside = Outside(training_ca.create_root(name="AC EXERCICE", at=NOW))
    pem = training_ca.sign(
        root=outside.root,
        key=rsa_key(3072).public_key(),
        holder=HOLDER,
        serial=training_ca.new_serial(),
        at=NOW,
        validity=timedelta(days=1095),
    )
    return outside, pem


def lint(tool: str, path: Path, *options: str) -> list[dict[str, Any]]:
    """The findings of one of pkilint's programs on a file."""
    module = f"from pkilint.bin.{tool} import main; import sys; sys.exit(main())"
    command = [sys.executable, "-c", module, "lint", *options, "-f", "JSON", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout.strip(), run.stderr[-800:]
    return [
        finding
        for result in json.loads(run.stdout)["results"]
        for finding in result["finding_descriptions"]
    ]


def errors(found: list[dict[str, Any]]) -> set[str]:
    """What is an error, by its code."""
    return {
        one["code"]
        for one in found
        if one["severity"] in ("ERROR", "FATAL") and WIDE_ARC not in (one["message"] or "")
    }


def test_a_certificate_we_sign_keeps_the_etsi_profile(tmp_path: Path) -> None:
    path = tmp_path / "leaf.pem"
    path.write_text(signed()[1])
    found = lint("lint_etsi_cert", path, "-t", PROFILE, "-s", "WARNING")
    assert errors(found) - KNOWN == set(), found


def test_the_linter_sees_a_key_that_does_both(tmp_path: Path) -> None:
    outside, pem = signed()
    usage = x509.load_pem_x509_certificate(pem.encode()).extensions.get_extension_for_class(
        x509.KeyUsage
    )
    both = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    assert usage.value != both
    path = tmp_path / "leaf.pem"
    path.write_text(outside.resigned(pem, x509.KeyUsage, both))
    found = lint("lint_etsi_cert", path, "-t", PROFILE, "-s", "WARNING")
    assert any("mixed_key_usage" in one["code"] for one in found), found


def test_a_list_we_sign_keeps_the_profile_of_the_internet(tmp_path: Path) -> None:
    path = tmp_path / "list.crl"
    outside = signed()[0]
    path.write_bytes(outside.crl("3039", at=NOW))
    assert errors(lint("lint_crl", path, "-t", "CRL", "-p", "PKIX")) == set()
